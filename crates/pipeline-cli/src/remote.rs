//! The service as the commands see it: calls and waits whose errors are ready to be shown.

use std::time::Duration;

use pipeline_blocking::Client;
use pipeline_proto::{
    CallOptions, Endpoint, Error, Idempotency, Operation, WorkflowName,
    wait::{Goal, Observation, WaitOptions},
};

use crate::{duration::Short, failure::Failure, interrupt, output::plain, terminal::StatusLine};

/// Longest wait unless the options say otherwise.
const WAIT_TIMEOUT: Duration = Duration::from_secs(300);

/// Longest time for one of the calls of a wait.
const LOOK_TIMEOUT: Duration = Duration::from_secs(30);

/// A client with the options of this run.
pub(crate) struct Remote {
    client: Client,
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
        client: Client,
        options: CallOptions,
        endpoint: Endpoint,
        timeout: Option<Duration>,
    ) -> Self {
        Self {
            client,
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
        let result = self.client.send_with(operation, self.options.clone());
        interrupt::call(None);
        result
    }

    /// The error of a call, ready to be shown.
    pub(crate) fn failure(&self, error: &Error) -> Failure {
        Failure::of_call(error, &self.endpoint)
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
        let result = match by {
            By::Looking => self
                .client
                .wait_until_with(name, goal, options, &call, watch),
            By::Acting => self.client.ensure_with(name, goal, options, &call, watch),
        };
        result.map_err(|error| Failure::of_wait(&error, &self.endpoint))
    }
}
