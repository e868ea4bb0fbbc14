//! A few graphs, each with what is known of it beforehand.

use serde_json::{Map, Value, json};

/// The name and the type of a node.
type Name = (&'static str, &'static str);

/// A shape of graphs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Graph {
    /// No nodes.
    Empty,
    /// Legal, but nothing in it can run.
    Queue,
    /// A queue and what writes it elsewhere.
    Export,
    /// A longer one, with the queue and the export of the others in it.
    Transform,
    /// Ends by itself after a while.
    Manual,
    /// An edge leads nowhere.
    Dangling,
    /// It goes round.
    Cycle,
    /// What runs by itself beside what is run by hand.
    Mixed,
    /// Cannot be sent at all.
    IllegalName,
}

impl Graph {
    /// The code with which the service refuses it.
    pub(super) const fn refusal(self) -> Option<u32> {
        match self {
            Self::Dangling | Self::Cycle => Some(18646),
            Self::Mixed => Some(18653),
            _ => None,
        }
    }

    pub(super) const fn can_start(self) -> bool {
        matches!(self, Self::Export | Self::Transform | Self::Manual)
    }

    pub(super) const fn is_manual(self) -> bool {
        matches!(self, Self::Manual)
    }

    /// Names and types of the nodes, and the edges between them.
    const fn parts(self) -> (&'static [Name], &'static [(Name, Name)]) {
        const CLICKS: Name = ("clicks", "repo");
        const CLEAN: Name = ("clean", "transform");
        const CLEANED: Name = ("cleaned", "repo");
        const SAVE: Name = ("save", "export");
        const ARCHIVE: Name = ("archive", "datasource");
        const COUNT: Name = ("count", "job");
        const REPORT: Name = ("report", "exportBatch");
        match self {
            Self::Empty => (&[], &[]),
            Self::Queue => (&[CLICKS], &[]),
            Self::Export => (&[CLICKS, SAVE], &[(CLICKS, SAVE)]),
            Self::Transform => (
                &[CLICKS, CLEAN, CLEANED, SAVE],
                &[(CLICKS, CLEAN), (CLEAN, CLEANED), (CLEANED, SAVE)],
            ),
            Self::Manual => (
                &[ARCHIVE, COUNT, REPORT],
                &[(ARCHIVE, COUNT), (COUNT, REPORT)],
            ),
            Self::Dangling => (&[CLICKS], &[(CLICKS, SAVE)]),
            Self::Cycle => (&[CLICKS, CLEAN], &[(CLICKS, CLEAN), (CLEAN, CLICKS)]),
            Self::Mixed => (&[CLEAN, COUNT], &[]),
            Self::IllegalName => (&[("9 lives", "repo")], &[]),
        }
    }

    /// The nodes as they are sent and shown, with names that no other workflow has for its own. The
    /// version stands in the data, so that two graphs of one kind can be told apart.
    pub(super) fn nodes(self, workflow: &str, version: u32) -> Map<String, Value> {
        let (names, edges) = self.parts();
        let own = |name: &str| format!("{workflow}_{name}");
        let ends = |edges: Vec<Name>| -> Option<Value> {
            let ends = edges
                .iter()
                .map(|(name, r#type)| json!({"name": own(name), "type": r#type}));
            (!edges.is_empty()).then(|| ends.collect())
        };
        let node = |&(name, r#type): &Name| {
            let mut node = json!({"name": own(name), "type": r#type, "data": {"version": version}});
            if r#type == "job" {
                node["data"]["scheduler"] = json!({"type": "manual"});
            }
            let is_this = |end: Name| end == (name, r#type);
            let parents = edges
                .iter()
                .filter(|(_, to)| is_this(*to))
                .map(|(from, _)| *from);
            let children = edges
                .iter()
                .filter(|(from, _)| is_this(*from))
                .map(|(_, to)| *to);
            for (member, edges) in [
                ("parents", parents.collect()),
                ("children", children.collect()),
            ] {
                if let Some(ends) = ends(edges) {
                    node[member] = ends;
                }
            }
            (format!("{}-{type}", own(name)), node)
        };
        names.iter().map(node).collect()
    }
}
