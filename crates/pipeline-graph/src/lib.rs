//! Offline tools over workflow definitions of Qiniu's Pandora pipeline service.
//!
//! Everything here is a pure function over [`Nodes`](pipeline_proto::model::Nodes) or over the text
//! of a workflow file: no socket, no file system, no clock.
//!
//! - [`mod@file`]: the workflow file in YAML or JSON, read with positions and written without secrets;
//! - [`lint`]: what is wrong with a workflow, by rule and position, before it is sent;
//! - [`GraphBuilder`]: the nodes of a workflow, put together by a program;
//! - [`Graph`]: nodes that were checked, with their order, levels and reachability;
//! - [`diff`]: what changes from one [`Definition`] to another;
//! - [`draw`]: pictures as a terminal tree, Mermaid, Graphviz and SVG.
//!
//! ```
//! use pipeline_graph::{Graph, draw::{Charset, Picture}, file::{Format, WorkflowFile}, lint::lint_file};
//!
//! let text = r##"
//! name: clicks
//! region: nb
//! nodes:
//!   raw-repo:
//!     data: {schema: [{key: ip, valtype: ip}]}
//!   save-export:
//!     parents: [raw-repo]
//!     data: {type: kodo, spec: {bucket: clicks, fields: {ip: "#ip"}}}
//! "##;
//! let file = WorkflowFile::parse(text, Format::Yaml)?;
//! assert!(lint_file(&file).is_empty());
//!
//! let definition = file.resolve(|_| None)?;
//! assert!(Graph::new(&definition.nodes)?.can_start());
//! print!("{}", Picture::new(&definition.nodes).tree(Charset::Unicode));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Time grows linearly with nodes and edges, except for the SVG, whose ordering of a column sorts.
//! Nothing recurses on the length of a path: a chain of a hundred thousand nodes is as good as a
//! broad graph.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod build;
pub mod definition;
pub mod diff;
pub mod draw;
pub mod file;
mod finding;
pub mod graph;
pub mod lint;
mod path;
mod references;
mod secrets;
mod suggest;
mod tree;
mod visible;

pub use build::GraphBuilder;
pub use definition::Definition;
pub use finding::{Finding, Rule, Severity};
pub use graph::{Graph, GraphError};
pub use secrets::{HIDDEN_SECRET, hide_secrets, is_secret_name};
pub use suggest::nearest;
pub use tree::Position;
pub use visible::is_visible;
