//! What the clients of a run are told to do.

use std::{str::FromStr, time::Duration};

use pipeline_proto::{
    CallOptions, Context, Error, Idempotency, Now, Region, WorkflowName,
    resource::{
        export, repo, transform,
        workflow::{self as of, PollBy},
    },
    wait::{Goal, WaitOptions},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    machine::{Sent, start},
    rng::Rng,
};
use crate::model::{self, Graph, REGIONS, Request};

const NAMES: [&str; 3] = ["alpha", "beta", "gamma"];

/// Graphs, the more useful ones more often.
const GRAPHS: &[(u64, Graph)] = &[
    (5, Graph::Export),
    (5, Graph::Transform),
    (3, Graph::Manual),
    (1, Graph::Queue),
    (1, Graph::Empty),
    (1, Graph::Dangling),
    (1, Graph::Cycle),
    (1, Graph::Mixed),
    (1, Graph::IllegalName),
];

/// What a call asks for, as its caller means it.
#[derive(Debug, Clone)]
pub(super) struct Intent {
    pub(super) request: Request,
    /// The account that `X-Resource-Owner` names.
    pub(super) owner: Option<&'static str>,
    /// For a look of a waiter, by which operation it looks.
    pub(super) look: Option<PollBy>,
}

/// What a run is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subjects {
    /// So many workflows.
    pub(super) workflows: u64,
    /// How many of a thousand things are done to repos and what hangs on them.
    pub(super) related: u16,
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
    /// A hand's first things are mostly such that there is something to do something about.
    pub(super) fn draw(
        rng: &mut Rng,
        number: u8,
        subjects: Subjects,
        accounts: &[&'static str],
    ) -> Self {
        let name = NAMES[usize::try_from(rng.below(subjects.workflows)).unwrap_or(0)];
        let owner = match rng.below(100) {
            0..93 => None,
            93..98 => Some(*rng.pick(accounts)),
            _ => Some("nobody"),
        };
        let early = rng.chance(600).then_some(number);
        if rng.chance(subjects.related) {
            return Self::Call(Intent {
                request: related(rng, early),
                owner,
                look: None,
            });
        }
        let operation = match (early, rng.below(100)) {
            (Some(0), _) | (_, 0..8) => "create_workflow",
            (Some(1), _) | (_, 8..20) => "update_workflow",
            (_, 20..24) => "list_workflows",
            (_, 24..30) => "get_workflow",
            (_, 30..36) => "get_workflow_status",
            (Some(2), _) | (_, 36..54) => "start_workflow",
            (_, 54..66) => "stop_workflow",
            (_, 66..70) => "delete_workflow",
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
        let comment = rng.chance(500).then(|| format!("\"{}\"\n日志", rng.next()));
        let request = match operation {
            "update_workflow" => {
                let version = u32::try_from(rng.below(1_000_000)).unwrap_or(0);
                Request::update(name, Some(region), Some((graph(rng), version)))
            }
            "create_workflow" => Request::new(
                operation,
                &[name],
                json!({"region": region, "comment": comment}),
            ),
            "list_workflows" => Request::new(operation, &[], Value::Null),
            _ => Request::new(operation, &[name], Value::Null),
        };
        Self::Call(Intent {
            request,
            owner,
            look: None,
        })
    }
}

fn graph(rng: &mut Rng) -> Graph {
    let mut at = rng.below(GRAPHS.iter().map(|(weight, _)| weight).sum());
    let found = GRAPHS
        .iter()
        .find(|(weight, _)| match at.checked_sub(*weight) {
            Some(rest) => {
                at = rest;
                false
            }
            None => true,
        });
    found.map_or(Graph::Empty, |(_, graph)| *graph)
}

/// An operation of a repo, or of what hangs on one.
fn related(rng: &mut Rng, early: Option<u8>) -> Request {
    let all: Vec<_> = model::operations()
        .filter(|info| info.resource != "workflow")
        .collect();
    let of = |name| Request::new(name, &[], Value::Null).operation;
    let operation = match (early, rng.below(10)) {
        (Some(0), _) => of("create_repo"),
        (Some(1), _) | (_, 0) => of("create_transform"),
        (Some(2), _) | (_, 1) => of("create_export"),
        _ => *rng.pick(&all),
    };
    let mut draw = |info: &str| match info {
        "name" if operation.resource != "repo" => *rng.pick(&["first", "first", "second"]),
        "destination" => *rng.pick(&["clean", "clean", "clicks", "copy"]),
        _ => *rng.pick(&["clicks", "clicks", "clicks", "clean"]),
    };
    let names: Vec<_> = operation.names.iter().map(|info| draw(info.key)).collect();
    let region = *rng.pick(&[REGIONS[0], REGIONS[1], "moon"]);
    let body = model::body(operation.name, rng.below(1_000_000), region);
    Request::new(operation.name, &names, body)
}

impl Intent {
    /// A call of a waiter.
    pub(super) fn of_wait(
        operation: &str,
        name: &'static str,
        owner: Option<&'static str>,
        look: Option<PollBy>,
    ) -> Self {
        let request = Request::new(operation, &[name], Value::Null);
        Self {
            request,
            owner,
            look,
        }
    }

    pub(super) fn idempotency(&self) -> Idempotency {
        model::idempotency(self.request.operation)
    }

    /// Makes the call and its first attempt.
    pub(super) fn begin(
        &self,
        context: &Context,
        options: CallOptions,
        now: Now,
    ) -> Result<Sent, Error> {
        let Request {
            operation, body, ..
        } = &self.request;
        let region = || {
            Region::new(body["region"].as_str().unwrap_or_default()).expect("a region is a word")
        };
        macro_rules! call {
            ($($Op:ident)::+($($at:literal)* $(; $body:expr)?) $(. $set:ident($value:expr))*) => {
                start(context, $($Op)::+::new($(self.name($at),)* $($body)?)$(.$set($value))*, options, now)
            };
        }
        if let Some(by) = self.look {
            return call!(of::GetWorkflowStatus(0).by(by));
        }
        match operation.name {
            "create_workflow" => {
                let mut create = of::CreateWorkflow::new(self.name(0)).region(region());
                create.comment = body["comment"].as_str().map(str::to_owned);
                start(context, create, options, now)
            }
            "update_workflow" => {
                call!(of::UpdateWorkflow(0; part(&body["nodes"])).region(region()))
            }
            "list_workflows" => call!(of::ListWorkflows()),
            "get_workflow" => call!(of::GetWorkflow(0)),
            "get_workflow_status" => call!(of::GetWorkflowStatus(0)),
            "start_workflow" => call!(of::StartWorkflow(0)),
            "stop_workflow" => call!(of::StopWorkflow(0)),
            "delete_workflow" => call!(of::DeleteWorkflow(0)),
            "create_repo" => call!(repo::CreateRepo(0; part(body))),
            "update_repo" => call!(repo::UpdateRepo(0; part(body))),
            "list_repos" => call!(repo::ListRepos()),
            "get_repo" => call!(repo::GetRepo(0)),
            "repo_exists" => call!(repo::RepoExists(0)),
            "delete_repo" => call!(repo::DeleteRepo(0)),
            "create_transform" => call!(transform::CreateTransform(0 1 2; part(body))),
            "update_transform" => call!(transform::UpdateTransform(0 1; part(body))),
            "list_transforms" => call!(transform::ListTransforms(0)),
            "get_transform" => call!(transform::GetTransform(0 1)),
            "transform_exists" => call!(transform::TransformExists(0 1)),
            "delete_transform" => call!(transform::DeleteTransform(0 1)),
            "create_export" => call!(export::CreateExport(0 1; part(body))),
            "update_export" => call!(export::UpdateExport(0 1; part(body))),
            "list_exports" => call!(export::ListExports(0)),
            "get_export" => call!(export::GetExport(0 1)),
            "export_exists" => call!(export::ExportExists(0 1)),
            "delete_export" => call!(export::DeleteExport(0 1)),
            other => unreachable!("{other} is not drawn"),
        }
    }

    fn name<T: FromStr<Err: std::fmt::Debug>>(&self, at: usize) -> T {
        self.request.names[at]
            .parse()
            .expect("the names of the simulation are legal")
    }
}

/// What a client makes of a part of the body.
fn part<T: DeserializeOwned>(body: &Value) -> T {
    serde_json::from_value(body.clone()).expect("the bodies of the simulation can be read")
}

pub(super) fn workflow(name: &'static str) -> WorkflowName {
    WorkflowName::from_static(name)
}
