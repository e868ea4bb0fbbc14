use std::{
    path::Path,
    sync::{Mutex, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{Request, Response};
use pipeline_proto::{Call, CallOptions, Context, Error, Fault, FaultKind, Next, Now, Operation};

use super::record::{Line, Outcome, SCHEMA_VERSION};
use crate::{failure::Failure, file::read};

/// A service that answers from a recording.
///
/// Time is that of the recording: each attempt takes as long as it took, and nothing is waited for.
pub(crate) struct Replay {
    context: Context,
    state: Mutex<State>,
}

struct State {
    /// What was not used yet, in the order of the file.
    lines: Vec<Option<Line>>,
    now: Now,
    /// The first request that the recording has no response to.
    missing: Option<String>,
}

impl Replay {
    pub(crate) fn read(path: &Path, context: Context) -> Result<Self, Failure> {
        let text = read::text(path)?;
        let mut lines = Vec::new();
        for (number, text) in text.lines().enumerate() {
            if text.trim().is_empty() {
                continue;
            }
            let wrong = |column: usize, what: &dyn std::fmt::Display| {
                let (path, line) = (path.display(), number + 1);
                Failure::usage(format!("{path}:{line}:{column}: {what}"))
            };
            let line: Line = serde_json::from_str(text).map_err(|error| {
                let column = error.column().max(1);
                let said = error.to_string();
                // It counts the lines of what it was given.
                let said = said.split(" at line ").next().unwrap_or_default();
                wrong(column, &format_args!("not a line of a recording: {said}"))
            })?;
            if line.schema_version != SCHEMA_VERSION {
                let what = format!(
                    "made by another version of this command (schema version {})",
                    line.schema_version
                );
                return Err(wrong(1, &what));
            }
            lines.push(Some(line));
        }
        let first = lines.first().and_then(Option::as_ref);
        let wall =
            first.and_then(|line| UNIX_EPOCH.checked_add(Duration::from_millis(line.sent_at_ms)));
        let state = State {
            lines,
            now: Now::new(wall.unwrap_or(UNIX_EPOCH), Duration::ZERO),
            missing: None,
        };
        Ok(Self {
            context,
            state: Mutex::new(state),
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn now(&self) -> Now {
        self.with(|state| state.now)
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.with(|state| state.now = state.now + time);
    }

    /// What the recording has no response to, if that was asked for.
    pub(crate) fn missing(&self) -> Option<String> {
        self.with(|state| state.missing.clone())
    }

    pub(crate) fn send_with<O: Operation>(
        &self,
        operation: O,
        options: CallOptions,
    ) -> Result<O::Output, Error> {
        let call = Call::new(&self.context, operation, options)?;
        let mut attempt = call.start(self.now());
        loop {
            let (request, in_flight) = attempt.send();
            let next = match self.exchange(&request) {
                Ok(response) => in_flight.on_response(response, self.now()),
                Err(fault) => in_flight.on_fault(fault, self.now()),
            };
            match next {
                Next::Done(result) => return result,
                Next::Retry(backoff) => {
                    self.pass(backoff.delay());
                    attempt = backoff.resume(self.now())?;
                }
            }
        }
    }

    /// The first response that was not used yet to a request of this method and target.
    fn exchange(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, Fault> {
        self.with(|state| {
            let target = request.uri().path_and_query().map_or("/", |it| it.as_str());
            let fits = |line: &&mut Option<Line>| {
                line.as_ref().is_some_and(|line| {
                    line.request.method == request.method().as_str()
                        && line.request.target == target
                })
            };
            let Some(line) = state.lines.iter_mut().find(fits).and_then(Option::take) else {
                let what = format!("{} {target}", request.method());
                state.missing.get_or_insert(what);
                // The one fault that ends a call at once; the failure that is shown says what is missing.
                return Err(Fault::new(FaultKind::BodyTooLarge));
            };
            state.now = state.now + Duration::from_micros(line.elapsed_us);
            line.outcome.into_response()
        })
    }
}

impl Outcome {
    fn into_response(self) -> Result<Response<Bytes>, Fault> {
        let broken = |what: String| Fault::new(FaultKind::Interrupted).with_source(what);
        match self {
            Self::Fault {
                kind,
                timed_out_while,
                permanent,
                detail,
            } => {
                let mut fault = Fault::new(kind);
                if let Some(phase) = timed_out_while {
                    fault = fault.timed_out(phase.phase());
                }
                if permanent {
                    fault = fault.permanent();
                }
                Err(match detail {
                    Some(detail) => fault.with_source(detail),
                    None => fault,
                })
            }
            Self::Response {
                status,
                headers,
                body,
            } => {
                let mut builder = Response::builder().status(status);
                for (name, value) in headers {
                    builder = builder.header(name, value);
                }
                let body = body.into_bytes().map_err(broken)?;
                builder
                    .body(body)
                    .map_err(|error| broken(error.to_string()))
            }
        }
    }
}
