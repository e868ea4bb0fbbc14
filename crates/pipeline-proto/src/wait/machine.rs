use std::{fmt, time::Duration};

use super::{
    failure::{WaitError, WaitFailure},
    options::{Goal, WaitOptions},
};
use crate::{
    error::{Effect, Error, ErrorCode, ErrorKind},
    model::{Status, WorkflowState},
    name::WorkflowName,
    operation::{GetWorkflowStatus, StartWorkflow, StopWorkflow},
    time::Now,
};

/// After an action of our own, the old status may be shown this many times before it counts.
const READS_AFTER_ACTION: u32 = 3;

/// How often a start or stop that failed is tried, with a look in between, before its failure is
/// final.
const MOST_ACTIONS: u32 = 3;

/// What a wait knows. Made by [`until`](Waiter::until) or [`ensure`](Waiter::ensure), and carried
/// through the [`Step`]s.
///
/// ```
/// use pipeline_proto::wait::{Goal, Step, WaitOptions, Waiter};
/// use pipeline_proto::{Now, Operation, WorkflowName};
/// use std::time::{Duration, SystemTime};
///
/// let now = Now::new(SystemTime::UNIX_EPOCH, Duration::ZERO);
/// let name = WorkflowName::from_static("logs");
/// let Step::Poll(poll) = Waiter::until(name, Goal::Started, WaitOptions::default(), now) else {
///     panic!("a wait begins with a look");
/// };
/// assert_eq!(poll.operation().draft()?.target(), "/v2/workflows/logs/status");
/// // It shows that the workflow is starting, so there is a pause before the next look.
/// let state = serde_json::from_str(r#"{"name":"logs","status":"Starting"}"#)?;
/// let Step::Pause(pause) = poll.on_result(Ok(state), now) else {
///     panic!("it is not started yet");
/// };
/// assert_eq!(pause.delay(), Duration::from_secs(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Waiter {
    name: WorkflowName,
    goal: Goal,
    options: WaitOptions,
    may_act: bool,
    started: Now,
    /// On the monotonic clock; computed once.
    deadline: Duration,
    next_pause: Duration,
    polls: u32,
    status: Option<Status>,
    /// How often in a row a settled state other than the wanted one was seen.
    settled_reads: u32,
    actions: u32,
    last_action: LastAction,
}

/// What became of the last start or stop of our own.
#[derive(Debug)]
enum LastAction {
    /// There was none.
    None,
    /// The service took it; the status may still be the old one.
    Asked,
    /// The workflow was seen on its way.
    UnderWay,
    /// It was refused, or what became of it is not known. The error is shown with the pause that
    /// follows, and comes back from there.
    Failed(Option<Error>),
}

/// What to do next.
#[derive(Debug)]
#[must_use = "a wait goes on only if its steps are done"]
pub enum Step {
    /// Look at the workflow.
    Poll(Poll),
    /// Start it.
    Start(Act<StartWorkflow>),
    /// Stop it.
    Stop(Act<StopWorkflow>),
    /// Wait a while.
    Pause(Pause),
    /// The wait has ended.
    Done(Result<Observation, WaitError>),
}

/// A look that is due.
#[derive(Debug)]
#[must_use = "look, and say what was seen"]
pub struct Poll(Waiter);

/// A start or a stop that is due.
#[derive(Debug)]
#[must_use = "send it, and say what came of it"]
pub struct Act<O> {
    waiter: Waiter,
    operation: O,
}

/// A pause that is due.
#[derive(Debug)]
#[must_use = "wait for the delay, then resume"]
pub struct Pause {
    waiter: Waiter,
    delay: Duration,
    observation: Observation,
}

/// What was seen at one look.
///
/// ```
/// use pipeline_proto::wait::Observation;
///
/// fn show(seen: &Observation) {
///     println!("{:>4} s  {seen}", seen.elapsed.as_secs());
///     for node in seen.state.iter().flat_map(|state| &state.nodes) {
///         println!("        {} {}", node.name, node.status);
///     }
/// }
/// # let _: fn(&Observation) = show;
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Observation {
    /// The state of the workflow; `None` if the look failed, or the workflow is gone.
    pub state: Option<WorkflowState>,
    /// Why the look, the start or the stop failed, if it did.
    pub error: Option<Error>,
    /// How many looks there were.
    pub polls: u32,
    /// How long the wait has lasted.
    pub elapsed: Duration,
}

impl Waiter {
    /// Waits for a state that comes by itself.
    #[allow(clippy::new_ret_no_self)]
    pub fn until(name: WorkflowName, goal: Goal, options: WaitOptions, now: Now) -> Step {
        Step::Poll(Poll(Self::new(name, goal, options, now, false)))
    }

    /// Starts or stops the workflow as needed, from whatever state it is in, and waits. Right again
    /// if it is there already. Nothing is ever deleted: for [`Goal::Deleted`] this is
    /// [`until`](Self::until).
    pub fn ensure(name: WorkflowName, goal: Goal, options: WaitOptions, now: Now) -> Step {
        Step::Poll(Poll(Self::new(name, goal, options, now, true)))
    }

    fn new(name: WorkflowName, goal: Goal, options: WaitOptions, now: Now, may_act: bool) -> Self {
        Self {
            name,
            goal,
            may_act,
            started: now,
            deadline: now.mono.saturating_add(options.timeout),
            next_pause: options.interval,
            options,
            polls: 0,
            status: None,
            settled_reads: 0,
            actions: 0,
            last_action: LastAction::None,
        }
    }

    /// What follows from a status.
    fn on_status(mut self, state: WorkflowState, now: Now) -> Step {
        let status = state.status.clone();
        let (reached, under_way) = match self.goal {
            Goal::Started => (status == Status::Started, status == Status::Starting),
            Goal::Stopped => (status.is_idle(), status == Status::Stopping),
            Goal::Deleted => (false, false),
        };
        self.status = Some(status.clone());
        if under_way && self.actions > 0 {
            self.last_action = LastAction::UnderWay;
        }
        let observation = self.observation(Some(state), None, now);
        if reached {
            return Step::Done(Ok(observation));
        }
        // Of `Unknown`, of a status that this version does not know, and of one that will change by
        // itself nothing follows but to look again.
        if !status.is_settled() || self.goal == Goal::Deleted {
            self.settled_reads = 0;
            return self.pause(observation, now);
        }
        self.settled_reads += 1;
        let enough = match self.last_action {
            LastAction::None if self.may_act => return self.act(now),
            // Somebody may have been faster, and undone it since; or it never arrived.
            LastAction::Failed(_) if self.actions < MOST_ACTIONS => return self.act(now),
            LastAction::Failed(Some(error)) => {
                self.last_action = LastAction::None;
                return self.fail(WaitFailure::Failed(error), now);
            }
            LastAction::Asked => self.options.settled_reads.max(READS_AFTER_ACTION),
            LastAction::None | LastAction::UnderWay | LastAction::Failed(None) => {
                self.options.settled_reads
            }
        };
        if self.settled_reads >= enough {
            return self.fail(WaitFailure::Settled(status), now);
        }
        self.pause(observation, now)
    }

    fn act(mut self, now: Now) -> Step {
        // Nothing is set going whose end nobody waits for.
        if now.mono >= self.deadline {
            return self.time_out(None, now);
        }
        self.actions += 1;
        self.settled_reads = 0;
        self.next_pause = self.options.interval;
        let name = self.name.clone();
        match self.goal {
            Goal::Started => Step::Start(Act {
                operation: StartWorkflow::new(name),
                waiter: self,
            }),
            Goal::Stopped => Step::Stop(Act {
                operation: StopWorkflow::new(name),
                waiter: self,
            }),
            Goal::Deleted => Step::Poll(Poll(self)),
        }
    }

    fn on_poll_error(self, error: Error, now: Now) -> Step {
        match error.kind() {
            _ if is_gone(&error) && self.goal == Goal::Deleted => {
                let observation = self.observation(None, Some(error), now);
                Step::Done(Ok(observation))
            }
            _ if is_gone(&error) => self.fail(WaitFailure::NotFound(error), now),
            ErrorKind::NotFound => self.fail(WaitFailure::Failed(error), now),
            _ if error.is_retryable() => {
                let observation = self.observation(None, Some(error), now);
                self.pause(observation, now)
            }
            _ => self.fail(WaitFailure::Failed(error), now),
        }
    }

    fn on_act_error(mut self, error: Error, now: Now) -> Step {
        // A refusal for the state may mean that somebody was faster; an unknown effect, that it
        // worked. Both are found out by looking. That nothing can run will not change by looking.
        let look = match error.kind() {
            ErrorKind::Conflict => error.code() != Some(ErrorCode::NOTHING_TO_RUN),
            _ => error.effect() == Effect::Possible || error.is_retryable(),
        };
        match error.kind() {
            _ if is_gone(&error) => self.fail(WaitFailure::NotFound(error), now),
            ErrorKind::NotFound => self.fail(WaitFailure::Failed(error), now),
            _ if look => {
                self.last_action = LastAction::Failed(None);
                let observation = self.observation(None, Some(error), now);
                self.pause(observation, now)
            }
            _ => self.fail(WaitFailure::Failed(error), now),
        }
    }

    fn pause(mut self, observation: Observation, now: Now) -> Step {
        let remaining = self.deadline.saturating_sub(now.mono);
        if remaining.is_zero() {
            return self.time_out(observation.error, now);
        }
        let delay = self
            .next_pause
            .min(self.options.max_interval)
            .min(remaining);
        self.next_pause = self.next_pause.saturating_mul(3) / 2;
        Step::Pause(Pause {
            waiter: self,
            delay,
            observation,
        })
    }

    /// Ends the wait with what stood in the way last: a look or an action that failed.
    fn time_out(mut self, error: Option<Error>, now: Now) -> Step {
        let action = std::mem::replace(&mut self.last_action, LastAction::None);
        let error = error.or(match action {
            LastAction::Failed(error) => error,
            LastAction::None | LastAction::Asked | LastAction::UnderWay => None,
        });
        self.fail(WaitFailure::TimedOut(error), now)
    }

    fn fail(self, failure: WaitFailure, now: Now) -> Step {
        Step::Done(Err(WaitError {
            elapsed: now.since(self.started),
            name: self.name,
            goal: self.goal,
            polls: self.polls,
            status: self.status,
            failure,
        }))
    }

    fn observation(
        &self,
        state: Option<WorkflowState>,
        error: Option<Error>,
        now: Now,
    ) -> Observation {
        Observation {
            state,
            error,
            polls: self.polls,
            elapsed: now.since(self.started),
        }
    }
}

impl Poll {
    /// What to send.
    pub fn operation(&self) -> GetWorkflowStatus {
        GetWorkflowStatus::new(self.0.name.clone()).by(self.0.options.poll_by)
    }

    /// Takes what came of it.
    pub fn on_result(mut self, result: Result<WorkflowState, Error>, now: Now) -> Step {
        self.0.polls += 1;
        match result {
            Ok(state) => self.0.on_status(state, now),
            Err(error) => self.0.on_poll_error(error, now),
        }
    }
}

impl<O: Clone> Act<O> {
    /// What to send.
    pub fn operation(&self) -> O {
        self.operation.clone()
    }

    /// Takes what came of it.
    pub fn on_result(self, result: Result<(), Error>, now: Now) -> Step {
        let mut waiter = self.waiter;
        match result {
            Ok(()) => {
                waiter.last_action = LastAction::Asked;
                let observation = waiter.observation(None, None, now);
                waiter.pause(observation, now)
            }
            Err(error) => waiter.on_act_error(error, now),
        }
    }
}

impl Pause {
    /// How long to wait. All pauses of a wait together never go beyond its deadline.
    pub fn delay(&self) -> Duration {
        self.delay
    }

    /// What was seen before the pause.
    pub fn observation(&self) -> &Observation {
        &self.observation
    }

    /// Looks again.
    pub fn resume(mut self) -> Step {
        if let LastAction::Failed(error @ None) = &mut self.waiter.last_action {
            *error = self.observation.error;
        }
        Step::Poll(Poll(self.waiter))
    }
}

/// Whether there is no such workflow. Another 404 may speak of something else that is not there, such
/// as the resource owner, or come from a proxy that does not know the service.
fn is_gone(error: &Error) -> bool {
    error.code() == Some(ErrorCode::WORKFLOW_NOT_FOUND)
}

impl fmt::Display for Observation {
    /// One line for a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.state, &self.error) {
            (Some(state), _) if state.status.as_str().is_empty() => f.write_str("no status"),
            (Some(state), _) => write!(f, "{}", state.status),
            (None, Some(error)) if is_gone(error) => f.write_str("gone"),
            (None, Some(error)) => write!(f, "{error}"),
            (None, None) => f.write_str("asked"),
        }
    }
}
