use std::{
    fmt,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Deserializer, Serialize};

/// A time as the service wrote it. The format is stated nowhere, so the text is kept and read only
/// on demand.
///
/// ```
/// use pipeline_proto::model::Timestamp;
/// use std::time::{Duration, UNIX_EPOCH};
///
/// let rfc3339 = Timestamp::from("2017-06-01T15:00:00+08:00");
/// let vendor = Timestamp::from("2017-06-01 15:00:00");
/// assert_eq!(rfc3339.to_system_time(), Some(UNIX_EPOCH + Duration::from_secs(1_496_300_400)));
/// assert_eq!(vendor.to_system_time(), rfc3339.to_system_time());
/// assert_eq!(Timestamp::from("yesterday").to_system_time(), None);
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Timestamp(String);

impl Timestamp {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the service gave none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads RFC 3339, else `2017-06-01 15:00:00` as China Standard Time (UTC+8), the form in which
    /// the vendor's documents print times. Fractions of a second are dropped.
    pub fn to_system_time(&self) -> Option<SystemTime> {
        let (date, time) = self.0.split_at_checked(10)?;
        let days = parse_date(date)?;
        let (separator, time) = time.split_at_checked(1)?;
        let (clock, zone) = time.split_at_checked(8)?;
        let seconds = parse_clock(clock)?;
        let zone = match (separator, zone) {
            (" ", "") => 8 * 3600,
            ("T" | "t" | " ", zone) => parse_zone(strip_fraction(zone)?)?,
            _ => return None,
        };
        let unix = days * 86_400 + seconds - zone;
        let distance = Duration::from_secs(unix.unsigned_abs());
        if unix < 0 {
            SystemTime::UNIX_EPOCH.checked_sub(distance)
        } else {
            SystemTime::UNIX_EPOCH.checked_add(distance)
        }
    }
}

/// A decimal number of so many digits, and nothing else.
fn digits(text: &str, count: usize) -> Option<i64> {
    if text.len() != count || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Days since 1970 of `YYYY-MM-DD`, a text of that length, in the Gregorian calendar.
fn parse_date(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let (year, month, day) = (
        digits(parts.next()?, 4)?,
        digits(parts.next()?, 2)?,
        digits(parts.next()?, 2)?,
    );
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Years counted from March, so that the leap day comes last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let century_days =
        year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(century_days + (month * 153 + 2) / 5 + day - 1 - 719_468)
}

/// Seconds since midnight of `hh:mm:ss`, a text of that length.
fn parse_clock(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let (hour, minute, second) = (
        digits(parts.next()?, 2)?,
        digits(parts.next()?, 2)?,
        digits(parts.next()?, 2)?,
    );
    (hour < 24 && minute < 60 && second <= 60).then_some(hour * 3600 + minute * 60 + second)
}

fn strip_fraction(zone: &str) -> Option<&str> {
    let Some(fraction) = zone.strip_prefix('.') else {
        return Some(zone);
    };
    let end = fraction.bytes().take_while(u8::is_ascii_digit).count();
    (end > 0).then(|| &fraction[end..])
}

/// Seconds east of Greenwich of `Z` or `+hh:mm`.
fn parse_zone(text: &str) -> Option<i64> {
    if matches!(text, "Z" | "z") {
        return Some(0);
    }
    let (sign, rest) = text.split_at_checked(1)?;
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60;
    match sign {
        "+" => Some(seconds),
        "-" => Some(-seconds),
        _ => None,
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    /// A string; or a number, which is kept as its text.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl serde::de::Visitor<'_> for TextVisitor {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time as a string or a number")
            }

            fn visit_str<E>(self, text: &str) -> Result<Timestamp, E> {
                Ok(Timestamp::from(text))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Timestamp, E> {
                Ok(Timestamp(number.to_string()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Timestamp, E> {
                Ok(Timestamp(number.to_string()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Timestamp, E> {
                Ok(Timestamp(number.to_string()))
            }
        }

        deserializer.deserialize_any(TextVisitor)
    }
}

impl From<&str> for Timestamp {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Timestamp {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl super::json::Member for Timestamp {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unix(text: &str) -> Option<i64> {
        let time = Timestamp::from(text).to_system_time()?;
        Some(match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => after.as_secs().cast_signed(),
            Err(before) => -before.duration().as_secs().cast_signed(),
        })
    }

    #[test]
    fn both_forms_are_read() {
        assert_eq!(unix("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(unix("1970-01-01 08:00:00"), Some(0));
        assert_eq!(unix("1994-11-06T08:49:37Z"), Some(784_111_777));
        assert_eq!(unix("1994-11-06T08:49:37.123456Z"), Some(784_111_777));
        assert_eq!(unix("2000-02-29T00:00:00-01:30"), Some(951_787_800));
        assert_eq!(unix("1969-12-31T23:59:59Z"), Some(-1));
    }

    #[test]
    fn anything_else_is_left_alone() {
        for text in [
            "",
            "2017",
            "2017-06-01",
            "2017-02-29T00:00:00Z",
            "2017-13-01T00:00:00Z",
            "2017-06-01T24:00:00Z",
            "2017-06-01T00:00:00",
            "2017-06-01T00:00:00.Z",
            "2017-06-01T00:00:00+0800",
            "2017-06-01x00:00:00Z",
            "2017-06-0\u{661}T00:00:00Z",
            "工作流工作流工作流",
        ] {
            assert_eq!(unix(text), None, "{text}");
        }
    }
}
