//! The service as the commands see it: calls and waits whose errors are ready to be shown.

use std::time::Duration;

use pipeline_blocking::Client;
use pipeline_proto::{
    CallOptions, Endpoint, Error, ErrorCode, Idempotency, Operation, WorkflowName,
    model::Workflow,
    operation::GetWorkflow,
    wait::{Goal, Observation, WaitOptions},
};

use crate::{
    duration::Short, failure::Failure, interrupt, output::plain, terminal::StatusLine, wire::Replay,
};

/// Longest wait unless the options say otherwise.
const WAIT_TIMEOUT: Duration = Duration::from_secs(300);

/// Longest time for one of the calls of a wait.
const LOOK_TIMEOUT: Duration = Duration::from_secs(30);

/// What answers.
pub(crate) enum Link {
    Service(Client),
    Replay(Replay),
}

/// What answers, with the options of this run.
pub(crate) struct Remote {
    link: Link,
    options: CallOptions,
    endpoint: Endpoint,
    timeout: Option<Duration>,
}

/// Whether a wait may start or stop the workflow itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// It only looks.
    Looking,
    /// It starts or stops as needed.
    Acting,
}

impl Remote {
    pub(crate) fn new(
        link: Link,
        options: CallOptions,
        endpoint: Endpoint,
        timeout: Option<Duration>,
    ) -> Self {
        Self {
            link,
            options,
            endpoint,
            timeout,
        }
    }

    /// Where it is.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Sends an operation.
    pub(crate) fn send<O: Operation>(&self, operation: O) -> Result<O::Output, Failure> {
        self.try_send(operation)
            .map_err(|error| self.failure(&error))
    }

    /// Sends an operation whose error is to be looked at.
    pub(crate) fn try_send<O: Operation>(&self, operation: O) -> Result<O::Output, Error> {
        let change = (O::IDEMPOTENCY != Idempotency::Safe).then(|| change(&operation));
        let under_way = change
            .as_ref()
            .map(|change| interrupt::under_way(format!("{change} may have taken effect")));
        let options = self.options.clone();
        let result = match &self.link {
            Link::Service(client) => client.send_with(operation, options),
            Link::Replay(replay) => replay.send_with(operation, options),
        };
        if let (Some(under_way), Some(change), Ok(_)) = (under_way, change, &result) {
            under_way.done(change);
        }
        result
    }

    /// The workflow, if the service has one of this name.
    pub(crate) fn find(&self, name: &WorkflowName) -> Result<Option<Workflow>, Failure> {
        match self.try_send(GetWorkflow::new(name.clone())) {
            Ok(workflow) => Ok(Some(workflow)),
            // Another 404 speaks of the owner, or comes from something that is not the service.
            Err(error) if error.code() == Some(ErrorCode::WORKFLOW_NOT_FOUND) => Ok(None),
            Err(error) => Err(self.failure(&error)),
        }
    }

    /// The error of a call, ready to be shown.
    pub(crate) fn failure(&self, error: &Error) -> Failure {
        self.of_replay()
            .unwrap_or_else(|| Failure::of_call(error, &self.endpoint))
    }

    /// The failure that it is when a recording has no answer.
    fn of_replay(&self) -> Option<Failure> {
        let Link::Replay(replay) = &self.link else {
            return None;
        };
        let missing = replay.missing()?;
        Some(Failure::usage(format!(
            "the recording has no further answer to {missing}"
        )))
    }

    /// Waits, and shows on stderr what is seen meanwhile.
    pub(crate) fn wait(
        &self,
        name: &WorkflowName,
        goal: Goal,
        by: By,
    ) -> Result<Observation, Failure> {
        let mut line = StatusLine::new();
        let result = self.wait_watching(name, goal, by, |observation| {
            line.show(format_args!(
                "{name}: {} (waiting for {goal}, {})",
                plain(&observation.to_string()),
                Short(observation.elapsed)
            ));
        });
        line.clear();
        result
    }

    /// Waits, and tells what is seen meanwhile.
    pub(crate) fn wait_watching(
        &self,
        name: &WorkflowName,
        goal: Goal,
        by: By,
        mut watch: impl FnMut(&Observation),
    ) -> Result<Observation, Failure> {
        let change = match goal {
            Goal::Started => "start",
            _ => "stop",
        };
        let under_way = interrupt::under_way(match by {
            By::Acting => format!("the {change} of {name} may have taken effect"),
            By::Looking => format!("waiting for {name} to be {goal}"),
        });
        let watch = |observation: &Observation| {
            if let (By::Acting, Some(state)) = (by, &observation.state) {
                let status = plain(state.status.as_str());
                under_way.update(format!(
                    "the {change} of {name} was under way, its last status {status}"
                ));
            }
            watch(observation);
        };
        let timeout = self.timeout.unwrap_or(WAIT_TIMEOUT);
        let options = WaitOptions::default()
            .timeout(timeout)
            .interval(Duration::from_millis(250))
            .max_interval(Duration::from_secs(5));
        let call = self
            .options
            .clone()
            .attempt_timeout(timeout.min(LOOK_TIMEOUT))
            .total_timeout(timeout.min(LOOK_TIMEOUT));
        let result = match (&self.link, by) {
            (Link::Service(client), By::Looking) => {
                client.wait_until_with(name, goal, options, &call, watch)
            }
            (Link::Service(client), By::Acting) => {
                client.ensure_with(name, goal, options, &call, watch)
            }
            (Link::Replay(replay), by) => {
                replay.wait(name, goal, options, &call, by == By::Acting, watch)
            }
        };
        let observation = result.map_err(|error| {
            self.of_replay()
                .unwrap_or_else(|| Failure::of_wait(&error, &self.endpoint))
        })?;
        if by == By::Acting {
            under_way.done(format!("the {change} of {name}"));
        }
        Ok(observation)
    }
}

/// What an operation changes, in words: "the start of w".
fn change<O: Operation>(operation: &O) -> String {
    let verb = O::NAME.split('_').next().unwrap_or_default();
    let noun = match verb {
        "create" => "creation",
        "delete" => "deletion",
        verb => verb,
    };
    match workflow(operation) {
        Some(name) => format!("the {noun} of {name}"),
        None => format!("the {noun}"),
    }
}

/// The workflow that an operation is about: `/v2/workflows/NAME…`.
fn workflow<O: Operation>(operation: &O) -> Option<WorkflowName> {
    let draft = operation.draft().ok()?;
    let name = draft.target().split(['/', '?']).nth(3)?;
    WorkflowName::new(name).ok()
}
