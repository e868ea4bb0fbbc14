//! What a subscriber gets to see.

use std::{
    fmt::{Debug, Write as _},
    sync::{Arc, Mutex},
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use http::Response;
use pipeline_proto::{
    Call, CallOptions, Context, Credentials, Error, Fault, FaultKind, Next, Now, Operation,
    resource::workflow::{CreateWorkflow, ListWorkflows},
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

/// Writes down what it is told, a line for each thing.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

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
        let parent = span.parent().map_or(0, Id::into_u64);
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
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Drives a call whose attempts take 20 ms each.
fn drive<O: Operation>(
    context: &Context,
    operation: O,
    answers: impl IntoIterator<Item = Result<Response<Bytes>, Fault>>,
) -> Result<O::Output, Error> {
    let mut now = Now::new(UNIX_EPOCH, Duration::ZERO);
    let call = Call::new(context, operation, CallOptions::new())?;
    let mut attempt = call.start(now);
    for answer in answers {
        let (_, in_flight) = attempt.send();
        now = now + Duration::from_millis(20);
        let next = match answer {
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
    panic!("the call wants more answers");
}

fn answer(status: u16, body: &'static str) -> Response<Bytes> {
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
    let busy = answer(503, "");
    let notes = notes(|context| {
        drive(
            context,
            ListWorkflows::new(),
            [Ok(busy), Ok(answer(200, "[]"))],
        )
        .unwrap();
    });
    let notes: Vec<&str> = notes.iter().map(String::as_str).collect();
    let [call, first, status, id, took, retry, second, rest @ ..] = &notes[..] else {
        panic!("{notes:?}")
    };
    assert_eq!(
        *call,
        "span pipeline.call in 0: operation=\"list_workflows\""
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
    let name = pipeline_proto::WorkflowName::from_static("wf");
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

#[test]
fn a_call_that_is_given_up_says_so() {
    let notes = notes(|context| {
        let now = Now::new(UNIX_EPOCH, Duration::ZERO);
        let call = Call::new(context, ListWorkflows::new(), CallOptions::new()).unwrap();
        drop(call.start(now).send());
    });
    assert_eq!(notes[2..], ["1: outcome=\"dropped\"", "1: attempts=1"]);
}
