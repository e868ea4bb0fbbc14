//! What observers are told of a call.

use std::sync::{Arc, Mutex};

use pipeline_proto::{
    Call, CallOptions, Context,
    observe::{Event, Observed},
    resource::workflow::ListWorkflows,
};

use super::support::{answer, builder, error, run_with, start};

type Log = Arc<Mutex<Vec<String>>>;

/// Writes down what it is told, each line behind a word of its own.
fn observer(
    word: &'static str,
    log: &Log,
) -> impl Fn(&Observed, &Event<'_>) + Send + Sync + 'static {
    let log = Arc::clone(log);
    move |call, event| {
        let what = match event {
            Event::Request { attempt, .. } => format!("request {attempt}"),
            Event::Response {
                attempt,
                response: Ok(response),
                elapsed,
                ..
            } => format!("response {attempt}: {} in {elapsed:?}", response.status()),
            Event::Retry {
                attempts, reason, ..
            } => format!("retry after {attempts}: {reason}"),
            Event::End {
                attempts, elapsed, ..
            } => format!("end after {attempts} in {elapsed:?}"),
            Event::Dropped { attempts, .. } => format!("dropped after {attempts}"),
            other => format!("{other:?}"),
        };
        let line = format!("{word} {} {}: {what}", call.operation(), call.number());
        log.lock().unwrap().push(line);
    }
}

#[test]
fn a_call_is_told_from_its_first_request_to_its_end() {
    let log = Log::default();
    let context = builder().observer(observer("a", &log)).build();
    let events = [error(503, "busy"), answer(200).body("[]")];
    let options = CallOptions::new();
    let end = run_with(&context, ListWorkflows::new(), options, events).end;
    assert_eq!(
        *log.lock().unwrap(),
        [
            "a list_workflows 1: request 1",
            "a list_workflows 1: response 1: 503 Service Unavailable in 100ms",
            "a list_workflows 1: retry after 1: HTTP 503",
            "a list_workflows 1: request 2",
            "a list_workflows 1: response 2: 200 OK in 100ms",
            &format!(
                "a list_workflows 1: end after 2 in {:?}",
                end.since(start())
            ),
        ]
    );
}

#[test]
fn every_observer_is_told_once_of_each_call_that_is_given_up() {
    let log = Log::default();
    let builder = Context::builder()
        .observer(observer("a", &log))
        .observer(observer("b", &log));
    assert!(format!("{builder:?}").contains("[2 observers]"));
    let context = builder.build();
    let attempt = || {
        let call = Call::new(&context, ListWorkflows::new(), CallOptions::new());
        call.unwrap().start(start())
    };
    drop(attempt());
    drop(attempt().send());
    assert_eq!(
        *log.lock().unwrap(),
        [
            "a list_workflows 1: dropped after 0",
            "b list_workflows 1: dropped after 0",
            "a list_workflows 2: request 1",
            "b list_workflows 2: request 1",
            "a list_workflows 2: dropped after 1",
            "b list_workflows 2: dropped after 1",
        ]
    );
}
