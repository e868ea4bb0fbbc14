use std::time::Duration;

use pipeline_proto::{
    Error, Idempotency,
    wait::{Goal, Observation, WaitError, WaitFailure},
};

use super::{Rule, Violation, demand, no_secret};
use crate::{
    history::{Asked, CallLog, Outcome, WaitLog},
    machine::Output,
};

/// After a start or stop of its own, a wait must not take the old status for the last word before it
/// saw it so often.
const PATIENT_LOOKS: u32 = 3;

/// What holds when a wait makes a call: its time is not up.
pub(crate) fn begins(wait: &WaitLog, now: Duration) -> Result<(), Violation> {
    demand!(
        now <= wait.deadline + wait.late,
        Rule::Wait,
        "the wait goes on although its deadline was at {:?}",
        wait.deadline,
    );
    Ok(())
}

/// What holds when a wait starts or stops the workflow.
pub(crate) fn acts(wait: &WaitLog, operation: &str, now: Duration) -> Result<(), Violation> {
    demand!(
        now < wait.deadline + wait.late,
        Rule::Wait,
        "the wait asks for {operation} although its deadline was at {:?}",
        wait.deadline,
    );
    let wanted = match wait.goal {
        Goal::Started => Some("start_workflow"),
        Goal::Stopped => Some("stop_workflow"),
        _ => None,
    };
    let seen = wait.seen.as_deref().unwrap_or_default();
    demand!(
        wait.ensure && wanted == Some(operation) && is_settled(seen) && !is_goal(wait.goal, seen),
        Rule::Wait,
        "the wait for {} asks for {operation} when the status is {seen:?}",
        wait.goal,
    );
    Ok(())
}

/// Takes note of what a look showed.
pub(crate) fn looked(wait: &mut WaitLog, call: &CallLog, result: &Result<Output, Error>) {
    wait.looks += 1;
    let unknown = match call.outcome() {
        Some(Outcome::Answer(answer)) => answer.status_unknown,
        _ => false,
    };
    let last = call.attempts.last();
    let handled = last.and_then(|attempt| attempt.handled.as_ref());
    let status = handled.and_then(|handled| handled.expected.body["status"].as_str());
    wait.seen = match (result, status) {
        (Ok(_), Some(_)) if unknown => Some("Unknown".into()),
        (Ok(_), Some(status)) => Some(status.into()),
        _ => None,
    };
    let under_way = match wait.goal {
        Goal::Started => "Starting",
        Goal::Stopped => "Stopping",
        _ => "",
    };
    match wait.seen.as_deref() {
        Some(seen) if is_settled(seen) => wait.settled += 1,
        Some(seen) => {
            wait.settled = 0;
            if seen == under_way && wait.asked != Asked::Nothing {
                wait.asked = Asked::SeenUnderWay;
            }
        }
        None => {}
    }
}

/// What holds when a wait pauses.
pub(crate) fn paused(
    wait: &WaitLog,
    delay: Duration,
    observation: &Observation,
    now: Duration,
) -> Result<(), Violation> {
    no_secret(&format!("{observation} {observation:?}"), "")?;
    demand!(
        now + delay <= wait.deadline + wait.late
            && wait.paused + delay <= wait.patience.timeout
            && delay <= wait.patience.max_interval,
        Rule::Wait,
        "a pause of {delay:?} after {:?} of pauses; the deadline is at {:?}",
        wait.paused,
        wait.deadline,
    );
    let seen = wait.seen.as_deref().unwrap_or_default();
    demand!(
        !is_goal(wait.goal, seen),
        Rule::Wait,
        "{} was seen, and the wait for {} goes on",
        seen,
        wait.goal,
    );
    Ok(())
}

/// What holds when a wait ends.
pub(crate) fn wait_ended(
    wait: &WaitLog,
    call: &CallLog,
    result: &Result<Observation, WaitError>,
    now: Duration,
) -> Result<(), Violation> {
    let lasted = now.saturating_sub(wait.started);
    let seen = wait.seen.as_deref().unwrap_or_default();
    let last = match call.outcome() {
        Some(Outcome::Answer(answer)) => (answer.status, answer.code),
        _ => (0, None),
    };
    let error = match result {
        Ok(observation) => {
            no_secret(&format!("{observation} {observation:?}"), "")?;
            demand!(
                observation.polls == wait.looks && observation.elapsed == lasted,
                Rule::Wait,
                "{observation:?} after {} looks in {:?}",
                wait.looks,
                lasted,
            );
            let reached = match wait.goal {
                Goal::Deleted => {
                    last == (404, Some(18641)) && call.intent.idempotency() == Idempotency::Safe
                }
                goal => is_goal(goal, seen),
            };
            demand!(
                reached,
                Rule::Wait,
                "the wait for {} succeeds, but the last look met {seen:?}, {:?}",
                wait.goal,
                call.outcome(),
            );
            return Ok(());
        }
        Err(error) => error,
    };
    no_secret(&format!("{error} {error:?}"), "")?;
    demand!(
        error.polls() == wait.looks && error.elapsed() == lasted,
        Rule::Wait,
        "{error:?} after {} looks in {:?}",
        wait.looks,
        lasted,
    );
    let right = match error.failure() {
        WaitFailure::TimedOut(_) => now >= wait.deadline,
        WaitFailure::Settled(status) => {
            let own = wait.patience.settled_reads.max(1);
            let needed = match wait.asked {
                Asked::Accepted => own.max(PATIENT_LOOKS),
                _ => own,
            };
            status.as_str() == seen
                && is_settled(seen)
                && !is_goal(wait.goal, seen)
                && wait.settled >= needed
                && (!wait.ensure || wait.asked != Asked::Nothing)
        }
        WaitFailure::NotFound(_) => last.0 == 404,
        WaitFailure::Failed(error) => {
            // What may pass is no reason to give up looking.
            !error.is_retryable() || wait.asked == Asked::Failed
        }
        _ => false,
    };
    demand!(
        right,
        Rule::Wait,
        "the wait for {} ends with {error:?}; seen {seen:?}, {:?}",
        wait.goal,
        wait.asked,
    );
    Ok(())
}

fn is_settled(status: &str) -> bool {
    matches!(status, "Ready" | "Started" | "Stopped")
}

fn is_goal(goal: Goal, status: &str) -> bool {
    match goal {
        Goal::Started => status == "Started",
        Goal::Stopped => matches!(status, "Ready" | "Stopped"),
        _ => false,
    }
}
