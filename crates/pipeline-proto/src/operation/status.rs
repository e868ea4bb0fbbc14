use bytes::Bytes;
use http::{Method, Response};

use super::{Draft, GetWorkflow, Idempotency, Operation, decode_json};
use crate::{
    error::{BuildError, DecodeError},
    model::WorkflowState,
    name::WorkflowName,
};

/// Which request shows the status.
///
/// ```
/// use pipeline_proto::{operation::PollBy, wait::WaitOptions};
///
/// // For an installation that is known to lack *get status*.
/// let options = WaitOptions::default().poll_by(PollBy::Get);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PollBy {
    /// *Get status*: small, with the status of each node; from the vendor's SDKs.
    #[default]
    Status,
    /// *Get*: on the API page, but carries the whole graph, and no status of nodes.
    Get,
}

/// Shows the status of a workflow and of each of its nodes: `GET /v2/workflows/{name}/status`.
///
/// **Not on the API page**; only the vendor's SDKs show it, so an installation may lack it. Where it
/// is met by 404, 405 or 501 without a code, the call goes on with `GET /v2/workflows/{name}`, which
/// shows the status of the workflow but not of its nodes; see [`Operation::fallback`].
///
/// ```
/// use pipeline_proto::{WorkflowName, operation::{GetWorkflowStatus, Operation, PollBy}};
///
/// let status = GetWorkflowStatus::new(WorkflowName::from_static("logs"));
/// assert_eq!(status.draft()?.target(), "/v2/workflows/logs/status");
/// assert_eq!(status.by(PollBy::Get).draft()?.target(), "/v2/workflows/logs");
/// # Ok::<(), pipeline_proto::BuildError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GetWorkflowStatus {
    /// Which workflow.
    pub name: WorkflowName,
    /// By which request.
    pub by: PollBy,
}

impl GetWorkflowStatus {
    /// The operation for this workflow.
    pub fn new(name: WorkflowName) -> Self {
        Self {
            name,
            by: PollBy::Status,
        }
    }

    /// Chooses the request.
    #[must_use]
    pub fn by(mut self, by: PollBy) -> Self {
        self.by = by;
        self
    }
}

impl Operation for GetWorkflowStatus {
    type Output = WorkflowState;
    const NAME: &'static str = "get_workflow_status";
    const IDEMPOTENCY: Idempotency = Idempotency::Safe;

    fn draft(&self) -> Result<Draft, BuildError> {
        match self.by {
            PollBy::Status => Draft::new(
                Method::GET,
                &["v2", "workflows", self.name.as_str(), "status"],
            ),
            PollBy::Get => GetWorkflow::new(self.name.clone()).draft(),
        }
    }

    /// Fills in the name where the response lacks it.
    fn decode(&self, response: &Response<Bytes>) -> Result<WorkflowState, DecodeError> {
        if self.by == PollBy::Get {
            let workflow = GetWorkflow::new(self.name.clone()).decode(response)?;
            return Ok(WorkflowState {
                name: workflow.name,
                region: workflow.region,
                status: workflow.status,
                ..WorkflowState::default()
            });
        }
        let mut state: WorkflowState = decode_json(response)?;
        if state.name.is_empty() {
            self.name.as_str().clone_into(&mut state.name);
        }
        Ok(state)
    }

    fn fallback(&self) -> Option<Self> {
        (self.by == PollBy::Status).then(|| self.clone().by(PollBy::Get))
    }
}
