use bytes::Bytes;
use http::{Method, Response};
use serde::Serialize;

use super::{Draft, Idempotency, Operation, decode_nothing};
use crate::{
    error::{BuildError, DecodeError},
    model::Nodes,
    name::{NodeName, Region, WorkflowName},
};

/// Replaces the graph of a workflow: `PUT /v2/workflows/{name}`.
///
/// **Not on the API page**; only the vendor's SDKs show it. The graph is replaced as a whole, and
/// what a request without nodes would do is not known, so a complete map is required here. Refused
/// by the service while the workflow runs or changes state (E18643). The comment cannot be changed.
///
/// ```
/// use pipeline_proto::{NodeName, WorkflowName};
/// use pipeline_proto::model::{Node, NodeType, Nodes};
/// use pipeline_proto::operation::{Operation, UpdateWorkflow};
///
/// let source = Node::new(NodeName::from_static("clicks"), NodeType::Repo, r#"{"region":"nb"}"#.parse()?);
/// let nodes = Nodes::from([(source.id(), source)]);
/// let update = UpdateWorkflow::new(WorkflowName::from_static("logs"), nodes);
/// assert_eq!(update.draft()?.target(), "/v2/workflows/logs");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct UpdateWorkflow {
    /// Which workflow.
    pub name: WorkflowName,
    /// Its region; whether it can be changed is not known, so give the one it has.
    pub region: Region,
    /// The whole graph.
    pub nodes: Nodes,
}

impl UpdateWorkflow {
    /// Replaces the graph of a workflow in the default region.
    pub fn new(name: WorkflowName, nodes: Nodes) -> Self {
        Self {
            name,
            region: Region::default(),
            nodes,
        }
    }

    /// Sets the region.
    #[must_use]
    pub fn region(mut self, region: Region) -> Self {
        self.region = region;
        self
    }
}

impl Operation for UpdateWorkflow {
    type Output = ();
    const NAME: &'static str = "update_workflow";
    const IDEMPOTENCY: Idempotency = Idempotency::Idempotent;

    /// # Errors
    ///
    /// If the name of a node is not legal.
    fn draft(&self) -> Result<Draft, BuildError> {
        #[derive(Serialize)]
        struct Body<'a> {
            name: &'a WorkflowName,
            region: &'a Region,
            nodes: &'a Nodes,
        }
        for node in self.nodes.values() {
            NodeName::new(node.name.as_str())?;
        }
        let body = Body {
            name: &self.name,
            region: &self.region,
            nodes: &self.nodes,
        };
        Draft::new(Method::PUT, &["v2", "workflows", self.name.as_str()])?.json(&body)
    }

    fn decode(&self, response: &Response<Bytes>) -> Result<(), DecodeError> {
        decode_nothing(response)
    }
}
