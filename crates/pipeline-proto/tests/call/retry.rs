//! What is sent again, and what is not.

use std::time::SystemTime;

use pipeline_proto::{
    Call, CallOptions, Effect, ErrorCode, ErrorKind, Fault, FaultKind, Idempotency, Next,
    Operation, RepoName, RetryPolicy, RetryReason, StopReason,
    resource::push::PushPoints,
    resource::workflow::{
        CreateWorkflow, DeleteWorkflow, GetWorkflow, GetWorkflowStatus, ListWorkflows, SearchLogs,
        StartWorkflow, StopWorkflow, UpdateWorkflow,
    },
};

use super::support::{
    ACCESS_KEY, Event, SECRET_KEY, a_workflow, context, error, fault, name, response, run,
    run_with, secs, signature::signed_at, start,
};

fn get() -> GetWorkflow {
    GetWorkflow::new(name())
}

fn create() -> CreateWorkflow {
    CreateWorkflow::new(name())
}

fn delete() -> DeleteWorkflow {
    DeleteWorkflow::new(name())
}

/// How many requests go out when the first is met by `event` and all others by the same.
fn attempts(operation: impl Operation, event: &Event) -> usize {
    run(operation, vec![event.clone(); 3]).attempts()
}

#[test]
fn a_get_answered_503_503_200_makes_three_attempts_with_fresh_signatures() {
    // A second each, so that each has its own date.
    let down = response(503).after(secs(1));
    let trace = run(get(), [down.clone(), down, a_workflow()]);
    assert_eq!(trace.attempts(), 3);
    let mut dates: Vec<SystemTime> = Vec::new();
    for sent in &trace.sent {
        let date = signed_at(&sent.request, ACCESS_KEY, SECRET_KEY);
        let age = sent.at.wall.duration_since(date).unwrap();
        assert!(age < secs(1), "signed {age:?} before it was sent");
        dates.push(date);
    }
    assert!(dates[0] < dates[1] && dates[1] < dates[2]);
    assert_eq!(trace.result.unwrap().name, "logs");
}

#[test]
fn pauses_are_those_of_the_policy_for_the_seed() {
    let policy = RetryPolicy::default();
    let script = || [response(503), response(502), a_workflow()];
    let options = |seed| CallOptions::new().seed(seed);
    let trace = run_with(&context(), get(), options(7), script());
    let expected = [policy.delay(1, 7, None), policy.delay(2, 7, None)];
    assert_eq!(trace.delays(), expected);
    let reasons: Vec<RetryReason> = trace.pauses.iter().map(|(_, reason)| *reason).collect();
    assert_eq!(
        reasons,
        [503, 502].map(|status| RetryReason::Status(status.try_into().unwrap()))
    );
    let other = run_with(&context(), get(), options(8), script());
    assert_ne!(other.delays(), expected, "another seed gives other pauses");
}

#[test]
fn only_statuses_that_may_pass_are_retried() {
    for status in 100..=999 {
        let expected = match status {
            200 | 204 => continue,
            202 | 429 | 500 | 502 | 503 | 504 => 3,
            _ => 1,
        };
        assert_eq!(attempts(get(), &response(status)), expected, "{status}");
        assert_eq!(attempts(delete(), &response(status)), expected, "{status}");
        assert_eq!(attempts(create(), &response(status)), 1, "{status}");
    }
}

#[test]
fn whether_a_fault_is_retried_depends_on_what_the_service_may_have_done() {
    use FaultKind::{BodyTooLarge, Interrupted, NotSent, TimedOut};
    let update = || UpdateWorkflow::new(name(), std::iter::empty().collect());
    // Get; update and delete; create, start and stop.
    for (kind, safe, idempotent, never) in [
        (NotSent, 3, 3, 3),
        (Interrupted, 3, 3, 1),
        (TimedOut, 3, 3, 1),
        (BodyTooLarge, 1, 1, 1),
    ] {
        let event = fault(kind);
        let found = [
            attempts(get(), &event),
            attempts(update(), &event),
            attempts(delete(), &event),
            attempts(create(), &event),
            attempts(StartWorkflow::new(name()), &event),
            attempts(StopWorkflow::new(name()), &event),
        ];
        let expected = [safe, idempotent, idempotent, never, never, never];
        assert_eq!(found, expected, "{kind:?}");
    }
}

#[test]
fn a_permanent_fault_ends_the_call() {
    for kind in [FaultKind::NotSent, FaultKind::Interrupted] {
        let call = Call::new(&context(), get(), CallOptions::new()).unwrap();
        let (_, in_flight) = call.start(start()).send();
        let Next::Done(Err(error)) = in_flight.on_fault(Fault::new(kind).permanent(), start())
        else {
            panic!("a permanent fault is the end");
        };
        assert_eq!(
            (error.attempts(), error.stop_reason()),
            (1, StopReason::NotRetryable)
        );
        assert!(!error.is_retryable());
    }
}

#[test]
fn operations_say_whether_they_may_be_repeated() {
    use Idempotency::{Idempotent, Never, Safe};
    assert_eq!(ListWorkflows::IDEMPOTENCY, Safe);
    assert_eq!(GetWorkflow::IDEMPOTENCY, Safe);
    assert_eq!(GetWorkflowStatus::IDEMPOTENCY, Safe);
    assert_eq!(SearchLogs::IDEMPOTENCY, Safe);
    assert_eq!(UpdateWorkflow::IDEMPOTENCY, Idempotent);
    assert_eq!(DeleteWorkflow::IDEMPOTENCY, Idempotent);
    assert_eq!(CreateWorkflow::IDEMPOTENCY, Never);
    assert_eq!(StartWorkflow::IDEMPOTENCY, Never);
    assert_eq!(StopWorkflow::IDEMPOTENCY, Never);
}

#[test]
fn a_push_is_sent_at_least_once_unless_the_caller_wants_it_otherwise() {
    let push = || PushPoints::new(RepoName::from_static("clicks"), "a=1".into());
    assert_eq!(PushPoints::IDEMPOTENCY, Idempotency::AtLeastOnce);
    let lost = fault(FaultKind::Interrupted);
    for (options, event, attempts, effect) in [
        (CallOptions::new(), &lost, 3, Effect::Possible),
        (
            CallOptions::new().idempotency(Idempotency::Never),
            &lost,
            1,
            Effect::Possible,
        ),
        (
            CallOptions::new().idempotency(Idempotency::Never),
            &fault(FaultKind::NotSent),
            3,
            Effect::None,
        ),
        (
            CallOptions::new(),
            &error(400, "E18110: no number"),
            1,
            Effect::None,
        ),
    ] {
        let trace = run_with(&context(), push(), options, vec![event.clone(); 3]);
        assert_eq!(trace.attempts(), attempts);
        assert_eq!(trace.result.unwrap_err().effect(), effect);
    }
    // Whoever knows that a second start does no harm can say so.
    let knowing = CallOptions::new().idempotency(Idempotency::Idempotent);
    let start = StartWorkflow::new(name());
    let trace = run_with(&context(), start, knowing, vec![lost; 3]);
    assert_eq!(trace.attempts(), 3);
}

#[test]
fn a_create_whose_connection_breaks_makes_one_attempt_and_its_effect_is_not_known() {
    let trace = run(create(), [fault(FaultKind::Interrupted)]);
    assert_eq!(trace.attempts(), 1);
    let error = trace.error();
    assert_eq!(error.kind(), ErrorKind::Network);
    assert_eq!(error.effect(), Effect::Possible);
    assert_eq!(error.stop_reason(), StopReason::NotRepeatable);
    assert!(error.is_retryable());
    assert!(
        error.to_string().ends_with("it may have taken effect"),
        "{error}"
    );
}

#[test]
fn a_create_that_was_not_sent_is_sent_again() {
    let trace = run(create(), [fault(FaultKind::NotSent), response(200)]);
    assert_eq!(trace.attempts(), 2);
    assert!(trace.result.is_ok());
}

#[test]
fn already_exists_after_an_attempt_of_our_own_can_be_told_by_the_attempts() {
    let exists = error(409, "E18640: logs");
    let trace = run(
        create(),
        [response(503).header("retry-after", "0"), exists.clone()],
    );
    let repeated = trace.error();
    assert_eq!(repeated.code(), Some(ErrorCode::WORKFLOW_EXISTS));
    assert_eq!(repeated.attempts(), 2);
    assert_eq!(run(create(), [exists]).error().attempts(), 1);
}

#[test]
fn what_a_refusal_rules_out_and_what_it_does_not() {
    for (event, effect) in [
        (fault(FaultKind::NotSent), Effect::None),
        (fault(FaultKind::TimedOut), Effect::Possible),
        (fault(FaultKind::BodyTooLarge), Effect::Possible),
        (error(400, "E18642: no region"), Effect::None),
        (error(409, "E18640: logs"), Effect::None),
        (error(429, "slow down"), Effect::None),
        (response(302), Effect::None),
        (response(303), Effect::Possible),
        (response(503).header("retry-after", "1"), Effect::None),
        (response(503), Effect::Possible),
        (response(500), Effect::Possible),
        (response(201), Effect::Possible),
        (error(202, "E18124: creating"), Effect::Possible),
        (error(200, "E18124: creating"), Effect::Possible),
    ] {
        let label = format!("{event:?}");
        let once = CallOptions::new().retry(RetryPolicy::none());
        let create = run_with(&context(), create(), once.clone(), [event.clone()]);
        assert_eq!(create.error().effect(), effect, "{label}");
        let get = run_with(&context(), get(), once, [event]);
        assert_eq!(
            get.error().effect(),
            Effect::None,
            "{label}: a get changes nothing"
        );
    }
}

#[test]
fn still_being_created_is_waited_for_by_a_get_and_an_error_of_a_create() {
    let creating = error(202, "E18124: creating");
    let trace = run(get(), [creating.clone(), creating.clone(), a_workflow()]);
    assert_eq!(trace.attempts(), 3);
    assert!(trace.result.is_ok());

    let trace = run(create(), [creating]);
    assert_eq!(trace.attempts(), 1);
    let error = trace.error();
    assert_eq!(error.kind(), ErrorKind::InProgress);
    assert_eq!(error.code(), Some(ErrorCode::REPO_BEING_CREATED));
    assert_eq!(error.stop_reason(), StopReason::NotRepeatable);
}

#[test]
fn what_is_not_implemented_is_not_asked_for_again() {
    for status in [400, 500] {
        let trace = run(get(), [error(status, "E9001: not implemented")]);
        assert_eq!(trace.attempts(), 1, "{status}");
        let error = trace.error();
        assert_eq!(error.code(), Some(ErrorCode::NOT_IMPLEMENTED));
        assert_eq!(error.stop_reason(), StopReason::NotRetryable);
    }
    // Its neighbour in the table is worth another try.
    let trace = run(get(), [error(400, "E9000: internal"), a_workflow()]);
    assert_eq!(trace.attempts(), 2);
}

#[test]
fn a_delete_that_finds_nothing_after_a_lost_response_has_succeeded() {
    let gone = || error(404, "E18641: logs");
    for lost in [
        fault(FaultKind::Interrupted),
        fault(FaultKind::TimedOut),
        response(500),
        response(502),
    ] {
        let label = format!("{lost:?}");
        let trace = run(delete(), [lost, gone()]);
        assert_eq!(trace.attempts(), 2, "{label}");
        assert!(trace.result.is_ok(), "{label}");
    }
}

#[test]
fn a_delete_that_finds_nothing_at_first_is_an_error() {
    let gone = || error(404, "E18641: logs");
    let first = run(delete(), [gone()]).error();
    assert_eq!(first.kind(), ErrorKind::NotFound);
    assert_eq!(first.effect(), Effect::None);
    // Neither of these attempts can have deleted anything.
    for harmless in [
        fault(FaultKind::NotSent),
        response(503).header("retry-after", "0"),
        response(429),
    ] {
        let label = format!("{harmless:?}");
        let error = run(delete(), [harmless, gone()]).error();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{label}");
        assert_eq!(error.attempts(), 2, "{label}");
    }
}

#[test]
fn a_404_of_something_else_does_not_make_a_delete_a_success() {
    for other in [
        error(404, "E18664: nobody"),
        response(404).body("<html>not here</html>"),
    ] {
        let error = run(delete(), [fault(FaultKind::Interrupted), other]).error();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(error.effect(), Effect::Possible);
    }
}
