use std::time::{Duration, Instant};

/// The longest single wait, after which whoever waits looks at the clock and goes on. Keeps every
/// duration within what sockets and threads can be told.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// A moment when something has to be over; or never, for a time-out that no clock can count to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    pub(crate) fn after(timeout: Duration) -> Self {
        Self(Instant::now().checked_add(timeout))
    }

    /// The earlier one of two.
    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0.into_iter().chain(other.0).min())
    }

    /// How long to wait for it at most; nothing if it has passed.
    pub(crate) fn left(self) -> Option<Duration> {
        let left = match self.0 {
            None => LONGEST_WAIT,
            Some(at) => at.saturating_duration_since(Instant::now()),
        };
        (!left.is_zero()).then(|| left.min(LONGEST_WAIT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_time_out_never_ends_and_the_smallest_has_ended() {
        let never = Deadline::after(Duration::MAX);
        assert_eq!(never.left(), Some(LONGEST_WAIT));
        let now = Deadline::after(Duration::ZERO);
        assert_eq!(now.left(), None);
        assert_eq!(never.or(now).left(), None);
        assert_eq!(now.or(never).left(), None);
        assert_eq!(never.or(never).left(), Some(LONGEST_WAIT));
    }
}
