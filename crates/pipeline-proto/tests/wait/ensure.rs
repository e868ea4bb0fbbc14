//! Bringing a workflow to a state, from whatever state it is in.

use std::{iter::repeat, time::Duration};

use pipeline_proto::{
    CallOptions, Effect, Idempotency, Operation as _,
    model::Status,
    wait::{Goal, Step, WaitOptions, Waiter},
};

use super::{
    ensure_each, ensure_with, failure, state,
    support::{context, millis, name, response, run_with, secs, start},
    talk,
};

#[test]
fn a_workflow_gets_started_and_stopped_from_every_state() {
    ensure_each(
        "
        started | Ready start Starting Started                      | Started
        started | Stopped start Starting Started                    | Started
        started | Starting Started                                  | Started
        stopped | Started stop Stopping Stopped                     | Stopped
        stopped | Starting Starting Started stop Stopping Stopped   | Stopped
        stopped | Stopping Stopped                                  | Stopped",
    );
    // What is under way comes to its end first, and nothing is done before the state is known.
    ensure_each(
        "
        started | Stopping Stopping Stopped start Starting Started  | Started
        started | Unknown Stopped start Starting Started            | Started
        started | !503 Ready start Starting Started                 | Started
        stopped | Unknown Started stop Stopping Stopped             | Stopped",
    );
    for (goal, there) in [
        (Goal::Started, "Started"),
        (Goal::Stopped, "Ready"),
        (Goal::Stopped, "Stopped"),
    ] {
        let wait = ensure_with(WaitOptions::default(), goal, there);
        assert!(wait.result.is_ok() && wait.pauses.is_empty(), "{there}");
    }
}

#[test]
fn pauses_begin_anew_after_an_action() {
    let words = "Stopping Stopping Stopped start Starting Started";
    let wait = ensure_with(WaitOptions::default(), Goal::Started, words);
    assert_eq!(wait.pauses, [1000, 1500, 1000, 1500].map(millis));
    assert_eq!(wait.shown, ["Stopping", "Stopping", "asked", "Starting"]);
}

#[test]
fn nothing_is_ever_deleted() {
    let step = Waiter::ensure(name(), Goal::Deleted, WaitOptions::default(), start());
    let wait = talk(step, Duration::ZERO, repeat("Stopped"));
    assert_eq!(wait.lasted(), secs(300));
    ensure_each("deleted | !404/E18641 | gone");
}

/// Another process was faster, or the state forbids it.
#[test]
fn a_start_that_somebody_else_was_faster_with_is_no_failure_unless_it_is_refused_again_and_again() {
    ensure_each(
        "
        started | Stopped start!400/E18644 Started          | Started
        started | Stopped start!400/E18644 Starting Started | Started
        stopped | Started stop!400/E18645 Stopped           | Stopped
        started | Stopped start!400/E18644 Stopped start!400/E18644 Stopped start!400/E18644 Stopped | failed conflict E18644",
    );
}

#[test]
fn a_start_whose_response_was_lost_is_found_out_by_looking() {
    // It took effect; it did not; it did, but that took a while to show, and the second start is refused.
    ensure_each(
        "
        started | Stopped start!lost Started                                           | Started
        started | Stopped start!lost Starting Started                                  | Started
        started | Stopped start!lost Stopped start Starting Started                    | Started
        started | Stopped start!lost Stopped start!400/E18644 Starting Started         | Started
        stopped | Started stop!lost Stopping Stopped                                   | Stopped",
    );
}

#[test]
fn a_start_that_the_service_was_not_ready_for_is_made_again() {
    ensure_each(
        "
        started | Ready start!503 Ready start Started      | Started
        started | Ready start!500 Ready start Started      | Started
        started | Ready start!429 Ready start Started      | Started
        started | Ready start!not-sent Ready start Started | Started",
    );
}

#[test]
fn a_start_that_cannot_succeed_is_final_at_once() {
    ensure_each(
        "
        started | Ready start!400/E18650 | failed conflict E18650
        started | Ready start!bad-token  | failed unauthorized
        started | Ready start!404/E18641 | not found E18641",
    );
}

#[test]
fn a_service_may_be_slow_to_show_what_was_asked_for() {
    ensure_each(
        "
        started | Stopped start Stopped Stopped Starting Started | Started
        started | Stopped start Stopped Stopped Stopped          | settled Stopped
        stopped | Started stop Started Started Stopping Stopped  | Stopped",
    );
}

#[test]
fn a_start_that_falls_back_is_a_failure() {
    ensure_each(
        "
        started | Ready start Starting Stopped  | settled Stopped
        stopped | Started stop Stopping Started | settled Started",
    );
}

#[test]
fn a_workflow_that_goes_away_meanwhile_ends_the_wait() {
    ensure_each("started | Ready start Starting !404/E18641 | not found E18641");
}

#[test]
fn a_change_that_was_under_way_before_says_nothing_of_the_action() {
    ensure_each(
        "
        started | Starting Stopped start Started | Started
        stopped | Stopping Started stop Stopped  | Stopped",
    );
}

#[test]
fn a_start_that_hangs_ends_with_the_deadline() {
    let step = Waiter::ensure(name(), Goal::Started, WaitOptions::default(), start());
    let words = ["Ready", "start"].into_iter().chain(repeat("Starting"));
    let wait = talk(step, millis(100), words);
    assert!(wait.lasted() <= secs(300) + millis(100));
    assert_eq!(wait.failure().status(), Some(&Status::Starting));
}

/// A start that nobody waits for any more would be a surprise.
#[test]
fn nothing_is_started_after_the_deadline() {
    let options = WaitOptions::default().timeout(secs(1));
    let wait = ensure_with(options, Goal::Started, "Stopping Stopped");
    assert_eq!(wait.outcome(), "timed out");
}

#[test]
fn a_start_that_failed_is_shown_while_the_wait_goes_on_and_told_when_the_time_is_up() {
    let words = "Ready start!400/E18644 Started";
    let wait = ensure_with(WaitOptions::default(), Goal::Started, words);
    assert!(wait.shown[0].contains("E18644"), "{:?}", wait.shown);

    let options = WaitOptions::default().timeout(secs(30));
    let step = Waiter::ensure(name(), Goal::Started, options, start());
    let wait = talk(step, secs(20), ["Ready", "start!lost"]);
    assert_eq!(wait.outcome(), "timed out network");
    let line = wait.failure().to_string();
    assert!(line.contains("the connection broke"), "{line}");
}

/// The one type that a wait sends is, to whoever looks, the operation that it stands for.
#[test]
fn each_request_of_a_wait_has_the_name_and_the_rules_of_its_operation() {
    for (goal, seen, operation, idempotency, target) in [
        (
            Goal::Started,
            None,
            "get_workflow_status",
            Idempotency::Safe,
            "status",
        ),
        (
            Goal::Started,
            Some("Ready"),
            "start_workflow",
            Idempotency::Never,
            "start",
        ),
        (
            Goal::Stopped,
            Some("Started"),
            "stop_workflow",
            Idempotency::Never,
            "stop",
        ),
    ] {
        let next = |step| match step {
            Step::Send(due) => due,
            step => panic!("{step:?}"),
        };
        let mut step = Waiter::ensure(name(), goal, WaitOptions::default(), start());
        if let Some(seen) = seen {
            step = next(step).on_result(Ok(Some(state(seen))), start());
        }
        let due = next(step);
        let ask = due.operation();
        assert_eq!((ask.name(), ask.idempotency()), (operation, idempotency));
        let path = format!("/v2/workflows/logs/{target}");
        assert_eq!(ask.template().unwrap().target(), path);
        let harmless = idempotency == Idempotency::Safe;
        assert_eq!(ask.fallback().is_some(), harmless);
        let error = failure(ask, "lost");
        assert_eq!(error.operation(), operation);
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
