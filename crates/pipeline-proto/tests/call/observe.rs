//! What observers are told of a call.

use std::sync::{Arc, Mutex};

use pipeline_proto::{
    Call, CallOptions, Context, RepoName, TransformName, WorkflowName,
    observe::{Event, Observed},
    operation::Detailed,
    resource::{
        transform::{CreateTransform, TransformSpec},
        workflow::ListWorkflows,
    },
    wait::{Ask, WaitOptions, Watch as _},
};

use super::support::{builder, error, response, run_with, start};

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
    let events = [error(503, "busy"), response(200).body("[]")];
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
fn observers_are_told_what_a_call_is_about_and_nothing_of_what_is_sent() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let context = builder().observer(move |call, event| {
        if let Event::End { expected, .. } = event {
            let subject = call.subject();
            let name = subject.name().map(str::to_owned);
            log.lock().unwrap().push((subject.kind(), name, *expected));
            assert!(!format!("{call:?}").contains("canary"));
        }
    });
    let context = context.build();
    let end = |operation| {
        let gone = [error(404, "E18641: the workflow does not exist")];
        let _ = run_with(&context, operation, CallOptions::new(), gone);
    };
    let (source, name) = (
        RepoName::from_static("clicks"),
        WorkflowName::from_static("logs"),
    );
    let spec = TransformSpec::sql("select canary from stream");
    let create = CreateTransform::new(
        source.clone(),
        TransformName::from_static("clean"),
        source,
        spec,
    );
    let gone = [error(404, "E18102: canary")];
    let _ = run_with(&context, create, CallOptions::new(), gone);
    end(Ask::<WorkflowName>::Look(
        name.look(&WaitOptions::default()),
    ));
    end(Ask::Start(name.start()));
    let empty = [response(200).body("[]")];
    let _ = run_with(
        &context,
        Detailed(ListWorkflows::new()),
        CallOptions::new(),
        empty,
    );
    assert_eq!(
        *seen.lock().unwrap(),
        [
            ("transform", Some("clicks/clean/clicks".to_owned()), false),
            ("workflow", Some("logs".to_owned()), true),
            ("workflow", Some("logs".to_owned()), true),
            ("workflow", None, false),
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
