use bytes::Bytes;
use http::Method;
use serde::de::DeserializeOwned;

use super::{Idempotency, RequestTemplate};
use crate::{
    error::{BuildError, ErrorCode},
    name::NameError,
    word::words,
};

/// What can be said of a tabled operation without a value of it. See
/// [`OPERATIONS`](crate::resource::OPERATIONS).
///
/// ```
/// use pipeline_proto::resource::OPERATIONS;
///
/// let get = OPERATIONS.iter().find(|info| info.name == "get_workflow").unwrap();
/// assert_eq!((get.method.as_str(), get.path), ("GET", "/v2/workflows/{name}"));
/// assert_eq!(get.target(&["logs"])?, "/v2/workflows/logs");
/// assert!(get.target(&["../accounts"]).is_err());
/// # Ok::<(), pipeline_proto::BuildError>(())
/// ```
#[derive(Debug, Clone, Copy)]
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
    /// The names that the path takes, in their order.
    pub names: &'static [NameInfo],
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
    /// What a success brings, and how it is read.
    #[cfg(feature = "proptest")]
    pub(crate) response: (crate::describe::Shape, &'static str),
    pub(crate) template: fn(&[&str], &Bytes) -> Result<RequestTemplate, BuildError>,
}

impl OperationInfo {
    /// The path with these names in the places of its placeholders.
    ///
    /// # Errors
    ///
    /// If there are more or fewer names than placeholders, or one is not legal in its place.
    pub fn target(&self, names: &[&str]) -> Result<String, BuildError> {
        if names.len() != self.names.len() {
            let wanted: Vec<&str> = self.names.iter().map(|name| name.key).collect();
            let wanted = match &wanted[..] {
                [] => "no name".to_owned(),
                wanted => wanted.join(", "),
            };
            return Err(BuildError::custom(format!("{} takes {wanted}", self.name)));
        }
        let mut target = self.path.to_owned();
        for (info, name) in self.names.iter().zip(names) {
            (info.check)(name)?;
            // A name has no braces.
            target = target.replacen(&format!("{{{}}}", info.key), name, 1);
        }
        Ok(target)
    }

    /// The request that a value of the operation's type makes, from names and a body as they are written.
    /// What may be set beside them is not.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use pipeline_proto::resource::OPERATIONS;
    ///
    /// let create = OPERATIONS.iter().find(|info| info.name == "create_repo").unwrap();
    /// let template = create.template(&["clicks"], &Bytes::from_static(br#"{"schema":[]}"#))?;
    /// assert_eq!(template.target(), "/v2/repos/clicks");
    /// # Ok::<(), pipeline_proto::BuildError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As of [`target`](Self::target), and if the operation's body is not what this is read as.
    pub fn template(&self, names: &[&str], body: &Bytes) -> Result<RequestTemplate, BuildError> {
        self.target(names)?;
        (self.template)(names, body)
    }
}

/// A body of a row, from its JSON.
pub(crate) fn written_json<T: DeserializeOwned>(body: &Bytes) -> Result<T, BuildError> {
    // As text, so that there is no second copy of what reads it.
    let text = std::str::from_utf8(body).map_err(|error| BuildError::custom(error.to_string()))?;
    serde_json::from_str(text).map_err(|error| BuildError::custom(error.to_string()))
}

/// A placeholder of a path.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct NameInfo {
    /// What stands between the braces.
    pub key: &'static str,
    pub(crate) check: fn(&str) -> Result<(), NameError>,
}

impl NameInfo {
    /// Whether a text is legal in this place.
    ///
    /// # Errors
    ///
    /// The rule that it breaks.
    pub fn check(&self, name: &str) -> Result<(), NameError> {
        (self.check)(name)
    }
}

words! {
    /// Where an operation is known from.
    #[non_exhaustive]
    pub enum Source: "a source of an operation" {
        /// The vendor's API page.
        Page = "page",
        /// What the vendor's clients send; the page does not have it.
        Sdk = "sdk",
    }
}

impl Source {
    /// Who shows it, as in "known from the API page".
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Page => "API page",
            Self::Sdk => "vendor's clients",
        }
    }
}
