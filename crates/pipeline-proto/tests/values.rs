//! What the small values show of themselves, and what they answer when asked.

#[path = "support/mod.rs"]
mod support;

use std::{
    error::Error as _,
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use pipeline_proto::{
    ApiError, BuildError, Call, CallOptions, ClockOffset, Credentials, Effect, Endpoint, Error,
    ErrorCode, ErrorKind, Fault, FaultKind, NodeName, Phase, RequestTemplate, ResourceOwner,
    RetryPolicy, SignError, Token, TokenDescriptor, UnixTime, WorkflowName,
    model::{Extra, LogSearch, NodeId, NodeType, Nodes, RawJson, Status},
    operation::Operation,
    resource::workflow::{
        CreateWorkflow, DeleteWorkflow, GetWorkflow, GetWorkflowStatus, ListWorkflows, PollBy,
        StartWorkflow, StopWorkflow, UpdateWorkflow,
    },
    sign,
    wait::{Goal, Step, WaitOptions, Waiter},
};

use support::{a_workflow, answer, context, credentials, error, fault, run, secs, start};

#[test]
fn debug_shows_what_identifies_a_value() {
    let raw: RawJson = "[1]".parse().unwrap();
    let mut extra = Extra::default();
    extra.insert("later", raw);
    let template =
        RequestTemplate::new(Method::GET, &["v2", "a\"b".trim_end_matches("\"b")]).unwrap();
    for (shown, expected) in [
        (
            format!("{:?}", credentials()),
            r#"Credentials { access_key: "access-key", secret_key: [hidden] }"#,
        ),
        (
            format!("{:?}", Endpoint::default()),
            "Endpoint(https://pipeline.qiniu.com)",
        ),
        (format!("{:?}", ErrorCode::WORKFLOW_NOT_FOUND), "E18641"),
        (format!("{extra:?}"), r#"{"later": RawJson(3 bytes)}"#),
        (format!("{:?}", NodeId::from("a-repo")), r#""a-repo""#),
        (
            format!("{:?}", pipeline_proto::model::Timestamp::from("t")),
            r#""t""#,
        ),
    ] {
        assert_eq!(shown, expected);
    }
    assert!(format!("{template:?}").contains("/v2/a"), "{template:?}");
    let shown = format!("{:?}", context());
    assert!(
        shown.contains("settings") && shown.contains("clock_offset"),
        "{shown}"
    );
    let error = run(GetWorkflow::new(support::name()), [answer(404)]).error();
    let shown = format!("{error:?}");
    for part in ["get_workflow", "Api", "attempts: 1", "NotRetryable"] {
        assert!(shown.contains(part), "{part} in {shown}");
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
fn drafts_are_equal_when_they_say_the_same() {
    let template = |name: &str| RequestTemplate::new(Method::GET, &["v2", name]).unwrap();
    assert_eq!(template("a"), template("a"));
    assert_ne!(template("a"), template("b"));
}

#[test]
fn an_endpoint_knows_whether_it_encrypts() {
    for (text, encrypts, port) in [
        ("https://host", true, 443),
        ("http://host", false, 80),
        ("http://host:443", false, 443),
    ] {
        let endpoint: Endpoint = text.parse().unwrap();
        assert_eq!(
            (endpoint.is_https(), endpoint.port()),
            (encrypts, port),
            "{text}"
        );
    }
}

#[test]
fn the_number_of_attempts_is_told_from_the_second_on() {
    let put_off = || error(503, "E9002: busy").header("retry-after", "1");
    let get = || GetWorkflow::new(support::name());
    let line = |events: Vec<_>| run(get(), events).error().to_string();
    assert!(!line(vec![answer(404)]).contains("attempt"));
    let twice = line(vec![put_off(), answer(404)]);
    assert!(twice.ends_with(" [2 attempts]"), "{twice}");
    let thrice = line(vec![put_off(), put_off(), put_off()]);
    assert!(thrice.ends_with(" [3 attempts]"), "{thrice}");
}

#[test]
fn what_is_in_flight_knows_which_attempt_it_is() {
    let call = Call::new(&context(), ListWorkflows::new(), CallOptions::new()).unwrap();
    let (_, in_flight) = call.start(start()).send();
    assert_eq!(in_flight.attempt(), 1);
    let now = start() + secs(1);
    let pipeline_proto::Next::Retry(backoff) =
        in_flight.on_fault(Fault::new(FaultKind::NotSent), now)
    else {
        panic!("a request that was not sent is sent again");
    };
    let (_, in_flight) = backoff.resume(now + secs(1)).unwrap().send();
    assert_eq!(in_flight.attempt(), 2);
}

#[test]
fn every_status_without_a_code_is_explained() {
    for (status, meaning) in [
        (204, "a response that this service does not give"),
        (302, "the service redirects elsewhere"),
        (401, "authentication failed"),
        (403, "access denied"),
        (429, "too many requests"),
        (500, "the service failed"),
        (502, "the service is not available"),
        (504, "the service is not available"),
        (418, "no message"),
    ] {
        let response = Response::builder()
            .status(status)
            .body(Bytes::new())
            .unwrap();
        let line = ApiError::from_response(&response).to_string();
        assert!(line.starts_with(meaning), "{line}");
    }
}

/// An answer with this body, read as an error.
fn api_error(body: impl Into<Bytes>) -> ApiError {
    let response = Response::builder().status(404).body(body.into()).unwrap();
    ApiError::from_response(&response)
}

#[test]
fn an_invalid_byte_at_the_end_is_kept_unless_the_cut_made_it() {
    let mut body = vec![b'a'; 4095];
    body.push(0xff);
    assert!(api_error(body.clone()).body().ends_with('\u{fffd}'));
    body.push(b'a');
    assert!(api_error(body).body().ends_with('a'));
}

#[test]
fn the_message_of_a_body_that_was_cut_short_ends_where_its_string_ends() {
    for (body, message) in [
        (r#"{"error": "E18641: a \"b\" c", "x": "#, r#"a "b" c"#),
        (r#"{"error": "E18641: a\\", "x": "#, r"a\"),
        (r#"{"error": "E18641: two\nlines", "x": "#, "two\nlines"),
        (r#"{"error": "E18641: cut of"#, "cut of"),
    ] {
        let error = api_error(body);
        assert_eq!(error.code(), Some(ErrorCode::WORKFLOW_NOT_FOUND), "{body}");
        assert_eq!(error.message(), message, "{body}");
    }
}

#[test]
fn a_code_has_four_or_five_digits_and_no_zero_in_front() {
    for (text, number) in [("E9000", 9000), ("e18641", 18641), ("18641", 18641)] {
        assert_eq!(text.parse().map(ErrorCode::number), Ok(number), "{text}");
    }
    for text in ["E123", "E123456", "E01234", "E12a45", "E+1234", "E", ""] {
        assert!(text.parse::<ErrorCode>().is_err(), "{text}");
    }
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
fn clocks_that_agree_are_not_ahead_of_each_other() {
    assert!(!ClockOffset::default().is_ahead());
    assert!(ClockOffset::ahead(Duration::from_millis(1)).is_ahead());
    assert!(!ClockOffset::behind(Duration::from_millis(1)).is_ahead());
}

#[test]
fn a_resource_owner_shows_what_it_was_read_from() {
    let owner: ResourceOwner = "1380000000".parse().unwrap();
    assert_eq!(owner.to_string(), "1380000000");
}

#[test]
fn a_seed_is_set_only_where_there_is_none_and_changes_nothing_else() {
    let delay = |options: CallOptions| {
        let call = Call::new(&context(), ListWorkflows::new(), options).unwrap();
        let (_, in_flight) = call.start(start()).send();
        assert_eq!(in_flight.timeout(), secs(7));
        match in_flight.on_fault(Fault::new(FaultKind::NotSent), start()) {
            pipeline_proto::Next::Retry(backoff) => backoff.delay(),
            pipeline_proto::Next::Done(_) => panic!("it is sent again"),
        }
    };
    let options = || CallOptions::new().attempt_timeout(secs(7));
    assert_eq!(delay(options().or_seed(|| 5)), delay(options().seed(5)));
    assert_eq!(
        delay(options().seed(5).or_seed(|| 6)),
        delay(options().seed(5))
    );
    assert_ne!(delay(options().seed(5)), delay(options().seed(6)));
}

/// The published sequence of SplitMix64 from the seed 0, so that the spread is that of a generator
/// whose quality is known.
#[test]
fn waits_are_spread_by_splitmix64() {
    let whole = Duration::from_nanos(u64::MAX);
    let policy = RetryPolicy::default().base_delay(whole).max_delay(whole);
    for (attempts, bits) in [
        (1, 0xe220_a839_7b1d_cdaf),
        (2, 0x6e78_9e6a_a1b9_65f4),
        (3, 0x06c4_5d18_8009_454f),
        (4, 0xf88b_b8a8_724c_81ec),
    ] {
        assert_eq!(policy.delay(attempts, 0, None), Duration::from_nanos(bits));
    }
}

#[test]
fn unix_time_reaches_before_1970_and_rounds_down() {
    for (nanos_before, seconds) in [
        (0, 0),
        (1, -1),
        (1_000_000_000, -1),
        (1_000_000_001, -2),
        (7_500_000_000, -8),
    ] {
        let time = UNIX_EPOCH - Duration::from_nanos(nanos_before);
        assert_eq!(UnixTime::from(time).as_secs(), seconds, "{nanos_before}");
    }
    let earlier = UnixTime::from_secs(-60).to_system_time();
    assert_eq!(earlier, UNIX_EPOCH.checked_sub(secs(60)));
    let later = UnixTime::from_secs(60).to_system_time();
    assert_eq!(later, UNIX_EPOCH.checked_add(secs(60)));
}

#[test]
fn a_token_is_good_to_the_end_of_its_last_second() {
    let descriptor = TokenDescriptor::new(&Method::GET, "/v2/workflows", UnixTime::from_secs(100));
    let at = |millis| UNIX_EPOCH + Duration::from_millis(millis);
    assert!(!descriptor.is_expired(at(100_000)));
    assert!(!descriptor.is_expired(at(100_999)));
    assert!(descriptor.is_expired(at(101_000)));
}

#[test]
fn a_tokens_resource_may_have_the_query_or_not() {
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.uri = "/v2/repos?a=b%20c".parse().unwrap();
    for (resource, mismatch) in [
        ("/v2/repos", None),
        ("/v2/repos?a=b%20c", None),
        ("/v2/repos?a=b c", None),
        ("/v2/repos?", Some("resource")),
        ("/v2/repos?a=c", Some("resource")),
        ("?a=b", Some("resource")),
    ] {
        let descriptor = TokenDescriptor::new(&Method::GET, resource, UnixTime::from_secs(0));
        assert_eq!(descriptor.mismatch(&parts), mismatch, "{resource}");
    }
}

#[test]
fn node_types_and_statuses_say_what_follows_from_them() {
    let startable: Vec<_> = NodeType::KNOWN
        .iter()
        .filter(|node_type| node_type.makes_startable())
        .map(NodeType::as_str)
        .collect();
    assert_eq!(startable, ["transform", "export", "exportBatch"]);
    let changing: Vec<_> = Status::KNOWN
        .iter()
        .filter(|status| status.is_transient())
        .map(Status::as_str)
        .collect();
    assert_eq!(changing, ["Starting", "Stopping"]);
}

#[test]
fn the_key_of_a_node_is_its_name_and_its_type() {
    let id = NodeId::from("clicks-repo");
    assert_eq!(
        (id.as_str(), id.to_string().as_str()),
        ("clicks-repo", "clicks-repo")
    );
    assert_eq!(id.parts(), Some(("clicks", NodeType::Repo)));
    for text in ["clicks", "-repo", "clicks-", "-", ""] {
        assert_eq!(NodeId::from(text).parts(), None, "{text}");
    }
}

#[test]
fn raw_json_is_equal_by_its_text() {
    let raw = |text: &str| text.parse::<RawJson>().unwrap();
    assert_eq!(raw("[1]"), raw("[1]"));
    assert_ne!(raw("[1]"), raw("[1 ]"));
    assert_eq!(format!("{:?}", raw("[1]")), "RawJson(3 bytes)");
}

#[test]
fn further_members_keep_their_order_and_the_last_value_of_a_name() {
    let raw = |text: &str| text.parse::<RawJson>().unwrap();
    let read: LogSearch =
        serde_json::from_str(r#"{"z":1,"a":2,"log":[],"z":3,"m":4,"a":5}"#).unwrap();
    let mut inserted = Extra::default();
    assert!(inserted.is_empty());
    let members = [("z", "1"), ("a", "2"), ("z", "3"), ("m", "4"), ("a", "5")];
    for (name, value) in members {
        inserted.insert(name, raw(value));
    }
    let collected: Extra = members
        .into_iter()
        .map(|(name, value)| (Box::from(name), raw(value)))
        .collect();
    for extra in [&read.extra, &inserted, &collected] {
        let members: Vec<_> = extra
            .iter()
            .map(|(name, value)| (name, value.get()))
            .collect();
        assert_eq!(members, [("z", "3"), ("a", "5"), ("m", "4")]);
        assert!(!extra.is_empty());
        assert_eq!(extra.get("a"), Some(&raw("5")));
        assert_eq!(extra.get("b"), None);
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
    assert!(list.contains("expected an array of workflows"), "{list}");
    let time = told(r#"[{"createTime":[]}]"#);
    assert!(
        time.contains("expected a time as a string or a number"),
        "{time}"
    );
}

#[test]
fn a_success_is_no_error_and_a_fault_is_none_of_the_services() {
    let get = GetWorkflow::new(WorkflowName::from_static("logs"));
    assert!(run(get.clone(), [a_workflow()]).result.is_ok());
    let error = run(get, std::iter::repeat_n(fault(FaultKind::TimedOut), 3)).error();
    assert_eq!(
        (error.kind(), error.code(), error.status()),
        (ErrorKind::Timeout, None, None)
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
    let cut_short = run(due().operation(), [answer(200).body("[")]).error();
    let Step::Done(Err(error)) = due().on_result(Err(cut_short), start()) else {
        panic!("a response that cannot be read ends the wait");
    };
    let source = error.source().expect("the reader's own error");
    assert!(source.to_string().contains("line 1"), "{source}");
}

#[test]
fn what_is_not_implemented_had_no_effect() {
    for status in [400, 404, 500, 501] {
        let create = CreateWorkflow::new(support::name());
        let failed = run(create, [error(status, "E9001: not built")]).error();
        assert_eq!(failed.effect(), Effect::None, "{status}");
    }
}

#[test]
fn a_code_that_the_cut_may_have_gone_through_is_none() {
    for body in [
        r#"{"error": "E1864"#,
        r#"{"error": "E18641"#,
        r#"{"error": "E18641 "#,
    ] {
        assert_eq!(api_error(body).code(), None, "{body}");
    }
    assert!(api_error(r#"{"error": "E18641:"#).code().is_some());
}

#[test]
fn a_page_of_a_portal_is_no_success() {
    fn result<O: Operation<Output = ()>>(operation: O, body: &'static str) -> Result<(), Error> {
        run(operation, [answer(200).body(body)]).result
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

#[test]
fn the_steps_of_a_call_show_their_request_without_its_body() {
    let create = CreateWorkflow::new(support::name()).comment("what it is for");
    let call = Call::new(&context(), create, CallOptions::new()).unwrap();
    let shown = format!("{call:?}");
    for part in ["Call", "POST", "/v2/workflows/logs", "bytes]"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let attempt = format!("{:?}", call.start(start()));
    assert!(
        attempt.contains("Attempt") && attempt.contains("date"),
        "{attempt}"
    );
    assert!(!shown.contains("what it is for") && !attempt.contains("what it is for"));
}

#[test]
fn a_status_that_comes_without_a_code_has_a_kind() {
    for (status, kind) in [
        (202, ErrorKind::InProgress),
        (204, ErrorKind::UnexpectedResponse),
        (302, ErrorKind::UnexpectedResponse),
        (400, ErrorKind::InvalidArgument),
        (401, ErrorKind::Unauthorized),
        (403, ErrorKind::Permission),
        (404, ErrorKind::NotFound),
        (409, ErrorKind::Conflict),
        (413, ErrorKind::Limit),
        (418, ErrorKind::InvalidArgument),
        (429, ErrorKind::Limit),
        (500, ErrorKind::Internal),
        (501, ErrorKind::Internal),
        (503, ErrorKind::Unavailable),
        (600, ErrorKind::UnexpectedResponse),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(ErrorKind::from_status(status), kind, "{status}");
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
        assert_eq!(line, format!("no answer in time: timed out while {doing}"));
    }
}

#[test]
fn a_poll_by_get_gives_name_region_and_status() {
    let poll = GetWorkflowStatus::new(support::name()).by(PollBy::Get);
    let body = r#"{"name":"logs","region":"jjh","status":"Started","nodes":{"a-repo":{}}}"#;
    let state = run(poll, [answer(200).body(body)]).result.unwrap();
    assert_eq!(
        (state.name.as_str(), state.region.as_str()),
        ("logs", "jjh")
    );
    assert_eq!(state.status, Status::Started);
    assert!(state.nodes.is_empty());
}

#[test]
fn a_refused_signature_had_no_effect_whatever_the_code() {
    for (status, effect) in [(400, Effect::Possible), (401, Effect::None)] {
        let create = CreateWorkflow::new(support::name());
        let failed = run(create, [error(status, "E9000: internal")]).error();
        assert_eq!(failed.effect(), effect, "{status}");
    }
}
