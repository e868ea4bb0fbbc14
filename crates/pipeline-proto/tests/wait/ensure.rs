//! Bringing a workflow to a state, from whatever state it is in.

use std::time::Duration;

use pipeline_proto::{
    CallOptions, Effect, ErrorCode, ErrorKind, FaultKind, Idempotency, Operation as _,
    model::Status,
    wait::{Goal, Step, WaitFailure, WaitOptions, Waiter},
};

use super::{
    LookFails, Saw, Wait, ensure, ensure_with, lost, not_found, start_fails, starts, stop_fails,
    stops,
    support::{bad_token, context, error, fault, millis, name, response, run_with, secs, start},
    talk,
};

/// Somebody else was faster, or the state forbids it.
fn forbidden() -> super::Event {
    error(400, "E18644: not now")
}

fn settled_at(wait: Wait) -> Status {
    match wait.failure().failure() {
        WaitFailure::Settled(status) => status.clone(),
        other => panic!("{other:?}"),
    }
}

fn failed_with(wait: Wait) -> Option<ErrorCode> {
    match wait.failure().failure() {
        WaitFailure::Failed(error) => error.code(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_workflow_gets_started_from_every_state() {
    let way = || [starts(), Saw("Starting"), Saw("Started")];
    for before in [
        &[Saw("Ready")][..],
        &[Saw("Stopped")],
        // What is under way comes to its end first.
        &[Saw("Stopping"), Saw("Stopping"), Saw("Stopped")],
        // Nothing is done before the state is known.
        &[Saw("Unknown"), Saw("Stopped")],
        &[LookFails(response(503)), Saw("Ready")],
    ] {
        let lines: Vec<_> = before.iter().cloned().chain(way()).collect();
        assert_eq!(ensure(Goal::Started, &lines).status(), Status::Started);
    }
    assert!(ensure(Goal::Started, &[Saw("Started")]).pauses.is_empty());
    ensure(Goal::Started, &[Saw("Starting"), Saw("Started")]);
}

#[test]
fn a_workflow_gets_stopped_from_every_state() {
    let way = || [stops(), Saw("Stopping"), Saw("Stopped")];
    for before in [
        &[Saw("Started")][..],
        &[Saw("Starting"), Saw("Starting"), Saw("Started")],
        &[Saw("Unknown"), Saw("Started")],
    ] {
        let lines: Vec<_> = before.iter().cloned().chain(way()).collect();
        assert_eq!(ensure(Goal::Stopped, &lines).status(), Status::Stopped);
    }
    for idle in ["Ready", "Stopped"] {
        assert!(ensure(Goal::Stopped, &[Saw(idle)]).pauses.is_empty());
    }
    ensure(Goal::Stopped, &[Saw("Stopping"), Saw("Stopped")]);
}

#[test]
fn pauses_begin_anew_after_an_action() {
    let wait = ensure(
        Goal::Started,
        &[
            Saw("Stopping"),
            Saw("Stopping"),
            Saw("Stopped"),
            starts(),
            Saw("Starting"),
            Saw("Started"),
        ],
    );
    assert_eq!(wait.pauses, [1000, 1500, 1000, 1500].map(millis));
    assert_eq!(wait.shown, ["Stopping", "Stopping", "asked", "Starting"]);
}

#[test]
fn nothing_is_ever_deleted() {
    let step = Waiter::ensure(name(), Goal::Deleted, WaitOptions::default(), start());
    let wait = talk(step, Duration::ZERO, std::iter::repeat(Saw("Stopped")));
    assert_eq!(wait.lasted(), secs(300));
    assert!(
        ensure(Goal::Deleted, &[LookFails(not_found())])
            .result
            .is_ok()
    );
}

#[test]
fn a_start_that_somebody_else_was_faster_with_is_no_failure() {
    ensure(
        Goal::Started,
        &[Saw("Stopped"), start_fails(forbidden()), Saw("Started")],
    );
    let wait = ensure(
        Goal::Started,
        &[
            Saw("Stopped"),
            start_fails(forbidden()),
            Saw("Starting"),
            Saw("Started"),
        ],
    );
    assert_eq!(wait.status(), Status::Started);
    let taken = error(400, "E18645: not now");
    ensure(
        Goal::Stopped,
        &[Saw("Started"), stop_fails(taken), Saw("Stopped")],
    );
}

#[test]
fn a_start_that_is_refused_again_and_again_is_a_failure() {
    let refused = || [Saw("Stopped"), start_fails(forbidden())];
    let mut lines: Vec<_> = refused()
        .into_iter()
        .chain(refused())
        .chain(refused())
        .collect();
    lines.push(Saw("Stopped"));
    let wait = ensure(Goal::Started, &lines);
    assert_eq!(failed_with(wait), Some(ErrorCode::WORKFLOW_START_FORBIDDEN));
}

#[test]
fn a_start_whose_response_was_lost_is_found_out_by_looking() {
    // It took effect.
    for seen in [&[Saw("Started")][..], &[Saw("Starting"), Saw("Started")]] {
        let mut lines = vec![Saw("Stopped"), start_fails(lost())];
        lines.extend_from_slice(seen);
        assert!(ensure(Goal::Started, &lines).result.is_ok());
    }
    // It did not.
    ensure(
        Goal::Started,
        &[
            Saw("Stopped"),
            start_fails(lost()),
            Saw("Stopped"),
            starts(),
            Saw("Starting"),
            Saw("Started"),
        ],
    );
    // It did, but that took a while to show: the second start is refused.
    ensure(
        Goal::Started,
        &[
            Saw("Stopped"),
            start_fails(lost()),
            Saw("Stopped"),
            start_fails(forbidden()),
            Saw("Starting"),
            Saw("Started"),
        ],
    );
    ensure(
        Goal::Stopped,
        &[
            Saw("Started"),
            stop_fails(lost()),
            Saw("Stopping"),
            Saw("Stopped"),
        ],
    );
}

#[test]
fn a_start_that_the_service_was_not_ready_for_is_made_again() {
    for passing in [
        response(503),
        response(500),
        response(429),
        fault(FaultKind::NotSent),
    ] {
        let lines = [
            Saw("Ready"),
            start_fails(passing),
            Saw("Ready"),
            starts(),
            Saw("Started"),
        ];
        assert!(ensure(Goal::Started, &lines).result.is_ok());
    }
}

#[test]
fn a_start_that_cannot_succeed_is_final_at_once() {
    let nothing = error(400, "E18650: nothing to run");
    let wait = ensure(Goal::Started, &[Saw("Ready"), start_fails(nothing)]);
    assert_eq!(failed_with(wait), Some(ErrorCode::NOTHING_TO_RUN));
    let wait = ensure(Goal::Started, &[Saw("Ready"), start_fails(bad_token())]);
    assert_eq!(
        wait.failure().error().unwrap().kind(),
        ErrorKind::Unauthorized
    );
    let wait = ensure(Goal::Started, &[Saw("Ready"), start_fails(not_found())]);
    assert!(matches!(wait.failure().failure(), WaitFailure::NotFound(_)));
}

#[test]
fn a_service_may_be_slow_to_show_what_was_asked_for() {
    let slow = [
        Saw("Stopped"),
        starts(),
        Saw("Stopped"),
        Saw("Stopped"),
        Saw("Starting"),
        Saw("Started"),
    ];
    assert!(ensure(Goal::Started, &slow).result.is_ok());
    let never = [
        Saw("Stopped"),
        starts(),
        Saw("Stopped"),
        Saw("Stopped"),
        Saw("Stopped"),
    ];
    assert_eq!(settled_at(ensure(Goal::Started, &never)), Status::Stopped);
}

#[test]
fn a_start_that_falls_back_is_a_failure() {
    let lines = [Saw("Ready"), starts(), Saw("Starting"), Saw("Stopped")];
    assert_eq!(settled_at(ensure(Goal::Started, &lines)), Status::Stopped);
    let lines = [Saw("Started"), stops(), Saw("Stopping"), Saw("Started")];
    assert_eq!(settled_at(ensure(Goal::Stopped, &lines)), Status::Started);
}

#[test]
fn a_workflow_that_goes_away_meanwhile_ends_the_wait() {
    let lines = [
        Saw("Ready"),
        starts(),
        Saw("Starting"),
        LookFails(not_found()),
    ];
    let wait = ensure(Goal::Started, &lines);
    assert!(matches!(wait.failure().failure(), WaitFailure::NotFound(_)));
}

#[test]
fn a_start_that_hangs_ends_with_the_deadline() {
    let step = Waiter::ensure(name(), Goal::Started, WaitOptions::default(), start());
    let lines = [Saw("Ready"), starts()]
        .into_iter()
        .chain(std::iter::repeat(Saw("Starting")));
    let wait = talk(step, millis(100), lines);
    assert!(wait.lasted() <= secs(300) + millis(100));
    assert_eq!(wait.failure().status(), Some(&Status::Starting));
}

/// A start that nobody waits for any more would be a surprise.
#[test]
fn nothing_is_started_after_the_deadline() {
    let options = WaitOptions::default().timeout(secs(1));
    let wait = ensure_with(options, Goal::Started, &[Saw("Stopping"), Saw("Stopped")]);
    assert!(matches!(
        wait.failure().failure(),
        WaitFailure::TimedOut(None)
    ));
}

#[test]
fn a_start_that_failed_is_shown_while_the_wait_goes_on() {
    let step = Waiter::ensure(name(), Goal::Started, WaitOptions::default(), start());
    let lines = [Saw("Ready"), start_fails(forbidden()), Saw("Started")];
    let wait = talk(step, Duration::ZERO, lines);
    assert!(wait.shown[0].contains("E18644"), "{:?}", wait.shown);
}

#[test]
fn a_start_that_failed_is_told_when_the_time_is_up() {
    let options = WaitOptions::default().timeout(secs(30));
    let step = Waiter::ensure(name(), Goal::Started, options, start());
    let wait = talk(step, secs(20), [Saw("Ready"), start_fails(lost())]);
    let error = wait.failure();
    assert!(matches!(error.failure(), WaitFailure::TimedOut(_)));
    assert!(
        error.to_string().contains("the connection broke"),
        "{error}"
    );
}

/// The one type that a wait sends is, to whoever looks, the operation that it stands for.
#[test]
fn each_request_of_a_wait_has_the_name_and_the_rules_of_its_operation() {
    let due = |goal: Goal, seen: Option<&str>| {
        let mut step = Waiter::ensure(name(), goal, WaitOptions::default(), start());
        if let Some(seen) = seen {
            let Step::Send(look) = step else {
                panic!("{step:?}")
            };
            step = look.on_result(Ok(Some(super::state(seen))), start());
        }
        let Step::Send(due) = step else {
            panic!("{step:?}")
        };
        due.operation()
    };
    for (ask, operation, idempotency, target) in [
        (
            due(Goal::Started, None),
            "get_workflow_status",
            Idempotency::Safe,
            "/v2/workflows/logs/status",
        ),
        (
            due(Goal::Started, Some("Ready")),
            "start_workflow",
            Idempotency::Never,
            "/v2/workflows/logs/start",
        ),
        (
            due(Goal::Stopped, Some("Started")),
            "stop_workflow",
            Idempotency::Never,
            "/v2/workflows/logs/stop",
        ),
    ] {
        assert_eq!((ask.name(), ask.idempotency()), (operation, idempotency));
        assert_eq!(ask.template().unwrap().target(), target);
        assert_eq!(ask.fallback().is_some(), idempotency == Idempotency::Safe);
        let error = super::failure(ask, lost());
        assert_eq!(error.operation(), operation);
        let harmless = idempotency == Idempotency::Safe;
        assert_eq!(error.effect() == Effect::None, harmless, "{error}");
    }
}

#[test]
fn a_look_goes_on_by_get_where_the_service_has_no_status() {
    let Step::Send(due) = Waiter::ensure(name(), Goal::Started, WaitOptions::default(), start())
    else {
        panic!("a wait begins with a look")
    };
    let shown = response(200).body(r#"{"name":"logs","status":"Started"}"#);
    let trace = run_with(
        &context(),
        due.operation(),
        CallOptions::new(),
        [response(404), shown],
    );
    assert_eq!(trace.sent[1].request.uri().path(), "/v2/workflows/logs");
    let step = due.on_result(trace.result, start());
    assert!(matches!(step, Step::Done(Ok(_))), "{step:?}");
}

#[test]
fn a_change_that_was_under_way_before_says_nothing_of_the_action() {
    let lines = [Saw("Starting"), Saw("Stopped"), starts(), Saw("Started")];
    assert_eq!(ensure(Goal::Started, &lines).status(), Status::Started);
    let lines = [Saw("Stopping"), Saw("Started"), stops(), Saw("Stopped")];
    assert_eq!(ensure(Goal::Stopped, &lines).status(), Status::Stopped);
}

#[test]
fn a_service_may_be_slow_to_stop() {
    let slow = [
        Saw("Started"),
        stops(),
        Saw("Started"),
        Saw("Started"),
        Saw("Stopping"),
        Saw("Stopped"),
    ];
    assert!(ensure(Goal::Stopped, &slow).result.is_ok());
}
