//! The states of a workflow, and what takes it from one to the next.

use std::time::Duration;

use pipeline_proto::{Now, model::Status};
use serde::{Deserialize, Serialize};

use crate::transition::Transition;

/// Where a workflow is in its life, with moments in time: as it is written down, the milliseconds until then.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Phase<At = Now> {
    Ready,
    Starting(Moving<At>),
    /// A manual workflow has an end.
    Started {
        #[serde(rename = "ends_in_ms", skip_serializing_if = "Option::is_none")]
        ends: Option<At>,
    },
    Stopping(Moving<At>),
    Stopped,
}

/// A start or a stop under way.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Moving<At = Now> {
    end: End<At>,
    /// Whether it ends where it came from.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    fails: bool,
}

/// What a start or a stop waits for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum End<At> {
    #[serde(rename = "in_ms")]
    At(At),
    /// So many reads still show the state in between.
    AfterReads(u32),
    Never,
}

impl<At> Phase<At> {
    /// The same with its moments in other terms.
    pub(super) fn map<To>(self, at: impl Fn(At) -> To) -> Phase<To> {
        let moving = |Moving { end, fails }: Moving<At>| Moving {
            end: match end {
                End::At(end) => End::At(at(end)),
                End::AfterReads(reads) => End::AfterReads(reads),
                End::Never => End::Never,
            },
            fails,
        };
        match self {
            Self::Ready => Phase::Ready,
            Self::Starting(start) => Phase::Starting(moving(start)),
            Self::Started { ends } => Phase::Started {
                ends: ends.map(&at),
            },
            Self::Stopping(stop) => Phase::Stopping(moving(stop)),
            Self::Stopped => Phase::Stopped,
        }
    }
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
