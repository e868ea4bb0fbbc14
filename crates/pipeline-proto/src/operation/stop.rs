use bytes::Bytes;
use http::{Method, Response};

use super::{Draft, Idempotency, Operation, decode_nothing};
use crate::{
    error::{BuildError, DecodeError},
    name::WorkflowName,
};

/// Asks for a workflow to be stopped: `POST /v2/workflows/{name}/stop`.
///
/// Allowed when it is started, else E18645. Returns at once: the status goes to
/// `Stopping` and later to `Stopped`. Sent without body and content type, as on the API page.
///
/// ```
/// use pipeline_proto::{WorkflowName, operation::{StopWorkflow, Operation}};
///
/// let stop = StopWorkflow::new(WorkflowName::from_static("logs"));
/// assert_eq!(stop.draft()?.target(), "/v2/workflows/logs/stop");
/// # Ok::<(), pipeline_proto::BuildError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StopWorkflow {
    /// Which workflow.
    pub name: WorkflowName,
}

impl StopWorkflow {
    /// The operation for this workflow.
    pub fn new(name: WorkflowName) -> Self {
        Self { name }
    }
}

impl Operation for StopWorkflow {
    type Output = ();
    const NAME: &'static str = "stop_workflow";
    const IDEMPOTENCY: Idempotency = Idempotency::Never;

    fn draft(&self) -> Result<Draft, BuildError> {
        Draft::new(
            Method::POST,
            &["v2", "workflows", self.name.as_str(), "stop"],
        )
    }

    fn decode(&self, response: &Response<Bytes>) -> Result<(), DecodeError> {
        decode_nothing(response)
    }
}
