use std::time::{Duration, SystemTime};

use pipeline_proto::Now;

/// When every run begins, in seconds since 1970: 18 March 2030.
const BEGINNING: u64 = 1_900_000_000;

/// The offset of a clock that has lost its battery: it starts in 1970. Enough is left that drifting
/// does not lead below zero.
pub(super) const EARLIEST: i64 = -1_890_000_000_000;

/// A wall clock that may be off, drift and jump, and a monotonic clock beside it, which may not.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    /// What a correct clock must be moved by, in milliseconds.
    offset: i64,
    /// In millionths: so many microseconds too many in each second.
    drift: i64,
    /// What the monotonic clock shows when the run begins.
    booted: Duration,
    /// How often somebody set it.
    jumps: u32,
}

impl Clock {
    pub(super) fn new(offset: i64, drift: i64, booted: Duration) -> Self {
        Self {
            offset,
            drift,
            booted,
            jumps: 0,
        }
    }

    /// What both clocks show, `elapsed` after the run began.
    pub(super) fn now(&self, elapsed: Duration) -> Now {
        Now::new(self.wall(elapsed), self.booted + elapsed)
    }

    pub(super) fn wall(&self, elapsed: Duration) -> SystemTime {
        let wrong = self.error(elapsed);
        let by = Duration::from_millis(wrong.unsigned_abs());
        let right = correct(elapsed);
        if wrong < 0 { right - by } else { right + by }
    }

    /// How far it is ahead of a correct clock, in milliseconds.
    pub(super) fn error(&self, elapsed: Duration) -> i64 {
        let millis = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
        self.offset + millis.saturating_mul(self.drift) / 1_000_000
    }

    pub(super) fn jump(&mut self, by: i64) {
        self.offset = (self.offset + by).max(EARLIEST);
        self.jumps += 1;
    }

    pub(super) fn jumps(&self) -> u32 {
        self.jumps
    }

    /// By how much it drifts off within a while at the most.
    pub(super) fn drift_within(&self, elapsed: Duration) -> Duration {
        let per_million = u32::try_from(self.drift.unsigned_abs()).unwrap_or(u32::MAX);
        elapsed.saturating_mul(per_million) / 1_000_000
    }
}

/// What a correct clock shows.
pub(super) fn correct(elapsed: Duration) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(BEGINNING) + elapsed
}

/// Milliseconds from one moment to another, negative if that is earlier.
pub(super) fn millis_between(from: SystemTime, to: SystemTime) -> i64 {
    let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    match to.duration_since(from) {
        Ok(later) => millis(later),
        Err(earlier) => -millis(earlier.duration()),
    }
}

/// Whole seconds since 1970.
pub(super) fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_off_drifts_and_jumps() {
        let hour = Duration::from_secs(3600);
        let mut clock = Clock::new(-5_000, 1_000, hour);
        assert_eq!(clock.error(Duration::ZERO), -5_000);
        assert_eq!(clock.error(hour), -1_400);
        assert_eq!(clock.drift_within(hour), Duration::from_millis(3_600));
        clock.jump(2_000);
        assert_eq!((clock.error(hour), clock.jumps()), (600, 1));
        let now = clock.now(hour);
        assert_eq!(now.mono, hour * 2);
        assert_eq!(millis_between(correct(hour), now.wall), 600);
        assert_eq!(millis_between(now.wall, correct(hour)), -600);
    }
}
