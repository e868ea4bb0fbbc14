//! Values of the environment, put in place of the references of a file.
//!
//! What came from the environment stays known: beside the file with its values stands the one as it
//! was written, and whatever is shown is taken from that.

use std::collections::{BTreeSet, HashMap};

use pipeline_proto::{
    Region,
    model::{Node, NodeId},
};

use super::{FileError, Place, Spot, WorkflowFile, keep};
use crate::{
    definition::Definition,
    finding::{Finding, Rule, Severity},
    path::Path,
    references::{self, Piece},
    secrets::Scope,
    tree::{Position, Tree, Value},
};

/// What the environment says of a variable.
///
/// ```
/// use pipeline_graph::file::{Format, Variable, WorkflowFile};
///
/// let file = WorkflowFile::parse("name: w\ncomment: ${HOME}\nnodes: {}", Format::Yaml)?;
/// let filled = file.fill(|_| Variable::Refused("no part of a workflow"));
/// assert_eq!(
///     filled.definition().unwrap_err().to_string(),
///     "2:10: the environment variable HOME cannot be used: no part of a workflow",
/// );
/// # Ok::<(), pipeline_graph::file::FileError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Variable {
    /// It has this value.
    Set(String),
    /// It is not set.
    Unset,
    /// Its value is of no interest here: the reference stands for itself.
    Elsewhere,
    /// It must not be used, for this reason.
    Refused(&'static str),
}

impl From<Option<String>> for Variable {
    fn from(value: Option<String>) -> Self {
        value.map_or(Self::Unset, Self::Set)
    }
}

/// A workflow file with values in place of its references to the environment.
///
/// Nothing that it tells shows such a value: neither findings nor errors, nor what a
/// [`Definition`] or a [`Diff`](crate::diff::Diff) made of it shows.
///
/// ```
/// use pipeline_graph::file::{Format, Variable, WorkflowFile};
///
/// let text = r#"{"name": "w", "region": "nb", "nodes": {
///     "raw-repo": {"data": {"schema": [{"key": "ip", "valtype": "${TYPE}"}]}}}}"#;
/// let file = WorkflowFile::parse(text, Format::Json)?;
/// let filled = file.fill(|_| Variable::Set("s3cret".into()));
/// let findings = filled.lint();
/// let found = findings.iter().find(|it| it.message.contains("once ${TYPE} is filled in"));
/// assert!(!found.unwrap().message.contains("s3cret"));
/// # Ok::<(), pipeline_graph::file::FileError>(())
/// ```
#[derive(Clone)]
pub struct Filled<'a> {
    pub(crate) written: &'a WorkflowFile,
    /// The same with values. What has none stands as it was written.
    pub(crate) file: WorkflowFile,
    /// Variables that cannot be used.
    refused: Vec<Finding>,
    pub(super) gaps: Vec<Gap>,
}

/// A text that lacks a value.
#[derive(Clone)]
pub(super) struct Gap {
    pub(super) at: Position,
    pub(super) node: Option<NodeId>,
    pub(super) path: String,
    pub(super) parts: Vec<Part>,
}

/// A piece of a text that lacks a value.
#[derive(Clone)]
pub(super) enum Part {
    Text(String),
    Missing(String),
}

impl Gap {
    fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Missing(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    fn findings(&self) -> impl Iterator<Item = Finding> {
        self.variables().map(|name| {
            let message = format!("the environment variable {name} is not set");
            let mut finding = Finding::new(Rule::UnsetVariable, message);
            finding.node.clone_from(&self.node);
            finding.at(Some(self.at)).path(self.path.as_str())
        })
    }
}

impl WorkflowFile {
    /// Puts values of the environment in place of references to it.
    pub fn fill(&self, mut environment: impl FnMut(&str) -> Variable) -> Filled<'_> {
        let mut file = self.clone();
        let mut filler = Filler {
            environment: &mut environment,
            refused: Vec::new(),
            gaps: Vec::new(),
            node: None,
        };
        for (spot, member) in [
            (&mut file.name, "name"),
            (&mut file.region, "region"),
            (&mut file.comment, "comment"),
        ] {
            if let Some(spot) = spot {
                spot.text = filler
                    .text(&spot.text, spot.at, &Path::to_member(member))
                    .into();
            }
        }
        for (id, place) in &mut file.places {
            filler.node = Some(id.clone());
            let base = place.path.clone();
            change_values(file.nodes.get_mut(id), place, |name, tree| {
                let mut path = Path::inside(&base, name);
                tree.change_leaves(&mut path, Scope::default(), &mut |leaf, path, _| {
                    if let Value::Text(text) = &mut leaf.value
                        && text.contains("${")
                    {
                        *text = filler.text(text, leaf.at, path).into();
                    }
                });
            });
        }
        Filled {
            written: self,
            refused: filler.refused,
            gaps: filler.gaps,
            file,
        }
    }

    /// The workflow that the file describes. `environment` gives the value of a variable.
    ///
    /// # Errors
    ///
    /// When a part of the file has the wrong type, is missing or stands there twice, or when the
    /// environment lacks a variable: everything of that kind that was found.
    pub fn resolve(
        &self,
        mut environment: impl FnMut(&str) -> Option<String>,
    ) -> Result<Definition, FileError> {
        self.fill(|name| environment(name).into()).definition()
    }

    /// The workflow with references as they stand.
    fn unresolved(&self) -> Definition {
        let text = |spot: &Option<Spot>| spot.as_ref().map(|spot| spot.text.to_string());
        Definition {
            name: text(&self.name).unwrap_or_default(),
            region: text(&self.region).unwrap_or_else(|| Region::default().into()),
            comment: text(&self.comment).unwrap_or_default(),
            nodes: self.nodes(),
            written: None,
        }
    }

    /// Every text with a reference, by its place.
    pub(crate) fn references(&self) -> HashMap<Position, &str> {
        let mut found = HashMap::new();
        for spot in [&self.name, &self.region, &self.comment]
            .into_iter()
            .flatten()
        {
            note_references(&mut found, &spot.text, spot.at);
        }
        for place in self.places.values() {
            let extra = place.extra.iter().map(|member| &member.tree);
            for tree in place.data.iter().chain(extra) {
                tree.walk(&mut Path::default(), Scope::default(), &mut |part, _, _| {
                    note_references(&mut found, part.as_text().unwrap_or_default(), part.at);
                });
            }
        }
        found
    }
}

fn note_references<'a>(found: &mut HashMap<Position, &'a str>, text: &'a str, at: Position) {
    if text.contains("${") {
        found.insert(at, text);
    }
}

/// Changes the data of a node and what else it has, by the name of the member.
pub(super) fn change_values(
    node: Option<&mut Node>,
    place: &mut Place,
    mut change: impl FnMut(&str, &mut Tree),
) {
    let Some(node) = node else { return };
    if let Some(tree) = &mut place.data {
        change("data", tree);
        node.data = Some(tree.to_raw());
    }
    for member in &mut place.extra {
        change(&member.name, &mut member.tree);
        node.extra.insert(member.name.clone(), member.tree.to_raw());
    }
}

struct Filler<'a> {
    environment: &'a mut dyn FnMut(&str) -> Variable,
    refused: Vec<Finding>,
    gaps: Vec<Gap>,
    node: Option<NodeId>,
}

impl Filler<'_> {
    /// The text with values. One that lacks a value stays as it is.
    fn text(&mut self, text: &str, at: Position, path: &Path) -> String {
        let mut parts = Vec::new();
        let mut missing = false;
        let add = |parts: &mut Vec<Part>, text: &str| match parts.last_mut() {
            Some(Part::Text(before)) => before.push_str(text),
            _ => parts.push(Part::Text(text.to_owned())),
        };
        for piece in references::pieces(text) {
            match piece {
                Piece::Literal(literal) => add(&mut parts, literal),
                Piece::Variable(name) => match (self.environment)(name) {
                    Variable::Set(value) => add(&mut parts, &value),
                    Variable::Elsewhere => add(&mut parts, &format!("${{{name}}}")),
                    Variable::Unset => {
                        missing = true;
                        parts.push(Part::Missing(name.to_owned()));
                    }
                    Variable::Refused(reason) => {
                        let message =
                            format!("the environment variable {name} cannot be used: {reason}");
                        let mut finding = Finding::new(Rule::RefusedVariable, message);
                        finding.node.clone_from(&self.node);
                        self.refused.push(finding.at(Some(at)).path(path.as_str()));
                    }
                },
                // Reported when the file was read.
                Piece::Malformed => {}
            }
        }
        if missing {
            self.gaps.push(Gap {
                at,
                node: self.node.clone(),
                path: path.as_str().to_owned(),
                parts,
            });
            return text.to_owned();
        }
        match parts.pop() {
            Some(Part::Text(text)) => text,
            _ => String::new(),
        }
    }
}

impl Filled<'_> {
    /// The variables that are not set, each once.
    pub fn unset(&self) -> BTreeSet<&str> {
        self.gaps.iter().flat_map(Gap::variables).collect()
    }

    /// Takes what the service has for texts that lack a value. Where it has nothing that fits, the
    /// text still lacks it. The name is no such text.
    #[must_use]
    pub fn keep(mut self, there: &Definition) -> Self {
        keep::keep(&mut self.file, &mut self.gaps, there);
        self
    }

    /// Lets references to variables that are not set stand for themselves.
    #[must_use]
    pub fn leave_unset(mut self) -> Self {
        self.gaps.clear();
        self
    }

    /// The workflow that the file describes.
    ///
    /// # Errors
    ///
    /// When a part of the file has the wrong type, is missing or stands there twice, or when a
    /// variable is not set or refused: everything of that kind that was found.
    pub fn definition(&self) -> Result<Definition, FileError> {
        let fatal = |finding: &&Finding| finding.severity() == Severity::Error;
        let shape = self.written.findings.iter().filter(fatal).cloned();
        let mut findings: Vec<Finding> = shape.chain(self.faults()).collect();
        if !findings.is_empty() {
            findings.sort_by_key(|finding| finding.position);
            return Err(FileError { findings });
        }
        let mut definition = self.file.unresolved();
        if !self.written.references().is_empty() {
            definition.written = Some(Box::new(self.written.unresolved()));
        }
        Ok(definition)
    }

    pub(crate) fn faults(&self) -> impl Iterator<Item = Finding> {
        let unset = self.gaps.iter().flat_map(Gap::findings);
        unset.chain(self.refused.iter().cloned())
    }
}
