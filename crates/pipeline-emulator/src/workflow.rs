//! One workflow: which resources belong to it, its state and its history.

mod phase;
mod stored;

pub(crate) use stored::StoredState;

use std::{
    borrow::Cow,
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, SystemTime},
};

use pipeline_proto::{
    Now,
    model::{NodeId, Status},
};
use serde::{Deserialize, Serialize};

use crate::{
    date::{from_millis, to_millis},
    id::Id,
    transition::Transition,
};
use phase::{Moving, Phase};

/// How many events of a workflow are kept.
const HISTORY: usize = 100;

/// Something that happened to a workflow, in the words of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Event {
    /// Counts up, so that nodes added later do not inherit what happened before.
    pub(crate) number: u64,
    #[serde(rename = "at_ms", with = "stored::wall")]
    pub(crate) wall: SystemTime,
    pub(crate) status: Status,
    pub(crate) what: Cow<'static, str>,
}

/// Times inside are those of the driver; the offset of the service's clock is added when they are
/// shown. No timer runs: the state is brought up to date whenever somebody looks.
#[derive(Debug, Clone)]
pub(crate) struct Workflow {
    pub(crate) region: String,
    pub(crate) comment: String,
    pub(crate) created: SystemTime,
    pub(crate) updated: SystemTime,
    /// Shared by the copies of a workflow for as long as only its state changes.
    members: Arc<Members>,
    phase: Phase,
    history: VecDeque<Event>,
    events: u64,
}

/// What belongs to a workflow, by the keys that it has there as nodes.
pub(crate) type Members = BTreeMap<NodeId, Member>;

/// A resource that belongs to a workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Member {
    pub(crate) id: Id,
    /// The first event that it has seen.
    since: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) runs: Option<Runs>,
}

/// What makes a node run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Runs {
    ByItself,
    ByHand,
}

impl Workflow {
    pub(crate) fn new(region: String, comment: String, now: Now) -> Self {
        let mut workflow = Self {
            region,
            comment,
            created: now.wall,
            updated: now.wall,
            members: Arc::default(),
            phase: Phase::Ready,
            history: VecDeque::new(),
            events: 0,
        };
        workflow.note(now, "the workflow was created");
        workflow
    }

    /// What belongs to it. The copy costs nothing.
    pub(crate) fn members(&self) -> Arc<Members> {
        self.members.clone()
    }

    pub(crate) fn can_start(&self) -> bool {
        let types = self.members.values().map(|member| member.id.node_type());
        types.into_iter().any(|it| it.makes_startable())
    }

    /// Scheduled and manual jobs cannot share a workflow, so that one job tells what the workflow is.
    pub(crate) fn is_manual(&self) -> bool {
        let mut members = self.members.values();
        members.any(|member| member.runs == Some(Runs::ByHand))
    }

    pub(crate) fn status(&self) -> Status {
        self.phase.status()
    }

    /// Whether two workflows have the same members, as copies of one have until these change.
    #[cfg(feature = "server")]
    pub(crate) fn shares_members(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.members, &other.members)
    }

    /// Whether [`settle`](Self::settle) would change something.
    pub(crate) fn is_due(&self, now: Now, manual_run: Duration) -> bool {
        self.due(now, manual_run).is_some()
    }

    /// Brings the state up to date. A manual workflow ends a `manual_run` after it has started.
    pub(crate) fn settle(&mut self, now: Now, manual_run: Duration) {
        while let Some((at, phase, what)) = self.due(now, manual_run) {
            self.phase = phase;
            self.note(at, what);
        }
    }

    /// The next change that time or reads have brought about.
    fn due(&self, now: Now, manual_run: Duration) -> Option<(Now, Phase, &'static str)> {
        let run = || self.is_manual().then_some(manual_run);
        self.phase.due(now, run)
    }

    /// Whether it matters that a caller has been shown the present status.
    pub(crate) fn counts_reads(&self) -> bool {
        self.phase.counts_reads()
    }

    /// Tells the state machine that a caller has been shown the present status.
    pub(crate) fn was_read(&mut self) {
        self.phase.was_read();
    }

    /// Whether time alone will change the state.
    #[cfg(feature = "server")]
    pub(crate) fn is_under_way(&self) -> bool {
        self.phase.is_under_way()
    }

    /// Whoever calls this has made sure that the workflow may start.
    pub(crate) fn start(&mut self, how: Transition, now: Now) {
        self.phase = Phase::Starting(Moving::new(how, now));
        self.note(now, "a start was asked for");
    }

    /// Whoever calls this has made sure that the workflow may stop.
    pub(crate) fn stop(&mut self, how: Transition, now: Now) {
        self.phase = Phase::Stopping(Moving::new(how, now));
        self.note(now, "a stop was asked for");
    }

    /// Takes a whole graph, which has been checked, in the place of what belonged to it.
    pub(crate) fn replace(&mut self, all: impl IntoIterator<Item = (Id, Option<Runs>)>, now: Now) {
        let members = all.into_iter().map(|(id, runs)| self.member(id, runs));
        self.members = Arc::new(members.collect());
        self.changed(now, "the nodes were replaced");
    }

    /// Takes one that is new or has changed.
    pub(crate) fn join(&mut self, id: Id, runs: Option<Runs>, now: Now) {
        let (node, member) = self.member(id, runs);
        let what = if self.members.contains_key(&node) {
            "a node was changed"
        } else {
            "a node was added"
        };
        Arc::make_mut(&mut self.members).insert(node, member);
        self.changed(now, what);
    }

    /// Gives one up.
    pub(crate) fn leave(&mut self, id: &Id, now: Now) {
        Arc::make_mut(&mut self.members).remove(&id.node_id());
        self.changed(now, "a node was removed");
    }

    pub(crate) fn changed(&mut self, now: Now, what: &'static str) {
        self.updated = now.wall;
        self.note(now, what);
    }

    fn member(&self, id: Id, runs: Option<Runs>) -> (NodeId, Member) {
        let node = id.node_id();
        let since = self.members.get(&node).map_or(self.events, |it| it.since);
        (node, Member { id, since, runs })
    }

    /// What a node has seen, the latest first.
    pub(crate) fn history_of(&self, node: &NodeId) -> impl Iterator<Item = &Event> {
        let since = self.members.get(node).map_or(u64::MAX, |it| it.since);
        self.history
            .iter()
            .rev()
            .take_while(move |event| event.number >= since)
    }

    /// From when to when it was started, as far back as is known; the last time may go on.
    pub(crate) fn started(&self) -> Vec<(SystemTime, Option<SystemTime>)> {
        let mut times: Vec<(SystemTime, Option<SystemTime>)> = Vec::new();
        for event in &self.history {
            match (&event.status, times.last_mut()) {
                // A stop that failed.
                (Status::Started, Some((_, None))) => {}
                (Status::Started, _) => times.push((event.wall, None)),
                (Status::Stopped, Some((_, end @ None))) => *end = Some(event.wall),
                _ => {}
            }
        }
        times
    }

    fn note(&mut self, at: Now, what: &'static str) {
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(Event {
            number: self.events,
            // No finer than it is written down, so that it is the same when it is read.
            wall: from_millis(to_millis(at.wall)),
            status: self.status(),
            what: Cow::Borrowed(what),
        });
        self.events = self.events.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Kind;

    const RUN: Duration = Duration::from_secs(10);

    fn at(seconds: u64) -> Now {
        Now::new(SystemTime::UNIX_EPOCH, Duration::ZERO) + Duration::from_secs(seconds)
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn workflow() -> Workflow {
        Workflow::new("nb".into(), String::new(), at(0))
    }

    fn status(workflow: &mut Workflow, second: u64) -> Status {
        workflow.settle(at(second), RUN);
        workflow.status()
    }

    #[test]
    fn a_transition_takes_its_time_to_the_second() {
        let mut workflow = workflow();
        assert_eq!(workflow.status(), Status::Ready);
        workflow.start(Transition::After(seconds(5)), at(10));
        assert_eq!(status(&mut workflow, 14), Status::Starting);
        assert_eq!(status(&mut workflow, 15), Status::Started);
        workflow.stop(Transition::After(seconds(1)), at(20));
        assert_eq!(status(&mut workflow, 20), Status::Stopping);
        assert_eq!(status(&mut workflow, 1_000), Status::Stopped);
    }

    #[test]
    fn an_immediate_transition_is_never_seen() {
        let mut workflow = workflow();
        workflow.start(Transition::Immediate, at(1));
        assert_eq!(status(&mut workflow, 1), Status::Started);
    }

    #[test]
    fn a_transition_may_wait_for_reads_only() {
        let mut workflow = workflow();
        workflow.start(Transition::AfterReads(2), at(1));
        for _ in 0..2 {
            assert_eq!(status(&mut workflow, 9_999), Status::Starting);
            workflow.was_read();
        }
        assert_eq!(status(&mut workflow, 1), Status::Started);
    }

    #[test]
    fn a_transition_may_be_stuck_or_fall_back() {
        let mut workflow = workflow();
        workflow.start(Transition::Stuck, at(0));
        assert_eq!(status(&mut workflow, u64::from(u32::MAX)), Status::Starting);
        workflow.start(Transition::FallsBack(seconds(3)), at(0));
        assert_eq!(status(&mut workflow, 2), Status::Starting);
        assert_eq!(status(&mut workflow, 3), Status::Stopped);
        workflow.start(Transition::Immediate, at(4));
        assert_eq!(status(&mut workflow, 4), Status::Started);
        workflow.stop(Transition::FallsBack(seconds(3)), at(5));
        assert_eq!(status(&mut workflow, 8), Status::Started);
    }

    #[test]
    fn a_manual_workflow_runs_once_and_stops_by_itself() {
        let mut workflow = workflow();
        let job = Id::new(Kind::Job, "j");
        workflow.replace([(job, Some(Runs::ByHand))], at(1));
        assert!(workflow.is_manual());
        workflow.start(Transition::After(seconds(5)), at(10));
        assert_eq!(status(&mut workflow, 24), Status::Started);
        assert_eq!(status(&mut workflow, 25), Status::Stopped);
        // Nobody has to look in between, and the log tells the times at which things happened.
        workflow.start(Transition::After(seconds(5)), at(30));
        assert_eq!(status(&mut workflow, 100), Status::Stopped);
        let walls: Vec<_> = workflow
            .history_of(&NodeId::from("j-job"))
            .map(|event| {
                event
                    .wall
                    .duration_since(SystemTime::UNIX_EPOCH)
                    .unwrap()
                    .as_secs()
            })
            .collect();
        assert_eq!(walls, [45, 35, 30, 25, 15, 10, 1]);
    }

    #[test]
    fn a_node_has_seen_only_what_came_after_it() {
        let mut workflow = workflow();
        let node = |name: &str| (Id::new(Kind::Repo, name), None);
        workflow.replace([node("a")], at(1));
        workflow.start(Transition::Immediate, at(2));
        workflow.settle(at(2), RUN);
        workflow.stop(Transition::Immediate, at(3));
        workflow.settle(at(3), RUN);
        workflow.replace([node("a"), node("b")], at(4));
        let seen = |id: &str| workflow.history_of(&NodeId::from(id)).count();
        assert_eq!((seen("a-repo"), seen("b-repo"), seen("c-repo")), (6, 1, 0));
    }

    #[test]
    fn the_history_is_bounded() {
        let mut workflow = workflow();
        for second in 0..HISTORY as u64 {
            workflow.start(Transition::Immediate, at(second));
            workflow.settle(at(second), RUN);
        }
        assert_eq!(workflow.history.len(), HISTORY);
    }
}
