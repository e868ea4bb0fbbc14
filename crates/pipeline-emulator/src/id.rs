//! What something is, whose it is, and which of theirs.

use pipeline_proto::{
    WorkflowName,
    model::{NodeId, NodeType},
};
use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($kind:ident = $word:literal),* $(,)?) => {
        /// What something is; with the word that snapshots and state files have for it. For what can be
        /// a node of a workflow, that is the node's type.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub(crate) enum Kind { $(#[serde(rename = $word)] $kind),* }

        impl Kind {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$kind),*];

            pub(crate) fn of(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$kind),)* _ => None }
            }

            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $word),* }
            }
        }
    };
}

kinds! {
    Workflow = "workflow",
    Repo = "repo",
    Data = "data",
    Transform = "transform",
    Export = "export",
    Datasource = "datasource",
    Job = "job",
    JobExport = "exportBatch",
    Plugin = "plugin",
    Group = "group",
    UdfJar = "udfJar",
    Udf = "udf",
    Variable = "variable",
    LogdbRepo = "logdbRepo",
    TsdbRepo = "tsdbRepo",
    TsdbSeries = "tsdbSeries",
    TsdbView = "tsdbView",
    ReportDatabase = "reportDatabase",
    ReportTable = "reportTable",
}

/// Which of the things of an account: the names in its path, with slashes between them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Id {
    pub(crate) kind: Kind,
    pub(crate) path: String,
}

impl Id {
    pub(crate) fn new(kind: Kind, path: &str) -> Self {
        Self {
            kind,
            path: path.to_owned(),
        }
    }

    pub(crate) fn workflow(name: &WorkflowName) -> Self {
        Self::new(Kind::Workflow, name.as_str())
    }

    /// The last of its names, which is its own.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The name of what it hangs on, if its path says that.
    pub(crate) fn parent(&self) -> Option<&str> {
        self.path.split_once('/').map(|(parent, _)| parent)
    }

    /// As a node of a workflow.
    pub(crate) fn node_type(&self) -> NodeType {
        NodeType::from(self.kind.as_str())
    }

    pub(crate) fn node_id(&self) -> NodeId {
        NodeId::of(self.name(), &self.node_type())
    }
}

/// Whose it is, and which of theirs.
pub(crate) type Key = (String, Id);
