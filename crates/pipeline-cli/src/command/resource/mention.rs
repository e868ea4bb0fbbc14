//! A resource by its names, with what was done to it or is known of it.

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{Names, Resource, key};
use crate::{
    duration::Short,
    exit::Exit,
    failure::Failure,
    options::Global,
    output::{Show, note},
    remote::Waited,
};

/// What is said of a resource: data for programs, a line on stderr for people.
pub(in crate::command) struct Mention {
    pub(super) resource: &'static Resource,
    pub(super) names: Names,
    members: Vec<(&'static str, Value)>,
    word: String,
    line: String,
}

impl Mention {
    pub(in crate::command) fn of(resource: &'static Resource, names: &Names) -> Self {
        Self {
            resource,
            names: names.clone(),
            members: Vec::new(),
            word: names.to_string(),
            line: String::new(),
        }
    }

    /// What was done to it, in the past tense: `created`.
    pub(in crate::command) fn done(
        resource: &'static Resource,
        names: &Names,
        action: &'static str,
    ) -> Self {
        Self::of(resource, names)
            .with("action", action)
            .line(format!("{action} {names}"))
    }

    pub(in crate::command) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.members.push((name, value.into()));
        self
    }

    /// Says it in other words than "created NAME".
    pub(in crate::command) fn line(mut self, line: String) -> Self {
        self.line = line;
        self
    }

    /// Adds what a wait ended with.
    pub(in crate::command) fn after(self, waited: &Waited) -> Self {
        let with_status = match &waited.state {
            Some(state) => self.with("status", state.status.as_str()),
            None => self,
        };
        with_status.with("waited_seconds", waited.elapsed.as_secs_f64())
    }

    /// Says what a wait came to: "NAME is started (waited 3 s)".
    pub(in crate::command) fn came(self, state: &str, waited: &Waited) -> Self {
        let line = format!(
            "{} is {state} (waited {})",
            self.word,
            Short(waited.elapsed)
        );
        self.after(waited).line(line)
    }

    /// Says it. People get the line on stderr only.
    pub(in crate::command) fn report(&self, global: &Global) -> Result<Exit, Failure> {
        note(&self.line);
        if !global.format().is_for_people() {
            global.format().write(self)?;
        }
        Ok(Exit::Done)
    }
}

impl Serialize for Mention {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let path = key::path(self.resource).iter().map(|info| info.key);
        let names = path.zip(self.names.0.iter().map(|name| Value::from(name.as_str())));
        serializer.collect_map(names.chain(self.members.iter().cloned()))
    }
}

impl Show for Mention {
    fn names(&self) -> Vec<&str> {
        vec![&self.word]
    }

    fn table(&self) -> String {
        String::new()
    }
}
