//! What a workflow is, apart from what it does at the moment: name, region, comment and graph.
//!
//! ```
//! use pipeline_graph::Definition;
//! use pipeline_proto::model::Workflow;
//!
//! let answer = r#"{"name": "logs", "region": "nb", "status": "Started", "nodes": {}}"#;
//! let workflow: Workflow = serde_json::from_str(answer)?;
//! let definition = Definition::from(&workflow);
//! assert_eq!(definition.name, "logs");
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::fmt;

use pipeline_proto::{
    NameError, Region, WorkflowName,
    model::{Nodes, Workflow},
};

/// A workflow without its state and times: what a file holds, and what is compared.
///
/// Equality is that of the texts; [`diff`](crate::diff::diff) compares by meaning.
///
/// ```
/// use pipeline_graph::Definition;
/// use pipeline_proto::model::Nodes;
///
/// let definition = Definition::new("clicks", Nodes::new());
/// assert_eq!(definition.workflow_name()?.as_str(), "clicks");
/// assert_eq!(definition.checked_region()?.as_str(), "nb");
/// # Ok::<(), pipeline_proto::NameError>(())
/// ```
///
/// It knows which of its texts came from the environment, and does not show them: `Debug` and a
/// [`diff`](crate::diff::diff) have the references in their place, as [`written`](Self::written) has.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Definition {
    /// The name; empty if the source has none.
    pub name: String,
    /// Where it computes and stores.
    pub region: String,
    /// Free text.
    pub comment: String,
    /// The graph.
    pub nodes: Nodes,
    /// The same as it is written, if it is not written so.
    pub(crate) written: Option<Box<Definition>>,
}

impl Definition {
    /// A definition without a comment in the default region.
    pub fn new(name: impl Into<String>, nodes: Nodes) -> Self {
        Self {
            name: name.into(),
            region: Region::default().into(),
            comment: String::new(),
            nodes,
            written: None,
        }
    }

    /// What may be shown of it: `${NAME}` in place of what came from the environment.
    pub fn written(&self) -> &Self {
        self.written.as_deref().unwrap_or(self)
    }

    /// The name, if it is a legal one.
    pub fn workflow_name(&self) -> Result<WorkflowName, NameError> {
        WorkflowName::new(self.name.as_str())
    }

    /// The region, if it can be the name of one.
    pub fn checked_region(&self) -> Result<Region, NameError> {
        Region::new(self.region.as_str())
    }
}

impl From<&Workflow> for Definition {
    fn from(workflow: &Workflow) -> Self {
        Self {
            name: workflow.name.to_string(),
            region: workflow.region.to_string(),
            comment: workflow.comment.clone(),
            nodes: workflow.nodes.clone().unwrap_or_default(),
            written: None,
        }
    }
}

impl PartialEq for Definition {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.region == other.region
            && self.comment == other.comment
            && self.nodes == other.nodes
    }
}

impl fmt::Debug for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = self.written();
        f.debug_struct("Definition")
            .field("name", &written.name)
            .field("region", &written.region)
            .field("comment", &written.comment)
            .field("nodes", &written.nodes)
            .finish_non_exhaustive()
    }
}
