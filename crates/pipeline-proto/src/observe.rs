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
//!             println!("{} {} {outcome} {attempts} {elapsed:?}", call.operation(), call.subject());
//!         }
//!     })
//!     .build();
//! # let _ = context;
//! ```
//!
//! An observer runs on the thread of the call and holds it up, so it should be quick. It must not
//! panic: that would end the call, and the process if it happens while a call is given up.

mod subject;

pub use subject::Subject;

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
    error::{Error, Fault, RetryReason},
    time::Now,
};

type Function = dyn Fn(&Observed, &Event<'_>) + Send + Sync;

/// The call that an event belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Observed {
    operation: &'static str,
    subject: Subject,
    number: u64,
}

impl Observed {
    /// The operation, as in [`Operation::NAME`](crate::Operation::NAME).
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// What it is about: the kind of resource and its name. Nothing of what is sent or read.
    pub fn subject(&self) -> &Subject {
        &self.subject
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
        /// Whether a failure is one that the caller reckoned with, as when a wait finds that what it watches
        /// is gone.
        expected: bool,
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
    pub(crate) fn begin(
        observers: &Observers,
        operation: &'static str,
        subject: impl FnOnce() -> Subject,
        now: Now,
    ) -> Self {
        if observers.functions.is_empty() {
            return Self(None);
        }
        Self(Some(Box::new(Watched {
            call: Observed {
                operation,
                subject: subject(),
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
    pub(crate) fn end(mut self, outcome: Result<(), &Error>, expected: bool, now: Now) {
        if let Some(watched) = &mut self.0 {
            watched.ended = true;
            watched.tell(&Event::End {
                attempts: watched.attempts,
                outcome,
                expected,
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
