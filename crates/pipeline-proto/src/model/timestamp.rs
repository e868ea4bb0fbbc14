use std::{fmt, time::SystemTime};

use serde::{Deserialize, Deserializer, Serialize};

use crate::time::{UnixTime, days_of};

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
        let (moment, zone) = self.0.split_at_checked(19)?;
        let separator = moment.as_bytes()[10];
        let [year, month, day, hour, minute, second] = numbers(moment, "dddd-dd-dd?dd:dd:dd")?;
        let offset = match (separator, zone) {
            (b' ', "") => 8 * 3600,
            (b'T' | b't' | b' ', zone) => offset(zone)?,
            _ => return None,
        };
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let seconds = days_of(year, month, day)? * 86_400 + hour * 3600 + minute * 60 + second;
        UnixTime::from_secs(seconds - offset).to_system_time()
    }
}

/// The decimal numbers in a text of this form, in which `d` stands for a digit and `?` for anything.
fn numbers<const N: usize>(text: &str, form: &str) -> Option<[i64; N]> {
    let mut numbers = [0; N];
    let mut place = 0;
    for (byte, expected) in text.bytes().zip(form.bytes()) {
        match expected {
            b'd' if byte.is_ascii_digit() => {
                let number: &mut i64 = numbers.get_mut(place)?;
                *number = *number * 10 + i64::from(byte - b'0');
            }
            b'd' => return None,
            b'?' => place += 1,
            _ if byte == expected => place += 1,
            _ => return None,
        }
    }
    (text.len() == form.len()).then_some(numbers)
}

/// Seconds east of Greenwich of `Z` or `+hh:mm`, behind a fraction of a second or not.
fn offset(zone: &str) -> Option<i64> {
    let zone = match zone.strip_prefix('.') {
        Some(fraction) if fraction.starts_with(|c: char| c.is_ascii_digit()) => {
            fraction.trim_start_matches(|c: char| c.is_ascii_digit())
        }
        Some(_) => return None,
        None => zone,
    };
    let sign = match zone.as_bytes().first()? {
        b'Z' | b'z' if zone.len() == 1 => return Some(0),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let [hours, minutes] = numbers(&zone[1..], "dd:dd")?;
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
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
        Some(UnixTime::from(time).as_secs())
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
