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
//! | `pipeline.call` | info | `operation`, `attempts`, `outcome` (`ok`, `dropped`, or the kind of the error), `elapsed_ms` |
//! | `pipeline.attempt`, within it | debug | `attempt`, `method`, `path`, `status` or `fault`, `request_id`, `elapsed_ms` |
//!
//! The call's span lies within the one that is current when the call begins. In it stand an event at
//! level debug for each wait before a further attempt, with `reason` and `delay_ms`, and one at level
//! warn with the `error` if the call fails. Nothing holds a header or a body, and so no secret.

#![cfg_attr(docsrs, feature(doc_cfg))]

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use pipeline_proto::observe::{Event, Observed};
use tracing::{Span, debug, debug_span, field, info_span, warn};

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
                elapsed,
                ..
            } => {
                let kind = match outcome {
                    Ok(()) => "ok",
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

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
