//! Answers into models, beside `serde_json` by hand and `serde_json`'s `Value`.

use std::{borrow::Cow, hint::black_box};

use bytes::Bytes;
use http::Response;
use pipeline_proto::{
    Operation, WorkflowName,
    operation::Unread,
    resource::workflow::{GetWorkflow, ListWorkflows},
};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    cases::AnyCase,
    fixtures::{self, NAME},
};

/// Decodes the same body again and again. What is dropped is part of the cost.
fn case<T: 'static>(body: String, decode: impl Fn(&Response<Bytes>) -> T + 'static) -> AnyCase {
    let response = fixtures::response(body);
    Box::new(move || {
        black_box(decode(&response));
    })
}

pub(crate) fn list(size: usize) -> AnyCase {
    case(fixtures::list(size), |response| {
        ListWorkflows::new().decode(response).expect("a list")
    })
}

fn get(body: String) -> AnyCase {
    let get = GetWorkflow::new(WorkflowName::from_static(NAME));
    case(body, move |response| {
        get.decode(response).expect("a workflow")
    })
}

pub(crate) fn nodes(size: usize) -> AnyCase {
    get(fixtures::workflow(size))
}

pub(crate) fn answer() -> AnyCase {
    get(fixtures::ANSWER.to_owned())
}

/// A workflow of the list as one writes it by hand: no unknown members, no open sets.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "it is about the time to fill them in")]
pub(crate) struct ByHand {
    name: String,
    region: String,
    comment: String,
    create_time: String,
    update_time: String,
    status: String,
    can_start: bool,
    is_manual_workflow: bool,
}

fn text(response: &Response<Bytes>) -> &str {
    std::str::from_utf8(response.body()).expect("the fixture is UTF-8")
}

pub(crate) fn list_serde(size: usize) -> AnyCase {
    case(fixtures::list(size), |response| {
        serde_json::from_str::<Vec<ByHand>>(text(response)).expect("a list")
    })
}

/// The same members, borrowed from the body wherever that has them as they are.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "as above")]
struct Borrowed<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    region: Cow<'a, str>,
    #[serde(borrow)]
    comment: Cow<'a, str>,
    #[serde(borrow)]
    create_time: Cow<'a, str>,
    #[serde(borrow)]
    update_time: Cow<'a, str>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    can_start: bool,
    is_manual_workflow: bool,
}

pub(crate) fn list_borrowed(size: usize) -> AnyCase {
    case(fixtures::list(size), |response| {
        let body = Unread(ListWorkflows::new()).decode(response);
        let body = body.expect("a list");
        black_box(body.list::<Borrowed<'_>>().expect("a list")).len()
    })
}

pub(crate) fn answer_serde() -> AnyCase {
    case(fixtures::ANSWER.to_owned(), |response| {
        serde_json::from_str::<ByHand>(text(response)).expect("a workflow")
    })
}

pub(crate) fn list_value(size: usize) -> AnyCase {
    value(fixtures::list(size))
}

pub(crate) fn nodes_value(size: usize) -> AnyCase {
    value(fixtures::workflow(size))
}

fn value(body: String) -> AnyCase {
    case(body, |response| {
        serde_json::from_slice::<Value>(response.body()).expect("JSON")
    })
}
