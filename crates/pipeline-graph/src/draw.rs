//! Pictures of a workflow: for the terminal, for Mermaid, for Graphviz, and as SVG.
//!
//! A picture is the same to the byte whenever nodes, title and statuses are the same. It shows
//! names, types, statuses and a few words like `kodo` or `crontab`, nothing else of the data.
//! Nodes need not form a legal graph: an edge that closes a cycle is drawn as such, and one that
//! leads nowhere is left out.
//!
//! ```
//! use pipeline_graph::draw::{Charset, Picture};
//! use pipeline_proto::model::{Nodes, Status};
//!
//! let nodes: Nodes = serde_json::from_str(r#"{
//!     "raw-repo": {"name": "raw", "type": "repo", "children": [{"name": "save", "type": "export"}]},
//!     "save-export": {"name": "save", "type": "export", "parents": [{"name": "raw", "type": "repo"}],
//!                     "data": {"type": "kodo"}}}"#)?;
//! let picture = Picture::new(&nodes).node_status("raw-repo", Status::Started);
//! assert_eq!(
//!     picture.tree(Charset::Unicode),
//!     "\
//! raw      repo           ● Started
//! └─ save  export · kodo
//! "
//! );
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::collections::HashMap;

use pipeline_proto::{
    model::{Node, NodeId, Nodes, Status, WorkflowState},
    resource::NodeSpec,
};

use crate::{
    graph::{Adjacency, check, levels},
    visible::visible,
};

mod dot;
mod kind;
mod layout;
mod mermaid;
mod order;
mod svg;
mod tree;

use kind::Kind;

/// The characters that a terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Charset {
    /// Box-drawing characters and signs.
    Unicode,
    /// ASCII only.
    Ascii,
}

/// What is to be drawn. Build it, then ask for one of the forms.
///
/// ```
/// use pipeline_graph::draw::Picture;
/// use pipeline_proto::model::Nodes;
///
/// let nodes: Nodes = serde_json::from_str(r#"{
///     "raw-repo": {"name": "raw", "type": "repo", "children": [{"name": "save", "type": "export"}]},
///     "save-export": {"name": "save", "type": "export", "parents": [{"name": "raw", "type": "repo"}]}}"#)?;
/// let picture = Picture::new(&nodes).title("clicks");
/// assert!(picture.mermaid().contains("flowchart"));
/// assert!(picture.svg().starts_with("<svg"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Picture<'a> {
    nodes: &'a Nodes,
    title: Option<String>,
    status: Option<Status>,
    statuses: HashMap<NodeId, Status>,
    direction: Direction,
}

/// A row of a tree whose columns somebody else sets, for instance to a width.
///
/// ```
/// use pipeline_graph::draw::{Charset, Picture};
/// use pipeline_proto::model::{Nodes, Status};
///
/// let nodes: Nodes = serde_json::from_str(r#"{"raw-repo": {"name": "raw", "type": "repo"}}"#)?;
/// let picture = Picture::new(&nodes).title("clicks").status(Status::Started);
/// let rows = picture.rows(Charset::Unicode);
/// assert_eq!((rows[0].name.as_str(), rows[0].status.as_str()), ("clicks", "● Started"));
/// assert_eq!((rows[1].name.as_str(), rows[1].about.as_str()), ("raw", "repo"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TreeRow {
    /// The lines that lead from the parent to the name.
    pub indent: String,
    /// The name of the node; of the first row, the title if there is one.
    pub name: String,
    /// The type and perhaps a word about what the node does, or where else it is drawn.
    pub about: String,
    /// A sign and the status; empty if none is known.
    pub status: String,
}

/// Where the edges of a picture lead.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Direction {
    /// From left to right.
    #[default]
    Right,
    /// From top to bottom: for long chains, and for pages.
    Down,
}

impl<'a> Picture<'a> {
    /// A picture of these nodes, without title and statuses.
    pub fn new(nodes: &'a Nodes) -> Self {
        Self {
            nodes,
            title: None,
            status: None,
            statuses: HashMap::new(),
            direction: Direction::default(),
        }
    }

    /// Writes a title above, such as the workflow's name.
    #[must_use]
    pub fn title(mut self, title: &str) -> Self {
        self.title = Some(visible(title).into_owned());
        self
    }

    /// Leads the edges another way than from left to right; a tree stays as it is.
    #[must_use]
    pub fn direction(mut self, direction: Direction) -> Self {
        self.direction = direction;
        self
    }

    /// Shows the workflow's status beside the title.
    #[must_use]
    pub fn status(mut self, status: Status) -> Self {
        self.status = Some(status);
        self
    }

    /// Shows the status of a node.
    #[must_use]
    pub fn node_status(mut self, node: impl Into<NodeId>, status: Status) -> Self {
        self.statuses.insert(node.into(), status);
        self
    }

    /// Shows the statuses that the service reported for a workflow and its nodes.
    #[must_use]
    pub fn state(mut self, state: &WorkflowState) -> Self {
        self.status = Some(state.status.clone());
        for node in &state.nodes {
            let id = NodeId::of(&node.name, &node.node_type);
            self.statuses.insert(id, node.status.clone());
        }
        self
    }

    /// A tree for the terminal. A node with several parents is drawn in full under the first one
    /// and referred to under the others.
    pub fn tree(&self, charset: Charset) -> String {
        tree::draw(self, charset)
    }

    /// The rows of [`tree`](Self::tree), the title's first if there is one.
    pub fn rows(&self, charset: Charset) -> Vec<TreeRow> {
        tree::rows(self, charset)
    }

    /// A flowchart for [Mermaid](https://mermaid.js.org).
    pub fn mermaid(&self) -> String {
        mermaid::draw(self)
    }

    /// What Mermaid draws by default is limited. How far the flowchart goes beyond that, in a sentence
    /// that says what to do; `None` if it does not.
    pub fn mermaid_excess(&self) -> Option<String> {
        const EDGES: usize = 500;
        const CHARACTERS: usize = 50_000;
        let sketch = self.sketch();
        let edges = sketch.children.edges().count() + sketch.back.len();
        let characters = self.mermaid().encode_utf16().count();
        (edges > EDGES || characters > CHARACTERS).then(|| {
            format!(
                "Mermaid draws up to {EDGES} edges and {CHARACTERS} characters unless told otherwise, and this \
                 picture has {edges} and {characters}: set maxEdges and maxTextSize in its configuration, or \
                 take the form svg or dot"
            )
        })
    }

    /// A graph for [Graphviz](https://graphviz.org).
    pub fn dot(&self) -> String {
        dot::draw(self)
    }

    /// A self-contained SVG document, for light and dark surroundings.
    pub fn svg(&self) -> String {
        svg::draw(self)
    }

    /// The title with the status behind it.
    fn heading(&self) -> Option<String> {
        match (&self.title, self.status.as_ref().map(status_text)) {
            (Some(title), Some(status)) => Some(format!("{title} · {status}")),
            (Some(text), None) => Some(text.clone()),
            (None, status) => status,
        }
    }

    fn sketch(&self) -> Sketch<'_> {
        Sketch::new(self)
    }
}

/// What all forms have in common.
struct Sketch<'a> {
    items: Vec<Item<'a>>,
    /// Edges without those that close a cycle.
    children: Adjacency,
    /// Edges that close a cycle, by parent and child.
    back: Vec<(u32, u32)>,
    /// The length of the longest path to each node.
    levels: Vec<u32>,
}

/// A node as it is drawn. Texts are safe to show.
struct Item<'a> {
    id: &'a NodeId,
    name: String,
    kind: Kind,
    /// The type and perhaps a word about what it does.
    about: String,
    status: Option<String>,
}

impl<'a> Sketch<'a> {
    fn new(picture: &'a Picture<'_>) -> Self {
        let items = picture.nodes.iter().map(|(id, node)| Item {
            id,
            name: visible(if node.name.is_empty() {
                id.as_str()
            } else {
                &node.name
            })
            .into_owned(),
            kind: Kind::of(&node.node_type),
            about: about(node),
            status: picture.statuses.get(id).map(status_text),
        });
        let (children, back) = without_cycles(&check(picture.nodes).children);
        Self {
            items: items.collect(),
            levels: levels(&children).0,
            children,
            back,
        }
    }
}

fn status_text(status: &Status) -> String {
    match status.as_str() {
        "" => "?".to_owned(),
        text => visible(text).into_owned(),
    }
}

/// `export · kodo`. A word is shown only if it cannot be anything but a word.
fn about(node: &Node) -> String {
    let node_type = match node.node_type.as_str() {
        "" => "no type",
        text => text,
    };
    let node_type = visible(node_type);
    let word = match node.spec() {
        Ok(NodeSpec::Export(spec)) => Some(spec.r#type),
        Ok(NodeSpec::Datasource(spec)) => Some(spec.r#type),
        Ok(NodeSpec::JobExport(spec)) => Some(spec.r#type),
        Ok(NodeSpec::Job(spec)) => spec.scheduler.map(|scheduler| scheduler.r#type.to_string()),
        Ok(NodeSpec::Transform(spec)) => spec.interval,
        _ => None,
    };
    let short = |word: &String| {
        (1..=12).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    match word.filter(short) {
        Some(word) => format!("{node_type} · {word}"),
        None => node_type.into_owned(),
    }
}

/// Takes out the edges that lead back into the path on which they were found, walking from each
/// node in turn.
fn without_cycles(children: &Adjacency) -> (Adjacency, Vec<(u32, u32)>) {
    const NEW: u8 = 0;
    const ON_PATH: u8 = 1;
    const DONE: u8 = 2;
    let mut state = vec![NEW; children.len()];
    let mut back = Vec::new();
    for start in children.positions() {
        if state[start as usize] != NEW {
            continue;
        }
        state[start as usize] = ON_PATH;
        let mut path = vec![(start, 0)];
        while let Some((at, next)) = path.last_mut() {
            let at = *at;
            if let Some(child) = children.of(at).get(*next).copied() {
                *next += 1;
                match state[child as usize] {
                    NEW => {
                        state[child as usize] = ON_PATH;
                        path.push((child, 0));
                    }
                    ON_PATH => back.push((at, child)),
                    _ => {}
                }
            } else {
                state[at as usize] = DONE;
                path.pop();
            }
        }
    }
    back.sort_unstable();
    let forward = children
        .edges()
        .filter(|edge| back.binary_search(edge).is_err());
    let forward: Vec<_> = forward.collect();
    (Adjacency::new(children.len(), forward.into_iter()), back)
}

/// The types that occur, in the order of [`Kind`], with the text that names them in a legend.
fn kinds(sketch: &Sketch<'_>) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = sketch.items.iter().map(|item| item.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}
