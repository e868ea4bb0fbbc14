use std::fmt;

/// The operations of the service, for addressing faults and reading the request log.
///
/// ```
/// use pipeline_emulator::OperationKind;
///
/// assert_eq!(OperationKind::Search.as_str(), "search");
/// assert!(OperationKind::ALL.contains(&OperationKind::Get));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum OperationKind {
    /// `POST /v2/workflows/{name}`.
    Create,
    /// `PUT /v2/workflows/{name}`.
    Update,
    /// `GET /v2/workflows`.
    List,
    /// `GET /v2/workflows/{name}`.
    Get,
    /// `GET /v2/workflows/{name}/status`.
    Status,
    /// `POST /v2/workflows/{name}/start`.
    Start,
    /// `POST /v2/workflows/{name}/stop`.
    Stop,
    /// `DELETE /v2/workflows/{name}`.
    Delete,
    /// `POST /v2/workflows/{name}/search`.
    Search,
}

impl OperationKind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Create,
        Self::Update,
        Self::List,
        Self::Get,
        Self::Status,
        Self::Start,
        Self::Stop,
        Self::Delete,
        Self::Search,
    ];

    /// A stable word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::List => "list",
            Self::Get => "get",
            Self::Status => "status",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Delete => "delete",
            Self::Search => "search",
        }
    }
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
