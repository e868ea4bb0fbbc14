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
#[derive(Debug, Clone, Default, PartialEq)]
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
}

impl Definition {
    /// A definition without a comment in the default region.
    pub fn new(name: impl Into<String>, nodes: Nodes) -> Self {
        Self {
            name: name.into(),
            region: Region::default().into(),
            comment: String::new(),
            nodes,
        }
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
            name: workflow.name.clone(),
            region: workflow.region.clone(),
            comment: workflow.comment.clone(),
            nodes: workflow.nodes.clone().unwrap_or_default(),
        }
    }
}
