//! Watching calls: for metrics, for logs, for seeing what goes over the wire.
//!
//! An observer is a function that is told of each [`Event`] of each call, from [`Call::start`] on. It
//! is given to a [context](crate::ContextBuilder::observer), or to the builder of a client. The states
//! of a call carry the observers along, so whoever drives one has nothing to do for it. A call whose
//! request cannot be built is no event, since nothing happens.
//!
//! [`Call::start`]: crate::Call::start
//!
//! ```
//! use pipeline_proto::Context;
//! use pipeline_proto::observe::Event;
//!
//! let context = Context::builder()
//!     .observer(|call, event| {
//!         if let Event::End { attempts, outcome, elapsed, .. } = event {
//!             let outcome = outcome.map_or_else(|error| error.kind().as_str(), |()| "ok");
//!             println!("{} {outcome} {attempts} {elapsed:?}", call.operation());
//!         }
//!     })
//!     .build();
//! # let _ = context;
//! ```
//!
//! An observer runs on the thread of the call and holds it up, so it should be quick. It must not
//! panic: that would end the call, and the process if it happens while a call is given up.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};

use crate::{
    call::RetryReason,
    error::{Error, Fault},
    time::Now,
};

type Function = dyn Fn(&Observed, &Event<'_>) + Send + Sync;

/// The call that an event belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Observed {
    operation: &'static str,
    number: u64,
}

impl Observed {
    /// The operation, as in [`Operation::NAME`](crate::Operation::NAME).
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// Tells the calls apart that an observer is told of, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }
}

/// What happened. Attempts are counted from 1.
///
/// A request or a response shows its body, which may hold secrets of a workflow's nodes; the
/// `Authorization` header is a credential.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A request is about to be sent.
    #[non_exhaustive]
    Request {
        /// Which attempt it is.
        attempt: u32,
        /// As it is handed to the transport.
        request: &'a Request<Bytes>,
        /// When it is sent.
        at: Now,
    },
    /// The attempt has ended.
    #[non_exhaustive]
    Response {
        /// Which attempt it was.
        attempt: u32,
        /// What came back.
        response: Result<&'a Response<Bytes>, &'a Fault>,
        /// Time since the request.
        elapsed: Duration,
    },
    /// The call is tried again after a wait.
    #[non_exhaustive]
    Retry {
        /// How many attempts were made.
        attempts: u32,
        /// Why.
        reason: RetryReason,
        /// How long the wait is.
        delay: Duration,
    },
    /// The call has ended.
    #[non_exhaustive]
    End {
        /// How many attempts were made.
        attempts: u32,
        /// How it ended.
        outcome: Result<(), &'a Error>,
        /// Time since the call began.
        elapsed: Duration,
    },
    /// The call was given up by its caller, as when a future is dropped before it is ready. The last
    /// request may have taken effect.
    #[non_exhaustive]
    Dropped {
        /// How many attempts were made.
        attempts: u32,
    },
}

/// Who is told. The numbers go with the observers, so that no observer meets one twice.
#[derive(Clone, Default)]
pub(crate) struct Observers {
    functions: Vec<Arc<Function>>,
    last_number: Arc<AtomicU64>,
}

impl Observers {
    pub(crate) fn add(&mut self, observe: impl Fn(&Observed, &Event<'_>) + Send + Sync + 'static) {
        self.functions.push(Arc::new(observe));
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} observers]", self.functions.len())
    }
}

/// Tells the observers of a context about one call. Without observers there is nothing in it.
#[derive(Debug, Default)]
pub(crate) struct Watch(Option<Box<Watched>>);

struct Watched {
    observers: Observers,
    call: Observed,
    started: Now,
    sent: Now,
    attempts: u32,
    ended: bool,
}

impl Watch {
    /// A call of this operation begins.
    pub(crate) fn begin(observers: &Observers, operation: &'static str, now: Now) -> Self {
        if observers.functions.is_empty() {
            return Self(None);
        }
        Self(Some(Box::new(Watched {
            call: Observed {
                operation,
                number: observers.last_number.fetch_add(1, Ordering::Relaxed) + 1,
            },
            observers: observers.clone(),
            started: now,
            sent: now,
            attempts: 0,
            ended: false,
        })))
    }

    /// A request is about to be sent.
    pub(crate) fn request(&mut self, attempt: u32, request: &Request<Bytes>, at: Now) {
        if let Some(watched) = &mut self.0 {
            (watched.attempts, watched.sent) = (attempt, at);
            watched.tell(&Event::Request {
                attempt,
                request,
                at,
            });
        }
    }

    /// The attempt has ended.
    pub(crate) fn response(&self, response: Result<&Response<Bytes>, &Fault>, now: Now) {
        if let Some(watched) = &self.0 {
            watched.tell(&Event::Response {
                attempt: watched.attempts,
                response,
                elapsed: now.since(watched.sent),
            });
        }
    }

    /// A further attempt is due.
    pub(crate) fn retry(&self, reason: RetryReason, delay: Duration) {
        if let Some(watched) = &self.0 {
            watched.tell(&Event::Retry {
                attempts: watched.attempts,
                reason,
                delay,
            });
        }
    }

    /// The call has ended.
    pub(crate) fn end(mut self, outcome: Result<(), &Error>, now: Now) {
        if let Some(watched) = &mut self.0 {
            watched.ended = true;
            watched.tell(&Event::End {
                attempts: watched.attempts,
                outcome,
                elapsed: now.since(watched.started),
            });
        }
    }
}

impl Watched {
    fn tell(&self, event: &Event<'_>) {
        for observe in &self.observers.functions {
            observe(&self.call, event);
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if !self.ended {
            self.tell(&Event::Dropped {
                attempts: self.attempts,
            });
        }
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched")
            .field("call", &self.call)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Mutex, time::SystemTime};

    use super::*;
    use crate::{
        call::{Call, CallOptions, Context, Next},
        operation::ListWorkflows,
    };

    fn now() -> Now {
        Now::new(SystemTime::UNIX_EPOCH, Duration::ZERO)
    }

    fn list(context: &Context) -> Call<ListWorkflows> {
        Call::new(context, ListWorkflows::new(), CallOptions::new()).unwrap()
    }

    #[test]
    fn a_call_that_is_given_up_says_so_once() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&seen);
        let context = Context::builder()
            .observer(move |call, event| {
                let what = match event {
                    Event::Request { .. } => "request",
                    Event::Dropped { attempts: 1, .. } => "dropped after 1",
                    _ => "something else",
                };
                told.lock().unwrap().push((call.number(), what));
            })
            .build();
        for _ in 0..2 {
            drop(list(&context).start(now()).send());
        }
        let seen = seen.lock().unwrap();
        let expected = [
            (1, "request"),
            (1, "dropped after 1"),
            (2, "request"),
            (2, "dropped after 1"),
        ];
        assert_eq!(*seen, expected);
    }

    #[test]
    fn a_call_is_told_from_its_first_request_to_its_end() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&seen);
        let context = Context::builder()
            .observer(move |call, event| {
                let what = match event {
                    Event::Request { attempt, .. } => format!("request {attempt}"),
                    Event::Response {
                        attempt,
                        response: Ok(response),
                        elapsed,
                    } => format!("response {attempt}: {} in {elapsed:?}", response.status()),
                    Event::Retry {
                        attempts, reason, ..
                    } => format!("retry after {attempts}: {reason}"),
                    Event::End {
                        attempts, elapsed, ..
                    } => format!("end after {attempts} in {elapsed:?}"),
                    other => format!("{other:?}"),
                };
                let call = format!("{} {}", call.operation(), call.number());
                told.lock().unwrap().push(format!("{call}: {what}"));
            })
            .build();
        let second = Duration::from_secs(1);
        let response = |status: u16| {
            let mut response = Response::new(Bytes::from_static(b"[]"));
            *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
            response
        };

        let mut at = now();
        let mut attempt = list(&context).start(at);
        let mut statuses = [503, 200].into_iter();
        let result = loop {
            let (_, in_flight) = attempt.send();
            at = at + second;
            match in_flight.on_response(response(statuses.next().unwrap()), at) {
                Next::Done(result) => break result,
                Next::Retry(backoff) => attempt = backoff.resume(at).unwrap(),
            }
        };
        assert!(result.unwrap().is_empty());
        let seen = seen.lock().unwrap();
        let expected = [
            "list_workflows 1: request 1",
            "list_workflows 1: response 1: 503 Service Unavailable in 1s",
            "list_workflows 1: retry after 1: HTTP 503",
            "list_workflows 1: request 2",
            "list_workflows 1: response 2: 200 OK in 1s",
            "list_workflows 1: end after 2 in 2s",
        ];
        assert_eq!(*seen, expected);
    }

    #[test]
    fn every_observer_is_told() {
        let count = Arc::new(AtomicU64::new(0));
        let add = |by| {
            let count = Arc::clone(&count);
            move |_: &Observed, _: &Event<'_>| {
                count.fetch_add(by, Ordering::Relaxed);
            }
        };
        let builder = Context::builder().observer(add(1)).observer(add(10));
        assert!(format!("{builder:?}").contains("[2 observers]"));
        let context = builder.build();
        // Given up before it is sent.
        drop(list(&context).start(now()));
        assert_eq!(count.load(Ordering::Relaxed), 11);
    }
}
