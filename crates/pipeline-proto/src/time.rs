//! Time as a value: whoever drives the machines of this crate says what time it is.
//!
//! ```
//! use pipeline_proto::Now;
//! use std::time::{Duration, UNIX_EPOCH};
//!
//! // A test that lets five minutes pass without waiting for them.
//! let start = Now::new(UNIX_EPOCH + Duration::from_secs(784_111_777), Duration::ZERO);
//! let later = start + Duration::from_secs(300);
//! assert_eq!(later.since(start), Duration::from_secs(300));
//! ```

mod civil;
mod offset;
mod unix;

pub(crate) use civil::{date_of, days_of};
pub use offset::{ClockOffset, Uncorrected};
pub use unix::UnixTime;

use std::{
    ops::Add,
    time::{Duration, SystemTime},
};

/// A moment, on both clocks.
///
/// A driver makes one from `SystemTime::now()` and the time since some `Instant` that it keeps.
///
/// ```
/// use pipeline_proto::Now;
/// use std::time::{Instant, SystemTime};
///
/// struct Clock { origin: Instant }
///
/// impl Clock {
///     fn now(&self) -> Now {
///         Now::new(SystemTime::now(), self.origin.elapsed())
///     }
/// }
/// # let clock = Clock { origin: Instant::now() };
/// # assert!(clock.now() <= clock.now() + std::time::Duration::from_secs(1));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now {
    /// The wall clock, for `Date` headers and the expiry of tokens. It may be wrong and may jump.
    pub wall: SystemTime,
    /// A clock that only goes forward, since any fixed point, for delays and deadlines.
    pub mono: Duration,
}

impl Now {
    /// A moment from the readings of both clocks.
    pub const fn new(wall: SystemTime, mono: Duration) -> Self {
        Self { wall, mono }
    }

    /// How much later this moment is on the monotonic clock; zero if it is not later.
    pub fn since(self, earlier: Self) -> Duration {
        self.mono.saturating_sub(earlier.mono)
    }
}

impl Add<Duration> for Now {
    type Output = Self;

    /// The moment at which both clocks have advanced by this much. Stays at the latest time that
    /// the platform can express rather than overflow.
    fn add(self, elapsed: Duration) -> Self {
        Self {
            wall: self.wall.checked_add(elapsed).unwrap_or(self.wall),
            mono: self.mono.saturating_add(elapsed),
        }
    }
}
