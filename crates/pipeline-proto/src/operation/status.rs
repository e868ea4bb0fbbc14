use bytes::Bytes;
use http::{Method, Response};

use super::{Draft, Idempotency, Operation, decode_json};
use crate::{
    error::{BuildError, DecodeError},
    model::WorkflowState,
    name::WorkflowName,
};

/// Shows the status of a workflow and of each of its nodes: `GET /v2/workflows/{name}/status`.
///
/// **Not on the API page**; only the vendor's SDKs show it, so an installation may lack it.
///
/// ```
/// use pipeline_proto::{WorkflowName, operation::{GetWorkflowStatus, Operation}};
///
/// let status = GetWorkflowStatus::new(WorkflowName::from_static("logs"));
/// assert_eq!(status.draft()?.target(), "/v2/workflows/logs/status");
/// # Ok::<(), pipeline_proto::BuildError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GetWorkflowStatus {
    /// Which workflow.
    pub name: WorkflowName,
}

impl GetWorkflowStatus {
    /// The operation for this workflow.
    pub fn new(name: WorkflowName) -> Self {
        Self { name }
    }
}

impl Operation for GetWorkflowStatus {
    type Output = WorkflowState;
    const NAME: &'static str = "get_workflow_status";
    const IDEMPOTENCY: Idempotency = Idempotency::Safe;

    fn draft(&self) -> Result<Draft, BuildError> {
        Draft::new(
            Method::GET,
            &["v2", "workflows", self.name.as_str(), "status"],
        )
    }

    /// Fills in the name where the answer lacks it.
    fn decode(&self, response: &Response<Bytes>) -> Result<WorkflowState, DecodeError> {
        let mut state: WorkflowState = decode_json(response)?;
        if state.name.is_empty() {
            self.name.as_str().clone_into(&mut state.name);
        }
        Ok(state)
    }
}
