//! The service as a table of states: the reference that every handled request is held against.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use pipeline_emulator::Transition;
use pipeline_proto::model::Nodes;

use super::{
    graph::Graph,
    work::{Intent, Kind},
};

/// How long a workflow of manual jobs runs before it ends by itself.
pub(super) const MANUAL_RUN: Duration = Duration::from_secs(30);

pub(super) const REGIONS: [&str; 2] = ["nb", "jjh"];

/// What the service must answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expected {
    pub(super) status: u16,
    pub(super) code: Option<u32>,
    /// Whether it changed something.
    pub(super) effect: bool,
    /// What a read shows.
    pub(super) shown: Vec<View>,
}

/// A workflow as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct View {
    pub(super) name: &'static str,
    pub(super) region: &'static str,
    pub(super) comment: Option<u64>,
    pub(super) status: &'static str,
    pub(super) can_start: bool,
    pub(super) manual: bool,
    pub(super) nodes: Arc<Nodes>,
}

#[derive(Debug, Clone)]
struct Workflow {
    region: &'static str,
    comment: Option<u64>,
    graph: Option<Graph>,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Ready,
    Starting(Change),
    Started { until: Option<Duration> },
    Stopping(Change),
    Stopped,
}

#[derive(Debug, Clone, Copy)]
struct Change {
    since: Duration,
    how: Transition,
    seen: u32,
}

impl Change {
    /// When it was over and whether it went well, if it is over.
    fn over(self, now: Duration) -> Option<(Duration, bool)> {
        match self.how {
            Transition::Immediate => Some((self.since, true)),
            Transition::After(time) if now >= self.since + time => Some((self.since + time, true)),
            Transition::FallsBack(time) if now >= self.since + time => {
                Some((self.since + time, false))
            }
            Transition::AfterReads(reads) if self.seen >= reads => Some((now, true)),
            _ => None,
        }
    }
}

impl Workflow {
    fn settle(&mut self, now: Duration) {
        let runs = self.is_manual();
        let started = |at| State::Started {
            until: runs.then_some(at + MANUAL_RUN),
        };
        if let State::Starting(change) = self.state
            && let Some((at, well)) = change.over(now)
        {
            self.state = if well { started(at) } else { State::Stopped };
        }
        if let State::Stopping(change) = self.state
            && let Some((at, well)) = change.over(now)
        {
            self.state = if well { State::Stopped } else { started(at) };
        }
        if let State::Started { until: Some(end) } = self.state
            && now >= end
        {
            self.state = State::Stopped;
        }
    }

    /// What a read shows, and that somebody has seen it.
    fn look(&mut self, name: &'static str, now: Duration) -> View {
        self.settle(now);
        let view = self.view(name);
        if let State::Starting(change) | State::Stopping(change) = &mut self.state {
            change.seen += 1;
        }
        view
    }

    fn status(&self) -> &'static str {
        match self.state {
            State::Ready => "Ready",
            State::Starting(_) => "Starting",
            State::Started { .. } => "Started",
            State::Stopping(_) => "Stopping",
            State::Stopped => "Stopped",
        }
    }

    fn is_idle(&self) -> bool {
        matches!(self.state, State::Ready | State::Stopped)
    }

    fn can_start(&self) -> bool {
        let graph = self.graph.as_ref();
        graph.is_some_and(|graph| graph.shape.can_start())
    }

    fn is_manual(&self) -> bool {
        let graph = self.graph.as_ref();
        graph.is_some_and(|graph| graph.shape == super::graph::Shape::Manual)
    }

    fn view(&self, name: &'static str) -> View {
        let graph = self.graph.as_ref();
        View {
            name,
            region: self.region,
            comment: self.comment,
            status: self.status(),
            can_start: self.can_start(),
            manual: self.is_manual(),
            nodes: graph
                .map(|graph| Arc::clone(&graph.nodes))
                .unwrap_or_default(),
        }
    }
}

/// All workflows of all accounts.
#[derive(Debug)]
pub(super) struct Model {
    workflows: BTreeMap<(&'static str, &'static str), Workflow>,
    accounts: Vec<&'static str>,
    pub(super) start: Transition,
    pub(super) stop: Transition,
}

impl Model {
    pub(super) fn new(accounts: Vec<&'static str>, start: Transition, stop: Transition) -> Self {
        Self {
            workflows: BTreeMap::new(),
            accounts,
            start,
            stop,
        }
    }

    /// Does what a caller asks for, who has been recognised, and says what the answer is.
    pub(super) fn apply(
        &mut self,
        intent: &Intent,
        caller: &'static str,
        now: Duration,
    ) -> Expected {
        let account = intent.owner.unwrap_or(caller);
        if !self.accounts.contains(&account) {
            return refused(404, 18664);
        }
        let key = (account, intent.name);
        if intent.kind == Kind::List {
            let all = self.workflows.iter_mut();
            let mine = all.filter(|((owner, _), _)| *owner == account);
            let shown = mine.map(|((_, name), workflow)| workflow.look(name, now));
            return showed(shown.collect());
        }
        if matches!(intent.kind, Kind::Create | Kind::Update) && !REGIONS.contains(&intent.region) {
            return refused(400, 18642);
        }
        let (start, stop) = (self.start, self.stop);
        let Some(workflow) = self.workflows.get_mut(&key) else {
            if intent.kind != Kind::Create {
                return refused(404, 18641);
            }
            let workflow = Workflow {
                region: intent.region,
                comment: intent.comment,
                graph: None,
                state: State::Ready,
            };
            self.workflows.insert(key, workflow);
            return done();
        };
        match intent.kind {
            Kind::Create => refused(409, 18640),
            Kind::Delete => {
                self.workflows.remove(&key);
                done()
            }
            Kind::Get | Kind::Status => showed(vec![workflow.look(intent.name, now)]),
            Kind::Update => {
                workflow.settle(now);
                let refusal = intent
                    .graph
                    .as_ref()
                    .and_then(|graph| graph.shape.refusal());
                if workflow.region != intent.region {
                    refused(400, 18642)
                } else if !workflow.is_idle() {
                    refused(400, 18643)
                } else if let Some(code) = refusal {
                    refused(400, code)
                } else {
                    workflow.graph.clone_from(&intent.graph);
                    done()
                }
            }
            Kind::Start => {
                workflow.settle(now);
                if !workflow.is_idle() {
                    refused(400, 18644)
                } else if !workflow.can_start() {
                    refused(400, 18650)
                } else {
                    workflow.state = State::Starting(change(start, now));
                    done()
                }
            }
            Kind::Stop => {
                workflow.settle(now);
                if !matches!(workflow.state, State::Started { .. }) {
                    return refused(400, 18645);
                }
                workflow.state = State::Stopping(change(stop, now));
                done()
            }
            Kind::List => unreachable!("answered above"),
        }
    }
}

fn change(how: Transition, since: Duration) -> Change {
    Change {
        since,
        how,
        seen: 0,
    }
}

fn refused(status: u16, code: u32) -> Expected {
    Expected {
        status,
        code: Some(code),
        effect: false,
        shown: Vec::new(),
    }
}

fn done() -> Expected {
    Expected {
        status: 200,
        code: None,
        effect: true,
        shown: Vec::new(),
    }
}

fn showed(shown: Vec<View>) -> Expected {
    Expected {
        status: 200,
        code: None,
        effect: false,
        shown,
    }
}
