//! When the service says how long to wait.

use std::time::Duration;

use pipeline_proto::{
    CallOptions, Effect, RetryPolicy, StopReason,
    resource::workflow::{CreateWorkflow, GetWorkflow},
};

use super::support::{a_workflow, context, millis, name, response, run, run_with, secs, start};

fn get() -> GetWorkflow {
    GetWorkflow::new(name())
}

/// The pause after a response with this status and this `Retry-After`.
fn pause(status: u16, retry_after: &str) -> Duration {
    let later = response(status).header("retry-after", retry_after);
    run(get(), [later, a_workflow()]).delays()[0]
}

#[test]
fn seconds_are_waited_for() {
    for status in [429, 500, 502, 503, 504] {
        assert_eq!(pause(status, "2"), secs(2), "{status}");
    }
}

#[test]
fn a_date_is_waited_for_by_the_clock_of_the_service() {
    // The response arrives 100 ms after the start, 2.9 s before this date.
    let date = httpdate::fmt_http_date(start().wall + secs(3));
    assert_eq!(pause(503, &date), millis(2900));

    // The same span on a clock that is an hour ahead: the distance of the two dates counts.
    let date = httpdate::fmt_http_date(start().wall + secs(3603));
    let later = response(503).header("retry-after", &date).clock_ahead(3600);
    let delay = run(get(), [later, a_workflow()]).delays()[0];
    assert!((millis(2900)..=millis(3900)).contains(&delay), "{delay:?}");
}

#[test]
fn a_date_in_the_past_asks_for_nothing() {
    let own = RetryPolicy::default().delay(1, 0, None);
    let date = httpdate::fmt_http_date(start().wall - secs(60));
    assert_eq!(pause(503, &date), own);
    assert_eq!(pause(503, "0"), own);
    assert_eq!(pause(503, "soon"), own);
}

#[test]
fn more_than_the_policy_takes_is_waited_for_in_part() {
    assert_eq!(pause(503, "3600"), secs(30));
    assert_eq!(pause(503, "99999999999999999999"), secs(30));
    let patient = RetryPolicy::default().max_retry_after(secs(50));
    let later = response(503).header("retry-after", "40");
    let options = CallOptions::new().retry(patient);
    let trace = run_with(&context(), get(), options, [later, a_workflow()]);
    assert_eq!(trace.delays(), [secs(40)]);
}

#[test]
fn a_create_is_repeated_only_when_it_was_turned_away_with_a_time() {
    let create = || CreateWorkflow::new(name());
    for status in [429, 503] {
        let later = response(status).header("retry-after", "2");
        let trace = run(create(), [later, response(200)]);
        assert_eq!(trace.delays(), [secs(2)], "{status}");
        assert!(trace.result.is_ok(), "{status}");

        let error = run(create(), [response(status)]).error();
        assert_eq!(error.stop_reason(), StopReason::NotRepeatable, "{status}");
    }
    // Behind these the service may have worked.
    for status in [500, 502, 504] {
        let later = response(status).header("retry-after", "2");
        let error = run(create(), [later]).error();
        assert_eq!(error.stop_reason(), StopReason::NotRepeatable, "{status}");
        assert_eq!(error.effect(), Effect::Possible, "{status}");
    }
}

#[test]
fn too_many_requests_are_slowed_down() {
    let trace = run(get(), [response(429), a_workflow()]);
    assert_eq!(trace.attempts(), 2);
    assert_eq!(trace.delays(), [RetryPolicy::default().delay(1, 0, None)]);
}
