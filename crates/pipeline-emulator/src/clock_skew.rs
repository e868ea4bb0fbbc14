use std::time::{Duration, SystemTime};

/// How far the service's clock is from that of the caller who drives it.
///
/// ```
/// use pipeline_emulator::{ClockSkew, Emulator};
/// use std::time::Duration;
///
/// // A service whose clock refuses every correctly dated request.
/// let emulator = Emulator::builder()
///     .clock_offset(ClockSkew::Ahead(Duration::from_secs(20 * 60)))
///     .build();
/// # drop(emulator);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockSkew {
    /// The service is ahead by this much.
    Ahead(Duration),
    /// The service is behind by this much.
    Behind(Duration),
}

impl ClockSkew {
    /// What the service's clock shows; stays within what the platform can express.
    pub(crate) fn apply(self, wall: SystemTime) -> SystemTime {
        let shifted = match self {
            Self::Ahead(by) => wall.checked_add(by),
            Self::Behind(by) => wall.checked_sub(by),
        };
        shifted.unwrap_or(wall)
    }
}

impl Default for ClockSkew {
    fn default() -> Self {
        Self::Ahead(Duration::ZERO)
    }
}

#[test]
fn a_clock_that_no_platform_has_shows_the_time_of_the_caller() {
    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    assert_eq!(ClockSkew::Ahead(Duration::MAX).apply(at(7)), at(7));
    assert_eq!(
        ClockSkew::Behind(Duration::from_secs(3)).apply(at(7)),
        at(4)
    );
}
