use std::{fmt, time::Duration};

use super::options::Goal;
use crate::{error::Error, model::Status};

/// Why a wait did not end as wanted.
#[derive(Debug, Clone)]
pub struct WaitError {
    pub(super) watched: String,
    pub(super) goal: Goal,
    pub(super) polls: u32,
    pub(super) elapsed: Duration,
    pub(super) status: Option<Status>,
    pub(super) failure: WaitFailure,
}

/// What a wait ended with.
///
/// ```
/// use pipeline_proto::wait::{WaitError, WaitFailure};
///
/// fn advice(error: &WaitError) -> String {
///     match error.failure() {
///         WaitFailure::TimedOut(_) => "wait longer".into(),
///         WaitFailure::Settled(status) => format!("somebody has to act: it is {status}"),
///         WaitFailure::NotFound(_) => format!("there is no workflow {}", error.name()),
///         _ => error.to_string(),
///     }
/// }
/// # let _: fn(&WaitError) -> String = advice;
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum WaitFailure {
    /// The time was up. The error of the last look, if that failed.
    TimedOut(Option<Error>),
    /// It is in a settled state from which the wanted one will not come by itself.
    Settled(Status),
    /// It does not exist.
    NotFound(Error),
    /// A look, a start or a stop failed in a way that waiting does not mend.
    Failed(Error),
}

impl WaitError {
    /// A wait that did not begin, because what is to be waited for cannot be named.
    #[doc(hidden)]
    pub fn unnamed(goal: Goal, error: Error) -> Self {
        Self {
            watched: String::new(),
            goal,
            polls: 0,
            elapsed: Duration::ZERO,
            status: None,
            failure: WaitFailure::Failed(error),
        }
    }

    /// The name of what was waited for; empty if it was not a legal one.
    pub fn name(&self) -> &str {
        &self.watched
    }

    /// What it should have become.
    pub fn goal(&self) -> Goal {
        self.goal
    }

    /// How often was looked.
    pub fn polls(&self) -> u32 {
        self.polls
    }

    /// How long was waited.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// The last status seen.
    pub fn status(&self) -> Option<&Status> {
        self.status.as_ref()
    }

    /// What the wait ended with.
    pub fn failure(&self) -> &WaitFailure {
        &self.failure
    }

    /// The error of a call, if that was the end.
    pub fn error(&self) -> Option<&Error> {
        match &self.failure {
            WaitFailure::TimedOut(error) => error.as_ref(),
            WaitFailure::NotFound(error) | WaitFailure::Failed(error) => Some(error),
            WaitFailure::Settled(_) => None,
        }
    }
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            watched: name,
            goal,
            polls,
            elapsed,
            ..
        } = self;
        let seconds = elapsed.as_secs();
        match &self.failure {
            WaitFailure::TimedOut(error) => {
                write!(
                    f,
                    "{name} is not {goal} after {seconds} s and {polls} looks"
                )?;
                match (error, &self.status) {
                    (Some(error), _) => write!(f, "; the last look failed: {error}"),
                    (None, Some(status)) => write!(f, "; its status is {status}"),
                    (None, None) => Ok(()),
                }
            }
            WaitFailure::Settled(status) => {
                write!(
                    f,
                    "{name} will not be {goal} by itself: its status is {status}"
                )
            }
            WaitFailure::NotFound(error) | WaitFailure::Failed(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for WaitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // The call's error stands in the line above already; what is below it is the source.
        self.error().and_then(std::error::Error::source)
    }
}
