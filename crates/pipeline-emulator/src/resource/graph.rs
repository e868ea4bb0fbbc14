//! The graph of a workflow: its nodes are the resources that belong to it, and its edges are what these
//! read from and write to, whichever way they came.

use std::collections::BTreeMap;

use pipeline_graph::Graph;
use pipeline_proto::{
    ErrorCode, WorkflowName,
    model::{Node, Nodes, RawJson},
};
use serde_json::Value;

use super::{Datasource, Export, Job, JobExport, Repo, Row as _, Transform, job, node};
use crate::{
    call::Call,
    id::{Id, Kind},
    item::{Item, Members},
    refusal::Refusal,
    rules::Rules,
    state::Space,
    workflow::{self, Runs, Workflow},
};

/// What a resource reads from.
pub(crate) fn sources(id: &Id, members: &Members) -> Vec<Id> {
    let kind = match id.kind {
        Kind::Transform | Kind::Export => Kind::Repo,
        Kind::JobExport => Kind::Job,
        Kind::Job => {
            let all = job::sources(members);
            return all.map(|(kind, name)| Id::new(kind, name)).collect();
        }
        _ => return Vec::new(),
    };
    id.parent()
        .map(|parent| Id::new(kind, parent))
        .into_iter()
        .collect()
}

/// What a resource writes to, if that is a resource.
pub(crate) fn target(id: &Id, members: &Members) -> Option<Id> {
    let to = members.get("to").and_then(Value::as_str)?;
    (id.kind == Kind::Transform).then(|| Id::new(Kind::Repo, to))
}

/// Refuses to let go of what another resource reads from.
pub(crate) fn check_unread(space: &Space<'_>, id: &Id) -> Result<(), Refusal> {
    let code = match id.kind {
        Kind::Repo => ErrorCode::REPO_HAS_DEPENDENTS,
        Kind::Datasource => ErrorCode::DATASOURCE_HAS_DEPENDENTS,
        Kind::Job => ErrorCode::JOB_HAS_DEPENDENTS,
        _ => return Ok(()),
    };
    let hanging = [Kind::Transform, Kind::Export, Kind::JobExport];
    let hanging = hanging.map(|kind| (kind, format!("{}/", id.path)));
    for (kind, inside) in hanging.into_iter().chain([(Kind::Job, String::new())]) {
        for (name, members) in space.others(kind, &inside) {
            if sources(&Id::new(kind, &(inside.clone() + name)), members).contains(id) {
                let detail = format!("the {} {name:?} reads from {:?}", kind.as_str(), id.path);
                return Err(Refusal::code(code, detail));
            }
        }
    }
    Ok(())
}

/// Whether a resource runs, once its workflow is started, by itself or by hand.
pub(crate) fn runs(id: &Id, members: &Members) -> Option<Runs> {
    let scheduler = || members.get("scheduler")?.get("type")?.as_str();
    match (id.kind, scheduler()) {
        (Kind::Transform, _) | (Kind::Job, Some("crontab" | "loop")) => Some(Runs::ByItself),
        (Kind::Job, Some("manual")) => Some(Runs::ByHand),
        _ => None,
    }
}

/// Whether a workflow may have so many repos.
fn check_repos(rules: &Rules, count: usize) -> Result<(), Refusal> {
    let most = rules.max_repos;
    if count <= most {
        return Ok(());
    }
    let detail = format!("there would be {count}, {most} are allowed");
    Err(Refusal::code(ErrorCode::TOO_MANY_REPOS, detail))
}

/// Whether a resource can be, or stay, a node beside those that there are.
pub(crate) fn check_joins(
    rules: &Rules,
    all: &workflow::Members,
    id: &Id,
    members: &Members,
) -> Result<(), Refusal> {
    let node = id.node_id();
    if let Some(there) = all.get(&node).filter(|there| there.id != *id) {
        let detail = format!("the workflow has the node {node:?} at {:?}", there.id.path);
        return Err(Refusal::code(exists(id.kind), detail));
    }
    if id.kind == Kind::Repo && !all.contains_key(&node) {
        let repos = all.values().filter(|it| it.id.kind == Kind::Repo);
        check_repos(rules, repos.count() + 1)?;
    }
    let runs = runs(id, members);
    let others = all.values().filter(|other| other.id != *id);
    if runs.is_some()
        && others
            .filter_map(|other| other.runs)
            .any(|other| Some(other) != runs)
    {
        let detail = format!("{node:?} and what the workflow has cannot run together");
        return Err(Refusal::code(
            ErrorCode::SCHEDULED_AND_MANUAL_JOBS_MIXED,
            detail,
        ));
    }
    Ok(())
}

/// The nodes of a workflow.
pub(crate) fn nodes(space: &Space<'_>, all: &workflow::Members) -> Nodes {
    let mut nodes = Nodes::new();
    let mut edges = Vec::new();
    let known = |id: &Id| {
        all.get(&id.node_id())
            .filter(|member| member.id == *id)
            .map(|_| id.node_id())
    };
    for (node_id, member) in all {
        let id = &member.id;
        let (Some(item), Some(members)) = (space.item(id), space.get(id)) else {
            continue;
        };
        let node = match item {
            Item::Node(_, node) => node.clone(),
            _ => made(id, members),
        };
        nodes.insert(node_id.clone(), node);
        let sources = sources(id, members);
        edges.extend(
            sources
                .iter()
                .filter_map(known)
                .map(|from| (from, node_id.clone())),
        );
        edges.extend(
            target(id, members)
                .as_ref()
                .and_then(known)
                .map(|to| (node_id.clone(), to)),
        );
    }
    for (from, to) in edges {
        let ends = nodes.get(&from).zip(nodes.get(&to));
        let Some((parent, child)) = ends.map(|(from, to)| (from.to_ref(), to.to_ref())) else {
            continue;
        };
        nodes
            .entry(from)
            .and_modify(|node| node.children.push(child));
        nodes.entry(to).and_modify(|node| node.parents.push(parent));
    }
    nodes
}

/// The node of a resource that was made by itself.
fn made(id: &Id, members: &Members) -> Node {
    let mut node = Node::default();
    id.name().clone_into(&mut node.name);
    node.node_type = id.node_type();
    node.data = RawJson::from_value(&node::shown(id, members)).ok();
    node
}

/// Puts the nodes of a graph in the place of what belongs to a workflow, all or none.
pub(crate) fn replace(
    call: &mut Call<'_, '_>,
    name: &WorkflowName,
    workflow: &mut Workflow,
    nodes: &Nodes,
) -> Result<(), Refusal> {
    Graph::new(nodes).map_err(|error| Refusal::code(error.code(), &error))?;
    let mut all = BTreeMap::new();
    let mut filled = BTreeMap::new();
    for node in nodes.values() {
        let id = node::id(node)?;
        let members = node::members(call, &id, node, (name.as_str(), &workflow.region))?;
        if let Some(to) = target(&id, &members)
            && let Some(other) = filled.insert(to.clone(), id.path.clone())
        {
            let detail = format!(
                "the repo {:?} is filled by the transform {other:?}",
                to.path
            );
            return Err(Refusal::code(ErrorCode::DESTINATION_REPO_TAKEN, detail));
        }
        let mut node = node.clone();
        (node.parents, node.children) = (Vec::new(), Vec::new());
        all.insert(id, Item::Node(members, node));
    }
    let repos = all.keys().filter(|id| id.kind == Kind::Repo);
    check_repos(call.rules, repos.count())?;
    // In the order of their kinds: of a repo and what hangs on it, the repo is the one to speak of.
    for id in all.keys() {
        if let Some(there) = call.space.get(id)
            && there.get("workflow").and_then(Value::as_str) != Some(name.as_str())
        {
            let detail = format!("{:?}, outside of this workflow", id.path);
            return Err(Refusal::code(exists(id.kind), detail));
        }
    }
    node::check_graph(call, name.as_str(), nodes, &all)?;
    for member in workflow.members().values() {
        if !all.contains_key(&member.id) {
            call.space.remove(&member.id);
        }
    }
    let runs = |(id, item): (&Id, &Item)| (id.clone(), item.members().and_then(|it| runs(id, it)));
    workflow.replace(all.iter().map(runs), call.now);
    for (id, item) in all {
        call.space.put(id, item);
    }
    Ok(())
}

/// The code of one that is there already.
fn exists(kind: Kind) -> ErrorCode {
    match kind {
        Kind::Repo => Repo::EXISTS,
        Kind::Transform => Transform::EXISTS,
        Kind::Export => Export::EXISTS,
        Kind::Datasource => Datasource::EXISTS,
        Kind::Job => Job::EXISTS,
        Kind::JobExport => JobExport::EXISTS,
        _ => ErrorCode::INVALID_WORKFLOW_GRAPH,
    }
}
