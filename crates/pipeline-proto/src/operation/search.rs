use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Method, Response};
use serde::Serialize;

use super::{Draft, Idempotency, Operation, decode_json};
use crate::{
    error::{BuildError, DecodeError},
    model::{LogSearch, NodeType},
    name::{Region, WorkflowName},
};

/// Searches the logs of a workflow's nodes: `POST /v2/workflows/{name}/search`.
///
/// **Not on the API page**; only the vendor's Go SDK shows it, and an installation may answer E9001.
/// Which parts of the request the service needs is not known: all are sent, and what was not given
/// is sent empty.
///
/// ```
/// use pipeline_proto::model::NodeType;
/// use pipeline_proto::{WorkflowName, operation::{Operation, SearchLogs}};
///
/// let search = SearchLogs::new(WorkflowName::from_static("logs"))
///     .node(NodeType::Export, "to_kodo")
///     .query("error")
///     .size(20);
/// assert_eq!(search.draft()?.target(), "/v2/workflows/logs/search");
/// # Ok::<(), pipeline_proto::BuildError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SearchLogs {
    /// Which workflow.
    pub workflow: WorkflowName,
    /// Type of the node; empty if none was given.
    pub node_type: NodeType,
    /// Name of the node.
    pub node: String,
    /// The message queue that the node hangs on.
    pub repo: String,
    /// Text to look for; `*` for everything.
    pub query: String,
    /// At most this many entries.
    pub size: u32,
    /// Region of the workflow.
    pub region: Region,
    /// Not before this moment.
    pub from: Option<SystemTime>,
    /// Not after this moment.
    pub until: Option<SystemTime>,
}

impl SearchLogs {
    /// The ten latest entries of a workflow, whatever they say.
    pub fn new(workflow: WorkflowName) -> Self {
        Self {
            workflow,
            node_type: NodeType::default(),
            node: String::new(),
            repo: String::new(),
            query: "*".to_owned(),
            size: 10,
            region: Region::default(),
            from: None,
            until: None,
        }
    }

    /// Narrows the search to one node.
    #[must_use]
    pub fn node(mut self, node_type: NodeType, name: impl Into<String>) -> Self {
        self.node_type = node_type;
        self.node = name.into();
        self
    }

    /// Names the message queue that the node hangs on.
    #[must_use]
    pub fn repo(mut self, repo: impl Into<String>) -> Self {
        self.repo = repo.into();
        self
    }

    /// Sets the text to look for.
    #[must_use]
    pub fn query(mut self, query: impl Into<String>) -> Self {
        self.query = query.into();
        self
    }

    /// Sets how many entries to show at most.
    #[must_use]
    pub fn size(mut self, size: u32) -> Self {
        self.size = size;
        self
    }

    /// Sets the region.
    #[must_use]
    pub fn region(mut self, region: Region) -> Self {
        self.region = region;
        self
    }

    /// Leaves out entries before this moment.
    #[must_use]
    pub fn from(mut self, from: SystemTime) -> Self {
        self.from = Some(from);
        self
    }

    /// Leaves out entries after this moment.
    #[must_use]
    pub fn until(mut self, until: SystemTime) -> Self {
        self.until = Some(until);
        self
    }
}

/// Milliseconds since 1970, with 0 for "not given". The unit is that of a sister service's query
/// with members of the same names; no source states it for this one.
fn milliseconds(time: Option<SystemTime>) -> u64 {
    time.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok())
        .map_or(0, |since: Duration| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
}

impl Operation for SearchLogs {
    type Output = LogSearch;
    const NAME: &'static str = "search_logs";
    const IDEMPOTENCY: Idempotency = Idempotency::Safe;

    fn draft(&self) -> Result<Draft, BuildError> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            r#type: &'a NodeType,
            name: &'a str,
            // All in lower case, unlike the others.
            reponame: &'a str,
            query: &'a str,
            size: u32,
            region: &'a Region,
            start_time: u64,
            end_time: u64,
        }
        let body = Body {
            r#type: &self.node_type,
            name: &self.node,
            reponame: &self.repo,
            query: &self.query,
            size: self.size,
            region: &self.region,
            start_time: milliseconds(self.from),
            end_time: milliseconds(self.until),
        };
        Draft::new(
            Method::POST,
            &["v2", "workflows", self.workflow.as_str(), "search"],
        )?
        .json(&body)
    }

    fn decode(&self, response: &Response<Bytes>) -> Result<LogSearch, DecodeError> {
        decode_json(response)
    }
}
