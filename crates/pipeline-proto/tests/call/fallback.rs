//! An installation that lacks *get status*, which is not on the API page.

use pipeline_proto::{
    CallOptions, Context, RetryPolicy, RetryReason, Token,
    model::{Status, WorkflowState},
    operation::Operation,
    resource::workflow::{GetWorkflow, GetWorkflowStatus, PollBy},
};

use super::support::{
    Event, Trace, bad_token, builder, context, error, name, response, run_with, secs,
};

const STATUS: &str = "/v2/workflows/logs/status";
const GET: &str = "/v2/workflows/logs";

/// What *get* answers; its nodes are a graph, not a list.
fn got() -> Event {
    response(200)
        .body(r#"{"name":"logs","status":"Started","nodes":{"a-repo":{"name":"a","type":"repo"}}}"#)
}

fn ask(context: &Context, events: impl IntoIterator<Item = Event>) -> Trace<WorkflowState> {
    let once = CallOptions::new().retry(RetryPolicy::none());
    run_with(context, GetWorkflowStatus::new(name()), once, events)
}

fn paths<T>(trace: &Trace<T>) -> Vec<&str> {
    let sent = trace.sent.iter();
    sent.map(|sent| sent.request.uri().path()).collect()
}

#[test]
fn get_stands_in_for_a_status_that_is_not_offered() {
    for unknown in [
        response(404),
        response(404).body("404 page not found"),
        response(404).body(r#"{"error":"no such path"}"#),
        response(405).header("allow", "POST"),
        response(501),
    ] {
        let context = context();
        let trace = ask(&context, [unknown.clone(), got()]);
        assert_eq!(paths(&trace), [STATUS, GET], "{unknown:?}");
        let (delay, reason) = trace.pauses[0];
        assert!(delay.is_zero() && matches!(reason, RetryReason::Fallback(_)));
        let state = trace.result.unwrap();
        assert_eq!((&*state.name, &state.status), ("logs", &Status::Started));
        assert!(state.nodes.is_empty());
        // The context remembers, also for its clones.
        assert_eq!(paths(&ask(&context.clone(), [got()])), [GET]);
    }
}

#[test]
fn a_response_of_the_service_is_taken_at_its_word() {
    for told in [
        error(404, "E18641: logs"),
        error(404, "E18664: nobody"),
        response(400),
        response(500),
        bad_token(),
    ] {
        let trace = ask(&context(), [told.clone()]);
        assert_eq!(paths(&trace), [STATUS], "{told:?}");
        trace.result.unwrap_err();
    }
    // What has no other way is not sent twice.
    let trace = run_with(
        &context(),
        GetWorkflow::new(name()),
        CallOptions::new(),
        [response(404)],
    );
    assert_eq!(trace.attempts(), 1);
}

#[test]
fn nothing_is_learned_from_a_fallback_that_fails() {
    let context = context();
    for second in [response(404), error(404, "E18641: logs"), response(500)] {
        let trace = ask(&context, [response(404), second.clone()]);
        assert_eq!(paths(&trace), [STATUS, GET], "{second:?}");
        let error = trace.result.unwrap_err();
        assert_eq!(error.attempts(), 2);
        assert_eq!(error.operation(), GetWorkflowStatus::NAME);
    }
}

#[test]
fn a_fallback_is_no_attempt_of_the_policy_and_ends_with_the_deadline() {
    let two = CallOptions::new().retry(RetryPolicy::default().max_attempts(2));
    let status = || GetWorkflowStatus::new(name());
    let trace = run_with(
        &context(),
        status(),
        two,
        [response(503), response(404), got()],
    );
    assert_eq!(paths(&trace), [STATUS, STATUS, GET]);
    assert!(trace.result.is_ok());
    let short = builder()
        .attempt_timeout(secs(9))
        .total_timeout(secs(1))
        .build();
    let late = response(404).after(secs(1));
    assert_eq!(ask(&short, [late]).attempts(), 1);
}

#[test]
fn a_token_is_for_one_path_and_the_call_keeps_to_it() {
    let token: Token = "Pandora ak:c2ln:e30=".parse().unwrap();
    let trace = ask(&builder().auth(token).build(), [response(404)]);
    assert_eq!(paths(&trace), [STATUS]);
}

#[test]
fn what_was_asked_for_by_get_has_no_fallback() {
    let get = GetWorkflowStatus::new(name()).by(PollBy::Get);
    let trace = run_with(&context(), get, CallOptions::new(), [response(404)]);
    assert_eq!(paths(&trace), [GET]);
}
