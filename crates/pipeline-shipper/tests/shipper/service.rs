//! Shippers of records without a schema, and a service that has schemas and a workflow, in one thread. Time passes only
//! here.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use http::Response;
use pipeline_proto::{
    ApiError, Cause, Effect, Error, Fault, FaultKind, Now, Operation as _, points,
    resource::schema::{Schema, SchemaEntry, ValType},
    wait,
};
use pipeline_shipper::{
    Ask, Call, Outcome, Push, Reply, SchemaFree, Settings, Shipper, Step, Verdict,
};

use crate::sisters::Sisters;
use crate::world::{Trouble, millis, secs};

/// How long the workflow of the bed takes to stop or to start.
const TURN: Duration = secs(3);

pub(crate) type Refusal = (u16, String);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Stopped,
    Started,
    Stopping(Duration),
    Starting(Duration),
}

/// The service: one queue, and one workflow.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) schema: Option<Vec<SchemaEntry>>,
    pub(crate) flow: Option<Flow>,
    /// Whether the queue is in the workflow.
    pub(crate) in_flow: bool,
    pub(crate) never_stops: bool,
    pub(crate) most_fields: usize,
    /// How long it takes until pushes know a new field.
    pub(crate) spread: Duration,
    added: BTreeMap<String, Duration>,
    /// The points that were accepted.
    pub(crate) points: Vec<String>,
    /// Pushes with a field that the queue did not have.
    pub(crate) blind_pushes: usize,
    pub(crate) log: Vec<&'static str>,
    pub(crate) troubles: BTreeMap<&'static str, VecDeque<Trouble>>,
    pub(crate) sisters: Sisters,
}

pub(crate) fn refuse<T>(status: u16, text: &str) -> Result<T, Refusal> {
    Err((status, text.to_owned()))
}

impl Service {
    fn new(schema: &str) -> Self {
        let schema = (!schema.is_empty()).then(|| schema.parse::<Schema>().unwrap().0);
        Self {
            schema,
            flow: None,
            in_flow: false,
            never_stops: false,
            most_fields: usize::MAX,
            spread: Duration::ZERO,
            added: BTreeMap::new(),
            points: Vec::new(),
            blind_pushes: 0,
            log: Vec::new(),
            troubles: BTreeMap::new(),
            sisters: Sisters::default(),
        }
    }

    pub(crate) fn schema(&self) -> String {
        let fields = self.schema.iter().flatten();
        let fields = fields.map(|entry| format!("{} {}", entry.key, entry.valtype.as_str()));
        fields.collect::<Vec<_>>().join(", ")
    }

    /// Somebody else gives the queue this schema.
    pub(crate) fn set(&mut self, schema: &str, now: Duration) {
        let schema: Schema = schema.parse().unwrap();
        self.replace(schema.0, now);
    }

    fn replace(&mut self, schema: Vec<SchemaEntry>, now: Duration) {
        for entry in &schema {
            self.added.entry(entry.key.clone()).or_insert(now);
        }
        self.added
            .retain(|key, _| schema.iter().any(|entry| entry.key == *key));
        self.schema = Some(schema);
    }

    fn flow(&mut self, now: Duration) -> Result<Flow, Refusal> {
        match self.flow {
            None => refuse(404, "E18641: no such workflow"),
            Some(Flow::Stopping(at)) if at <= now && !self.never_stops => {
                Ok(*self.flow.insert(Flow::Stopped))
            }
            Some(Flow::Starting(at)) if at <= now => Ok(*self.flow.insert(Flow::Started)),
            Some(flow) => Ok(flow),
        }
    }

    /// Whether the workflow runs, or is about to.
    pub(crate) fn is_running(&mut self, now: Duration) -> bool {
        matches!(self.flow(now), Ok(Flow::Started | Flow::Starting(_)))
    }

    fn write(&mut self, schema: &[SchemaEntry], now: Duration) -> Result<Reply, Refusal> {
        if self.in_flow && self.flow(now)? != Flow::Stopped {
            return refuse(409, "E18643: it runs");
        }
        if schema.len() > self.most_fields {
            return refuse(400, "E18134: too many fields");
        }
        if schema.iter().any(|entry| entry.key.starts_with("bad")) {
            return refuse(400, "E18106: no such name");
        }
        let types = |schema: &[SchemaEntry]| -> BTreeMap<String, ValType> {
            let types = schema.iter().map(|it| (it.key.clone(), it.valtype.clone()));
            types.collect()
        };
        let (old, new) = (types(self.schema.as_deref().unwrap_or(&[])), types(schema));
        if new
            .iter()
            .any(|(key, valtype)| old.get(key).is_some_and(|old| old != valtype))
        {
            return refuse(409, "E18128: another type");
        }
        self.replace(schema.to_vec(), now);
        Ok(Reply::Done)
    }

    fn call(&mut self, call: &Call, now: Duration) -> Result<Reply, Refusal> {
        match call {
            Call::GetRepo(_) => match &self.schema {
                None => refuse(404, "E18102: no such repo"),
                Some(schema) => {
                    let flow = if self.in_flow {
                        r#","workflow":"flow","fromDag":true"#
                    } else {
                        ""
                    };
                    let schema = serde_json::to_string(schema).unwrap();
                    let repo = format!(r#"{{"schema":{schema},"region":"nb"{flow}}}"#);
                    Ok(decode(call, &repo))
                }
            },
            Call::CreateRepo(create) => {
                if self.schema.is_some() {
                    return refuse(409, "E18101: it is there");
                }
                if create.spec.workflow.is_some() {
                    self.flow(now)?;
                    self.in_flow = true;
                }
                self.write(&create.spec.schema, now)
            }
            Call::UpdateRepo(update) => {
                if self.schema.is_none() {
                    return refuse(404, "E18102: no such repo");
                }
                self.write(&update.spec.schema, now)
            }
            Call::GetWorkflow(_) => {
                self.flow(now)?;
                Ok(decode(call, r#"{"name":"flow","region":"nb"}"#))
            }
            Call::CreateWorkflow(_) => {
                if self.flow.is_some() {
                    return refuse(409, "E18640: it is there");
                }
                self.flow = Some(Flow::Stopped);
                Ok(Reply::Done)
            }
            Call::Watch(wait::Ask::Look(_)) => {
                let status = match self.flow(now)? {
                    Flow::Stopped => "Stopped",
                    Flow::Started => "Started",
                    Flow::Stopping(_) => "Stopping",
                    Flow::Starting(_) => "Starting",
                };
                let state = format!(r#"{{"name":"flow","status":"{status}"}}"#);
                Ok(decode(call, &state))
            }
            Call::Watch(wait::Ask::Start(_)) => match self.flow(now)? {
                Flow::Stopped => {
                    self.flow = Some(Flow::Starting(now + TURN));
                    Ok(Reply::Done)
                }
                _ => refuse(409, "E18644: it may not be started"),
            },
            Call::Watch(wait::Ask::Stop(_)) => match self.flow(now)? {
                Flow::Started => {
                    self.flow = Some(Flow::Stopping(now + TURN));
                    Ok(Reply::Done)
                }
                _ => refuse(409, "E18645: it does not run"),
            },
            other => self
                .sisters
                .call(other, self.schema.as_deref().unwrap_or(&[])),
        }
    }

    fn push(&mut self, text: &[u8], now: Duration) -> Result<(), Refusal> {
        let text = std::str::from_utf8(text).unwrap();
        let Some(schema) = &self.schema else {
            return refuse(404, "E18102: no such repo");
        };
        for point in points::read(text) {
            for field in point.fields() {
                let (key, value) = field.unwrap();
                let Some(entry) = schema.iter().find(|entry| entry.key == key) else {
                    self.blind_pushes += 1;
                    return refuse(404, "E18111: no such field");
                };
                if self
                    .added
                    .get(key)
                    .is_some_and(|added| now < *added + self.spread)
                {
                    return refuse(404, "E18111: no such field");
                }
                let fits = match entry.valtype {
                    ValType::Long => value.parse::<i64>().is_ok(),
                    ValType::Float => value.parse::<f64>().is_ok(),
                    ValType::Boolean => matches!(value, "true" | "false"),
                    _ => true,
                };
                if !fits {
                    return refuse(400, "E18110: it does not fit");
                }
            }
        }
        self.points.extend(text.lines().map(str::to_owned));
        Ok(())
    }
}

pub(crate) fn decode(call: &Call, body: &str) -> Reply {
    let response = Response::new(Bytes::from(body.to_owned()));
    call.decode(&response).unwrap()
}

fn refused(name: &'static str, status: u16, text: &str) -> Error {
    let body = format!(r#"{{"error":"{text}"}}"#);
    let response = Response::builder().status(status).body(Bytes::from(body));
    Error::of(
        name,
        Cause::Api(ApiError::from_response(&response.unwrap())),
    )
}

enum Job {
    Push(Push),
    Ask(Ask),
}

pub(crate) struct Bed {
    pub(crate) service: Service,
    pub(crate) shippers: Vec<Shipper<u64>>,
    pub(crate) verdicts: BTreeMap<u64, Verdict<u64>>,
    pub(crate) now: Now,
    pub(crate) latencies: Vec<Duration>,
    begun: usize,
    under_way: Vec<(Duration, usize, Job)>,
}

impl Bed {
    pub(crate) fn new(schema: &str, free: SchemaFree) -> Self {
        Self::with(schema, Settings::new().schema_free(free))
    }

    pub(crate) fn with(schema: &str, settings: Settings) -> Self {
        Self {
            service: Service::new(schema),
            shippers: vec![Shipper::new("clicks".parse().unwrap(), settings)],
            verdicts: BTreeMap::new(),
            now: Now::new(UNIX_EPOCH + secs(784_111_777), secs(5000)),
            latencies: vec![millis(10)],
            begun: 0,
            under_way: Vec::new(),
        }
    }

    pub(crate) fn trouble(
        mut self,
        call: &'static str,
        troubles: impl IntoIterator<Item = Trouble>,
    ) -> Self {
        self.service
            .troubles
            .insert(call, troubles.into_iter().collect());
        self
    }

    pub(crate) fn push(&mut self, shipper: usize, id: u64, line: &str) {
        let taken = self.shippers[shipper].try_push(id, line.as_bytes(), self.now);
        taken.unwrap();
        self.look();
    }

    /// What must hold at any moment.
    fn look(&self) {
        for shipper in &self.shippers {
            let books = shipper.books(self.now);
            let sum = books.accepted + books.dead + books.given_up + books.pending;
            assert_eq!(books.read, sum, "the books do not balance: {books:?}");
        }
    }

    /// Does what is due now; gives when something will be.
    fn settle(&mut self) -> Option<Duration> {
        let mut next = self.under_way.iter().map(|(ends, ..)| *ends).min();
        for index in 0..self.shippers.len() {
            loop {
                self.look();
                let shipper = &mut self.shippers[index];
                let job = match shipper.poll(self.now) {
                    Step::Push(push) => Job::Push(push),
                    Step::Ask(ask) => Job::Ask(ask),
                    Step::Settled(mut verdicts) => {
                        for verdict in verdicts.by_ref() {
                            let before = self.verdicts.insert(verdict.id, verdict);
                            assert!(before.is_none(), "two verdicts: {before:?}");
                        }
                        shipper.on_told(verdicts);
                        continue;
                    }
                    Step::Wait(delay) => {
                        let at = delay.map(|delay| self.now.mono.saturating_add(delay));
                        next = [next, at].into_iter().flatten().min();
                        break;
                    }
                    Step::Done => break,
                };
                let latency = self.latencies[self.begun % self.latencies.len()];
                self.begun += 1;
                let ends = self.now.mono + latency;
                next = Some(next.map_or(ends, |next| next.min(ends)));
                self.under_way.push((ends, index, job));
            }
        }
        next
    }

    /// Lets this much time pass.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now.mono.saturating_add(time);
        let mut steps = 0;
        while let Some(at) = self.settle() {
            if at > end {
                break;
            }
            self.now = self.now + at.saturating_sub(self.now.mono);
            self.end_one();
            steps += 1;
            assert!(steps < 100_000, "it does not end");
        }
        if time < Duration::MAX {
            self.now = self.now + end.saturating_sub(self.now.mono);
        }
    }

    /// Lets time pass until nothing happens any more.
    pub(crate) fn run(&mut self) {
        self.pass(Duration::MAX);
    }

    pub(crate) fn close(&mut self, time: Duration) {
        for shipper in &mut self.shippers {
            shipper.close(time, self.now);
        }
        self.run();
        for shipper in &mut self.shippers {
            assert!(matches!(shipper.poll(self.now), Step::Done));
            assert_eq!(shipper.books(self.now).memory, 0);
        }
    }

    fn end_one(&mut self) {
        let now = self.now.mono;
        let Some(at) = self.under_way.iter().position(|(ends, ..)| *ends <= now) else {
            return;
        };
        let (_, index, job) = self.under_way.remove(at);
        let name = match &job {
            Job::Push(_) => "push_points",
            Job::Ask(ask) => ask.operation().name(),
        };
        self.service.log.push(name);
        let trouble = self
            .service
            .troubles
            .get_mut(name)
            .and_then(VecDeque::pop_front);
        let fault = |effect| {
            Error::of(name, Cause::Fault(Fault::new(FaultKind::Interrupted))).with_effect(effect)
        };
        let result = match &trouble {
            Some(Trouble::Response(status, text, _)) => Err(refused(name, *status, text)),
            Some(Trouble::NotSent | Trouble::ResetBefore) => Err(fault(Effect::Possible)),
            _ => {
                let done = match &job {
                    Job::Push(push) => {
                        let pushed = self.service.push(push.operation().points.bytes(), now);
                        pushed.map(|()| Reply::Done)
                    }
                    Job::Ask(ask) => self.service.call(&ask.operation(), now),
                };
                match trouble {
                    Some(Trouble::ResetAfter | Trouble::Lost) => Err(fault(Effect::Possible)),
                    _ => done.map_err(|(status, text)| refused(name, status, &text)),
                }
            }
        };
        match job {
            Job::Push(push) => {
                self.shippers[index].on_result(push, result.map(drop), self.now);
            }
            Job::Ask(ask) => self.shippers[index].on_reply(ask, result, self.now),
        }
    }

    /// Each verdict in a word or a reason, by id.
    pub(crate) fn outcomes(&self) -> Vec<String> {
        let outcomes = self
            .verdicts
            .values()
            .map(|verdict| match &verdict.outcome {
                Outcome::Accepted => "accepted".to_owned(),
                Outcome::Dead(reason) => format!("dead: {reason}"),
                Outcome::GivenUp(reason) => format!("given up: {reason}"),
            });
        outcomes.collect()
    }

    /// The outcome at this place is of this kind, and for this reason.
    #[track_caller]
    pub(crate) fn begins(&self, at: usize, expected: &str) {
        let (outcomes, log) = (self.outcomes(), &self.service.log);
        assert!(
            outcomes[at].starts_with(expected),
            "{expected}: {outcomes:?} after {log:?}"
        );
    }

    /// How often an operation was called.
    pub(crate) fn calls(&self, operation: &str) -> usize {
        let log = self.service.log.iter();
        log.filter(|call| **call == operation).count()
    }
}
