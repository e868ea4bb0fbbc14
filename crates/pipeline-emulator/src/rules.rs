//! What can be set about the rules of the service.

use std::time::Duration;

use crate::{clock::ClockSkew, transition::Transition};

#[derive(Debug, Clone)]
pub(crate) struct Rules {
    /// Regions that exist; `None` for any.
    pub(crate) regions: Option<Vec<String>>,
    pub(crate) start: Transition,
    pub(crate) stop: Transition,
    pub(crate) manual_run: Duration,
    pub(crate) clock_offset: ClockSkew,
}
