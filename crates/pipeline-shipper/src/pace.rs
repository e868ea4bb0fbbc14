//! When the next request may be made: after the back-off that all requests share, and within the rates.

use std::time::Duration;

use crate::{books::Count, settings::Settings};

/// Moments are on the monotonic clock.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Rounds of failures since the last success.
    failures: u32,
    /// When the last round failed. Requests that were sent before and fail as well belong to it.
    failed_at: Duration,
    /// The end of the back-off.
    paused_until: Duration,
    /// When the rates allow the next request.
    next: Duration,
}

impl Pace {
    /// When the next request may be made.
    pub(crate) fn ready_at(&self) -> Duration {
        self.paused_until.max(self.next)
    }

    /// Whether a single request is to find out if the service is back.
    pub(crate) fn is_probing(&self) -> bool {
        self.failures > 0
    }

    /// A request is made now. The rates then ask for a pause: so, in any span of time, no more is sent than they
    /// allow and one request.
    pub(crate) fn sent(&mut self, count: Count, settings: &Settings, now: Duration) {
        let pause = |cost: u64, rate: u64| match rate {
            0 => Duration::ZERO,
            // In microseconds, and rounded up.
            rate => Duration::from_micros(
                u64::try_from((u128::from(cost) * 1_000_000).div_ceil(rate.into()))
                    .unwrap_or(u64::MAX),
            ),
        };
        let pause = pause(1, settings.requests_per_second.into())
            .max(pause(count.bytes, settings.bytes_per_second));
        self.next = now.saturating_add(pause);
    }

    /// A request was answered, so that the service is there.
    pub(crate) fn succeeded(&mut self, sent: Duration) {
        if sent >= self.failed_at {
            self.failures = 0;
        }
    }

    /// A request failed; gives how long all of them wait.
    pub(crate) fn failed(
        &mut self,
        sent: Duration,
        retry_after: Option<Duration>,
        settings: &Settings,
        now: Duration,
    ) -> Duration {
        if self.failures == 0 || sent >= self.failed_at {
            self.failures = self.failures.saturating_add(1);
            self.failed_at = now;
        }
        let policy = &settings.back_off;
        let delay = policy.delay(self.failures, settings.seed, retry_after);
        self.paused_until = self.paused_until.max(now.saturating_add(delay));
        self.paused_until.saturating_sub(now)
    }

    /// Ends the back-off: there is no time left to wait.
    pub(crate) fn hurry(&mut self, now: Duration) {
        self.paused_until = self.paused_until.min(now);
    }
}
