use std::{fmt, time::Duration};

use super::{
    failure::{WaitError, WaitFailure},
    options::{Goal, WaitOptions},
    watch::{Ask, Progress, Watch},
};
use crate::{
    error::{Effect, Error, ErrorKind},
    model::Status,
    name::WorkflowName,
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
/// let Step::Send(due) = Waiter::until(name, Goal::Started, WaitOptions::default(), now) else {
///     panic!("a wait begins with a look");
/// };
/// assert_eq!(due.operation().template()?.target(), "/v2/workflows/logs/status");
/// // It shows that the workflow is starting, so there is a pause before the next look.
/// let state = serde_json::from_str(r#"{"name":"logs","status":"Starting"}"#)?;
/// let Step::Pause(pause) = due.on_result(Ok(Some(state)), now) else {
///     panic!("it is not started yet");
/// };
/// assert_eq!(pause.delay(), Duration::from_secs(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Waiter<W: Watch = WorkflowName> {
    watched: W,
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
    /// It was seen on its way.
    UnderWay,
    /// It was refused, or what became of it is not known. The error is shown with the pause that
    /// follows, and comes back from there.
    Failed(Option<Error>),
}

/// What to do next. Exhaustive: whoever drives a wait has to do what it says.
#[derive(Debug)]
#[must_use = "a wait goes on only if its steps are done"]
pub enum Step<W: Watch = WorkflowName> {
    /// Send a request: look, start or stop.
    Send(Due<W>),
    /// Wait a while.
    Pause(Pause<W>),
    /// The wait has ended.
    Done(Result<Observation<W>, WaitError>),
}

/// A request that is due.
#[derive(Debug)]
#[must_use = "send it, and say what came of it"]
pub struct Due<W: Watch = WorkflowName> {
    waiter: Waiter<W>,
    act: bool,
}

/// A pause that is due.
#[derive(Debug)]
#[must_use = "wait for the delay, then resume"]
pub struct Pause<W: Watch = WorkflowName> {
    waiter: Waiter<W>,
    delay: Duration,
    observation: Observation<W>,
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
pub struct Observation<W: Watch = WorkflowName> {
    /// What the look showed; `None` if it failed, or what is watched is gone.
    pub state: Option<W::State>,
    /// Why the look, the start or the stop failed, if it did.
    pub error: Option<Error>,
    /// How many looks there were.
    pub polls: u32,
    /// How long the wait has lasted.
    pub elapsed: Duration,
}

impl<W: Watch> Waiter<W> {
    /// Waits for a state that comes by itself.
    #[allow(clippy::new_ret_no_self)]
    pub fn until(watched: W, goal: Goal, options: WaitOptions, now: Now) -> Step<W> {
        Self::new(watched, goal, options, now, false).look()
    }

    /// Starts or stops what is watched as needed, from whatever state it is in, and waits. Right again
    /// if it is there already. Nothing is ever deleted: for [`Goal::Deleted`] this is
    /// [`until`](Self::until).
    pub fn ensure(watched: W, goal: Goal, options: WaitOptions, now: Now) -> Step<W> {
        Self::new(watched, goal, options, now, true).look()
    }

    fn new(watched: W, goal: Goal, options: WaitOptions, now: Now, may_act: bool) -> Self {
        Self {
            watched,
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

    fn look(self) -> Step<W> {
        Step::Send(Due {
            waiter: self,
            act: false,
        })
    }

    fn on_state(mut self, state: W::State, now: Now) -> Step<W> {
        let (status, progress) = (W::status(&state), W::progress(&state, self.goal));
        self.status = Some(status.clone());
        let observation = self.observation(Some(state), None, now);
        match progress {
            Progress::Reached => return Step::Done(Ok(observation)),
            Progress::UnderWay | Progress::Open => {
                if progress == Progress::UnderWay && self.actions > 0 {
                    self.last_action = LastAction::UnderWay;
                }
                self.settled_reads = 0;
                return self.pause(observation, now);
            }
            Progress::Settled => {}
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

    fn act(mut self, now: Now) -> Step<W> {
        // Nothing is set going whose end nobody waits for.
        if now.mono >= self.deadline {
            return self.time_out(None, now);
        }
        self.actions += 1;
        self.settled_reads = 0;
        self.next_pause = self.options.interval;
        Step::Send(Due {
            waiter: self,
            act: true,
        })
    }

    fn on_look_error(self, error: Error, now: Now) -> Step<W> {
        match error.kind() {
            _ if W::is_gone(&error) && self.goal == Goal::Deleted => {
                let observation = self.observation(None, Some(error), now);
                Step::Done(Ok(observation))
            }
            _ if W::is_gone(&error) => self.fail(WaitFailure::NotFound(error), now),
            ErrorKind::NotFound => self.fail(WaitFailure::Failed(error), now),
            _ if error.is_retryable() => {
                let observation = self.observation(None, Some(error), now);
                self.pause(observation, now)
            }
            _ => self.fail(WaitFailure::Failed(error), now),
        }
    }

    fn on_act_error(mut self, error: Error, now: Now) -> Step<W> {
        // A refusal for the state may mean that somebody was faster; an unknown effect, that it
        // worked. Both are found out by looking.
        let look = match error.kind() {
            ErrorKind::Conflict => !W::stays_refused(&error),
            _ => error.effect() == Effect::Possible || error.is_retryable(),
        };
        match error.kind() {
            _ if W::is_gone(&error) => self.fail(WaitFailure::NotFound(error), now),
            ErrorKind::NotFound => self.fail(WaitFailure::Failed(error), now),
            _ if look => {
                self.last_action = LastAction::Failed(None);
                let observation = self.observation(None, Some(error), now);
                self.pause(observation, now)
            }
            _ => self.fail(WaitFailure::Failed(error), now),
        }
    }

    fn pause(mut self, observation: Observation<W>, now: Now) -> Step<W> {
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
    fn time_out(mut self, error: Option<Error>, now: Now) -> Step<W> {
        let action = std::mem::replace(&mut self.last_action, LastAction::None);
        let error = error.or(match action {
            LastAction::Failed(error) => error,
            LastAction::None | LastAction::Asked | LastAction::UnderWay => None,
        });
        self.fail(WaitFailure::TimedOut(error), now)
    }

    fn fail(self, failure: WaitFailure, now: Now) -> Step<W> {
        Step::Done(Err(WaitError {
            elapsed: now.since(self.started),
            watched: self.watched.to_string(),
            goal: self.goal,
            polls: self.polls,
            status: self.status,
            failure,
        }))
    }

    fn observation(
        &self,
        state: Option<W::State>,
        error: Option<Error>,
        now: Now,
    ) -> Observation<W> {
        Observation {
            state,
            error,
            polls: self.polls,
            elapsed: now.since(self.started),
        }
    }
}

impl<W: Watch> Due<W> {
    /// What to send.
    pub fn operation(&self) -> Ask<W> {
        let Waiter {
            watched,
            goal,
            options,
            ..
        } = &self.waiter;
        match goal {
            Goal::Started if self.act => Ask::Start(watched.start()),
            Goal::Stopped if self.act => Ask::Stop(watched.stop()),
            // Nothing is ever deleted.
            _ => Ask::Look(watched.look(options)),
        }
    }

    /// Takes what came of it.
    pub fn on_result(self, result: Result<Option<W::State>, Error>, now: Now) -> Step<W> {
        let Self { mut waiter, act } = self;
        waiter.polls += u32::from(!act);
        match result {
            Ok(Some(state)) => waiter.on_state(state, now),
            Ok(None) => {
                waiter.last_action = LastAction::Asked;
                let observation = waiter.observation(None, None, now);
                waiter.pause(observation, now)
            }
            Err(error) if act => waiter.on_act_error(error, now),
            Err(error) => waiter.on_look_error(error, now),
        }
    }
}

impl<W: Watch> Pause<W> {
    /// How long to wait. All pauses of a wait together never go beyond its deadline.
    pub fn delay(&self) -> Duration {
        self.delay
    }

    /// What was seen before the pause.
    pub fn observation(&self) -> &Observation<W> {
        &self.observation
    }

    /// Looks again.
    pub fn resume(mut self) -> Step<W> {
        if let LastAction::Failed(error @ None) = &mut self.waiter.last_action {
            *error = self.observation.error;
        }
        self.waiter.look()
    }
}

impl<W: Watch> fmt::Display for Observation<W> {
    /// One line for a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.state, &self.error) {
            (Some(state), _) => match W::status(state).as_str() {
                "" => f.write_str("no status"),
                status => f.write_str(status),
            },
            (None, Some(error)) if W::is_gone(error) => f.write_str("gone"),
            (None, Some(error)) => write!(f, "{error}"),
            (None, None) => f.write_str("asked"),
        }
    }
}
