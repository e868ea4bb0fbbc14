//! Waiting for what comes by itself.

use std::time::Duration;

use pipeline_proto::{
    ErrorCode, ErrorKind,
    model::Status,
    operation::Operation as _,
    resource::workflow::PollBy,
    wait::{Goal, Step, WaitFailure, WaitOptions, Waiter},
};

use super::{
    LookFails, Saw, lost, not_found,
    support::{bad_token, error, millis, name, response, secs, start},
    until, until_always, until_with,
};

#[test]
fn a_state_that_is_there_ends_the_wait_at_once() {
    for (goal, status) in [
        (Goal::Started, "Started"),
        (Goal::Stopped, "Stopped"),
        (Goal::Stopped, "Ready"),
    ] {
        let wait = until(goal, &[Saw(status)]);
        assert_eq!(wait.status(), Status::from(status));
        assert!(wait.pauses.is_empty());
    }
}

#[test]
fn a_state_on_its_way_is_waited_for() {
    let wait = until(
        Goal::Started,
        &[Saw("Starting"), Saw("Starting"), Saw("Started")],
    );
    assert_eq!(wait.status(), Status::Started);
    assert_eq!(wait.shown, ["Starting", "Starting"]);
    assert_eq!(wait.result.unwrap().polls, 3);

    let wait = until(Goal::Stopped, &[Saw("Stopping"), Saw("Stopped")]);
    assert_eq!(wait.status(), Status::Stopped);
    // Somebody has asked for a stop, and for a start again right after it.
    until(
        Goal::Started,
        &[Saw("Stopping"), Saw("Starting"), Saw("Started")],
    );
}

#[test]
fn a_workflow_that_does_not_exist_ends_the_wait_after_one_look() {
    let wait = until(Goal::Started, &[LookFails(not_found())]);
    assert_eq!(wait.lasted(), Duration::ZERO);
    let error = wait.failure();
    assert_eq!(error.polls(), 1);
    assert!(matches!(error.failure(), WaitFailure::NotFound(_)));
    assert_eq!(
        error.error().unwrap().code(),
        Some(ErrorCode::WORKFLOW_NOT_FOUND)
    );
    // Deleted while somebody waited.
    let wait = until(Goal::Stopped, &[Saw("Stopping"), LookFails(not_found())]);
    assert!(matches!(wait.failure().failure(), WaitFailure::NotFound(_)));
}

#[test]
fn pauses_grow_by_half_up_to_ten_seconds_and_end_at_the_deadline() {
    let options = WaitOptions::default().timeout(secs(60));
    let wait = until_always(options, Duration::ZERO, &Saw("Starting"));
    let expected: [u64; 10] = [
        1_000_000_000,
        1_500_000_000,
        2_250_000_000,
        3_375_000_000,
        5_062_500_000,
        7_593_750_000,
        10_000_000_000,
        10_000_000_000,
        10_000_000_000,
        9_218_750_000,
    ];
    assert_eq!(wait.pauses, expected.map(Duration::from_nanos));
    assert_eq!(wait.lasted(), secs(60));
}

#[test]
fn a_workflow_that_is_stuck_ends_the_wait_within_the_deadline_and_one_look() {
    for latency in [Duration::ZERO, millis(300), secs(7)] {
        let wait = until_always(WaitOptions::default(), latency, &Saw("Starting"));
        assert!(wait.pauses.iter().sum::<Duration>() <= secs(300));
        let lasted = wait.lasted();
        assert!(
            (secs(300)..=secs(300) + latency).contains(&lasted),
            "{lasted:?}"
        );
        let error = wait.failure();
        assert!(matches!(error.failure(), WaitFailure::TimedOut(None)));
        assert_eq!(error.status(), Some(&Status::Starting));
        assert_eq!(error.elapsed(), lasted);
        assert_eq!(
            (error.name(), error.goal()),
            (name().as_str(), Goal::Started)
        );
        let line = error.to_string();
        assert!(line.starts_with("logs is not started after 30"), "{line}");
        assert!(line.ends_with("looks; its status is Starting"), "{line}");
    }
}

#[test]
fn a_time_out_of_zero_looks_once() {
    let options = WaitOptions::default().timeout(Duration::ZERO);
    let wait = until_always(options.clone(), millis(10), &Saw("Starting"));
    assert!(wait.pauses.is_empty());
    assert_eq!(wait.failure().polls(), 1);
    assert!(
        until_with(options, Goal::Started, &[Saw("Started")])
            .result
            .is_ok()
    );
}

#[test]
fn a_workflow_that_settles_elsewhere_ends_the_wait_with_the_reason() {
    let wait = until(Goal::Started, &[Saw("Starting"), Saw("Stopped")]);
    let error = wait.failure();
    assert!(matches!(
        error.failure(),
        WaitFailure::Settled(Status::Stopped)
    ));
    let line = "logs will not be started by itself: its status is Stopped";
    assert_eq!(error.to_string(), line);
    let wait = until(Goal::Stopped, &[Saw("Started")]);
    assert!(matches!(
        wait.failure().failure(),
        WaitFailure::Settled(Status::Started)
    ));
}

#[test]
fn a_settled_state_may_be_looked_at_more_than_once() {
    let options = || WaitOptions::default().settled_reads(3);
    let slow = [Saw("Ready"), Saw("Ready"), Saw("Starting"), Saw("Started")];
    assert!(until_with(options(), Goal::Started, &slow).result.is_ok());
    let never = [Saw("Ready"), Saw("Ready"), Saw("Ready")];
    let wait = until_with(options(), Goal::Started, &never);
    assert!(matches!(
        wait.failure().failure(),
        WaitFailure::Settled(Status::Ready)
    ));
    // The count begins anew when something happens in between.
    let anew = [
        Saw("Ready"),
        Saw("Ready"),
        Saw("Starting"),
        Saw("Ready"),
        Saw("Ready"),
        Saw("Ready"),
    ];
    assert!(until_with(options(), Goal::Started, &anew).result.is_err());
}

#[test]
fn failures_that_may_pass_and_states_that_say_nothing_are_ridden_out() {
    let wait = until(
        Goal::Started,
        &[
            LookFails(response(503)),
            LookFails(lost()),
            LookFails(error(202, "E18124: creating")),
            LookFails(response(429)),
            Saw("Unknown"),
            Saw("Paused"),
            Saw(""),
            Saw("Started"),
        ],
    );
    assert_eq!(wait.status(), Status::Started);
    assert!(
        wait.shown[0].contains("the service is not available"),
        "{:?}",
        wait.shown
    );
    assert!(
        wait.shown[1].contains("the connection broke"),
        "{:?}",
        wait.shown
    );
    assert_eq!(wait.shown[4..], ["Unknown", "Paused", "no status"]);
}

#[test]
fn the_failure_of_the_last_look_is_told_when_the_time_is_up() {
    let wait = until_always(
        WaitOptions::default(),
        Duration::ZERO,
        &LookFails(response(503)),
    );
    assert_eq!(wait.lasted(), secs(300));
    let error = wait.failure();
    assert!(matches!(error.failure(), WaitFailure::TimedOut(Some(_))));
    assert_eq!(error.error().unwrap().kind(), ErrorKind::Unavailable);
    assert!(
        error
            .to_string()
            .contains("the last look failed: get_workflow_status: "),
        "{error}"
    );
}

#[test]
fn failures_that_do_not_pass_end_the_wait_at_once() {
    for (event, kind) in [
        (bad_token(), ErrorKind::Unauthorized),
        (error(403, "E18665: denied"), ErrorKind::Permission),
        (error(400, "E9001: not implemented"), ErrorKind::Internal),
        (response(200).body("<html>"), ErrorKind::UnexpectedResponse),
        (response(302), ErrorKind::UnexpectedResponse),
    ] {
        let wait = until(Goal::Started, &[LookFails(event)]);
        let error = wait.failure();
        assert!(matches!(error.failure(), WaitFailure::Failed(_)), "{error}");
        assert_eq!(error.error().unwrap().kind(), kind, "{error}");
    }
}

#[test]
fn waiting_for_a_workflow_to_be_gone() {
    let seen = [
        Saw("Stopped"),
        Saw("Unknown"),
        LookFails(response(503)),
        LookFails(not_found()),
    ];
    let wait = until(Goal::Deleted, &seen);
    let observation = wait.result.unwrap();
    assert!(observation.state.is_none());
    assert_eq!(observation.polls, 4);
    assert_eq!(observation.to_string(), "gone");

    let step = Waiter::until(name(), Goal::Deleted, WaitOptions::default(), start());
    let wait = super::talk(step, Duration::ZERO, std::iter::repeat(Saw("Started")));
    assert_eq!(wait.lasted(), secs(300));
    assert!(matches!(
        wait.failure().failure(),
        WaitFailure::TimedOut(None)
    ));
}

/// A 404 that speaks of something else says nothing about the workflow.
#[test]
fn a_workflow_is_not_taken_for_gone_because_something_else_is_not_there() {
    for other in ["E18664: no such account", "E18102: no such repo", "<h1>"] {
        for goal in [Goal::Deleted, Goal::Started] {
            // By get, so that a 404 without a code does not lead on to it.
            let options = WaitOptions::default().poll_by(PollBy::Get);
            let wait = until_with(options, goal, &[LookFails(error(404, other))]);
            let error = wait.result.expect_err(other);
            assert!(matches!(error.failure(), WaitFailure::Failed(_)), "{other}");
            assert_eq!(error.error().unwrap().kind(), ErrorKind::NotFound);
        }
    }
}

#[test]
fn each_observation_is_told() {
    let step = Waiter::until(name(), Goal::Started, WaitOptions::default(), start());
    let Step::Send(due) = step else {
        panic!("{step:?}")
    };
    let step = due.on_result(Ok(Some(super::state("Starting"))), start() + secs(2));
    let Step::Pause(pause) = step else {
        panic!("{step:?}")
    };
    let observation = pause.observation();
    assert_eq!(observation.state.as_ref().unwrap().status, Status::Starting);
    assert!(observation.error.is_none());
    assert_eq!((observation.polls, observation.elapsed), (1, secs(2)));
}

#[test]
fn the_look_can_be_one_of_two_operations() {
    for (by, target) in [
        (PollBy::Status, "/v2/workflows/logs/status"),
        (PollBy::Get, "/v2/workflows/logs"),
    ] {
        let options = WaitOptions::default().poll_by(by);
        let step = Waiter::until(name(), Goal::Started, options, start());
        let Step::Send(due) = step else {
            panic!("{step:?}")
        };
        assert_eq!(due.operation().template().unwrap().target(), target);
    }
}

#[test]
fn the_first_pause_and_the_longest_can_be_set() {
    let options = WaitOptions::default()
        .timeout(secs(2))
        .interval(millis(400))
        .max_interval(millis(500));
    let wait = until_always(options, Duration::ZERO, &Saw("Starting"));
    assert_eq!(wait.pauses, [400, 500, 500, 500, 100].map(millis));
}

/// Whatever is asked for, a wait is no busy loop that would hammer the service.
#[test]
fn pauses_are_never_empty() {
    let options = WaitOptions::default()
        .timeout(millis(50))
        .interval(Duration::ZERO)
        .max_interval(Duration::ZERO);
    let wait = until_always(options, Duration::ZERO, &Saw("Starting"));
    assert!(
        wait.pauses.iter().all(|pause| *pause >= millis(1)),
        "{:?}",
        wait.pauses
    );
}
