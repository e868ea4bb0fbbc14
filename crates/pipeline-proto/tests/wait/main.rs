//! Waiting for a state, and bringing a workflow there, under virtual time.

#[path = "../support/mod.rs"]
mod support;

mod ensure;
mod resources;
mod until;

use std::{iter::repeat, time::Duration};

use pipeline_proto::{
    CallOptions, Error, FaultKind, Now, Operation, RetryPolicy,
    model::{Status, WorkflowState},
    wait::{Ask, Goal, Observation, Step, WaitError, WaitOptions, Waiter},
};

use support::{Event, context, error, fault, name, run_with, start};

/// One line of the conversation between a waiter and a service.
#[derive(Debug, Clone)]
enum Line {
    /// A look shows this status.
    Saw(&'static str),
    /// A look fails.
    LookFails(Event),
    /// A start is asked for; without an event it is taken.
    Start(Option<Event>),
    /// A stop is asked for.
    Stop(Option<Event>),
}

use Line::{LookFails, Saw};

fn starts() -> Line {
    Line::Start(None)
}

fn start_fails(event: Event) -> Line {
    Line::Start(Some(event))
}

fn stops() -> Line {
    Line::Stop(None)
}

fn stop_fails(event: Event) -> Line {
    Line::Stop(Some(event))
}

fn not_found() -> Event {
    error(404, "E18641: logs")
}

/// The request went out, and nothing came back.
fn lost() -> Event {
    fault(FaultKind::Interrupted)
}

/// The error of an operation that is met by this event.
fn failure<O: Operation>(operation: O, event: Event) -> Error
where
    O::Output: std::fmt::Debug,
{
    let once = CallOptions::new().retry(RetryPolicy::none());
    run_with(&context(), operation, once, [event]).error()
}

/// What a wait did.
struct Wait {
    pauses: Vec<Duration>,
    /// What was shown before each pause.
    shown: Vec<String>,
    end: Now,
    result: Result<Observation, WaitError>,
}

impl Wait {
    fn failure(self) -> WaitError {
        self.result.unwrap_err()
    }

    fn status(&self) -> Status {
        let observation = self.result.as_ref().expect("the wait has reached its goal");
        observation.state.as_ref().unwrap().status.clone()
    }

    fn lasted(&self) -> Duration {
        self.end.since(start())
    }
}

/// Goes through a conversation; it must be the one that the waiter has, and all of it. Every call
/// takes `latency`.
fn talk(mut step: Step, latency: Duration, lines: impl IntoIterator<Item = Line>) -> Wait {
    let mut lines = lines.into_iter();
    let mut now = start();
    let (mut pauses, mut shown) = (Vec::new(), Vec::new());
    for _ in 0..10_000 {
        step = match step {
            Step::Done(result) => {
                return Wait {
                    pauses,
                    shown,
                    end: now,
                    result,
                };
            }
            Step::Pause(pause) => {
                pauses.push(pause.delay());
                shown.push(pause.observation().to_string());
                now = now + pause.delay();
                pause.resume()
            }
            Step::Send(due) => {
                now = now + latency;
                let fails = |event| Err(failure(due.operation(), event));
                let result = match (due.operation(), lines.next()) {
                    (Ask::Look(_), Some(Saw(status))) => Ok(Some(state(status))),
                    (Ask::Look(_), Some(LookFails(event))) => fails(event),
                    (Ask::Start(_), Some(Line::Start(outcome)))
                    | (Ask::Stop(_), Some(Line::Stop(outcome))) => outcome.map_or(Ok(None), fails),
                    (ask, line) => panic!("the waiter sends {ask:?}, and not {line:?}"),
                };
                due.on_result(result, now)
            }
        };
    }
    panic!("the wait does not end");
}

fn state(status: &str) -> WorkflowState {
    let mut state = WorkflowState::default();
    state.status = Status::from(status);
    state
}

/// Waits with the default options, and without latency.
fn until(goal: Goal, lines: &[Line]) -> Wait {
    until_with(WaitOptions::default(), goal, lines)
}

fn until_with(options: WaitOptions, goal: Goal, lines: &[Line]) -> Wait {
    whole(Waiter::until(name(), goal, options, start()), lines)
}

fn ensure(goal: Goal, lines: &[Line]) -> Wait {
    ensure_with(WaitOptions::default(), goal, lines)
}

fn ensure_with(options: WaitOptions, goal: Goal, lines: &[Line]) -> Wait {
    whole(Waiter::ensure(name(), goal, options, start()), lines)
}

fn whole(step: Step, lines: &[Line]) -> Wait {
    let mut left = lines.iter().cloned();
    let wait = talk(step, Duration::ZERO, left.by_ref());
    assert_eq!(left.count(), 0, "the wait ended early: {:?}", wait.result);
    wait
}

/// Waits for a service that always gives the same response.
fn until_always(options: WaitOptions, latency: Duration, line: &Line) -> Wait {
    let step = Waiter::until(name(), Goal::Started, options, start());
    talk(step, latency, repeat(line.clone()))
}
