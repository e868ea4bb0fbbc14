//! A fast-forward fixture: a script goes in, a trace comes out. Nothing is sent, and no time passes
//! but on a clock that the fixture moves.

#![allow(dead_code, reason = "each test target uses a part of it")]

pub(crate) mod signature;

use std::{
    collections::VecDeque,
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use pipeline_proto::{
    Call, CallOptions, Context, ContextBuilder, Credentials, Error, Fault, FaultKind, Next, Now,
    Operation, RetryReason, WorkflowName,
};

pub(crate) const ACCESS_KEY: &str = "access-key";
pub(crate) const SECRET_KEY: &str = "secret-key";

pub(crate) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// When every script begins: `Sun, 06 Nov 1994 08:49:37 GMT`, and a monotonic clock that was
/// running before.
pub(crate) fn start() -> Now {
    Now::new(UNIX_EPOCH + secs(784_111_777), secs(5000))
}

pub(crate) fn name() -> WorkflowName {
    WorkflowName::from_static("logs")
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new(ACCESS_KEY, SECRET_KEY).unwrap()
}

pub(crate) fn builder() -> ContextBuilder {
    Context::builder().credentials(credentials())
}

pub(crate) fn context() -> Context {
    builder().build()
}

/// The rows of a table, whose cells stand between bars.
pub(crate) fn rows<const N: usize>(table: &str) -> impl Iterator<Item = [&str; N]> {
    table.trim().lines().map(|row| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        cells.try_into().expect(row)
    })
}

/// What happens to one attempt.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    latency: Duration,
    outcome: Result<Response<Bytes>, FaultKind>,
    /// How many seconds the clock behind the `Date` of the response is ahead; without it there is no
    /// `Date`.
    clock: Option<i64>,
}

/// A response after 100 ms, without headers and body.
pub(crate) fn response(status: u16) -> Event {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    Event {
        latency: millis(100),
        outcome: Ok(response),
        clock: None,
    }
}

/// A response with the service's error object.
pub(crate) fn error(status: u16, message: &str) -> Event {
    let object = serde_json::json!({ "error": message });
    response(status)
        .header("content-type", "application/json")
        .header("x-reqid", "r1")
        .body(object.to_string())
}

/// What a refused signature is answered with.
pub(crate) fn bad_token() -> Event {
    error(401, "bad token")
}

/// No response, after 100 ms.
pub(crate) fn fault(kind: FaultKind) -> Event {
    Event {
        latency: millis(100),
        outcome: Err(kind),
        clock: None,
    }
}

/// The response to *get* that most tests are content with.
pub(crate) fn a_workflow() -> Event {
    response(200).body(r#"{"name":"logs","status":"Ready"}"#)
}

impl Event {
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        let response = self.outcome.as_mut().expect("a fault has no headers");
        let value = HeaderValue::from_str(value).unwrap();
        let headers = response.headers_mut();
        headers.append(HeaderName::from_static(name), value);
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        *self
            .outcome
            .as_mut()
            .expect("a fault has no body")
            .body_mut() = body.into();
        self
    }

    pub(crate) fn after(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Adds a `Date` of a clock that is this many seconds ahead.
    pub(crate) fn clock_ahead(mut self, seconds: i64) -> Self {
        self.clock = Some(seconds);
        self
    }

    /// The response as it arrives for a request that was sent at `sent`.
    pub(crate) fn into_response(self, sent: Now) -> Result<Response<Bytes>, Fault> {
        let mut response = self.outcome.map_err(Fault::new)?;
        if let Some(ahead) = self.clock {
            // The service writes it half-way.
            let written = (sent + self.latency / 2).wall;
            let shift = secs(ahead.unsigned_abs());
            let date = if ahead < 0 {
                written - shift
            } else {
                written + shift
            };
            let date = HeaderValue::from_str(&httpdate::fmt_http_date(date)).unwrap();
            response.headers_mut().insert("date", date);
        }
        Ok(response)
    }
}

/// Gives out the events in their order.
pub(crate) fn script(
    events: impl IntoIterator<Item = Event>,
) -> impl FnMut(&Request<Bytes>, Now) -> Event {
    let mut events: VecDeque<Event> = events.into_iter().collect();
    move |request, _| {
        let event = events.pop_front();
        event.unwrap_or_else(|| panic!("one more attempt than expected: {request:?}"))
    }
}

/// What a call did.
#[derive(Debug)]
pub(crate) struct Trace<T> {
    pub(crate) sent: Vec<Sent>,
    pub(crate) pauses: Vec<(Duration, RetryReason)>,
    pub(crate) result: Result<T, Error>,
    pub(crate) end: Now,
}

/// A request that went out.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) request: Request<Bytes>,
    pub(crate) at: Now,
    pub(crate) timeout: Duration,
}

impl<T> Trace<T> {
    pub(crate) fn attempts(&self) -> usize {
        self.sent.len()
    }

    /// The waits between the attempts.
    pub(crate) fn delays(&self) -> Vec<Duration> {
        self.pauses.iter().map(|(delay, _)| *delay).collect()
    }
}

impl<T: std::fmt::Debug> Trace<T> {
    pub(crate) fn error(self) -> Error {
        self.result.unwrap_err()
    }
}

/// Drives a call from [`start`] on with the usual keys.
pub(crate) fn run<O: Operation>(
    operation: O,
    events: impl IntoIterator<Item = Event>,
) -> Trace<O::Output> {
    run_with(&context(), operation, CallOptions::new(), events)
}

/// Drives a call from [`start`] on.
pub(crate) fn run_with<O: Operation>(
    context: &Context,
    operation: O,
    options: CallOptions,
    events: impl IntoIterator<Item = Event>,
) -> Trace<O::Output> {
    let call = Call::new(context, operation, options).unwrap();
    drive(call, start(), script(events))
}

/// Drives a call as a transport would: whatever takes longer than the attempt may take is a
/// time-out.
pub(crate) fn drive<O: Operation>(
    call: Call<O>,
    start: Now,
    mut server: impl FnMut(&Request<Bytes>, Now) -> Event,
) -> Trace<O::Output> {
    let mut now = start;
    let (mut sent, mut pauses) = (Vec::new(), Vec::new());
    let mut attempt = call.start(now);
    let result = loop {
        assert_eq!(usize::try_from(attempt.number()), Ok(sent.len() + 1));
        let (request, in_flight) = attempt.send();
        let timeout = in_flight.timeout();
        let event = server(&request, now);
        sent.push(Sent {
            request,
            at: now,
            timeout,
        });
        let next = if event.latency < timeout {
            let (response, received) = (event.clone().into_response(now), now + event.latency);
            now = received;
            match response {
                Ok(response) => in_flight.on_response(response, received),
                Err(fault) => in_flight.on_fault(fault, received),
            }
        } else {
            now = now + timeout;
            in_flight.on_fault(Fault::new(FaultKind::TimedOut), now)
        };
        match next {
            Next::Done(result) => break result,
            Next::Retry(backoff) => {
                assert_eq!(usize::try_from(backoff.attempts()), Ok(sent.len()));
                pauses.push((backoff.delay(), backoff.reason()));
                now = now + backoff.delay();
                attempt = match backoff.resume(now) {
                    Ok(attempt) => attempt,
                    Err(error) => break Err(error),
                };
            }
        }
    };
    Trace {
        sent,
        pauses,
        result,
        end: now,
    }
}
