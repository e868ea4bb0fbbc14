//! What *search logs* finds: the history of the workflow, told by each of its nodes.
//!
//! An emulator moves no data, so it has nothing to tell but what it did itself. It makes up neither
//! advice nor counts of records: `recommend` and `metric` are always empty.

use std::collections::BTreeSet;

use pipeline_graph::Graph;
use pipeline_proto::model::{Node, NodeId, NodeType, Nodes};
use serde::{Deserialize, Serialize};

use crate::{
    clock_skew::ClockSkew,
    date::{rfc3339_millis, unix_time},
    workflow::{Event, Workflow},
};

/// How many entries are given when the request does not say.
const DEFAULT_SIZE: usize = 10;

/// How many entries are given at most.
const MAX_SIZE: usize = 1_000;

/// What to look for. Each member may be missing, `null` or empty, and then admits everything.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Search {
    /// Repeated from the path by some clients.
    #[serde(rename = "type")]
    node_type: Option<String>,
    name: Option<String>,
    #[serde(rename = "reponame")]
    repo: Option<String>,
    /// Text that a line must contain; `*` for any.
    query: Option<String>,
    size: Option<i64>,
    /// Milliseconds since 1970, 0 for not given; both ends belong to the range.
    start_time: Option<i64>,
    end_time: Option<i64>,
}

/// The response. `status` and `log` tell the same, once in members and once in words.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Found<'a> {
    status: Vec<StatusEntry<'a>>,
    log: Vec<LogEntry<'a>>,
    recommend: [(); 0],
    metric: [(); 0],
}

#[derive(Debug, Serialize)]
struct StatusEntry<'a> {
    r#type: &'a str,
    name: &'a str,
    timestamp: String,
    status: &'a str,
    reason: &'a str,
}

#[derive(Debug, Serialize)]
struct LogEntry<'a> {
    r#type: &'a str,
    name: &'a str,
    timestamp: String,
    log: String,
}

/// One node's view of one event.
#[derive(Clone, Copy)]
struct Line<'a> {
    node: &'a Node,
    event: &'a Event,
}

impl Line<'_> {
    fn text(&self) -> String {
        let Node {
            name, node_type, ..
        } = self.node;
        let Event { what, status, .. } = self.event;
        format!("{node_type} {name}: {what}; status {status}")
    }
}

impl Search {
    /// The latest entries that match, the latest first.
    pub(crate) fn run<'a>(
        &self,
        workflow: &'a Workflow,
        nodes: &'a Nodes,
        offset: ClockSkew,
    ) -> Found<'a> {
        let size = match self.size.and_then(|size| usize::try_from(size).ok()) {
            None | Some(0) => DEFAULT_SIZE,
            Some(size) => size.min(MAX_SIZE),
        };
        let mut lines: Vec<Line<'a>> = self
            .meant(nodes)
            .into_iter()
            .flat_map(|(id, node)| {
                workflow
                    .history_of(id)
                    .map(move |event| Line { node, event })
            })
            .filter(|line| self.admits(line, offset))
            .collect();
        // By number, since clocks may jump. Stable: nodes stay in the order of their ids.
        lines.sort_by_key(|line| std::cmp::Reverse(line.event.number));
        lines.truncate(size);
        let mut found = Found::default();
        for line in lines {
            let timestamp = rfc3339_millis(offset.apply(line.event.wall));
            let (r#type, name) = (line.node.node_type.as_str(), line.node.name.as_str());
            found.status.push(StatusEntry {
                r#type,
                name,
                timestamp: timestamp.clone(),
                status: line.event.status.as_str(),
                reason: &line.event.what,
            });
            found.log.push(LogEntry {
                r#type,
                name,
                timestamp,
                log: line.text(),
            });
        }
        found
    }

    /// The nodes that are meant.
    fn meant<'a>(&self, nodes: &'a Nodes) -> Vec<(&'a NodeId, &'a Node)> {
        let repo = self.repo.as_deref().unwrap_or_default();
        let downstream = (!repo.is_empty()).then(|| hanging_on(nodes, repo));
        let is = |wanted: &Option<String>, actual: &str| {
            wanted
                .as_deref()
                .is_none_or(|wanted| wanted.is_empty() || wanted == actual)
        };
        nodes
            .iter()
            .filter(|(id, node)| {
                is(&self.node_type, node.node_type.as_str())
                    && is(&self.name, &node.name)
                    && downstream.as_ref().is_none_or(|ids| ids.contains(*id))
            })
            .collect()
    }

    fn admits(&self, line: &Line<'_>, offset: ClockSkew) -> bool {
        let at = unix_time(offset.apply(line.event.wall)).as_millis();
        // A negative bound is before everything there is.
        let bound = |millis: Option<i64>| match millis {
            None | Some(0) => None,
            Some(millis) => Some(u128::try_from(millis).unwrap_or(0)),
        };
        let query = self.query.as_deref().unwrap_or_default();
        bound(self.start_time).is_none_or(|start| start <= at)
            && bound(self.end_time).is_none_or(|end| at <= end)
            && (matches!(query, "" | "*") || line.text().contains(query))
    }
}

/// A message queue and everything that reads from it, directly or not.
fn hanging_on(nodes: &Nodes, repo: &str) -> BTreeSet<NodeId> {
    let repo = NodeId::of(repo, &NodeType::Repo);
    // The nodes were checked when they were taken; should they not pass again, nothing hangs on it.
    let Ok(graph) = Graph::new(nodes) else {
        return BTreeSet::new();
    };
    graph
        .descendants(repo.as_str())
        .into_iter()
        .chain([&repo])
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::{Id, Kind},
        transition::Transition,
    };
    use pipeline_proto::Now;
    use std::time::{Duration, SystemTime};

    fn at(seconds: u64) -> Now {
        Now::new(SystemTime::UNIX_EPOCH, Duration::ZERO) + Duration::from_secs(seconds)
    }

    /// Created at 1 s; two repos, the first with an export, at 2 s; started from 3 s to 5 s.
    fn workflow() -> (Workflow, Nodes) {
        let nodes: Nodes = serde_json::from_str(
            r#"{
                "clicks-repo": {"name":"clicks","type":"repo","children":[{"name":"save","type":"export"}]},
                "save-export": {"name":"save","type":"export","parents":[{"name":"clicks","type":"repo"}]},
                "views-repo": {"name":"views","type":"repo"}
            }"#,
        )
        .unwrap();
        let mut workflow = Workflow::new("nb".into(), String::new(), at(1));
        let (repo, export) = (Kind::Repo, Kind::Export);
        let all = [(repo, "clicks"), (export, "clicks/save"), (repo, "views")];
        let all = all.map(|(kind, path)| (Id::new(kind, path), None));
        workflow.replace(all, at(2));
        workflow.start(Transition::After(Duration::from_secs(2)), at(3));
        workflow.settle(at(9), Duration::ZERO);
        (workflow, nodes)
    }

    fn lines(search: &str) -> Vec<String> {
        let search: Search = serde_json::from_str(search).unwrap();
        let (workflow, nodes) = workflow();
        let found = search.run(&workflow, &nodes, ClockSkew::default());
        assert_eq!(found.log.len(), found.status.len());
        found
            .log
            .into_iter()
            .map(|entry| format!("{} {}", &entry.timestamp[17..], entry.log))
            .collect()
    }

    #[test]
    fn nodes_tell_what_happened_the_latest_first() {
        let found = lines(r#"{"type":"export","name":"save","query":"*","size":0,"startTime":0}"#);
        assert_eq!(
            found,
            [
                "05.000Z export save: started; status Started",
                "03.000Z export save: a start was asked for; status Starting",
                "02.000Z export save: the nodes were replaced; status Ready",
            ]
        );
        assert_eq!(lines("{}").len(), 9);
    }

    #[test]
    fn every_member_narrows_the_search() {
        for (search, count) in [
            (r#"{"type":"repo"}"#, 6),
            (r#"{"type":"job"}"#, 0),
            (r#"{"name":"clicks"}"#, 3),
            (r#"{"reponame":"clicks"}"#, 6),
            (r#"{"reponame":"clicks","type":"export"}"#, 3),
            (r#"{"reponame":"views"}"#, 3),
            (r#"{"reponame":"nobody"}"#, 0),
            (r#"{"query":"Starting"}"#, 3),
            (r#"{"query":"no such text"}"#, 0),
            (r#"{"size":4}"#, 4),
            (r#"{"size":-1}"#, 9),
            (r#"{"startTime":3000}"#, 6),
            (r#"{"endTime":3000}"#, 6),
            (r#"{"startTime":3000,"endTime":3000}"#, 3),
            (r#"{"startTime":3001,"endTime":4999}"#, 0),
            (r#"{"endTime":-5}"#, 0),
            (r#"{"region":"nb","unknown":[1],"type":null}"#, 9),
        ] {
            assert_eq!(lines(search).len(), count, "{search}");
        }
    }

    #[test]
    fn the_answer_has_all_its_arrays() {
        let empty = serde_json::to_string(&Found::default()).unwrap();
        assert_eq!(
            empty,
            r#"{"status":[],"log":[],"recommend":[],"metric":[]}"#
        );
    }
}
