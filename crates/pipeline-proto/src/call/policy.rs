use std::time::Duration;

/// When a call is tried again. Whether it may be is the operation's
/// [`Idempotency`](crate::Idempotency).
///
/// ```
/// use pipeline_proto::RetryPolicy;
/// use std::time::Duration;
///
/// let patient = RetryPolicy::default().max_attempts(6).budget(Duration::from_secs(60));
/// assert_eq!(RetryPolicy::none().attempts(), 1);
/// # let _ = patient;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    max_attempts: u32,
    base_delay: Duration,
    max_delay: Duration,
    max_retry_after: Duration,
    budget: Duration,
}

impl Default for RetryPolicy {
    /// Three attempts, waits of up to 0.2 s, 0.4 s … 5 s, `Retry-After` obeyed up to 30 s, and no
    /// more than 60 s of waiting in all.
    fn default() -> Self {
        Self {
            max_attempts: 3,
            base_delay: Duration::from_millis(200),
            max_delay: Duration::from_secs(5),
            max_retry_after: Duration::from_secs(30),
            budget: Duration::from_secs(60),
        }
    }
}

impl RetryPolicy {
    /// One attempt only. A wrong clock is corrected all the same, unless the context says no.
    pub fn none() -> Self {
        Self::default().max_attempts(1)
    }

    /// At most this many attempts; 0 counts as 1.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// The longest wait before the second attempt; it doubles with each further one.
    #[must_use]
    pub fn base_delay(mut self, delay: Duration) -> Self {
        self.base_delay = delay;
        self
    }

    /// The longest wait that is of our own choosing.
    #[must_use]
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    /// The longest `Retry-After` that is obeyed to the full; of a longer one only this much.
    #[must_use]
    pub fn max_retry_after(mut self, delay: Duration) -> Self {
        self.max_retry_after = delay;
        self
    }

    /// The longest sum of all waits of a call.
    #[must_use]
    pub fn budget(mut self, budget: Duration) -> Self {
        self.budget = budget;
        self
    }

    /// The most attempts that are made.
    pub fn attempts(&self) -> u32 {
        self.max_attempts
    }

    /// The longest sum of all waits.
    pub fn total_delay(&self) -> Duration {
        self.budget
    }

    /// The wait after this many attempts: evenly spread between zero and a bound that doubles each
    /// time (full jitter), and not shorter than what the service asked for. The same seed and
    /// attempt give the same wait.
    pub fn delay(&self, attempts: u32, seed: u64, retry_after: Option<Duration>) -> Duration {
        let doubled = 1_u32
            .checked_shl(attempts.saturating_sub(1))
            .unwrap_or(u32::MAX);
        let bound = self.base_delay.saturating_mul(doubled).min(self.max_delay);
        let chosen = u64::try_from(bound.as_nanos()).map_or(bound, |nanos| {
            Duration::from_nanos(scale(mix(seed.wrapping_add(u64::from(attempts))), nanos))
        });
        chosen.max(retry_after.unwrap_or_default().min(self.max_retry_after))
    }
}

/// A well-mixed function of a counter: the finalizer of SplitMix64.
fn mix(counter: u64) -> u64 {
    let z = counter.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Maps 64 random bits to 0..=bound.
fn scale(random: u64, bound: u64) -> u64 {
    let product = u128::from(random) * (u128::from(bound) + 1);
    u64::try_from(product >> 64).unwrap_or(bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_stay_below_a_bound_that_doubles_up_to_a_limit() {
        let policy = RetryPolicy::default();
        for (attempts, bound) in [(1, 200), (2, 400), (3, 800), (6, 5000), (40, 5000)] {
            let delays: Vec<_> = (0..200)
                .map(|seed| policy.delay(attempts, seed, None))
                .collect();
            let bound = Duration::from_millis(bound);
            assert!(delays.iter().all(|delay| *delay <= bound));
            // Full jitter reaches both ends.
            assert!(delays.iter().any(|delay| *delay < bound / 4));
            assert!(delays.iter().any(|delay| *delay > bound * 3 / 4));
        }
    }

    #[test]
    fn a_delay_is_a_function_of_attempt_and_seed() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.delay(2, 7, None), policy.delay(2, 7, None));
        assert_ne!(policy.delay(2, 7, None), policy.delay(2, 8, None));
    }

    #[test]
    fn what_the_service_asks_for_is_a_lower_bound_with_a_cap() {
        let policy = RetryPolicy::default();
        assert_eq!(
            policy.delay(1, 1, Some(Duration::from_secs(2))),
            Duration::from_secs(2)
        );
        assert_eq!(
            policy.delay(1, 1, Some(Duration::from_secs(3600))),
            Duration::from_secs(30)
        );
        assert_eq!(
            policy.delay(1, 1, Some(Duration::ZERO)),
            policy.delay(1, 1, None)
        );
    }

    #[test]
    fn extreme_policies_do_not_overflow() {
        let policy = RetryPolicy::default()
            .base_delay(Duration::MAX)
            .max_delay(Duration::MAX);
        assert!(policy.delay(u32::MAX, u64::MAX, Some(Duration::MAX)) <= Duration::MAX);
    }
}
