//! The `Date` header.

use std::time::SystemTime;

use crate::time::date_of;

/// The last second of the year 9999, the latest that the format can hold.
const LATEST: u64 = 253_402_300_799;

const DAY: u64 = 24 * 60 * 60;

/// From the day on which 1970 began.
static WEEKDAYS: [&[u8; 3]; 7] = [b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed"];

static MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// As in `Sun, 06 Nov 1994 08:49:37 GMT`, in whole seconds.
///
/// A clock beyond the format's range is so wrong that any date will be refused; it is not a reason to
/// panic, so it gives the nearest date that can be written.
///
/// Written here and not by `httpdate`, which goes through `fmt`: each attempt has a date.
#[allow(
    clippy::cast_possible_truncation,
    reason = "days of a week, months, and numbers of two digits"
)]
pub(super) fn http_date(moment: SystemTime) -> [u8; 29] {
    let since_epoch = moment.duration_since(SystemTime::UNIX_EPOCH);
    let seconds = since_epoch.map_or(0, |time| time.as_secs().min(LATEST));
    let (days, second) = (seconds / DAY, seconds % DAY);
    let (year, month, day) = date_of(days);
    let mut text = *b"Sun, 06 Nov 1994 08:49:37 GMT";
    text[..3].copy_from_slice(WEEKDAYS[(days % 7) as usize]);
    text[8..11].copy_from_slice(MONTHS[(month - 1) as usize]);
    for (at, number) in [
        (5, day),
        (12, year / 100),
        (14, year % 100),
        (17, second / 3600),
        (20, second / 60 % 60),
        (23, second % 60),
    ] {
        text[at] = b'0' + (number / 10) as u8;
        text[at + 1] = b'0' + (number % 10) as u8;
    }
    text
}

#[test]
fn dates_until_the_year_9999_are_written_as_httpdate_has_them() {
    // A day and a second, so that the time of day changes as well.
    for seconds in (0..=LATEST).step_by(86_401) {
        let moment = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        assert_eq!(
            http_date(moment),
            httpdate::fmt_http_date(moment).as_bytes()
        );
    }
}

#[test]
fn a_moment_that_cannot_be_written_gives_the_nearest_that_can() {
    use std::time::Duration;

    let epoch = SystemTime::UNIX_EPOCH;
    let latest = epoch + Duration::from_secs(LATEST);
    for (moment, text) in [
        (
            epoch - Duration::from_secs(3600),
            "Thu, 01 Jan 1970 00:00:00 GMT",
        ),
        (
            epoch + Duration::from_nanos(999_999_999),
            "Thu, 01 Jan 1970 00:00:00 GMT",
        ),
        (
            epoch + Duration::from_secs(784_111_777),
            "Sun, 06 Nov 1994 08:49:37 GMT",
        ),
        (
            latest + Duration::from_secs(3600),
            "Fri, 31 Dec 9999 23:59:59 GMT",
        ),
    ] {
        assert_eq!(http_date(moment), text.as_bytes());
    }
}
