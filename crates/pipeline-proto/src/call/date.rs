//! The `Date` header.

use std::{
    io::Write as _,
    time::{Duration, SystemTime},
};

use httpdate::HttpDate;

/// The last second of the year 9999, the latest that the format can hold.
const LATEST: u64 = 253_402_300_799;

/// As in `Sun, 06 Nov 1994 08:49:37 GMT`, in whole seconds.
///
/// A clock beyond the format's range is so wrong that any date will be refused; it is not a reason to
/// panic, so it gives the nearest date that can be written.
pub(super) fn http_date(moment: SystemTime) -> [u8; 29] {
    let since_epoch = moment
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let seconds = Duration::from_secs(since_epoch.as_secs().min(LATEST));
    let mut text = [0; 29];
    write!(
        &mut text[..],
        "{}",
        HttpDate::from(SystemTime::UNIX_EPOCH + seconds)
    )
    .expect("a date has 29 characters");
    text
}

#[test]
fn a_moment_that_cannot_be_written_gives_the_nearest_that_can() {
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
