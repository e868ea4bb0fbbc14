use bytes::Bytes;
use http::Response;

use super::{Draft, GetWorkflow, GetWorkflowStatus, Idempotency, Operation};
use crate::{
    error::{BuildError, DecodeError},
    model::WorkflowState,
    name::WorkflowName,
};

/// Which operation a wait polls with.
///
/// ```
/// use pipeline_proto::{operation::PollBy, wait::WaitOptions};
///
/// // For an installation that lacks *get status*.
/// let options = WaitOptions::default().poll_by(PollBy::Get);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PollBy {
    /// *Get status*: small, with the status of each node; from the vendor's SDKs.
    #[default]
    Status,
    /// *Get*: on the API page, but carries the whole graph.
    Get,
}

/// Looks at the status of a workflow, by one of two operations. What [`Waiter`](crate::wait::Waiter)
/// sends.
///
/// ```
/// use pipeline_proto::{WorkflowName, operation::{Operation, PollBy, PollWorkflow}};
///
/// let poll = PollWorkflow::new(WorkflowName::from_static("logs"), PollBy::Get);
/// assert_eq!(poll.draft()?.target(), "/v2/workflows/logs");
/// # Ok::<(), pipeline_proto::BuildError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PollWorkflow {
    /// Which workflow.
    pub name: WorkflowName,
    /// By which operation.
    pub by: PollBy,
}

impl PollWorkflow {
    /// The operation for this workflow.
    pub fn new(name: WorkflowName, by: PollBy) -> Self {
        Self { name, by }
    }
}

impl Operation for PollWorkflow {
    type Output = WorkflowState;
    const NAME: &'static str = "poll_workflow";
    const IDEMPOTENCY: Idempotency = Idempotency::Safe;

    fn draft(&self) -> Result<Draft, BuildError> {
        match self.by {
            PollBy::Status => GetWorkflowStatus::new(self.name.clone()).draft(),
            PollBy::Get => GetWorkflow::new(self.name.clone()).draft(),
        }
    }

    /// Fills in the name where the answer lacks it. An answer to *get* gives no status of nodes.
    fn decode(&self, response: &Response<Bytes>) -> Result<WorkflowState, DecodeError> {
        match self.by {
            PollBy::Status => GetWorkflowStatus::new(self.name.clone()).decode(response),
            PollBy::Get => {
                let workflow = GetWorkflow::new(self.name.clone()).decode(response)?;
                Ok(WorkflowState {
                    name: workflow.name,
                    region: workflow.region,
                    status: workflow.status,
                    ..WorkflowState::default()
                })
            }
        }
    }
}
