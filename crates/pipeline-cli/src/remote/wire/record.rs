use std::{
    collections::HashMap,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use pipeline_proto::{
    Fault, FaultKind, Phase,
    observe::{Event, Observed},
};
use serde::{Deserialize, Serialize};

use super::shown;
use crate::{
    failure::Failure,
    file::{Stream, Target},
    output::note,
};

/// One attempt: a line of a recording.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Line {
    /// Rises when the meaning of a member changes.
    pub(super) schema_version: u32,
    /// Tells calls apart.
    pub(super) call: u64,
    pub(super) operation: String,
    pub(super) attempt: u32,
    /// Milliseconds since 1970 by this machine's clock.
    pub(super) sent_at_ms: u64,
    pub(super) elapsed_us: u64,
    pub(super) request: Sent,
    #[serde(flatten)]
    pub(super) outcome: Outcome,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Sent {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Body,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    Response {
        status: u16,
        headers: Vec<(String, String)>,
        body: Body,
    },
    Fault {
        #[serde(with = "kind")]
        kind: FaultKind,
        timed_out_while: Option<While>,
        /// A further attempt would end the same way.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        permanent: bool,
        detail: Option<String>,
    },
}

/// A body: text, or base64 where it is none.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Body {
    Text(String),
    Bytes { base64: String },
}

/// The kinds of faults, as a recording names them: with `_` in place of `-`.
mod kind {
    use pipeline_proto::FaultKind;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde wants it")]
    pub(super) fn serialize<S: Serializer>(kind: &FaultKind, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&kind.as_str().replace('-', "_"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<FaultKind, D::Error> {
        let word = String::deserialize(from)?.replace('_', "-");
        word.parse().map_err(D::Error::custom)
    }
}

/// What a transport was waiting for, as a recording names it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum While {
    Resolving,
    Connecting,
    Tunnelling,
    Encrypting,
    Sending,
    Waiting,
    Reading,
}

pub(super) const SCHEMA_VERSION: u32 = 1;

impl Body {
    fn of(bytes: &Bytes) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Bytes {
                base64: STANDARD.encode(bytes),
            },
        }
    }

    pub(super) fn into_bytes(self) -> Result<Bytes, String> {
        match self {
            Self::Text(text) => Ok(text.into()),
            Self::Bytes { base64 } => STANDARD
                .decode(base64)
                .map(Bytes::from)
                .map_err(|error| error.to_string()),
        }
    }
}

fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    shown(headers)
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

impl From<&Request<Bytes>> for Sent {
    fn from(request: &Request<Bytes>) -> Self {
        let target = request.uri().path_and_query();
        Self {
            method: request.method().to_string(),
            target: target.map_or_else(|| "/".to_owned(), ToString::to_string),
            headers: headers(request.headers()),
            body: Body::of(request.body()),
        }
    }
}

impl From<&Response<Bytes>> for Outcome {
    fn from(response: &Response<Bytes>) -> Self {
        Self::Response {
            status: response.status().as_u16(),
            headers: headers(response.headers()),
            body: Body::of(response.body()),
        }
    }
}

impl From<&Fault> for Outcome {
    fn from(fault: &Fault) -> Self {
        Self::Fault {
            kind: fault.kind(),
            timed_out_while: fault.phase().map(|phase| match phase {
                Phase::Resolve => While::Resolving,
                Phase::Connect => While::Connecting,
                Phase::Proxy => While::Tunnelling,
                Phase::Tls => While::Encrypting,
                Phase::Send => While::Sending,
                Phase::Body => While::Reading,
                _ => While::Waiting,
            }),
            permanent: fault.is_permanent(),
            detail: std::error::Error::source(fault).map(ToString::to_string),
        }
    }
}

impl While {
    pub(super) fn phase(self) -> Phase {
        match self {
            Self::Resolving => Phase::Resolve,
            Self::Connecting => Phase::Connect,
            Self::Tunnelling => Phase::Proxy,
            Self::Encrypting => Phase::Tls,
            Self::Sending => Phase::Send,
            Self::Waiting => Phase::Response,
            Self::Reading => Phase::Body,
        }
    }
}

/// Writes each attempt into a file when it has ended.
pub(crate) struct Recorder {
    path: PathBuf,
    state: Mutex<State>,
}

struct State {
    file: Stream,
    /// Requests that wait for their responses, by the number of their call.
    sent: HashMap<u64, (Sent, u64)>,
    broken: bool,
}

impl Recorder {
    /// Opens the file, readable for its owner only, since bodies may hold secrets.
    pub(crate) fn create(path: &Path, yes: bool) -> Result<Self, Failure> {
        let file = Target::ask(path, yes)?.stream()?;
        Ok(Self {
            path: path.to_owned(),
            state: Mutex::new(State {
                file,
                sent: HashMap::new(),
                broken: false,
            }),
        })
    }

    pub(crate) fn observe(&self, call: &Observed, event: &Event<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Request { request, at, .. } => {
                let since = at.wall.duration_since(UNIX_EPOCH).unwrap_or_default();
                let sent_at = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
                state
                    .sent
                    .insert(call.number(), (Sent::from(*request), sent_at));
            }
            Event::Response {
                attempt,
                response,
                elapsed,
                ..
            } => {
                let Some((request, sent_at_ms)) = state.sent.remove(&call.number()) else {
                    return;
                };
                let line = Line {
                    schema_version: SCHEMA_VERSION,
                    call: call.number(),
                    operation: call.operation().to_owned(),
                    attempt: *attempt,
                    sent_at_ms,
                    elapsed_us: micros(*elapsed),
                    request,
                    outcome: match response {
                        Ok(response) => Outcome::from(*response),
                        Err(fault) => Outcome::from(*fault),
                    },
                };
                if let Err(error) = write(&mut state.file, &line)
                    && !std::mem::replace(&mut state.broken, true)
                {
                    // The command itself goes on: it may be in the middle of a change.
                    note(format_args!(
                        "warning: the recording is not complete: {}: {error}",
                        self.path.display()
                    ));
                }
            }
            _ => {}
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn write(file: &mut Stream, line: &Line) -> io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    file.write_all(&text)
}
