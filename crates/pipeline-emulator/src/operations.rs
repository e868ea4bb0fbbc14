//! What each operation of workflows does: functions over what one account has.

use bytes::Bytes;
use http::HeaderMap;
use pipeline_graph::{Definition, Graph};
use pipeline_proto::{
    ErrorCode, Now, Region, WorkflowName,
    model::{NodeType, Nodes, Status},
};
use serde::{Deserialize, Serialize};

use crate::{
    body,
    clock::rfc3339,
    refusal::Refusal,
    rules::Rules,
    search::Search,
    state::{Id, Space},
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
    nodes: Option<&'a Nodes>,
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
    r#type: &'a NodeType,
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

/// Adds a whole workflow, by the rules that hold for create and update.
pub(crate) fn add(
    rules: &Rules,
    space: &mut Space<'_>,
    definition: &Definition,
    now: Now,
) -> Result<(), Refusal> {
    let (names, query, body, max_body) = (&[], "", &[], 0);
    let headers = &HeaderMap::new();
    #[rustfmt::skip]
    let call = Call { rules, space, names, query, headers, body, max_body, now };
    let name = parse_name(&definition.name)?;
    let (region, comment) = (definition.region.clone(), definition.comment.clone());
    let mut workflow = made(&call, &name, Some(region), comment)?;
    let can_start = can_start(&definition.nodes)?;
    workflow.replace_nodes(definition.nodes.clone(), can_start, now);
    space.insert(&name, workflow);
    Ok(())
}

fn made(
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
    let status = workflow.status();
    if !status.is_idle() {
        let detail = format!("it is {status}; stop it first");
        return Err(Refusal::code(ErrorCode::WORKFLOW_UPDATE_FORBIDDEN, detail));
    }
    let now = call.now;
    if let Some(nodes) = update.nodes {
        let can_start = can_start(&nodes)?;
        call.edit(&name)?.replace_nodes(nodes, can_start, now);
    } else {
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
    let workflow = call.find(&name)?;
    let body = json(&show(
        rules,
        name.as_str(),
        workflow,
        Some(workflow.nodes()),
    ))?;
    call.space.was_read(&name);
    Ok(body)
}

pub(crate) fn status(call: &mut Call<'_, '_>) -> Outcome {
    let name = call.name()?;
    let workflow = call.find(&name)?;
    let status = workflow.status();
    let nodes = workflow.nodes().values();
    let body = json(&State {
        name: &name,
        region: &workflow.region,
        status: &status,
        nodes: nodes
            .map(|node| NodeState {
                name: &node.name,
                r#type: &node.node_type,
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
    json(&search.run(call.find(&name)?, clock_offset))
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
    nodes: Option<&'a Nodes>,
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
    if call.space.remove(&Id::workflow(&name)) {
        Ok(no_data())
    } else {
        Err(missing(&name))
    }
}

pub(crate) fn parse_name(text: &str) -> Result<WorkflowName, Refusal> {
    WorkflowName::new(text).map_err(|error| Refusal::code(ErrorCode::INVALID_WORKFLOW_NAME, error))
}

/// Whether there is something to run in a graph, if it is a sound one.
fn can_start(nodes: &Nodes) -> Result<bool, Refusal> {
    match Graph::new(nodes) {
        Ok(graph) => Ok(graph.can_start()),
        Err(error) => Err(Refusal::code(error.code(), &error)),
    }
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
