use std::fmt;

use http::Method;

use super::Idempotency;
use crate::error::ErrorCode;

/// What can be said of a tabled operation without a value of it. See
/// [`OPERATIONS`](crate::resource::OPERATIONS).
///
/// ```
/// use pipeline_proto::resource::OPERATIONS;
///
/// let get = OPERATIONS.iter().find(|info| info.name == "get_workflow").unwrap();
/// assert_eq!((get.method.as_str(), get.path), ("GET", "/v2/workflows/{name}"));
/// assert_eq!(get.fill("logs"), "/v2/workflows/logs");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperationInfo {
    /// As in errors and logs, and as the method of both clients is called: `get_workflow`.
    pub name: &'static str,
    /// The type that is sent: `GetWorkflow`.
    pub type_name: &'static str,
    /// The resource, which is also the module of the type: `workflow`.
    pub resource: &'static str,
    /// The method.
    pub method: &'static Method,
    /// The path, with placeholders in braces.
    pub path: &'static str,
    /// The media type of the body; `None` if there is none.
    pub content_type: Option<&'static str>,
    /// What a second sending could do.
    pub idempotency: Idempotency,
    /// The code that shows that an earlier attempt of the same call did the work.
    pub done_on: Option<ErrorCode>,
    /// Where it is known from.
    pub source: Source,
    /// What it does, as the documentation of its type says it: a summary, then whatever else.
    pub about: &'static str,
}

impl OperationInfo {
    /// The path with `name` in the place of each placeholder.
    pub fn fill(&self, name: &str) -> String {
        let segments = self.path.split('/');
        let filled = segments.map(|segment| {
            if segment.starts_with('{') {
                name
            } else {
                segment
            }
        });
        filled.collect::<Vec<_>>().join("/")
    }

    /// How many names the path takes.
    pub fn names(&self) -> usize {
        self.path.matches('{').count()
    }
}

/// Where an operation is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// The vendor's API page.
    Page,
    /// What the vendor's clients send; the page does not have it.
    Sdk,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Page => "API page",
            Self::Sdk => "vendor's clients",
        })
    }
}
