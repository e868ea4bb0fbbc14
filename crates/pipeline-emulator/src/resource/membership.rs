//! What belongs to a workflow: kept, changed and deleted only as that allows.

use pipeline_proto::{ErrorCode, WorkflowName, model::Status};

use super::graph;
use crate::{
    call::{Call, parse_name},
    id::Id,
    item::{Item, Members},
    refusal::Refusal,
};

impl Call<'_, '_> {
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
pub(super) fn check_idle(name: &WorkflowName, status: &Status) -> Result<(), Refusal> {
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
