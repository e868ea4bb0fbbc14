//! Inputs, made by rule, so that each run has the same ones.

use std::{
    fmt::Write as _,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::Response;
use pipeline_proto::{Context, Credentials, Now};

/// The moment of the examples in RFC 9110. A clock that moves would have the date formatted anew.
pub(crate) fn now() -> Now {
    let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    Now::new(wall, Duration::from_secs(1))
}

pub(crate) const NAME: &str = "Test_Workflow";
pub(crate) const COMMENT: &str = "nginx logs of the edge";
pub(crate) const ACCESS_KEY: &str = "4_odedBxmrAHiu4Y0Qp0HPG0NANCf6VAsAjWL_k9";
pub(crate) const SECRET_KEY: &str = "SrRuUVfDX6drVRvpyN8mv8Vcm9XnMZzlbDfvVfMe";

pub(crate) fn credentials() -> Credentials {
    Credentials::new(ACCESS_KEY, SECRET_KEY).expect("the keys are legal")
}

pub(crate) fn context() -> Context {
    Context::builder().credentials(credentials()).build()
}

/// A list of so many workflows, about 210 bytes each. Room for it is made at once, so that the text
/// is the same share of the heap before and after.
pub(crate) fn list(count: usize) -> String {
    let mut text = String::with_capacity(216 * count + 16);
    text.push('[');
    for n in 0..count {
        let comma = if n == 0 { "" } else { "," };
        let _ = write!(
            text,
            r#"{comma}{{"name":"workflow_{n:05}","region":"nb","comment":"collects what the edge writes","createTime":"2017-06-01T11:20:30Z","updateTime":"2017-07-02T12:21:31Z","status":"Started","canStart":true,"isManualWorkflow":false}}"#
        );
    }
    text.push(']');
    text
}

/// The `nodes` of a workflow: repos in a chain with a transform between each two, about 475 bytes a
/// node.
pub(crate) fn nodes(count: usize) -> String {
    let mut text = String::with_capacity(520 * count + 16);
    text.push('{');
    for n in 0..count {
        let kind = |n: usize| {
            if n.is_multiple_of(2) {
                "repo"
            } else {
                "transform"
            }
        };
        let comma = if n == 0 { "" } else { "," };
        let this = kind(n);
        let other = kind(n + 1);
        let neighbour = |at: Option<usize>| match at {
            Some(at) if at < count => format!(r#"[{{"name":"n{at:05}","type":"{other}"}}]"#),
            _ => "[]".to_owned(),
        };
        let (parents, children) = (neighbour(n.checked_sub(1)), neighbour(Some(n + 1)));
        let data = if this == "repo" {
            r#"{"region":"nb","schema":[{"key":"time","valtype":"date","required":true},{"key":"status","valtype":"long","required":false},{"key":"url","valtype":"string","required":false},{"key":"bytes","valtype":"long","required":false},{"key":"address","valtype":"string","required":false}],"options":{"withIP":"address"}}"#.to_owned()
        } else {
            format!(
                r#"{{"spec":{{"mode":"sql","code":"select time, status, url, bytes, address from stream where status >= 500 and url like '/api/%' and bytes > {n:05}","interval":"1m","container":{{"type":"M32C4","count":2,"status":""}},"cache":null,"whence":"newest"}},"to":"n{:05}"}}"#,
                n + 1
            )
        };
        let _ = write!(
            text,
            r#"{comma}"n{n:05}-{this}":{{"name":"n{n:05}","type":"{this}","data":{data},"parents":{parents},"children":{children}}}"#
        );
    }
    text.push('}');
    text
}

/// A workflow with such nodes.
pub(crate) fn workflow(count: usize) -> String {
    format!(
        r#"{{"name":"{NAME}","region":"nb","status":"Started","nodes":{}}}"#,
        nodes(count)
    )
}

/// A short answer: 217 bytes, no nodes.
pub(crate) const ANSWER: &str = r#"{"name":"Test_Workflow","region":"nb","comment":"collects what an app writes, daily","createTime":"2017-06-01T11:20:30Z","updateTime":"2017-07-02T12:21:31Z","status":"Started","canStart":true,"isManualWorkflow":false}"#;

/// The response of the transport cases: 400 bytes.
pub(crate) const GET_ANSWER: &str = r#"{"name":"Test_Workflow","region":"nb","comment":"Collects what the edge writes by the hour, drops what the health checks ask for, joins the rest with the table of regions, and exports the sums per region and status to the archive and to the board in the hall. Ask th","createTime":"2017-06-01T11:20:30Z","updateTime":"2017-07-02T12:21:31Z","status":"Started","canStart":true,"isManualWorkflow":false}"#;

pub(crate) fn response(body: impl Into<Bytes>) -> Response<Bytes> {
    Response::new(body.into())
}
