//! What all accounts have at one moment, and how each thing is written down.

mod json;

use std::{collections::BTreeMap, fmt, sync::Arc};

use pipeline_proto::{Now, model::Node};
use serde::{Deserialize, Serialize};

use crate::{
    id::{Id, Key, Kind},
    item::{Item, Members},
    workflow::{self, StoredState, Workflow},
};

/// What all accounts have at one moment, for [`restore`](crate::Emulator::restore).
///
/// It can be written as JSON and read again, by this or another process: of a transition under way it
/// keeps the time that is left. Node data stands in that JSON as it is, secrets included; `Debug`
/// tells a count only.
///
/// ```
/// use bytes::Bytes;
/// use http::Request;
/// use pipeline_emulator::{Authentication, Emulator, Snapshot};
/// use pipeline_proto::Now;
/// use std::time::{Duration, SystemTime};
///
/// let now = Now::new(SystemTime::UNIX_EPOCH, Duration::ZERO);
/// let mut emulator = Emulator::builder().authentication(Authentication::Off).build();
/// let create = Request::post("/v2/workflows/logs").body(Bytes::from(r#"{"region":"nb"}"#))?;
/// emulator.handle(create, now);
///
/// let text = serde_json::to_string(&emulator.snapshot(now))?;
/// emulator.reset();
/// let snapshot: Snapshot = serde_json::from_str(&text)?;
/// emulator.restore(&snapshot, now);
/// assert_eq!(emulator.snapshot(now), snapshot);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct Snapshot {
    items: BTreeMap<Key, Stored>,
}

impl Snapshot {
    /// How many workflows it holds.
    pub fn len(&self) -> usize {
        let ids = self.items.keys();
        ids.filter(|(_, id)| id.kind == Kind::Workflow).count()
    }

    /// Whether it holds nothing at all.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(crate) fn insert(&mut self, key: Key, stored: Stored) -> Option<Stored> {
        self.items.insert(key, stored)
    }

    fn add(&mut self, key: Key, stored: Stored) -> Result<(), String> {
        let path = key.1.path.clone();
        match self.insert(key, stored) {
            Some(_) => Err(format!("{path:?} is there twice")),
            None => Ok(()),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Key, &Stored)> {
        self.items.iter()
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot({} workflows)", self.len())
    }
}

/// Something as it is written down.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stored {
    Workflow(StoredState, Arc<workflow::Members>),
    Other(StoredResource),
}

/// Anything but a workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredResource {
    pub(crate) members: Members,
    /// If it came with the graph of its workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    node: Option<Node>,
}

impl Stored {
    /// A workflow has been settled to this moment.
    pub(crate) fn of(item: &Item, now: Now) -> Self {
        let (members, node) = match item {
            Item::Workflow(workflow) => {
                return Self::Workflow(workflow.stored_state(now), workflow.members());
            }
            Item::Other(members) => (members.clone(), None),
            Item::Node(members, node) => (members.clone(), Some(node.clone())),
        };
        Self::Other(StoredResource { members, node })
    }

    pub(crate) fn restored(&self, now: Now) -> Item {
        match self.clone() {
            Self::Workflow(state, members) => {
                Item::Workflow(Workflow::restored(state, members, now))
            }
            Self::Other(StoredResource { members, node }) => match node {
                Some(node) => Item::Node(members, node),
                None => Item::Other(members),
            },
        }
    }
}

impl Snapshot {
    /// Looks whether workflows and what belongs to them agree on that. Gives what is wrong, in words.
    pub(crate) fn check(&self) -> Result<(), String> {
        for ((owner, id), stored) in &self.items {
            match stored {
                Stored::Workflow(_, members) => {
                    for (node, member) in &**members {
                        let there = self.items.get(&(owner.clone(), member.id.clone()));
                        let belongs =
                            matches!(there, Some(Stored::Other(it)) if it.workflow() == id.path);
                        if !belongs || *node != member.id.node_id() {
                            let name = &id.path;
                            return Err(format!(
                                "the node {node:?} of {name:?} does not belong to it"
                            ));
                        }
                    }
                }
                Stored::Other(it) if it.workflow().is_empty() => {}
                Stored::Other(it) => {
                    let workflow = (owner.clone(), Id::new(Kind::Workflow, it.workflow()));
                    let lists = matches!(self.items.get(&workflow), Some(Stored::Workflow(_, members))
                        if members.get(&id.node_id()).is_some_and(|member| member.id == *id));
                    if !lists {
                        let (path, name) = (&id.path, it.workflow());
                        return Err(format!("{path:?} is no node of the workflow {name:?}"));
                    }
                }
            }
        }
        Ok(())
    }
}

impl StoredResource {
    fn workflow(&self) -> &str {
        let workflow = self.members.get("workflow");
        workflow.and_then(|it| it.as_str()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::{Emulator, Transition, testing::Fixture};

    const SECOND: Duration = Duration::from_secs(1);

    fn written(snapshot: &Snapshot) -> Snapshot {
        serde_json::from_str(&serde_json::to_string(snapshot).unwrap()).unwrap()
    }

    #[test]
    fn a_snapshot_survives_being_written_and_read() {
        let mut service = Fixture::new().ready();
        service.ok("POST", "/v2/workflows/w/start", "");
        let before = service.ok("GET", "/v2/workflows/w", "");
        let log = service.ok("POST", "/v2/workflows/w/search", "{}");
        let snapshot = service.emulator.snapshot(service.now);
        assert_eq!(written(&snapshot), snapshot);
        service.emulator.reset();
        service.emulator.restore(&written(&snapshot), service.now);
        assert_eq!(service.ok("GET", "/v2/workflows/w", ""), before);
        assert_eq!(service.ok("POST", "/v2/workflows/w/search", "{}"), log);
        // Node data is kept to the byte.
        let text = serde_json::to_string(&snapshot).unwrap();
        assert!(text.contains(r#""data":{"b": 1e0, "a":null}"#), "{text}");
    }

    /// The monotonic clock of the process that goes on begins anew.
    #[test]
    fn a_transition_goes_on_with_the_time_that_it_had_left() {
        for how in [
            Transition::After(5 * SECOND),
            Transition::FallsBack(5 * SECOND),
        ] {
            let mut service = Fixture::with(Emulator::builder().transitions(how)).ready();
            service.now.mono = 1_000 * SECOND;
            service.ok("POST", "/v2/workflows/w/start", "");
            service.now = service.now + 3 * SECOND;
            let snapshot = written(&service.emulator.snapshot(service.now));

            let mut other = Fixture::new();
            other.now = Now::new(SystemTime::UNIX_EPOCH, Duration::ZERO);
            other.emulator.restore(&snapshot, other.now);
            other.now = other.now + Duration::from_millis(1_999);
            assert_eq!(other.status(), "Starting");
            other.now = other.now + Duration::from_millis(1);
            assert_ne!(other.status(), "Starting");
        }
    }

    #[test]
    fn what_waits_for_reads_or_for_ever_goes_on_waiting() {
        for (how, left) in [(Transition::AfterReads(3), 2), (Transition::Stuck, 99)] {
            let mut service = Fixture::with(Emulator::builder().transitions(how)).ready();
            service.ok("POST", "/v2/workflows/w/start", "");
            service.status();
            let snapshot = written(&service.emulator.snapshot(service.now));
            service.emulator.restore(&snapshot, service.now);
            for _ in 0..left {
                assert_eq!(service.status(), "Starting");
            }
            assert_eq!(service.status() == "Started", left == 2);
        }
    }

    #[test]
    fn a_manual_run_goes_on_to_its_end() {
        let manual = r#"{"region":"nb","nodes":{
            "d-datasource":{"name":"d","type":"datasource","children":[{"name":"j","type":"job"}]},
            "j-job":{"name":"j","type":"job","data":{"scheduler":{"type":"manual"}},
                "parents":[{"name":"d","type":"datasource"}],"children":[{"name":"e","type":"exportBatch"}]},
            "e-exportBatch":{"name":"e","type":"exportBatch","parents":[{"name":"j","type":"job"}]}}}"#;
        let builder = Emulator::builder()
            .transitions(Transition::Immediate)
            .manual_run(5 * SECOND);
        let mut service = Fixture::with(builder).ready_empty();
        service.ok("PUT", "/v2/workflows/w", manual);
        service.ok("POST", "/v2/workflows/w/start", "");
        service.now = service.now + 2 * SECOND;
        assert_eq!(service.status(), "Started");
        let snapshot = written(&service.emulator.snapshot(service.now));
        service.now.mono = Duration::ZERO;
        service.emulator.restore(&snapshot, service.now);
        service.now = service.now + 2 * SECOND;
        assert_eq!(service.status(), "Started");
        service.now = service.now + SECOND;
        assert_eq!(service.status(), "Stopped");
    }

    #[test]
    fn what_is_no_snapshot_is_refused() {
        let mut service = Fixture::new().ready();
        let good = serde_json::to_string(&service.emulator.snapshot(service.now)).unwrap();
        let refused = |text: &str| {
            let error = serde_json::from_str::<Snapshot>(text).unwrap_err();
            error.to_string()
        };
        let with = |from: &str, to: &str| {
            assert!(good.contains(from), "{good}");
            refused(&good.replacen(from, to, 1))
        };
        assert!(with(r#""version":2"#, r#""version":1"#).contains("version 1"));
        assert!(with(r#""name":"w""#, r#""name":"w-""#).contains("'-' at position 2"));
        assert!(with(r#""phase":"ready""#, r#""phase":"odd""#).contains("odd"));
        assert!(with(r#""region""#, r#""Region""#).contains("Region"));
        // What belongs to a workflow and what the workflow says of it must agree.
        assert!(with(r#""workflow":"w""#, r#""workflow":"v""#).contains("does not belong"));
        assert!(with(r#""path":"clicks/save""#, r#""path":"saved""#).contains("does not belong"));
        assert!(
            with(
                r#","save-export":{"id":{"kind":"export","path":"clicks/save"},"since":1}"#,
                ""
            )
            .contains("is no node")
        );
        assert!(with(r#""owner":"development","#, "").contains("owner"));
        for list in ["workflows", "resources"] {
            let mut value: serde_json::Value = serde_json::from_str(&good).unwrap();
            let records = value[list].as_array_mut().unwrap();
            records.push(records[0].clone());
            assert!(refused(&value.to_string()).contains("twice"), "{list}");
        }
        let bare = r#"{"version":2,"workflows":[{"owner":"a","name":"w"}]}"#;
        assert!(refused(bare).contains("missing field `state`"));
    }

    #[test]
    fn numbers_beyond_all_measure_do_no_harm() {
        let mut service = Fixture::new().ready();
        let text = serde_json::to_string(&service.emulator.snapshot(service.now)).unwrap();
        let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let state = &mut value["workflows"][0]["state"];
        state["created_ms"] = u64::MAX.into();
        state["next_event"] = u64::MAX.into();
        state["history"][0]["at_ms"] = u64::MAX.into();
        state["phase"] = serde_json::json!({"starting": {"end": {"in_ms": u64::MAX}}});
        let snapshot: Snapshot = serde_json::from_value(value).unwrap();
        service.emulator.restore(&snapshot, service.now);
        assert_eq!(service.status(), "Starting");
        service.emulator.restore(&snapshot, service.now);
        assert_eq!(service.emulator.snapshot(service.now).len(), 1);
    }

    #[test]
    fn debug_shows_no_node_data() {
        let mut service = Fixture::new().ready();
        let shown = format!("{:?}", service.emulator.snapshot(service.now));
        assert_eq!(shown, "Snapshot(1 workflows)");
    }
}
