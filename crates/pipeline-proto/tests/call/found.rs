//! Results that say more, or that there is nothing.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use pipeline_proto::{
    Auth, CallOptions, Credentials, ErrorCode, RepoName,
    name::ExportName,
    observe::Event,
    operation::{Detailed, Optional, Unread},
    resource::{
        export::GetExport,
        workflow::{DeleteWorkflow, GetWorkflow, ListWorkflows},
    },
};

use super::support::{
    a_workflow, builder, error, name, response, run, run_with, signature::signed_at,
};

#[test]
fn what_is_not_there_is_none_and_what_is_wrong_stays_an_error() {
    let look = || Optional(GetWorkflow::new(name()));
    assert!(run(look(), [a_workflow()]).result.unwrap().is_some());
    let missing = || error(404, "E18641: the workflow does not exist");
    assert_eq!(run(look(), [missing()]).result.unwrap(), None);
    assert_eq!(
        run(look(), [error(503, "busy"), missing()]).result.unwrap(),
        None
    );
    for (event, code) in [
        (
            error(404, "E18664: no such owner"),
            Some(ErrorCode::RESOURCE_OWNER_NOT_FOUND),
        ),
        (response(404), None),
        (error(401, "bad token"), None),
    ] {
        assert_eq!(run(look(), [event]).result.unwrap_err().code(), code);
    }
    // The queue is missing, not its export.
    let repo = RepoName::from_static("clicks");
    let look = Optional(GetExport::new(repo, ExportName::from_static("archive")));
    let no_repo = run(look.clone(), [error(404, "E18102: no such repo")]);
    assert_eq!(
        no_repo.result.unwrap_err().code(),
        Some(ErrorCode::REPO_NOT_FOUND)
    );
    assert_eq!(
        run(look, [error(404, "E18302: no such export")])
            .result
            .unwrap(),
        None
    );
}

#[test]
fn what_is_not_there_is_no_failure_to_observers() {
    let ends = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&ends);
    let context = builder().observer(move |_, event| {
        if let Event::End { outcome, .. } = event {
            log.lock().unwrap().push(outcome.is_ok());
        }
    });
    let context = context.build();
    let missing = || [error(404, "E18641: the workflow does not exist")];
    let get = GetWorkflow::new(name());
    let _ = run_with(
        &context,
        Optional(get.clone()),
        CallOptions::new(),
        missing(),
    );
    let _ = run_with(&context, get, CallOptions::new(), missing());
    assert_eq!(*ends.lock().unwrap(), [true, false]);
}

#[test]
fn details_have_the_request_id_and_the_attempts() {
    let detailed = Detailed(GetWorkflow::new(name()));
    let found = || a_workflow().header("x-reqid", "r2");
    let details = run(detailed.clone(), [found()]).result.unwrap();
    assert_eq!(
        (details.request_id.as_deref(), details.attempts),
        (Some("r2"), 1)
    );
    let details = run(detailed, [error(503, "busy"), found()]).result.unwrap();
    assert_eq!(
        (details.request_id.as_deref(), details.attempts),
        (Some("r2"), 2)
    );
    // The first attempt did it, and its response was lost.
    let events = [
        error(504, "no response"),
        error(404, "E18641: the workflow does not exist"),
    ];
    let details = run(Detailed(DeleteWorkflow::new(name())), events)
        .result
        .unwrap();
    assert_eq!((details.request_id, details.attempts), (None, 2));
    let nothing = Detailed(Optional(GetWorkflow::new(name())));
    let details = run(nothing, [error(404, "E18641: none")]).result.unwrap();
    assert_eq!(
        (details.output, details.request_id.as_deref()),
        (None, Some("r1"))
    );
}

#[test]
fn an_unread_body_is_read_into_any_type_and_mended_before() {
    let read = |body: &'static [u8]| {
        run(Unread(ListWorkflows::new()), [response(200).body(body)])
            .result
            .unwrap()
    };
    for body in [
        &br#"[{"name":"a\ud800"},{"name":"b"}]"#[..],
        b"\xef\xbb\xbf{\"total\":2,\"workflows\":[{\"name\":\"a\xff\"},{\"name\":\"b\"}]}",
    ] {
        let body = read(body);
        let list: Vec<BTreeMap<&str, Cow<'_, str>>> = body.list().unwrap();
        assert_eq!((&*list[0]["name"], &*list[1]["name"]), ("a\u{fffd}", "b"));
    }
    let body = read(b" ");
    assert!(
        body.json::<()>()
            .unwrap_err()
            .to_string()
            .contains("no body")
    );
    assert_eq!(format!("{body:?}"), "Body(1 bytes)");
    let too_many = format!("[{}{{}}]", "{},".repeat(1_000_000)).leak();
    let body = read(too_many.as_bytes());
    let refused = body.list::<BTreeMap<&str, &str>>();
    assert!(refused.unwrap_err().to_string().contains("ten times"));
    // What an operation takes for done has no body.
    let gone = [
        error(504, "no response"),
        error(404, "E18641: no such workflow"),
    ];
    let body = run(Unread(DeleteWorkflow::new(name())), gone)
        .result
        .unwrap();
    assert_eq!(body.as_str(), "");
}

#[test]
fn keys_that_rotate_are_asked_for_at_each_attempt() {
    let turn = Mutex::new(0);
    let auth = Auth::provider(move || {
        let mut turn = turn.lock().unwrap();
        *turn += 1;
        Credentials::new(format!("ak{turn}"), format!("sk{turn}")).unwrap()
    });
    let context = builder().auth(auth).build();
    let trace = run_with(
        &context,
        GetWorkflow::new(name()),
        CallOptions::new(),
        [error(503, "busy"), a_workflow()],
    );
    signed_at(&trace.sent[0].request, "ak1", "sk1");
    signed_at(&trace.sent[1].request, "ak2", "sk2");
}

#[test]
fn headers_of_all_calls_are_sent_and_signed_unless_one_sets_its_own() {
    let named = |name: &'static str| name.parse().unwrap();
    let value = |value: &'static str| value.parse().unwrap();
    let context = builder().header(named("x-qiniu-team"), value("a")).unwrap();
    let context = context
        .header(named("x-trace"), value("b"))
        .unwrap()
        .build();
    let own = CallOptions::new()
        .header(named("x-trace"), value("own"))
        .unwrap();
    for (options, traced) in [(CallOptions::new(), "b"), (own, "own")] {
        let trace = run_with(&context, GetWorkflow::new(name()), options, [a_workflow()]);
        let request = &trace.sent[0].request;
        assert_eq!(request.headers()["x-trace"], traced);
        assert_eq!(request.headers()["x-qiniu-team"], "a");
        signed_at(request, "access-key", "secret-key");
    }
    for own in [
        "authorization",
        "date",
        "content-type",
        "content-length",
        "host",
    ] {
        assert!(builder().header(named(own), value("x")).is_err(), "{own}");
    }
}
