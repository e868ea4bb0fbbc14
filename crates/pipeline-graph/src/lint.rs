//! Checks a workflow before it is sent: everything that can be known without asking the service.
//!
//! Rules have stable names and a fixed severity each; [`Rule::ALL`] lists them. Whatever
//! [`Graph::new`](crate::Graph::new) refuses is an error here, too.
//!
//! ```
//! use pipeline_graph::{file::Format, lint::lint_text};
//!
//! let text = "\
//! name: clicks
//! region: nb
//! nodes:
//!   raw-repo:
//!     data: {schema: [{key: ip, valtype: text}]}
//!   save-export:
//!     parents: [raw-repo]
//!     data: {type: kodo, spec: {bucket: clicks, fields: {ip: \"#ip\"}}}
//! ";
//! let findings = lint_text(text, Format::Yaml);
//! assert_eq!(
//!     findings[0].to_string(),
//!     "5:40: error: the service knows no type \"text\"; known are string, long, float, date, \
//!      boolean, array, map, jsonstring and ip [schema-valtype]",
//! );
//! ```

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use pipeline_proto::{
    Region, WorkflowName,
    describe::Head,
    model::{Node, NodeId, NodeType, Nodes},
};

pub use crate::finding::{Finding, Rule, Severity};
use crate::{
    file::{Format, Place, WorkflowFile},
    graph::{Fault, Side, check},
    path::Path,
    references, suggest,
    tree::{Position, Tree},
};

mod cron;
mod data;
mod filled;
mod mapping;
mod relations;

use data::Spec;
use mapping::Source;

/// Checks a workflow file. Findings come in the order of the text.
pub fn lint_file(file: &WorkflowFile) -> Vec<Finding> {
    let mut findings = file.findings.clone();
    let misshapen = |finding: &Finding| finding.rule == Rule::WrongType;
    if findings
        .iter()
        .any(|finding| misshapen(finding) && finding.path.is_empty())
    {
        return findings;
    }
    findings.extend(lint_head(file));
    let mut linter = Linter::new(&file.nodes, Some(file));
    linter.run();
    // Nodes that could not be read may be the ones that can be started.
    let unread = |finding: &Finding| misshapen(finding) || finding.rule == Rule::MissingNodes;
    if !file.findings.iter().any(unread) {
        linter.look_for_startable();
    }
    findings.extend(linter.findings);
    findings.sort_by(|a, b| (a.position, a.rule, &a.path).cmp(&(b.position, b.rule, &b.path)));
    findings
}

/// Reads a text as a workflow file and checks it; a text that cannot be read is a finding as well.
pub fn lint_text(text: &str, format: Format) -> Vec<Finding> {
    match WorkflowFile::parse(text, format) {
        Ok(file) => lint_file(&file),
        Err(error) => error.findings().to_vec(),
    }
}

/// Checks nodes that did not come from a file, such as those of the service. Findings come in the
/// order of node ids and have no position.
pub fn lint_nodes(nodes: &Nodes) -> Vec<Finding> {
    let mut linter = Linter::new(nodes, None);
    linter.run();
    linter.look_for_startable();
    let mut findings = linter.findings;
    // The service has to know them.
    findings.retain(|finding| finding.rule != Rule::SecretInClear);
    findings.sort_by(|a, b| (&a.node, a.rule, &a.path).cmp(&(&b.node, b.rule, &b.path)));
    findings
}

/// Name and region.
fn lint_head(file: &WorkflowFile) -> Vec<Finding> {
    type Fault = fn(&str) -> Option<String>;
    let name: Fault = |text| Some(WorkflowName::new(text).err()?.to_string());
    let region: Fault = |text| Some(Region::new(text).err()?.to_string());
    let no_name = "the file does not say which workflow it describes";
    let no_region = "no region is given; nb is taken";
    let misread = |member| file.findings.iter().any(|finding| finding.path == member);
    let parts = [
        (
            "name",
            &file.name,
            (Rule::WorkflowName, name),
            (Rule::MissingName, no_name),
        ),
        (
            "region",
            &file.region,
            (Rule::Region, region),
            (Rule::MissingRegion, no_region),
        ),
    ];
    let found = parts
        .into_iter()
        .filter_map(|(member, spot, (rule, fault), missing)| {
            let (rule, message, at) = match spot {
                // Nobody knows what the environment will say.
                Some(spot) if references::has_variable(&spot.text) => return None,
                Some(spot) => (rule, fault(&spot.text)?, spot.at),
                None if misread(member) => return None,
                None => (missing.0, missing.1.to_owned(), Position::START),
            };
            Some(Finding::new(rule, message).at(Some(at)).path(member))
        });
    found.collect()
}

struct Linter<'a> {
    nodes: &'a Nodes,
    file: Option<&'a WorkflowFile>,
    /// Nodes that were not read completely.
    unread: HashSet<NodeId>,
    /// What texts are compared with, by pattern.
    forms: HashMap<&'static str, regex_lite::Regex>,
    findings: Vec<Finding>,
}

/// A node while it is checked.
pub(super) struct Subject<'a> {
    id: &'a NodeId,
    node: &'a Node,
    place: Option<&'a Place>,
    data: Option<Cow<'a, Tree>>,
}

impl<'a> Linter<'a> {
    /// What the file says of the whole workflow, if the environment has no part in it.
    fn head(&self, head: Head) -> Option<&'a str> {
        let file = self.file?;
        let spot = match head {
            Head::Name => &file.name,
            Head::Region => &file.region,
            _ => return None,
        };
        let text = &*spot.as_ref()?.text;
        (!text.is_empty() && !references::has_variable(text)).then_some(text)
    }

    fn new(nodes: &'a Nodes, file: Option<&'a WorkflowFile>) -> Self {
        let unread = file
            .iter()
            .flat_map(|file| &file.findings)
            .filter_map(|finding| {
                let broken = matches!(finding.rule, Rule::WrongType | Rule::DuplicateKey);
                finding.node.clone().filter(|_| broken)
            });
        Self {
            nodes,
            file,
            unread: unread.collect(),
            forms: HashMap::new(),
            findings: Vec::new(),
        }
    }

    fn run(&mut self) {
        let checked = check(self.nodes);
        self.report_faults(&checked.faults);
        let subjects: Vec<Subject<'a>> = self
            .nodes
            .iter()
            .map(|(id, node)| self.subject(id, node))
            .collect();
        let parents = checked.children.transpose();
        for (at, subject) in checked.children.positions().zip(&subjects) {
            self.check_type(subject);
            // What could not be read may be the edge that is missing.
            if self.unread.is_empty() {
                self.check_neighbours(subject, parents.of(at), checked.children.of(at));
            }
        }
        let sources: Vec<Option<Source<'_>>> = subjects.iter().map(Source::new).collect();
        for (at, subject) in parents.positions().zip(&subjects) {
            // With several sources nobody knows which one is read.
            let source = match parents.of(at) {
                [source] => sources[*source as usize].as_ref(),
                _ => None,
            };
            self.check_data(subject, source);
        }
        self.check_relations(&subjects, &parents);
    }

    fn subject_without_data(&self, id: &'a NodeId, node: &'a Node) -> Subject<'a> {
        Subject {
            id,
            node,
            place: self.file.and_then(|file| file.places.get(id)),
            data: None,
        }
    }

    /// A node with its data, read if it was not read from a file.
    fn subject(&mut self, id: &'a NodeId, node: &'a Node) -> Subject<'a> {
        let mut subject = self.subject_without_data(id, node);
        let place = subject.place;
        subject.data = place
            .and_then(|place| place.data.as_ref())
            .map(Cow::Borrowed);
        if let (None, Some(raw)) = (place, &node.data) {
            match Tree::of(raw) {
                Ok(tree) => subject.data = Some(Cow::Owned(tree)),
                Err(error) => {
                    let message = format!("the data cannot be read: {}", error.message);
                    self.report(
                        &subject,
                        Rule::WrongType,
                        message,
                        subject.path("data").as_str(),
                        None,
                    );
                }
            }
        }
        subject
    }

    /// Notes a finding about a node. `at` is where, if the node came from a file.
    fn report(
        &mut self,
        subject: &Subject<'_>,
        rule: Rule,
        message: impl Into<String>,
        path: &str,
        at: Option<Position>,
    ) {
        // Values that did not come from a file have positions of no meaning.
        let position = subject.place.map(|place| at.unwrap_or(place.key));
        self.findings.push(
            Finding::new(rule, message)
                .node(subject.id)
                .path(path)
                .at(position),
        );
    }

    fn report_faults(&mut self, faults: &[Fault]) {
        for fault in faults {
            let Some((id, node)) = self.nodes.get_key_value(&fault.node) else {
                continue;
            };
            // In a file one end is enough.
            if fault.rule == Rule::OneSidedEdge && self.file.is_some() {
                continue;
            }
            let subject = self.subject_without_data(id, node);
            let (path, at) = match (fault.rule, fault.edge) {
                (_, Some((side, index))) => subject.edge(side, index),
                (Rule::NodeName, _) => subject.name(),
                _ => (subject.whole(), None),
            };
            self.report(&subject, fault.rule, &*fault.message, &path, at);
        }
    }

    fn check_type(&mut self, subject: &Subject<'_>) {
        let node_type = subject.node.node_type.as_str();
        if NodeType::KNOWN.contains(&subject.node.node_type) || node_type.is_empty() {
            return;
        }
        let known: Vec<&str> = NodeType::KNOWN.iter().map(NodeType::as_str).collect();
        let why = match suggest::nearest(node_type, known.iter().copied()) {
            _ if node_type.contains('-') => "a name cannot have a '-'".to_owned(),
            Some(near) => format!("did you mean {near:?}?"),
            None => format!("known are {}", suggest::list(&known)),
        };
        let message = format!("the type {node_type:?} is not known; {why}");
        let at = subject.place.and_then(|place| place.node_type);
        self.report(subject, Rule::UnknownType, message, &subject.whole(), at);
    }

    fn check_neighbours(&mut self, subject: &Subject<'_>, parents: &[u32], children: &[u32]) {
        use NodeType::{Export, ExportBatch, Job, Transform};
        let (id, node) = (subject.id, subject.node);
        let no_parent = parents.is_empty() && node.parents.is_empty();
        let no_child = children.is_empty() && node.children.is_empty();
        let source = match &node.node_type {
            Transform | Export => Some("a repo"),
            Job => Some("a datasource or another job"),
            ExportBatch => Some("a job"),
            _ => None,
        };
        let mut found = Vec::new();
        if let (Some(source), true) = (source, no_parent) {
            let message = format!("node {id:?} has no parent; it must read from {source}");
            found.push((Rule::MissingParent, message));
        }
        if no_child && node.node_type == Transform {
            let message = format!("node {id:?} has no child; it must write to a repo");
            found.push((Rule::MissingChild, message));
        }
        if source.is_none() && no_parent && no_child && self.nodes.len() > 1 {
            let message = format!("nothing leads to node {id:?} and nothing from it");
            found.push((Rule::Orphan, message));
        }
        for (rule, message) in found {
            self.report(subject, rule, message, &subject.whole(), None);
        }
    }

    fn look_for_startable(&mut self) {
        if !self
            .nodes
            .values()
            .any(|node| node.node_type.makes_startable())
        {
            let message =
                "the workflow cannot be started: it has no transform, export or exportBatch";
            let position = self.file.map(|_| Position::START);
            self.findings.push(
                Finding::new(Rule::NothingStartable, message)
                    .path("nodes")
                    .at(position),
            );
        }
    }
}

impl Subject<'_> {
    /// The data as what it should be, if the type is known.
    fn spec(&self) -> Option<Spec<'_>> {
        Spec::new(&self.node.node_type, self.data.as_deref()?)
    }

    /// The path of the node.
    fn whole(&self) -> String {
        match self.place {
            Some(place) => place.path.clone(),
            None => Path::inside("nodes", self.id.as_str()).as_str().to_owned(),
        }
    }

    /// The path of a member of the node.
    fn path(&self, member: &str) -> Path {
        Path::inside(&self.whole(), member)
    }

    /// Path and position of the name, wherever it is given.
    fn name(&self) -> (String, Option<Position>) {
        match self.place.and_then(|place| place.name) {
            Some(at) => (self.path("name").as_str().to_owned(), Some(at)),
            None => (self.whole(), None),
        }
    }

    /// Path and position of an entry of a list of neighbours.
    fn edge(&self, side: Side, index: usize) -> (String, Option<Position>) {
        let mut path = self.path(side.as_str());
        let path = path.in_element(index, |path| path.as_str().to_owned());
        let at = self
            .place
            .and_then(|place| place.edges[side.index()].get(index));
        (path, at.copied())
    }
}
