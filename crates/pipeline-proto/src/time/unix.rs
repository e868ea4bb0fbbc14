use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// A moment in whole seconds since 1970, UTC, as a token carries it.
///
/// ```
/// use pipeline_proto::UnixTime;
/// use std::time::{Duration, UNIX_EPOCH};
///
/// let time = UnixTime::from(UNIX_EPOCH + Duration::from_millis(1_999));
/// assert_eq!(time.as_secs(), 1);
/// ```
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct UnixTime(i64);

impl UnixTime {
    /// From seconds since 1970.
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since 1970.
    pub const fn as_secs(self) -> i64 {
        self.0
    }

    /// The same moment for the standard library; `None` where the platform cannot express it.
    pub fn to_system_time(self) -> Option<SystemTime> {
        let distance = Duration::from_secs(self.0.unsigned_abs());
        if self.0 < 0 {
            SystemTime::UNIX_EPOCH.checked_sub(distance)
        } else {
            SystemTime::UNIX_EPOCH.checked_add(distance)
        }
    }
}

impl From<SystemTime> for UnixTime {
    /// Rounds down to a whole second.
    fn from(time: SystemTime) -> Self {
        Self(match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
            Err(before) => {
                let before = before.duration();
                let seconds = i64::try_from(before.as_secs()).unwrap_or(i64::MAX);
                -seconds - i64::from(before.subsec_nanos() > 0)
            }
        })
    }
}
