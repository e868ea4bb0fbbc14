use bytes::Bytes;
use http::{Method, Response};

use super::{Draft, Idempotency, Operation, decode_nothing};
use crate::{
    error::{BuildError, DecodeError},
    name::WorkflowName,
};

/// Asks for a workflow to be started: `POST /v2/workflows/{name}/start`.
///
/// Allowed when [`can_start`](crate::model::Workflow::can_start) is set and nothing runs, else E18644 or
/// E18650. Returns at once: the status goes to
/// `Starting` and later to `Started`. Sent without body and content type, as on the API page.
///
/// ```
/// use pipeline_proto::{WorkflowName, operation::{StartWorkflow, Operation}};
///
/// let start = StartWorkflow::new(WorkflowName::from_static("logs"));
/// assert_eq!(start.draft()?.target(), "/v2/workflows/logs/start");
/// # Ok::<(), pipeline_proto::BuildError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StartWorkflow {
    /// Which workflow.
    pub name: WorkflowName,
}

impl StartWorkflow {
    /// The operation for this workflow.
    pub fn new(name: WorkflowName) -> Self {
        Self { name }
    }
}

impl Operation for StartWorkflow {
    type Output = ();
    const NAME: &'static str = "start_workflow";
    const IDEMPOTENCY: Idempotency = Idempotency::Never;

    fn draft(&self) -> Result<Draft, BuildError> {
        Draft::new(
            Method::POST,
            &["v2", "workflows", self.name.as_str(), "start"],
        )
    }

    fn decode(&self, response: &Response<Bytes>) -> Result<(), DecodeError> {
        decode_nothing(response)
    }
}
