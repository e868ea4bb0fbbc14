//! A wait ends by its deadline and one look, whatever it is shown.

use std::{ops::RangeInclusive, time::Duration};

use pipeline_proto::{
    Call, CallOptions, Context, Error, Fault, FaultKind, Next, Operation, RetryPolicy,
    model::{Status, WorkflowState},
    resource::workflow::PollBy,
    strategies,
    wait::{Ask, Goal, Step, WaitFailure, WaitOptions, Waiter},
};
use proptest::{collection::vec, prelude::*, sample::select};

use super::support::{millis, name, secs, start};

/// What a look, a start or a stop is met by.
#[derive(Debug, Clone)]
enum Reply {
    Status(Status),
    Fails(http::Response<bytes::Bytes>),
    Lost(FaultKind),
}

fn replies() -> impl Strategy<Value = Vec<(Duration, Reply)>> {
    let reply = prop_oneof![
        6 => strategies::status().prop_map(Reply::Status),
        2 => strategies::error_response().prop_map(Reply::Fails),
        1 => select(vec![FaultKind::NotSent, FaultKind::Interrupted, FaultKind::TimedOut])
            .prop_map(Reply::Lost),
    ];
    let latency = prop_oneof![Just(Duration::ZERO), (0..30_000_u64).prop_map(millis)];
    vec((latency, reply), 1..20)
}

/// How long to wait in all, and how; long waits look rarely, or a case would take a million looks.
fn options() -> impl Strategy<Value = (Duration, WaitOptions)> {
    let timeout = |limit: u64| prop_oneof![Just(0), 0..=limit].prop_map(millis);
    let span = |range: RangeInclusive<u64>| range.prop_map(millis);
    let times = prop_oneof![
        (timeout(1000), span(0..=20), span(0..=20)),
        (timeout(600_000), span(500..=20_000), span(500..=20_000)),
    ];
    let by = select(vec![PollBy::Status, PollBy::Get]);
    (times, 0..5_u32, by).prop_map(|((timeout, interval, longest), reads, by)| {
        let options = WaitOptions::default()
            .timeout(timeout)
            .interval(interval)
            .max_interval(longest)
            .settled_reads(reads)
            .poll_by(by);
        (timeout, options)
    })
}

/// The error of an operation that is met so.
fn failure<O: Operation>(operation: O, reply: &Reply) -> Option<Error> {
    let options = CallOptions::new().retry(RetryPolicy::none());
    let context = Context::builder().build();
    let call = Call::new(&context, operation, options).unwrap();
    let (_, in_flight) = call.start(start()).send();
    let next = match reply.clone() {
        Reply::Status(_) => return None,
        Reply::Fails(response) => in_flight.on_response(response, start()),
        Reply::Lost(kind) => in_flight.on_fault(Fault::new(kind), start()),
    };
    match next {
        Next::Done(result) => result.err(),
        Next::Retry(_) => None,
    }
}

fn state(status: &Status) -> WorkflowState {
    let mut state = WorkflowState::default();
    state.status = status.clone();
    state
}

proptest! {
    #[test]
    fn a_wait_ends_by_its_deadline_and_one_look(
        goal in select(vec![Goal::Started, Goal::Stopped, Goal::Deleted]),
        may_act: bool,
        (timeout, options) in options(),
        replies in replies(),
    ) {
        let deadline = start().mono + timeout;
        let mut now = start();
        let mut replies_left = replies.iter().cycle();
        let mut slept = Duration::ZERO;
        let (mut looks, mut actions) = (0, 0);
        let mut step = if may_act {
            Waiter::ensure(name(), goal, options, now)
        } else {
            Waiter::until(name(), goal, options, now)
        };
        let result = loop {
            prop_assert!(looks < 5000, "a busy loop");
            step = match step {
                Step::Done(result) => break result,
                Step::Pause(pause) => {
                    slept += pause.delay();
                    prop_assert!(slept <= timeout, "it sleeps beyond its deadline");
                    prop_assert!(!pause.delay().is_zero(), "a busy loop");
                    prop_assert_eq!(pause.observation().polls, looks);
                    let _ = pause.observation().to_string();
                    now = now + pause.delay();
                    prop_assert!(now.mono <= deadline, "a pause ends after the deadline");
                    pause.resume()
                }
                Step::Send(due) => {
                    let acts = match due.operation() {
                        Ask::Look(_) => None,
                        Ask::Start(_) => Some(Goal::Started),
                        Ask::Stop(_) => Some(Goal::Stopped),
                    };
                    prop_assert!(now.mono <= deadline, "a request begins after the deadline");
                    if let Some(to) = acts {
                        prop_assert!(may_act && goal == to);
                        prop_assert!(now.mono < deadline, "an action that nobody waits for");
                        actions += 1;
                    } else {
                        looks += 1;
                    }
                    let (latency, reply) = replies_left.next().unwrap();
                    now = now + *latency;
                    let result = match (failure(due.operation(), reply), reply) {
                        (Some(error), _) => Err(error),
                        (None, _) if acts.is_some() => Ok(None),
                        (None, Reply::Status(status)) => Ok(Some(state(status))),
                        (None, _) => Ok(Some(WorkflowState::default())),
                    };
                    due.on_result(result, now)
                }
            };
        };
        // Nothing takes longer than half a minute here.
        prop_assert!(now.mono <= deadline + secs(30));
        prop_assert!(actions <= 3, "{} starts or stops", actions);
        match result {
            Ok(observation) => {
                prop_assert_eq!(observation.polls, looks);
                let status = observation.state.map(|state| state.status);
                let reached = match goal {
                    Goal::Started => status == Some(Status::Started),
                    Goal::Stopped => status.is_some_and(|status| status.is_idle()),
                    _ => status.is_none(),
                };
                prop_assert!(reached);
            }
            Err(error) => {
                prop_assert_eq!(error.polls(), looks);
                prop_assert_eq!(error.elapsed(), now.since(start()));
                prop_assert!(!error.to_string().contains('\n'));
                let timed_out = matches!(error.failure(), WaitFailure::TimedOut(_));
                prop_assert!(!timed_out || now.mono >= deadline, "it gave up early");
            }
        }
    }
}
