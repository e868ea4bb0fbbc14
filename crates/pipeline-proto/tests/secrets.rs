//! A secret is given to everything that takes one, and must not come out of anything that can be
//! printed.

#[path = "support/mod.rs"]
mod support;

use std::{error::Error as _, fmt::Debug, time::Duration};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use http::{HeaderName, Method};
use pipeline_proto::{
    Attempt, Auth, Call, CallOptions, Context, Credentials, Endpoint, Error, Fault, FaultKind,
    Next, NodeName, Token, TokenDescriptor,
    model::{Node, NodeType, Nodes},
    operation::Operation,
    resource::workflow::{CreateWorkflow, GetWorkflow, StartWorkflow, UpdateWorkflow},
    wait::{Goal, Step, WaitOptions, Waiter},
};

use support::{bad_token, fault, name, response, secs, start};

const CANARY: &str = "canary-9f1c-secret-key";

/// The forms in which bytes get into a text: as they are, as lists of numbers, in hex, in base64.
fn forms(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let decimal = format!("{bytes:?}");
    let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let hex = hex.concat();
    vec![
        secret.to_owned(),
        decimal[1..decimal.len() - 1].to_owned(),
        hex.to_uppercase(),
        hex,
        STANDARD.encode(bytes).trim_end_matches('=').to_owned(),
        URL_SAFE.encode(bytes).trim_end_matches('=').to_owned(),
    ]
}

#[track_caller]
fn assert_absent(secrets: &[&str], text: &str) {
    for form in secrets.iter().flat_map(|secret| forms(secret)) {
        assert!(!text.contains(&form), "{form:?} stands in {text}");
    }
}

/// Both forms of `Debug`.
fn shown(value: &impl Debug) -> String {
    format!("{value:?}\n{value:#?}")
}

/// An error with everything that can be asked of it, and its chain of sources.
fn told(error: &Error) -> String {
    let mut texts = vec![
        error.to_string(),
        shown(error),
        format!("{:?}", error.body()),
    ];
    let mut source = error.source();
    while let Some(inner) = source {
        texts.extend([inner.to_string(), format!("{inner:?}")]);
        source = inner.source();
    }
    texts.join("\n")
}

fn canary() -> Credentials {
    Credentials::new("access", CANARY).unwrap()
}

fn token() -> Token {
    TokenDescriptor::new(&Method::POST, "/v2/workflows/logs/start", start().wall).mint(&canary())
}

/// What must not come out of a token: whoever has its signature may use it.
fn signature_of(token: &Token) -> String {
    token.as_str().split(':').nth(1).unwrap().to_owned()
}

#[test]
fn the_test_would_find_a_leak() {
    for form in forms(CANARY) {
        let leak = std::panic::catch_unwind(|| assert_absent(&[CANARY], &format!("[{form}, 0]")));
        assert!(leak.is_err(), "{form}");
    }
}

#[test]
fn credentials_and_tokens_hide_their_secrets() {
    let token = token();
    let secrets = [CANARY, &signature_of(&token)];
    for text in [
        shown(&canary()),
        shown(&Auth::from(canary())),
        shown(&token),
        shown(&Auth::from(token.clone())),
        shown(&token.decode()),
        shown(&token.verify(&canary())),
        shown(&token.verify(&Credentials::new("access", "other").unwrap())),
        shown(&token.verify(&Credentials::new("other", CANARY).unwrap())),
    ] {
        assert_absent(&secrets, &text);
    }
    // What is no secret is shown, or nobody could tell two apart.
    assert!(shown(&token).contains("access"));
}

#[test]
fn keys_and_tokens_that_are_refused_are_not_repeated() {
    let secrets = [CANARY];
    for access_key in ["", CANARY] {
        for secret_key in ["", CANARY] {
            let access_key = format!("{access_key}:");
            let error = Credentials::new(access_key, secret_key).unwrap_err();
            assert_absent(&secrets, &format!("{error} {error:?}"));
        }
    }
    for text in [
        CANARY.to_owned(),
        format!("a:{CANARY}"),
        format!("a:{CANARY}:b:c"),
        format!("a: {CANARY}:b"),
    ] {
        let error = text.parse::<Token>().unwrap_err();
        assert_absent(&secrets, &format!("{error} {error:?}"));
    }
    for descriptor in ["!", "bm8ganNvbg=="] {
        let token: Token = format!("a:{CANARY}:{descriptor}").parse().unwrap();
        let error = token.decode().unwrap_err();
        assert_absent(&secrets, &format!("{error} {error:?}"));
    }
}

#[test]
fn an_endpoint_that_is_refused_does_not_repeat_a_password() {
    for text in [
        format!("https://user:{CANARY}@host"),
        format!("https://{CANARY}@host:port/x y"),
        format!("ftp://user:{CANARY}@host"),
        format!("https://host?key={CANARY}"),
        format!("https://host/{CANARY}?"),
    ] {
        let error = text.parse::<Endpoint>().unwrap_err();
        assert_absent(&[CANARY], &format!("{error} {error:?}"));
    }
}

/// Follows one call through all its states, and looks at each.
fn follow<O>(context: &Context, operation: &O, options: &CallOptions, secrets: &[&str])
where
    O: Operation + Clone + Debug,
    O::Output: Debug,
{
    let call = || Call::new(context, operation.clone(), options.clone()).unwrap();
    let attempt = || -> Attempt<O> { call().start(start()) };
    let mut texts = vec![
        shown(context),
        shown(options),
        shown(&call()),
        shown(&attempt()),
    ];
    texts.push(shown(attempt().request()));
    let (request, in_flight) = attempt().send();
    assert!(request.headers()["authorization"].is_sensitive());
    texts.extend([shown(&request), shown(&in_flight)]);

    let at = start() + Duration::from_millis(100);
    for event in [
        response(200),
        response(200).body("{}"),
        response(200).body("{\"name\":"),
        response(204),
        response(302),
        response(404),
        response(500),
        response(503).header("retry-after", "1"),
        bad_token(),
        bad_token().clock_ahead(0),
        bad_token().clock_ahead(1200),
        fault(FaultKind::NotSent),
        fault(FaultKind::Interrupted),
        fault(FaultKind::TimedOut),
        fault(FaultKind::BodyTooLarge),
    ] {
        let (_, in_flight) = attempt().send();
        let next = match event.into_response(start()) {
            Ok(response) => in_flight.on_response(response, at),
            Err(fault) => in_flight.on_fault(fault, at),
        };
        texts.push(shown(&next));
        match next {
            Next::Done(Ok(output)) => texts.push(shown(&output)),
            Next::Done(Err(error)) => texts.push(told(&error)),
            Next::Retry(backoff) => {
                texts.extend([
                    shown(&backoff),
                    shown(backoff.cause()),
                    shown(&backoff.reason()),
                ]);
                texts.push(told(&backoff.resume(start() + secs(600)).unwrap_err()));
            }
        }
    }
    // The last resort of a transport: its own error as the source.
    let (_, in_flight) = attempt().send();
    let fault = Fault::new(FaultKind::Interrupted).with_source("connection reset");
    let next = in_flight.on_fault(fault, at);
    texts.push(shown(&next));
    for text in texts {
        assert_absent(secrets, &text);
    }
}

#[test]
fn a_call_that_signs_hides_the_secret_key_and_its_signatures_in_all_its_states() {
    let context = Context::builder().credentials(canary());
    assert_absent(&[CANARY], &shown(&context));
    let context = context.build();
    let options = CallOptions::new();
    let attempt = Call::new(&context, GetWorkflow::new(name()), options.clone())
        .unwrap()
        .start(start());
    let value = attempt.request().headers()["authorization"]
        .to_str()
        .unwrap()
        .to_owned();
    let signature = value.rsplit(':').next().unwrap();
    follow(
        &context,
        &GetWorkflow::new(name()),
        &options,
        &[CANARY, signature],
    );
    follow(&context, &CreateWorkflow::new(name()), &options, &[CANARY]);
    // Credentials of the call instead of the context.
    let options = options.auth(canary());
    follow(
        &support::context(),
        &StartWorkflow::new(name()),
        &options,
        &[CANARY],
    );
}

#[test]
fn a_call_that_shows_a_token_hides_it_in_all_its_states() {
    let token = token();
    let signature = signature_of(&token);
    let secrets = [CANARY, token.as_str(), &signature];
    let options = CallOptions::new();
    let context = Context::builder().auth(token.clone());
    assert_absent(&secrets, &shown(&context));
    follow(
        &context.build(),
        &StartWorkflow::new(name()),
        &options,
        &secrets,
    );
    let options = options.auth(token.clone());
    follow(
        &support::context(),
        &GetWorkflow::new(name()),
        &options,
        &secrets,
    );
}

#[test]
fn a_header_that_is_marked_as_sensitive_stays_hidden() {
    let mut value = http::HeaderValue::from_static(CANARY);
    value.set_sensitive(true);
    let header = HeaderName::from_static("x-qiniu-key");
    let options = CallOptions::new().header(header, value).unwrap();
    follow(
        &support::context(),
        &GetWorkflow::new(name()),
        &options,
        &[CANARY],
    );
}

/// The data of a node may hold keys, such as those of an export to another account. What is handed
/// out for sending, an `http::Request`, shows its body; nothing else does.
#[test]
fn the_data_of_nodes_stays_hidden_on_its_way() {
    let data = format!(r#"{{"type":"kodo","spec":{{"exportSecretKey":"{CANARY}"}}}}"#);
    let export = NodeName::from_static("to_kodo");
    let node = Node::new(export, NodeType::Export, data.parse().unwrap());
    let update = UpdateWorkflow::new(name(), Nodes::from([(node.id(), node)]));
    let call = || Call::new(&support::context(), update.clone(), CallOptions::new()).unwrap();
    let (_, in_flight) = call().start(start()).send();
    let mut texts = vec![
        shown(&update),
        shown(&update.template().unwrap()),
        shown(&call()),
        shown(&call().start(start())),
        shown(&in_flight),
    ];
    let next = in_flight.on_fault(Fault::new(FaultKind::NotSent), start());
    texts.push(shown(&next));
    for text in texts {
        assert_absent(&[CANARY], &text);
    }
}

#[test]
fn a_wait_holds_no_secret_in_any_of_its_steps() {
    let once = CallOptions::new();
    let context = Context::builder().credentials(canary()).build();
    let step = Waiter::ensure(name(), Goal::Started, WaitOptions::default(), start());
    let mut texts = vec![shown(&step)];
    let Step::Send(due) = step else {
        panic!("{step:?}")
    };
    let refused = support::run_with(&context, due.operation(), once, [bad_token()]);
    let step = due.on_result(refused.result, start());
    texts.push(shown(&step));
    let Step::Done(Err(error)) = step else {
        panic!("{step:?}")
    };
    texts.extend([
        shown(&error),
        error.to_string(),
        told(error.error().unwrap()),
    ]);
    for text in texts {
        assert_absent(&[CANARY], &text);
    }
}
