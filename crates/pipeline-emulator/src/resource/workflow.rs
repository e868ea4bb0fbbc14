//! What each operation of workflows does: functions over what one account has.

use pipeline_proto::{
    ErrorCode, WorkflowName,
    model::{NodeType, Nodes, Status},
};
use serde::{Deserialize, Serialize};

use super::{graph, membership::check_idle, search_logs::Search};
use crate::{
    body,
    call::{Call, Outcome, checked_region, json, no_data},
    date::rfc3339,
    id::{Id, Kind},
    refusal::Refusal,
    rules::Rules,
    workflow::Workflow,
};

/// Longest comment, in characters. The service has a code for over-long fields and states no limit;
/// this one is far above what a comment needs.
const MAX_COMMENT: usize = 10_000;

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

#[cfg(test)]
mod tests;
