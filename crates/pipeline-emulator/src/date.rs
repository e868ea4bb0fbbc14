//! Times as the service writes them: `Date`, `createTime`, log timestamps.

use std::time::{Duration, SystemTime};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Last second of the year 9999; neither text form can express a later one.
const LAST_SECOND: u64 = 253_402_300_799;

/// Since 1970. Times outside 1970 to 9999 give the nearest end: an emulator must not stop working
/// because a simulated clock runs wild.
pub(crate) fn unix_time(time: SystemTime) -> Duration {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .min(Duration::from_secs(LAST_SECOND))
}

/// Milliseconds since 1970, within the same limits.
pub(crate) fn to_millis(time: SystemTime) -> u64 {
    u64::try_from(unix_time(time).as_millis()).unwrap_or(u64::MAX)
}

/// The reverse of [`to_millis`], for any number.
pub(crate) fn from_millis(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis).min(Duration::from_secs(LAST_SECOND))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(crate) fn imf_fixdate(time: SystemTime) -> String {
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + unix_time(time))
}

/// Seconds since 1970 of exactly the form that [`imf_fixdate`] writes, the right weekday included.
pub(crate) fn parse_imf_fixdate(text: &str) -> Option<u64> {
    let time = httpdate::parse_http_date(text).ok()?;
    // It reads two older forms as well.
    (imf_fixdate(time) == text).then(|| unix_time(time).as_secs())
}

/// `1994-11-06T08:49:37Z`, the form of `createTime` and `updateTime`. The API page gives none;
/// this one says its zone.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    let (date, _) = rfc3339_parts(unix_time(time));
    date + "Z"
}

/// `1994-11-06T08:49:37.000Z`, the form of timestamps in logs.
pub(crate) fn rfc3339_millis(time: SystemTime) -> String {
    let (date, millis) = rfc3339_parts(unix_time(time));
    format!("{date}.{millis:03}Z")
}

/// The same date, its parts in another order.
fn rfc3339_parts(time: Duration) -> (String, u32) {
    let date = imf_fixdate(SystemTime::UNIX_EPOCH + time);
    let [_, day, month, year, clock, _] = date.split(' ').collect::<Vec<_>>()[..] else {
        unreachable!("the form is fixed")
    };
    let month = MONTHS
        .iter()
        .position(|name| *name == month)
        .unwrap_or_default()
        + 1;
    let millis = time.subsec_millis();
    (format!("{year}-{month:02}-{day}T{clock}"), millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline_proto::model::Timestamp;
    use proptest::prelude::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn known_moments_are_written_and_read() {
        for (seconds, imf, rfc) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00Z"),
            (
                784_111_777,
                "Sun, 06 Nov 1994 08:49:37 GMT",
                "1994-11-06T08:49:37Z",
            ),
            (
                951_782_400,
                "Tue, 29 Feb 2000 00:00:00 GMT",
                "2000-02-29T00:00:00Z",
            ),
            (
                951_868_799,
                "Tue, 29 Feb 2000 23:59:59 GMT",
                "2000-02-29T23:59:59Z",
            ),
            (
                1_709_251_199,
                "Thu, 29 Feb 2024 23:59:59 GMT",
                "2024-02-29T23:59:59Z",
            ),
            (
                4_107_542_400,
                "Mon, 01 Mar 2100 00:00:00 GMT",
                "2100-03-01T00:00:00Z",
            ),
            (
                LAST_SECOND,
                "Fri, 31 Dec 9999 23:59:59 GMT",
                "9999-12-31T23:59:59Z",
            ),
        ] {
            assert_eq!(imf_fixdate(at(seconds)), imf);
            assert_eq!(parse_imf_fixdate(imf), Some(seconds));
            assert_eq!(rfc3339(at(seconds)), rfc);
        }
        assert_eq!(
            rfc3339_millis(at(0) + Duration::from_micros(1_234_999)),
            "1970-01-01T00:00:01.234Z"
        );
    }

    #[test]
    fn only_the_exact_form_is_read() {
        for text in [
            "",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "sun, 06 nov 1994 08:49:37 gmt",
            "Sun, 06 Nov 1994 08:49:37 GMT ",
            "Sun, 06 Nov 1994  08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Wed, 29 Feb 2023 00:00:00 GMT",
            "Sat, 00 Jan 2000 00:00:00 GMT",
            "Wed, 31 Dec 1969 23:59:59 GMT",
            "Thu, 01 Jan 18446744073709551615 00:00:00 GMT",
            "1994-11-06T08:49:37Z",
        ] {
            assert_eq!(parse_imf_fixdate(text), None, "{text}");
        }
    }

    #[test]
    fn a_clock_run_wild_is_held_within_four_digit_years() {
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(imf_fixdate(before), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(rfc3339(at(LAST_SECOND + 1)), "9999-12-31T23:59:59Z");
    }

    proptest! {
        #[test]
        fn every_second_survives_both_forms(seconds in 0..=LAST_SECOND) {
            let time = at(seconds);
            prop_assert_eq!(parse_imf_fixdate(&imf_fixdate(time)), Some(seconds));
            prop_assert_eq!(Timestamp::from(rfc3339(time)).to_system_time(), Some(time));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}", tail in "[A-Za-z0-9 ,:]{0,30}") {
            let _ = parse_imf_fixdate(&text);
            let _ = parse_imf_fixdate(&format!("Sun, {tail} GMT"));
        }
    }
}
