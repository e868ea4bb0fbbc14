use bytes::Bytes;
use http::{Method, Response};
use serde::Serialize;

use super::{Draft, Idempotency, Operation, decode_nothing};
use crate::{
    error::{BuildError, DecodeError},
    name::{Region, WorkflowName},
};

/// Creates an empty workflow: `POST /v2/workflows/{name}`.
///
/// Sent again only where the service cannot have acted on the first attempt. After an error whose
/// [`effect`](crate::Error::effect) is not known, look whether the workflow is there.
///
/// ```
/// use pipeline_proto::{WorkflowName, operation::{CreateWorkflow, Operation}};
///
/// let create = CreateWorkflow::new(WorkflowName::from_static("logs")).comment("nginx, all sites");
/// assert_eq!(create.draft()?.target(), "/v2/workflows/logs");
/// # Ok::<(), pipeline_proto::BuildError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CreateWorkflow {
    /// The name to give.
    pub name: WorkflowName,
    /// Where it computes and stores; `nb` unless set.
    pub region: Region,
    /// Free text. No call can change it later.
    pub comment: Option<String>,
}

impl CreateWorkflow {
    /// A workflow of this name in the default region.
    pub fn new(name: WorkflowName) -> Self {
        Self {
            name,
            region: Region::default(),
            comment: None,
        }
    }

    /// Sets the region.
    #[must_use]
    pub fn region(mut self, region: Region) -> Self {
        self.region = region;
        self
    }

    /// Sets the comment.
    #[must_use]
    pub fn comment(mut self, comment: impl Into<String>) -> Self {
        self.comment = Some(comment.into());
        self
    }
}

impl Operation for CreateWorkflow {
    type Output = ();
    const NAME: &'static str = "create_workflow";
    const IDEMPOTENCY: Idempotency = Idempotency::Never;

    fn draft(&self) -> Result<Draft, BuildError> {
        #[derive(Serialize)]
        struct Body<'a> {
            region: &'a Region,
            #[serde(skip_serializing_if = "Option::is_none")]
            comment: Option<&'a str>,
        }
        let body = Body {
            region: &self.region,
            comment: self.comment.as_deref(),
        };
        Draft::new(Method::POST, &["v2", "workflows", self.name.as_str()])?.json(&body)
    }

    fn decode(&self, response: &Response<Bytes>) -> Result<(), DecodeError> {
        decode_nothing(response)
    }
}
