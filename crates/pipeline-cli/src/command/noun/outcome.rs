//! What a command that changes something has to say: a line on stderr, and data if asked for.

use std::fmt::Display;

use pipeline_proto::model::Status;
use serde::Serialize;

use crate::{
    duration::Short,
    exit::Exit,
    failure::Failure,
    options::Global,
    output::{Show, note},
    remote::Waited,
};

/// What was done to what.
#[derive(Serialize)]
pub(crate) struct Outcome {
    name: String,
    /// In the past tense: `created`.
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waited_seconds: Option<f64>,
    /// For people.
    #[serde(skip)]
    line: String,
}

impl Outcome {
    pub(crate) fn new(name: &impl Display, action: &'static str) -> Self {
        Self {
            name: name.to_string(),
            action,
            status: None,
            waited_seconds: None,
            line: format!("{action} {name}"),
        }
    }

    /// Says it in other words than "created NAME".
    pub(crate) fn line(mut self, line: String) -> Self {
        self.line = line;
        self
    }

    /// Adds what a wait ended with.
    pub(crate) fn after(mut self, waited: &Waited) -> Self {
        self.status = waited.state.as_ref().map(|state| state.status.clone());
        self.waited_seconds = Some(waited.elapsed.as_secs_f64());
        self
    }

    /// Says it. People get the line on stderr only.
    pub(crate) fn report(&self, global: &Global) -> Result<Exit, Failure> {
        note(&self.line);
        if !global.format().is_for_people() {
            global.format().write(self)?;
        }
        Ok(Exit::Done)
    }
}

/// How long a wait took, for the end of a line.
pub(crate) fn waited(waited: &Waited) -> String {
    format!("(waited {})", Short(waited.elapsed))
}

impl Show for Outcome {
    fn names(&self) -> Vec<&str> {
        vec![&self.name]
    }

    fn table(&self) -> String {
        String::new()
    }
}
