//! Calls that show a token instead of signing.

use http::{HeaderName, HeaderValue, Method};
use pipeline_proto::{
    ApiError, Call, CallOptions, Context, Credentials, Error, ErrorKind, Operation, RefusalCause,
    Token, TokenDescriptor,
    resource::{
        repo::ListRepos,
        workflow::{CreateWorkflow, StartWorkflow},
    },
};

use super::support::{
    Event, bad_token, builder, context, credentials, error, name, response, run_with, secs, start,
};

fn start_workflow() -> StartWorkflow {
    StartWorkflow::new(name())
}

/// A permission to start the workflow, for an hour.
fn permission() -> TokenDescriptor {
    let expires = start().wall + secs(3600);
    TokenDescriptor::new(&Method::POST, "/v2/workflows/logs/start", expires)
}

fn with_token(descriptor: &TokenDescriptor) -> CallOptions {
    CallOptions::new().auth(descriptor.mint(&credentials()))
}

fn refusal(error: &Error) -> &RefusalCause {
    error
        .api()
        .and_then(ApiError::refusal)
        .expect("the error is a refusal")
}

/// Why a start with this token is refused, when the service's clock is so many seconds ahead.
fn refused(descriptor: &TokenDescriptor, ahead: i64) -> Error {
    let event = bad_token().clock_ahead(ahead);
    let trace = run_with(
        &context(),
        start_workflow(),
        with_token(descriptor),
        [event],
    );
    assert_eq!(trace.attempts(), 1, "a token is as good the second time");
    trace.error()
}

#[test]
fn a_token_is_sent_as_it_is_and_on_each_attempt() {
    let token = permission().mint(&credentials());
    let context = Context::builder().auth(token.clone()).build();
    let later = response(503).header("retry-after", "1");
    let events = [later, response(200)];
    let trace = run_with(&context, start_workflow(), CallOptions::new(), events);
    assert!(trace.result.is_ok());
    assert_eq!(trace.attempts(), 2);
    for sent in &trace.sent {
        let value = &sent.request.headers()["authorization"];
        assert_eq!(value, token.as_str());
        assert!(value.is_sensitive());
        assert!(sent.request.headers().contains_key("date"));
    }
}

#[test]
fn a_token_of_the_call_goes_before_the_keys_of_the_context_and_is_sent_with_the_scheme_word() {
    let others = permission().mint(&Credentials::new("device", "another").unwrap());
    let minted = permission().mint(&credentials());
    let bare: Token = minted.as_str().replace("Pandora ", "").parse().unwrap();
    for (token, expected) in [(others.clone(), others), (bare, minted)] {
        let options = CallOptions::new().auth(token);
        let trace = run_with(&context(), start_workflow(), options, [response(200)]);
        let headers = trace.sent[0].request.headers();
        assert_eq!(headers["authorization"], expected.as_str());
    }
}

#[test]
fn an_expired_token_is_named_as_the_reason() {
    let mut expired = permission();
    expired.expires = (start().wall - secs(90)).into();
    let options = with_token(&expired);
    let trace = run_with(&context(), start_workflow(), options, [bad_token()]);
    assert_eq!(trace.attempts(), 1);
    let error = trace.error();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(refusal(&error), &RefusalCause::TokenExpired(secs(90)));
    assert!(
        error
            .to_string()
            .contains("the token expired 90 s ago: ask for a new one"),
        "{error}"
    );
}

#[test]
fn a_token_expires_by_the_clock_of_the_service() {
    // Good for another hour here, and expired for two hours there.
    let error = refused(&permission(), 3 * 3600);
    let RefusalCause::TokenExpired(ago) = refusal(&error) else {
        panic!("{error:?}")
    };
    assert!((secs(7199)..=secs(7201)).contains(ago), "{ago:?}");
}

#[test]
fn the_member_that_differs_is_named() {
    let refusal_of = |descriptor: &TokenDescriptor| refusal(&refused(descriptor, 0)).clone();
    let expires = permission().expires;
    let other_method = TokenDescriptor::new(&Method::GET, "/v2/workflows/logs/start", expires);
    let other_resource = TokenDescriptor::new(&Method::POST, "/v2/workflows/logs/stop", expires);
    let mut headers = http::HeaderMap::new();
    let trace = HeaderName::from_static("x-qiniu-trace");
    headers.insert(trace, HeaderValue::from_static("on"));
    for (descriptor, member) in [
        (other_method, "method"),
        (other_resource, "resource"),
        // The mistake that the vendor's documents make.
        (permission().content_type("application/json"), "contentType"),
        (
            permission().content_md5("mZFLkyvTelC5g8XnyQrpOw=="),
            "contentMD5",
        ),
        (permission().signed_headers(&headers).unwrap(), "headers"),
    ] {
        assert_eq!(refusal_of(&descriptor), RefusalCause::TokenMismatch(member));
    }
    assert_eq!(refusal_of(&permission()), RefusalCause::TokenKeys);
}

#[test]
fn a_token_that_cannot_be_read_is_named_as_the_reason() {
    let token: Token = "ak:AAAA:bm8ganNvbg==".parse().unwrap();
    let options = CallOptions::new().auth(token);
    let trace = run_with(&context(), start_workflow(), options, [bad_token()]);
    assert_eq!(refusal(&trace.error()), &RefusalCause::TokenUnreadable);
}

#[test]
fn a_wrong_clock_is_not_corrected_for_a_token() {
    let context = context();
    let never = TokenDescriptor::new(
        &Method::POST,
        "/v2/workflows/logs/start",
        start().wall + secs(86_400),
    );
    let event = bad_token().clock_ahead(7200);
    let trace = run_with(&context, start_workflow(), with_token(&never), [event]);
    assert_eq!(trace.attempts(), 1);
    assert_eq!(
        context.clock_offset(),
        pipeline_proto::ClockOffset::default()
    );
}

#[test]
fn without_credentials_the_error_says_that_there_were_none() {
    let anonymous = builder().auth(pipeline_proto::Auth::Anonymous).build();
    let refused: Event = error(401, "bad token").clock_ahead(1200);
    let trace = run_with(&anonymous, start_workflow(), CallOptions::new(), [refused]);
    assert_eq!(trace.attempts(), 1);
    assert_eq!(refusal(&trace.error()), &RefusalCause::NoCredentials);
}

#[test]
fn a_token_made_from_the_request_of_a_call_fits_it() {
    let parts = parts_of(CreateWorkflow::new(name()));
    let descriptor = TokenDescriptor::for_request(&parts, start().wall + secs(60)).unwrap();
    assert_eq!(descriptor.content_type, "application/json");
    assert_eq!(descriptor.mismatch(&parts), None);
}

#[test]
fn a_token_for_a_query_fits_no_other_and_one_for_the_path_fits_all() {
    let list = |dag: bool| parts_of(ListRepos::new().with_dag(dag));
    let (with, without) = (list(true), list(false));
    let mut descriptor = TokenDescriptor::for_request(&with, start().wall).unwrap();
    assert_eq!(descriptor.resource, "/v2/repos?withDag=true");
    assert_eq!(descriptor.mismatch(&with), None);
    assert_eq!(descriptor.mismatch(&without), Some("resource"));
    descriptor.resource = "/v2/repos".to_owned();
    for parts in [with, without, parts_of(ListRepos::new())] {
        assert_eq!(descriptor.mismatch(&parts), None);
    }
}

fn parts_of<O: Operation>(operation: O) -> http::request::Parts {
    let call = Call::new(&context(), operation, CallOptions::new()).unwrap();
    call.start(start()).send().0.into_parts().0
}
