//! What the clients of a run are told to do.

use std::{iter, str::FromStr, time::Duration};

use bytes::Bytes;
use pipeline_proto::{
    CallOptions, Context, Error, Idempotency, Now, Region, WorkflowName,
    resource::workflow::{self as of, PollBy},
    wait::{Goal, WaitOptions},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    machine::{Sent, start},
    rng::Rng,
    verifier::Keys,
};
use crate::model::{self, Graph, REGIONS, Request, Subject};

const NAMES: [&str; 3] = ["alpha", "beta", "gamma"];

/// Graphs, the more useful ones more often.
const GRAPHS: &[(usize, Graph)] = &[
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
    /// How many of a thousand things are done to queues and jobs, and what hangs on them.
    pub(super) related: u16,
    /// And how many of a thousand of these to jobs.
    pub(super) jobs: u16,
}

impl Subjects {
    /// How many of a thousand clients with these keys ship records: into queues, which something is done to as well.
    pub(super) fn shipping(self, keys: Option<Keys>) -> u16 {
        match keys {
            _ if self.related <= self.jobs => 0,
            Some(keys) if keys.is_known() => 400,
            _ => 50,
        }
    }
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
                request: related(rng, early, subjects.jobs),
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
    let weighed = GRAPHS
        .iter()
        .flat_map(|(weight, graph)| iter::repeat_n(*graph, *weight));
    *rng.pick(&weighed.collect::<Vec<_>>())
}

/// An operation of a queue, of a job, or of what hangs on one.
fn related(rng: &mut Rng, early: Option<u8>, jobs: u16) -> Request {
    let (subject, usual) = if rng.chance(jobs) {
        let usual = [
            "create_datasource",
            "create_job",
            "create_job_export",
            "start_job",
        ];
        (Subject::Jobs, usual)
    } else {
        let usual = [
            "create_repo",
            "create_transform",
            "create_export",
            "push_points",
        ];
        (Subject::Queues, usual)
    };
    let operation = match early {
        Some(number) if number < 2 => usual[usize::from(number)],
        _ if rng.chance(400) => *rng.pick(&usual),
        _ => rng.pick(&model::operations_about(subject)).name,
    };
    let operation = Request::new(operation, &[], Value::Null).operation;
    let names: Vec<_> = model::names(operation)
        .map(|names| *rng.pick(names))
        .collect();
    let region = if rng.chance(50) { "moon" } else { REGIONS[0] };
    // So large that no two are the same, and that all are numbers of a field.
    let number = rng.next() >> 2;
    let body = model::body(operation.name, &names, number, region);
    Request::new(operation.name, &names, body)
}

/// Makes of each row of a table how its call begins, if it is the one that is asked for.
macro_rules! begins {
    ($resource:ident; $(
        $(#[doc = $about:literal])+
        $Op:ident $method:ident($($key:ident: $Key:ty),* $(; $kind:ident $body:ident: $Body:ty)?)
            $({$($set:tt)*})? = $VERB:ident $path:literal $idempotency:ident $source:ident $(, $hand:ident by hand)?
            -> $Out:ty = $read:expr $(, then $then:expr)? $(, done on $done:ident)? $(, none on $none:ident)? $(, or $other:expr)?;
    )*) => {
        fn $resource(intent: &Intent, context: &Context, options: CallOptions, now: Now) -> Option<Result<Sent, Error>> {
            use pipeline_proto::resource::$resource::*;
            let mut names = intent.request.names.iter();
            Some(match intent.request.operation.name {
                $(stringify!($method) => {
                    let operation = $Op::new($(legal(names.next(), stringify!($key)),)* $(begins!(@$kind intent.request.body))?);
                    start(context, operation, options, now)
                })*
                _ => return None,
            })
        }
    };
    (@json $body:expr) => { part(&$body) };
    (@$text:ident $body:expr) => { text(&$body).into() };
}
pipeline_proto::repo_operations!(begins);
pipeline_proto::push_operations!(begins);
pipeline_proto::transform_operations!(begins);
pipeline_proto::export_operations!(begins);
pipeline_proto::datasource_operations!(begins);
pipeline_proto::job_operations!(begins);
pipeline_proto::job_export_operations!(begins);

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
        let name = || legal(self.request.names.first(), "name");
        macro_rules! call {
            ($Op:ident($($argument:expr),*) $(. $set:ident($value:expr))*) => {
                start(context, of::$Op::new($($argument),*)$(.$set($value))*, options, now)
            };
        }
        if let Some(by) = self.look {
            return call!(GetWorkflowStatus(name()).by(by));
        }
        match operation.name {
            "create_workflow" => {
                let mut create = of::CreateWorkflow::new(name()).region(region());
                create.comment = body["comment"].as_str().map(str::to_owned);
                start(context, create, options, now)
            }
            "update_workflow" => {
                call!(UpdateWorkflow(name(), part(&body["nodes"])).region(region()))
            }
            "list_workflows" => call!(ListWorkflows()),
            "get_workflow" => call!(GetWorkflow(name())),
            "get_workflow_status" => call!(GetWorkflowStatus(name())),
            "start_workflow" => call!(StartWorkflow(name())),
            "stop_workflow" => call!(StopWorkflow(name())),
            "delete_workflow" => call!(DeleteWorkflow(name())),
            other => [repo, push, transform, export, datasource, job, job_export]
                .iter()
                .find_map(|table| table(self, context, options.clone(), now))
                .unwrap_or_else(|| unreachable!("{other} is not drawn")),
        }
    }
}

fn legal<T: FromStr<Err: std::fmt::Debug>>(name: Option<&&str>, key: &str) -> T {
    let name = name.unwrap_or_else(|| unreachable!("{key} is missing"));
    name.parse().expect("the names of the simulation are legal")
}

fn text(body: &Value) -> Bytes {
    body.as_str().unwrap_or_default().to_owned().into()
}

/// What a client makes of a part of the body.
fn part<T: DeserializeOwned>(body: &Value) -> T {
    serde_json::from_value(body.clone()).expect("the bodies of the simulation can be read")
}

pub(super) fn workflow(name: &'static str) -> WorkflowName {
    WorkflowName::from_static(name)
}
