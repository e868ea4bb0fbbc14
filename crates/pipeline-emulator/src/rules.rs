//! What can be set about the rules of the service.

use std::time::Duration;

use crate::{clock_skew::ClockSkew, transition::Transition};

#[derive(Debug, Clone)]
pub(crate) struct Rules {
    /// Regions that exist; `None` for any.
    pub(crate) regions: Option<Vec<String>>,
    pub(crate) start: Transition,
    pub(crate) stop: Transition,
    pub(crate) manual_run: Duration,
    /// How long the destination of a transform is being made.
    pub(crate) destination_delay: Duration,
    /// How long a change of a schema takes to reach those who push.
    pub(crate) schema_delay: Duration,
    /// Fields of one schema.
    pub(crate) max_fields: usize,
    /// Repos of one workflow.
    pub(crate) max_repos: usize,
    /// Characters of the description of a repo or of a field.
    pub(crate) max_description: usize,
    /// Whether exports deliver.
    pub(crate) deliver: bool,
    pub(crate) clock_offset: ClockSkew,
}
