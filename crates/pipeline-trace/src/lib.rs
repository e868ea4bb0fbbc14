//! Spans of [`tracing`] for the calls of a client.
//!
//! Both clients do this by themselves with their feature `tracing`. With a transport of your own, add
//! the [`observer`] to the context:
//!
//! ```
//! use pipeline_proto::Context;
//!
//! let context = Context::builder().observer(pipeline_trace::observer()).build();
//! # let _ = context;
//! ```
//!
//! | span | level | members |
//! |---|---|---|
//! | `pipeline.wait` | info | `watched`, `goal`, `polls`, `outcome` (`ok`, `dropped`, `timed-out`, `settled`, `not-found` or `failed`), `elapsed_ms` |
//! | `pipeline.call`, within a wait or not | info | `operation`, `kind` and `name` of the resource, `attempts`, `outcome` (`ok`, `dropped`, or the kind of the error), `elapsed_ms` |
//! | `pipeline.attempt`, within a call | debug | `attempt`, `method`, `path`, `status` or `fault`, `request_id`, `elapsed_ms` |
//!
//! The call's span lies within the one that is current when the call begins. In it stand an event at
//! level debug for each pause before a further attempt, with `reason` and `delay_ms`, and one with the
//! `error` if the call or the wait fails: at level warn, but at debug for what the caller reckoned with, as
//! when a wait sees that a workflow is gone. What `.optional()` finds nothing of is no failure. Nothing holds a
//! header or a body, and so no secret.
//!
//! The clients put [`waiting`] and [`waiting_async`] around their waits.
//!
//! With the feature `layer`, `layer` ships what a program logs, as records in a message queue.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "layer")]
#[cfg_attr(docsrs, doc(cfg(feature = "layer")))]
mod layer;

use std::{
    collections::HashMap,
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use pipeline_proto::{
    observe::{Event, Observed},
    wait::{Goal, Observation, WaitError, WaitFailure, Watch},
};
use tracing::{Instrument as _, Span, debug, debug_span, field, info_span, warn};

#[cfg(feature = "layer")]
pub use layer::{Dropped, EventLayer, Record, layer, unshipped};

/// The spans of a call that is under way.
struct Spans {
    call: Span,
    attempt: Span,
}

/// Makes an observer that turns what it is told into spans.
///
/// It is for one context, or for those that are made of clones of one builder.
pub fn observer() -> impl Fn(&Observed, &Event<'_>) + Send + Sync + 'static {
    let running: Mutex<HashMap<u64, Spans>> = Mutex::default();
    move |call, event| {
        let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Event::Request {
            attempt, request, ..
        } = event
        {
            let spans = running.entry(call.number()).or_insert_with(|| Spans {
                call: info_span!(
                    "pipeline.call",
                    operation = call.operation(),
                    kind = call.subject().kind(),
                    name = call.subject().name(),
                    attempts = field::Empty,
                    outcome = field::Empty,
                    elapsed_ms = field::Empty,
                ),
                attempt: Span::none(),
            });
            spans.attempt = debug_span!(
                parent: &spans.call,
                "pipeline.attempt",
                attempt,
                method = request.method().as_str(),
                path = request.uri().path(),
                status = field::Empty,
                fault = field::Empty,
                request_id = field::Empty,
                elapsed_ms = field::Empty,
            );
        } else if matches!(event, Event::End { .. } | Event::Dropped { .. }) {
            if let Some(spans) = running.remove(&call.number()) {
                // A subscriber may make calls itself.
                drop(running);
                spans.tell(event);
            }
        } else if let Some(spans) = running.get_mut(&call.number()) {
            spans.tell(event);
        }
    }
}

impl Spans {
    fn tell(&self, event: &Event<'_>) {
        match event {
            Event::Response {
                response, elapsed, ..
            } => {
                match response {
                    Ok(response) => {
                        self.attempt.record("status", response.status().as_u16());
                        let id = response.headers().get("x-reqid");
                        if let Some(id) = id.and_then(|id| id.to_str().ok()) {
                            self.attempt.record("request_id", id);
                        }
                    }
                    Err(fault) => {
                        self.attempt.record("fault", field::display(fault));
                    }
                }
                self.attempt.record("elapsed_ms", millis(*elapsed));
            }
            Event::Retry { reason, delay, .. } => {
                debug!(parent: &self.call, %reason, delay_ms = millis(*delay), "retry");
            }
            Event::End {
                attempts,
                outcome,
                expected,
                elapsed,
                ..
            } => {
                let kind = match outcome {
                    Ok(()) => "ok",
                    Err(error) if *expected => {
                        debug!(parent: &self.call, %error, "failed");
                        error.kind().as_str()
                    }
                    Err(error) => {
                        warn!(parent: &self.call, %error, "failed");
                        error.kind().as_str()
                    }
                };
                self.call.record("outcome", kind);
                self.call.record("attempts", attempts);
                self.call.record("elapsed_ms", millis(*elapsed));
            }
            Event::Dropped { attempts, .. } => {
                self.call.record("outcome", "dropped");
                self.call.record("attempts", attempts);
            }
            _ => {}
        }
    }
}

/// Runs a wait in a span of its own.
///
/// # Errors
///
/// Those of the wait.
pub fn waiting<W: Watch>(
    watched: &str,
    goal: Goal,
    run: impl FnOnce() -> Result<Observation<W>, WaitError>,
) -> Result<Observation<W>, WaitError> {
    let wait = Wait::begin(watched, goal);
    let result = wait.span.in_scope(run);
    wait.end(&result);
    result
}

/// As [`waiting`], for a wait that is a future.
///
/// # Errors
///
/// Those of the wait.
pub async fn waiting_async<W: Watch>(
    watched: &str,
    goal: Goal,
    run: impl Future<Output = Result<Observation<W>, WaitError>>,
) -> Result<Observation<W>, WaitError> {
    let wait = Wait::begin(watched, goal);
    let result = run.instrument(wait.span.clone()).await;
    wait.end(&result);
    result
}

struct Wait {
    span: Span,
    ended: bool,
}

impl Wait {
    fn begin(watched: &str, goal: Goal) -> Self {
        let span = info_span!(
            "pipeline.wait",
            watched,
            goal = goal.as_str(),
            polls = field::Empty,
            outcome = field::Empty,
            elapsed_ms = field::Empty,
        );
        Self { span, ended: false }
    }

    fn end<W: Watch>(mut self, result: &Result<Observation<W>, WaitError>) {
        self.ended = true;
        let (outcome, polls, elapsed) = match result {
            Ok(seen) => ("ok", seen.polls, seen.elapsed),
            Err(error) => {
                warn!(parent: &self.span, %error, "failed");
                let outcome = match error.failure() {
                    WaitFailure::TimedOut(_) => "timed-out",
                    WaitFailure::Settled(_) => "settled",
                    WaitFailure::NotFound(_) => "not-found",
                    _ => "failed",
                };
                (outcome, error.polls(), error.elapsed())
            }
        };
        self.span.record("outcome", outcome);
        self.span.record("polls", polls);
        self.span.record("elapsed_ms", millis(elapsed));
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if !self.ended {
            self.span.record("outcome", "dropped");
        }
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
