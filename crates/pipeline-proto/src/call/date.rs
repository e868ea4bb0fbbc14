//! The `Date` header.

use std::time::{Duration, SystemTime};

/// The last second of the year 9999, the latest that the format can hold.
const LATEST: u64 = 253_402_300_799;

/// As in `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) type HttpDate = [u8; 29];

const WEEKDAYS: [&[u8; 3]; 7] = [b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed"];
const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// Writes a moment as IMF-fixdate, in whole seconds.
///
/// By hand and without `fmt`, because each attempt needs one. A clock beyond the format's range is so
/// wrong that any date will be refused; it is not a reason to panic, so it gives the nearest date
/// that can be written.
pub(super) fn http_date(moment: SystemTime) -> HttpDate {
    let since_epoch = moment
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    let seconds = since_epoch.as_secs().min(LATEST);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);

    let mut text = *b"Thu, 01 Jan 1970 00:00:00 GMT";
    text[..3].copy_from_slice(WEEKDAYS[index(days % 7)]);
    text[5..7].copy_from_slice(&two_digits(day));
    text[8..11].copy_from_slice(MONTHS[index(month - 1)]);
    text[12..14].copy_from_slice(&two_digits(year / 100));
    text[14..16].copy_from_slice(&two_digits(year % 100));
    text[17..19].copy_from_slice(&two_digits(second / 3600));
    text[20..22].copy_from_slice(&two_digits(second / 60 % 60));
    text[23..25].copy_from_slice(&two_digits(second % 60));
    text
}

/// Year, month and day of a day since 1970, in the Gregorian calendar.
pub(crate) fn civil(days: u64) -> (u64, u64, u64) {
    // Counted from the first of March of the year 0, so that a leap day is the last of its year and
    // the lengths of months repeat: 31, 30, 31, 30, 31 days are 153.
    let day = days + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let january_or_february = month >= 10;
    let month = if january_or_february {
        month - 9
    } else {
        month + 3
    };
    (
        400 * era + year + u64::from(january_or_february),
        month,
        day,
    )
}

/// Of a number below 100.
fn two_digits(number: u64) -> [u8; 2] {
    let digit = |n: u64| b"0123456789"[index(n % 10)];
    [digit(number / 10), digit(number)]
}

/// A small remainder as an index.
fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(moment: SystemTime) -> String {
        String::from_utf8(http_date(moment).to_vec()).unwrap()
    }

    #[test]
    fn every_date_is_the_one_that_the_general_formatter_writes() {
        // Each day until the calendar repeats, and each 61st from then on.
        let days = (0..=LATEST / 86_400).filter(|n| *n <= 146_097 || n % 61 == 0);
        let moments = days.flat_map(|n| [n * 86_400, n * 86_400 + n % 86_400, n * 86_400 + 86_399]);
        for seconds in moments {
            let moment = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(written(moment), httpdate::fmt_http_date(moment));
        }
    }

    #[test]
    fn a_moment_that_cannot_be_written_gives_the_nearest_that_can() {
        let (epoch, hour) = (SystemTime::UNIX_EPOCH, Duration::from_secs(3600));
        let latest = epoch + Duration::from_secs(LATEST);
        assert_eq!(written(epoch - hour), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(written(latest + hour), "Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(
            written(epoch + Duration::from_nanos(999_999_999)),
            written(epoch)
        );
    }
}
