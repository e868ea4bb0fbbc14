//! Waiting for a state, and bringing a workflow there, under virtual time.
//!
//! A conversation between a waiter and a service is a line of words. `Starting` is the status that a look shows,
//! and `-` that it shows none; `start` and `stop` are asked for, and taken. What stands behind a `!` is what comes
//! of it instead: `!503` of a look, `start!lost` of a start.

#[path = "../support/mod.rs"]
mod support;

mod ensure;
mod resources;
mod until;

use std::{iter::repeat, time::Duration};

use pipeline_proto::{
    CallOptions, Error, FaultKind, Now, Operation, RetryPolicy,
    model::{Status, WorkflowState},
    wait::{Ask, Goal, Observation, Step, WaitError, WaitFailure, WaitOptions, Waiter},
};

use support::{Event, bad_token, context, error, fault, name, response, rows, run_with, start};

/// What comes of a request instead of a success.
fn event(word: &str) -> Event {
    match (word, word.split_once('/')) {
        // The request went out, and nothing came back.
        ("lost", _) => fault(FaultKind::Interrupted),
        ("not-sent", _) => fault(FaultKind::NotSent),
        ("bad-token", _) => bad_token(),
        ("html", _) => response(200).body("<html>"),
        (_, Some((status, code))) => error(status.parse().unwrap(), &format!("{code}: why")),
        (status, None) => response(status.parse().unwrap()),
    }
}

/// The error of an operation that is met by this event.
fn failure<O: Operation>(operation: O, word: &str) -> Error
where
    O::Output: std::fmt::Debug,
{
    let once = CallOptions::new().retry(RetryPolicy::none());
    run_with(&context(), operation, once, [event(word)]).error()
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

    fn lasted(&self) -> Duration {
        self.end.since(start())
    }

    /// The status that was waited for, or why the wait ended without it.
    fn outcome(&self) -> String {
        let error = match &self.result {
            Ok(observation) => return observation.to_string(),
            Err(error) => error,
        };
        match error.failure() {
            WaitFailure::Settled(status) => format!("settled {status}"),
            WaitFailure::NotFound(error) => format!("not found {}", error.code().unwrap()),
            WaitFailure::Failed(error) => match error.code() {
                Some(code) => format!("failed {} {code}", error.kind()),
                None => format!("failed {}", error.kind()),
            },
            WaitFailure::TimedOut(None) => "timed out".to_owned(),
            WaitFailure::TimedOut(Some(error)) => format!("timed out {}", error.kind()),
            other => panic!("{other:?}"),
        }
    }
}

/// Goes through a conversation; it must be the one that the waiter has. Every call takes `latency`.
fn talk<'a>(mut step: Step, latency: Duration, words: impl IntoIterator<Item = &'a str>) -> Wait {
    let mut words = words.into_iter();
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
                let asked = match due.operation() {
                    Ask::Look(_) => "",
                    Ask::Start(_) => "start",
                    Ask::Stop(_) => "stop",
                };
                let word = words.next().unwrap_or_else(|| panic!("then {asked:?}"));
                let (expected, result) = match word.split_once('!') {
                    Some((ask, came)) => (ask, Err(failure(due.operation(), came))),
                    None if ["start", "stop"].contains(&word) => (word, Ok(None)),
                    None => ("", Ok(Some(state(word)))),
                };
                assert_eq!(asked, expected, "{word}");
                due.on_result(result, now)
            }
        };
    }
    panic!("the wait does not end");
}

fn state(status: &str) -> WorkflowState {
    let mut state = WorkflowState::default();
    state.status = Status::from(status.trim_matches('-'));
    state
}

fn until_with(options: WaitOptions, goal: Goal, words: &str) -> Wait {
    whole(Waiter::until(name(), goal, options, start()), words)
}

fn ensure_with(options: WaitOptions, goal: Goal, words: &str) -> Wait {
    whole(Waiter::ensure(name(), goal, options, start()), words)
}

/// Goes through all of a conversation, without latency.
fn whole(step: Step, words: &str) -> Wait {
    let mut left = words.split_whitespace();
    let wait = talk(step, Duration::ZERO, left.by_ref());
    assert_eq!(left.count(), 0, "the wait ended early: {:?}", wait.result);
    wait
}

/// Rows of a goal, a conversation and what comes of it, with the options that are given.
fn each(options: &WaitOptions, wait: fn(WaitOptions, Goal, &str) -> Wait, table: &str) {
    for [goal, words, expected] in rows(table) {
        let wait = wait(options.clone(), goal.parse().unwrap(), words);
        assert_eq!(wait.outcome(), expected, "{goal}: {words}");
    }
}

fn until_each(table: &str) {
    each(&WaitOptions::default(), until_with, table);
}

fn ensure_each(table: &str) {
    each(&WaitOptions::default(), ensure_with, table);
}

/// Waits for a service that always gives the same response.
fn until_always(goal: Goal, options: WaitOptions, latency: Duration, word: &str) -> Wait {
    let step = Waiter::until(name(), goal, options, start());
    talk(step, latency, repeat(word))
}
