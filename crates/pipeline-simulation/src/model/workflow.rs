//! A workflow: its status, what becomes of that by itself, and what its nodes have seen.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use pipeline_emulator::Transition;
use pipeline_proto::Now;
use serde_json::{Map, Value, json};

use super::{Graph, moment};

#[derive(Debug, Clone)]
pub(super) struct Workflow {
    pub(super) region: &'static str,
    comment: String,
    created: SystemTime,
    pub(super) updated: SystemTime,
    pub(super) graph: Graph,
    nodes: Map<String, Value>,
    manual_run: Duration,
    pub(super) status: &'static str,
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
    pub(super) fn new(region: &'static str, comment: &str, manual_run: Duration, now: Now) -> Self {
        Self {
            region,
            comment: comment.to_owned(),
            created: now.wall,
            updated: now.wall,
            graph: Graph::Empty,
            nodes: Map::new(),
            manual_run,
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
        self.next = ends.then(|| (When::At(at + self.manual_run), "Stopped"));
    }

    /// A start or a stop: the status in between, the one that is wanted, and the one it falls back to.
    pub(super) fn set_out(
        &mut self,
        [via, to, back]: [&'static str; 3],
        how: Transition,
        now: Now,
    ) {
        self.turn(via, now);
        self.next = match how {
            Transition::Immediate => Some((When::At(now), to)),
            Transition::After(time) => Some((When::At(now + time), to)),
            Transition::AfterReads(reads) => Some((When::Reads(reads), to)),
            Transition::FallsBack(time) => Some((When::At(now + time), back)),
            _ => None,
        };
    }

    /// Lets happen what time has brought about.
    pub(super) fn pass(&mut self, now: Now) {
        while let Some((When::At(at), status)) = self.next
            && at.mono <= now.mono
        {
            self.turn(status, at);
        }
    }

    /// The same, for somebody who looks: what waited for the last read is over now.
    pub(super) fn settle(&mut self, now: Now) {
        self.pass(now);
        if let Some((When::Reads(0), status)) = self.next {
            self.turn(status, now);
            self.pass(now);
        }
    }

    /// In another process, with the time that was left.
    pub(super) fn go_on(&mut self, from: Now, now: Now) {
        if let Some((When::At(at), _)) = &mut self.next {
            *at = now + at.since(from);
        }
    }

    /// Somebody has seen the status.
    fn seen(&mut self) {
        if let Some((When::Reads(left @ 1..), _)) = &mut self.next {
            *left -= 1;
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        matches!(self.status, "Ready" | "Stopped")
    }

    pub(super) fn replace(&mut self, graph: Graph, nodes: Map<String, Value>, now: Now) {
        let count = self.events.len();
        self.earlier.retain(|id, _| nodes.contains_key(id));
        for id in nodes.keys() {
            self.earlier.entry(id.clone()).or_insert(count);
        }
        (self.graph, self.nodes) = (graph, nodes);
        self.events.push((now.wall, self.status));
    }

    /// The names of its nodes of a type.
    pub(super) fn named<'a>(&'a self, r#type: &'a str) -> impl Iterator<Item = &'a str> {
        let of_type = self
            .nodes
            .values()
            .filter(move |node| node["type"] == *r#type);
        of_type.filter_map(|node| node["name"].as_str())
    }

    /// What a list shows of it.
    pub(super) fn look(&mut self, name: &str, ahead: i64, now: Now) -> Value {
        self.settle(now);
        let second = |time| moment(time, ahead).div_euclid(1_000) * 1_000;
        let shown = json!({
            "name": name, "region": self.region, "comment": self.comment, "status": self.status,
            "canStart": self.graph.can_start(), "isManualWorkflow": self.graph.is_manual(),
            "createTime": second(self.created), "updateTime": second(self.updated),
        });
        self.seen();
        shown
    }

    pub(super) fn get(&mut self, name: &str, ahead: i64, now: Now) -> Value {
        let mut shown = self.look(name, ahead, now);
        shown["nodes"] = Value::Object(self.nodes.clone());
        shown
    }

    pub(super) fn state(&mut self, name: &str, now: Now) -> Value {
        self.settle(now);
        let status = self.status;
        let state =
            |node: &Value| json!({"name": node["name"], "type": node["type"], "status": status});
        let nodes: Value = self.nodes.values().map(state).collect();
        self.seen();
        json!({"name": name, "region": self.region, "status": status, "nodes": nodes})
    }

    /// What a search finds: each event as each node has seen it, the latest first.
    pub(super) fn found(&self, search: &Value, ahead: i64) -> Value {
        let (mut status, mut log) = (Vec::new(), Vec::new());
        for (number, (at, after)) in self.events.iter().enumerate().rev() {
            for (_, node) in self
                .nodes
                .iter()
                .filter(|(id, _)| self.earlier[*id] <= number)
            {
                let line = json!({
                    "type": node["type"], "name": node["name"], "timestamp": moment(*at, ahead),
                });
                log.push(line.clone());
                status.push(line);
                status.last_mut().expect("it was just pushed")["status"] = json!(after);
            }
        }
        let size = search["size"]
            .as_u64()
            .filter(|size| *size > 0)
            .unwrap_or(10);
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        status.truncate(size);
        log.truncate(size);
        json!({"status": status, "log": log, "recommend": [], "metric": []})
    }
}
