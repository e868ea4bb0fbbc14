use std::fmt;

/// What an operation is about: a kind of resource, and the names that its path has, never what is sent or read.
///
/// ```
/// use pipeline_proto::{Operation, RepoName, TransformName, resource::transform::GetTransform};
///
/// let get = GetTransform::new(RepoName::from_static("clicks"), TransformName::from_static("clean"));
/// assert_eq!(get.subject().kind(), "transform");
/// assert_eq!(get.subject().name(), Some("clicks/clean"));
/// assert_eq!(get.subject().to_string(), "transform clicks/clean");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Subject {
    kind: &'static str,
    name: Option<Box<str>>,
}

impl Subject {
    /// Of this kind, with the names that lead to it; without one it is about all of the kind.
    pub fn new(kind: &'static str, names: &[&str]) -> Self {
        let name = (!names.is_empty()).then(|| names.join("/").into());
        Self { kind, name }
    }

    /// The kind, as the module of the operation is called; empty if nothing is known.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The name, behind those of what it belongs to, as in `clicks/clean` for a transform.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind)?;
        self.name
            .as_ref()
            .map_or(Ok(()), |name| write!(f, " {name}"))
    }
}
