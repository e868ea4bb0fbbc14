use std::collections::btree_map::Entry;

use pipeline_graph::{Finding, Rule, lint::lint_nodes};
use pipeline_proto::{
    ErrorCode,
    model::{Node, NodeId, NodeType, Nodes, RawJson},
};

use super::{Members, refuse};
use crate::{refusal::Refusal, state::Kind};

/// A definition that is checked by the rules that hold for the nodes of workflow files.
pub(super) struct Judged {
    id: NodeId,
    nodes: Nodes,
}

impl Judged {
    pub(super) fn new(kind: Kind, name: &str, data: &Members) -> Result<Self, Refusal> {
        let node = node(kind, name, data)?;
        Ok(Self {
            id: node.id(),
            nodes: Nodes::from([(node.id(), node)]),
        })
    }

    pub(super) fn id(&self) -> NodeId {
        self.id.clone()
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
        let reader = self.nodes.get_mut(reader).map(|reader| {
            reader.parents.push(source_ref);
            reader.to_ref()
        });
        let entry = self.nodes.entry(id.clone());
        let is_new = matches!(entry, Entry::Vacant(_));
        entry.or_insert(source).children.extend(reader);
        Ok((id, is_new))
    }

    /// Refuses what is wrong with it.
    pub(super) fn check(&self, code: fn(&Finding) -> ErrorCode) -> Result<(), Refusal> {
        let mut findings = lint_nodes(&self.nodes).into_iter();
        let found = findings.find(|it| {
            let is_own = it.node.as_ref() == Some(&self.id) && is_refused(it.rule);
            is_own || it.rule == Rule::Cycle
        });
        match found {
            Some(it) => refuse(code(&it), it.message),
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
