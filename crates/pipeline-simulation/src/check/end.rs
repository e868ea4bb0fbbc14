use std::time::Duration;

use http::Method;
use pipeline_proto::{Cause, Effect, Error, Idempotency, StopReason};

use super::{
    Rule, Violation,
    call::{asked_for, asks_for_status, signature},
    demand, no_secret,
    refusal::refusal_is_true,
};
use serde_json::{Value, json};

use crate::model::{self, Graph};
use crate::{
    history::{AttemptLog, CallLog, Outcome},
    machine::Output,
    network::Origin,
};

/// What holds when a call ends.
pub(crate) fn ended(
    call: &CallLog,
    result: &Result<Output, Error>,
    now: Duration,
    late: Duration,
) -> Result<(), Violation> {
    demand!(
        now <= call.deadline + late,
        Rule::Policy,
        "the call ends at {now:?}, its deadline was at {:?}",
        call.deadline,
    );
    if let Some(attempt) = call.attempts.last()
        && let Some(handled) = &attempt.handled
        && let Some(Outcome::Answer(_)) = &attempt.outcome
    {
        demand!(
            attempt.sent <= handled.at && handled.at <= attempt.received,
            Rule::Model,
            "the response was made before the request was sent, or after it was received",
        );
    }
    match result {
        Ok(output) => success(call, output),
        Err(error) => failure(call, error, now),
    }
}

fn success(call: &CallLog, output: &Output) -> Result<(), Violation> {
    let operation = call.intent.request.operation;
    let (Some((attempt, earlier)), Some(Outcome::Answer(answer))) =
        (call.attempts.split_last(), call.outcome())
    else {
        return Err(Violation {
            rule: Rule::Success,
            what: "a success without a response".into(),
        });
    };
    let gone_before = operation.method == Method::DELETE
        && (answer.status, answer.code) == (404, Some(model::missing(operation)))
        && earlier
            .iter()
            .any(|one| one.outcome.as_ref().is_some_and(|o| !o.rules_out_effect()));
    demand!(
        answer.origin == Origin::Service && (answer.status == 200 || gone_before),
        Rule::Success,
        "a success is made of {answer:?}",
    );
    let effects = call.effects();
    let enough = match call.intent.idempotency() {
        Idempotency::Safe => effects == 0,
        Idempotency::Never => effects == 1,
        Idempotency::Idempotent => effects >= 1 || gone_before,
        _ => effects >= 1,
    };
    demand!(
        enough,
        Rule::Success,
        "{} succeeded, it took effect {effects} times",
        operation.name
    );
    let Some(handled) = &attempt.handled else {
        return Ok(());
    };
    let mut expected = handled.expected.body.clone();
    if answer.status_unknown {
        forget_status(&mut expected);
    }
    if output.state.is_some() && !asks_for_status(attempt) {
        // A look by *get* has no nodes to show.
        expected = json!({"name": expected["name"], "region": expected["region"], "status": expected["status"], "nodes": []});
    }
    let bare = matches!(output.shown, Value::Array(_) | Value::Bool(_));
    if let Some(only) = expected
        .as_object()
        .and_then(|it| it.values().next())
        .filter(|_| bare)
    {
        expected = only.clone();
    }
    let writes = call.intent.idempotency() != Idempotency::Safe;
    demand!(
        gone_before || writes && output.shown.is_null() || model::shows(&output.shown, &expected),
        Rule::Model,
        "the client was given {}, the service had {expected}",
        output.shown,
    );
    Ok(())
}

/// What a read shows when the service could not find out.
fn forget_status(shown: &mut Value) {
    match shown {
        Value::Array(list) => list.iter_mut().for_each(forget_status),
        Value::Object(members) => {
            for (name, value) in members {
                match name.as_str() {
                    "status" => *value = "Unknown".into(),
                    _ => forget_status(value),
                }
            }
        }
        _ => {}
    }
}

fn failure(call: &CallLog, error: &Error, now: Duration) -> Result<(), Violation> {
    let printed = format!("{error} {error:?}");
    no_secret(&printed, call.attempts.last().map_or("", signature))?;
    demand!(
        usize::try_from(error.attempts()) == Ok(call.attempts.len()),
        Rule::Truth,
        "the error counts {} attempts, there were {}",
        error.attempts(),
        call.attempts.len(),
    );
    let unknown = |one: &AttemptLog| one.outcome.as_ref().is_some_and(|o| !o.rules_out_effect());
    let possible =
        call.intent.idempotency() != Idempotency::Safe && call.attempts.iter().any(unknown);
    demand!(
        possible == (error.effect() == Effect::Possible),
        Rule::Effect,
        "the error says that an effect is {:?}; by the answers it is {possible}",
        error.effect(),
    );
    let Some(outcome) = call.outcome() else {
        let illegal = call.intent.request.graph == Some(Graph::IllegalName);
        demand!(
            matches!(error.cause(), Cause::Build(_)) && illegal,
            Rule::Truth,
            "nothing was sent, because of {error}",
        );
        return Ok(());
    };
    cause_is_true(call, error.cause(), outcome, now)?;
    answer_is_true(error, outcome)?;
    stop_is_true(call, error, outcome, now)?;
    match (
        call.attempts.last(),
        outcome,
        error.api().and_then(|api| api.refusal()),
    ) {
        (Some(attempt), Outcome::Answer(answer), Some(cause)) => {
            refusal_is_true(call, attempt, answer, cause)
        }
        _ => Ok(()),
    }
}

fn cause_is_true(
    call: &CallLog,
    cause: &Cause,
    outcome: &Outcome,
    now: Duration,
) -> Result<(), Violation> {
    let right = match (cause, outcome) {
        (Cause::Deadline { last, .. }, _) => {
            demand!(
                now >= call.deadline,
                Rule::Truth,
                "the deadline is not over before {:?}",
                call.deadline,
            );
            return last
                .as_deref()
                .map_or(Ok(()), |last| cause_is_true(call, last, outcome, now));
        }
        (Cause::Fault(fault), Outcome::Fault(kind)) => fault.kind() == *kind,
        (Cause::Api(_), Outcome::Answer(answer)) => answer.status != 200 || answer.code.is_some(),
        // A response that arrived whole can be read.
        (Cause::Decode(_), Outcome::Answer(answer)) => answer.status == 200 && answer.cut,
        _ => false,
    };
    demand!(
        right,
        Rule::Truth,
        "the cause is said to be {cause:?}, it was {outcome:?}"
    );
    Ok(())
}

fn answer_is_true(error: &Error, outcome: &Outcome) -> Result<(), Violation> {
    let said = (
        error.status().map(|status| status.as_u16()),
        error.request_id(),
    );
    let (status, request_id) = match outcome {
        Outcome::Answer(answer) => (Some(answer.status), answer.request_id.as_deref()),
        Outcome::Fault(_) => (None, None),
    };
    demand!(
        said == (status, request_id),
        Rule::Truth,
        "the error says {said:?}, the response was {status:?} {request_id:?}",
    );
    if let (Outcome::Answer(answer), Cause::Api(_)) = (outcome, error.cause()) {
        let code = error.code().map(pipeline_proto::ErrorCode::number);
        // Of a body that was cut short, the code may be missing; it must not be another one.
        demand!(
            code == answer.code || (answer.cut && code.is_none()),
            Rule::Truth,
            "the error says {code:?}, the response had {:?}",
            answer.code,
        );
    }
    Ok(())
}

fn stop_is_true(
    call: &CallLog,
    error: &Error,
    outcome: &Outcome,
    now: Duration,
) -> Result<(), Violation> {
    let repeatable = call.intent.idempotency() != Idempotency::Never;
    let may_pass = outcome.may_pass();
    let permitted = may_pass && (repeatable || outcome.was_not_acted_on());
    let most = call.attempts.last().map_or(Duration::ZERO, |attempt| {
        asked_for(attempt, outcome, call.limits.max_retry_after).1
    });
    let longest = call.limits.longest_delay(call.counted(), most);
    let right = match error.stop_reason() {
        StopReason::NotRetryable => !may_pass,
        StopReason::NotRepeatable => may_pass && !permitted,
        StopReason::AttemptsExhausted => permitted && call.counted() == call.limits.attempts,
        StopReason::BudgetExhausted => permitted && call.waited + longest > call.limits.budget,
        StopReason::DeadlineNear => {
            let over = now >= call.deadline;
            over || permitted && now + longest >= call.deadline
        }
        _ => false,
    };
    demand!(
        right,
        Rule::Truth,
        "{:?} is not why it was not tried again after {outcome:?}",
        error.stop_reason(),
    );
    Ok(())
}

/// What holds when a run is over and nothing is under way any more: what was acknowledged has been done, what was
/// said to have had no effect had none, and nothing was done twice that may be done only once.
pub(crate) fn settled(call: &CallLog) -> Result<(), Violation> {
    let asked = &call.intent.request;
    let (name, names) = (asked.operation.name, asked.names.join("/"));
    let effects = call.effects();
    demand!(
        call.claimed != Some(Effect::None) || effects == 0,
        Rule::Effect,
        "{name} {names} failed, said to have had no effect, and had one",
    );
    let said = asked.operation.idempotency;
    demand!(
        effects <= 1 || matches!(said, Idempotency::Idempotent | Idempotency::AtLeastOnce),
        Rule::Repetition,
        "{name} {names} is {said:?} and took effect {effects} times",
    );
    Ok(())
}
