use bytes::Bytes;
use http::{Method, Response};

use super::{Draft, Idempotency, Operation, decode_json};
use crate::{
    error::{BuildError, DecodeError},
    model::Workflow,
    name::WorkflowName,
};

/// Shows one workflow with its graph: `GET /v2/workflows/{name}`.
///
/// ```
/// use pipeline_proto::{WorkflowName, operation::{GetWorkflow, Operation}};
///
/// let get = GetWorkflow::new(WorkflowName::from_static("logs"));
/// assert_eq!(get.draft()?.target(), "/v2/workflows/logs");
/// # Ok::<(), pipeline_proto::BuildError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GetWorkflow {
    /// Which workflow.
    pub name: WorkflowName,
}

impl GetWorkflow {
    /// The operation for this workflow.
    pub fn new(name: WorkflowName) -> Self {
        Self { name }
    }
}

impl Operation for GetWorkflow {
    type Output = Workflow;
    const NAME: &'static str = "get_workflow";
    const IDEMPOTENCY: Idempotency = Idempotency::Safe;

    fn draft(&self) -> Result<Draft, BuildError> {
        Draft::new(Method::GET, &["v2", "workflows", self.name.as_str()])
    }

    /// Fills in the name where the answer lacks it, as answers written in the style of the vendor's
    /// Go SDK may.
    fn decode(&self, response: &Response<Bytes>) -> Result<Workflow, DecodeError> {
        let mut workflow: Workflow = decode_json(response)?;
        if workflow.name.is_empty() {
            self.name.as_str().clone_into(&mut workflow.name);
        }
        Ok(workflow)
    }
}
