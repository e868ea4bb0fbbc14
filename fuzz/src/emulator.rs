//! Raw requests, one after the other, put before the emulator: once without authentication, once as
//! they are, and once signed by the client.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Response, StatusCode,
    header::{AUTHORIZATION, DATE},
    request::Parts,
};
use pipeline_emulator::{Account, Authentication, Emulator, EmulatorBuilder};
use pipeline_proto::{
    Credentials, Now, Operation as _, Token, WorkflowName,
    resource::workflow::{GetWorkflow, GetWorkflowStatus, ListWorkflows, SearchLogs},
    sign,
};

use super::http_text;

const ACCESS_KEY: &str = "EXAMPLE-access-key-0123456789_abcdefghij";
const SECRET_KEY: &str = "EXAMPLE-secret-key-9876543210_zyxwvutsrq";

/// The moment of the signing vectors.
const START: Duration = Duration::from_secs(784_111_777);
const DATE_OF_START: HeaderValue = HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT");

/// What stands between two requests.
const SEPARATOR: &[u8] = b"\n----\n";

/// # Panics
///
/// If a response is not one of the service's, or client and emulator disagree about who may do what.
pub fn run(data: &[u8]) {
    let credentials = Credentials::new(ACCESS_KEY, SECRET_KEY).expect("the keys are legal");
    let mut open = builder().authentication(Authentication::Off).build();
    let (mut strict, mut signed) = (builder().build(), builder().build());
    let mut now = Now::new(UNIX_EPOCH + START, Duration::ZERO);
    for request in messages(data).filter_map(http_text::request) {
        let (parts, body) = request.into_parts();
        let send = |emulator: &mut Emulator, parts: &Parts| {
            let answer = emulator.handle(Request::from_parts(parts.clone(), body.clone()), now);
            check_answer(parts, &answer);
            answer.status()
        };

        send(&mut open, &parts);
        if send(&mut strict, &parts) == StatusCode::OK {
            assert!(is_authorized(&parts, &credentials, now.wall), "{parts:?}");
        }

        let mut ours = parts;
        ours.headers.insert(DATE, DATE_OF_START);
        if let Ok(value) = sign::authorization(&ours, &credentials) {
            ours.headers.insert(AUTHORIZATION, value);
            let status = send(&mut signed, &ours);
            assert_ne!(status, StatusCode::UNAUTHORIZED, "{ours:?}");
        }
        now = now + Duration::from_millis(700);
    }
    assert!(!format!("{open:?}{strict:?}{signed:?}").contains(SECRET_KEY));
}

fn builder() -> EmulatorBuilder {
    Emulator::builder()
        .account(Account::new("owner").key(ACCESS_KEY, SECRET_KEY))
        .max_body(1 << 16)
}

/// At most sixteen, so that no input takes long.
fn messages(mut data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut more = true;
    std::iter::from_fn(move || {
        if !more {
            return None;
        }
        let at = data
            .windows(SEPARATOR.len())
            .position(|window| window == SEPARATOR);
        more = at.is_some();
        let (message, rest) = data.split_at(at.unwrap_or(data.len()));
        data = rest.get(SEPARATOR.len()..).unwrap_or_default();
        Some(message)
    })
    .take(16)
}

/// Whether the client, too, holds the request to be in order.
fn is_authorized(parts: &Parts, credentials: &Credentials, now: SystemTime) -> bool {
    let Some(presented) = parts.headers.get(AUTHORIZATION) else {
        return false;
    };
    if sign::authorization(parts, credentials).is_ok_and(|expected| expected == presented) {
        return true;
    }
    let token = presented
        .to_str()
        .ok()
        .and_then(|text| text.parse::<Token>().ok());
    token
        .and_then(|token| token.verify(credentials).ok())
        .is_some_and(|descriptor| {
            !descriptor.is_expired(now) && descriptor.mismatch(parts).is_none()
        })
}

fn check_answer(parts: &Parts, answer: &Response<Bytes>) {
    let shown = || String::from_utf8_lossy(answer.body()).into_owned();
    assert!(answer.headers().contains_key(DATE) && answer.headers().contains_key("x-reqid"));
    assert!(!answer.status().is_server_error(), "{}", shown());
    if answer.status() != StatusCode::OK {
        let body: serde_json::Value =
            serde_json::from_slice(answer.body()).expect("an error is JSON");
        assert!(body["error"].is_string(), "{}", shown());
        return;
    }
    // The client reads whatever the emulator answers.
    let name = WorkflowName::from_static("logs");
    let path = parts.uri.path().trim_start_matches('/');
    let segments = path.split('/').count();
    let read = match (&parts.method, segments) {
        (&Method::GET, 2) => ListWorkflows::new().decode(answer).map(drop),
        (&Method::GET, 3) => GetWorkflow::new(name).decode(answer).map(drop),
        (&Method::GET, _) => GetWorkflowStatus::new(name).decode(answer).map(drop),
        _ if path.ends_with("search") => SearchLogs::new(name).decode(answer).map(drop),
        _ => Ok(()),
    };
    assert!(read.is_ok(), "{read:?}: {}", shown());
}
