//! The log of requests, for assertions.

use std::{collections::VecDeque, fmt};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, request};
use pipeline_proto::Now;

use crate::id::Kind;

/// Of a longer body only this much is kept.
const KEPT_BODY: usize = 16 * 1024;

/// A request that was answered.
///
/// The signature is not kept: `Authorization` reads `Pandora <access key>:(masked)`. `Debug` tells
/// the length of the body only, since node data may hold secrets.
///
/// ```
/// use bytes::Bytes;
/// use http::Request;
/// use pipeline_emulator::Emulator;
/// use pipeline_proto::Now;
/// use std::time::{Duration, SystemTime};
///
/// let mut emulator = Emulator::builder().build();
/// let now = Now::new(SystemTime::UNIX_EPOCH, Duration::ZERO);
/// emulator.handle(Request::get("/v2/workflows/logs").body(Bytes::new())?, now);
/// let seen = emulator.requests().next_back().unwrap();
/// assert_eq!(seen.operation, Some("get_workflow"));
/// assert_eq!((seen.workflow.as_deref(), seen.status.as_u16()), (Some("logs"), 401));
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// When it was answered.
    pub at: Now,
    /// Its method.
    pub method: Method,
    /// Where it went, as it was sent.
    pub uri: Uri,
    /// The operation, if method and path name one: `get_workflow`, as the client calls it.
    pub operation: Option<&'static str>,
    /// The name of a workflow in the path, legal or not.
    pub workflow: Option<String>,
    /// What it was about: `repo`, `export` and so on; for what can be a node of a workflow, the node's type.
    pub kind: Option<&'static str>,
    /// The name of that in the path, legal or not, behind that of what it hangs on: `clicks/save`. None if the
    /// request was about all of a kind.
    pub name: Option<String>,
    /// The account whose workflows it was about, if it got as far as that.
    pub owner: Option<String>,
    /// Its headers, the signature masked.
    pub headers: HeaderMap,
    /// The first 16 KiB of its body.
    pub body: Bytes,
    /// Length of the whole body.
    pub body_length: usize,
    /// The status of the response.
    pub status: StatusCode,
    /// The `X-Reqid` of the response.
    pub request_id: String,
}

impl fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedRequest")
            .field("at", &self.at)
            .field("method", &self.method)
            .field("uri", &self.uri)
            .field("operation", &self.operation)
            .field("kind", &self.kind)
            .field("name", &self.name)
            .field("owner", &self.owner)
            .field("headers", &self.headers)
            .field("body_length", &self.body_length)
            .field("status", &self.status)
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}

/// What the response adds to the record of a request.
pub(crate) struct Outcome {
    pub(crate) operation: Option<&'static str>,
    pub(crate) resource: Option<(Kind, Option<String>)>,
    pub(crate) owner: Option<String>,
    pub(crate) status: StatusCode,
    pub(crate) request_id: String,
}

/// The latest requests, the oldest first.
#[derive(Debug, Clone)]
pub(crate) struct RequestLog {
    capacity: usize,
    entries: VecDeque<RecordedRequest>,
}

impl RequestLog {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            entries: VecDeque::new(),
        }
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &RecordedRequest> {
        self.entries.iter()
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    pub(crate) fn record(&mut self, parts: request::Parts, body: &[u8], at: Now, outcome: Outcome) {
        if self.capacity == 0 {
            return;
        }
        if self.entries.len() == self.capacity {
            self.entries.pop_front();
        }
        let mut headers = parts.headers;
        mask(&mut headers);
        detach(&mut headers);
        let (kind, name) = outcome.resource.unzip();
        let name = name.flatten();
        self.entries.push_back(RecordedRequest {
            at,
            method: parts.method,
            uri: Uri::try_from(parts.uri.to_string()).unwrap_or(parts.uri),
            operation: outcome.operation,
            workflow: name.clone().filter(|_| kind == Some(Kind::Workflow)),
            kind: kind.map(Kind::as_str),
            name,
            owner: outcome.owner,
            headers,
            // A copy: a slice would keep the whole body in memory, as one of address and headers would the
            // buffer that the connection reads into.
            body: Bytes::copy_from_slice(&body[..body.len().min(KEPT_BODY)]),
            body_length: body.len(),
            status: outcome.status,
            request_id: outcome.request_id,
        });
    }
}

/// Gives the values a piece of memory of their own.
fn detach(headers: &mut HeaderMap) {
    let length = headers.values().map(HeaderValue::len).sum();
    let mut texts = BytesMut::with_capacity(length);
    for value in headers.values_mut() {
        texts.extend_from_slice(value.as_bytes());
        if let Ok(mut own) = HeaderValue::from_maybe_shared(texts.split().freeze()) {
            own.set_sensitive(value.is_sensitive());
            *value = own;
        }
    }
}

/// Replaces what could be used again. The access key stays, if it can be told from the rest.
fn mask(headers: &mut HeaderMap) {
    for name in [
        header::AUTHORIZATION,
        header::PROXY_AUTHORIZATION,
        header::COOKIE,
    ] {
        let Some(value) = headers.get(&name) else {
            continue;
        };
        let access_key = value
            .to_str()
            .ok()
            .and_then(|text| text.strip_prefix("Pandora ")?.split_once(':'))
            .map(|(access_key, _)| format!("Pandora {access_key}:(masked)"));
        let masked = access_key
            .and_then(|text| HeaderValue::from_str(&text).ok())
            .unwrap_or(HeaderValue::from_static("(masked)"));
        headers.insert(name, masked);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;
    use std::time::{Duration, SystemTime};

    fn record(log: &mut RequestLog, uri: &str, authorization: &str, body: &[u8]) {
        let request = Request::get(uri).header("authorization", authorization);
        record_request(log, request.body(()).unwrap(), body);
    }

    fn record_request(log: &mut RequestLog, request: Request<()>, body: &[u8]) {
        let now = Now::new(SystemTime::UNIX_EPOCH, Duration::ZERO);
        let outcome = Outcome {
            operation: None,
            resource: None,
            owner: None,
            status: StatusCode::OK,
            request_id: "id".into(),
        };
        log.record(request.into_parts().0, body, now, outcome);
    }

    #[test]
    fn signatures_are_masked() {
        let mut log = RequestLog::new(9);
        for text in [
            "Pandora the-key:canary=",
            "Pandora the-key:canary=:canary",
            "Bearer canary",
        ] {
            record(&mut log, "/", text, b"canary");
        }
        let shown = format!("{log:?}");
        assert!(!shown.contains("canary"), "{shown}");
        let first = log.iter().next().unwrap();
        assert_eq!(first.headers["authorization"], "Pandora the-key:(masked)");
        assert_eq!(
            log.iter().last().unwrap().headers["authorization"],
            "(masked)"
        );
        assert_eq!(first.body, "canary");
    }

    #[test]
    fn what_is_kept_holds_nothing_of_what_it_was_read_into() {
        let read = Bytes::from("/v2/workflows,value".repeat(1000));
        let request = Request::get(Uri::from_maybe_shared(read.slice(..13)).unwrap());
        let value = HeaderValue::from_maybe_shared(read.slice(14..19)).unwrap();
        let mut log = RequestLog::new(1);
        record_request(&mut log, request.header("x", value).body(()).unwrap(), b"");
        let kept = log.iter().next().unwrap();
        assert_eq!(
            (kept.uri.path(), &kept.headers["x"]),
            ("/v2/workflows", &HeaderValue::from_static("value"))
        );
        assert!(read.is_unique());
    }

    #[test]
    fn only_the_latest_are_kept_and_bodies_are_cut() {
        let mut log = RequestLog::new(2);
        for uri in ["/1", "/2", "/3"] {
            record(&mut log, uri, "", &vec![b'x'; KEPT_BODY + 1]);
        }
        let kept: Vec<_> = log.iter().map(|entry| entry.uri.path()).collect();
        assert_eq!(kept, ["/2", "/3"]);
        let last = log.iter().next_back().unwrap();
        assert_eq!(
            (last.body.len(), last.body_length),
            (KEPT_BODY, KEPT_BODY + 1)
        );
        record(&mut RequestLog::new(0), "/", "", b"");
    }
}
