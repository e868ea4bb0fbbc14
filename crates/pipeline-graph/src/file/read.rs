//! From a value to a workflow file: shape, positions, edges at both ends.

use std::collections::{BTreeMap, HashSet};

use pipeline_proto::model::{Node, NodeId, NodeRef, NodeType, Nodes};

use super::{Place, Spot, WorkflowFile};
use crate::{
    finding::{Finding, Rule},
    path::Path,
    references::{self, Piece},
    secrets::Scope,
    suggest::nearest,
    tree::{Member, Position, Tree, Value, yaml::Numbers},
};

/// What a file is made of.
const MEMBERS: [&str; 4] = ["name", "region", "comment", "nodes"];

/// What a node is made of.
const NODE_MEMBERS: [&str; 5] = ["name", "type", "data", "parents", "children"];

/// What the service tells about a workflow and a file may repeat, so that a response of the service
/// is a file, too. `$schema` is for editors, `schema_version` what the command's JSON begins with.
pub(super) const IGNORED: [&str; 7] = [
    "$schema",
    "schema_version",
    "createTime",
    "updateTime",
    "status",
    "canStart",
    "isManualWorkflow",
];

/// `with_zeros` are numbers as they were written, where they lost zeros at their beginning.
pub(super) fn file(tree: Tree, with_zeros: Numbers) -> WorkflowFile {
    let mut reader = Reader {
        with_zeros,
        ..Reader::default()
    };
    let mut file = WorkflowFile {
        name: None,
        region: None,
        comment: None,
        nodes: Nodes::new(),
        places: BTreeMap::new(),
        findings: Vec::new(),
    };
    let at = tree.at;
    if let Value::Map(members) = tree.value {
        let mut seen = HashSet::with_capacity(members.len());
        let mut has_nodes = false;
        for member in members {
            let path = Path::to_member(&member.name);
            if !seen.insert(member.name.clone()) {
                reader.repeated(&member, &path);
            }
            match &*member.name {
                "name" => file.name = reader.reference_text(member, &path),
                "region" => file.region = reader.reference_text(member, &path),
                "comment" => file.comment = reader.reference_text(member, &path),
                "nodes" => {
                    has_nodes |= !member.tree.is_null();
                    reader.nodes(member.tree, path);
                }
                name if IGNORED.contains(&name) => {}
                _ => reader.unknown(Rule::UnknownTopLevel, &member, &path, &MEMBERS),
            }
        }
        if !has_nodes {
            let message = "there is no `nodes`; write `nodes: {}` for a workflow without any";
            let path = Path::to_member("nodes");
            reader.find(Rule::MissingNodes, at, &path, message.to_owned());
        }
    } else {
        let kind = tree.kind();
        reader.wrong_type(
            at,
            &Path::default(),
            &format!("a workflow file is an object, not {kind}"),
        );
    }
    file.nodes = reader.nodes;
    file.places = reader.places;
    file.findings = reader.findings;
    file
}

/// A file about one resource, as one about a workflow with this node alone; and the texts that name it.
pub(super) fn resource(
    mut tree: Tree,
    with_zeros: Numbers,
    id: &NodeId,
    names: &[&str],
) -> (WorkflowFile, Vec<(Box<str>, String)>) {
    let mut reader = Reader {
        with_zeros,
        ..Reader::default()
    };
    let mut found = Vec::new();
    if let Value::Map(members) = &mut tree.value {
        members.retain(|member| {
            let text = member.tree.as_text();
            let name = text.filter(|_| names.contains(&&*member.name));
            found.extend(name.map(|text| (member.name.clone(), text.to_owned())));
            name.is_none() && !IGNORED[..2].contains(&&*member.name)
        });
    }
    let at = tree.at;
    let data = Member {
        name: "data".into(),
        at,
        tree,
    };
    let tree = Tree {
        at,
        value: Value::Map(vec![data]),
    };
    let mut node = Node::default();
    if let Some((name, node_type)) = id.parts() {
        name.clone_into(&mut node.name);
        node.node_type = node_type;
    }
    reader.node(Some(id.clone()), node, at, tree, &mut Path::default());
    let file = WorkflowFile {
        name: None,
        region: None,
        comment: None,
        nodes: reader.nodes,
        places: reader.places,
        findings: reader.findings,
    };
    (file, found)
}

#[derive(Default)]
struct Reader {
    nodes: Nodes,
    places: BTreeMap<NodeId, Place>,
    findings: Vec<Finding>,
    with_zeros: Numbers,
}

impl Reader {
    fn find(&mut self, rule: Rule, at: Position, path: &Path, message: String) {
        let finding = Finding::new(rule, message);
        self.findings.push(finding.at(Some(at)).path(path.as_str()));
    }

    fn wrong_type(&mut self, at: Position, path: &Path, message: &str) {
        self.find(Rule::WrongType, at, path, message.to_owned());
    }

    fn unknown(&mut self, rule: Rule, member: &Member, path: &Path, known: &[&str]) {
        let message = match nearest(&member.name, known.iter().copied()) {
            Some(meant) => format!(
                "the member {:?} means nothing here; did you mean {meant:?}?",
                member.name
            ),
            None => format!(
                "the member {:?} means nothing here; known are {}",
                member.name,
                known.join(", ")
            ),
        };
        self.find(rule, member.at, path, message);
    }

    fn repeated(&mut self, member: &Member, path: &Path) {
        let message = format!("{:?} is there twice", member.name);
        self.find(Rule::DuplicateKey, member.at, path, message);
    }

    /// Looks for values that are not what they look like.
    fn look_at_values(&mut self, tree: &Tree, path: &mut Path) {
        tree.walk(path, Scope::default(), &mut |tree, path, _| {
            if let Value::Number(number) = &tree.value
                && let Some(written) = self.with_zeros.get(&tree.at)
            {
                let message =
                    format!("{written} is the number {number}; put it in quotes if it is a text");
                self.find(Rule::LeadingZeros, tree.at, path, message);
            }
            let mut pieces = references::pieces(tree.as_text().unwrap_or_default());
            if pieces.any(|piece| piece == Piece::Malformed) {
                let message = "'${' must be followed by the name of a variable and '}'; write '$${' for a literal '${'";
                self.find(Rule::MalformedReference, tree.at, path, message.to_owned());
            }
        });
    }

    /// A text in which references to the environment are allowed.
    fn reference_text(&mut self, member: Member, path: &Path) -> Option<Spot> {
        self.look_at_values(&member.tree, &mut Path::to_member(&member.name));
        self.text(member, path)
    }

    fn text(&mut self, member: Member, path: &Path) -> Option<Spot> {
        let at = member.tree.at;
        match member.tree.value {
            Value::Text(text) => Some(Spot { text, at }),
            Value::Null => None,
            _ => {
                let message = format!(
                    "{:?} must be a string, not {}",
                    member.name,
                    member.tree.kind()
                );
                self.wrong_type(at, path, &message);
                None
            }
        }
    }

    fn nodes(&mut self, tree: Tree, mut path: Path) {
        match tree.value {
            Value::Null => {}
            Value::Map(members) => {
                for member in members {
                    let id = NodeId::from(&*member.name);
                    let given = id
                        .parts()
                        .map(|(name, node_type)| (name.to_owned(), node_type));
                    let mut node = Node::default();
                    match given {
                        Some((name, node_type)) => {
                            node.name = name;
                            node.node_type = node_type;
                        }
                        None => node.name = String::from(&*member.name),
                    }
                    path.in_member(&member.name, |path| {
                        self.node(Some(id), node, member.at, member.tree, path);
                    });
                }
            }
            Value::List(list) => {
                for (index, tree) in list.into_iter().enumerate() {
                    let at = tree.at;
                    path.in_element(index, |path| {
                        self.node(None, Node::default(), at, tree, path);
                    });
                }
            }
            _ => {
                let message = format!("nodes must be an object or an array, not {}", tree.kind());
                self.wrong_type(tree.at, &path, &message);
            }
        }
    }

    /// Reads a node whose name and type may be given by its key already.
    fn node(
        &mut self,
        id: Option<NodeId>,
        mut node: Node,
        at: Position,
        tree: Tree,
        path: &mut Path,
    ) {
        let has_key = id.is_some();
        let mut place = Place {
            path: path.as_str().to_owned(),
            key: at,
            name: None,
            node_type: None,
            data: None,
            extra: Vec::new(),
            edges: [Vec::new(), Vec::new()],
        };
        let first = self.findings.len();
        tree.repetitions(path, &mut |member, path| self.repeated(member, path));
        let members = match tree.value {
            Value::Map(members) => members,
            Value::Null => Vec::new(),
            _ => {
                self.wrong_type(
                    tree.at,
                    path,
                    &format!("a node is an object, not {}", tree.kind()),
                );
                Vec::new()
            }
        };
        for member in members {
            let name = member.name.clone();
            path.in_member(&name, |path| {
                self.node_member(&mut node, &mut place, member, path);
            });
        }
        let id = id.unwrap_or_else(|| node.id());
        if self.nodes.contains_key(&id) {
            let (rule, what) = if has_key {
                (Rule::DuplicateKey, "key")
            } else {
                (Rule::DuplicateNode, "node")
            };
            self.find(rule, at, path, format!("the {what} {id:?} is there twice"));
        } else {
            self.nodes.insert(id.clone(), node);
            self.places.insert(id.clone(), place);
        }
        for finding in &mut self.findings[first..] {
            finding.node = Some(id.clone());
        }
    }

    fn node_member(&mut self, node: &mut Node, place: &mut Place, member: Member, path: &mut Path) {
        match &*member.name {
            "name" => {
                if let Some(spot) = self.text(member, path) {
                    node.name = spot.text.into();
                    place.name = Some(spot.at);
                }
            }
            "type" => {
                if let Some(spot) = self.text(member, path) {
                    node.node_type = NodeType::from(&*spot.text);
                    place.node_type = Some(spot.at);
                }
            }
            "data" => match member.tree.value {
                Value::Null => {}
                Value::Map(_) => {
                    self.look_at_values(&member.tree, path);
                    node.data = Some(member.tree.to_raw());
                    place.data = Some(member.tree);
                }
                _ => {
                    let message = format!("data must be an object, not {}", member.tree.kind());
                    self.wrong_type(member.tree.at, path, &message);
                }
            },
            "parents" => (node.parents, place.edges[0]) = self.edges(member.tree, path),
            "children" => (node.children, place.edges[1]) = self.edges(member.tree, path),
            _ => {
                // Others may be the service's and are kept; one that was meant to be an edge is none.
                let rule = match nearest(&member.name, NODE_MEMBERS) {
                    Some(_) => Rule::MisspelledMember,
                    None => Rule::UnknownMember,
                };
                self.unknown(rule, &member, path, &NODE_MEMBERS);
                self.look_at_values(&member.tree, path);
                node.extra.insert(member.name.clone(), member.tree.to_raw());
                place.extra.push(member);
            }
        }
    }

    fn edges(&mut self, tree: Tree, path: &mut Path) -> (Vec<NodeRef>, Vec<Position>) {
        let (mut references, mut positions) = (Vec::new(), Vec::new());
        match tree.value {
            Value::Null => {}
            Value::List(list) => {
                for (index, element) in list.into_iter().enumerate() {
                    let at = element.at;
                    if let Some(reference) =
                        path.in_element(index, |path| self.edge(&element, path))
                    {
                        references.push(reference);
                        positions.push(at);
                    }
                }
            }
            _ => {
                let message = format!("neighbours are an array, not {}", tree.kind());
                self.wrong_type(tree.at, path, &message);
            }
        }
        (references, positions)
    }

    fn edge(&mut self, tree: &Tree, path: &Path) -> Option<NodeRef> {
        match &tree.value {
            Value::Text(text) => {
                let id = NodeId::from(&**text);
                let parts = id.parts();
                if parts.is_none() {
                    let message =
                        format!("a neighbour is written <name>-<type>, which {text:?} is not");
                    self.wrong_type(tree.at, path, &message);
                }
                parts.map(|(name, node_type)| NodeRef::new(name, node_type))
            }
            Value::Map(_) => {
                if let Ok(reference) = tree.to_raw().parse() {
                    Some(reference)
                } else {
                    self.wrong_type(tree.at, path, "name and type of a neighbour are strings");
                    None
                }
            }
            _ => {
                let message = format!("a neighbour is a string or an object, not {}", tree.kind());
                self.wrong_type(tree.at, path, &message);
                None
            }
        }
    }
}
