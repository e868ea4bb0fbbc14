//! Operations that tell more of an operation, or less.

use bytes::Bytes;
use http::{Response, StatusCode};

use super::{Body, Idempotency, Operation, RequestTemplate};
use crate::{
    error::{ApiError, BuildError, DecodeError, Error, ErrorCode},
    header,
    observe::Subject,
};

/// An operation that looks for one thing, which need not be there.
pub trait Find: Operation {
    /// The code that says so.
    const NONE: ErrorCode;
}

/// Looks for something: `None` where there is none, in place of an error.
///
/// Only the code of this very thing counts. That the queue of a transform is missing, or the resource owner,
/// stays an error.
///
/// ```
/// use pipeline_proto::{WorkflowName, operation::{Operation, Optional}, resource::workflow::GetWorkflow};
///
/// let look = Optional(GetWorkflow::new(WorkflowName::from_static("logs")));
/// assert_eq!(look.name(), "get_workflow");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Optional<O>(pub O);

/// Says with the result which request brought it.
///
/// ```
/// use bytes::Bytes;
/// use http::Response;
/// use pipeline_proto::{operation::{Detailed, Operation}, resource::workflow::ListWorkflows};
///
/// let response = Response::builder().header("X-Reqid", "4gEA").body(Bytes::from("[]"))?;
/// let listed = Detailed(ListWorkflows::new()).decode(&response)?;
/// assert_eq!(listed.request_id.as_deref(), Some("4gEA"));
/// assert!(listed.output.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detailed<O>(pub O);

/// Hands out the body of a success unread, for [`Body`] to be read into other types than the operation has. That it
/// is what was asked for, nobody has checked then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread<O>(pub O);

/// A result, and what is known of the request that brought it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Details<T> {
    /// The result.
    pub output: T,
    /// The id that the service gave the request, if it did: what its support asks for. None where an earlier
    /// attempt had done the work.
    pub request_id: Option<String>,
    /// How many attempts there were.
    pub attempts: u32,
}

macro_rules! same_request {
    () => {
        const NAME: &'static str = O::NAME;
        const IDEMPOTENCY: Idempotency = O::IDEMPOTENCY;

        fn name(&self) -> &'static str {
            self.0.name()
        }

        fn subject(&self) -> Subject {
            self.0.subject()
        }

        fn expects(error: &Error) -> bool {
            O::expects(error)
        }

        fn idempotency(&self) -> Idempotency {
            self.0.idempotency()
        }

        fn template(&self) -> Result<RequestTemplate, BuildError> {
            self.0.template()
        }

        fn is_success(&self, status: StatusCode) -> bool {
            self.0.is_success(status)
        }

        fn fallback(&self) -> Option<Self> {
            self.0.fallback().map(Self)
        }
    };
}

impl<O: Find> Operation for Optional<O> {
    type Output = Option<O::Output>;

    same_request!();

    fn decode(&self, response: &Response<Bytes>) -> Result<Self::Output, DecodeError> {
        self.0.decode(response).map(Some)
    }

    fn accepts(&self, error: &ApiError) -> Option<Self::Output> {
        let none = || (error.code() == Some(O::NONE)).then_some(None);
        self.0.accepts(error).map(Some).or_else(none)
    }

    fn done_before(&self, error: &ApiError) -> Option<Self::Output> {
        self.0.done_before(error).map(Some)
    }
}

impl<O: Operation> Operation for Detailed<O> {
    type Output = Details<O::Output>;

    same_request!();

    fn decode(&self, response: &Response<Bytes>) -> Result<Self::Output, DecodeError> {
        Ok(Details {
            output: self.0.decode(response)?,
            request_id: header::request_id(response.headers()).map(String::from),
            attempts: 1,
        })
    }

    fn accepts(&self, error: &ApiError) -> Option<Self::Output> {
        Some(Details {
            output: self.0.accepts(error)?,
            request_id: error.request_id().map(str::to_owned),
            attempts: 1,
        })
    }

    fn done_before(&self, error: &ApiError) -> Option<Self::Output> {
        Some(Details {
            output: self.0.done_before(error)?,
            request_id: None,
            attempts: 1,
        })
    }

    fn took(details: &mut Self::Output, attempts: u32) {
        details.attempts = attempts;
    }
}

impl<O: Operation> Operation for Unread<O> {
    type Output = Body;

    same_request!();

    fn decode(&self, response: &Response<Bytes>) -> Result<Body, DecodeError> {
        Ok(Body::of(response.body()))
    }

    fn accepts(&self, error: &ApiError) -> Option<Body> {
        self.0.accepts(error).map(|_| Body::default())
    }

    fn done_before(&self, error: &ApiError) -> Option<Body> {
        self.0.done_before(error).map(|_| Body::default())
    }
}
