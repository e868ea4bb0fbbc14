use std::{collections::BTreeMap, fmt};

use pipeline_graph::{Graph, GraphError};
use pipeline_proto::{Now, WorkflowName};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{
    resource::Members,
    state::{Id, Item, Kind},
    workflow::{StoredGraph, StoredState, Workflow},
};

/// Of the form in which snapshots are written.
const VERSION: u32 = 1;

/// Whose it is, and which of theirs.
pub(crate) type Key = (String, Id);

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

/// Something as it is written down. The graph of a workflow was checked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stored {
    Workflow {
        state: StoredState,
        graph: StoredGraph<'static>,
        can_start: bool,
    },
    Other(Members),
}

impl Stored {
    /// A workflow has been settled to this moment.
    pub(crate) fn of(item: &Item, now: Now) -> Self {
        match item {
            Item::Workflow(workflow) => Self::Workflow {
                state: workflow.stored_state(now),
                graph: workflow.stored_graph().into_owned(),
                can_start: workflow.can_start(),
            },
            Item::Other(members) => Self::Other(members.clone()),
        }
    }

    pub(crate) fn new(state: StoredState, graph: StoredGraph<'static>) -> Result<Self, GraphError> {
        let can_start = Graph::new(graph.nodes())?.can_start();
        Ok(Self::Workflow {
            state,
            graph,
            can_start,
        })
    }

    pub(crate) fn restored(&self, now: Now) -> Item {
        match self {
            Self::Workflow {
                state,
                graph,
                can_start,
            } => Item::Workflow(Workflow::restored(state, graph, *can_start, now)),
            Self::Other(members) => Item::Other(members.clone()),
        }
    }
}

/// Anything but a workflow in the JSON of a snapshot.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OtherRecord {
    owner: String,
    kind: Kind,
    path: String,
    members: Members,
}

/// A workflow in the JSON of a snapshot.
#[derive(Serialize)]
struct Record<'a> {
    owner: &'a str,
    name: &'a str,
    state: &'a StoredState,
    graph: &'a StoredGraph<'a>,
}

/// A [`Record`] that was read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnedRecord {
    owner: String,
    name: WorkflowName,
    state: Option<StoredState>,
    graph: Option<StoredGraph<'static>>,
}

impl OwnedRecord {
    /// What was wrong with it, in words.
    fn whole(self) -> Result<(Key, Stored), String> {
        let key = (self.owner, Id::workflow(&self.name));
        let (Some(state), Some(graph)) = (self.state, self.graph) else {
            return Err(format!("{:?} has no state or no graph", self.name));
        };
        match Stored::new(state, graph) {
            Ok(stored) => Ok((key, stored)),
            Err(error) => Err(format!("{:?}: {error}", self.name)),
        }
    }
}

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    workflows: Vec<Record<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resources: Vec<OtherRecord>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    version: u32,
    workflows: Vec<OwnedRecord>,
    #[serde(default)]
    resources: Vec<OtherRecord>,
}

impl Serialize for Snapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut written = Written {
            version: VERSION,
            workflows: Vec::new(),
            resources: Vec::new(),
        };
        for ((owner, id), stored) in self.iter() {
            match stored {
                Stored::Workflow { state, graph, .. } => written.workflows.push(Record {
                    owner,
                    name: &id.path,
                    state,
                    graph,
                }),
                Stored::Other(members) => written.resources.push(OtherRecord {
                    owner: owner.clone(),
                    kind: id.kind,
                    path: id.path.clone(),
                    members: members.clone(),
                }),
            }
        }
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Snapshot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = Read::deserialize(deserializer)?;
        if read.version != VERSION {
            let version = read.version;
            return Err(D::Error::custom(format!(
                "the snapshot has version {version}, this program reads version {VERSION}"
            )));
        }
        let mut snapshot = Self::default();
        for record in read.workflows {
            let (key, stored) = record.whole().map_err(D::Error::custom)?;
            snapshot.add(key, stored).map_err(D::Error::custom)?;
        }
        for record in read.resources {
            if record.kind == Kind::Workflow {
                return Err(D::Error::custom("a workflow is no other resource"));
            }
            let id = Id::new(record.kind, &record.path);
            let stored = Stored::Other(record.members);
            snapshot
                .add((record.owner, id), stored)
                .map_err(D::Error::custom)?;
        }
        Ok(snapshot)
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
        assert!(with(r#""version":1"#, r#""version":2"#).contains("version 2"));
        assert!(with(r#""name":"w""#, r#""name":"w-""#).contains("'-' at position 2"));
        assert!(with(r#""phase":"ready""#, r#""phase":"odd""#).contains("odd"));
        assert!(with(r#""region""#, r#""Region""#).contains("Region"));
        assert!(with(r#""type":"export""#, r#""type":"repo""#).contains("\"w\": "));
        assert!(with(r#""owner":"development","#, "").contains("owner"));
        let record = &good[r#"{"version":1,"workflows":["#.len()..good.len() - 2];
        let twice = format!(r#"{{"version":1,"workflows":[{record},{record}]}}"#);
        assert!(refused(&twice).contains("twice"));
        let bare = r#"{"version":1,"workflows":[{"owner":"a","name":"w"}]}"#;
        assert!(refused(bare).contains("no state"));
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
