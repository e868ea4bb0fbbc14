use pipeline_graph::{Rule, lint::lint_nodes};
use pipeline_proto::{
    ErrorCode,
    model::{Node, NodeType, Nodes, RawJson},
};

use super::{Members, refuse};
use crate::refusal::Refusal;

/// A definition that is checked by the rules that hold for the nodes of workflow files.
pub(super) struct Judged {
    node: Node,
    sources: Vec<Node>,
}

impl Judged {
    pub(super) fn new(node_type: NodeType, name: &str, data: &Members) -> Result<Self, Refusal> {
        Ok(Self {
            node: node(node_type, name, data)?,
            sources: Vec::new(),
        })
    }

    /// Something that it reads from, with its fields.
    pub(super) fn reads(
        mut self,
        node_type: NodeType,
        name: &str,
        data: &Members,
    ) -> Result<Self, Refusal> {
        let mut source = node(node_type, name, data)?;
        source.children.push(self.node.to_ref());
        self.node.parents.push(source.to_ref());
        self.sources.push(source);
        Ok(self)
    }

    /// Refuses what is wrong with it. A code is found by the rule and the member.
    pub(super) fn check(self, code: fn(Rule, &str) -> ErrorCode) -> Result<(), Refusal> {
        let id = self.node.id();
        let nodes = self.sources.into_iter().chain([self.node]);
        let nodes: Nodes = nodes.map(|node| (node.id(), node)).collect();
        let mut findings = lint_nodes(&nodes).into_iter();
        let found = findings.find(|it| it.node.as_ref() == Some(&id) && is_refused(it.rule));
        match found {
            Some(it) => refuse(code(it.rule, it.member().unwrap_or_default()), it.message),
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

fn node(node_type: NodeType, name: &str, data: &Members) -> Result<Node, Refusal> {
    let data = RawJson::from_value(data);
    let data = data.map_err(|error| Refusal::code(ErrorCode::INTERNAL_ERROR, error))?;
    let mut node = Node::default();
    (node.name, node.node_type, node.data) = (name.to_owned(), node_type, Some(data));
    Ok(node)
}
