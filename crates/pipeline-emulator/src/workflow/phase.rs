//! The states of a workflow, and what takes it from one to the next.

use std::time::Duration;

use pipeline_proto::{Now, model::Status};

use crate::transition::Transition;

/// Where a workflow is in its life.
#[derive(Debug, Clone, Copy)]
pub(super) enum Phase {
    Ready,
    Starting(Moving),
    /// A manual workflow has an end.
    Started {
        ends: Option<Now>,
    },
    Stopping(Moving),
    Stopped,
}

/// A start or a stop under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moving {
    pub(super) end: End,
    /// Whether it ends where it came from.
    pub(super) fails: bool,
}

/// What a start or a stop waits for.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    At(Now),
    /// So many reads still show the state in between.
    AfterReads(u32),
    Never,
}

impl Moving {
    pub(super) fn new(how: Transition, now: Now) -> Self {
        let (end, fails) = match how {
            Transition::Immediate => (End::At(now), false),
            Transition::After(after) => (End::At(now + after), false),
            Transition::AfterReads(reads) => (End::AfterReads(reads), false),
            Transition::Stuck => (End::Never, false),
            Transition::FallsBack(after) => (End::At(now + after), true),
        };
        Self { end, fails }
    }

    /// When it ended, if that is at or before `now`.
    fn ended(self, now: Now) -> Option<Now> {
        match self.end {
            End::At(at) => (now.mono >= at.mono).then_some(at),
            End::AfterReads(0) => Some(now),
            End::AfterReads(_) | End::Never => None,
        }
    }
}

impl Phase {
    pub(super) fn status(self) -> Status {
        match self {
            Self::Ready => Status::Ready,
            Self::Starting(_) => Status::Starting,
            Self::Started { .. } => Status::Started,
            Self::Stopping(_) => Status::Stopping,
            Self::Stopped => Status::Stopped,
        }
    }

    /// The next phase that time or reads have brought about, since when, and in what words. A manual run ends
    /// after its time.
    pub(super) fn due(
        self,
        now: Now,
        manual_run: impl FnOnce() -> Option<Duration>,
    ) -> Option<(Now, Self, &'static str)> {
        let started = |at: Now| Self::Started {
            ends: manual_run().map(|run| at + run),
        };
        Some(match self {
            Self::Starting(moving) => {
                let at = moving.ended(now)?;
                if moving.fails {
                    (at, Self::Stopped, "the start failed")
                } else {
                    (at, started(at), "started")
                }
            }
            Self::Stopping(moving) => {
                let at = moving.ended(now)?;
                if moving.fails {
                    // A manual run that could not be stopped goes on from here.
                    (at, started(at), "the stop failed")
                } else {
                    (at, Self::Stopped, "stopped")
                }
            }
            Self::Started { ends: Some(end) } if now.mono >= end.mono => {
                (end, Self::Stopped, "the manual run came to its end")
            }
            Self::Ready | Self::Started { .. } | Self::Stopped => return None,
        })
    }

    /// Whether it matters that a caller has been shown the present status.
    pub(super) fn counts_reads(self) -> bool {
        match self {
            Self::Starting(moving) | Self::Stopping(moving) => {
                matches!(moving.end, End::AfterReads(1..))
            }
            _ => false,
        }
    }

    /// Tells the state machine that a caller has been shown the present status.
    pub(super) fn was_read(&mut self) {
        if let Self::Starting(moving) | Self::Stopping(moving) = self
            && let End::AfterReads(left @ 1..) = &mut moving.end
        {
            *left -= 1;
        }
    }

    /// Whether time alone will change the state.
    #[cfg(feature = "server")]
    pub(super) fn is_under_way(self) -> bool {
        match self {
            Self::Starting(moving) | Self::Stopping(moving) => matches!(moving.end, End::At(_)),
            Self::Started { ends } => ends.is_some(),
            Self::Ready | Self::Stopped => false,
        }
    }
}
