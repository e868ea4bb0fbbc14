mod judge;
mod refusal;
mod state;

use std::{mem, time::Duration};

use bytes::Bytes;
use http::{Request, Response};

pub(super) use state::State;

use super::{
    context::Context,
    options::CallOptions,
    unpack::{Packed, unpack},
};
use crate::{
    error::{Cause, Error, Fault, FaultKind, RetryReason},
    observe::Watch,
    operation::Operation,
    time::Now,
};

/// An operation with everything that a request of it needs but the moment.
#[must_use = "a call does nothing until it is started"]
pub struct Call<O> {
    operation: O,
    /// In a box, because each step hands it on.
    pub(super) state: Box<State>,
}

/// A request that is signed and ready to be sent.
///
/// ```
/// use pipeline_proto::resource::workflow::GetWorkflow;
/// use pipeline_proto::{Call, CallOptions, Context, Now, WorkflowName};
/// use std::time::{Duration, SystemTime};
///
/// let now = Now::new(SystemTime::UNIX_EPOCH, Duration::ZERO);
/// let get = GetWorkflow::new(WorkflowName::from_static("logs"));
/// let attempt = Call::new(&Context::builder().build(), get, CallOptions::new())?.start(now);
/// assert_eq!(attempt.number(), 1);
/// assert_eq!(attempt.request().uri().path(), "/v2/workflows/logs");
/// # Ok::<(), pipeline_proto::Error>(())
/// ```
#[must_use = "an attempt does nothing until it is sent"]
pub struct Attempt<O> {
    pub(super) request: Request<Bytes>,
    pub(super) in_flight: InFlight<O>,
}

/// A request that was sent and whose response is awaited.
#[derive(Debug)]
#[must_use = "say what became of the request"]
pub struct InFlight<O>(Call<O>);

/// What follows from a response or a fault. Exhaustive: whoever drives a call has to do what it says.
#[derive(Debug)]
#[must_use = "either the result is there, or a further attempt is due"]
pub enum Next<O: Operation> {
    /// The call has ended.
    Done(Result<O::Output, Error>),
    /// Wait, and send again.
    Retry(Backoff<O>),
}

/// A wait before a further attempt.
///
/// ```
/// use pipeline_proto::resource::workflow::ListWorkflows;
/// use pipeline_proto::{Call, CallOptions, Context, Fault, FaultKind, Next, Now, RetryReason};
/// use std::time::{Duration, SystemTime};
///
/// let now = Now::new(SystemTime::UNIX_EPOCH, Duration::ZERO);
/// let call = Call::new(&Context::builder().build(), ListWorkflows::new(), CallOptions::new())?;
/// let (_, in_flight) = call.start(now).send();
/// let Next::Retry(backoff) = in_flight.on_fault(Fault::new(FaultKind::Interrupted), now) else {
///     panic!("what only reads is sent again");
/// };
/// assert_eq!(backoff.reason(), RetryReason::Fault(FaultKind::Interrupted));
/// assert!(backoff.delay() <= Duration::from_millis(200));
/// let now = now + backoff.delay();
/// assert_eq!(backoff.resume(now)?.number(), 2);
/// # Ok::<(), pipeline_proto::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "wait for the delay, then resume"]
pub struct Backoff<O> {
    call: Call<O>,
    wait: Wait,
}

#[derive(Debug)]
struct Wait {
    delay: Duration,
    reason: RetryReason,
    cause: Cause,
}

impl<O: Operation> Call<O> {
    /// Builds everything that does not depend on the moment.
    ///
    /// # Errors
    ///
    /// If the operation cannot be said on the wire, or a header is given twice.
    pub fn new(context: &Context, operation: O, options: CallOptions) -> Result<Self, Error> {
        let name = operation.name();
        let operation = match operation.fallback() {
            Some(other) if context.is_unknown(name) => other,
            _ => operation,
        };
        let template = operation.template();
        let state = template.and_then(|template| State::new(context, template, options));
        let mut state = state.map_err(|error| Error::build(name, error))?;
        state.name = operation.name();
        state.idempotency = operation.idempotency();
        Ok(Self { operation, state })
    }

    /// Makes the first attempt. From here on the deadline counts.
    pub fn start(mut self, now: Now) -> Attempt<O> {
        self.state.start(&|| self.operation.subject(), now);
        Attempt::new(self, now)
    }
}

impl<O: Operation> Attempt<O> {
    fn new(mut call: Call<O>, now: Now) -> Self {
        Self {
            request: call.state.attempt(now),
            in_flight: InFlight(call),
        }
    }

    /// The request, for a look at it.
    pub fn request(&self) -> &Request<Bytes> {
        &self.request
    }

    /// Which attempt it is, from 1.
    pub fn number(&self) -> u32 {
        self.in_flight.attempt()
    }

    /// How long to wait for the whole response, from now.
    pub fn timeout(&self) -> Duration {
        self.in_flight.timeout()
    }

    /// Hands the request out.
    pub fn send(mut self) -> (Request<Bytes>, InFlight<O>) {
        self.in_flight.0.state.send(&self.request);
        (self.request, self.in_flight)
    }
}

impl<O: Operation> InFlight<O> {
    /// How long to wait for the whole response, from connecting to its last byte.
    pub fn timeout(&self) -> Duration {
        self.0.state.progress.timeout
    }

    /// Which attempt it is, from 1.
    pub fn attempt(&self) -> u32 {
        self.0.state.progress.attempts
    }

    /// Takes a whole response.
    pub fn on_response(mut self, mut response: Response<Bytes>, now: Now) -> Next<O> {
        let unreadable = match unpack(&mut response, self.0.state.max_response_size()) {
            Ok(()) => None,
            Err(Packed::TooLarge) => {
                return self.on_fault(Fault::new(FaultKind::BodyTooLarge), now);
            }
            Err(Packed::Unreadable(error)) => Some(error),
        };
        let watch = mem::take(&mut self.0.state.watch);
        watch.response(Ok(&response), now);
        self.judge_response(&response, unreadable, now)
            .told(watch, now)
    }

    /// Takes a fault instead of a response.
    pub fn on_fault(mut self, fault: Fault, now: Now) -> Next<O> {
        let watch = mem::take(&mut self.0.state.watch);
        watch.response(Err(&fault), now);
        let verdict = self.0.state.judge_fault(fault, now);
        self.follow(verdict).told(watch, now)
    }
}

impl<O: Operation> Next<O> {
    /// Tells the observers what follows.
    fn told(mut self, watch: Watch, now: Now) -> Self {
        match &mut self {
            Self::Done(result) => {
                let outcome = result.as_ref().map(|_| ());
                watch.end(outcome, outcome.is_err_and(O::expects), now);
            }
            Self::Retry(backoff) => {
                watch.retry(backoff.wait.reason, backoff.wait.delay);
                backoff.call.state.watch = watch;
            }
        }
        self
    }
}

impl<O: Operation> Backoff<O> {
    /// How long to wait.
    pub fn delay(&self) -> Duration {
        self.wait.delay
    }

    /// Why the call is tried again.
    pub fn reason(&self) -> RetryReason {
        self.wait.reason
    }

    /// How many attempts were made.
    pub fn attempts(&self) -> u32 {
        self.call.state.progress.attempts
    }

    /// What the last attempt ended with.
    pub fn cause(&self) -> &Cause {
        &self.wait.cause
    }

    /// Makes the next attempt, dated and signed anew.
    ///
    /// # Errors
    ///
    /// If the deadline has passed, because the wait took longer than it should.
    pub fn resume(mut self, now: Now) -> Result<Attempt<O>, Error> {
        let state = &mut self.call.state;
        if state.is_over(now) {
            let watch = mem::take(&mut state.watch);
            let error = state.deadline_error(Some(self.wait.cause));
            watch.end(Err(&error), false, now);
            return Err(error);
        }
        Ok(Attempt::new(self.call, now))
    }
}
