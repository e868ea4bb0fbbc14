use std::{
    fmt,
    time::{Duration, SystemTime},
};

use serde::{Serializer, ser::Error as _};

use crate::{model::Timestamp, time::date_of};

/// Writes a moment in a field of type date, as RFC 3339 has it. For `serialize_with`, since `serde` takes a
/// [`SystemTime`] for a struct; those of the usual crates for times are written so by themselves.
///
/// ```
/// use pipeline_proto::points;
/// use std::time::{Duration, SystemTime, UNIX_EPOCH};
///
/// #[derive(serde::Serialize)]
/// struct Click {
///     #[serde(serialize_with = "points::rfc3339")]
///     at: SystemTime,
/// }
///
/// let mut text = Vec::new();
/// points::write(&mut text, &Click { at: UNIX_EPOCH + Duration::from_millis(784_111_777_005) })?;
/// assert_eq!(text, b"at=1994-11-06T08:49:37.005Z\n");
/// # Ok::<(), points::PointError>(())
/// ```
///
/// # Errors
///
/// If the moment is before 1970 or after 9999.
pub fn rfc3339<S: Serializer>(moment: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    const AFTER: u64 = 253_402_300_800;
    let since_epoch = moment.duration_since(SystemTime::UNIX_EPOCH).ok();
    let since_epoch = since_epoch.filter(|since| since.as_secs() < AFTER);
    let moment = since_epoch.ok_or_else(|| S::Error::custom("a time before 1970 or after 9999"))?;
    serializer.collect_str(&Rfc3339(moment))
}

struct Rfc3339(Duration);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (year, month, day) = date_of(seconds / 86_400);
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        match self.0.subsec_nanos() {
            0 => {}
            nanos if nanos % 1_000_000 == 0 => write!(f, ".{:03}", nanos / 1_000_000)?,
            nanos if nanos % 1_000 == 0 => write!(f, ".{:06}", nanos / 1_000)?,
            nanos => write!(f, ".{nanos:09}")?,
        }
        f.write_str("Z")
    }
}

/// Whether a text is a date, as the service takes them: with a `T`, seconds and a zone.
pub(super) fn is_rfc3339(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.get(10) == Some(&b'T')
        && !text.ends_with('z')
        && bytes.get(17..19) != Some(b"60")
        && Timestamp::from(text).to_system_time().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_a_zone_and_exist() {
        for (text, is_date) in [
            ("2026-11-28T00:20:47Z", true),
            ("2026-11-28T00:20:47.123456789+08:00", true),
            ("2026-11-28T00:20:47", false),
            ("2026-11-28 00:20:47Z", false),
            ("2026-11-28t00:20:47Z", false),
            ("2026-11-28T00:20:47z", false),
            ("2026-11-28T00:20:60Z", false),
            ("2026-11-28T00:20:47+0800", false),
            ("2026-02-30T00:20:47Z", false),
            ("2026-11-28", false),
            ("1795825247", false),
            ("", false),
        ] {
            assert_eq!(is_rfc3339(text), is_date, "{text}");
        }
    }

    #[test]
    fn a_fraction_has_the_digits_that_it_needs() {
        for (nanos, expected) in [
            (0, "1994-11-06T08:49:37Z"),
            (5_000_000, "1994-11-06T08:49:37.005Z"),
            (5_000, "1994-11-06T08:49:37.000005Z"),
            (5, "1994-11-06T08:49:37.000000005Z"),
        ] {
            let text = Rfc3339(Duration::new(784_111_777, nanos)).to_string();
            assert_eq!(text, expected);
            assert!(is_rfc3339(&text));
        }
    }
}
