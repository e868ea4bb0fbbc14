use std::{
    fmt,
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{
    Response,
    header::{AGE, DATE},
};

use crate::time::Now;

/// Above this the two clocks are taken to differ. The service allows 15 minutes; what remains is
/// room for a measurement that is itself off.
const TOLERANCE: Duration = Duration::from_secs(4 * 60);

/// A round trip longer than this says nothing about the clocks.
const LONGEST_ROUND_TRIP: Duration = Duration::from_secs(15 * 60);

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
    millis: i64,
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

    /// Measures the offset from the `Date` of a response: it was written about half-way between
    /// sending and receiving. `None` if the response has no readable date, comes from a cache, or took
    /// so long that it says nothing.
    pub(super) fn measure(response: &Response<Bytes>, sent: Now, received: Now) -> Option<Self> {
        let round_trip = received.since(sent);
        if response.headers().contains_key(AGE) || round_trip > LONGEST_ROUND_TRIP {
            return None;
        }
        let date = httpdate::parse_http_date(response.headers().get(DATE)?.to_str().ok()?).ok()?;
        // Counted from the wall clock at sending, because the signature was made with it.
        let middle = sent.wall.checked_add(round_trip / 2)?;
        Some(match date.duration_since(middle) {
            Ok(ahead) => Self::ahead(ahead),
            Err(error) => Self::behind(error.duration()),
        })
    }

    /// Whether two offsets differ so much that signatures made with one fail under the other.
    pub(super) fn differs_from(self, other: Self) -> bool {
        self.millis.abs_diff(other.millis)
            > u64::try_from(TOLERANCE.as_millis()).unwrap_or(u64::MAX)
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

/// The offset that the calls of a context share.
#[derive(Debug, Default)]
pub(super) struct SharedOffset(AtomicI64);

impl SharedOffset {
    // Relaxed: the offset stands for itself, no other memory depends on it.
    pub(super) fn get(&self) -> ClockOffset {
        ClockOffset {
            millis: self.0.load(Ordering::Relaxed),
        }
    }

    pub(super) fn set(&self, offset: ClockOffset) {
        self.0.store(offset.millis, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::from_secs(784_111_777);

    fn at(seconds: u64) -> Now {
        Now::new(SystemTime::UNIX_EPOCH + START, Duration::ZERO) + Duration::from_secs(seconds)
    }

    fn answer(date: SystemTime) -> Response<Bytes> {
        Response::builder()
            .header("date", httpdate::fmt_http_date(date))
            .body(Bytes::new())
            .unwrap()
    }

    #[test]
    fn the_date_is_compared_with_the_middle_of_the_round_trip() {
        let response = answer(at(1210).wall);
        assert_eq!(
            ClockOffset::measure(&response, at(0), at(20)),
            Some(ClockOffset::ahead(Duration::from_secs(1200)))
        );
        assert_eq!(
            ClockOffset::measure(&response, at(1800), at(1820)),
            Some(ClockOffset::behind(Duration::from_secs(600)))
        );
    }

    #[test]
    fn caches_slow_answers_and_missing_dates_say_nothing() {
        let mut cached = answer(at(0).wall);
        cached.headers_mut().insert("age", "10".parse().unwrap());
        assert_eq!(ClockOffset::measure(&cached, at(0), at(1)), None);
        assert_eq!(
            ClockOffset::measure(&answer(at(0).wall), at(0), at(901)),
            None
        );
        assert!(ClockOffset::measure(&answer(at(0).wall), at(0), at(900)).is_some());
        assert_eq!(
            ClockOffset::measure(&Response::new(Bytes::new()), at(0), at(1)),
            None
        );
    }

    #[test]
    fn four_minutes_are_within_tolerance() {
        let zero = ClockOffset::default();
        assert!(!ClockOffset::ahead(Duration::from_secs(240)).differs_from(zero));
        assert!(ClockOffset::ahead(Duration::from_millis(240_001)).differs_from(zero));
        assert!(ClockOffset::behind(Duration::from_millis(240_001)).differs_from(zero));
    }
}
