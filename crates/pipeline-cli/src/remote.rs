//! The service as the commands see it: calls and waits whose errors are ready to be shown.

use std::time::Duration;

use pipeline_blocking::Client;
use pipeline_proto::{
    CallOptions, Endpoint, Error, Idempotency, Operation, WorkflowName,
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

    /// Sends an operation.
    pub(crate) fn send<O: Operation>(&self, operation: O) -> Result<O::Output, Failure> {
        self.try_send(operation)
            .map_err(|error| self.failure(&error))
    }

    /// Sends an operation whose error is to be looked at.
    pub(crate) fn try_send<O: Operation>(&self, operation: O) -> Result<O::Output, Error> {
        if O::IDEMPOTENCY != Idempotency::Safe {
            interrupt::call(Some(O::NAME));
        }
        let options = self.options.clone();
        let result = match &self.link {
            Link::Service(client) => client.send_with(operation, options),
            Link::Replay(replay) => replay.send_with(operation, options),
        };
        interrupt::call(None);
        result
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
        if by == By::Acting {
            interrupt::call(Some("the change that was asked for"));
        }
        let mut line = StatusLine::new();
        let result = self.wait_watching(name, goal, by, |observation| {
            line.show(format_args!(
                "{name}: {} (waiting for {goal}, {})",
                plain(&observation.to_string()),
                Short(observation.elapsed)
            ));
        });
        line.clear();
        interrupt::call(None);
        result
    }

    /// Waits, and tells what is seen meanwhile.
    pub(crate) fn wait_watching(
        &self,
        name: &WorkflowName,
        goal: Goal,
        by: By,
        watch: impl FnMut(&Observation),
    ) -> Result<Observation, Failure> {
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
        result.map_err(|error| {
            self.of_replay()
                .unwrap_or_else(|| Failure::of_wait(&error, &self.endpoint))
        })
    }
}
