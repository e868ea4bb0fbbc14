//! The steps of a call and of a wait that are not building, signing, sending or decoding.

use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_TYPE, DATE},
};
use pipeline_proto::{
    Call, CallOptions, Context, Fault, FaultKind, InFlight, WorkflowName,
    model::WorkflowState,
    resource::workflow::GetWorkflow,
    wait::{Due, Goal, Step, WaitOptions, Waiter},
};

use crate::{
    cases::{AnyCase, using},
    fixtures::{self, NAME, context, now},
};

fn name() -> WorkflowName {
    WorkflowName::from_static(NAME)
}

fn attempt(context: &Context) -> InFlight<GetWorkflow> {
    let call = Call::new(context, GetWorkflow::new(name()), CallOptions::new());
    call.expect("a legal operation").start(now()).send().1
}

/// Attempts that were sent, and now get what `answer` does to them.
fn in_flight<T: 'static>(
    context: Context,
    answer: impl FnMut(InFlight<GetWorkflow>) -> T + 'static,
) -> AnyCase {
    using(move || attempt(&context), answer)
}

/// Nothing but handing the attempt on: what the other cases have to be compared with.
pub(crate) fn start_only() -> AnyCase {
    in_flight(context(), |in_flight| in_flight)
}

/// A fault, and the decision to try again and when.
pub(crate) fn fault() -> AnyCase {
    in_flight(context(), |in_flight| {
        in_flight.on_fault(Fault::new(FaultKind::Interrupted), now())
    })
}

/// A refusal that says nothing about the clock.
pub(crate) fn refused() -> AnyCase {
    answered(None)
}

/// The same with the service's time, so that the offset is measured.
pub(crate) fn dated() -> AnyCase {
    answered(Some(HeaderValue::from_static(
        "Sun, 06 Nov 1994 08:49:38 GMT",
    )))
}

fn answered(date: Option<HeaderValue>) -> AnyCase {
    let answer = move || {
        let mut response = fixtures::response(r#"{"error":"E18632: the request is refused"}"#);
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(date) = &date {
            headers.insert(DATE, date.clone());
        }
        response
    };
    let context = context();
    using(
        move || (attempt(&context), answer()),
        |(attempt, answer)| attempt.on_response(answer, now()),
    )
}

/// One look of a wait that goes on: the observation, the pause, the next look.
pub(crate) fn wait() -> AnyCase {
    looks(|due, state| match due.on_result(Ok(Some(state)), now()) {
        Step::Pause(pause) => pause.resume(),
        step => step,
    })
}

/// Nothing but handing the look on: what the other case has to be compared with.
pub(crate) fn look_only() -> AnyCase {
    looks(|due, state| (due, state))
}

fn looks<T: 'static>(mut look: impl FnMut(Due, WorkflowState) -> T + 'static) -> AnyCase {
    let state = serde_json::from_str(r#"{"name":"w","status":"Starting","nodes":[]}"#);
    let state: WorkflowState = state.expect("a state");
    let wait = || Waiter::until(name(), Goal::Started, WaitOptions::default(), now());
    using(
        move || (wait(), state.clone()),
        move |(wait, state)| {
            let Step::Send(due) = wait else {
                panic!("a wait starts with a look")
            };
            look(due, state)
        },
    )
}
