use std::collections::{BTreeSet, btree_map::Entry};

use pipeline_graph::{Finding, Rule, lint::lint_nodes};
use pipeline_proto::{
    ErrorCode,
    model::{Node, NodeId, NodeType, Nodes, RawJson},
};

use super::{Members, refuse};
use crate::{id::Kind, refusal::Refusal};

/// Definitions that are checked by the rules that hold for the nodes of workflow files.
pub(super) struct Judged {
    /// Those that are judged; the others are there to be read from.
    own: BTreeSet<NodeId>,
    nodes: Nodes,
    /// Whether they came with a graph, where what they leave out is not asked for.
    may_lack: bool,
}

impl Judged {
    pub(super) fn new(kind: Kind, name: &str, data: &Members) -> Result<Self, Refusal> {
        let node = node(kind, name, data)?;
        Ok(Self {
            own: BTreeSet::from([node.id()]),
            nodes: Nodes::from([(node.id(), node)]),
            may_lack: false,
        })
    }

    /// The graph of a workflow.
    pub(super) fn graph(nodes: &Nodes) -> Self {
        Self {
            own: nodes.keys().cloned().collect(),
            nodes: nodes.clone(),
            may_lack: true,
        }
    }

    /// Something that one of them reads from, and whether it is new.
    pub(super) fn reads(
        &mut self,
        reader: &NodeId,
        kind: Kind,
        name: &str,
        data: &Members,
    ) -> Result<(NodeId, bool), Refusal> {
        let source = node(kind, name, data)?;
        let (id, source_ref) = (source.id(), source.to_ref());
        let reader = self.nodes.get_mut(reader);
        // In a graph, the edge may be there.
        let reader = reader
            .filter(|reader| !reader.parents.contains(&source_ref))
            .map(|reader| {
                reader.parents.push(source_ref);
                reader.to_ref()
            });
        let entry = self.nodes.entry(id.clone());
        let is_new = matches!(entry, Entry::Vacant(_));
        entry.or_insert(source).children.extend(reader);
        Ok((id, is_new))
    }

    /// Refuses what is wrong with them; what has no code is judged elsewhere.
    pub(super) fn check(
        &self,
        code: impl Fn(&Finding) -> Option<ErrorCode>,
    ) -> Result<(), Refusal> {
        let refused = |it: &Finding| {
            let is_own = it.node.as_ref().is_some_and(|node| self.own.contains(node));
            let is_refused = is_own && is_refused(it.rule) || it.rule == Rule::Cycle;
            let is_lacking = self.may_lack && it.path.rsplit('.').next() == Some("data");
            code(it).filter(|_| is_refused && !is_lacking)
        };
        let mut findings = lint_nodes(&self.nodes).into_iter();
        match findings.find_map(|it| Some((refused(&it)?, it.message))) {
            Some((code, message)) => refuse(code, message),
            None => Ok(()),
        }
    }
}

/// Whether the service refuses a breach of a rule about data. What means nothing it ignores.
fn is_refused(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::WrongType
            | Rule::MissingMember
            | Rule::Contradiction
            | Rule::UnknownValue
            | Rule::MalformedValue
            | Rule::OutOfRange
            | Rule::DuplicateName
            | Rule::SchemaEmpty
            | Rule::SchemaKey
            | Rule::SchemaDuplicateKey
            | Rule::SchemaValtype
            | Rule::UnknownField
            | Rule::UnknownSource
    )
}

fn node(kind: Kind, name: &str, data: &Members) -> Result<Node, Refusal> {
    let data = RawJson::from_value(data);
    let data = data.map_err(|error| Refusal::code(ErrorCode::INTERNAL_ERROR, error))?;
    let mut node = Node::default();
    (node.name, node.data) = (name.to_owned(), Some(data));
    node.node_type = NodeType::from(kind.as_str());
    Ok(node)
}
