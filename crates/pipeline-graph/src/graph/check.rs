use std::collections::HashMap;

use pipeline_proto::{
    NodeName,
    model::{Node, NodeId, NodeRef, NodeType, Nodes},
    resource::{NodeSpec, job::SchedulerType},
};

use super::{
    adjacency::{Adjacency, position},
    cycle,
    fault::{Fault, Side},
};
use crate::finding::Rule;

/// What a look at all nodes found.
pub(crate) struct Checked {
    pub(crate) faults: Vec<Fault>,
    /// Every edge once, whether it is written at one end or at both.
    pub(crate) children: Adjacency,
    /// Length of the longest path to each node; without meaning when there is a cycle.
    pub(crate) levels: Vec<u32>,
}

pub(crate) fn check(nodes: &Nodes) -> Checked {
    let list: Vec<(&NodeId, &Node)> = nodes.iter().collect();
    let edges = Edges::resolve(&list);
    let mut faults = Vec::new();
    let mut marks = Marks::new(list.len());
    for (at, (id, node)) in list.iter().enumerate() {
        let at = position(at);
        check_identity(id, node, &mut faults);
        for (mine, theirs) in [(0, 1), (1, 0)] {
            marks.start(edges.ends[theirs].reverse.of(at));
            check_list(&list, at, &edges.ends[mine], &mut marks, &mut faults);
        }
    }
    let (levels, blocked) = cycle::levels(&edges.children);
    for cycle in cycle::name(&edges.children, &blocked) {
        let ids: Vec<&NodeId> = cycle.iter().map(|at| list[*at as usize].0).collect();
        let mut message = "the nodes form a cycle: ".to_owned();
        for id in &ids {
            message.extend([id.as_str(), " -> "]);
        }
        message += ids[0].as_str();
        faults.push(Fault::new(Rule::Cycle, ids[0], message));
    }
    faults.extend(mixed_schedules(&list));
    Checked {
        faults,
        children: edges.children,
        levels,
    }
}

/// Writes every edge at both ends. What is added goes behind what is there, in the order of ids.
pub(crate) fn complete_edges(nodes: &mut Nodes) {
    let list: Vec<(&NodeId, &Node)> = nodes.iter().collect();
    let edges = Edges::resolve(&list);
    let mut marks = Marks::new(list.len());
    let mut missing = Vec::new();
    for (at, (_, node)) in list.iter().enumerate() {
        for (mine, theirs) in [(0, 1), (1, 0)] {
            let [mine, theirs] = [mine, theirs].map(|side: usize| &edges.ends[side]);
            marks.start(theirs.reverse.of(position(at)));
            for neighbour in mine.written[at].iter().flatten() {
                if !marks.is_repeated(*neighbour) && !marks.is_expected(*neighbour) {
                    let neighbour = list[*neighbour as usize].0.clone();
                    missing.push((neighbour, theirs.side, node.to_ref()));
                }
            }
        }
    }
    for (id, side, reference) in missing {
        if let Some(node) = nodes.get_mut(&id) {
            side.list(node).push(reference);
        }
    }
}

/// The edges as they are written, with neighbours found by name and type.
struct Edges {
    /// Those in `parents`, then those in `children`.
    ends: [Ends; 2],
    /// Every edge once, whether it is written at one end or at both.
    children: Adjacency,
}

/// All lists of one side.
struct Ends {
    side: Side,
    /// For each node its neighbours in the order of the list; `None` is not there.
    written: Vec<Vec<Option<u32>>>,
    /// For each node the nodes that have it in their list.
    reverse: Adjacency,
}

impl Edges {
    fn resolve(list: &[(&NodeId, &Node)]) -> Self {
        let known = by_name(list);
        let find = |neighbour: &NodeRef| {
            let wanted = (neighbour.name.as_str(), neighbour.node_type.as_str());
            known.get(&wanted).copied()
        };
        let ends = [Side::Parents, Side::Children].map(|side| Ends::new(list, side, find));
        // What `parents` says, turned round, are edges towards children.
        let [parents, children] = &ends;
        let children = children.reverse.edges().map(|(to, from)| (from, to));
        let both = Adjacency::new(list.len(), parents.reverse.edges().chain(children));
        Self {
            children: both.distinct(),
            ends,
        }
    }
}

/// The positions of nodes by name and type.
fn by_name<'a>(list: &[(&'a NodeId, &'a Node)]) -> HashMap<(&'a str, &'a str), u32> {
    let mut known = HashMap::with_capacity(list.len());
    for (at, (id, _)) in list.iter().enumerate() {
        if let Some(parts) = id.as_str().split_once('-') {
            known.insert(parts, position(at));
        }
    }
    // A node under a wrong key is one fault; its neighbours shall not add theirs.
    for (at, (_, node)) in list.iter().enumerate() {
        let own = (node.name.as_str(), node.node_type.as_str());
        known.entry(own).or_insert(position(at));
    }
    known
}

impl Ends {
    fn new(list: &[(&NodeId, &Node)], side: Side, find: impl Fn(&NodeRef) -> Option<u32>) -> Self {
        let written: Vec<Vec<Option<u32>>> = list
            .iter()
            .map(|(_, node)| side.of(node).iter().map(&find).collect())
            .collect();
        let edges = written.iter().enumerate().flat_map(|(at, targets)| {
            let targets = targets.iter().flatten();
            targets.map(move |target| (*target, position(at)))
        });
        Self {
            side,
            reverse: Adjacency::new(list.len(), edges),
            written,
        }
    }
}

/// What is known of the neighbours of the node that is being looked at. One list for all nodes:
/// an entry counts only if it bears the number of the current turn.
struct Marks {
    turn: u32,
    seen: Vec<u32>,
    expected: Vec<u32>,
}

impl Marks {
    fn new(count: usize) -> Self {
        Self {
            turn: 0,
            seen: vec![0; count],
            expected: vec![0; count],
        }
    }

    fn start(&mut self, expected: &[u32]) {
        self.turn += 1;
        for at in expected {
            self.expected[*at as usize] = self.turn;
        }
    }

    fn is_repeated(&mut self, at: u32) -> bool {
        std::mem::replace(&mut self.seen[at as usize], self.turn) == self.turn
    }

    fn is_expected(&self, at: u32) -> bool {
        self.expected[at as usize] == self.turn
    }
}

fn check_identity(id: &NodeId, node: &Node, faults: &mut Vec<Fault>) {
    if let Err(error) = NodeName::new(node.name.as_str()) {
        let message = format!("node {id:?}: {error}");
        faults.push(Fault::new(Rule::NodeName, id, message));
    }
    let expected = node.id();
    if node.node_type.as_str().is_empty() {
        let message = format!("node {id:?} has no type");
        faults.push(Fault::new(Rule::MissingType, id, message));
    } else if *id != expected {
        let message = format!("node {id:?} must have the key {expected:?}, which is <name>-<type>");
        faults.push(Fault::new(Rule::NodeId, id, message));
    }
}

fn check_list(
    list: &[(&NodeId, &Node)],
    at: u32,
    ends: &Ends,
    marks: &mut Marks,
    faults: &mut Vec<Fault>,
) {
    let (id, node) = list[at as usize];
    let side = ends.side;
    for (index, target) in ends.written[at as usize].iter().enumerate() {
        let mut fault = |rule, message| faults.push(Fault::new(rule, id, message).at(side, index));
        let Some(target) = *target else {
            let (one, neighbour) = (side.one(), side.of(node)[index].id());
            let message = format!("node {id:?} names the {one} {neighbour:?}, which is not there");
            fault(Rule::DanglingEdge, message);
            continue;
        };
        let neighbour = list[target as usize];
        let other = neighbour.0;
        let side_name = side.as_str();
        if marks.is_repeated(target) {
            let message = format!("node {id:?} has {other:?} among its {side_name} twice");
            fault(Rule::DuplicateEdge, message);
            continue;
        }
        let at_both_ends = marks.is_expected(target);
        if !at_both_ends {
            let message = format!(
                "node {id:?} has {other:?} among its {side_name}, but {other:?} does not have {id:?} among its {}",
                side.other().as_str()
            );
            fault(Rule::OneSidedEdge, message);
        }
        let ((parent, upper), (child, lower)) = match side {
            Side::Parents => (neighbour, (id, node)),
            Side::Children => ((id, node), neighbour),
        };
        // Of an edge that is at both ends, the child's counts.
        let counts = side == Side::Parents || !at_both_ends;
        if counts && !may_feed(&upper.node_type, &lower.node_type) {
            let message = format!(
                "the edge {parent:?} -> {child:?} is not possible: no {} can feed a {}",
                upper.node_type, lower.node_type
            );
            fault(Rule::IllegalEdge, message);
        }
    }
}

/// Whether the paths of the service's calls allow an edge between two types. They are known for
/// the six known types only; about others nothing can be said.
pub(crate) fn may_feed(parent: &NodeType, child: &NodeType) -> bool {
    use NodeType::{Datasource, Export, ExportBatch, Job, Other, Repo, Transform};
    match parent {
        Repo => matches!(child, Transform | Export | Other { .. }),
        Transform => matches!(child, Repo | Other { .. }),
        Datasource => matches!(child, Job | Other { .. }),
        Job => matches!(child, Job | ExportBatch | Other { .. }),
        Export | ExportBatch => matches!(child, Other { .. }),
        _ => true,
    }
}

/// A stream computation and a batch computation with a plan run by themselves; a manual one does
/// not; one that depends on another follows that.
fn mixed_schedules(list: &[(&NodeId, &Node)]) -> Option<Fault> {
    let (mut scheduled, mut manual) = (None, None);
    for (id, node) in list {
        let slot = match node.node_type {
            NodeType::Transform => &mut scheduled,
            NodeType::Job => match scheduler(node) {
                Some(SchedulerType::Crontab | SchedulerType::Loop) => &mut scheduled,
                Some(SchedulerType::Manual) => &mut manual,
                _ => continue,
            },
            _ => continue,
        };
        slot.get_or_insert_with(|| (*id).clone());
    }
    let (scheduled, manual) = (scheduled?, manual?);
    let message = format!(
        "scheduled work ({scheduled:?}) and manually run jobs ({manual:?}) cannot share a workflow"
    );
    Some(Fault::new(Rule::MixedSchedules, &manual, message))
}

fn scheduler(job: &Node) -> Option<SchedulerType> {
    match job.spec() {
        Ok(NodeSpec::Job(spec)) => Some(spec.scheduler?.r#type),
        _ => None,
    }
}
