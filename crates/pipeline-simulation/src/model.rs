//! The service in its plainest form: what there is, by account, kind and path, and what each operation of the
//! table does to it. The one reference that the [simulation](crate) and the test `model` hold the emulator
//! against. Written from the documentation, not from the emulator's code.

mod graph;
mod job;
mod resource;
mod workflow;

use std::{
    collections::BTreeMap,
    iter,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use http::Method;
use pipeline_emulator::Transition;
use pipeline_proto::{
    Idempotency, Now, model::Timestamp, operation::OperationInfo, resource::OPERATIONS,
};
use serde_json::{Map, Value, json};

pub use graph::Graph;
use resource::{Path, Resource};
pub use resource::{body, names};
use workflow::Workflow;

/// Where workflows and repos can be.
pub const REGIONS: [&str; 2] = ["nb", "jjh"];

/// Most characters of a comment.
const LONGEST_COMMENT: usize = 10_000;

/// What is asked for, by somebody whose signature is good.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Request {
    /// The operation.
    pub operation: &'static OperationInfo,
    /// The names in its path.
    pub names: Vec<&'static str>,
    /// The JSON in its body; null if it has none.
    pub body: Value,
    /// The graph that stands in the body.
    pub graph: Option<Graph>,
}

impl Request {
    /// A request for the operation of this name.
    ///
    /// # Panics
    ///
    /// If there is none; this is for tests.
    pub fn new(operation: &str, names: &[&'static str], body: Value) -> Self {
        let found = OPERATIONS.iter().find(|info| info.name == operation);
        let operation = found.expect("the operation is in the table");
        Self {
            operation,
            names: names.to_vec(),
            body,
            graph: None,
        }
    }

    /// An update of a workflow with a graph of this version.
    pub fn update(name: &'static str, region: Option<&str>, graph: Option<(Graph, u32)>) -> Self {
        let nodes = graph.map(|(graph, version)| graph.nodes(name, version));
        let body = json!({ "region": region, "nodes": nodes });
        Self {
            graph: graph.map(|(graph, _)| graph),
            ..Self::new("update_workflow", &[name], body)
        }
    }

    /// Whether it is for the operation of this name.
    pub fn is(&self, operation: &str) -> bool {
        self.operation.name == operation
    }
}

/// What operations are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Workflows, as a whole.
    Workflows,
    /// Message queues, what hangs on them, and the data in them.
    Queues,
    /// Jobs, what they read, and what is made of their results.
    Jobs,
}

impl Subject {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Workflows, Self::Queues, Self::Jobs];

    /// That of an operation.
    pub fn of(operation: &OperationInfo) -> Self {
        match operation.resource {
            "workflow" => Self::Workflows,
            "datasource" | "job" | "job_export" => Self::Jobs,
            _ => Self::Queues,
        }
    }
}

/// The operations of workflows, and of the other resources that the model knows.
pub fn operations() -> impl Iterator<Item = &'static OperationInfo> + Clone {
    let known =
        |info: &&OperationInfo| info.resource == "workflow" || resource::Kind::of(info).is_some();
    OPERATIONS.iter().filter(known)
}

/// Those about a subject to draw from: what changes something is there more often than what only shows it.
pub fn operations_about(subject: Subject) -> Vec<&'static OperationInfo> {
    let about = operations().filter(move |info| Subject::of(info) == subject);
    let weight = |info: &OperationInfo| if info.method == Method::GET { 1 } else { 3 };
    about
        .flat_map(|info| iter::repeat_n(info, weight(info)))
        .collect()
}

/// What a second sending could do; said here once more, and not asked of the client.
pub fn idempotency(operation: &OperationInfo) -> Idempotency {
    match *operation.method {
        Method::GET => Idempotency::Safe,
        Method::PUT | Method::DELETE => Idempotency::Idempotent,
        _ if operation.name == "search_logs" => Idempotency::Safe,
        _ if operation.resource == "push" => Idempotency::AtLeastOnce,
        _ => Idempotency::Never,
    }
}

/// The code that says that what an operation is about does not exist.
pub fn missing(operation: &OperationInfo) -> u32 {
    resource::Kind::of(operation).map_or(18641, |kind| kind.missing)
}

/// What the service must answer.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The code of a refusal, if it has one.
    pub code: Option<u32>,
    /// What a success shows at the least. Times are numbers of milliseconds since 1970.
    pub body: Value,
    /// Whether it changed something.
    pub effect: bool,
}

impl Answer {
    /// A refusal with this status, and a code unless that is 0.
    pub fn refused(status: u16, code: u32) -> Self {
        Self {
            status,
            code: Some(code).filter(|code| *code > 0),
            body: Value::Null,
            effect: false,
        }
    }

    fn of_code(code: u32) -> Self {
        let status = match code {
            18101 | 18128 | 18201 | 18204 | 18205 | 18301 | 18601 | 18603 | 18605 | 18608
            | 18610 | 18621 | 18622 | 18640 => 409,
            18102 | 18111 | 18202 | 18302 | 18602 | 18606 | 18611 | 18612 | 18641 | 18664 => 404,
            _ => 400,
        };
        Self::refused(status, code)
    }
}

/// Whether a response shows what it must: all members that are expected, and lists of the same length. What else
/// it shows, such as the words of a reason, is nobody's business.
pub fn shows(response: &Value, expected: &Value) -> bool {
    match (response, expected) {
        (Value::Object(has), Value::Object(wants)) => wants.iter().all(|(name, wanted)| {
            // A client that writes again what it has read leaves empty texts and lists out.
            let nothing = [json!(""), json!([])].contains(wanted);
            has.get(name).map_or(nothing, |has| shows(has, wanted))
        }),
        (Value::Array(has), Value::Array(wants)) => {
            has.len() == wants.len() && has.iter().zip(wants).all(|(has, wants)| shows(has, wants))
        }
        (Value::String(time), Value::Number(wanted)) => read(time) == wanted.as_i64(),
        (has, wanted) => has == wanted,
    }
}

/// `1994-11-06T08:49:37Z`, or with milliseconds.
fn read(text: &str) -> Option<i64> {
    let second = Timestamp::from(text.to_owned()).to_system_time()?;
    let fraction = match text.split_once('.') {
        Some((_, fraction)) => fraction.strip_suffix('Z')?.parse().ok()?,
        None => 0,
    };
    Some(moment(second, 0) + fraction)
}

/// Milliseconds since 1970 on a clock that is so many ahead.
pub fn moment(time: SystemTime, ahead: i64) -> i64 {
    millis(time.duration_since(UNIX_EPOCH).unwrap_or_default()) + ahead
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// What all accounts have.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Model {
    workflows: BTreeMap<(&'static str, &'static str), Workflow>,
    resources: BTreeMap<(&'static str, Path), Resource>,
    accounts: Vec<&'static str>,
    /// How starts end from now on.
    pub start: Transition,
    /// How stops end from now on.
    pub stop: Transition,
    /// How long a workflow of manual jobs runs before it ends by itself.
    pub manual_run: Duration,
    /// By how many milliseconds the service's clock is ahead of that of `now`.
    pub ahead: i64,
}

/// What was kept of a model, and when.
#[derive(Debug, Clone)]
pub struct Kept {
    model: Model,
    at: Now,
}

type Outcome = Result<Value, Answer>;

impl Model {
    /// A service without anything in it.
    pub fn new(
        accounts: &[&'static str],
        start: Transition,
        stop: Transition,
        manual_run: Duration,
    ) -> Self {
        let (workflows, resources) = (BTreeMap::new(), BTreeMap::new());
        Self {
            workflows,
            resources,
            accounts: accounts.to_vec(),
            start,
            stop,
            manual_run,
            ahead: 0,
        }
    }

    /// Reads that show all that there is.
    pub fn looks(&self) -> Vec<(&'static str, Request)> {
        let mut looks = Vec::new();
        for account in &self.accounts {
            let lists =
                operations().filter(|info| info.method == Method::GET && info.names.is_empty());
            looks.extend(lists.map(|list| (*account, Request::new(list.name, &[], Value::Null))));
        }
        for (account, name) in self.workflows.keys() {
            let search = json!({ "size": 1_000 });
            looks.push((account, Request::new("get_workflow", &[name], Value::Null)));
            looks.push((account, Request::new("search_logs", &[name], search)));
        }
        for (account, path) in self.resources.keys() {
            looks.extend(path.looks().map(|look| (*account, look)));
        }
        looks
    }

    /// Nothing is left.
    pub fn forget(&mut self) {
        self.workflows.clear();
        self.resources.clear();
    }

    /// What a snapshot holds. Whoever takes one looks at every workflow.
    pub fn snapshot(&mut self, now: Now) -> Kept {
        for workflow in self.workflows.values_mut() {
            workflow.settle(now);
        }
        self.kept(now)
    }

    /// What outlives the process. Nobody looks.
    pub fn kept(&mut self, now: Now) -> Kept {
        for workflow in self.workflows.values_mut() {
            workflow.pass(now);
        }
        Kept {
            model: self.clone(),
            at: now,
        }
    }

    /// What is under way goes on from now with the time that it had left.
    pub fn restore(&mut self, kept: &Kept, now: Now) {
        self.workflows.clone_from(&kept.model.workflows);
        self.resources.clone_from(&kept.model.resources);
        for workflow in self.workflows.values_mut() {
            workflow.go_on(kept.at, now);
        }
    }

    /// The account that is meant, if there is such a one. An empty owner is none.
    ///
    /// # Errors
    ///
    /// What is answered if there is not.
    pub fn account(
        &self,
        caller: &'static str,
        owner: Option<&'static str>,
    ) -> Result<&'static str, Answer> {
        match owner {
            None | Some("") => Ok(caller),
            Some(owner) if self.accounts.contains(&owner) => Ok(owner),
            Some(_) => Err(Answer::of_code(18664)),
        }
    }

    /// What is answered to names that are not legal.
    pub fn illegal(&self, request: &Request) -> Option<Answer> {
        let workflow = request.operation.resource == "workflow";
        let illegal = request.names.iter().any(|name| !is_name(name));
        (workflow && illegal).then(|| Answer::of_code(18639))
    }

    /// Does what is asked for in an account, and says what must be answered. What is wrong is told in the order
    /// of the table in the documentation.
    pub fn perform(&mut self, account: &'static str, request: &Request, now: Now) -> Answer {
        let outcome = match request.operation.resource {
            "workflow" => self.workflow(account, request, now),
            _ => self.resource(account, request, now),
        };
        let effect = idempotency(request.operation) != Idempotency::Safe;
        match outcome {
            Ok(body) => Answer {
                status: 200,
                code: None,
                body,
                effect,
            },
            Err(answer) => answer,
        }
    }

    fn workflow(&mut self, account: &'static str, request: &Request, now: Now) -> Outcome {
        let operation = request.operation.name;
        let refused = |code| Err(Answer::of_code(code));
        let region = REGIONS
            .into_iter()
            .find(|region| request.body["region"] == **region);
        if let ("create_workflow" | "update_workflow", None) = (operation, region) {
            return refused(18642);
        }
        let Some(name) = request.names.first() else {
            let all = self
                .workflows
                .iter_mut()
                .filter(|((owner, _), _)| *owner == account);
            return Ok(all
                .map(|((_, name), workflow)| workflow.look(name, self.ahead, now))
                .collect());
        };
        let key = (account, *name);
        if operation == "create_workflow" {
            let comment = request.body["comment"].as_str().unwrap_or_default();
            if comment.chars().count() > LONGEST_COMMENT {
                return refused(18008);
            }
            if self.workflows.contains_key(&key) {
                return refused(18640);
            }
            let workflow = Workflow::new(region.unwrap_or_default(), comment, self.manual_run, now);
            self.workflows.insert(key, workflow);
            return Ok(json!({}));
        }
        let Some(workflow) = self.workflows.get_mut(&key) else {
            return refused(18641);
        };
        workflow.settle(now);
        match operation {
            "update_workflow" if region != Some(workflow.region) => return refused(18642),
            "update_workflow" if !workflow.is_idle() => return refused(18643),
            "update_workflow" => {
                if let Some(code) = request.graph.and_then(Graph::refusal) {
                    return refused(code);
                }
                if let (Some(graph), Value::Object(nodes)) = (request.graph, &request.body["nodes"])
                {
                    workflow.replace(graph, nodes.clone(), now);
                }
                workflow.updated = now.wall;
            }
            "delete_workflow" => drop(self.workflows.remove(&key)),
            "get_workflow" => return Ok(workflow.get(name, self.ahead, now)),
            "get_workflow_status" => return Ok(workflow.state(name, now)),
            "search_logs" => return Ok(workflow.found(&request.body, self.ahead)),
            "start_workflow" if !workflow.is_idle() => return refused(18644),
            "start_workflow" if !workflow.graph.can_start() => return refused(18650),
            "start_workflow" => {
                workflow.set_out(["Starting", "Started", "Stopped"], self.start, now);
            }
            "stop_workflow" if workflow.status != "Started" => return refused(18645),
            "stop_workflow" => workflow.set_out(["Stopping", "Stopped", "Started"], self.stop, now),
            other => unreachable!("{other} is no operation of workflows"),
        }
        Ok(json!({}))
    }
}

/// The rule for names of workflows and most others.
fn is_name(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !text.is_empty()
        && text.len() <= 128
        && text.chars().all(legal)
        && !text.starts_with(|c: char| c.is_ascii_digit())
}

/// The members of an object, none of anything else.
fn members(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}
