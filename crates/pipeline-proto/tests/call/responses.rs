//! What comes back, and what is made of it.

use std::{error::Error as _, fmt::Debug};

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use pipeline_proto::{
    BuildError, Call, CallOptions, Cause, DecodeError, Effect, ErrorCode, ErrorKind, Fault,
    FaultKind, Idempotency, Next, Operation, RequestTemplate, StopReason,
    model::{Nodes, Status},
    operation::decode_json,
    resource::workflow::{
        CreateWorkflow, DeleteWorkflow, GetWorkflow, GetWorkflowStatus, ListWorkflows, PollBy,
        SearchLogs, StartWorkflow, StopWorkflow, UpdateWorkflow,
    },
};

use super::support::{Event, context, error, fault, name, response, run, start};

fn get() -> GetWorkflow {
    GetWorkflow::new(name())
}

/// How each operation ends when it is met by `event`, by name.
fn all(event: &Event) -> Vec<(&'static str, Result<(), pipeline_proto::Error>)> {
    fn row<O: Operation>(
        operation: O,
        event: &Event,
    ) -> (&'static str, Result<(), pipeline_proto::Error>)
    where
        O::Output: Debug,
    {
        (O::NAME, run(operation, [event.clone()]).result.map(|_| ()))
    }
    vec![
        row(CreateWorkflow::new(name()), event),
        row(UpdateWorkflow::new(name(), Nodes::new()), event),
        row(StartWorkflow::new(name()), event),
        row(StopWorkflow::new(name()), event),
        row(DeleteWorkflow::new(name()), event),
        row(ListWorkflows::new(), event),
        row(get(), event),
        row(GetWorkflowStatus::new(name()), event),
        row(GetWorkflowStatus::new(name()).by(PollBy::Get), event),
        row(SearchLogs::new(name()), event),
    ]
}

/// Create, update, start, stop, delete.
const WITHOUT_RESULT: usize = 5;

#[test]
fn success_may_come_without_a_body_where_none_is_needed() {
    for event in [
        response(200),
        response(204),
        response(200).body("{}"),
        response(200).body("null"),
    ] {
        for (operation, result) in &all(&event)[..WITHOUT_RESULT] {
            assert!(result.is_ok(), "{operation}, {event:?}");
        }
    }
}

#[test]
fn success_without_a_body_where_data_is_needed_is_an_unexpected_response() {
    for status in [200, 204] {
        let event = response(status).header("x-reqid", "r1");
        for (operation, result) in all(&event).split_off(WITHOUT_RESULT) {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{operation}");
            assert_eq!(error.status().unwrap(), status, "{operation}");
            assert_eq!(error.request_id(), Some("r1"), "{operation}");
            let expected = format!(
                "{operation}: the response cannot be read: it has no body (HTTP {status}, request r1)"
            );
            assert_eq!(error.to_string(), expected);
        }
    }
}

#[test]
fn an_error_under_status_200_is_an_error_of_every_operation() {
    for (operation, result) in all(&error(200, "E18641: logs")) {
        let error = result.expect_err(operation);
        assert_eq!(error.kind(), ErrorKind::NotFound, "{operation}");
        assert_eq!(
            error.code(),
            Some(ErrorCode::WORKFLOW_NOT_FOUND),
            "{operation}"
        );
        assert_eq!(error.status().unwrap(), 200, "{operation}");
        assert_eq!(error.attempts(), 1, "{operation}");
    }
}

#[test]
fn other_statuses_below_300_are_unexpected() {
    for status in [201, 203, 206, 299] {
        for (operation, result) in all(&response(status).body(r#"{"name":"logs"}"#)) {
            let error = result.expect_err(operation);
            assert_eq!(
                error.kind(),
                ErrorKind::UnexpectedResponse,
                "{operation}, {status}"
            );
            assert_eq!(
                error.stop_reason(),
                StopReason::NotRetryable,
                "{operation}, {status}"
            );
        }
    }
}

#[test]
fn a_redirect_is_an_error_and_is_not_followed() {
    for status in [301, 302, 307, 308] {
        let redirect = response(status).header("location", "https://elsewhere.example/");
        for (operation, result) in all(&redirect) {
            let error = result.expect_err(operation);
            assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{operation}");
            assert_eq!(error.effect(), Effect::None, "{operation}");
            let says = "redirects to https://elsewhere.example/, which is not followed";
            assert!(error.to_string().contains(says), "{error}");
        }
    }
}

#[test]
fn bodies_that_cannot_be_read_are_errors_that_say_why() {
    for (body, reason) in [
        (&br#"{"name":"lo"#[..], "its JSON is cut short"),
        (
            br#"{"nodes":{"a-repo":{"name":"a""#,
            "its JSON is cut short",
        ),
        (b"<html>Welcome to our Wi-Fi</html>", "its body is not JSON"),
        (b"\xff{\"name\":\"\"}", "its body is not UTF-8"),
        (b"7", "its JSON has another shape than expected"),
        (b"{\"name\":7}", "its JSON has another shape than expected"),
        (b" \r\n", "it has no body"),
    ] {
        let event = response(200).header("x-reqid", "r1").body(body);
        let error = run(get(), [event]).error();
        let line = error.to_string();
        assert!(line.contains(reason), "{line}");
        assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{line}");
        assert_eq!(
            error.body(),
            Some(&*String::from_utf8_lossy(body)),
            "{line}"
        );
        assert!(!error.is_retryable(), "{line}");
        assert!(matches!(error.cause(), Cause::Decode(_)), "{line}");
        if let Some(source) = error.source() {
            assert!(
                !line.contains(&source.to_string()),
                "{line} repeats {source}"
            );
        }
    }
}

#[test]
fn an_error_body_that_was_cut_short_still_has_its_code() {
    let cut = response(404).body(r#"{"error": "E18641: no such wor"#);
    let error = run(get(), [cut]).error();
    assert_eq!(error.code(), Some(ErrorCode::WORKFLOW_NOT_FOUND));
    assert_eq!(error.api().unwrap().message(), "no such wor");
}

#[test]
fn the_code_says_more_than_the_status() {
    // Dependents exist: a conflict in meaning, whatever the status.
    let refused = run(DeleteWorkflow::new(name()), [error(400, "E18112: in use")]).error();
    assert_eq!(refused.kind(), ErrorKind::Conflict);
    let unknown = run(get(), [error(404, "E18999: new")]).error();
    assert_eq!(unknown.kind(), ErrorKind::NotFound);
    assert_eq!(unknown.code().unwrap().number(), 18999);
}

#[test]
fn an_error_is_one_line_and_keeps_terminals_safe() {
    let hostile = error(400, "E18642: \u{1b}[2J\r\nok\u{202e}").header("x-log", "\t");
    let line = run(get(), [hostile]).error().to_string();
    assert!(
        !line.contains(|c: char| c.is_control() || c == '\u{202e}'),
        "{line:?}"
    );
    assert!(line.starts_with("get_workflow: E18642, "), "{line}");
    assert!(line.ends_with("(HTTP 400, request r1)"), "{line}");
}

#[test]
fn a_fault_keeps_the_transports_own_error_as_its_source_and_does_not_repeat_it() {
    let call = Call::new(&context(), CreateWorkflow::new(name()), CallOptions::new()).unwrap();
    let (_, in_flight) = call.start(start()).send();
    let fault = Fault::new(FaultKind::Interrupted).with_source("connection reset by peer");
    let Next::Done(Err(error)) = in_flight.on_fault(fault, start()) else {
        panic!("a create is not repeated after this")
    };
    let source = error.source().unwrap().to_string();
    assert_eq!(source, "connection reset by peer");
    assert!(!error.to_string().contains(&source), "{error}");
    assert_eq!(error.kind(), ErrorKind::Network);
    assert_eq!(error.status(), None);
}

#[test]
fn a_body_that_is_too_large_is_not_asked_for_again() {
    let error = run(get(), [fault(FaultKind::BodyTooLarge)]).error();
    assert_eq!(error.kind(), ErrorKind::UnexpectedResponse);
    assert!(!error.is_retryable());
}

#[test]
fn a_name_that_the_response_lacks_is_taken_from_the_request() {
    let event = || response(200).body(r#"{"status":"Started"}"#);
    let shown = run(get(), [event()]).result.unwrap();
    assert_eq!((&*shown.name, shown.status), ("logs", Status::Started));
    for by in [PollBy::Status, PollBy::Get] {
        let poll = GetWorkflowStatus::new(name()).by(by);
        let state = run(poll, [event()]).result.unwrap();
        let found = (&*state.name, state.status);
        assert_eq!(found, ("logs", Status::Started), "{by:?}");
    }
}

#[test]
fn a_list_is_read_in_each_of_its_shapes() {
    for body in [
        r#"[{"name":"logs"}]"#,
        r#"{"workflows":[{"name":"logs"}]}"#,
        r#"{"total":1,"workflowLists":[{"name":"logs"}]}"#,
    ] {
        let list = run(ListWorkflows::new(), [response(200).body(body)])
            .result
            .unwrap();
        assert_eq!(list.len(), 1, "{body}");
        assert_eq!(list[0].name, "logs", "{body}");
    }
    for body in ["[]", "null", r#"{"workflows":[]}"#] {
        let list = run(ListWorkflows::new(), [response(200).body(body)])
            .result
            .unwrap();
        assert!(list.is_empty(), "{body}");
    }
}

/// A push whose response is as the service gives it: always with 200, and the outcome inside. It
/// takes 201 as well.
#[derive(Clone)]
struct Push;

impl Operation for Push {
    type Output = ();
    const NAME: &'static str = "push";
    const IDEMPOTENCY: Idempotency = Idempotency::Idempotent;

    fn template(&self) -> Result<RequestTemplate, BuildError> {
        RequestTemplate::new(Method::POST, &["v2", "stream", "clicks", "data"])
    }

    fn is_success(&self, status: StatusCode) -> bool {
        matches!(status, StatusCode::OK | StatusCode::CREATED)
    }

    fn decode(&self, response: &Response<Bytes>) -> Result<(), DecodeError> {
        #[derive(serde::Deserialize)]
        struct Outcome {
            code: u16,
            #[serde(default)]
            message: String,
        }
        let outcome: Outcome = decode_json(response)?;
        match StatusCode::from_u16(outcome.code) {
            Ok(StatusCode::OK) => Ok(()),
            Ok(status) => Err(DecodeError::refused(status, outcome.message)),
            Err(_) => Err(DecodeError::custom("its code is no status")),
        }
    }
}

#[test]
fn a_refusal_inside_a_success_is_an_error_like_any_other() {
    for event in [response(200), response(201)] {
        assert!(run(Push, [event.body(r#"{"code":200}"#)]).result.is_ok());
    }
    let refused = response(200).body(r#"{"code":404,"message":"E18102: no such repo: clicks"}"#);
    let error = run(Push, [refused]).result.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::REPO_NOT_FOUND));
    assert_eq!(
        (error.kind(), error.effect()),
        (ErrorKind::NotFound, Effect::None)
    );
    assert_eq!(error.status(), Some(StatusCode::NOT_FOUND));
    assert!(
        error.to_string().contains("no such repo: clicks"),
        "{error}"
    );

    // What may pass is tried again.
    let busy = response(200).body(r#"{"code":503,"message":"busy"}"#);
    let outcome = run(Push, [busy, response(200).body(r#"{"code":200}"#)]);
    assert!(outcome.result.is_ok());

    // Without a code it is no success, and whether it worked is not known.
    for body in ["{}", r#"{"code":7}"#, ""] {
        let error = run(Push, [response(200).body(body)]).result.unwrap_err();
        assert!(matches!(error.cause(), Cause::Decode(_)), "{body}");
        assert_eq!(error.effect(), Effect::Possible, "{body}");
    }
    let other = run(Push, [response(204)]).result.unwrap_err();
    assert!(matches!(other.cause(), Cause::Api(_)));
}
