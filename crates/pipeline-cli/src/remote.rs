//! The service as the commands see it: calls and waits whose errors are ready to be shown.

mod connection;
mod wire;

use std::{
    thread,
    time::{Duration, Instant, SystemTime},
};

use pipeline_blocking::Client;
use pipeline_proto::{
    CallOptions, Endpoint, Error, ErrorCode, Idempotency, Now, Operation, Region, WorkflowName,
    model::{Workflow, WorkflowState},
    resource::workflow::{GetWorkflow, SearchLogs},
    wait::{Goal, Observation, Step, WaitError, WaitFailure, WaitOptions, Waiter},
};

use crate::{
    duration::Short,
    failure::{Failure, reason},
    interrupt,
    output::plain,
    terminal::StatusLine,
};

pub(crate) use self::connection::{EXPOSED, EXPOSED_ZH, Special};
use self::wire::Replay;
pub(crate) use crate::failure::reason::{By, Subject};

/// Longest wait unless the options say otherwise.
const WAIT_TIMEOUT: Duration = Duration::from_secs(300);

/// Longest time for one of the calls of a wait.
const LOOK_TIMEOUT: Duration = Duration::from_secs(30);

/// Longest time for a call that only finds out why another one failed.
const ASIDE_TIMEOUT: Duration = Duration::from_secs(5);

/// What answers.
pub(crate) enum Link {
    Service(Client),
    Replay(Replay),
}

impl Link {
    fn send<O: Operation>(&self, operation: O, options: CallOptions) -> Result<O::Output, Error> {
        match self {
            Self::Service(client) => client.send_with(operation, options),
            Self::Replay(replay) => replay.send_with(operation, options),
        }
    }
}

/// What answers, with the options of this run.
pub(crate) struct Remote {
    link: Link,
    options: CallOptions,
    endpoint: Endpoint,
    timeout: Option<Duration>,
    begun: Instant,
}

/// Whether a wait shows on a terminal what it sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    Line,
    Nothing,
}

/// What a wait ended with.
pub(crate) struct Waited {
    /// None if the workflow is gone.
    pub(crate) state: Option<WorkflowState>,
    pub(crate) elapsed: Duration,
    /// Whether the workflow was there at any look.
    pub(crate) seen: bool,
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
            begun: Instant::now(),
        }
    }

    /// What ships records, with the options of each request. A recording cannot.
    pub(crate) fn to_ship(&self) -> Result<(&Client, CallOptions), Failure> {
        match &self.link {
            Link::Service(client) => Ok((client, self.options.clone())),
            Link::Replay(_) => Err(Failure::usage("nothing can be shipped to a recording")),
        }
    }

    /// The time here, or that of the recording.
    pub(crate) fn now(&self) -> Now {
        match &self.link {
            Link::Service(_) => Now::new(SystemTime::now(), self.begun.elapsed()),
            Link::Replay(replay) => replay.now(),
        }
    }

    /// Lets this time pass. That of a recording passes at once.
    pub(crate) fn pause(&self, time: Duration) {
        match &self.link {
            Link::Service(_) => thread::sleep(time),
            Link::Replay(replay) => replay.pass(time),
        }
    }

    /// Where it is.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Sends an operation.
    pub(crate) fn send<O: Operation>(&self, operation: O) -> Result<O::Output, Failure> {
        let subject = Subject::of(&operation);
        self.try_send(operation)
            .map_err(|error| self.failure(&error, subject))
    }

    /// Sends an operation whose error is to be looked at.
    pub(crate) fn try_send<O: Operation>(&self, operation: O) -> Result<O::Output, Error> {
        let change = (operation.idempotency() != Idempotency::Safe).then(|| change(&operation));
        let under_way = change
            .as_ref()
            .map(|change| interrupt::under_way(format!("{change} may have taken effect")));
        let result = self.link.send(operation, self.options.clone());
        if let (Some(under_way), Some(change), Ok(_)) = (under_way, change, &result) {
            under_way.done(change);
        }
        result
    }

    /// Sends an operation beside what goes on, which must not hold that up for long.
    pub(crate) fn try_aside<O: Operation>(&self, operation: O) -> Result<O::Output, Error> {
        self.link.send(operation, self.aside())
    }

    /// The workflow, if the service has one of this name.
    pub(crate) fn find(&self, name: &WorkflowName) -> Result<Option<Workflow>, Failure> {
        match self.try_send(GetWorkflow::new(name.clone())) {
            Ok(workflow) => Ok(Some(workflow)),
            // Another 404 speaks of the owner, or comes from something that is not the service.
            Err(error) if error.code() == Some(ErrorCode::WORKFLOW_NOT_FOUND) => Ok(None),
            Err(error) => Err(self.failure(&error, Some(name.into()))),
        }
    }

    /// The error of a call about this, ready to be shown.
    pub(crate) fn failure(&self, error: &Error, subject: Option<Subject>) -> Failure {
        self.of_replay().unwrap_or_else(|| {
            let workflow = subject.as_ref().and_then(Subject::workflow);
            let reason = workflow.and_then(|name| self.reason(error, &name));
            Failure::of_call(error, &self.endpoint, subject, reason.as_deref())
        })
    }

    /// Which of the possible reasons applies: the workflow shows it.
    fn reason(&self, error: &Error, name: &WorkflowName) -> Option<String> {
        let Link::Service(client) = &self.link else {
            return None;
        };
        if !reason::is_vague(error) {
            return None;
        }
        let workflow = client
            .send_with(GetWorkflow::new(name.clone()), self.aside())
            .ok()?;
        reason::of_state(error, &workflow)
    }

    /// Adds how a start came to fail: which nodes do not run, and what the logs say of it.
    fn with_story(
        &self,
        failure: Failure,
        name: &WorkflowName,
        last: Option<&WorkflowState>,
        begun: SystemTime,
    ) -> Failure {
        let nodes = last.and_then(reason::nodes_not_started);
        let mut search = SearchLogs::new(name.clone()).from(begun);
        if let Some(region) = last.and_then(|last| Region::new(last.region.as_str()).ok()) {
            search = search.region(region);
        }
        let logs = match &self.link {
            Link::Service(client) => client.send_with(search, self.aside()).ok(),
            Link::Replay(_) => None,
        };
        let logs = logs.as_ref().and_then(reason::last_in_logs);
        let parts = [nodes, logs].into_iter().flatten();
        let failure = parts.fold(failure, Failure::and);
        failure.see(format!("pipeline workflow search {name}"))
    }

    /// For a call beside the one that was asked for, which must not take long.
    fn aside(&self) -> CallOptions {
        let timeout = self.timeout.unwrap_or(ASIDE_TIMEOUT).min(ASIDE_TIMEOUT);
        self.options
            .clone()
            .attempt_timeout(timeout)
            .total_timeout(timeout)
    }

    /// The failure that it is when a recording has no response.
    fn of_replay(&self) -> Option<Failure> {
        let Link::Replay(replay) = &self.link else {
            return None;
        };
        let missing = replay.missing()?;
        Some(Failure::usage(format!(
            "the recording has no further response to {missing}"
        )))
    }

    /// Waits, and may show on stderr what is seen meanwhile.
    pub(crate) fn wait(
        &self,
        name: &WorkflowName,
        goal: Goal,
        by: By,
        show: Show,
    ) -> Result<Waited, Failure> {
        if show == Show::Nothing {
            return self.wait_watching(name, goal, by, |_| {});
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
        result
    }

    /// How a wait goes about it.
    fn wait_options(&self) -> WaitOptions {
        WaitOptions::default()
            .timeout(self.timeout.unwrap_or(WAIT_TIMEOUT))
            .interval(Duration::from_millis(250))
            .max_interval(Duration::from_secs(5))
    }

    /// For the calls of a wait.
    fn look_options(&self) -> CallOptions {
        let timeout = self.timeout.unwrap_or(WAIT_TIMEOUT).min(LOOK_TIMEOUT);
        self.options
            .clone()
            .attempt_timeout(timeout)
            .total_timeout(timeout)
    }

    /// Begins a wait that only looks, whose pauses are the caller's.
    pub(crate) fn begin_wait(&self, name: &WorkflowName, goal: Goal) -> Step {
        Waiter::until(name.clone(), goal, self.wait_options(), self.now())
    }

    /// Takes such a wait to its next pause, or to its end.
    pub(crate) fn look(&self, mut step: Step) -> Step {
        while let Step::Send(due) = step {
            let result = self.link.send(due.operation(), self.look_options());
            step = due.on_result(result, self.now());
        }
        step
    }

    fn drive(
        &self,
        mut step: Step,
        mut watch: impl FnMut(&Observation),
    ) -> Result<Observation, WaitError> {
        loop {
            step = match step {
                step @ Step::Send(_) => self.look(step),
                Step::Pause(pause) => {
                    watch(pause.observation());
                    self.pause(pause.delay());
                    pause.resume()
                }
                Step::Done(result) => {
                    if let Ok(observation) = &result {
                        watch(observation);
                    }
                    return result;
                }
            };
        }
    }

    /// The failure of a wait, ready to be shown.
    pub(crate) fn wait_failure(&self, error: &WaitError, by: By, name: &WorkflowName) -> Failure {
        self.of_replay().unwrap_or_else(|| match error.failure() {
            // A start or a stop that was refused.
            WaitFailure::Failed(cause) => self.failure(cause, Some(name.into())),
            _ => Failure::of_wait(error, name, by, &self.endpoint),
        })
    }

    /// Waits, and tells what is seen meanwhile.
    fn wait_watching(
        &self,
        name: &WorkflowName,
        goal: Goal,
        by: By,
        mut watch: impl FnMut(&Observation),
    ) -> Result<Waited, Failure> {
        let (change, _) = reason::act(goal);
        let under_way = interrupt::under_way(match by {
            By::Acting => format!("the {change} of {name} may have taken effect"),
            By::Looking => format!("waiting for {name} to be {goal}"),
        });
        let begun = SystemTime::now();
        let mut last = None;
        let watch = |observation: &Observation| {
            last = observation.state.clone().or_else(|| last.take());
            if let (By::Acting, Some(state)) = (by, &observation.state) {
                let status = plain(state.status.as_str());
                under_way.update(format!(
                    "the {change} of {name} was under way, its last status {status}"
                ));
            }
            watch(observation);
        };
        let waiter = match by {
            By::Looking => Waiter::until,
            By::Acting => Waiter::ensure,
        };
        let step = waiter(name.clone(), goal, self.wait_options(), self.now());
        let result = self.drive(step, watch);
        let observation = result.map_err(|error| {
            let failure = self.wait_failure(&error, by, name);
            match (error.failure(), by, goal) {
                (
                    WaitFailure::TimedOut(None) | WaitFailure::Settled(_),
                    By::Acting,
                    Goal::Started,
                ) if self.of_replay().is_none() => {
                    self.with_story(failure, name, last.as_ref(), begun)
                }
                _ => failure,
            }
        })?;
        if by == By::Acting {
            under_way.done(format!("the {change} of {name}"));
        }
        Ok(Waited {
            seen: last.is_some(),
            state: observation.state,
            elapsed: observation.elapsed,
        })
    }
}

/// What an operation changes, in words: "the start of w".
fn change<O: Operation>(operation: &O) -> String {
    let noun = reason::noun(operation.name()).map_or(operation.name(), |(noun, _)| noun);
    match Subject::of(operation) {
        Some(subject) => format!("the {noun} of {subject}"),
        None => format!("the {noun}"),
    }
}
