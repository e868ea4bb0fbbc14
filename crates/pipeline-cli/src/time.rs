//! Times as people read and write them: in the local zone, which is said, with the age beside it.

use std::{
    fs,
    sync::LazyLock,
    time::{Duration, SystemTime},
};

use jiff::{
    Timestamp, ZonedDateTime,
    civil::{self, DateTime},
    tz::TimeZone,
};
use pipeline_proto::model;

use crate::{
    duration::{self, Short},
    variables::own_variable,
};

/// What is written, and can be given back to an option.
const FORM: &str = "%Y-%m-%d %H:%M:%S %:z";

/// How times are to be written.
const FORMS: &str = "write a time such as '2025-06-01 15:00:00 +08:00', 2025-06-01T15:00 or 15:00 for local \
     time, or how long ago, such as -15m";

/// A time of the service for people: local, with its age. One that cannot be read stays as it came.
pub(crate) fn shown(time: &model::Timestamp) -> String {
    match time.to_system_time() {
        Some(at) => with_age(at),
        None => time.as_str().to_owned(),
    }
}

/// `2025-06-01 15:00:00 +08:00 (3 min 5 s ago)`.
fn with_age(at: SystemTime) -> String {
    let now = SystemTime::now();
    let age = match now.duration_since(at) {
        Ok(age) => format!("{} ago", Short(age)),
        Err(ahead) => format!("in {}", Short(ahead.duration())),
    };
    let shown = Timestamp::try_from(at).map(local);
    shown.map_or(age.clone(), |shown| format!("{shown} ({age})"))
}

/// `2025-06-01 15:00:00 +08:00`, in the local zone.
pub(crate) fn local(at: Timestamp) -> String {
    let zoned = at.to_zoned_datetime(ZONE.clone());
    zoned.strftime(FORM).to_string()
}

/// The local zone: where no variable names another, what the system keeps in this file. To find it by its name, jiff
/// looks through the folders of all zones first, which takes longer than the call whose times are shown.
static ZONE: LazyLock<TimeZone> = LazyLock::new(|| {
    let of_file = || TimeZone::tzif("local", &fs::read("/etc/localtime").ok()?).ok();
    let of_file = own_variable("TZ").is_none().then(of_file).flatten();
    of_file.unwrap_or_else(TimeZone::system)
});

/// A time that somebody gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) at: Timestamp,
    /// It was given without a zone, and taken as local.
    pub(crate) is_local: bool,
}

/// Reads a time in any of the forms that are shown, RFC 3339 among them, or how long ago it was.
pub(crate) fn parse(text: &str) -> Result<Moment, String> {
    parse_at(text, &ZonedDateTime::now())
}

fn parse_at(text: &str, now: &ZonedDateTime) -> Result<Moment, String> {
    // As it is shown, with its age.
    let text = text.split_once(" (").map_or(text, |(text, _)| text).trim();
    let exactly = |at: Timestamp| Moment {
        at,
        is_local: false,
    };
    if let Some(ago) = ago(text) {
        let at = now.timestamp().checked_sub(ago?);
        return at
            .map(exactly)
            .map_err(|_| "that is too long ago".to_owned());
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(exactly(at));
    }
    if let Ok(zoned) = text.parse::<ZonedDateTime>() {
        return Ok(exactly(zoned.timestamp()));
    }
    if let Some((clock, zone)) = text.rsplit_once(' ') {
        if let Ok(at) = format!("{clock}{zone}").parse::<Timestamp>() {
            return Ok(exactly(at));
        }
        if let (Ok(clock), Ok(zone)) = (clock.parse::<DateTime>(), TimeZone::get(zone)) {
            return in_zone(clock, zone).map(exactly);
        }
    }
    let today = |time: civil::Time| now.date().to_datetime(time);
    let date_and_time = text.parse::<DateTime>().ok();
    // A bare number may mean anything.
    let time = || text.parse().ok().filter(|_| text.contains(':')).map(today);
    let clock = date_and_time.or_else(time).ok_or(FORMS)?;
    let at = in_zone(clock, now.time_zone().clone())?;
    Ok(Moment {
        is_local: true,
        ..exactly(at)
    })
}

/// `2h`, `-2h`, `2h ago` or `now`; none if it is something else.
fn ago(text: &str) -> Option<Result<Duration, String>> {
    if text == "now" {
        return Some(Ok(Duration::ZERO));
    }
    let distance = text.strip_prefix('-').unwrap_or(text);
    let distance = distance.strip_suffix("ago").unwrap_or(distance);
    match duration::parse(distance) {
        Err(_) if !distance.ends_with(|c: char| "smhd".contains(c)) => None,
        Err(_) if distance.contains([':', ' ']) => None,
        result => Some(result),
    }
}

fn in_zone(clock: DateTime, zone: TimeZone) -> Result<Timestamp, String> {
    let zoned = clock.to_zoned_datetime(zone);
    zoned
        .map(|zoned| zoned.timestamp())
        .map_err(|_| "that is beyond all calendars".to_owned())
}

/// A time on the calendar, whose `Display` is RFC 3339 in UTC; none before 1970 and beyond year 9999.
pub(crate) fn of_unix(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_second(seconds)
        .ok()
        .filter(|_| seconds >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> ZonedDateTime {
        // Without the database of zones, which a machine may lack.
        let zone = TimeZone::posix("CST-8").unwrap();
        let now: Timestamp = "2025-06-01T12:00:00Z".parse().unwrap();
        now.to_zoned_datetime(zone)
    }

    fn parsed(text: &str) -> (String, bool) {
        let moment = parse_at(text, &now()).unwrap_or_else(|error| panic!("{text}: {error}"));
        (moment.at.to_string(), moment.is_local)
    }

    #[test]
    fn every_form_that_is_shown_can_be_given() {
        for text in [
            "2025-06-01T15:00:00+08:00",
            "2025-06-01T07:00:00Z",
            "2025-06-01T07:00:00.000Z",
            "2025-06-01 15:00:00+08:00",
            "2025-06-01 15:00:00 +08:00",
            "2025-06-01 15:00:00 +0800",
            "2025-06-01 15:00 +08",
            "2025-06-01 07:00:00 Z",
            "2025-06-01 07:00:00 UTC",
            "2025-06-01 15:00:00 +08:00 (5 h 0 min ago)",
            "2025-06-01T15:00:00+08:00[+08:00]",
            "5h",
            "-5h",
            "5h ago",
        ] {
            assert_eq!(
                parsed(text),
                ("2025-06-01T07:00:00Z".into(), false),
                "{text}"
            );
        }
        for text in [
            "2025-06-01T15:00:00",
            "2025-06-01 15:00",
            "15:00",
            "15:00:00",
        ] {
            assert_eq!(
                parsed(text),
                ("2025-06-01T07:00:00Z".into(), true),
                "{text}"
            );
        }
        assert_eq!(parsed("2025-06-01").0, "2025-05-31T16:00:00Z");
        assert_eq!(parsed("now").0, "2025-06-01T12:00:00Z");
        let shown = parse(&local(Timestamp::UNIX_EPOCH)).unwrap();
        assert_eq!((shown.at, shown.is_local), (Timestamp::UNIX_EPOCH, false));
    }

    #[test]
    fn the_local_zone_is_that_of_the_system() {
        for seconds in [0, 1_000_000_000, 1_750_000_000] {
            let at = Timestamp::from_second(seconds).unwrap();
            assert_eq!(ZONE.to_offset(at), TimeZone::system().to_offset(at));
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "yesterday",
            "12",
            "2025-13-01",
            "2025-06-01T25:00",
            "5 h",
            "15:00 Mars/Base",
        ] {
            let error = parse_at(text, &now()).unwrap_err();
            assert!(error.contains("such as"), "{text}: {error}");
        }
        for text in ["99999999999999999999d", "9999999d"] {
            assert!(parse_at(text, &now()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_calendar_has_years_of_four_digits() {
        // By `date -u -d @… +%FT%TZ`.
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (784_111_777, "1994-11-06T08:49:37Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (253_402_207_200, "9999-12-30T22:00:00Z"),
        ] {
            assert_eq!(of_unix(seconds).unwrap().to_string(), expected);
        }
        for seconds in [-1, 253_402_300_800, i64::MAX, i64::MIN] {
            assert_eq!(of_unix(seconds), None);
        }
    }
}
