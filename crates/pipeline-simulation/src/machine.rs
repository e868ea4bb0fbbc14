//! The client's machines, with the type of their operation forgotten, so that calls of all kinds
//! can be in flight at once.

use std::{any::Any, fmt::Debug, rc::Rc, time::Duration};

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
    /// As it is.
    pub(super) whole: Rc<dyn Any>,
}

impl Output {
    fn new<T: 'static>(output: T, show: Show<T>) -> Self {
        let shown = show(&output);
        let whole: Rc<dyn Any> = Rc::new(output);
        Self {
            shown,
            state: whole.downcast_ref::<WorkflowState>().cloned(),
            whole,
        }
    }
}

/// Makes JSON of an output.
type Show<T> = fn(&T) -> Value;

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
    let show = |output: &O::Output| serde_json::to_value(output).unwrap_or_default();
    start_shown(context, operation, options, now, show)
}

/// As [`start`], for an output that says in another way what it is.
pub(super) fn start_shown<O>(
    context: &Context,
    operation: O,
    options: CallOptions,
    now: Now,
    show: Show<O::Output>,
) -> Result<Sent, Error>
where
    O: Operation + Debug + 'static,
{
    let call = Call::new(context, operation, options)?;
    Ok(send(call.start(now), show))
}

fn send<O>(attempt: Attempt<O>, show: Show<O::Output>) -> Sent
where
    O: Operation + Debug + 'static,
{
    let (number, timeout) = (attempt.number(), attempt.timeout());
    let printed = format!("{attempt:?}");
    let (request, flight) = attempt.send();
    Sent {
        request,
        number,
        timeout,
        printed,
        flight: Box::new(Shown(flight, show)),
    }
}

/// A state of a call, and how its output is shown in the end.
struct Shown<M, T>(M, Show<T>);

impl<O> Flight for Shown<InFlight<O>, O::Output>
where
    O: Operation + Debug + 'static,
{
    fn on_response(self: Box<Self>, response: Response<Bytes>, now: Now) -> Step {
        step(self.0.on_response(response, now), self.1)
    }

    fn on_fault(self: Box<Self>, fault: Fault, now: Now) -> Step {
        step(self.0.on_fault(fault, now), self.1)
    }
}

fn step<O>(next: Next<O>, show: Show<O::Output>) -> Step
where
    O: Operation + Debug + 'static,
{
    match next {
        Next::Done(result) => Step::Done(result.map(|output| Output::new(output, show))),
        Next::Retry(backoff) => Step::Retry(Box::new(Shown(backoff, show))),
    }
}

impl<O> Retry for Shown<Backoff<O>, O::Output>
where
    O: Operation + Debug + 'static,
{
    fn delay(&self) -> Duration {
        self.0.delay()
    }

    fn reason(&self) -> RetryReason {
        self.0.reason()
    }

    fn printed(&self) -> String {
        format!("{:?}", self.0)
    }

    fn resume(self: Box<Self>, now: Now) -> Result<Sent, Error> {
        let Self(backoff, show) = *self;
        backoff.resume(now).map(|attempt| send(attempt, show))
    }
}
