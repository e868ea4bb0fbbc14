use bytes::Bytes;
use http::{Method, Response};

use super::{Draft, Idempotency, Operation, decode_json};
use crate::{
    error::{BuildError, DecodeError},
    model::{Workflow, WorkflowList},
};

/// Lists all workflows of the account: `GET /v2/workflows`.
///
/// The graphs are usually not in the answer. No paging is known.
///
/// ```
/// use pipeline_proto::operation::{ListWorkflows, Operation};
///
/// assert_eq!(ListWorkflows::new().draft()?.target(), "/v2/workflows");
/// # Ok::<(), pipeline_proto::BuildError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListWorkflows {}

impl ListWorkflows {
    /// The operation.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Operation for ListWorkflows {
    type Output = Vec<Workflow>;
    const NAME: &'static str = "list_workflows";
    const IDEMPOTENCY: Idempotency = Idempotency::Safe;

    fn draft(&self) -> Result<Draft, BuildError> {
        Draft::new(Method::GET, &["v2", "workflows"])
    }

    fn decode(&self, response: &Response<Bytes>) -> Result<Self::Output, DecodeError> {
        decode_json::<WorkflowList>(response).map(|list| list.0)
    }
}
