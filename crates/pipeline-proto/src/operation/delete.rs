use bytes::Bytes;
use http::{Method, Response};

use super::{Draft, Idempotency, Operation, decode_nothing};
use crate::{
    error::{ApiError, BuildError, DecodeError, ErrorCode},
    name::WorkflowName,
};

/// Deletes a workflow: `DELETE /v2/workflows/{name}`.
///
/// Whether the service demands that it be stopped first, and whether it deletes the nodes with it,
/// is documented nowhere: stop it and wait before deleting, and expect the nodes to go.
///
/// ```
/// use pipeline_proto::{WorkflowName, operation::{DeleteWorkflow, Operation}};
///
/// let delete = DeleteWorkflow::new(WorkflowName::from_static("logs"));
/// assert_eq!(delete.draft()?.target(), "/v2/workflows/logs");
/// # Ok::<(), pipeline_proto::BuildError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeleteWorkflow {
    /// Which workflow.
    pub name: WorkflowName,
}

impl DeleteWorkflow {
    /// The operation for this workflow.
    pub fn new(name: WorkflowName) -> Self {
        Self { name }
    }
}

impl Operation for DeleteWorkflow {
    type Output = ();
    const NAME: &'static str = "delete_workflow";
    const IDEMPOTENCY: Idempotency = Idempotency::Idempotent;

    fn draft(&self) -> Result<Draft, BuildError> {
        Draft::new(Method::DELETE, &["v2", "workflows", self.name.as_str()])
    }

    fn decode(&self, response: &Response<Bytes>) -> Result<(), DecodeError> {
        decode_nothing(response)
    }

    /// "No such workflow" after an attempt whose answer was lost is what was asked for.
    fn done_before(&self, error: &ApiError) -> Option<()> {
        (error.code() == Some(ErrorCode::WORKFLOW_NOT_FOUND)).then_some(())
    }
}
