//! A request for an operation, and what its response is made of.

use bytes::Bytes;
use http::HeaderMap;
use pipeline_proto::{ErrorCode, Now, Region, WorkflowName};
use serde::Serialize;
use serde_json::Value;

use crate::{refusal::Refusal, rules::Rules, state::Space, workflow::Workflow};

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

impl Call<'_, '_> {
    /// The name of the workflow in the path.
    pub(crate) fn name(&self) -> Result<WorkflowName, Refusal> {
        parse_name(self.names.first().map_or("", String::as_str))
    }

    /// The workflow of this name in the state that it has now.
    pub(crate) fn find(&mut self, name: &WorkflowName) -> Result<&Workflow, Refusal> {
        self.space
            .find(name, self.now, self.rules.manual_run)
            .ok_or_else(|| missing(name))
    }

    pub(crate) fn edit(&mut self, name: &WorkflowName) -> Result<&mut Workflow, Refusal> {
        self.space.edit(name).ok_or_else(|| missing(name))
    }
}

pub(crate) fn parse_name(text: &str) -> Result<WorkflowName, Refusal> {
    WorkflowName::new(text).map_err(|error| Refusal::code(ErrorCode::INVALID_WORKFLOW_NAME, error))
}

fn missing(name: &WorkflowName) -> Refusal {
    Refusal::code(ErrorCode::WORKFLOW_NOT_FOUND, format!("{name:?}"))
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

/// The body of a success that has nothing to tell.
pub(crate) fn no_data() -> Bytes {
    Bytes::from_static(b"{}")
}

pub(crate) fn json<T: Serialize>(value: &T) -> Result<Bytes, Refusal> {
    serde_json::to_vec(value)
        .map(Bytes::from)
        .map_err(|error| Refusal::code(ErrorCode::INTERNAL_ERROR, error))
}
