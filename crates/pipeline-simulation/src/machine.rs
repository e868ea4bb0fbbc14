//! The client's machines, with the type of their operation forgotten, so that calls of all kinds
//! can be in flight at once.

use std::{any::Any, fmt::Debug, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use pipeline_proto::{
    Attempt, Backoff, Call, CallOptions, Context, Error, Fault, InFlight, Next, Now, Operation,
    RetryReason, model::WorkflowState,
};
use serde::Serialize;
use serde_json::Value;

/// What a call of any kind has brought.
#[derive(Debug, Clone)]
pub(super) struct Output {
    /// As JSON.
    pub(super) shown: Value,
    /// For a wait.
    pub(super) state: Option<WorkflowState>,
}

impl Output {
    fn new<T: Serialize + 'static>(output: T) -> Self {
        let any: &dyn Any = &output;
        let state = any.downcast_ref::<WorkflowState>().cloned();
        Self {
            shown: serde_json::to_value(output).unwrap_or_default(),
            state,
        }
    }
}

/// An attempt that was sent.
pub(super) struct Sent {
    pub(super) request: Request<Bytes>,
    pub(super) number: u32,
    pub(super) timeout: Duration,
    /// What `Debug` shows of all that the attempt consists of.
    pub(super) printed: String,
    pub(super) flight: Box<dyn Flight>,
}

/// An attempt whose answer is awaited.
pub(super) trait Flight {
    fn on_response(self: Box<Self>, response: Response<Bytes>, now: Now) -> Step;
    fn on_fault(self: Box<Self>, fault: Fault, now: Now) -> Step;
}

/// What follows from a response or a fault.
pub(super) enum Step {
    Done(Result<Output, Error>),
    Retry(Box<dyn Retry>),
}

/// A wait before a further attempt.
pub(super) trait Retry {
    fn delay(&self) -> Duration;
    fn reason(&self) -> RetryReason;
    fn printed(&self) -> String;
    fn resume(self: Box<Self>, now: Now) -> Result<Sent, Error>;
}

/// Makes a call and its first attempt.
pub(super) fn start<O>(
    context: &Context,
    operation: O,
    options: CallOptions,
    now: Now,
) -> Result<Sent, Error>
where
    O: Operation<Output: Serialize> + Debug + 'static,
{
    let call = Call::new(context, operation, options)?;
    Ok(send(call.start(now)))
}

fn send<O>(attempt: Attempt<O>) -> Sent
where
    O: Operation<Output: Serialize> + Debug + 'static,
{
    let (number, timeout) = (attempt.number(), attempt.timeout());
    let printed = format!("{attempt:?}");
    let (request, flight) = attempt.send();
    Sent {
        request,
        number,
        timeout,
        printed,
        flight: Box::new(flight),
    }
}

impl<O> Flight for InFlight<O>
where
    O: Operation<Output: Serialize> + Debug + 'static,
{
    fn on_response(self: Box<Self>, response: Response<Bytes>, now: Now) -> Step {
        (*self).on_response(response, now).into()
    }

    fn on_fault(self: Box<Self>, fault: Fault, now: Now) -> Step {
        (*self).on_fault(fault, now).into()
    }
}

impl<O> From<Next<O>> for Step
where
    O: Operation<Output: Serialize> + Debug + 'static,
{
    fn from(next: Next<O>) -> Self {
        match next {
            Next::Done(result) => Self::Done(result.map(Output::new)),
            Next::Retry(backoff) => Self::Retry(Box::new(backoff)),
        }
    }
}

impl<O> Retry for Backoff<O>
where
    O: Operation<Output: Serialize> + Debug + 'static,
{
    fn delay(&self) -> Duration {
        self.delay()
    }

    fn reason(&self) -> RetryReason {
        self.reason()
    }

    fn printed(&self) -> String {
        format!("{self:?}")
    }

    fn resume(self: Box<Self>, now: Now) -> Result<Sent, Error> {
        (*self).resume(now).map(send)
    }
}
