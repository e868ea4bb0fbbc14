//! How often and how long a call goes on.

use std::time::Duration;

use pipeline_proto::{
    Call, CallOptions, Cause, Context, Effect, Error, ErrorKind, FaultKind, Next, RetryPolicy,
    StopReason,
    resource::workflow::{CreateWorkflow, GetWorkflow},
};

use super::support::{
    a_workflow, builder, context, drive, error, fault, millis, name, response, run_with, script,
    secs, start,
};

fn get() -> GetWorkflow {
    GetWorkflow::new(name())
}

fn retry(policy: RetryPolicy) -> CallOptions {
    CallOptions::new().retry(policy)
}

fn started(context: &Context, options: CallOptions) -> pipeline_proto::Attempt<GetWorkflow> {
    Call::new(context, get(), options).unwrap().start(start())
}

/// What becomes of a call that is met by 503 after 503 with a wait of 10 s each.
fn patience(policy: RetryPolicy, total: Duration) -> Error {
    let later = response(503).header("retry-after", "10");
    let options = retry(policy).total_timeout(total);
    run_with(&context(), get(), options, vec![later; 20]).error()
}

#[test]
fn attempts_are_limited() {
    for limit in [1, 2, 5] {
        let policy = RetryPolicy::default().max_attempts(limit);
        let error = patience(policy, secs(600));
        assert_eq!(error.attempts(), limit);
        assert_eq!(error.stop_reason(), StopReason::AttemptsExhausted);
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    }
}

#[test]
fn the_sum_of_the_waits_is_limited() {
    let policy = RetryPolicy::default().max_attempts(20).budget(secs(35));
    let error = patience(policy, secs(600));
    assert_eq!(
        error.attempts(),
        4,
        "three waits of 10 s, and a fourth would be too much"
    );
    assert_eq!(error.stop_reason(), StopReason::BudgetExhausted);
    assert!(
        error.to_string().contains("no time to wait left"),
        "{error}"
    );

    let exactly = RetryPolicy::default().max_attempts(20).budget(secs(30));
    assert_eq!(patience(exactly, secs(600)).attempts(), 4);
}

#[test]
fn no_wait_goes_beyond_the_deadline() {
    let policy = RetryPolicy::default().max_attempts(20).budget(secs(600));
    let error = patience(policy, secs(25));
    assert_eq!(
        error.attempts(),
        3,
        "two waits of 10 s, and a third would end too late"
    );
    assert_eq!(error.stop_reason(), StopReason::DeadlineNear);
    // It is told what the service said, not that the time was up.
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(
        error.to_string().contains("the deadline is near"),
        "{error}"
    );
}

#[test]
fn what_helps_nothing_stops_at_once_whatever_is_left() {
    let trace = run_with(
        &context(),
        get(),
        CallOptions::new(),
        [error(404, "E18641: logs")],
    );
    assert_eq!(trace.error().stop_reason(), StopReason::NotRetryable);
}

#[test]
fn the_deadline_is_computed_once() {
    // Ten attempts of a second each, with waits between them, under a deadline of five seconds.
    let policy = RetryPolicy::default()
        .max_attempts(10)
        .base_delay(Duration::ZERO);
    let options = retry(policy).total_timeout(secs(5));
    let slow = response(503).after(secs(1));
    let trace = run_with(&context(), get(), options, vec![slow; 10]);
    assert_eq!(trace.attempts(), 5);
    assert_eq!(trace.end.since(start()), secs(5));
    for (number, sent) in (0..).zip(&trace.sent) {
        assert_eq!(sent.timeout, secs(5 - number), "what is left of the call");
    }
}

#[test]
fn an_attempt_may_take_as_long_as_it_is_allowed_or_as_the_call_has_left() {
    let context = builder()
        .attempt_timeout(secs(30))
        .total_timeout(secs(40))
        .build();
    let first = started(&context, CallOptions::new());
    assert_eq!(first.timeout(), secs(30));
    let (_, in_flight) = first.send();
    assert_eq!(in_flight.timeout(), secs(30));
    let timed_out = pipeline_proto::Fault::new(FaultKind::TimedOut);
    let Next::Retry(backoff) = in_flight.on_fault(timed_out, start() + secs(30)) else {
        panic!("ten seconds are left")
    };
    let second = backoff.resume(start() + secs(31)).unwrap();
    assert_eq!(second.timeout(), secs(9));
    assert_eq!(second.number(), 2);

    let options = CallOptions::new()
        .attempt_timeout(secs(3))
        .total_timeout(secs(2));
    assert_eq!(started(&context, options).timeout(), secs(2));
    let options = CallOptions::new().attempt_timeout(secs(3));
    assert_eq!(started(&context, options).timeout(), secs(3));
}

#[test]
fn resuming_after_the_deadline_ends_the_call() {
    let options = CallOptions::new().total_timeout(secs(10));
    let (_, in_flight) = started(&context(), options).send();
    let down = error(503, "later").into_response(start()).unwrap();
    let Next::Retry(backoff) = in_flight.on_response(down, start() + secs(1)) else {
        panic!("nine seconds are left")
    };
    assert!(matches!(backoff.cause(), Cause::Api(_)));
    // The machine was asleep.
    let error = backoff.resume(start() + secs(3600)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.stop_reason(), StopReason::DeadlineNear);
    assert!(
        matches!(error.cause(), Cause::Deadline { total, last: Some(_) } if *total == secs(10))
    );
    // What the last attempt ended with is still there.
    assert_eq!(error.status().unwrap(), 503);
    assert_eq!(error.request_id(), Some("r1"));
    assert!(error.body().unwrap().contains("later"));
    let line = error.to_string();
    assert!(
        line.contains("not finished within 10s; the last attempt ended with:"),
        "{line}"
    );
}

#[test]
fn a_time_out_at_the_deadline_is_told_as_such() {
    let context = builder()
        .attempt_timeout(secs(30))
        .total_timeout(secs(10))
        .build();
    let call = Call::new(&context, CreateWorkflow::new(name()), CallOptions::new()).unwrap();
    let trace = drive(call, start(), script([response(200).after(secs(60))]));
    assert_eq!(trace.end.since(start()), secs(10));
    let error = trace.error();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.effect(), Effect::Possible);
    let Cause::Deadline {
        last: Some(last), ..
    } = error.cause()
    else {
        panic!("{error:?}")
    };
    assert!(matches!(**last, Cause::Fault(ref fault) if fault.kind() == FaultKind::TimedOut));
}

#[test]
fn a_success_counts_even_if_it_comes_late() {
    let (_, in_flight) = started(&context(), CallOptions::new().total_timeout(secs(1))).send();
    let response = a_workflow().into_response(start()).unwrap();
    let next = in_flight.on_response(response, start() + secs(2));
    assert!(matches!(next, Next::Done(Ok(_))), "{next:?}");
}

#[test]
fn defaults_are_finite() {
    let context = context();
    let attempt = started(&context, CallOptions::new());
    assert_eq!(attempt.timeout(), secs(30));
    // A service that never responds.
    let silent = response(200).after(Duration::MAX);
    let trace = run_with(&context, get(), CallOptions::new(), vec![silent; 9]);
    assert_eq!(trace.attempts(), 3);
    assert!(trace.end.since(start()) < secs(120));
}

#[test]
fn options_of_a_call_go_before_those_of_the_context() {
    let impatient = builder().retry(RetryPolicy::none()).build();
    let script = || [fault(FaultKind::NotSent), a_workflow()];
    let two = RetryPolicy::default().max_attempts(2);
    assert_eq!(
        run_with(&impatient, get(), CallOptions::new(), script()).attempts(),
        1
    );
    assert_eq!(
        run_with(&impatient, get(), retry(two), script()).attempts(),
        2
    );
}

#[test]
fn a_clock_that_stands_still_or_runs_backwards_does_no_harm() {
    let later = start() + secs(1);
    let call = Call::new(&context(), get(), CallOptions::new()).unwrap();
    let (_, in_flight) = call.start(later).send();
    let down = response(503).clock_ahead(0).into_response(later).unwrap();
    let Next::Retry(backoff) = in_flight.on_response(down, start()) else {
        panic!("there is time left")
    };
    assert!(backoff.delay() <= millis(200));
    assert!(backoff.resume(start()).is_ok());
}
