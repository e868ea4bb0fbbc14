//! The nine operations over the workflows of one account.

use std::time::Duration;

use bytes::Bytes;
use pipeline_graph::{Definition, Graph};
use pipeline_proto::{
    ErrorCode, Now, Region, WorkflowName,
    model::{NodeType, Nodes, Status},
};
use serde::{Deserialize, Serialize};

use crate::{
    body,
    clock::{ClockOffset, rfc3339},
    operation::OperationKind,
    refusal::Refusal,
    search::Search,
    state::Workflows,
    transition::Transition,
    workflow::Workflow,
};

/// Longest comment, in characters. The service has a code for over-long fields and states no limit;
/// this one is far above what a comment needs.
pub(crate) const MAX_COMMENT: usize = 10_000;

/// What an operation needs beside the workflows.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    /// Regions that exist; `None` for any.
    pub(crate) regions: Option<Vec<String>>,
    pub(crate) start: Transition,
    pub(crate) stop: Transition,
    pub(crate) manual_run: Duration,
    pub(crate) clock_offset: ClockOffset,
}

/// An operation that is to be carried out.
pub(crate) struct Request<'a> {
    pub(crate) operation: OperationKind,
    /// The name in the path; none for list.
    pub(crate) name: Option<&'a str>,
    pub(crate) body: &'a [u8],
    pub(crate) now: Now,
}

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
    name: &'a WorkflowName,
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

impl Rules {
    /// Carries out an operation and gives the body of the answer.
    ///
    /// # Errors
    ///
    /// A refused operation has changed nothing.
    pub(crate) fn perform(
        &self,
        workflows: &mut Workflows<'_>,
        request: &Request<'_>,
    ) -> Result<Bytes, Refusal> {
        let Request {
            operation,
            name,
            body,
            now,
        } = *request;
        let name = || parse_name(name.unwrap_or_default());
        match operation {
            OperationKind::Create => self.create(workflows, name()?, body, now),
            OperationKind::Update => self.update(workflows, &name()?, body, now),
            OperationKind::List => self.list(workflows, now),
            OperationKind::Get => self.get(workflows, &name()?, now),
            OperationKind::Status => self.status(workflows, &name()?, now),
            OperationKind::Start => self.start(workflows, &name()?, body, now),
            OperationKind::Stop => self.stop(workflows, &name()?, body, now),
            OperationKind::Delete => delete(workflows, &name()?),
            OperationKind::Search => self.search(workflows, &name()?, body, now),
        }
    }

    fn create(
        &self,
        workflows: &mut Workflows<'_>,
        name: WorkflowName,
        body: &[u8],
        now: Now,
    ) -> Result<Bytes, Refusal> {
        let create: Create = body::read(body)?;
        check_name(&name, create.name.as_deref())?;
        let comment = create.comment.unwrap_or_default();
        let workflow = self.made(workflows, &name, create.region, comment, now)?;
        workflows.insert(name, workflow);
        Ok(no_data())
    }

    /// Adds a whole workflow, by the rules that hold for create and update.
    pub(crate) fn add(
        &self,
        workflows: &mut Workflows<'_>,
        definition: &Definition,
        now: Now,
    ) -> Result<(), Refusal> {
        let name = parse_name(&definition.name)?;
        let (region, comment) = (definition.region.clone(), definition.comment.clone());
        let mut workflow = self.made(workflows, &name, Some(region), comment, now)?;
        let can_start = can_start(&definition.nodes)?;
        workflow.replace_nodes(definition.nodes.clone(), can_start, now);
        workflows.insert(name, workflow);
        Ok(())
    }

    fn made(
        &self,
        workflows: &Workflows<'_>,
        name: &WorkflowName,
        region: Option<String>,
        comment: String,
        now: Now,
    ) -> Result<Workflow, Refusal> {
        let region = self.region(region)?;
        let length = comment.chars().count();
        if length > MAX_COMMENT {
            let detail = format!("the comment has {length} characters, {MAX_COMMENT} are allowed");
            return Err(Refusal::code(ErrorCode::FIELD_TOO_LONG, detail));
        }
        if workflows.contains(name) {
            let detail = format!("{name:?}");
            return Err(Refusal::code(ErrorCode::WORKFLOW_EXISTS, detail));
        }
        Ok(Workflow::new(region, comment, now))
    }

    /// A full replacement of the nodes. Missing or `null`, they stay as they are: one of the vendor's
    /// clients sends no nodes and expects success. An empty object removes them all.
    fn update(
        &self,
        workflows: &mut Workflows<'_>,
        name: &WorkflowName,
        body: &[u8],
        now: Now,
    ) -> Result<Bytes, Refusal> {
        let update: Update = body::read(body)?;
        check_name(name, update.name.as_deref())?;
        let region = self.region(update.region)?;
        let workflow = self.find(workflows, name, now)?;
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
        if let Some(nodes) = update.nodes {
            let can_start = can_start(&nodes)?;
            edit(workflows, name)?.replace_nodes(nodes, can_start, now);
        } else {
            edit(workflows, name)?.updated = now.wall;
        }
        Ok(no_data())
    }

    fn list(&self, workflows: &mut Workflows<'_>, now: Now) -> Result<Bytes, Refusal> {
        let shown: Vec<_> = workflows
            .all(now, self.manual_run)
            .map(|(name, workflow)| self.show(name, workflow, None))
            .collect();
        let body = json(&shown)?;
        workflows.were_read();
        Ok(body)
    }

    fn get(
        &self,
        workflows: &mut Workflows<'_>,
        name: &WorkflowName,
        now: Now,
    ) -> Result<Bytes, Refusal> {
        let workflow = self.find(workflows, name, now)?;
        let body = json(&self.show(name, workflow, Some(workflow.nodes())))?;
        workflows.was_read(name);
        Ok(body)
    }

    fn status(
        &self,
        workflows: &mut Workflows<'_>,
        name: &WorkflowName,
        now: Now,
    ) -> Result<Bytes, Refusal> {
        let workflow = self.find(workflows, name, now)?;
        let status = workflow.status();
        let nodes = workflow.nodes().values();
        let body = json(&State {
            name,
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
        workflows.was_read(name);
        Ok(body)
    }

    fn start(
        &self,
        workflows: &mut Workflows<'_>,
        name: &WorkflowName,
        body: &[u8],
        now: Now,
    ) -> Result<Bytes, Refusal> {
        check_bare(name, body)?;
        let workflow = self.find(workflows, name, now)?;
        let status = workflow.status();
        if !status.is_idle() {
            let detail = format!("it is {status}");
            return Err(Refusal::code(ErrorCode::WORKFLOW_START_FORBIDDEN, detail));
        }
        if !workflow.can_start() {
            let detail = "it needs a node of type transform, export or exportBatch";
            return Err(Refusal::code(ErrorCode::NOTHING_TO_RUN, detail));
        }
        edit(workflows, name)?.start(self.start, now);
        Ok(no_data())
    }

    fn stop(
        &self,
        workflows: &mut Workflows<'_>,
        name: &WorkflowName,
        body: &[u8],
        now: Now,
    ) -> Result<Bytes, Refusal> {
        check_bare(name, body)?;
        let workflow = self.find(workflows, name, now)?;
        let status = workflow.status();
        if status != Status::Started {
            let detail = format!("it is {status}");
            return Err(Refusal::code(ErrorCode::WORKFLOW_STOP_FORBIDDEN, detail));
        }
        edit(workflows, name)?.stop(self.stop, now);
        Ok(no_data())
    }

    fn search(
        &self,
        workflows: &mut Workflows<'_>,
        name: &WorkflowName,
        body: &[u8],
        now: Now,
    ) -> Result<Bytes, Refusal> {
        let search: Search = body::read(body)?;
        let workflow = self.find(workflows, name, now)?;
        json(&search.run(workflow, self.clock_offset))
    }

    /// A workflow in the state that it has now.
    fn find<'a>(
        &self,
        workflows: &'a mut Workflows<'_>,
        name: &WorkflowName,
        now: Now,
    ) -> Result<&'a Workflow, Refusal> {
        workflows
            .find(name, now, self.manual_run)
            .ok_or_else(|| missing(name))
    }

    fn region(&self, text: Option<String>) -> Result<String, Refusal> {
        let malformed = |detail: String| Refusal::code(ErrorCode::MALFORMED_WORKFLOW, detail);
        let region =
            Region::new(text.unwrap_or_default()).map_err(|error| malformed(error.to_string()))?;
        match &self.regions {
            Some(known) if !known.iter().any(|known| known == region.as_str()) => Err(malformed(
                format!("there is no region {region:?}, only {}", known.join(", ")),
            )),
            _ => Ok(region.into()),
        }
    }

    fn show<'a>(
        &self,
        name: &'a WorkflowName,
        workflow: &'a Workflow,
        nodes: Option<&'a Nodes>,
    ) -> Shown<'a> {
        Shown {
            name,
            region: &workflow.region,
            comment: &workflow.comment,
            create_time: rfc3339(self.clock_offset.apply(workflow.created)),
            update_time: rfc3339(self.clock_offset.apply(workflow.updated)),
            status: workflow.status(),
            can_start: workflow.can_start(),
            is_manual_workflow: workflow.is_manual(),
            nodes,
        }
    }
}

fn edit<'a>(
    workflows: &'a mut Workflows<'_>,
    name: &WorkflowName,
) -> Result<&'a mut Workflow, Refusal> {
    workflows.edit(name).ok_or_else(|| missing(name))
}

/// Possible in every state, nodes included. No source knows a code that would refuse it, and the
/// vendor's tests delete workflows with nodes in them right after use. Careful clients stop first.
fn delete(workflows: &mut Workflows<'_>, name: &WorkflowName) -> Result<Bytes, Refusal> {
    if workflows.remove(name) {
        Ok(no_data())
    } else {
        Err(missing(name))
    }
}

fn parse_name(text: &str) -> Result<WorkflowName, Refusal> {
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
fn no_data() -> Bytes {
    Bytes::from_static(b"{}")
}

fn json<T: Serialize>(value: &T) -> Result<Bytes, Refusal> {
    serde_json::to_vec(value)
        .map(Bytes::from)
        .map_err(|error| Refusal::code(ErrorCode::INTERNAL_ERROR, error))
}

#[cfg(test)]
mod tests;
