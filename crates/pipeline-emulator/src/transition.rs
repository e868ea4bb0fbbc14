use std::time::Duration;

/// How a workflow gets from `Starting` to `Started`, or from `Stopping` to `Stopped`.
///
/// The transition that is in force when a start or stop is accepted stays with that start or stop.
///
/// ```
/// use pipeline_emulator::{Emulator, Transition};
///
/// // A service on which a start never comes to an end, and a stop is done at once.
/// let emulator = Emulator::builder()
///     .start_transition(Transition::Stuck)
///     .stop_transition(Transition::Immediate)
///     .build();
/// # drop(emulator);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transition {
    /// The state in between is never seen.
    Immediate,
    /// Done after this time.
    After(Duration),
    /// The next so many reads of the workflow (by get, get status or list) still show the state in
    /// between; then it is done. For tests in which no time passes.
    AfterReads(u32),
    /// Never done.
    Stuck,
    /// Fails after this time: a start falls back to `Stopped`, a stop to `Started`.
    FallsBack(Duration),
}

impl Default for Transition {
    /// Long enough to be seen by whoever looks, short enough not to be waited for.
    fn default() -> Self {
        Self::After(Duration::from_millis(250))
    }
}
