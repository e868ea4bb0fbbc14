//! The service in its plainest form: a map of small workflows, and for each request the response that
//! must come. Written from the documentation of the crate, not from its code.

use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use pipeline_proto::Now;
use serde_json::{Map, Value, json};

use crate::{
    graphs::Graph,
    steps::{ACCOUNTS, Ask, Flaw, How, REGIONS, What},
};

/// How long a workflow of manual jobs runs before it ends by itself.
pub(crate) const MANUAL_RUN: Duration = Duration::from_millis(700);

/// What the service must answer. Times are numbers of milliseconds since 1970.
#[derive(Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) code: Option<u32>,
    /// What a success shows; nothing for a refusal, whose words are nobody's business.
    pub(crate) body: Value,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "{} E{code}", self.status),
            None => write!(f, "{} {}", self.status, self.body),
        }
    }
}

type Key = (&'static str, &'static str);

#[derive(Debug, Clone)]
pub(crate) struct Model {
    workflows: BTreeMap<Key, Workflow>,
    pub(crate) start: How,
    pub(crate) stop: How,
    /// By how many seconds the service's clock is ahead of the callers'.
    pub(crate) offset: i64,
}

/// What was kept of all workflows, and when.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    workflows: BTreeMap<Key, Workflow>,
    at: Now,
}

#[derive(Debug, Clone)]
struct Workflow {
    region: &'static str,
    comment: String,
    created: SystemTime,
    updated: SystemTime,
    graph: Graph,
    nodes: Map<String, Value>,
    status: &'static str,
    /// What becomes of the status by itself; nothing for one that stays as it is.
    next: Option<(When, &'static str)>,
    /// What has happened: the status afterwards, and when.
    events: Vec<(SystemTime, &'static str)>,
    /// Of each node, how many events came before it.
    earlier: BTreeMap<String, usize>,
}

#[derive(Debug, Clone, Copy)]
enum When {
    At(Now),
    /// After so many looks.
    Reads(u32),
}

impl Workflow {
    fn new(region: &'static str, comment: String, now: Now) -> Self {
        Self {
            region,
            comment,
            created: now.wall,
            updated: now.wall,
            graph: Graph::Empty,
            nodes: Map::new(),
            status: "Ready",
            next: None,
            events: vec![(now.wall, "Ready")],
            earlier: BTreeMap::new(),
        }
    }

    fn turn(&mut self, status: &'static str, at: Now) {
        self.status = status;
        self.events.push((at.wall, status));
        let ends = status == "Started" && self.graph.is_manual();
        self.next = ends.then(|| (When::At(at + MANUAL_RUN), "Stopped"));
    }

    /// A start or a stop: the status in between, the one that is wanted, and the one it falls back to.
    fn set_out(&mut self, [via, to, back]: [&'static str; 3], how: How, now: Now) {
        self.turn(via, now);
        self.next = match how {
            How::Immediate => Some((When::At(now), to)),
            How::After(time) => Some((When::At(now + time), to)),
            How::AfterReads(reads) => Some((When::Reads(reads), to)),
            How::Stuck => None,
            How::FallsBack(time) => Some((When::At(now + time), back)),
        };
    }

    /// Lets happen what time has brought about.
    fn pass(&mut self, now: Now) {
        while let Some((When::At(at), status)) = self.next
            && at.mono <= now.mono
        {
            self.turn(status, at);
        }
    }

    /// The same, for somebody who looks: what waited for the last read is over now.
    fn settle(&mut self, now: Now) {
        self.pass(now);
        if let Some((When::Reads(0), status)) = self.next {
            self.turn(status, now);
            self.pass(now);
        }
    }

    /// Somebody has seen the status.
    fn seen(&mut self) {
        if let Some((When::Reads(left @ 1..), _)) = &mut self.next {
            *left -= 1;
        }
    }

    fn is_idle(&self) -> bool {
        matches!(self.status, "Ready" | "Stopped")
    }

    fn replace(&mut self, graph: Graph, version: u8, now: Now) {
        let nodes = graph.nodes(version);
        let count = self.events.len();
        self.earlier.retain(|id, _| nodes.contains_key(id));
        for id in nodes.keys() {
            self.earlier.entry(id.clone()).or_insert(count);
        }
        (self.graph, self.nodes) = (graph, nodes);
        self.events.push((now.wall, self.status));
    }

    fn shown(&self, name: &str, offset: i64) -> Value {
        let second = |time| millis(time, offset) / 1_000 * 1_000;
        json!({
            "name": name, "region": self.region, "comment": self.comment, "status": self.status,
            "canStart": self.graph.can_start(), "isManualWorkflow": self.graph.is_manual(),
            "createTime": second(self.created), "updateTime": second(self.updated),
        })
    }

    /// What a search finds: each event as each node has seen it, the latest first.
    fn found(&self, size: usize, offset: i64) -> Value {
        let mut status = Vec::new();
        let mut log = Vec::new();
        for (number, (at, after)) in self.events.iter().enumerate().rev() {
            let witnesses = self
                .nodes
                .iter()
                .filter(|(id, _)| self.earlier[*id] <= number);
            for (_, node) in witnesses {
                let mut line = json!({
                    "type": node["type"], "name": node["name"], "timestamp": millis(*at, offset),
                });
                log.push(line.clone());
                line["status"] = json!(after);
                status.push(line);
            }
        }
        status.truncate(size);
        log.truncate(size);
        json!({"status": status, "log": log, "recommend": [], "metric": []})
    }
}

/// Milliseconds since 1970 on the service's clock.
pub(crate) fn millis(time: SystemTime, offset: i64) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX) + offset * 1_000
}

impl Model {
    pub(crate) fn new(start: How, stop: How) -> Self {
        Self {
            workflows: BTreeMap::new(),
            start,
            stop,
            offset: 0,
        }
    }

    /// The workflows that there are.
    pub(crate) fn keys(&self) -> Vec<Key> {
        self.workflows.keys().copied().collect()
    }

    pub(crate) fn forget(&mut self) {
        self.workflows.clear();
    }

    /// What a snapshot holds. Whoever takes one looks at every workflow.
    pub(crate) fn snapshot(&mut self, now: Now) -> Kept {
        for workflow in self.workflows.values_mut() {
            workflow.settle(now);
        }
        self.kept(now)
    }

    /// What outlives the process. Nobody looks.
    pub(crate) fn kept(&mut self, now: Now) -> Kept {
        for workflow in self.workflows.values_mut() {
            workflow.pass(now);
        }
        let workflows = self.workflows.clone();
        Kept { workflows, at: now }
    }

    /// What is under way goes on from now with the time that it had left.
    pub(crate) fn restore(&mut self, kept: &Kept, now: Now) {
        self.workflows.clone_from(&kept.workflows);
        for workflow in self.workflows.values_mut() {
            if let Some((When::At(at), _)) = &mut workflow.next {
                *at = now + at.since(kept.at);
            }
        }
    }

    /// Does what is asked for and says what must be answered. What is wrong with the request is told
    /// in the order of the table in the documentation.
    pub(crate) fn answer(&mut self, ask: &Ask, now: Now) -> Answer {
        match self.accepted(ask, now) {
            Ok(body) => Answer {
                status: 200,
                code: None,
                body,
            },
            Err((status, code)) => Answer {
                status,
                code: (code != 0).then_some(code),
                body: Value::Null,
            },
        }
    }

    fn accepted(&mut self, ask: &Ask, now: Now) -> Result<Value, (u16, u32)> {
        let refused_for = |flaws: &[(Flaw, u16, u32)]| {
            let found = flaws.iter().find(|(flaw, ..)| ask.has(*flaw));
            found.map_or(Ok(()), |(_, status, code)| Err((*status, *code)))
        };
        refused_for(&[
            (Flaw::Method, 405, 0),
            (Flaw::Chunked, 411, 18003),
            (Flaw::Length, 400, 18004),
            (Flaw::TooLarge, 413, 18005),
            (Flaw::Unsigned, 401, 0),
            (Flaw::Stranger, 401, 0),
            (Flaw::Forged, 401, 0),
        ])?;
        if self.offset.abs() > 15 * 60 {
            return Err((401, 0));
        }
        let account = match ask.owner {
            None | Some("") => ask.caller,
            Some(owner) if ACCOUNTS.contains(&owner) => owner,
            Some(_) => return Err((404, 18664)),
        };
        refused_for(&[(Flaw::Digest, 400, 18220)])?;
        if ask.what != What::List && !matches!(ask.name, "alpha" | "beta") {
            return Err((400, 18639));
        }
        let has_body = match ask.what {
            What::Create { .. } | What::Update { .. } | What::Search { .. } => true,
            What::Start | What::Stop => !ask.has(Flaw::Empty),
            What::List | What::Get | What::Status | What::Delete => false,
        };
        if has_body {
            refused_for(&[(Flaw::Empty, 400, 18006), (Flaw::Broken, 400, 18007)])?;
            if ask.flaws.iter().any(|flaw| matches!(flaw, Flaw::Shape(_))) {
                return Err((400, 18642));
            }
            // To a search the name in the body is that of a node.
            if !matches!(ask.what, What::Search { .. }) {
                refused_for(&[(Flaw::OtherName, 400, 18642)])?;
            }
        }
        self.perform(account, ask, now)
    }

    fn perform(&mut self, account: &'static str, ask: &Ask, now: Now) -> Result<Value, (u16, u32)> {
        let done = Ok(json!({}));
        let (key, offset) = ((account, ask.name), self.offset);
        match ask.what {
            What::List => {
                let all = self.workflows.iter_mut();
                let mine = all.filter(|((owner, _), _)| *owner == account);
                return Ok(mine
                    .map(|((_, name), workflow)| {
                        workflow.settle(now);
                        let shown = workflow.shown(name, offset);
                        workflow.seen();
                        shown
                    })
                    .collect());
            }
            What::Create { region, comment } => {
                let region = known(region)?;
                if ask.has(Flaw::LongComment) {
                    return Err((400, 18008));
                }
                if self.workflows.contains_key(&key) {
                    return Err((409, 18640));
                }
                let workflow = Workflow::new(region, comment.to_string(), now);
                self.workflows.insert(key, workflow);
                return done;
            }
            What::Update { region, .. } => drop(known(region)?),
            What::Delete => {
                return self
                    .workflows
                    .remove(&key)
                    .map_or(Err((404, 18641)), |_| done);
            }
            _ => {}
        }
        let workflow = self.workflows.get_mut(&key).ok_or((404, 18641))?;
        workflow.settle(now);
        match ask.what {
            What::Update { region, .. } if region != Some(workflow.region) => Err((400, 18642)),
            What::Update { .. } if !workflow.is_idle() => Err((400, 18643)),
            What::Update { graph, .. } => {
                if let Some((graph, version)) = graph {
                    graph.refusal().map_or(Ok(()), |code| Err((400, code)))?;
                    workflow.replace(graph, version, now);
                }
                workflow.updated = now.wall;
                done
            }
            What::Get => {
                let mut shown = workflow.shown(ask.name, offset);
                shown["nodes"] = Value::Object(workflow.nodes.clone());
                workflow.seen();
                Ok(shown)
            }
            What::Status => {
                let status = workflow.status;
                let nodes = workflow.nodes.values().map(
                    |node| json!({"name": node["name"], "type": node["type"], "status": status}),
                );
                let shown = json!({
                    "name": ask.name, "region": workflow.region, "status": status,
                    "nodes": nodes.collect::<Value>(),
                });
                workflow.seen();
                Ok(shown)
            }
            What::Start if !workflow.is_idle() => Err((400, 18644)),
            What::Start if !workflow.graph.can_start() => Err((400, 18650)),
            What::Start => {
                workflow.set_out(["Starting", "Started", "Stopped"], self.start, now);
                done
            }
            What::Stop if workflow.status != "Started" => Err((400, 18645)),
            What::Stop => {
                workflow.set_out(["Stopping", "Stopped", "Started"], self.stop, now);
                done
            }
            What::Search { size } => {
                let size = size.filter(|size| *size > 0).unwrap_or(10);
                Ok(workflow.found(size, offset))
            }
            What::List | What::Create { .. } | What::Delete => unreachable!("answered above"),
        }
    }
}

fn known(region: Option<&'static str>) -> Result<&'static str, (u16, u32)> {
    region
        .filter(|region| REGIONS.contains(region))
        .ok_or((400, 18642))
}
