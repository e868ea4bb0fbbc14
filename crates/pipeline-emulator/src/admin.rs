//! What a test in another process says to an emulator: JSON in, JSON out.

mod fault;
mod request;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use pipeline_proto::Now;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    body,
    call::no_data,
    date::rfc3339_millis,
    emulator::Emulator,
    refusal::{Refusal, json_response},
};
use fault::FaultSpec;
use settings::{Clock, Transitions};

const PREFIX: &str = "/_emulator";

/// How deep the JSON of a request may be nested: the graphs in a snapshot stand some levels deeper
/// than in the request that brought them.
const MAX_DEPTH: usize = body::MAX_DEPTH + 10;

/// What is asked beside method and path.
struct Asked<'a> {
    body: &'a [u8],
    id: &'a str,
    now: Now,
}

/// Everything there is: method, path and what it does, in words and in code.
macro_rules! endpoints {
    (|$emulator:ident, $asked:ident| $($method:literal $path:literal, $what:literal => $answer:expr;)*) => {
        const ENDPOINTS: &[(&str, &str, &str)] = &[$(($method, $path, $what)),*];

        fn administer(
            $emulator: &mut Emulator,
            method: &str,
            path: &str,
            $asked: &Asked<'_>,
        ) -> Result<Bytes, Refusal> {
            match (method, path) {
                $(($method, $path) => $answer,)*
                _ => Err(no_endpoint(path)),
            }
        }
    };
}

endpoints! { |emulator, asked|
    "GET" "/", "this list" => answer(&json!({ "endpoints": endpoints() }));
    "GET" "/health", "that it answers, the time on its clock, how many resources it has" =>
        answer(&emulator.health(asked.now));
    "GET" "/requests", "the latest requests, the oldest first" =>
        answer(&json!({ "requests": emulator.requests().map(request::to_json).collect::<Vec<_>>() }));
    "DELETE" "/requests", "forgets them" => {
        emulator.clear_requests();
        Ok(no_data())
    };
    "POST" "/reset", "forgets workflows, faults and requests" => {
        emulator.reset();
        Ok(no_data())
    };
    "GET" "/snapshot", "the workflows of all accounts" => answer(&emulator.snapshot(asked.now));
    "POST" "/restore", "puts a snapshot in the place of all workflows" => {
        emulator.restore(&read(asked.body)?, asked.now);
        Ok(no_data())
    };
    "GET" "/data", "how many records and bytes were pushed into each queue" =>
        answer(&json!({ "queues": emulator.queues().collect::<Vec<_>>() }));
    "GET" "/deliveries", "how many pushes each export has delivered, failed to deliver and dropped" =>
        answer(&json!({ "exports": emulator.deliveries().collect::<Vec<_>>() }));
    "GET" "/clock", "how far the clock is off" => answer(&Clock::of(emulator, asked.now));
    "PUT" "/clock", "sets that: offset_ms, negative for a clock that is behind" => {
        read::<Clock>(asked.body)?.set(emulator);
        answer(&Clock::of(emulator, asked.now))
    };
    "GET" "/transitions", "how starts and stops come to their end" => answer(&Transitions::of(emulator));
    "PUT" "/transitions", "sets that: start, stop, or both" => {
        read::<Transitions>(asked.body)?.set(emulator);
        answer(&Transitions::of(emulator))
    };
    "GET" "/faults", "the faults, with how often each was served and is left" =>
        answer(&json!({ "faults": emulator.faults().map(fault::to_json).collect::<Vec<_>>() }));
    "POST" "/faults", "adds one" => {
        emulator.inject(read::<FaultSpec>(asked.body)?.into_fault()?);
        answer(&emulator.faults().last().map(fault::to_json))
    };
    "DELETE" "/faults", "removes all" => {
        emulator.clear_faults();
        Ok(no_data())
    };
    "DELETE" "/faults/{id}", "removes one" => {
        let id = asked.id;
        if !id.parse().is_ok_and(|id| emulator.remove_fault(id)) {
            let message = format!("there is no fault {id:?}; GET {PREFIX}/faults lists them");
            return Err(Refusal::plain(StatusCode::NOT_FOUND, message));
        }
        Ok(no_data())
    };
}

/// Whether a path belongs to the admin interface.
#[cfg(feature = "server")]
pub(crate) fn is_admin(path: &str) -> bool {
    path.strip_prefix(PREFIX)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Emulator {
    /// Answers a request to the admin interface, whose paths begin with `/_emulator/`.
    ///
    /// It does what the methods of this type do, for tests in another process or language. Nobody is
    /// asked for a signature, and its requests stand in no log. `Host` has to name the loopback or an
    /// [`admin_host`](crate::EmulatorBuilder::admin_host), pages of other origins are refused, and a body
    /// has to be declared as JSON: a page that somebody has open must not be able to use it. A GET of `/_emulator/` lists all there
    /// is; `docs/testing-with-the-emulator.md` in the repository has it as a table with examples.
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
    /// let fault = Bytes::from(r#"{"operation": "get_workflow", "status": 503, "times": 2}"#);
    /// let request = Request::post("/_emulator/faults").header("Content-Type", "application/json");
    /// let answer = emulator.handle_admin(request.body(fault)?, now);
    /// assert_eq!(answer.status(), 200);
    /// assert_eq!(emulator.faults().next().unwrap().left(), Some(2));
    /// # Ok::<(), http::Error>(())
    /// ```
    pub fn handle_admin(&mut self, request: Request<Bytes>, now: Now) -> Response<Bytes> {
        let (parts, body) = request.into_parts();
        let checked = self.trust.check_admin(&parts, &body);
        let preflight = self.trust.preflight(&parts).map(Ok);
        let mut response = checked
            .and_then(|()| {
                preflight.unwrap_or_else(|| {
                    let body = self.administer(&parts.method, parts.uri.path(), &body, now)?;
                    Ok(json_response(StatusCode::OK, body))
                })
            })
            .unwrap_or_else(Refusal::into_response);
        self.trust.share(&parts.headers, response.headers_mut());
        response
    }

    fn administer(
        &mut self,
        method: &Method,
        path: &str,
        body: &[u8],
        now: Now,
    ) -> Result<Bytes, Refusal> {
        let path = match path.strip_prefix(PREFIX) {
            Some("") => "/",
            Some(path) => path,
            None => return Err(no_endpoint(path)),
        };
        let (path, id) = match path.strip_prefix("/faults/") {
            Some(id) => ("/faults/{id}", id),
            None => (path, ""),
        };
        administer(self, method.as_str(), path, &Asked { body, id, now })
    }

    fn health(&self, now: Now) -> Value {
        let mut resources = self.state.counts();
        // An account that is not declared may have some out of a snapshot.
        for declared in self.accounts.ids() {
            resources.entry(declared).or_default();
        }
        let workflows = |of_owner: &BTreeMap<_, _>| of_owner.get("workflow").copied().unwrap_or(0);
        let workflows: BTreeMap<&str, usize> = resources
            .iter()
            .map(|(owner, all)| (*owner, workflows(all)))
            .collect();
        json!({
            "status": "ok",
            "version": env!("CARGO_PKG_VERSION"),
            "time": rfc3339_millis(self.clock_offset().apply(now.wall)),
            "workflows": workflows,
            "resources": resources,
        })
    }
}

fn endpoints() -> Vec<Value> {
    let endpoint = |(method, path, what): &(&str, &str, &str)| {
        let path = format!("{PREFIX}{path}");
        json!({ "method": method, "path": path, "what": what })
    };
    ENDPOINTS.iter().map(endpoint).collect()
}

/// A refusal with the methods that the path has, or with the way to the list of paths.
fn no_endpoint(path: &str) -> Refusal {
    let known = ENDPOINTS.iter().filter(|(_, known, _)| *known == path);
    let methods: Vec<&str> = known.map(|(method, ..)| *method).collect();
    if methods.is_empty() {
        let message = format!("no such path; GET {PREFIX}/ lists them");
        return Refusal::plain(StatusCode::NOT_FOUND, message);
    }
    Refusal::wrong_method(methods.join(", "))
}

fn answer(value: &impl Serialize) -> Result<Bytes, Refusal> {
    serde_json::to_vec(value)
        .map(Bytes::from)
        .map_err(|error| Refusal::plain(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let refused = |message: String| Refusal::plain(StatusCode::BAD_REQUEST, message);
    let text = std::str::from_utf8(body)
        .map_err(|error| refused(format!("the body is no JSON: {error}")))?;
    if body::depth(text) > MAX_DEPTH {
        let message = format!("the body is nested more than {MAX_DEPTH} levels deep");
        return Err(refused(message));
    }
    serde_json::from_str(text).map_err(|error| refused(format!("the body cannot be used: {error}")))
}
