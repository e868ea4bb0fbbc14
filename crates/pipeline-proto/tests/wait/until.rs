//! Waiting for what comes by itself.

use std::time::Duration;

use pipeline_proto::{
    ErrorKind,
    model::Status,
    operation::Operation as _,
    resource::workflow::PollBy,
    wait::{Goal, Step, WaitFailure, WaitOptions, Waiter},
};

use super::{
    each, state,
    support::{millis, name, secs, start},
    until_always, until_each, until_with,
};

#[test]
fn a_state_that_is_there_ends_the_wait_at_once() {
    for (goal, status) in [
        (Goal::Started, "Started"),
        (Goal::Stopped, "Stopped"),
        (Goal::Stopped, "Ready"),
    ] {
        let wait = until_with(WaitOptions::default(), goal, status);
        assert_eq!(wait.outcome(), status);
        assert!(wait.pauses.is_empty());
    }
}

#[test]
fn a_state_on_its_way_is_waited_for() {
    let words = "Starting Starting Started";
    let wait = until_with(WaitOptions::default(), Goal::Started, words);
    assert_eq!(wait.shown, ["Starting", "Starting"]);
    assert_eq!(wait.result.unwrap().polls, 3);
    // In the last one somebody has asked for a stop, and for a start again right after it.
    until_each(
        "
        started | Starting Starting Started | Started
        stopped | Stopping Stopped          | Stopped
        started | Stopping Starting Started | Started",
    );
}

#[test]
fn a_workflow_that_does_not_exist_ends_the_wait_after_one_look() {
    let wait = until_with(WaitOptions::default(), Goal::Started, "!404/E18641");
    assert_eq!(wait.lasted(), Duration::ZERO);
    assert_eq!(wait.outcome(), "not found E18641");
    assert_eq!(wait.failure().polls(), 1);
    // Deleted while somebody waited.
    until_each("stopped | Stopping !404/E18641 | not found E18641");
}

#[test]
fn pauses_grow_by_half_up_to_ten_seconds_and_end_at_the_deadline() {
    let options = WaitOptions::default().timeout(secs(60));
    let wait = until_always(Goal::Started, options, Duration::ZERO, "Starting");
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
        let wait = until_always(Goal::Started, WaitOptions::default(), latency, "Starting");
        assert!(wait.pauses.iter().sum::<Duration>() <= secs(300));
        let lasted = wait.lasted();
        let longest = secs(300) + latency;
        assert!((secs(300)..=longest).contains(&lasted), "{lasted:?}");
        assert_eq!(wait.outcome(), "timed out");
        let error = wait.failure();
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
    let wait = until_always(Goal::Started, options.clone(), millis(10), "Starting");
    assert!(wait.pauses.is_empty());
    assert_eq!(wait.failure().polls(), 1);
    each(&options, until_with, "started | Started | Started");
}

#[test]
fn a_workflow_that_settles_elsewhere_ends_the_wait_with_the_reason() {
    until_each(
        "
        started | Starting Stopped | settled Stopped
        stopped | Started          | settled Started",
    );
    let wait = until_with(WaitOptions::default(), Goal::Started, "Starting Stopped");
    let line = "logs will not be started by itself: its status is Stopped";
    assert_eq!(wait.failure().to_string(), line);
}

#[test]
fn a_settled_state_may_be_looked_at_more_than_once() {
    // In the last one the count begins anew, as something happens in between.
    each(
        &WaitOptions::default().settled_reads(3),
        until_with,
        "
        started | Ready Ready Starting Started           | Started
        started | Ready Ready Ready                      | settled Ready
        started | Ready Ready Starting Ready Ready Ready | settled Ready",
    );
}

#[test]
fn failures_that_may_pass_and_states_that_say_nothing_are_ridden_out() {
    let words = "!503 !lost !202/E18124 !429 Unknown Paused - Started";
    let wait = until_with(WaitOptions::default(), Goal::Started, words);
    assert_eq!(wait.outcome(), "Started");
    let shown = wait.shown;
    assert!(
        shown[0].contains("the service is not available"),
        "{shown:?}"
    );
    assert!(shown[1].contains("the connection broke"), "{shown:?}");
    assert_eq!(shown[4..], ["Unknown", "Paused", "no status"]);
}

#[test]
fn the_failure_of_the_last_look_is_told_when_the_time_is_up() {
    let wait = until_always(
        Goal::Started,
        WaitOptions::default(),
        Duration::ZERO,
        "!503",
    );
    assert_eq!(wait.lasted(), secs(300));
    assert_eq!(wait.outcome(), "timed out unavailable");
    let error = wait.failure();
    assert_eq!(error.error().unwrap().kind(), ErrorKind::Unavailable);
    let line = error.to_string();
    let told = "the last look failed: get_workflow_status: ";
    assert!(line.contains(told), "{line}");
}

#[test]
fn failures_that_do_not_pass_end_the_wait_at_once() {
    until_each(
        "
        started | !bad-token  | failed unauthorized
        started | !403/E18665 | failed permission E18665
        started | !400/E9001  | failed internal E9001
        started | !html       | failed unexpected-response
        started | !302        | failed unexpected-response",
    );
}

#[test]
fn waiting_for_a_workflow_to_be_gone() {
    let words = "Stopped Unknown !503 !404/E18641";
    let wait = until_with(WaitOptions::default(), Goal::Deleted, words);
    assert_eq!(wait.outcome(), "gone");
    let observation = wait.result.unwrap();
    assert!(observation.state.is_none());
    assert_eq!(observation.polls, 4);

    let options = WaitOptions::default();
    let wait = until_always(Goal::Deleted, options, Duration::ZERO, "Started");
    assert_eq!(wait.lasted(), secs(300));
    assert_eq!(wait.outcome(), "timed out");
}

/// A 404 that speaks of something else says nothing about the workflow. By get, so that a 404 without a code does
/// not lead on to it.
#[test]
fn a_workflow_is_not_taken_for_gone_because_something_else_is_not_there() {
    for other in ["!404/E18664", "!404/E18102", "!404/<h1>"] {
        for goal in [Goal::Deleted, Goal::Started] {
            let options = WaitOptions::default().poll_by(PollBy::Get);
            let error = until_with(options, goal, other).failure();
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
    let step = due.on_result(Ok(Some(state("Starting"))), start() + secs(2));
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
    let wait = until_always(Goal::Started, options, Duration::ZERO, "Starting");
    assert_eq!(wait.pauses, [400, 500, 500, 500, 100].map(millis));
}

/// Whatever is asked for, a wait is no busy loop that would hammer the service.
#[test]
fn pauses_are_never_empty() {
    let options = WaitOptions::default()
        .timeout(millis(50))
        .interval(Duration::ZERO)
        .max_interval(Duration::ZERO);
    let wait = until_always(Goal::Started, options, Duration::ZERO, "Starting");
    let shortest = wait.pauses.iter().min();
    assert!(shortest >= Some(&millis(1)), "{:?}", wait.pauses);
}
