//! What comes back: responses, good and bad, and whole exchanges.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
};
use serde::Serialize;

use super::{
    ABOUT, duration_up_to, legal,
    models::{log_search, workflow, workflow_state},
    text,
};
use crate::error::{ErrorCode, FaultKind};

/// Any status with any bytes and odd headers: what the service sends, what a proxy in front of it
/// makes of that, what was cut short, and plain noise.
pub fn response() -> impl Strategy<Value = Response<Bytes>> {
    let status = prop_oneof![
        4 => Just(200),
        3 => error_status(),
        1 => select(vec![201, 204, 301, 302, 304]),
        1 => 100..1000_u16,
    ];
    (status, body(), headers()).prop_map(assemble)
}

/// Errors, with status 202 or from 400 on: JSON with a code, known or not, and without one; text,
/// HTML, nothing.
pub fn error_response() -> impl Strategy<Value = Response<Bytes>> {
    (error_status(), error_body(), headers()).prop_map(assemble)
}

/// One thing that happens to an attempt.
///
/// ```
/// use pipeline_proto::resource::workflow::ListWorkflows;
/// use pipeline_proto::strategies::{now, response_script};
/// use pipeline_proto::{Call, CallOptions, Context, Fault, Next};
/// use proptest::prelude::*;
///
/// proptest! {
///     // In a test, `#[test]` stands here.
///     fn a_call_ends_whatever_happens(script in response_script(), mut now in now()) {
///         let context = Context::builder().build();
///         let call = Call::new(&context, ListWorkflows::new(), CallOptions::new()).unwrap();
///         let mut attempt = call.start(now);
///         let last = script.last().cloned();
///         let mut attempts = 0;
///         for event in script.into_iter().chain(std::iter::repeat_with(|| last.clone().unwrap())) {
///             attempts += 1;
///             let (_, in_flight) = attempt.send();
///             now = now + event.latency.min(in_flight.timeout());
///             let next = match event.response {
///                 Ok(response) => in_flight.on_response(response, now),
///                 Err(kind) => in_flight.on_fault(Fault::new(kind), now),
///             };
///             let Next::Retry(backoff) = next else { break };
///             now = now + backoff.delay();
///             match backoff.resume(now) {
///                 Ok(next) => attempt = next,
///                 Err(_) => break,
///             }
///         }
///         prop_assert!(attempts <= 3);
///     }
/// }
/// # a_call_ends_whatever_happens();
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Event {
    /// How long it takes until it happens. May be longer than the attempt is allowed to take: then
    /// the time-out comes first.
    pub latency: Duration,
    /// The response, or why there is none.
    pub response: Result<Response<Bytes>, FaultKind>,
}

/// What happens to one attempt after the other: at least one event. A call may want more than
/// there are; meet those as the last one.
///
/// Half of the responses have a `Date`, which agrees with [`now`](super::now) or is minutes or hours
/// off.
pub fn response_script() -> impl Strategy<Value = Vec<Event>> {
    let fault = select(vec![
        FaultKind::NotSent,
        FaultKind::Interrupted,
        FaultKind::TimedOut,
        FaultKind::BodyTooLarge,
    ]);
    let response = prop_oneof![
        2 => fault.prop_map(Err),
        3 => error_response().prop_map(Ok),
        1 => response().prop_map(Ok),
    ];
    let event = (duration_up_to(Duration::from_secs(1200)), response)
        .prop_map(|(latency, response)| Event { latency, response });
    vec(event, 1..8)
}

fn assemble(
    (status, body, headers): (u16, Vec<u8>, Vec<(HeaderName, HeaderValue)>),
) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = legal(StatusCode::from_u16(status));
    for (name, value) in headers {
        response.headers_mut().append(name, value);
    }
    response
}

fn error_status() -> impl Strategy<Value = u16> {
    select(vec![
        500, 502, 503, 504, 429, 401, 404, 409, 400, 403, 411, 413, 415, 202,
    ])
}

/// Boxed, as what is inside: the state of a union lies in that of the union around it, and would
/// fill the stack of a test's thread.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let model = prop_oneof![
        workflow().prop_map(|workflow| json(&workflow)).boxed(),
        vec(workflow(), 0..3).prop_map(|list| json(&list)).boxed(),
        workflow_state().prop_map(|state| json(&state)).boxed(),
        log_search().prop_map(|found| json(&found)).boxed(),
    ];
    let whole = prop_oneof![
        3 => model.boxed(),
        1 => select(vec![&b"{}"[..], b"[]", b"null", b"{\"error\":null}", b"{\"nodes\":[]}"])
            .prop_map(<[u8]>::to_vec),
        2 => error_body(),
    ]
    .boxed();
    let cut = (whole.clone(), any::<Index>()).prop_map(|(mut body, at)| {
        body.truncate(at.index(body.len() + 1));
        body
    });
    let spoilt = (whole.clone(), any::<Index>(), any::<u8>()).prop_map(|(mut body, at, byte)| {
        if !body.is_empty() {
            let at = at.index(body.len());
            body[at] = byte;
        }
        body
    });
    prop_oneof![
        4 => whole,
        1 => cut,
        1 => spoilt,
        1 => vec(any::<u8>(), 0..64),
    ]
    .boxed()
}

fn json(value: &impl Serialize) -> Vec<u8> {
    legal(serde_json::to_vec(value))
}

fn error_body() -> impl Strategy<Value = Vec<u8>> {
    let code = prop_oneof![
        select(ErrorCode::known()).prop_map(|info| info.code.number()),
        0..200_000_u32,
    ];
    let message = prop_oneof![
        4 => (code, select(vec![": ", " ", "", ":"]), text())
            .prop_map(|(code, between, text)| format!("E{code}{between}{text}")),
        1 => Just("bad token".to_owned()),
        1 => text(),
    ];
    let object = message.prop_map(|message| json(&serde_json::json!({ "error": message })));
    let other = select(vec![
        "",
        "oops",
        "<html><title>502 Bad Gateway</title></html>",
        "\u{feff}{\"error\":\"E18641: x\"}",
        "{\"error\":{\"error\":\"E18641: x\"}}",
        "{\"code\":404,\"message\":\"E18102: x\"}",
        "[{\"error\":\"E18641: x\"}]",
    ])
    .prop_map(|text| text.as_bytes().to_vec());
    prop_oneof![4 => object, 1 => other]
}

/// Those that are read, with values that can be read and others that cannot; and some that are not.
fn headers() -> impl Strategy<Value = Vec<(HeaderName, HeaderValue)>> {
    let value = |text: String| legal(HeaderValue::from_str(&text));
    let fixed = |texts: &[&'static str]| select(texts.to_vec()).prop_map(HeaderValue::from_static);
    let noise = || {
        vec(32..=255_u8, 0..20).prop_map(|bytes| {
            HeaderValue::from_bytes(&bytes).unwrap_or_else(|_| HeaderValue::from_static("noise"))
        })
    };
    let type_of_content = fixed(&[
        "application/json",
        "application/json; charset=utf-8",
        "text/html",
        "",
    ]);
    let retry_after = prop_oneof![
        fixed(&[
            "0",
            "2",
            "120",
            "-1",
            "1.5",
            "soon",
            "99999999999999999999",
            ""
        ]),
        date().prop_map(value),
        noise(),
    ];
    let date = prop_oneof![8 => date().prop_map(value), 1 => noise()];
    let request_id = prop_oneof!["[a-zA-Z0-9+/=]{0,24}".prop_map(value), noise()];
    let header = prop_oneof![
        type_of_content.prop_map(|value| ("content-type", value)),
        retry_after.prop_map(|value| ("retry-after", value)),
        request_id.prop_map(|value| ("x-reqid", value)),
        Just(("age", HeaderValue::from_static("1"))),
        noise().prop_map(|value| ("x-log", value)),
    ];
    (
        proptest::option::of(date.prop_map(|value| ("date", value))),
        vec(header, 0..4),
    )
        .prop_map(|(date, others)| {
            let all = date.into_iter().chain(others);
            all.map(|(name, value)| (HeaderName::from_static(name), value))
                .collect()
        })
}

/// Agrees with `now`, or is off.
fn date() -> impl Strategy<Value = String> {
    (0..7200_u64, select(vec![0, 1200, 7200, 86_400])).prop_map(|(about, ahead)| {
        let seconds = ABOUT - 3600 + about + ahead;
        httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
    })
}
