//! A workflow as it is written down: in snapshots and in state files.
//!
//! Monotonic moments mean nothing to another process, so what is kept of a transition is the time
//! that it still takes.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use pipeline_proto::Now;
use serde::{Deserialize, Serialize};

use super::{Event, HISTORY, Members, Workflow, phase::Phase};
use crate::date::{from_millis, to_millis};

/// Everything but what belongs to it: the part that changes all the time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredState {
    region: String,
    comment: String,
    created_ms: u64,
    updated_ms: u64,
    phase: Phase<u64>,
    history: VecDeque<Event>,
    next_event: u64,
}

impl Workflow {
    /// What there is to write down at this moment, to which the workflow has been settled.
    pub(crate) fn stored_state(&self, now: Now) -> StoredState {
        StoredState {
            region: self.region.clone(),
            comment: self.comment.clone(),
            created_ms: to_millis(self.created),
            updated_ms: to_millis(self.updated),
            phase: self.phase.map(|at| left(at, now)),
            history: self.history.clone(),
            next_event: self.events,
        }
    }

    /// A workflow that was written down, whose transitions go on from this moment.
    pub(crate) fn restored(state: StoredState, members: Arc<Members>, now: Now) -> Self {
        let mut history = state.history;
        let surplus = history.len().saturating_sub(HISTORY);
        history.drain(..surplus);
        Self {
            region: state.region,
            comment: state.comment,
            created: from_millis(state.created_ms),
            updated: from_millis(state.updated_ms),
            members,
            phase: state
                .phase
                .map(|millis| now + Duration::from_millis(millis)),
            history,
            events: state.next_event,
        }
    }
}

/// Rounded up, so that nothing ends early.
fn left(at: Now, now: Now) -> u64 {
    let nanos = at.since(now).as_nanos().div_ceil(1_000_000);
    u64::try_from(nanos).unwrap_or(u64::MAX)
}

/// Moments of the wall in milliseconds.
pub(super) mod wall {
    use std::time::SystemTime;

    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::date::{from_millis, to_millis};

    pub(crate) fn serialize<S: Serializer>(at: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(to_millis(*at))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SystemTime, D::Error> {
        u64::deserialize(from).map(from_millis)
    }
}
