//! Times as the service writes them.

use std::time::UNIX_EPOCH;

use pipeline_proto::{
    UnixTime,
    model::{LogLine, Timestamp},
};

fn unix(text: &str) -> Option<i64> {
    let time = Timestamp::from(text).to_system_time()?;
    Some(UnixTime::from(time).as_secs())
}

#[test]
fn leap_years_are_those_of_the_gregorian_calendar() {
    for (year, leap) in [
        (1900, false),
        (1904, true),
        (2000, true),
        (2023, false),
        (2024, true),
        (2025, false),
        (2100, false),
    ] {
        let day = |day: u8| unix(&format!("{year}-02-{day}T00:00:00Z"));
        assert!(day(28).is_some(), "{year}");
        assert_eq!(day(29).is_some(), leap, "{year}");
        assert_eq!(day(30), None, "{year}");
        let march = unix(&format!("{year}-03-01T00:00:00Z")).unwrap();
        let days = (march - day(28).unwrap()) / 86_400;
        assert_eq!(days, if leap { 2 } else { 1 }, "{year}");
    }
}

#[test]
fn zones_move_a_time_by_less_than_a_day() {
    for (zone, seconds) in [
        ("Z", 0),
        ("+00:00", 0),
        ("+08:00", -8 * 3600),
        ("-08:00", 8 * 3600),
        ("+00:30", -1800),
        ("-23:59", 86_340),
        ("+23:59", -86_340),
    ] {
        assert_eq!(
            unix(&format!("1970-01-01T00:00:00{zone}")),
            Some(seconds),
            "{zone}"
        );
    }
    for zone in [
        "+24:00", "-24:00", "+00:60", "+99:99", "+8:00", "+008:0", "+0800", "08:00", "*08:00",
        "+08:00 ",
    ] {
        assert_eq!(unix(&format!("1970-01-01T00:00:00{zone}")), None, "{zone}");
    }
}

#[test]
fn each_part_of_a_clock_has_two_digits_and_a_limit() {
    assert_eq!(unix("1970-01-01T23:59:59Z"), Some(86_399));
    // A leap second counts as the first of the next minute.
    assert_eq!(unix("1970-01-01T23:59:60Z"), Some(86_400));
    for clock in [
        "24:00:00", "12:60:00", "12:00:61", "0:0:0:00", "12:000:0", "1200:000", "+1:00:00",
    ] {
        assert_eq!(unix(&format!("1970-01-01T{clock}Z")), None, "{clock}");
    }
    for date in [
        "1970-+1-01",
        "1970-1-+01",
        "1970-00-01",
        "1970-01-00",
        "1970-04-31",
        "1970-1-001",
        "1970-001-1",
        "001970-1-1",
        "19700-1-01-1",
    ] {
        assert_eq!(unix(&format!("{date}T00:00:00Z")), None, "{date}");
    }
}

#[test]
fn a_time_that_came_as_a_number_is_kept_as_its_text() {
    for (json, text) in [
        ("1509000000000", "1509000000000"),
        ("-5", "-5"),
        ("1.5", "1.5"),
        (r#""2017-06-01""#, "2017-06-01"),
        ("null", ""),
    ] {
        let line: LogLine = serde_json::from_str(&format!(r#"{{"timestamp":{json}}}"#)).unwrap();
        assert_eq!(line.timestamp.as_str(), text, "{json}");
    }
}

#[test]
fn a_timestamp_shows_its_text() {
    let timestamp = Timestamp::from("2017-06-01T15:00:00+08:00".to_owned());
    assert_eq!(timestamp.to_string(), "2017-06-01T15:00:00+08:00");
    assert_eq!(format!("{timestamp:?}"), "\"2017-06-01T15:00:00+08:00\"");
    assert_eq!(
        timestamp.to_system_time(),
        UNIX_EPOCH.checked_add(std::time::Duration::from_secs(1_496_300_400))
    );
}
