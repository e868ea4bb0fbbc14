//! Operations: what can be asked of the service, as plain data.
//!
//! A value of one of these types owns no credentials and borrows nothing; the same value drives a
//! transport, a test and each further attempt. [`Operation`] is open: an endpoint that is not
//! modelled here is one `impl` away, and every client takes it.
//!
//! ```
//! use bytes::Bytes;
//! use http::{HeaderValue, Method, Response};
//! use pipeline_proto::operation::{RequestTemplate, Idempotency, Operation, decode_nothing};
//! use pipeline_proto::{BuildError, DecodeError, RepoName};
//!
//! /// Says how long LogDB, a sister service, keeps what a queue is exported to: `PUT /v5/repos/{repo}`.
//! #[derive(Debug, Clone)]
//! struct KeepLogs(RepoName, &'static str);
//!
//! impl Operation for KeepLogs {
//!     type Output = ();
//!     const NAME: &'static str = "keep_logs";
//!     const IDEMPOTENCY: Idempotency = Idempotency::Idempotent;
//!
//!     fn template(&self) -> Result<RequestTemplate, BuildError> {
//!         let body = format!(r#"{{"retention":"{}"}}"#, self.1);
//!         Ok(RequestTemplate::new(Method::PUT, &["v5", "repos", self.0.as_str()])?
//!             .body(HeaderValue::from_static("application/json"), body))
//!     }
//!
//!     fn decode(&self, response: &Response<Bytes>) -> Result<(), DecodeError> {
//!         decode_nothing(response)
//!     }
//! }
//!
//! let keep = KeepLogs(RepoName::from_static("clicks"), "30d");
//! assert_eq!(keep.template()?.target(), "/v5/repos/clicks");
//! # Ok::<(), BuildError>(())
//! ```

mod body;
mod decode;
mod found;
mod info;
mod path;
pub(crate) mod read;
pub(crate) mod table;
mod template;

use std::fmt::Debug;

use bytes::Bytes;
use http::{Response, StatusCode};

pub use body::Body;
pub(crate) use decode::List;
pub use decode::{decode_json, decode_nothing};
pub use found::{Detailed, Details, Find, Optional, Unread};
pub(crate) use info::written_json;
pub use info::{NameInfo, OperationInfo, Source};
pub(crate) use path::{Path, segment};
pub use template::RequestTemplate;
pub(crate) use template::{check_header, content_type};

use crate::{
    error::{ApiError, BuildError, DecodeError, Error},
    observe::Subject,
    word::words,
};

words! {
    /// What a second sending of a request could do.
    ///
    /// ```
    /// use pipeline_proto::{operation::{Idempotency, Operation}, resource::workflow::{GetWorkflow, StartWorkflow, UpdateWorkflow}};
    ///
    /// assert_eq!(GetWorkflow::IDEMPOTENCY, Idempotency::Safe);
    /// assert_eq!(UpdateWorkflow::IDEMPOTENCY, Idempotency::Idempotent);
    /// assert_eq!(StartWorkflow::IDEMPOTENCY, Idempotency::Never);
    /// ```
    #[non_exhaustive]
    pub enum Idempotency: "an idempotency" {
        /// It only reads.
        Safe = "safe",
        /// Doing it twice leaves the service as doing it once.
        Idempotent = "idempotent",
        /// Doing it twice leaves twice of it, and not at all would be worse: sent again wherever it may not
        /// have been done. Whoever would rather lose it than have it twice says so, by
        /// [`CallOptions::idempotency`](crate::CallOptions::idempotency).
        AtLeastOnce = "at-least-once",
        /// Doing it twice may do harm, or report a failure that was a success. Sent again only where the
        /// service cannot have acted on the first.
        Never = "never",
    }
}

/// One kind of request and how to read its response.
///
/// ```
/// use bytes::Bytes;
/// use http::{Response, StatusCode};
/// use pipeline_proto::WorkflowName;
/// use pipeline_proto::{operation::Operation, resource::workflow::GetWorkflow};
///
/// let get = GetWorkflow::new(WorkflowName::from_static("logs"));
/// assert_eq!(get.template()?.target(), "/v2/workflows/logs");
/// let response = Response::new(Bytes::from_static(br#"{"status":"Ready"}"#));
/// assert_eq!(get.decode(&response)?.status.as_str(), "Ready");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Operation {
    /// What a success brings.
    type Output;

    /// The name in errors and logs.
    const NAME: &'static str;

    /// What a second sending could do.
    const IDEMPOTENCY: Idempotency;

    /// What it is about, for those who watch. The default says nothing.
    fn subject(&self) -> Subject {
        Subject::default()
    }

    /// [`NAME`](Self::NAME), but for a type that stands for one of several requests.
    fn name(&self) -> &'static str {
        Self::NAME
    }

    /// [`IDEMPOTENCY`](Self::IDEMPOTENCY), but for a type that stands for one of several requests.
    fn idempotency(&self) -> Idempotency {
        Self::IDEMPOTENCY
    }

    /// The request, without what depends on the moment: no date, no signature.
    ///
    /// # Errors
    ///
    /// If the operation cannot be said on the wire.
    fn template(&self) -> Result<RequestTemplate, BuildError>;

    /// Whether a status reports a success; 200 and 204 unless an operation says otherwise. Whatever
    /// the status, a body that is the service's error object is an error.
    fn is_success(&self, status: StatusCode) -> bool {
        // No source shows 204; a success without a body is what it means everywhere.
        matches!(status, StatusCode::OK | StatusCode::NO_CONTENT)
    }

    /// Reads the response. Called for successes only.
    ///
    /// # Errors
    ///
    /// If the response is not what the operation expects, or if it is an error in spite of its status:
    /// see [`DecodeError::refused`].
    fn decode(&self, response: &Response<Bytes>) -> Result<Self::Output, DecodeError>;

    /// Whether an error is a result: for who asks whether there is something, that there is not. The
    /// default says no.
    fn accepts(&self, error: &ApiError) -> Option<Self::Output> {
        let _ = error;
        None
    }

    /// Tells a result how many attempts it took; the default tells it nothing.
    #[doc(hidden)]
    fn took(output: &mut Self::Output, attempts: u32) {
        let _ = (output, attempts);
    }

    /// Whether a failure is what may well come of it, so that nobody needs to be warned.
    #[doc(hidden)]
    fn expects(error: &Error) -> bool {
        let _ = error;
        false
    }

    /// Whether an error shows that an earlier attempt of the same call did the work. Asked only when
    /// such an attempt may have taken effect; the default says no.
    fn done_before(&self, error: &ApiError) -> Option<Self::Output> {
        let _ = error;
        None
    }

    /// Another request that shows the same, for a service that does not know this one; the default
    /// says that there is none.
    ///
    /// It is sent, once in a call, after 404, 405 or 501 without a code, unless the call has a token,
    /// which is for one path only. When it succeeds, the context remembers: further calls begin with
    /// it. Only for operations that read.
    fn fallback(&self) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }
}

/// Something that can be done with an operation of any type.
///
/// ```
/// use pipeline_proto::{operation::{Operation, Visitor}, resource::workflow::ListWorkflows};
///
/// struct Target;
///
/// impl Visitor for Target {
///     type Output = String;
///     fn visit<O: Operation>(self, operation: O) -> String {
///         operation.template().unwrap().target().to_owned()
///     }
/// }
///
/// assert_eq!(Target.visit(ListWorkflows::new()), "/v2/workflows");
/// ```
pub trait Visitor {
    /// What comes of it.
    type Output;

    /// Does it.
    fn visit<O: Operation + Clone + Debug + PartialEq + 'static>(
        self,
        operation: O,
    ) -> Self::Output;
}
