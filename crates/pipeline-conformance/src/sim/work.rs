//! What the clients of a run are told to do.

use std::time::Duration;

use pipeline_proto::{
    CallOptions, Context, Error, Idempotency, Now, Region, WorkflowName,
    resource::workflow::{
        CreateWorkflow, DeleteWorkflow, GetWorkflow, GetWorkflowStatus, ListWorkflows, PollBy,
        StartWorkflow, StopWorkflow, UpdateWorkflow,
    },
    wait::{Goal, WaitOptions},
};

use super::{
    graph::{Graph, Shape},
    machine::{Sent, start},
    model::REGIONS,
    rng::Rng,
};

const NAMES: [&str; 3] = ["alpha", "beta", "gamma"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Create,
    Update,
    List,
    Get,
    Status,
    Start,
    Stop,
    Delete,
}

impl Kind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::List => "list",
            Self::Get => "get",
            Self::Status => "status",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Delete => "delete",
        }
    }

    /// What a second sending could do; said here once more, and not asked of the client.
    pub(super) const fn idempotency(self) -> Idempotency {
        match self {
            Self::Create | Self::Start | Self::Stop => Idempotency::Never,
            Self::Update | Self::Delete => Idempotency::Idempotent,
            Self::List | Self::Get | Self::Status => Idempotency::Safe,
        }
    }

    pub(super) const fn is_write(self) -> bool {
        !matches!(self.idempotency(), Idempotency::Safe)
    }
}

/// What a request asks for, as its caller means it.
#[derive(Debug, Clone)]
pub(super) struct Intent {
    pub(super) kind: Kind,
    pub(super) name: &'static str,
    pub(super) region: &'static str,
    pub(super) comment: Option<u64>,
    pub(super) graph: Option<Graph>,
    /// The account that `X-Resource-Owner` names.
    pub(super) owner: Option<&'static str>,
    /// For a look of a waiter, by which operation it looks.
    pub(super) look: Option<PollBy>,
}

/// One thing to do.
#[derive(Debug, Clone)]
pub(super) enum Task {
    Call(Intent),
    /// Wait for a goal, and bring the workflow there if `ensure`.
    Wait {
        name: &'static str,
        owner: Option<&'static str>,
        goal: Goal,
        ensure: bool,
        patience: Patience,
    },
}

/// The options of a wait, as numbers that can be checked against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    pub(super) timeout: Duration,
    pub(super) interval: Duration,
    pub(super) max_interval: Duration,
    pub(super) settled_reads: u32,
    pub(super) look: PollBy,
}

impl Patience {
    fn draw(rng: &mut Rng) -> Self {
        let timeout = rng.magnitude(Duration::from_secs(300));
        let least = Duration::from_millis(1);
        Self {
            timeout,
            interval: least
                .max(timeout / 60)
                .max(rng.magnitude(Duration::from_secs(3))),
            max_interval: least
                .max(timeout / 30)
                .max(rng.magnitude(Duration::from_secs(20))),
            settled_reads: u32::from(rng.small(4)),
            look: *rng.pick(&[PollBy::Status, PollBy::Get]),
        }
    }

    pub(super) fn options(self) -> WaitOptions {
        WaitOptions::default()
            .timeout(self.timeout)
            .interval(self.interval)
            .max_interval(self.max_interval)
            .settled_reads(self.settled_reads)
            .poll_by(self.look)
    }
}

impl Task {
    /// Something to do about one of the first `names` workflows. A hand's first things are mostly
    /// such that there is something to do something about.
    pub(super) fn draw(rng: &mut Rng, number: u8, names: u64, accounts: &[&'static str]) -> Self {
        let name = NAMES[usize::try_from(rng.below(names)).unwrap_or(0)];
        let owner = match rng.below(100) {
            0..93 => None,
            93..98 => Some(*rng.pick(accounts)),
            _ => Some("nobody"),
        };
        let early = rng.chance(600).then_some(number);
        let kind = match (early, rng.below(100)) {
            (Some(0), _) | (_, 0..8) => Kind::Create,
            (Some(1), _) | (_, 8..20) => Kind::Update,
            (_, 20..24) => Kind::List,
            (_, 24..30) => Kind::Get,
            (_, 30..36) => Kind::Status,
            (Some(2), _) | (_, 36..54) => Kind::Start,
            (_, 54..66) => Kind::Stop,
            (_, 66..70) => Kind::Delete,
            (_, wait) => {
                let goals = [Goal::Started, Goal::Started, Goal::Stopped, Goal::Deleted];
                return Self::Wait {
                    name,
                    owner,
                    goal: *rng.pick(&goals),
                    ensure: wait >= 78,
                    patience: Patience::draw(rng),
                };
            }
        };
        let region = match rng.below(20) {
            0..17 => REGIONS[0],
            17..19 => REGIONS[1],
            _ => "moon",
        };
        Self::Call(Intent {
            name: if kind == Kind::List { "" } else { name },
            region,
            comment: rng.chance(500).then(|| rng.next()),
            graph: (kind == Kind::Update)
                .then(|| Graph::new(*rng.pick(Shape::DRAWN), rng.below(1_000_000))),
            owner,
            look: None,
            kind,
        })
    }
}

impl Intent {
    /// A call of a waiter.
    pub(super) fn of_wait(
        kind: Kind,
        name: &'static str,
        owner: Option<&'static str>,
        look: Option<PollBy>,
    ) -> Self {
        Self {
            kind,
            name,
            region: REGIONS[0],
            comment: None,
            graph: None,
            owner,
            look,
        }
    }

    /// Makes the call and its first attempt.
    pub(super) fn begin(
        &self,
        context: &Context,
        options: CallOptions,
        now: Now,
    ) -> Result<Sent, Error> {
        // A list has none.
        let name = || workflow(self.name);
        if let Some(by) = self.look {
            return start(context, GetWorkflowStatus::new(name()).by(by), options, now);
        }
        let region = Region::from_static(self.region);
        match self.kind {
            Kind::Create => {
                let mut create = CreateWorkflow::new(name()).region(region);
                create.comment = self.comment.map(comment);
                start(context, create, options, now)
            }
            Kind::Update => {
                let graph = self.graph.as_ref();
                let nodes = graph.map(|graph| (*graph.nodes).clone());
                let update = UpdateWorkflow::new(name(), nodes.unwrap_or_default()).region(region);
                start(context, update, options, now)
            }
            Kind::List => start(context, ListWorkflows::new(), options, now),
            Kind::Get => start(context, GetWorkflow::new(name()), options, now),
            Kind::Status => start(context, GetWorkflowStatus::new(name()), options, now),
            Kind::Start => start(context, StartWorkflow::new(name()), options, now),
            Kind::Stop => start(context, StopWorkflow::new(name()), options, now),
            Kind::Delete => start(context, DeleteWorkflow::new(name()), options, now),
        }
    }
}

pub(super) fn workflow(name: &'static str) -> WorkflowName {
    WorkflowName::from_static(name)
}

/// The text of a comment, with what JSON has to escape in it.
pub(super) fn comment(number: u64) -> String {
    format!("\"{number}\"\n日志")
}
