//! What the small values show of themselves, and what they say when asked.

#[path = "support/mod.rs"]
mod support;

use std::{
    fmt::{Debug, Display},
    str::FromStr,
    time::{Duration, UNIX_EPOCH},
};

use http::{Method, Request};
use pipeline_proto::{
    Call, CallOptions, ClockOffset, Effect, Endpoint, ErrorCode, ErrorKind, Fault, FaultKind,
    Idempotency, Phase, Region, RepoName, RequestTemplate, ResourceOwner, RetryPolicy, StopReason,
    TokenDescriptor, UnixTime, WorkflowName,
    model::{Extra, LogSearch, NodeId, NodeType, RawJson, Status, Workflow},
    name::{ShownName, kind},
    operation::Source,
    resource::repo::RepoSpec,
    resource::workflow::{CreateWorkflow, GetWorkflow, GetWorkflowStatus, ListWorkflows, PollBy},
    wait::{Goal, Progress},
};
use serde::{Serialize, de::DeserializeOwned};

use support::{context, credentials, response, run, secs, start};

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
    let error = run(GetWorkflow::new(support::name()), [response(404)]).error();
    let shown = format!("{error:?}");
    for part in ["get_workflow", "Api", "attempts: 1", "NotRetryable"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
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

/// Whether each is shown, read and written by the same word.
fn words_of<T>(all: impl IntoIterator<Item = T>) -> String
where
    T: Copy + Debug + Display + FromStr + PartialEq + Serialize + DeserializeOwned,
    T::Err: Display,
{
    let words = all.into_iter().map(|value| {
        let word = value.to_string();
        assert_eq!(word.parse::<T>().ok(), Some(value));
        let json = serde_json::to_string(&value).unwrap();
        assert_eq!(json, format!("{word:?}"));
        assert_eq!(serde_json::from_str::<T>(&json).unwrap(), value);
        let debug = format!("{value:?}").to_lowercase();
        assert_eq!(word.replace('-', "").to_lowercase(), debug);
        word
    });
    let words: Vec<_> = words.collect();
    let error = "Not a Word"
        .parse::<T>()
        .map_or_else(|error| error.to_string(), |_| String::new());
    assert!(
        error.ends_with(&format!("known are {}", words.join(", "))),
        "{error}"
    );
    assert!(serde_json::from_str::<T>("\"\"").is_err());
    words.join(" ")
}

#[test]
fn kinds_and_labels_are_shown_read_and_written_alike() {
    for (words, expected) in [
        (
            words_of(FaultKind::ALL),
            "not-sent interrupted timed-out body-too-large",
        ),
        (
            words_of(Phase::ALL),
            "resolve connect proxy tls send response body",
        ),
        (words_of(Effect::ALL), "none possible"),
        (
            words_of(StopReason::ALL),
            "not-retryable not-repeatable attempts-exhausted budget-exhausted deadline-near",
        ),
        (
            words_of(Idempotency::ALL),
            "safe idempotent at-least-once never",
        ),
        (words_of(Source::ALL), "page sdk"),
        (words_of(Goal::ALL), "started stopped deleted"),
        (words_of(Progress::ALL), "reached under-way open settled"),
        (words_of(PollBy::ALL), "status get"),
    ] {
        assert_eq!(words, expected);
    }
    assert!(
        words_of(ErrorKind::ALL).starts_with("invalid-argument unauthorized permission not-found")
    );
    let code = ErrorCode::WORKFLOW_NOT_FOUND;
    assert_eq!(serde_json::to_string(&code).unwrap(), r#""E18641""#);
    assert_eq!(
        serde_json::from_str::<ErrorCode>(r#""E18641""#).unwrap(),
        code
    );
    // Of those that are open, every text is one.
    assert_eq!("Paused".parse(), Ok(Status::from("Paused")));
    assert_eq!("repo".parse(), Ok(NodeType::Repo));
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
fn names_and_regions_are_kept_as_they_came_and_judged_where_they_are_used() {
    for (name, is_legal) in [
        ("logs", true),
        ("my logs", false),
        ("", false),
        ("工作流", false),
    ] {
        let json = format!(r#"{{"name":"{name}","workflow":"{name}","region":"{name}"}}"#);
        let repo: RepoSpec = serde_json::from_str(&json).unwrap();
        let (shown, workflow) = (repo.name.clone().unwrap(), repo.workflow.clone().unwrap());
        assert_eq!(shown, name);
        assert_eq!(RepoName::try_from(&shown).is_ok(), is_legal, "{name}");
        assert_eq!(WorkflowName::try_from(workflow).is_ok(), is_legal, "{name}");
        let again = serde_json::to_string(&repo).unwrap();
        assert_eq!(serde_json::from_str::<RepoSpec>(&again).unwrap(), repo);
        let read: Workflow = serde_json::from_str(&json).unwrap();
        assert_eq!(
            Region::try_from(&read.region).is_ok(),
            !name.is_empty() && name != "my logs"
        );
    }
    let name = RepoName::from_static("logs");
    assert_eq!(RepoName::try_from(ShownName::from(&name)), Ok(name));
    assert_eq!(
        format!("{0:>5} {0:?}", ShownName::<kind::Repo>::from("a")),
        r#"    a "a""#
    );
}

#[test]
fn a_poll_by_get_gives_name_region_and_status() {
    let poll = GetWorkflowStatus::new(support::name()).by(PollBy::Get);
    let body = r#"{"name":"logs","region":"jjh","status":"Started","nodes":{"a-repo":{}}}"#;
    let state = run(poll, [response(200).body(body)]).result.unwrap();
    assert_eq!(
        (state.name.as_str(), state.region.as_str()),
        ("logs", "jjh")
    );
    assert_eq!(state.status, Status::Started);
    assert!(state.nodes.is_empty());
}
