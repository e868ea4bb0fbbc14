//! What is read of a response that is an error, and what errors say.

#[path = "support/mod.rs"]
mod support;

use std::{
    error::Error as _,
    panic::{RefUnwindSafe, UnwindSafe},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use pipeline_proto::{
    ApiError, BuildError, Call, CallOptions, Cause, Context, Credentials, DecodeError, Effect,
    Endpoint, Error, ErrorCode, ErrorKind, Fault, FaultKind, NodeName, Phase, RetryPolicy,
    SignError, Token,
    model::Nodes,
    operation::Operation,
    resource::workflow::{
        CreateWorkflow, DeleteWorkflow, GetWorkflow, ListWorkflows, StartWorkflow, StopWorkflow,
        UpdateWorkflow,
    },
    sign,
    wait::{Goal, Step, WaitError, WaitOptions, Waiter},
};

use support::{context, error, response, rows, run, start};

fn api_error(status: u16, body: impl Into<Bytes>) -> ApiError {
    let response = Response::builder().status(status).header("x-reqid", " r1 ");
    ApiError::from_response(&response.body(body.into()).unwrap())
}

/// Status, code, kind, body, and the message that is read of it.
const SHAPES: &str = r#"
404 E18641 not-found           {"error":"E18641: no such workflow"} => no such workflow
404 E18641 not-found           {"error":"E18641 no colon"} => no colon
404 E18641 not-found           {"error":"E18641"} =>
202 E18124 in-progress         {"error":"E18124: creating"} => creating
400 E9000  internal            {"error":"E9000: internal"} => internal
400 E18999 invalid-argument    {"error":"E18999: new"} => new
401 -      unauthorized        {"error":"bad token"} => bad token
200 E18102 not-found           {"code":404,"message":"E18102: gone"} => gone
500 -      internal            oops => oops
502 -      unavailable         <html>Bad Gateway</html> => <html>Bad Gateway</html>
503 -      unavailable          =>
500 -      internal            {"error":""} =>
500 -      internal            {"error":null} => {"error":null}
400 -      invalid-argument    {"error":{"a":1}} => {"error":{"a":1}}
404 E18641 not-found           {"error": "E18641: no su => no su
404 E18641 not-found           {"error": "E18641: a \"b\" c", "x":  => a "b" c
404 E18641 not-found           {"error": "E18641: a\\", "x":  => a\
404 E18641 not-found           {"error": "E18641: =>
404 -      not-found           {"error": "E18641 => {"error": "E18641
404 -      not-found           {"error": "E1864 => {"error": "E1864
404 E18641 not-found           E18641: as text => as text
302 -      unexpected-response  =>
"#;

#[test]
fn a_body_of_any_shape_is_read() {
    for line in SHAPES.trim().lines() {
        let (head, rest) = line.split_at(31);
        let (body, message) = rest.split_once("=>").unwrap();
        let mut words = head.split_whitespace();
        let error = api_error(words.next().unwrap().parse().unwrap(), body.trim());
        let code = error.code().map_or("-".to_owned(), |code| code.to_string());
        assert_eq!(Some(&*code), words.next(), "{line}");
        assert_eq!(Ok(error.kind()), words.next().unwrap().parse(), "{line}");
        assert_eq!(error.message(), message.trim(), "{line}");
        assert_eq!(error.request_id(), Some("r1"));
    }
    for (body, message) in [
        (&b"\xef\xbb\xbf{\"error\":\"E18641: x\"}"[..], "x"),
        (
            b"{\"error\": \"E18641: two\\nlines\", \"x\": ",
            "two\nlines",
        ),
        (b"{\"error\": \"E18641 ", "{\"error\": \"E18641"),
        (b"\xff\xfe", "\u{fffd}\u{fffd}"),
    ] {
        assert_eq!(api_error(409, body).message(), message);
    }
}

#[test]
fn of_a_large_body_the_first_4096_bytes_are_kept() {
    let large = api_error(500, vec![b'x'; 1 << 20]);
    assert_eq!(large.body().len(), 4096);
    assert!(large.to_string().len() < 300);
    // An invalid byte at the end stays, unless the cut has made it.
    for (end, kept) in [
        (&b"\xff"[..], 4098),
        ("工".as_bytes(), 4095),
        (b"\xffa", 4095),
    ] {
        let body = [&[b'a'; 4095][..], end].concat();
        assert_eq!(api_error(404, body).body().len(), kept, "{end:?}");
    }
}

#[test]
fn a_redirect_names_its_target_without_secrets() {
    let table = r"
        https://sso.example/login?token=t0p#x   | https://sso.example/login
        https://user:p@ss@sso.example:8443/a@b  | https://sso.example:8443/a@b
        //user:pass@sso.example                 | //sso.example
        /login?back=%2Fv2                       | /login
        login                                   | login
        https:\\user:pass@h/                    | h/";
    for [location, target] in rows(table) {
        let response = Response::builder()
            .status(302)
            .header("location", location)
            .body(Bytes::new())
            .unwrap();
        let error = ApiError::from_response(&response);
        assert!(
            error.redirect().unwrap().ends_with(target),
            "{location}: {error}"
        );
        let line = error.to_string();
        let leaks = ["t0p", "pass", "p@ss"].iter().any(|it| line.contains(it));
        assert!(!leaks && line.contains(target), "{line}");
    }
    assert!(
        api_error(302, "")
            .to_string()
            .contains("redirects elsewhere")
    );
}

#[test]
fn a_status_without_a_code_has_a_kind_and_a_meaning() {
    let table = "
        202 | in-progress         | a response that this service does not give
        204 | unexpected-response | a response that this service does not give
        302 | unexpected-response | the service redirects elsewhere
        400 | invalid-argument    | no message (HTTP 400, request r1)
        401 | unauthorized        | authentication failed
        403 | permission          | access denied
        404 | not-found           | no message
        409 | conflict            | no message
        413 | limit               | no message
        418 | invalid-argument    | no message
        429 | limit               | too many requests
        500 | internal            | the service failed
        501 | internal            | no message
        502 | unavailable         | the service is not available
        504 | unavailable         | the service is not available
        600 | unexpected-response | no message";
    for [status, kind, meaning] in rows(table) {
        let (status, kind) = (status.parse().unwrap(), kind.parse().unwrap());
        let error = api_error(status, "");
        assert_eq!(error.kind(), kind, "{status}");
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(ErrorKind::from_status(status), kind);
        assert!(error.to_string().starts_with(meaning), "{error}");
    }
}

#[test]
fn a_line_says_each_thing_once_and_shows_no_control_characters() {
    let table = r#"
        401 | {"error":"bad token"} | authentication failed: bad token (HTTP 401, request r1)
        404 | {"error":"E18641: the workflow does not exist"} | E18641, the workflow does not exist (HTTP 404, request r1)"#;
    let safe = r"\u{1b}[2Jgone\r\n\u{202e}txet (HTTP 400, request r1)";
    let hostile = ["400", "\x1b[2Jgone\r\n\u{202e}txet", safe];
    for [status, body, line] in rows(table).chain([hostile]) {
        let error = api_error(status.parse().unwrap(), body.to_owned());
        assert_eq!(error.to_string(), line);
    }
}

#[test]
fn a_code_has_four_or_five_digits_and_no_zero_in_front() {
    for (text, in_message, typed) in [
        ("E18641: no such workflow", Some(18641), None),
        ("E18641 no colon", Some(18641), None),
        ("E18641", Some(18641), Some(18641)),
        ("E9000", Some(9000), Some(9000)),
        (" \tE9000: internal", Some(9000), None),
        ("E18641:", Some(18641), None),
        // As people type it.
        ("e18641", None, Some(18641)),
        ("18641", None, Some(18641)),
        ("E186410", None, None),
        ("E186", None, None),
        ("E18641x", None, None),
        ("E18641_1", None, None),
        ("E01864", None, None),
        ("EE1864", None, None),
        ("E12a45", None, None),
        ("E+1234", None, None),
        ("error E18641", None, None),
        ("E", None, None),
        ("", None, None),
    ] {
        assert_eq!(
            ErrorCode::from_message(text).map(ErrorCode::number),
            in_message,
            "{text}"
        );
        assert_eq!(text.parse().ok().map(ErrorCode::number), typed, "{text}");
    }
}

#[test]
fn a_refusal_before_the_work_had_no_effect_whatever_the_code() {
    for (status, message, effect) in [
        // The code tells of an internal error: it had begun to work.
        (400, "E9000: internal", Effect::Possible),
        (401, "E9000: internal", Effect::None),
        (400, "E9001: not built", Effect::None),
        (404, "E9001: not built", Effect::None),
        (500, "E9001: not built", Effect::None),
        (501, "E9001: not built", Effect::None),
    ] {
        let create = CreateWorkflow::new(support::name());
        let failed = run(create, [error(status, message)]).error();
        assert_eq!(failed.effect(), effect, "{status} {message}");
    }
}

#[test]
fn a_time_out_names_its_phase() {
    for (phase, doing) in [
        (Phase::Resolve, "looking up the host"),
        (Phase::Connect, "connecting"),
        (Phase::Send, "sending the request"),
        (Phase::Response, "waiting for the response"),
        (Phase::Body, "reading the response"),
    ] {
        let line = Fault::new(FaultKind::TimedOut).timed_out(phase).to_string();
        assert_eq!(
            line,
            format!("no response in time: timed out while {doing}")
        );
    }
}

#[test]
fn errors_can_be_made_cloned_and_carried_over_a_panic() {
    fn is_unwind_safe<T: UnwindSafe + RefUnwindSafe + Send + Sync>() {}
    is_unwind_safe::<Error>();
    is_unwind_safe::<Fault>();
    is_unwind_safe::<WaitError>();
    is_unwind_safe::<Context>();

    let fault = Fault::new(FaultKind::Interrupted).with_source("connection reset");
    for (cause, kind, attempts, source) in [
        (
            Cause::Build(BuildError::custom("no")),
            ErrorKind::InvalidRequest,
            0,
            None,
        ),
        (Cause::Api(api_error(404, "")), ErrorKind::NotFound, 1, None),
        (
            Cause::Decode(DecodeError::custom("no")),
            ErrorKind::UnexpectedResponse,
            1,
            None,
        ),
        (
            Cause::Fault(fault),
            ErrorKind::Network,
            1,
            Some("connection reset"),
        ),
    ] {
        let error = Error::of("get_workflow", cause);
        let clone = error.clone();
        assert_eq!(
            (clone.kind(), clone.attempts(), clone.effect()),
            (kind, attempts, Effect::None)
        );
        assert_eq!(clone.source().map(ToString::to_string).as_deref(), source);
        assert_eq!(clone.to_string(), error.to_string());
        let lost = error.with_effect(Effect::Possible).to_string();
        assert_eq!(lost, format!("{clone}; it may have taken effect"));
    }
}

#[test]
fn errors_say_what_is_wrong_in_one_line() {
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.uri = "/v2/100%".parse().unwrap();
    for (shown, expected) in [
        (
            Credentials::new("", "sk").unwrap_err().to_string(),
            "the access key is empty",
        ),
        (
            "ftp://host".parse::<Endpoint>().unwrap_err().to_string(),
            "the endpoint is not valid: it must start with https:// or http:// (example: https://pipeline.qiniu.com)",
        ),
        (
            sign::string_to_sign(&parts).unwrap_err().to_string(),
            "the path cannot be signed: a % in it is not followed by two hexadecimal digits",
        ),
        (
            "x".parse::<Token>().unwrap_err().to_string(),
            "not a token: it must be <access key>:<signature>:<descriptor>, with or without \"Pandora \" in front",
        ),
        (
            "18641x".parse::<ErrorCode>().unwrap_err().to_string(),
            "not an error code: write it as E18641, an E and four or five digits",
        ),
    ] {
        assert_eq!(shown, expected);
    }
    let _: SignError = sign::string_to_sign(&parts).unwrap_err();
    assert_eq!(ErrorKind::NotFound.to_string(), "not-found");
}

#[test]
fn the_number_of_attempts_is_told_from_the_second_on() {
    let put_off = || error(503, "E9002: busy").header("retry-after", "1");
    let get = || GetWorkflow::new(support::name());
    let line = |events: Vec<_>| run(get(), events).error().to_string();
    assert!(!line(vec![response(404)]).contains("attempt"));
    let twice = line(vec![put_off(), response(404)]);
    assert!(twice.ends_with(" [2 attempts]"), "{twice}");
    let thrice = line(vec![put_off(), put_off(), put_off()]);
    assert!(thrice.ends_with(" [3 attempts]"), "{thrice}");
}

#[test]
fn an_illegal_name_is_the_reason_that_can_be_asked_for() {
    let error = NodeName::new("a-b").unwrap_err();
    let build = BuildError::from(error.clone());
    assert_eq!(build.name_error(), Some(&error));
    assert_eq!(BuildError::custom("x").name_error(), None);
}

#[test]
fn a_body_that_cannot_be_read_has_the_readers_own_error_as_its_source() {
    let list = ListWorkflows::new();
    let source = |body: &'static [u8]| {
        let error = list
            .decode(&Response::new(Bytes::from_static(body)))
            .unwrap_err();
        error.source().map(ToString::to_string)
    };
    assert!(source(b"\xff").unwrap().contains("utf-8"));
    assert!(source(b"[").unwrap().contains("EOF"));
    assert_eq!(source(b""), None);
}

#[test]
fn a_fault_knows_what_it_waited_for() {
    let fault = Fault::new(FaultKind::Interrupted);
    assert_eq!(fault.phase(), None);
    assert_eq!(fault.timed_out(Phase::Body).phase(), Some(Phase::Body));

    for (phase, kind) in [
        (None, ErrorKind::Network),
        (Some(Phase::Body), ErrorKind::Timeout),
    ] {
        let options = CallOptions::new().retry(RetryPolicy::none());
        let call = Call::new(&context(), ListWorkflows::new(), options).unwrap();
        let (_, in_flight) = call.start(start()).send();
        let fault = Fault::new(FaultKind::Interrupted);
        let fault = phase.map_or(Fault::new(FaultKind::Interrupted), |phase| {
            fault.timed_out(phase)
        });
        let pipeline_proto::Next::Done(Err(error)) = in_flight.on_fault(fault, start()) else {
            panic!("one attempt is all there is");
        };
        assert_eq!(error.kind(), kind);
    }
}

#[test]
fn a_value_of_the_wrong_type_is_told_what_was_expected() {
    let told = |body: &'static str| {
        let error = ListWorkflows::new()
            .decode(&Response::new(body.into()))
            .unwrap_err();
        error.source().unwrap().to_string()
    };
    let list = told("1");
    assert!(list.contains("expected an array, or an object"), "{list}");
    let time = told(r#"[{"createTime":[]}]"#);
    assert!(
        time.contains("expected a time as a string or a number"),
        "{time}"
    );
}

#[test]
fn a_wait_that_failed_has_the_source_of_the_look_that_failed() {
    let due = || {
        let step = Waiter::until(
            support::name(),
            Goal::Started,
            WaitOptions::default(),
            start(),
        );
        match step {
            Step::Send(due) => due,
            step => panic!("a wait begins with a look, and not with {step:?}"),
        }
    };
    let cut_short = run(due().operation(), [response(200).body("[")]).error();
    let Step::Done(Err(error)) = due().on_result(Err(cut_short), start()) else {
        panic!("a response that cannot be read ends the wait");
    };
    let source = error.source().expect("the reader's own error");
    assert!(source.to_string().contains("line 1"), "{source}");
}

#[test]
fn a_page_of_a_portal_is_no_success() {
    fn result<O: Operation<Output = ()>>(operation: O, body: &'static str) -> Result<(), Error> {
        run(operation, [response(200).body(body)]).result
    }
    let results = |body| {
        [
            result(CreateWorkflow::new(support::name()), body),
            result(UpdateWorkflow::new(support::name(), Nodes::new()), body),
            result(StartWorkflow::new(support::name()), body),
            result(StopWorkflow::new(support::name()), body),
            result(DeleteWorkflow::new(support::name()), body),
        ]
    };
    for body in ["", " \n", "{}", "null", r#"{"anything": [1]}"#] {
        assert!(results(body).iter().all(Result::is_ok), "{body}");
    }
    for body in ["<html>", "{", "{} {}"] {
        for error in results(body).map(Result::unwrap_err) {
            assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{body}");
            assert_eq!(error.effect(), Effect::Possible, "{body}");
        }
    }
}
