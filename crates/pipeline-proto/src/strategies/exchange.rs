//! What the service sends back to an operation of the table: made of the type that its row names, member by
//! member.

use std::fmt::Debug;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
    sample::select,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    legal,
    models::{log_search, workflow, workflow_state},
    text,
};
use crate::{
    describe::{Described, Fact, Member, Object, Shape},
    error::{BuildError, ErrorCode},
    model::{LogSearch, Workflow, WorkflowState},
    operation::OperationInfo,
    resource::{AnyOperation, OPERATIONS},
};

// Of graphs, a shape does not say that they are legal: these have strategies of their own.
impl Described for Workflow {
    const SHAPE: Shape = Shape::Any;
}

impl Described for WorkflowState {
    const SHAPE: Shape = Shape::Any;
}

impl Described for LogSearch {
    const SHAPE: Shape = Shape::Any;
}

/// Lists and objects within one another go no deeper.
const DEEPEST: usize = 4;

/// Successes of a row of [`OPERATIONS`](crate::resource::OPERATIONS), for these names in its path: of each
/// member that the service is known to show, any value that it may have.
///
/// ```
/// use pipeline_proto::{operation::Operation, resource::{OPERATIONS, repo::GetRepo}, strategies::success};
/// use proptest::prelude::*;
///
/// fn shown() -> impl Strategy<Value = http::Response<bytes::Bytes>> {
///     let get_repo = OPERATIONS.iter().find(|info| info.name == "get_repo").unwrap();
///     success(get_repo, &["clicks"])
/// }
///
/// proptest! {
///     // In a test, `#[test]` stands here.
///     fn a_queue_is_read_whatever_is_in_it(response in shown()) {
///         let repo = GetRepo::new("clicks".parse()?).decode(&response)?;
///         prop_assert_eq!(repo.name.as_deref(), Some("clicks"));
///     }
/// }
/// # a_queue_is_read_whatever_is_in_it();
/// ```
pub fn success(
    info: &OperationInfo,
    names: &[&str],
) -> impl Strategy<Value = Response<Bytes>> + use<> {
    let (shape, reader) = info.response;
    // What shows one thing by its name shows this one.
    let name = names.last().filter(|_| info.name.starts_with("get_"));
    let name = name.map(|name| (*name).to_owned());
    let called = || name.clone().unwrap_or_default();
    let body = match info.name {
        "get_workflow" => as_json(workflow().name(called())),
        "list_workflows" => as_json(vec(workflow(), 0..4)),
        "get_workflow_status" => as_json(workflow_state().name(called())),
        "search_logs" => as_json(log_search()),
        _ => as_json(value(shape, 0).prop_map(move |mut shown| {
            if let (Some(name), Some(own)) = (&name, shown.get_mut("name")) {
                *own = name.as_str().into();
            }
            shown
        })),
    };
    let member = reader.strip_prefix("member(\"");
    let member = member.and_then(|rest| rest.strip_suffix("\")"));
    let inside = |name: &'static str| move |body| format!("{{\"{name}\":{body}}}");
    let body = match (reader, member) {
        ("nothing", _) => select(vec!["{}", "", "null"])
            .prop_map(str::to_owned)
            .boxed(),
        ("outcome", _) => text()
            .prop_map(|message| json!({"code": 200, "message": message}).to_string())
            .boxed(),
        ("bare_or_member", _) => prop_oneof![body.clone(), body.prop_map(inside("result"))].boxed(),
        (_, Some(member)) => body.prop_map(inside(member)).boxed(),
        _ => body,
    };
    (body, request_id()).prop_map(|(body, id)| response(StatusCode::OK, body, &id))
}

/// Refusals of a row of [`OPERATIONS`](crate::resource::OPERATIONS), each with a code that is known, as the service
/// says it: by status and error object, or for raw text with status 200.
pub fn failure(info: &OperationInfo) -> impl Strategy<Value = Response<Bytes>> + use<> {
    let known: Vec<ErrorCode> = ErrorCode::known().iter().map(|info| info.code).collect();
    let code = match info.done_on {
        // What is not there.
        Some(code) => prop_oneof![1 => Just(code), 2 => select(known)].boxed(),
        None => select(known).boxed(),
    };
    let in_a_success = info.response.1 == "outcome";
    (code, text(), request_id(), any::<bool>()).prop_map(move |(code, text, id, other)| {
        let status = code.info().and_then(|info| info.http_status).unwrap_or(400);
        let message = format!("{code}: {text}");
        let (status, body) = if in_a_success && other {
            (200, json!({"code": status, "message": message}))
        } else {
            (status, json!({"error": message}))
        };
        response(legal(StatusCode::from_u16(status)), body.to_string(), &id)
    })
}

impl AnyOperation {
    /// Successes of this operation: [`success`] for its row and its names.
    ///
    /// # Errors
    ///
    /// If the operation cannot be said on the wire.
    pub fn success(&self) -> Result<impl Strategy<Value = Response<Bytes>> + use<>, BuildError> {
        let names = self.names()?;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        // The status may be asked by another row's request.
        let template = self.template()?;
        let asks = |info: &&OperationInfo| {
            let target = info.target(&names);
            *info.method == template.method && target.is_ok_and(|it| it == template.target())
        };
        let info = OPERATIONS.iter().find(asks);
        Ok(success(info.unwrap_or_else(|| self.info()), &names))
    }

    /// Refusals of this operation: [`failure`] for its row.
    pub fn failure(&self) -> impl Strategy<Value = Response<Bytes>> + use<> {
        failure(self.info())
    }
}

fn response(status: StatusCode, body: String, id: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("x-reqid", legal(HeaderValue::from_str(id)));
    response
}

/// As text, because not every number of a text has a place in a value.
fn as_json<T: Serialize + Debug>(
    shown: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<String> {
    shown
        .prop_map(|it| legal(serde_json::to_string(&it)))
        .boxed()
}

fn request_id() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9_-]{16}"
}

/// JSON of a shape. Far down nothing is in anything, or a schema in a schema would have no end.
fn value(shape: Shape, depth: usize) -> BoxedStrategy<Value> {
    match shape {
        Shape::Text => text().prop_map(Value::from).boxed(),
        Shape::Word(words) => prop_oneof![
            8 => select(words).prop_map(Value::from),
            1 => text().prop_map(Value::from),
        ]
        .boxed(),
        Shape::Bool => any::<bool>().prop_map(Value::from).boxed(),
        Shape::Integer => prop_oneof![0..100_i64, 0..i64::MAX]
            .prop_map(Value::from)
            .boxed(),
        Shape::List(_) if depth >= DEEPEST => Just(json!([])).boxed(),
        Shape::List(inner) => vec(value(*inner, depth + 1), 0..=3)
            .prop_map(Value::from)
            .boxed(),
        Shape::Map(_) if depth >= DEEPEST => Just(json!({})).boxed(),
        Shape::Map(inner) => btree_map(text(), value(*inner, depth + 1), 0..=3)
            .prop_map(Value::from_iter)
            .boxed(),
        Shape::Object(of) => object(of(), depth + 1),
        Shape::Any => prop_oneof![
            Just(Value::Null),
            text().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
        ]
        .boxed(),
    }
}

/// An object with the members that must be there, and some of the others.
fn object(of: &'static Object, depth: usize) -> BoxedStrategy<Value> {
    let member = |member: &'static Member| {
        if !member.required && depth >= DEEPEST {
            return Just(None).boxed();
        }
        let shape = member.words().map_or(member.shape, Shape::Word);
        let value = value(shape, depth).prop_map(|value| (member.name.to_owned(), value));
        if member.required {
            value.prop_map(Some).boxed()
        } else {
            option::of(value).boxed()
        }
    };
    let members: Vec<_> = of.members.iter().map(member).collect();
    let by_type = of.members.iter().find_map(|member| {
        let specs = member.facts.iter().find_map(|fact| match fact {
            Fact::ByType(specs) => Some(*specs),
            _ => None,
        });
        Some((member.name, specs?))
    });
    let spec = match by_type {
        Some((name, specs)) => select(specs)
            .prop_flat_map(move |(of_type, spec)| {
                object(spec(), depth + 1).prop_map(move |spec| {
                    [("type".to_owned(), of_type.into()), (name.to_owned(), spec)]
                })
            })
            .prop_map(Some)
            .boxed(),
        None => Just(None).boxed(),
    };
    (members, spec)
        .prop_map(|(members, spec)| {
            let mut object: Map<String, Value> = members.into_iter().flatten().collect();
            object.extend(spec.into_iter().flatten());
            object.into()
        })
        .boxed()
}
