//! Building and signing through `Call`, from an operation to a signed request in hand.

use std::hint::black_box;

use http::{HeaderName, HeaderValue, Request};
use pipeline_proto::{
    Call, CallOptions, Context, Fault, FaultKind, Next, Operation, WorkflowName,
    resource::workflow::{CreateWorkflow, GetWorkflow, UpdateWorkflow},
    sign,
};

use crate::{
    cases::{AnyCase, using},
    fixtures::{COMMENT, NAME, context, credentials, nodes, now},
};

fn name() -> WorkflowName {
    WorkflowName::from_static(NAME)
}

fn create_operation() -> CreateWorkflow {
    CreateWorkflow::new(name()).comment(COMMENT)
}

pub(crate) fn create() -> AnyCase {
    first_attempt(context(), create_operation())
}

pub(crate) fn get() -> AnyCase {
    first_attempt(context(), GetWorkflow::new(name()))
}

/// The operations are made beforehand. What is dropped is part of the cost.
fn first_attempt<O: Operation + Clone + 'static>(context: Context, operation: O) -> AnyCase {
    using(
        move || operation.clone(),
        move |operation| {
            let call = Call::new(&context, operation, CallOptions::new());
            black_box(&call.expect("a legal operation").start(now()).send());
        },
    )
}

pub(crate) fn create_again() -> AnyCase {
    second_attempt(create_operation())
}

pub(crate) fn get_again() -> AnyCase {
    second_attempt(GetWorkflow::new(name()))
}

/// The second attempt of a call that could not be sent, from the fault and the decision on it.
fn second_attempt<O: Operation + Clone + 'static>(operation: O) -> AnyCase {
    let context = context();
    let in_flight = move || {
        let call = Call::new(&context, operation.clone(), CallOptions::new());
        call.expect("a legal operation").start(now()).send().1
    };
    using(in_flight, |in_flight| {
        match in_flight.on_fault(Fault::new(FaultKind::NotSent), now()) {
            Next::Retry(backoff) => {
                black_box(&backoff.resume(now()).expect("in time").send());
            }
            Next::Done(_) => panic!("not retried"),
        }
    })
}

/// An update of so many nodes.
pub(crate) fn build(size: usize) -> AnyCase {
    let nodes = serde_json::from_str(&nodes(size)).expect("the fixture is JSON");
    let update = UpdateWorkflow::new(name(), nodes);
    Box::new(move || {
        black_box(update.template().expect("a legal operation"));
    })
}

/// A request with so many headers that are signed.
pub(crate) fn sign(size: usize) -> AnyCase {
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
