//! A fixture for unit tests: an emulator without authentication, and a clock that stands still.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Request, Response};
use pipeline_proto::Now;
use serde_json::Value;

use crate::{
    auth::Authentication,
    emulator::{Emulator, EmulatorBuilder},
    transition::Transition,
};

pub(crate) struct Fixture {
    pub(crate) emulator: Emulator,
    pub(crate) now: Now,
}

/// A repo with an export: the smallest definition that can start.
pub(crate) const NODES: &str = r#"{
    "clicks-repo": {"name":"clicks","type":"repo","children":[{"name":"save","type":"export"}],"data":{"region":"nb"}},
    "save-export": {"name":"save","type":"export","parents":[{"name":"clicks","type":"repo"}],"data":{"b": 1e0, "a":null}}
}"#;

/// Sun, 06 Nov 1994 08:49:37 GMT.
pub(crate) fn now() -> Now {
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    Now::new(start, Duration::ZERO)
}

impl Fixture {
    /// Transitions are immediate.
    pub(crate) fn new() -> Self {
        Self::with(Emulator::builder().transitions(Transition::Immediate))
    }

    pub(crate) fn with(builder: EmulatorBuilder) -> Self {
        Self {
            emulator: builder.authentication(Authentication::Off).build(),
            now: now(),
        }
    }

    /// With a workflow `w` that has no nodes.
    pub(crate) fn ready_empty(mut self) -> Self {
        self.ok("POST", "/v2/workflows/w", r#"{"region":"nb"}"#);
        self
    }

    /// With a workflow `w` of the definition above.
    pub(crate) fn ready(mut self) -> Self {
        let (path, create) = ("/v2/workflows/w", r#"{"region":"nb","comment":"c"}"#);
        self.ok("POST", path, create);
        let update = format!(r#"{{"region":"nb","nodes":{NODES}}}"#);
        self.ok("PUT", path, &update);
        self
    }

    /// Sends a request with the length that the body has.
    pub(crate) fn send(&mut self, method: &str, target: &str, body: &str) -> Response<Bytes> {
        let length = body.len().to_string();
        self.request(method, target, &[("content-length", &*length)], body)
    }

    /// Sends a request with no header but these.
    pub(crate) fn request(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: impl AsRef<[u8]>,
    ) -> Response<Bytes> {
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Bytes::copy_from_slice(body.as_ref()));
        self.emulator.handle(request.unwrap(), self.now)
    }

    /// The data of a success.
    #[track_caller]
    pub(crate) fn ok(&mut self, method: &str, target: &str, body: &str) -> Value {
        let response = self.send(method, target, body);
        let value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(response.status(), 200, "{value}");
        value
    }

    /// Status and code of a refusal.
    #[track_caller]
    pub(crate) fn refused(&mut self, method: &str, target: &str, body: &str) -> (u16, String) {
        let response = self.send(method, target, body);
        let value: Value = serde_json::from_slice(response.body()).unwrap();
        let message = value["error"].as_str().expect("an error object").to_owned();
        let code = message
            .split_once(": ")
            .map_or(message.clone(), |(code, _)| code.to_owned());
        (response.status().as_u16(), code)
    }

    pub(crate) fn status(&mut self) -> String {
        let state = self.ok("GET", "/v2/workflows/w/status", "");
        state["status"].as_str().unwrap().to_owned()
    }
}
