//! Building and signing through `Call`, from an operation to a signed request in hand.

use std::hint::black_box;

use http::{HeaderName, HeaderValue, Request};
use pipeline_proto::{
    Call, CallOptions, Context, Fault, FaultKind, Next, Operation, WorkflowName,
    resource::workflow::{CreateWorkflow, GetWorkflow, UpdateWorkflow},
    sign,
};

use crate::{
    cases::{Case, MOST_RUNS},
    fixtures::{COMMENT, NAME, context, credentials, nodes, now},
};

fn name() -> WorkflowName {
    WorkflowName::from_static(NAME)
}

fn create_operation() -> CreateWorkflow {
    CreateWorkflow::new(name()).comment(COMMENT)
}

pub(crate) fn create() -> Case {
    first_attempt(context(), &create_operation())
}

pub(crate) fn get() -> Case {
    first_attempt(context(), &GetWorkflow::new(name()))
}

/// The operations are made beforehand. What is dropped is part of the cost.
fn first_attempt<O: Operation + Clone + 'static>(context: Context, operation: &O) -> Case {
    let mut operations = vec![operation.clone(); MOST_RUNS];
    Box::new(move || {
        let operation = operations.pop().expect("not more than MOST_RUNS");
        let call = Call::new(&context, operation, CallOptions::new()).expect("a legal operation");
        let _ = black_box(&call.start(now()).send());
    })
}

/// The second attempt of a create call that could not be sent.
pub(crate) fn create_again() -> Case {
    let context = context();
    let backoff = || {
        let call = Call::new(&context, create_operation(), CallOptions::new());
        let (_, in_flight) = call.expect("a legal operation").start(now()).send();
        match in_flight.on_fault(Fault::new(FaultKind::NotSent), now()) {
            Next::Retry(backoff) => backoff,
            Next::Done(result) => panic!("not retried: {result:?}"),
        }
    };
    let mut backoffs: Vec<_> = (0..MOST_RUNS).map(|_| backoff()).collect();
    Box::new(move || {
        let backoff = backoffs.pop().expect("not more than MOST_RUNS");
        let _ = black_box(&backoff.resume(now()).expect("in time").send());
    })
}

/// An update of so many nodes.
pub(crate) fn build(size: usize) -> Case {
    let nodes = serde_json::from_str(&nodes(size)).expect("the fixture is JSON");
    let update = UpdateWorkflow::new(name(), nodes);
    Box::new(move || {
        black_box(update.template().expect("a legal operation"));
    })
}

/// A request with so many headers that are signed.
pub(crate) fn sign(size: usize) -> Case {
    let credentials = credentials();
    let mut request = Request::get("http://127.0.0.1/v2/workflows");
    for n in 0..size {
        let name = HeaderName::try_from(format!("x-qiniu-meta-{n:05}")).expect("a legal name");
        request = request.header(name, HeaderValue::from_static("some value of usual length"));
    }
    let (parts, ()) = request.body(()).expect("a legal request").into_parts();
    Box::new(move || {
        black_box(sign::authorization(&parts, &credentials).expect("a plain path"));
    })
}
