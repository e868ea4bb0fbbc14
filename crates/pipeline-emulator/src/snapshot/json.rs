//! A snapshot as JSON.

use std::{borrow::Cow, sync::Arc};

use pipeline_proto::{WorkflowName, model::Node};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{Snapshot, Stored, StoredResource};
use crate::{
    id::{Id, Kind},
    item::Members,
    workflow::{self, StoredState},
};

/// Of the form in which snapshots are written.
const VERSION: u32 = 2;

/// Anything but a workflow in the JSON of a snapshot.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResourceRecord<'a> {
    owner: Cow<'a, str>,
    kind: Kind,
    path: Cow<'a, str>,
    members: Cow<'a, Members>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    node: Option<Cow<'a, Node>>,
}

/// A workflow in the JSON of a snapshot.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkflowRecord<'a> {
    owner: Cow<'a, str>,
    name: Cow<'a, str>,
    state: Cow<'a, StoredState>,
    nodes: Cow<'a, workflow::Members>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<'a> {
    version: Version,
    workflows: Vec<WorkflowRecord<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    resources: Vec<ResourceRecord<'a>>,
}

/// It comes first, so that whoever brings another version hears of that.
#[derive(Serialize, Deserialize)]
#[serde(into = "u32", try_from = "u32")]
#[derive(Clone)]
struct Version;

impl From<Version> for u32 {
    fn from(_: Version) -> Self {
        VERSION
    }
}

impl TryFrom<u32> for Version {
    type Error = String;

    fn try_from(version: u32) -> Result<Self, String> {
        (version == VERSION).then_some(Self).ok_or_else(|| {
            format!("the snapshot has version {version}, this program reads version {VERSION}")
        })
    }
}

impl Serialize for Snapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut written = Written {
            version: Version,
            workflows: Vec::new(),
            resources: Vec::new(),
        };
        for ((owner, id), stored) in self.iter() {
            let owner = Cow::Borrowed(owner.as_str());
            match stored {
                Stored::Workflow(state, members) => written.workflows.push(WorkflowRecord {
                    owner,
                    name: Cow::Borrowed(&id.path),
                    state: Cow::Borrowed(state),
                    nodes: Cow::Borrowed(members),
                }),
                Stored::Other(resource) => written.resources.push(ResourceRecord {
                    owner,
                    kind: id.kind,
                    path: Cow::Borrowed(&id.path),
                    members: Cow::Borrowed(&resource.members),
                    node: resource.node.as_ref().map(Cow::Borrowed),
                }),
            }
        }
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Snapshot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        let mut snapshot = Self::default();
        for record in written.workflows {
            let name = WorkflowName::new(record.name).map_err(D::Error::custom)?;
            let key = (record.owner.into_owned(), Id::workflow(&name));
            let members = Arc::new(record.nodes.into_owned());
            let stored = Stored::Workflow(record.state.into_owned(), members);
            snapshot.add(key, stored).map_err(D::Error::custom)?;
        }
        for record in written.resources {
            if record.kind == Kind::Workflow {
                return Err(D::Error::custom("a workflow is no other resource"));
            }
            let key = (
                record.owner.into_owned(),
                Id::new(record.kind, &record.path),
            );
            let resource = StoredResource {
                members: record.members.into_owned(),
                node: record.node.map(Cow::into_owned),
            };
            snapshot
                .add(key, Stored::Other(resource))
                .map_err(D::Error::custom)?;
        }
        snapshot.check().map_err(D::Error::custom)?;
        Ok(snapshot)
    }
}
