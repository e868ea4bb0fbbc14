use std::{convert::Infallible, fmt};

use http::HeaderName;

use crate::name::NameError;

/// Why a request could not be built. Nothing was sent.
///
/// ```
/// use pipeline_proto::{BuildError, WorkflowName};
///
/// let error: BuildError = WorkflowName::new("a-b").unwrap_err().into();
/// assert!(error.name_error().is_some());
/// // In an operation of your own:
/// assert_eq!(BuildError::custom("the day is over").to_string(), "the day is over");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildError(BuildReason);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BuildReason {
    Name(NameError),
    Segment(String),
    Json(String),
    ReservedHeader(HeaderName),
    RepeatedHeader(HeaderName),
    Owner,
    Target,
    Custom(String),
}

impl BuildError {
    /// An error of an operation that is defined elsewhere.
    pub fn custom(message: impl Into<String>) -> Self {
        Self(BuildReason::Custom(message.into()))
    }

    pub(crate) fn unsendable_target() -> Self {
        Self(BuildReason::Target)
    }

    /// Whether an illegal name is the reason.
    pub fn name_error(&self) -> Option<&NameError> {
        match &self.0 {
            BuildReason::Name(error) => Some(error),
            _ => None,
        }
    }
}

impl From<BuildReason> for BuildError {
    fn from(reason: BuildReason) -> Self {
        Self(reason)
    }
}

impl From<NameError> for BuildError {
    fn from(error: NameError) -> Self {
        Self(BuildReason::Name(error))
    }
}

impl From<Infallible> for BuildError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            BuildReason::Name(error) => write!(f, "{error}"),
            BuildReason::Segment(segment) => write!(
                f,
                "{segment:?} cannot stand in a path; letters, digits and _ . - ~ can, but not . and .. alone"
            ),
            BuildReason::Json(reason) => write!(f, "the body cannot be written as JSON: {reason}"),
            BuildReason::ReservedHeader(name) => {
                write!(
                    f,
                    "the header {name} is set by the call itself or by the transport"
                )
            }
            BuildReason::RepeatedHeader(name) => write!(f, "the header {name} would be sent twice"),
            BuildReason::Owner => f.write_str(
                "the resource owner must be visible ASCII characters, since it is sent as a header",
            ),
            BuildReason::Target => f.write_str("the path and query are too long to be sent"),
            BuildReason::Custom(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for BuildError {}
