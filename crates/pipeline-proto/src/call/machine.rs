mod judge;
mod refusal;

use std::{mem, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, Uri,
    header::{ACCEPT_ENCODING, CONTENT_TYPE, USER_AGENT},
};

use super::{
    auth::Auth,
    context::Context,
    options::CallOptions,
    policy::RetryPolicy,
    stamp::stamp,
    unpack::{Packed, unpack},
};
use crate::{
    error::{BuildError, Cause, Effect, Error, Fault, FaultKind, RetryReason, StopReason},
    header::RESOURCE_OWNER,
    observe::Watch,
    operation::{Idempotency, Operation, check_header},
    time::{ClockOffset, Now},
};

/// An operation with everything that a request of it needs but the moment.
#[must_use = "a call does nothing until it is started"]
pub struct Call<O> {
    operation: O,
    context: Context,
    options: CallOptions,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) content_type: Option<HeaderValue>,
    /// Those of the operation and of the options: all that can be signed beside the content type.
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Who is told; nobody before the call starts.
    watch: Watch,
}

/// What is known of a call after it started.
#[derive(Debug, Clone, Copy)]
struct Progress {
    attempts: u32,
    /// On the monotonic clock; computed once, when the call starts.
    deadline: Duration,
    /// Sum of the waits so far.
    waited: Duration,
    /// The one further attempt that a wrong clock is worth was made.
    clock_corrected: bool,
    /// The one further attempt with another request was made, for a service that did not know the
    /// first.
    fell_back: bool,
    /// An attempt may have taken effect.
    effect: Effect,
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
pub struct InFlight<O> {
    call: Call<O>,
    progress: Progress,
    sent: Now,
    /// The offset that the signature was made with.
    offset: ClockOffset,
    timeout: Duration,
}

/// What follows from a response or a fault. Exhaustive: whoever drives a call has to do what it says.
#[derive(Debug)]
#[must_use = "either the result is there, or a further attempt is due"]
#[allow(
    clippy::large_enum_variant,
    reason = "moved once per attempt; a box would cost more"
)]
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
    progress: Progress,
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
        let build = |error: BuildError| Error::build(name, error);
        let operation = match operation.fallback() {
            Some(other) if context.is_unknown(name) => other,
            _ => operation,
        };
        let template = operation.template().map_err(build)?;
        let mut headers = template.headers;
        if let Some(special) = options.special() {
            for (name, value) in &special.headers {
                check_header(&headers, name).map_err(build)?;
                headers.insert(name, value.clone());
            }
        }
        for (name, value) in &context.settings().headers {
            if !headers.contains_key(name) {
                headers.insert(name, value.clone());
            }
        }
        let uri = context.endpoint().uri(template.target).map_err(build)?;
        Ok(Self {
            operation,
            context: context.clone(),
            options,
            method: template.method,
            uri,
            content_type: template.content_type,
            headers,
            body: template.body,
            watch: Watch::default(),
        })
    }

    /// Makes the first attempt. From here on the deadline counts.
    pub fn start(mut self, now: Now) -> Attempt<O> {
        self.watch = Watch::begin(
            self.context.observers(),
            self.operation.name(),
            || self.operation.subject(),
            now,
        );
        let total = self.total_timeout();
        let progress = Progress {
            attempts: 0,
            deadline: now.mono.saturating_add(total),
            waited: Duration::ZERO,
            clock_corrected: false,
            fell_back: false,
            effect: Effect::None,
        };
        Attempt::new(self, progress, now)
    }
}

impl<O> Call<O> {
    pub(super) fn auth(&self) -> &Auth {
        let own = self.options.special().and_then(|own| own.auth.as_ref());
        own.unwrap_or(&self.context.settings().auth)
    }

    fn retry(&self) -> &RetryPolicy {
        let own = self.options.special().and_then(|own| own.retry.as_ref());
        own.unwrap_or(&self.context.settings().retry)
    }

    fn total_timeout(&self) -> Duration {
        let own = self.options.special().and_then(|own| own.total_timeout);
        own.unwrap_or(self.context.settings().total_timeout)
    }

    fn attempt_timeout(&self) -> Duration {
        let own = self.options.special().and_then(|own| own.attempt_timeout);
        own.unwrap_or(self.context.settings().attempt_timeout)
    }

    /// The request, dated and signed for this moment.
    fn request(&self, now: Now, offset: ClockOffset) -> Request<Bytes> {
        let mut request = Request::new(self.body.clone());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        // Four, the host that the transport adds, and one more: as much as fits the smallest table. What has a
        // body has the length as well.
        headers.reserve(6 + usize::from(self.content_type.is_some()) + self.headers.len());
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        if let Some(content_type) = &self.content_type {
            headers.insert(CONTENT_TYPE, content_type.clone());
        }
        if let Some(owner) = self.options.special().and_then(|own| own.owner.as_ref()) {
            headers.insert(&RESOURCE_OWNER, owner.clone());
        }
        headers.insert(USER_AGENT, self.context.settings().user_agent.clone());
        // Without it, a response may be compressed in any way.
        headers
            .entry(ACCEPT_ENCODING)
            .or_insert(HeaderValue::from_static("identity"));
        stamp(headers, self, offset.apply(now.wall));
        request
    }
}

impl<O: Operation> Attempt<O> {
    fn new(call: Call<O>, mut progress: Progress, now: Now) -> Self {
        progress.attempts += 1;
        let offset = call.context.clock_offset();
        let remaining = progress.deadline.saturating_sub(now.mono);
        let timeout = call.attempt_timeout().min(remaining);
        let request = call.request(now, offset);
        Self {
            request,
            in_flight: InFlight {
                call,
                progress,
                sent: now,
                offset,
                timeout,
            },
        }
    }

    /// The request, for a look at it.
    pub fn request(&self) -> &Request<Bytes> {
        &self.request
    }

    /// Which attempt it is, from 1.
    pub fn number(&self) -> u32 {
        self.in_flight.progress.attempts
    }

    /// How long to wait for the whole response, from now.
    pub fn timeout(&self) -> Duration {
        self.in_flight.timeout
    }

    /// Hands the request out.
    pub fn send(mut self) -> (Request<Bytes>, InFlight<O>) {
        let (number, sent) = (self.number(), self.in_flight.sent);
        let watch = &mut self.in_flight.call.watch;
        watch.request(number, &self.request, sent);
        (self.request, self.in_flight)
    }
}

impl<O: Operation> InFlight<O> {
    /// How long to wait for the whole response, from connecting to its last byte.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Which attempt it is, from 1.
    pub fn attempt(&self) -> u32 {
        self.progress.attempts
    }

    /// Takes a whole response.
    pub fn on_response(mut self, mut response: Response<Bytes>, now: Now) -> Next<O> {
        let unreadable = match unpack(&mut response, self.call.context.max_response_size()) {
            Ok(()) => None,
            Err(Packed::TooLarge) => {
                return self.on_fault(Fault::new(FaultKind::BodyTooLarge), now);
            }
            Err(Packed::Unreadable(error)) => Some(error),
        };
        let watch = mem::take(&mut self.call.watch);
        watch.response(Ok(&response), now);
        self.judge_response(&response, unreadable, now)
            .told(watch, now)
    }

    /// Takes a fault instead of a response.
    pub fn on_fault(mut self, fault: Fault, now: Now) -> Next<O> {
        let watch = mem::take(&mut self.call.watch);
        watch.response(Err(&fault), now);
        self.judge_fault(fault, now).told(watch, now)
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
                watch.retry(backoff.reason, backoff.delay);
                backoff.call.watch = watch;
            }
        }
        self
    }
}

impl<O: Operation> Call<O> {
    /// What a second sending could do, or is to be taken to do.
    fn idempotency(&self) -> Idempotency {
        let own = self.options.special().and_then(|own| own.idempotency);
        own.unwrap_or_else(|| self.operation.idempotency())
    }

    fn deadline_error(&self, progress: &Progress, last: Option<Cause>) -> Error {
        let cause = Cause::Deadline {
            total: self.total_timeout(),
            last: last.map(Box::new),
        };
        Error::new(
            self.operation.name(),
            cause,
            progress.attempts,
            progress.effect,
            StopReason::DeadlineNear,
        )
    }
}

impl<O: Operation> Backoff<O> {
    /// How long to wait.
    pub fn delay(&self) -> Duration {
        self.delay
    }

    /// Why the call is tried again.
    pub fn reason(&self) -> RetryReason {
        self.reason
    }

    /// How many attempts were made.
    pub fn attempts(&self) -> u32 {
        self.progress.attempts
    }

    /// What the last attempt ended with.
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// Makes the next attempt, dated and signed anew.
    ///
    /// # Errors
    ///
    /// If the deadline has passed, because the wait took longer than it should.
    pub fn resume(mut self, now: Now) -> Result<Attempt<O>, Error> {
        if now.mono >= self.progress.deadline {
            let watch = mem::take(&mut self.call.watch);
            let error = self.call.deadline_error(&self.progress, Some(self.cause));
            watch.end(Err(&error), false, now);
            return Err(error);
        }
        Ok(Attempt::new(self.call, self.progress, now))
    }
}
