//! What a subscriber gets to see.

use std::{
    cell::RefCell,
    fmt::{Debug, Write as _},
    future::Future as _,
    pin::pin,
    sync::{Arc, Mutex},
    task::{self, Poll, Waker},
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use http::Response;
use pipeline_proto::{
    Call, CallOptions, Context, Credentials, Error, Fault, FaultKind, Next, Now, Operation,
    WorkflowName,
    operation::Optional,
    resource::workflow::{CreateWorkflow, GetWorkflow, ListWorkflows},
    wait::{Goal, Observation, Step, WaitError, WaitOptions, Waiter},
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

/// Writes down what it is told, a line for each thing.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

thread_local! {
    /// The spans that this thread is in.
    static ENTERED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Notes {
    /// Adds a line, whose number is returned.
    fn add(&self, what: &str, write: impl FnOnce(&mut Fields)) -> u64 {
        let mut fields = Fields(what.to_owned());
        write(&mut fields);
        let mut notes = self.0.lock().unwrap();
        notes.push(fields.0);
        u64::try_from(notes.len()).unwrap()
    }
}

impl Subscriber for Notes {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let current = span
            .is_contextual()
            .then(|| ENTERED.with_borrow(|entered| entered.last().copied()));
        let parent = span
            .parent()
            .map(Id::into_u64)
            .or(current.flatten())
            .unwrap_or(0);
        let what = format!("span {} in {parent}:", span.metadata().name());
        Id::from_u64(self.add(&what, |fields| span.record(fields)))
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        self.add(&format!("{}:", span.into_u64()), |fields| {
            values.record(fields);
        });
    }

    fn event(&self, event: &Event<'_>) {
        let parent = event.parent().map_or(0, Id::into_u64);
        let what = format!("{} in {parent}:", event.metadata().level());
        self.add(&what, |fields| event.record(fields));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, span: &Id) {
        ENTERED.with_borrow_mut(|entered| entered.push(span.into_u64()));
    }

    fn exit(&self, _: &Id) {
        ENTERED.with_borrow_mut(Vec::pop);
    }
}

/// Drives a call whose attempts take 20 ms each.
fn drive<O: Operation>(
    context: &Context,
    operation: O,
    responses: impl IntoIterator<Item = Result<Response<Bytes>, Fault>>,
) -> Result<O::Output, Error> {
    let mut now = Now::new(UNIX_EPOCH, Duration::ZERO);
    let call = Call::new(context, operation, CallOptions::new())?;
    let mut attempt = call.start(now);
    for response in responses {
        let (_, in_flight) = attempt.send();
        now = now + Duration::from_millis(20);
        let next = match response {
            Ok(response) => in_flight.on_response(response, now),
            Err(fault) => in_flight.on_fault(fault, now),
        };
        match next {
            Next::Done(result) => return result,
            Next::Retry(backoff) => {
                attempt = backoff.resume(now)?;
            }
        }
    }
    panic!("the call wants more responses");
}

fn response(status: u16, body: &'static str) -> Response<Bytes> {
    let response = Response::builder().status(status).header("X-Reqid", "r7");
    response.body(Bytes::from_static(body.as_bytes())).unwrap()
}

fn notes(run: impl FnOnce(&Context)) -> Vec<String> {
    let notes = Notes::default();
    let keys = Credentials::new("ak", "canary-secret").unwrap();
    let context = Context::builder()
        .credentials(keys)
        .observer(pipeline_trace::observer())
        .build();
    tracing::subscriber::with_default(notes.clone(), || run(&context));
    let notes = notes.0.lock().unwrap();
    notes.clone()
}

#[test]
fn a_call_has_a_span_with_one_for_each_attempt() {
    let busy = response(503, "");
    let notes = notes(|context| {
        drive(
            context,
            ListWorkflows::new(),
            [Ok(busy), Ok(response(200, "[]"))],
        )
        .unwrap();
    });
    let notes: Vec<&str> = notes.iter().map(String::as_str).collect();
    let [call, first, status, id, took, retry, second, rest @ ..] = &notes[..] else {
        panic!("{notes:?}")
    };
    assert_eq!(
        *call,
        "span pipeline.call in 0: operation=\"list_workflows\" kind=\"workflow\""
    );
    assert_eq!(
        *first,
        "span pipeline.attempt in 1: attempt=1 method=\"GET\" path=\"/v2/workflows\""
    );
    assert_eq!(
        [*status, id, took],
        [
            "2: status=503",
            "2: request_id=\"r7\"",
            "2: elapsed_ms=20.0"
        ]
    );
    assert!(retry.starts_with("DEBUG in 1: message=retry reason=HTTP 503 delay_ms="));
    assert!(second.starts_with("span pipeline.attempt in 1: attempt=2"));
    assert_eq!(
        rest,
        [
            "7: status=200",
            "7: request_id=\"r7\"",
            "7: elapsed_ms=20.0",
            "1: outcome=\"ok\"",
            "1: attempts=2",
            "1: elapsed_ms=40.0",
        ]
    );
}

#[test]
fn a_failure_says_why() {
    let name = WorkflowName::from_static("wf");
    let broken = Fault::new(FaultKind::Interrupted);
    let notes = notes(|context| {
        drive(context, CreateWorkflow::new(name), [Err(broken)]).unwrap_err();
    });
    let all = notes.join("\n");
    for part in [
        "2: fault=the connection broke before the response was complete",
        "WARN in 1: message=failed error=create_workflow: the connection broke",
        "1: outcome=\"network\"",
    ] {
        assert!(all.contains(part), "{all}");
    }
    assert!(!all.contains("canary"), "{all}");
}

/// Waits for a workflow to be gone, as the clients do.
fn wait(context: &Context, responses: [Response<Bytes>; 2]) -> Result<Observation, WaitError> {
    let (name, options) = (WorkflowName::from_static("logs"), WaitOptions::default());
    let now = Now::new(UNIX_EPOCH, Duration::ZERO);
    let mut responses = responses.into_iter();
    let mut step = Waiter::until(name, Goal::Deleted, options, now);
    loop {
        step = match step {
            Step::Send(due) => {
                let result = drive(context, due.operation(), responses.next().map(Ok));
                due.on_result(result, now)
            }
            Step::Pause(pause) => pause.resume(),
            Step::Done(result) => return result,
        };
    }
}

#[test]
fn a_wait_has_a_span_with_its_calls_below_and_no_warning_of_what_it_waits_for() {
    let there = || response(200, r#"{"name":"logs","status":"Stopped"}"#);
    let gone = || response(404, r#"{"error":"E18641: gone"}"#);
    let run = |context: &Context| wait(context, [there(), gone()]);
    let blocking = notes(|context| {
        pipeline_trace::waiting("logs", Goal::Deleted, || run(context)).unwrap();
    });
    let future = notes(|context| {
        let waiting = pipeline_trace::waiting_async("logs", Goal::Deleted, async { run(context) });
        let ready = pin!(waiting).poll(&mut task::Context::from_waker(Waker::noop()));
        assert!(matches!(ready, Poll::Ready(Ok(_))));
    });
    for notes in [blocking, future] {
        assert_eq!(
            notes[0],
            r#"span pipeline.wait in 0: watched="logs" goal="deleted""#
        );
        let is_call = |note: &&String| note.starts_with("span pipeline.call");
        let calls: Vec<_> = notes.iter().filter(is_call).collect();
        let call = r#"span pipeline.call in 1: operation="get_workflow_status" kind="workflow" name="logs""#;
        assert_eq!(calls, [call, call]);
        assert_eq!(
            notes[notes.len() - 3..],
            [r#"1: outcome="ok""#, "1: polls=2", "1: elapsed_ms=0.0"]
        );
        assert!(
            !notes.iter().any(|note| note.starts_with("WARN")),
            "{notes:#?}"
        );
        assert!(
            notes.iter().any(|note| note.contains("message=failed")),
            "{notes:#?}"
        );
    }
}

#[test]
fn a_wait_that_fails_or_is_given_up_says_so() {
    let refused = notes(|context| {
        let denied = || response(403, "");
        let run = || wait(context, [denied(), denied()]);
        pipeline_trace::waiting("logs", Goal::Deleted, run).unwrap_err();
    });
    assert!(
        refused
            .iter()
            .any(|note| note.starts_with("WARN in 1: message=failed error=")),
        "{refused:#?}"
    );
    assert!(
        refused.contains(&r#"1: outcome="failed""#.to_owned()),
        "{refused:#?}"
    );
    let dropped = notes(|_| {
        let never = std::future::pending::<Result<Observation, WaitError>>();
        let mut waiting = Box::pin(pipeline_trace::waiting_async("logs", Goal::Started, never));
        let pending = waiting
            .as_mut()
            .poll(&mut task::Context::from_waker(Waker::noop()));
        assert!(pending.is_pending());
    });
    assert_eq!(dropped[1..], [r#"1: outcome="dropped""#]);
}

#[test]
fn what_may_be_missing_is_no_warning() {
    let notes = notes(|context| {
        let look = Optional(GetWorkflow::new(WorkflowName::from_static("logs")));
        let gone = response(404, r#"{"error":"E18641: gone"}"#);
        assert_eq!(drive(context, look, [Ok(gone)]).unwrap(), None);
    });
    assert!(
        !notes.iter().any(|note| note.contains("failed")),
        "{notes:#?}"
    );
    assert!(
        notes.contains(&r#"1: outcome="ok""#.to_owned()),
        "{notes:#?}"
    );
}

#[test]
fn a_call_that_is_given_up_says_so() {
    let notes = notes(|context| {
        let now = Now::new(UNIX_EPOCH, Duration::ZERO);
        let call = Call::new(context, ListWorkflows::new(), CallOptions::new()).unwrap();
        drop(call.start(now).send());
    });
    assert_eq!(notes[2..], ["1: outcome=\"dropped\"", "1: attempts=1"]);
}
