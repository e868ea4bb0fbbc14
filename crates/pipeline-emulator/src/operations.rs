//! What each operation of workflows does: functions over what one account has.

use bytes::Bytes;
use http::HeaderMap;
use pipeline_proto::{
    ErrorCode, Now, Region, WorkflowName,
    model::{NodeType, Nodes, Status},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    body,
    clock::rfc3339,
    graph,
    refusal::Refusal,
    resource::Members,
    rules::Rules,
    search::Search,
    state::{Id, Item, Kind, Space},
    workflow::Workflow,
};

/// Longest comment, in characters. The service has a code for over-long fields and states no limit;
/// this one is far above what a comment needs.
pub(crate) const MAX_COMMENT: usize = 10_000;

/// A request for an operation, and what it may see and change.
pub(crate) struct Call<'a, 'b> {
    pub(crate) rules: &'a Rules,
    pub(crate) space: &'a mut Space<'b>,
    /// The names in the path, in their order.
    pub(crate) names: &'a [String],
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
    /// How long a body may be, unpacked.
    pub(crate) max_body: usize,
    pub(crate) now: Now,
    /// Records that were taken, if exports are to deliver them.
    pub(crate) pushed: Vec<Value>,
}

/// The body of the response, or why there is none. An operation that is refused has changed nothing.
pub(crate) type Outcome = Result<Bytes, Refusal>;

/// Body of create. Members that it does not know are ignored, as Go does.
#[derive(Deserialize)]
struct Create {
    name: Option<String>,
    region: Option<String>,
    comment: Option<String>,
}

/// Body of update.
#[derive(Deserialize)]
struct Update {
    name: Option<String>,
    region: Option<String>,
    nodes: Option<Nodes>,
}

/// Body of start and stop, if they have one.
#[derive(Deserialize)]
struct Bare {
    name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    name: &'a str,
    region: &'a str,
    comment: &'a str,
    create_time: String,
    update_time: String,
    status: Status,
    can_start: bool,
    is_manual_workflow: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    nodes: Option<Nodes>,
}

#[derive(Serialize)]
struct State<'a> {
    name: &'a WorkflowName,
    region: &'a str,
    status: &'a Status,
    nodes: Vec<NodeState<'a>>,
}

/// Every node is where its workflow is: the emulator runs nothing that could be ahead or behind.
#[derive(Serialize)]
struct NodeState<'a> {
    name: &'a str,
    r#type: NodeType,
    status: &'a Status,
}

impl Call<'_, '_> {
    /// The name of the workflow in the path.
    fn name(&self) -> Result<WorkflowName, Refusal> {
        parse_name(self.names.first().map_or("", String::as_str))
    }

    /// The workflow of this name in the state that it has now.
    pub(crate) fn find(&mut self, name: &WorkflowName) -> Result<&Workflow, Refusal> {
        self.space
            .find(name, self.now, self.rules.manual_run)
            .ok_or_else(|| missing(name))
    }

    fn edit(&mut self, name: &WorkflowName) -> Result<&mut Workflow, Refusal> {
        self.space.edit(name).ok_or_else(|| missing(name))
    }

    /// Keeps a resource that has been checked. If it belongs to a workflow, it is one of its nodes now.
    pub(crate) fn put(&mut self, id: Id, members: Members) -> Result<(), Refusal> {
        let after = workflow_of(&members)?;
        let before = self.space.get(&id).map(workflow_of).transpose()?.flatten();
        if let Some(before) = before.filter(|before| Some(before) != after.as_ref()) {
            let now = self.now;
            self.edit(&before)?.leave(&id, now);
        }
        if let Some(after) = after {
            let (runs, now) = (graph::runs(&id, &members), self.now);
            self.edit(&after)?.join(id.clone(), runs, now);
        }
        self.space.put(id, Item::Other(members));
        Ok(())
    }

    /// Deletes a resource, which is no node any longer either.
    pub(crate) fn remove(&mut self, id: &Id) -> Result<(), Refusal> {
        if let Some(members) = self.space.get(id)
            && let Some(workflow) = workflow_of(members)?
        {
            let now = self.now;
            self.edit(&workflow)?.leave(id, now);
        }
        self.space.remove(id);
        Ok(())
    }

    /// Whether a resource may be made, changed or deleted: its workflow, if it has one, must be there and
    /// must not run; and nothing else may be its node of this name.
    pub(crate) fn check_workflow(&mut self, id: &Id, members: &Members) -> Result<(), Refusal> {
        let Some(name) = workflow_of(members)? else {
            return Ok(());
        };
        let workflow = self.find(&name)?;
        check_idle(&name, &workflow.status())?;
        let all = workflow.members();
        graph::check_joins(self.rules, &all, id, members)
    }
}

/// Only at rest a workflow can be changed, and so can what belongs to it.
fn check_idle(name: &WorkflowName, status: &Status) -> Result<(), Refusal> {
    if status.is_idle() {
        return Ok(());
    }
    let detail = format!("the workflow {name:?} is {status}; stop it first");
    Err(Refusal::code(ErrorCode::WORKFLOW_UPDATE_FORBIDDEN, detail))
}

/// The workflow to which a resource belongs.
fn workflow_of(members: &Members) -> Result<Option<WorkflowName>, Refusal> {
    let name = members.get("workflow").and_then(|it| it.as_str());
    name.filter(|name| !name.is_empty())
        .map(parse_name)
        .transpose()
}

pub(crate) fn create(call: &mut Call<'_, '_>) -> Outcome {
    let name = call.name()?;
    let create: Create = body::read(call.body)?;
    check_name(&name, create.name.as_deref())?;
    let comment = create.comment.unwrap_or_default();
    let workflow = made(call, &name, create.region, comment)?;
    call.space.insert(&name, workflow);
    Ok(no_data())
}

pub(crate) fn made(
    call: &Call<'_, '_>,
    name: &WorkflowName,
    region: Option<String>,
    comment: String,
) -> Result<Workflow, Refusal> {
    let region = checked_region(call.rules, region)?;
    let length = comment.chars().count();
    if length > MAX_COMMENT {
        let detail = format!("the comment has {length} characters, {MAX_COMMENT} are allowed");
        return Err(Refusal::code(ErrorCode::FIELD_TOO_LONG, detail));
    }
    if call.space.contains(name) {
        return Err(Refusal::code(
            ErrorCode::WORKFLOW_EXISTS,
            format!("{name:?}"),
        ));
    }
    for kind in [Kind::Repo, Kind::Datasource] {
        if call.space.get(&Id::new(kind, name.as_str())).is_some() {
            let detail = format!("there is a {} {name:?}", kind.as_str());
            return Err(Refusal::code(ErrorCode::WORKFLOW_NAME_TAKEN, detail));
        }
    }
    Ok(Workflow::new(region, comment, call.now))
}

/// A full replacement of the nodes. Missing or `null`, they stay as they are: one of the vendor's
/// clients sends no nodes and expects success. An empty object removes them all.
pub(crate) fn update(call: &mut Call<'_, '_>) -> Outcome {
    let name = call.name()?;
    let update: Update = body::read(call.body)?;
    check_name(&name, update.name.as_deref())?;
    let region = checked_region(call.rules, update.region)?;
    let workflow = call.find(&name)?;
    if region != workflow.region {
        let detail = format!(
            "the workflow is in the region {:?} and stays there",
            workflow.region
        );
        return Err(Refusal::code(ErrorCode::MALFORMED_WORKFLOW, detail));
    }
    check_idle(&name, &workflow.status())?;
    if let Some(nodes) = update.nodes {
        let mut workflow = workflow.clone();
        graph::replace(call, &name, &mut workflow, &nodes)?;
        call.space.insert(&name, workflow);
    } else {
        let now = call.now;
        call.edit(&name)?.updated = now.wall;
    }
    Ok(no_data())
}

pub(crate) fn list(call: &mut Call<'_, '_>) -> Outcome {
    let rules = call.rules;
    let all = call.space.workflows(call.now, rules.manual_run);
    let shown: Vec<_> = all
        .map(|(name, workflow)| show(rules, name, workflow, None))
        .collect();
    let body = json(&shown)?;
    call.space.were_read();
    Ok(body)
}

pub(crate) fn get(call: &mut Call<'_, '_>) -> Outcome {
    let (name, rules) = (call.name()?, call.rules);
    let members = call.find(&name)?.members();
    let nodes = graph::nodes(call.space, &members);
    let body = json(&show(rules, name.as_str(), call.find(&name)?, Some(nodes)))?;
    call.space.was_read(&name);
    Ok(body)
}

pub(crate) fn status(call: &mut Call<'_, '_>) -> Outcome {
    let name = call.name()?;
    let workflow = call.find(&name)?;
    let status = workflow.status();
    let members = workflow.members();
    let body = json(&State {
        name: &name,
        region: &workflow.region,
        status: &status,
        nodes: members
            .values()
            .map(|member| NodeState {
                name: member.id.name(),
                r#type: member.id.node_type(),
                status: &status,
            })
            .collect(),
    })?;
    call.space.was_read(&name);
    Ok(body)
}

pub(crate) fn start(call: &mut Call<'_, '_>) -> Outcome {
    let name = call.name()?;
    check_bare(&name, call.body)?;
    let workflow = call.find(&name)?;
    let status = workflow.status();
    if !status.is_idle() {
        let detail = format!("it is {status}");
        return Err(Refusal::code(ErrorCode::WORKFLOW_START_FORBIDDEN, detail));
    }
    if !workflow.can_start() {
        let detail = "it needs a node of type transform, export or exportBatch";
        return Err(Refusal::code(ErrorCode::NOTHING_TO_RUN, detail));
    }
    let (how, now) = (call.rules.start, call.now);
    call.edit(&name)?.start(how, now);
    Ok(no_data())
}

pub(crate) fn stop(call: &mut Call<'_, '_>) -> Outcome {
    let name = call.name()?;
    check_bare(&name, call.body)?;
    let status = call.find(&name)?.status();
    if status != Status::Started {
        let detail = format!("it is {status}");
        return Err(Refusal::code(ErrorCode::WORKFLOW_STOP_FORBIDDEN, detail));
    }
    let (how, now) = (call.rules.stop, call.now);
    call.edit(&name)?.stop(how, now);
    Ok(no_data())
}

pub(crate) fn search(call: &mut Call<'_, '_>) -> Outcome {
    let name = call.name()?;
    let search: Search = body::read(call.body)?;
    let clock_offset = call.rules.clock_offset;
    let members = call.find(&name)?.members();
    let nodes = graph::nodes(call.space, &members);
    json(&search.run(call.find(&name)?, &nodes, clock_offset))
}

pub(crate) fn checked_region(rules: &Rules, text: Option<String>) -> Result<String, Refusal> {
    let malformed = |detail: String| Refusal::code(ErrorCode::MALFORMED_WORKFLOW, detail);
    let region =
        Region::new(text.unwrap_or_default()).map_err(|error| malformed(error.to_string()))?;
    match &rules.regions {
        Some(known) if !known.iter().any(|known| known == region.as_str()) => Err(malformed(
            format!("there is no region {region:?}, only {}", known.join(", ")),
        )),
        _ => Ok(region.into()),
    }
}

fn show<'a>(
    rules: &Rules,
    name: &'a str,
    workflow: &'a Workflow,
    nodes: Option<Nodes>,
) -> Shown<'a> {
    Shown {
        name,
        region: &workflow.region,
        comment: &workflow.comment,
        create_time: rfc3339(rules.clock_offset.apply(workflow.created)),
        update_time: rfc3339(rules.clock_offset.apply(workflow.updated)),
        status: workflow.status(),
        can_start: workflow.can_start(),
        is_manual_workflow: workflow.is_manual(),
        nodes,
    }
}

/// Possible in every state, nodes included. No source knows a code that would refuse it, and the
/// vendor's tests delete workflows with nodes in them right after use. Careful clients stop first.
pub(crate) fn delete(call: &mut Call<'_, '_>) -> Outcome {
    let name = call.name()?;
    for member in call.find(&name)?.members().values() {
        call.space.remove(&member.id);
    }
    call.space.remove(&Id::workflow(&name));
    Ok(no_data())
}

pub(crate) fn parse_name(text: &str) -> Result<WorkflowName, Refusal> {
    WorkflowName::new(text).map_err(|error| Refusal::code(ErrorCode::INVALID_WORKFLOW_NAME, error))
}

fn missing(name: &WorkflowName) -> Refusal {
    Refusal::code(ErrorCode::WORKFLOW_NOT_FOUND, format!("{name:?}"))
}

/// A name in the body repeats the one in the path, if it is there at all.
fn check_name(name: &WorkflowName, in_body: Option<&str>) -> Result<(), Refusal> {
    match in_body {
        Some(other) if !other.is_empty() && other != name.as_str() => {
            let detail = format!("the path names {name:?}, the body {other:?}");
            Err(Refusal::code(ErrorCode::MALFORMED_WORKFLOW, detail))
        }
        _ => Ok(()),
    }
}

/// Start and stop need no body; one of the vendor's clients sends the name in one.
fn check_bare(name: &WorkflowName, body: &[u8]) -> Result<(), Refusal> {
    if body.is_empty() {
        return Ok(());
    }
    let bare: Bare = body::read(body)?;
    check_name(name, bare.name.as_deref())
}

/// The body of a success that has nothing to tell.
pub(crate) fn no_data() -> Bytes {
    Bytes::from_static(b"{}")
}

pub(crate) fn json<T: Serialize>(value: &T) -> Result<Bytes, Refusal> {
    serde_json::to_vec(value)
        .map(Bytes::from)
        .map_err(|error| Refusal::code(ErrorCode::INTERNAL_ERROR, error))
}

#[cfg(test)]
mod tests;
