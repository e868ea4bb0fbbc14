//! Faults as JSON.

use std::{collections::BTreeMap, fmt, time::Duration};

use http::{HeaderName, HeaderValue, StatusCode, header};
use pipeline_proto::ErrorCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::settings::{from_signed, to_signed};
use crate::{
    fault::{FaultReport, InjectedFault},
    id::Kind,
    network::Interruption,
    refusal::Refusal,
};

/// A fault that is asked for. Without `status` and `code` the service's own answer is spoiled.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FaultSpec {
    operation: Option<String>,
    workflow: Option<String>,
    resource: Option<ResourceSpec>,
    times: Option<Times>,
    status: Option<u16>,
    code: Option<String>,
    after_effect: Option<bool>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    content_type: Option<String>,
    retry_after_s: Option<u64>,
    body: Option<String>,
    date_skew_ms: Option<i64>,
    latency_ms: Option<u64>,
    stall_at: Option<usize>,
    truncate_at: Option<usize>,
    reset_at: Option<usize>,
    #[serde(default)]
    reset: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResourceSpec {
    kind: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Times {
    Number(u32),
    Word(String),
}

fn refused(message: impl fmt::Display) -> Refusal {
    Refusal::plain(StatusCode::BAD_REQUEST, format!("the fault: {message}"))
}

impl FaultSpec {
    pub(super) fn into_fault(self) -> Result<InjectedFault, Refusal> {
        let mut fault = self.answer()?;
        if let Some(word) = &self.operation {
            fault = fault.try_on(word).map_err(refused)?;
        }
        if let Some(name) = &self.workflow {
            fault = fault.on_workflow(name.as_str());
        }
        if let Some(ResourceSpec { kind, name }) = &self.resource {
            if self.workflow.is_some() {
                return Err(refused("it has one address: give workflow or resource"));
            }
            fault = fault.try_on_resource(kind, name.clone()).map_err(refused)?;
        }
        fault = match &self.times {
            None => fault,
            Some(Times::Number(times)) => fault.times(*times),
            Some(Times::Word(word)) if word == "always" => fault.always(),
            Some(Times::Word(word)) => {
                return Err(refused(format!(
                    "times is a number or \"always\", not {word:?}"
                )));
            }
        };
        if let Some(skew) = self.date_skew_ms {
            fault = fault.skew_date(from_signed(skew));
        }
        if let Some(latency) = self.latency_ms {
            fault = fault.latency(Duration::from_millis(latency));
        }
        self.interrupted(fault)
    }

    /// What is answered, and whether the request takes effect.
    fn answer(&self) -> Result<InjectedFault, Refusal> {
        let status = match self.status {
            None => None,
            Some(number @ 200..) => {
                Some(StatusCode::from_u16(number).map_err(|_| refused("status is at most 999"))?)
            }
            Some(_) => return Err(refused("status is at least 200")),
        };
        let mut fault = match &self.code {
            Some(code) => InjectedFault::code(code.parse::<ErrorCode>().map_err(refused)?),
            None => match status {
                Some(status) => InjectedFault::status(status),
                None if self.after_effect != Some(false) => InjectedFault::pass(),
                None if self.reset => InjectedFault::status(StatusCode::BAD_GATEWAY),
                None => {
                    return Err(refused(
                        "a request without effect needs a response: give a status or a code",
                    ));
                }
            },
        };
        if let Some(status) = status {
            fault = fault.with_status(status);
        }
        if self.after_effect == Some(true) {
            fault = fault.after_effect();
        }
        if let Some(body) = &self.body {
            fault = fault.body(
                HeaderValue::from_static("application/json"),
                body.as_bytes().to_vec(),
            );
        }
        if let Some(delay) = self.retry_after_s {
            fault = fault.retry_after(Duration::from_secs(delay));
        }
        if let Some(value) = &self.content_type {
            fault = fault.header(header::CONTENT_TYPE, header_value(value)?);
        }
        for (name, value) in &self.headers {
            let parsed: HeaderName = name
                .parse()
                .map_err(|_| refused(format!("{name:?} cannot be the name of a header")))?;
            fault = fault.header(parsed, header_value(value)?);
        }
        Ok(fault)
    }

    fn interrupted(&self, fault: InjectedFault) -> Result<InjectedFault, Refusal> {
        match (self.stall_at, self.truncate_at, self.reset_at, self.reset) {
            (None, None, None, false) => Ok(fault),
            (Some(at), None, None, false) => Ok(fault.stall_at(at)),
            (None, Some(at), None, false) => Ok(fault.truncate_at(at)),
            (None, None, Some(at), false) => Ok(fault.reset_at(at)),
            (None, None, None, true) => Ok(fault.reset()),
            _ => Err(refused(
                "a response ends in one way: give one of stall_at, truncate_at, reset_at and reset",
            )),
        }
    }
}

fn header_value(text: &str) -> Result<HeaderValue, Refusal> {
    HeaderValue::from_str(text)
        .map_err(|_| refused(format!("{text:?} cannot be the value of a header")))
}

/// A fault in the same terms, and how far it has been used up.
pub(super) fn to_json(report: &FaultReport) -> Value {
    let fault = report.fault();
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("id", json!(report.id()));
    put("served", json!(report.served()));
    put("left", report.left().map_or(json!("always"), Value::from));
    if let Some(operation) = fault.operation {
        put("operation", json!(operation));
    }
    match &fault.resource {
        None => None,
        Some((Kind::Workflow, name)) => put("workflow", json!(name)),
        Some((kind, name)) => put("resource", json!({"kind": kind, "name": name})),
    };
    if let Some(status) = fault.status {
        put("status", json!(status.as_u16()));
    }
    put("after_effect", json!(fault.after_effect));
    if !fault.headers.is_empty() {
        let headers = fault.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.to_string(), json!(value))
        });
        put("headers", Value::Object(headers.collect()));
    }
    if let Some(body) = fault.replaced_body() {
        put("body", json!(String::from_utf8_lossy(body)));
    }
    if let Some(skew) = fault.date_skew {
        put("date_skew_ms", json!(to_signed(skew)));
    }
    let latency = fault.network.latency.as_millis();
    if latency > 0 {
        put(
            "latency_ms",
            json!(u64::try_from(latency).unwrap_or(u64::MAX)),
        );
    }
    match fault.network.interruption {
        None => None,
        Some(Interruption::Stall { at }) => put("stall_at", json!(at)),
        Some(Interruption::Truncate { at }) => put("truncate_at", json!(at)),
        Some(Interruption::ResetAt { at }) => put("reset_at", json!(at)),
        Some(Interruption::Reset) => put("reset", json!(true)),
    };
    Value::Object(object)
}
