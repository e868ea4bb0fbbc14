use std::time::Duration;

use http::header;
use pipeline_proto::{ClockOffset, Idempotency, RetryReason};

use super::{Rule, Violation, demand, no_secret};
use crate::{
    clock::{Clock, millis_between, unix_seconds},
    history::{AttemptLog, CallLog, Outcome},
    network::{Answer, Date, RetryAfter},
    scenario::Pass,
    server::Handled,
    verifier::Verdict,
    world::Client,
};

/// A `Date` has no fractions of it.
const SECOND: Duration = Duration::from_secs(1);

/// What holds when an attempt is sent; it is the last one of the call.
pub(crate) fn sent(
    call: &CallLog,
    number: u32,
    printed: &str,
    offset: ClockOffset,
) -> Result<(), Violation> {
    let Some((attempt, earlier)) = call.attempts.split_last() else {
        return Ok(());
    };
    no_secret(printed, signature(attempt))?;
    demand!(
        usize::try_from(number) == Ok(call.attempts.len()),
        Rule::Truth,
        "attempt {} says that it is number {number}",
        call.attempts.len(),
    );
    demand!(
        call.counted() <= call.limits.attempts && call.clock_retries <= 1 && call.fallbacks <= 1,
        Rule::Policy,
        "attempt {number}, of them {} for the clock and {} as fallbacks; {} are allowed",
        call.clock_retries,
        call.fallbacks,
        call.limits.attempts,
    );
    demand!(
        attempt.timeout <= call.limits.attempt_timeout
            && attempt.sent + attempt.timeout <= call.deadline,
        Rule::Policy,
        "the attempt may take {:?}, which is more than {:?} or beyond the deadline at {:?}",
        attempt.timeout,
        call.limits.attempt_timeout,
        call.deadline,
    );
    if call.intent.idempotency() == Idempotency::Never {
        let risky = earlier.iter().any(|one| one.on_its_way || one.had_effect());
        demand!(
            !risky,
            Rule::Repetition,
            "{} is sent again although an earlier sending worked, or may still work",
            call.intent.request.operation.name,
        );
    }
    let date = attempt.request.headers().get(header::DATE);
    let date = date.and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
    let by = offset.magnitude();
    let meant = if offset.is_ahead() {
        attempt.sent_wall.checked_add(by)
    } else {
        attempt.sent_wall.checked_sub(by)
    };
    demand!(
        date.map(unix_seconds) == meant.map(unix_seconds),
        Rule::Clock,
        "the request is dated {date:?}, not for the moment of sending",
    );
    Ok(())
}

/// What holds when a request arrives, or a copy of it: its signature or token is what it should be,
/// and an offset that was learned makes its date acceptable.
pub(crate) fn arrived(
    call: &CallLog,
    attempt: &AttemptLog,
    verdict: Verdict,
    client: &Client,
    service: &Clock,
    now: Duration,
) -> Result<(), Violation> {
    let genuine = client.keys.is_some_and(|keys| keys.is_known());
    let expired = call.token_expires < Some(unix_seconds(service.wall(now)));
    let right = match (call.pass, verdict) {
        (Pass::Own, Verdict::Anonymous) => client.keys.is_none(),
        (Pass::ForgedToken | Pass::Token(_) | Pass::TokenForAnother, Verdict::Expired) => {
            genuine && expired
        }
        (Pass::Token(_), Verdict::Valid(_)) => genuine && call.token_fits,
        (Pass::Token(_), Verdict::Mismatched) => genuine && !call.token_fits,
        (Pass::Own, Verdict::Valid(_) | Verdict::Skewed)
        | (Pass::TokenForAnother, Verdict::Mismatched) => genuine,
        (Pass::ForgedToken, Verdict::Keys) => true,
        (_, Verdict::Keys) => client.keys.is_some() && !genuine,
        _ => false,
    };
    demand!(
        right,
        Rule::Authentication,
        "the request has {:?} of {:?}, and is {verdict:?}",
        call.pass,
        client.keys.map(|keys| keys.access),
    );
    let Some(learned) = client.learned else {
        return Ok(());
    };
    let jumps = (client.clock.jumps(), service.jumps());
    let since = now.saturating_sub(learned.at);
    let drift = client.clock.drift_within(since) + service.drift_within(since);
    let off = learned.error + drift + now.saturating_sub(attempt.sent) + SECOND;
    let surely_good = attempt.order >= learned.order
        && attempt.jumps == learned.jumps
        && jumps == learned.jumps
        && off < Duration::from_secs(900);
    demand!(
        !surely_good || verdict != Verdict::Skewed,
        Rule::Clock,
        "the offset was learned and no clock was set since, but the date is refused",
    );
    Ok(())
}

/// What holds when the call is to be tried again after a delay.
pub(crate) fn retried(
    call: &CallLog,
    delay: Duration,
    reason: RetryReason,
    printed: &str,
    client: &Client,
    now: Duration,
) -> Result<(), Violation> {
    let (Some(attempt), Some(outcome)) = (call.attempts.last(), call.outcome()) else {
        return Ok(());
    };
    no_secret(printed, signature(attempt))?;
    let right = match (outcome, reason) {
        (Outcome::Answer(answer), RetryReason::Clock(offset)) => {
            demand!(
                call.clock_retries == 0
                    && client.correct_clock
                    && offset.magnitude() <= client.max_correction
                    && delay.is_zero(),
                Rule::Policy,
                "the clock is made up for a second time, or after a wait, or though it must not be",
            );
            offset_is_true(attempt, answer, offset)?;
            demand!(
                !matches!(answer.date, Date::Missing | Date::Aged),
                Rule::Clock,
                "the clock is made up for by a response that does not tell the time",
            );
            answer.status == 401 && call.pass == Pass::Own && client.keys.is_some()
        }
        (Outcome::Answer(answer), RetryReason::Fallback(status)) => {
            demand!(
                call.fallbacks == 0 && delay.is_zero() && asks_for_status(attempt),
                Rule::Policy,
                "a fallback for the second time, or after a wait, or of a request that has none",
            );
            let by_token = !matches!(call.pass, Pass::Own);
            status.as_u16() == answer.status
                && answer.status == 404
                && (answer.code.is_none() || answer.cut)
                && !by_token
        }
        (Outcome::Answer(answer), RetryReason::Status(status)) => status.as_u16() == answer.status,
        (Outcome::Fault(kind), RetryReason::Fault(reason)) => *kind == reason,
        _ => false,
    };
    demand!(
        right,
        Rule::Truth,
        "{reason:?} is no reason to try again after {outcome:?}"
    );
    demand!(
        now < call.deadline && now + delay < call.deadline,
        Rule::Policy,
        "a wait of {delay:?} leads beyond the deadline at {:?}",
        call.deadline,
    );
    if matches!(reason, RetryReason::Clock(_) | RetryReason::Fallback(_)) {
        return Ok(());
    }
    let repeatable = call.intent.idempotency() != Idempotency::Never;
    demand!(
        outcome.may_pass() && (repeatable || outcome.was_not_acted_on()),
        Rule::Repetition,
        "{} must not be sent again after {outcome:?}",
        call.intent.request.operation.name,
    );
    demand!(
        call.counted() < call.limits.attempts,
        Rule::Policy,
        "one more attempt than the {} that are allowed",
        call.limits.attempts,
    );
    let (least, most) = asked_for(attempt, outcome, call.limits.max_retry_after);
    let longest = call.limits.longest_delay(call.counted(), most);
    demand!(
        delay >= least && delay <= longest && call.waited + delay <= call.limits.budget,
        Rule::Policy,
        "a wait of {delay:?} after {:?}: at least {least:?}, at most {longest:?}, {:?} in all",
        call.waited,
        call.limits.budget,
    );
    Ok(())
}

/// The shortest wait that obeys the response, and the longest that can be explained by it.
pub(super) fn asked_for(
    attempt: &AttemptLog,
    outcome: &Outcome,
    cap: Duration,
) -> (Duration, Duration) {
    let Outcome::Answer(answer) = outcome else {
        return (Duration::ZERO, Duration::ZERO);
    };
    match answer.retry_after {
        None | Some(RetryAfter::Nonsense) => (Duration::ZERO, Duration::ZERO),
        Some(RetryAfter::Seconds(seconds)) => {
            let asked = Duration::from_secs(seconds).min(cap);
            (asked, asked)
        }
        // A date says how long only to somebody who knows the service's time.
        Some(RetryAfter::Date(_)) if answer.date != Date::True => (Duration::ZERO, cap),
        Some(RetryAfter::Date(seconds)) => {
            let gone = attempt.round_trip();
            let asked = Duration::from_secs(seconds);
            (
                asked.saturating_sub(gone).min(cap),
                (asked + SECOND).min(cap),
            )
        }
    }
}

/// A measured offset is off by half of the round trip at the most, by the second that a `Date` is
/// rounded to, and by what a clock drifts in the meantime.
pub(super) fn offset_is_true(
    attempt: &AttemptLog,
    answer: &Answer,
    offset: ClockOffset,
) -> Result<(), Violation> {
    let Some(handled) = attempt
        .handled
        .as_ref()
        .filter(|_| answer.date == Date::True)
    else {
        return Ok(());
    };
    let real = real_offset(attempt, handled);
    let magnitude = i64::try_from(offset.magnitude().as_millis()).unwrap_or(i64::MAX);
    let measured = if offset.is_ahead() {
        magnitude
    } else {
        -magnitude
    };
    demand!(
        u128::from(real.abs_diff(measured)) <= offset_tolerance(attempt).as_millis(),
        Rule::Clock,
        "{offset}, but the difference is {real} ms",
    );
    Ok(())
}

/// How many milliseconds the service's clock was ahead of the client's when it handled the attempt.
fn real_offset(attempt: &AttemptLog, handled: &Handled) -> i64 {
    let client_time = attempt.sent_wall + handled.at.saturating_sub(attempt.sent);
    millis_between(client_time, handled.service_time)
}

/// By how much a measured offset may be off.
fn offset_tolerance(attempt: &AttemptLog) -> Duration {
    let trip = attempt.round_trip();
    trip / 2 + trip / 100 + SECOND
}

/// What holds when a client is told what became of its attempt, and does not try again for the
/// clock's sake.
pub(crate) fn resting(call: &CallLog, client: &Client, now: Duration) -> Result<(), Violation> {
    let (Some(attempt), Some(Outcome::Answer(answer))) = (call.attempts.last(), call.outcome())
    else {
        return Ok(());
    };
    let skewed = attempt.handled.as_ref().is_some_and(|handled| {
        let real = Duration::from_millis(real_offset(attempt, handled).unsigned_abs());
        handled.verdict == Verdict::Skewed
            && real + offset_tolerance(attempt) <= client.max_correction
    });
    let mended = skewed
        && answer.status == 401
        && answer.date == Date::True
        && client.correct_clock
        && call.clock_retries == 0
        && now < call.deadline;
    demand!(
        !mended,
        Rule::Clock,
        "the keys are right, but the wrong clock makes the call fail"
    );
    let unknown = asks_for_status(attempt) && answer.status == 404 && answer.code.is_none();
    demand!(
        !unknown || call.pass != Pass::Own || now >= call.deadline,
        Rule::Policy,
        "the status could have been asked for in another way"
    );
    Ok(())
}

/// Whether it is *get status*, which an installation may lack, and not the *get* that stands in for it.
pub(super) fn asks_for_status(attempt: &AttemptLog) -> bool {
    attempt.request.uri().path().ends_with("/status")
}

/// What must not be shown of a request: all of `Authorization` after the access key.
pub(super) fn signature(attempt: &AttemptLog) -> &str {
    let value = attempt.request.headers().get(header::AUTHORIZATION);
    let value = value.and_then(|value| value.to_str().ok());
    value
        .and_then(|value| value.split(':').nth(1))
        .unwrap_or_default()
}
