//! A workflow as it is written down: in snapshots and in state files.
//!
//! Monotonic moments mean nothing to another process, so what is kept of a transition is the time
//! that it still takes.

use std::{borrow::Cow, sync::Arc, time::Duration};

use pipeline_proto::{Now, model::Status};
use serde::{Deserialize, Serialize};

use super::{
    Event, HISTORY, Members, Workflow,
    phase::{End, Moving, Phase},
};
use crate::date::{from_millis, to_millis};

/// Everything but what belongs to it: the part that changes all the time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredState {
    region: String,
    comment: String,
    created_ms: u64,
    updated_ms: u64,
    phase: StoredPhase,
    history: Vec<StoredEvent>,
    next_event: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredPhase {
    Ready,
    Starting(StoredMoving),
    Started {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ends_in_ms: Option<u64>,
    },
    Stopping(StoredMoving),
    Stopped,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredMoving {
    end: StoredEnd,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    fails: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredEnd {
    InMs(u64),
    AfterReads(u32),
    Never,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredEvent {
    number: u64,
    at_ms: u64,
    status: Status,
    what: Cow<'static, str>,
}

impl Workflow {
    /// What there is to write down at this moment, to which the workflow has been settled.
    pub(crate) fn stored_state(&self, now: Now) -> StoredState {
        let moving = |moving: Moving| StoredMoving {
            end: match moving.end {
                End::At(at) => StoredEnd::InMs(left(at, now)),
                End::AfterReads(reads) => StoredEnd::AfterReads(reads),
                End::Never => StoredEnd::Never,
            },
            fails: moving.fails,
        };
        StoredState {
            region: self.region.clone(),
            comment: self.comment.clone(),
            created_ms: to_millis(self.created),
            updated_ms: to_millis(self.updated),
            phase: match self.phase {
                Phase::Ready => StoredPhase::Ready,
                Phase::Starting(start) => StoredPhase::Starting(moving(start)),
                Phase::Started { ends } => StoredPhase::Started {
                    ends_in_ms: ends.map(|at| left(at, now)),
                },
                Phase::Stopping(stop) => StoredPhase::Stopping(moving(stop)),
                Phase::Stopped => StoredPhase::Stopped,
            },
            history: self
                .history
                .iter()
                .map(|event| StoredEvent {
                    number: event.number,
                    at_ms: to_millis(event.wall),
                    status: event.status.clone(),
                    what: event.what.clone(),
                })
                .collect(),
            next_event: self.events,
        }
    }

    /// A workflow that was written down, whose transitions go on from this moment.
    pub(crate) fn restored(state: &StoredState, members: Arc<Members>, now: Now) -> Self {
        let after = |millis: u64| now + Duration::from_millis(millis);
        let moving = |moving: &StoredMoving| Moving {
            end: match moving.end {
                StoredEnd::InMs(millis) => End::At(after(millis)),
                StoredEnd::AfterReads(reads) => End::AfterReads(reads),
                StoredEnd::Never => End::Never,
            },
            fails: moving.fails,
        };
        let surplus = state.history.len().saturating_sub(HISTORY);
        let events = state.history.iter().skip(surplus);
        Self {
            region: state.region.clone(),
            comment: state.comment.clone(),
            created: from_millis(state.created_ms),
            updated: from_millis(state.updated_ms),
            members,
            phase: match &state.phase {
                StoredPhase::Ready => Phase::Ready,
                StoredPhase::Starting(start) => Phase::Starting(moving(start)),
                StoredPhase::Started { ends_in_ms } => Phase::Started {
                    ends: ends_in_ms.map(after),
                },
                StoredPhase::Stopping(stop) => Phase::Stopping(moving(stop)),
                StoredPhase::Stopped => Phase::Stopped,
            },
            history: events
                .map(|event| Event {
                    number: event.number,
                    wall: from_millis(event.at_ms),
                    status: event.status.clone(),
                    what: event.what.clone(),
                })
                .collect(),
            events: state.next_event,
        }
    }
}

/// Rounded up, so that nothing ends early.
fn left(at: Now, now: Now) -> u64 {
    let nanos = at.since(now).as_nanos().div_ceil(1_000_000);
    u64::try_from(nanos).unwrap_or(u64::MAX)
}
