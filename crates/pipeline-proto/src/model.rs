//! What the service shows: workflows, their nodes, their states and their logs.
//!
//! Reading is lenient and loses nothing: a missing member or `null` gives the default, status
//! strings and node types are open sets, names and regions are [`ShownName`](crate::name::ShownName) as they came and
//! judged where they are used, members that this version does not know are kept in
//! `extra` and written out again, and the `data` of a node stays the JSON text it came as, with
//! [typed specs](crate::resource) on demand. `docs/protocol.md` in the repository gives the reason for each reading.
//!
//! ```
//! use pipeline_proto::model::{Status, Workflow};
//!
//! let text = r#"{"name":"logs","status":"Started","canStart":true,"owner":{"id":7},
//!     "nodes":{"src-repo":{"name":"src","type":"repo","data":{"region":"nb"},"children":null}}}"#;
//! let workflow: Workflow = serde_json::from_str(text)?;
//! assert_eq!(workflow.status, Status::Started);
//! assert_eq!(workflow.extra.get("owner").unwrap().get(), r#"{"id":7}"#);
//! let node = &workflow.nodes.as_ref().unwrap()["src-repo"];
//! assert_eq!(node.data.as_ref().unwrap().get(), r#"{"region":"nb"}"#);
//! # Ok::<(), serde_json::Error>(())
//! ```

pub(crate) mod json;
mod logs;
mod node;
mod status;
mod timestamp;
mod workflow;

pub use json::{Extra, RawJson};
pub use logs::{LogLine, LogSearch, LogStatus, Metric, Recommendation};
pub use node::{Node, NodeId, NodeRef, NodeType, Nodes};
pub use status::Status;
pub use timestamp::Timestamp;
pub use workflow::{NodeState, Workflow, WorkflowState};
