//! The workflow file: a workflow as a text in YAML or JSON, for people and for version control.
//!
//! `docs/workflow-file.md` in the repository describes the format. An edge may be written once, at either end;
//! `${NAME}` stands for a value of the environment, so that secrets stay out of files.
//!
//! ```
//! use pipeline_graph::file::{Format, Secrets, WorkflowFile};
//!
//! let text = r##"
//! name: clicks
//! region: nb
//! nodes:
//!   raw-repo:
//!     data: {schema: [{key: ip, valtype: string}]}
//!   save-export:
//!     parents: [raw-repo]
//!     data: {type: kodo, spec: {bucket: clicks, secretKey: "${KODO_SECRET}", fields: {ip: "#ip"}}}
//! "##;
//! let file = WorkflowFile::parse(text, Format::Yaml)?;
//! let definition = file.resolve(|name| (name == "KODO_SECRET").then(|| "s3cret".to_owned()))?;
//! assert_eq!(definition.nodes["raw-repo"].children[0].name, "save");
//!
//! let written = definition.write(Format::Yaml, Secrets::Mask)?;
//! assert!(written.text.contains(r#"secretKey: "${SAVE_EXPORT_SECRET_KEY}""#));
//! assert_eq!(written.masked[0].path, "data.spec.secretKey");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use pipeline_proto::model::{NodeId, Nodes};

use crate::{
    finding::{self, Finding, Rule},
    graph::complete_edges,
    tree::{self, Member, Position, Tree, json, yaml},
};

mod fill;
mod keep;
mod read;
mod resource;
mod schema;
mod write;

pub use fill::{Filled, Variable};
pub use resource::ResourceFile;
pub use schema::json_schema;
pub use write::{Masked, Secrets, WriteError, Written};

/// The notation of a workflow file.
///
/// ```
/// use pipeline_graph::file::Format;
///
/// assert_eq!(Format::from_extension("yml"), Some(Format::Yaml));
/// assert_eq!(Format::guess(r#"{"name": "clicks"}"#), Format::Json);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// YAML 1.2, as far as JSON can express it.
    Yaml,
    /// JSON.
    Json,
}

impl Format {
    /// The notation that goes with a file name's extension, written without the dot.
    pub fn from_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "json" => Some(Self::Json),
            "yaml" | "yml" => Some(Self::Yaml),
            _ => None,
        }
    }

    /// The notation that a text most likely has: JSON if it starts with a brace.
    pub fn guess(text: &str) -> Self {
        let text = text.trim_start_matches('\u{feff}').trim_start();
        if text.starts_with('{') {
            Self::Json
        } else {
            Self::Yaml
        }
    }

    /// JSON, laid out for people in this notation. Members keep their order and numbers their digits; what is nested
    /// too deeply for eyes stays as it is, which is YAML as well.
    ///
    /// ```
    /// use pipeline_graph::file::Format;
    ///
    /// let json = r#"{"name":"w","limit":1e400,"on":"yes","nodes":["a-repo"]}"#;
    /// assert_eq!(Format::Yaml.lay_out(json), "name: w\nlimit: 1e400\n\"on\": \"yes\"\nnodes: [a-repo]\n");
    /// ```
    pub fn lay_out(self, json: &str) -> String {
        match json::read(json) {
            Ok(tree) => self.write(&tree),
            Err(_) => format!("{json}\n"),
        }
    }

    fn write(self, tree: &Tree) -> String {
        match self {
            Self::Yaml => yaml::write(tree),
            Self::Json => json::write_pretty(tree) + "\n",
        }
    }
}

/// A workflow file as it was read: references to the environment are not resolved yet, and every
/// part knows its place in the text.
///
/// `Debug` shows names and sizes only.
///
/// ```
/// use pipeline_graph::file::{Format, WorkflowFile};
///
/// let text = r#"{"name": "clicks", "comment": "${COMMENT}", "nodes": {}}"#;
/// let file = WorkflowFile::parse(text, Format::Json)?;
/// let definition = file.resolve(|name| (name == "COMMENT").then(|| "Clicks".to_owned()))?;
/// assert_eq!(definition.comment, "Clicks");
/// # Ok::<(), pipeline_graph::file::FileError>(())
/// ```
#[derive(Clone)]
pub struct WorkflowFile {
    pub(crate) name: Option<Spot>,
    pub(crate) region: Option<Spot>,
    pub(crate) comment: Option<Spot>,
    /// With edges at the end at which they are written, which may be one.
    pub(crate) nodes: Nodes,
    pub(crate) places: BTreeMap<NodeId, Place>,
    /// What was wrong with the shape of the file.
    pub(crate) findings: Vec<Finding>,
}

/// A text and where its value starts.
#[derive(Clone)]
pub(crate) struct Spot {
    pub(crate) text: Box<str>,
    pub(crate) at: Position,
}

/// Where the parts of a node are in the text.
#[derive(Clone)]
pub(crate) struct Place {
    /// The path of the node in the file.
    pub(crate) path: String,
    /// The node's key, or the start of the node in a list.
    pub(crate) key: Position,
    pub(crate) name: Option<Position>,
    pub(crate) node_type: Option<Position>,
    pub(crate) data: Option<Tree>,
    /// Members that mean nothing here and are kept.
    pub(crate) extra: Vec<Member>,
    /// The entries of `parents` and of `children`.
    pub(crate) edges: [Vec<Position>; 2],
}

impl WorkflowFile {
    /// Reads a workflow file.
    ///
    /// A text in the right notation is read even if it does not make sense as a workflow:
    /// [`lint`](crate::lint::lint_file) tells what is wrong, [`resolve`](Self::resolve) refuses
    /// what cannot be used.
    ///
    /// # Errors
    ///
    /// When the text is not in this notation.
    pub fn parse(text: &str, format: Format) -> Result<Self, FileError> {
        let (tree, with_zeros) = trees(text, format)?;
        Ok(read::file(tree, with_zeros))
    }

    /// The workflow's name as the file has it, variables not filled in.
    pub fn name(&self) -> Option<&str> {
        self.name.as_ref().map(|name| &*name.text)
    }

    /// The nodes, with every edge at both ends and references to the environment as they stand.
    pub fn nodes(&self) -> Nodes {
        let mut nodes = self.nodes.clone();
        complete_edges(&mut nodes);
        nodes
    }
}

/// A text as values, and numbers as they were written where they lost zeros.
fn trees(text: &str, format: Format) -> Result<(Tree, tree::yaml::Numbers), FileError> {
    let tree = match format {
        Format::Yaml => tree::yaml::read_noting(text),
        Format::Json => tree::json::read(text).map(|tree| (tree, HashMap::new())),
    };
    tree.map_err(|error| FileError {
        findings: vec![Finding::new(Rule::Syntax, error.message).at(Some(error.at))],
    })
}

impl fmt::Debug for WorkflowFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkflowFile")
            .field("name", &self.name.as_ref().map(|spot| &spot.text))
            .field("nodes", &self.nodes)
            .finish_non_exhaustive()
    }
}

/// A file that cannot be used, with everything that stands in the way.
///
/// `Display` is one line: the first finding with its place, as `3:2: …`, and how many more there are.
/// After the name of the file and a colon it is what compilers write and editors jump to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    /// Never empty.
    findings: Vec<Finding>,
}

impl FileError {
    /// What is wrong, in the order of the text; all of it of severity error.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = &self.findings[0];
        if let Some(position) = first.position {
            write!(f, "{position}: ")?;
        }
        f.write_str(&first.message)?;
        finding::and_more(f, self.findings.len())
    }
}

impl std::error::Error for FileError {}
