use std::{
    fmt,
    time::{Duration, SystemTime},
};

/// How far the service's clock is from this machine's.
///
/// ```
/// use pipeline_proto::ClockOffset;
/// use std::time::Duration;
///
/// let offset = ClockOffset::ahead(Duration::from_secs(1200));
/// assert_eq!(offset.to_string(), "the service's clock is 1200 s ahead of this machine's");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ClockOffset {
    /// Milliseconds to add to this machine's clock.
    pub(crate) millis: i64,
}

impl ClockOffset {
    /// The service's clock is ahead by this much.
    pub fn ahead(by: Duration) -> Self {
        Self {
            millis: i64::try_from(by.as_millis()).unwrap_or(i64::MAX),
        }
    }

    /// The service's clock is behind by this much.
    pub fn behind(by: Duration) -> Self {
        Self {
            millis: -Self::ahead(by).millis,
        }
    }

    /// Whether the service's clock is ahead of this machine's.
    pub fn is_ahead(self) -> bool {
        self.millis > 0
    }

    /// How far apart the clocks are.
    pub fn magnitude(self) -> Duration {
        Duration::from_millis(self.millis.unsigned_abs())
    }

    /// The service's time when this machine's clock shows `wall`.
    pub fn apply(self, wall: SystemTime) -> SystemTime {
        let moved = if self.is_ahead() {
            wall.checked_add(self.magnitude())
        } else {
            wall.checked_sub(self.magnitude())
        };
        moved.unwrap_or(wall)
    }
}

impl fmt::Display for ClockOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = if self.is_ahead() {
            "ahead of"
        } else {
            "behind"
        };
        let seconds = self.magnitude().as_secs();
        write!(
            f,
            "the service's clock is {seconds} s {direction} this machine's"
        )
    }
}

/// Why the difference of the clocks was not made up for, although that is not switched off.
///
/// ```
/// use pipeline_proto::Uncorrected;
/// use std::time::Duration;
///
/// let limit = Duration::from_secs(86_400);
/// assert_eq!(Uncorrected::TooFar(limit).to_string(), "at most 86400 s are made up for");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Uncorrected {
    /// It is more than [this limit](crate::ContextBuilder::max_clock_correction).
    TooFar(Duration),
    /// The service's time came over plain http from another machine.
    PlainHttp,
}

impl fmt::Display for Uncorrected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFar(limit) => write!(f, "at most {} s are made up for", limit.as_secs()),
            Self::PlainHttp => f.write_str(
                "it is not made up for, because over plain http anybody on the way can write that date",
            ),
        }
    }
}
