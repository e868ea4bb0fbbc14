//! What can go wrong, and what is known about it.
//!
//! Every call ends in a value or an [`Error`], which says by methods whatever could be asked of it:
//! the [kind](Error::kind), the service's [code](Error::code), the [status](Error::status), the
//! [request id](Error::request_id), how many [attempts](Error::attempts) were made, whether the
//! call may have had an [effect](Error::effect). Its `Display` is one line for a person.
//!
//! ```
//! use bytes::Bytes;
//! use http::Response;
//! use pipeline_proto::{ApiError, ErrorCode, ErrorKind};
//!
//! let response = Response::builder()
//!     .status(404)
//!     .header("X-Reqid", "r1")
//!     .body(Bytes::from_static(br#"{"error":"E18641: no such workflow: logs"}"#))?;
//! let error = ApiError::from_response(&response);
//! assert_eq!(error.code(), Some(ErrorCode::WORKFLOW_NOT_FOUND));
//! assert_eq!(error.kind(), ErrorKind::NotFound);
//! assert_eq!(
//!     error.to_string(),
//!     "E18641, the workflow does not exist: no such workflow: logs (HTTP 404, request r1)",
//! );
//! # Ok::<(), http::Error>(())
//! ```

mod api;
mod body;
mod build;
mod code;
mod decode;
mod fault;
mod retry;
mod table;

use std::{fmt, time::Duration};

use http::StatusCode;

pub use api::{ApiError, RefusalCause};
pub(crate) use body::{is_error_object, without_bom};
pub use build::BuildError;
pub(crate) use build::BuildReason;
pub use code::{CodeInfo, ErrorCode, ErrorKind, ParseCodeError};
pub use decode::DecodeError;
pub use fault::{Fault, FaultKind, Phase};
pub use retry::RetryReason;

use crate::word::words;

/// Why a call failed.
///
/// ```
/// # fn show(error: &pipeline_proto::Error) {
/// use pipeline_proto::{Effect, ErrorKind};
///
/// match error.kind() {
///     ErrorKind::NotFound => println!("there is no such workflow"),
///     ErrorKind::Network | ErrorKind::Timeout if error.effect() == Effect::Possible => {
///         println!("it may have worked: look before repeating it");
///     }
///     _ => println!("{error}"),
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    operation: &'static str,
    cause: Cause,
    attempts: u32,
    effect: Effect,
    stop_reason: StopReason,
}

/// What a call ended with.
///
/// ```
/// use pipeline_proto::Cause;
///
/// fn blame(cause: &Cause) -> &'static str {
///     match cause {
///         Cause::Build(_) => "this program",
///         Cause::Api(_) | Cause::Decode(_) => "the service, or something in front of it",
///         Cause::Fault(_) => "the network",
///         _ => "nobody in particular",
///     }
/// }
/// # let fault = pipeline_proto::Fault::new(pipeline_proto::FaultKind::NotSent);
/// # assert_eq!(blame(&Cause::Fault(fault)), "the network");
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Cause {
    /// The request could not be built; nothing was sent.
    Build(BuildError),
    /// The service answered with an error.
    Api(ApiError),
    /// The service answered with something else than the operation expects.
    Decode(DecodeError),
    /// There was no whole response.
    Fault(Fault),
    /// The deadline of the call passed. What the last attempt ended with, if one did.
    Deadline {
        /// How long the call was allowed to take.
        total: Duration,
        /// What the last attempt ended with.
        last: Option<Box<Cause>>,
    },
}

words! {
    /// Whether a failed call may have changed something.
    ///
    /// ```
    /// use pipeline_proto::resource::workflow::CreateWorkflow;
    /// use pipeline_proto::{Call, CallOptions, Context, Effect, Fault, FaultKind, Next, Now, WorkflowName};
    /// use std::time::{Duration, SystemTime};
    ///
    /// let now = Now::new(SystemTime::UNIX_EPOCH, Duration::ZERO);
    /// let create = CreateWorkflow::new(WorkflowName::from_static("logs"));
    /// let call = Call::new(&Context::builder().build(), create, CallOptions::new())?;
    /// let (_, in_flight) = call.start(now).send();
    /// // The connection breaks: the workflow may be there or not.
    /// let Next::Done(Err(error)) = in_flight.on_fault(Fault::new(FaultKind::Interrupted), now) else {
    ///     panic!("a create is not sent twice");
    /// };
    /// assert_eq!(error.effect(), Effect::Possible);
    /// # Ok::<(), pipeline_proto::Error>(())
    /// ```
    ///
    /// Exhaustive: either something may have changed or not, and a program has to know what it does in both cases.
    pub enum Effect: "an effect of a call" {
        /// Nothing changed: it was not sent, or refused, or it only reads.
        None = "none",
        /// An attempt may have worked without our learning it.
        Possible = "possible",
    }
}

words! {
    /// Why no further attempt was made.
    ///
    /// ```
    /// use pipeline_proto::{Error, StopReason};
    ///
    /// fn worth_a_second_run(error: &Error) -> bool {
    ///     matches!(error.stop_reason(), StopReason::AttemptsExhausted | StopReason::BudgetExhausted | StopReason::DeadlineNear)
    /// }
    /// # let error = Error::build("list_workflows", pipeline_proto::BuildError::custom("no"));
    /// # assert!(!worth_a_second_run(&error));
    /// ```
    #[non_exhaustive]
    pub enum StopReason: "a reason to stop" {
        /// Sending it again would not help.
        NotRetryable = "not-retryable",
        /// It might help, but the operation must not be repeated where the first sending may have
        /// worked.
        NotRepeatable = "not-repeatable",
        /// As many attempts as the policy allows were made.
        AttemptsExhausted = "attempts-exhausted",
        /// The wait would have gone beyond the sum that the policy allows.
        BudgetExhausted = "budget-exhausted",
        /// The next attempt would have begun after the deadline.
        DeadlineNear = "deadline-near",
    }
}

impl Error {
    pub(crate) fn new(
        operation: &'static str,
        cause: Cause,
        attempts: u32,
        effect: Effect,
        stop_reason: StopReason,
    ) -> Self {
        Self(Box::new(Inner {
            operation,
            cause,
            attempts,
            effect,
            stop_reason,
        }))
    }

    /// The error of an operation whose request could not be built.
    pub fn build(operation: &'static str, error: impl Into<BuildError>) -> Self {
        Self::of(operation, Cause::Build(error.into()))
    }

    /// The error of a call that ended with this at its first attempt and had no effect. For tests of a
    /// program that has to cope with errors.
    ///
    /// ```
    /// use pipeline_proto::{ApiError, Cause, Effect, Error, ErrorCode};
    ///
    /// let response = http::Response::builder()
    ///     .status(409)
    ///     .body(r#"{"error":"E18640: logs"}"#.into())?;
    /// let error = Error::of("create_workflow", Cause::Api(ApiError::from_response(&response)));
    /// assert_eq!(error.code(), Some(ErrorCode::WORKFLOW_EXISTS));
    /// assert_eq!(error.with_effect(Effect::Possible).effect(), Effect::Possible);
    /// # Ok::<(), http::Error>(())
    /// ```
    pub fn of(operation: &'static str, cause: Cause) -> Self {
        let attempts = u32::from(!matches!(cause, Cause::Build(_)));
        Self::new(
            operation,
            cause,
            attempts,
            Effect::None,
            StopReason::NotRetryable,
        )
    }

    /// The same with another effect.
    #[must_use]
    pub fn with_effect(mut self, effect: Effect) -> Self {
        self.0.effect = effect;
        self
    }

    /// The operation, as in [`Operation::NAME`](crate::Operation::NAME).
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// What the call ended with.
    pub fn cause(&self) -> &Cause {
        &self.0.cause
    }

    /// What it means to a caller.
    pub fn kind(&self) -> ErrorKind {
        match &self.0.cause {
            Cause::Build(_) => ErrorKind::InvalidRequest,
            Cause::Api(error) => error.kind(),
            Cause::Decode(_) => ErrorKind::UnexpectedResponse,
            Cause::Fault(fault) => fault.error_kind(),
            Cause::Deadline { .. } => ErrorKind::Timeout,
        }
    }

    /// The service's error, if there was one; also behind a deadline.
    pub fn api(&self) -> Option<&ApiError> {
        self.0.cause.api()
    }

    /// The service's code, if the response had one.
    pub fn code(&self) -> Option<ErrorCode> {
        self.api()?.code()
    }

    /// The HTTP status, if there was a response.
    pub fn status(&self) -> Option<StatusCode> {
        match self.0.cause.innermost() {
            Cause::Api(error) => Some(error.status()),
            Cause::Decode(error) => error.status(),
            _ => None,
        }
    }

    /// The service's name for the request (`X-Reqid`), if there was a response that had it.
    pub fn request_id(&self) -> Option<&str> {
        match self.0.cause.innermost() {
            Cause::Api(error) => error.request_id(),
            Cause::Decode(error) => error.request_id(),
            _ => None,
        }
    }

    /// The beginning of the response's body, if there was a response: at most 4 KiB, invalid UTF-8
    /// replaced.
    pub fn body(&self) -> Option<&str> {
        match self.0.cause.innermost() {
            Cause::Api(error) => Some(error.body()),
            Cause::Decode(error) => Some(error.body()),
            _ => None,
        }
    }

    /// How many requests were sent. After more than one, "already exists" may speak of our own.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Whether the call may have changed something all the same.
    pub fn effect(&self) -> Effect {
        self.0.effect
    }

    /// Why no further attempt was made.
    pub fn stop_reason(&self) -> StopReason {
        self.0.stop_reason
    }

    /// Whether the same call may succeed later without a change on this side. Says nothing about
    /// whether it is safe to repeat: see [`effect`](Self::effect).
    pub fn is_retryable(&self) -> bool {
        match &self.0.cause {
            Cause::Api(error) => error.is_retryable(),
            Cause::Fault(fault) => !fault.is_permanent(),
            Cause::Deadline { .. } => true,
            Cause::Build(_) | Cause::Decode(_) => false,
        }
    }
}

impl Cause {
    /// What stands behind a deadline, or this.
    fn innermost(&self) -> &Self {
        match self {
            Self::Deadline {
                last: Some(last), ..
            } => last.innermost(),
            other => other,
        }
    }

    fn api(&self) -> Option<&ApiError> {
        match self.innermost() {
            Self::Api(error) => Some(error),
            _ => None,
        }
    }

    fn as_error(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Build(error) => Some(error),
            Self::Api(error) => Some(error),
            Self::Decode(error) => Some(error),
            Self::Fault(error) => Some(error),
            Self::Deadline { .. } => None,
        }
    }
}

impl fmt::Display for Error {
    /// One line: operation, code, meaning, status, request id, and how often it was tried.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            operation,
            cause,
            attempts,
            ..
        } = &*self.0;
        write!(f, "{operation}: ")?;
        match cause {
            Cause::Deadline { total, last: None } => write!(f, "not finished within {total:?}")?,
            Cause::Deadline {
                total,
                last: Some(last),
            } => {
                write!(
                    f,
                    "not finished within {total:?}; the last attempt ended with: "
                )?;
                if let Some(error) = last.as_error() {
                    write!(f, "{error}")?;
                }
            }
            Cause::Build(error) => write!(f, "{error}")?,
            Cause::Api(error) => write!(f, "{error}")?,
            Cause::Decode(error) => write!(f, "{error}")?,
            Cause::Fault(error) => write!(f, "{error}")?,
        }
        if *attempts > 1 {
            let stopped = match self.stop_reason() {
                StopReason::BudgetExhausted => ", no time to wait left",
                StopReason::DeadlineNear => ", the deadline is near",
                _ => "",
            };
            write!(f, " [{attempts} attempts{stopped}]")?;
        }
        if self.effect() == Effect::Possible {
            f.write_str("; it may have taken effect")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("operation", &self.operation())
            .field("cause", self.cause())
            .field("attempts", &self.attempts())
            .field("effect", &self.effect())
            .field("stop_reason", &self.stop_reason())
            .finish()
    }
}

impl std::error::Error for Error {
    /// What stands below the line that `Display` writes: the transport's or the parser's own error.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0
            .cause
            .innermost()
            .as_error()
            .and_then(std::error::Error::source)
    }
}

/// Writes text of a stranger on one line: control characters escaped, cut after `limit` characters.
pub(crate) fn write_foreign(f: &mut fmt::Formatter<'_>, text: &str, limit: usize) -> fmt::Result {
    for (count, c) in text.chars().enumerate() {
        if count == limit {
            return f.write_str("…");
        }
        // Direction marks could make a terminal show another text than the one that came.
        let hidden = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || hidden {
            write!(f, "{}", c.escape_default())?;
        } else {
            fmt::Write::write_char(f, c)?;
        }
    }
    Ok(())
}
