//! A text, read as a token; and as the descriptor of one, which is then minted and put before the
//! emulator's verifier.

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use pipeline_emulator::{Account, Emulator};
use pipeline_proto::{Credentials, Now, Token, TokenDescriptor};

const ACCESS_KEY: &str = "EXAMPLE-access-key-0123456789_abcdefghij";
const SECRET_KEY: &str = "EXAMPLE-secret-key-9876543210_zyxwvutsrq";

/// # Panics
///
/// If a token does not survive a round trip, a forged one is accepted, or client and emulator
/// disagree on one.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let credentials = Credentials::new(ACCESS_KEY, SECRET_KEY).expect("the keys are legal");
    if let Ok(token) = text.parse::<Token>() {
        check_token(&token, &credentials);
    }
    if let Ok(descriptor) = serde_json::from_str::<TokenDescriptor>(text) {
        check_descriptor(&descriptor, &credentials);
    }
}

fn check_token(token: &Token, credentials: &Credentials) {
    let text = token.as_str();
    assert_eq!(text.parse().as_ref(), Ok(token));
    // Whatever the signature is, it does not show.
    let (access_key, rest) = text.split_once(':').expect("a token has three parts");
    let (_, descriptor) = rest.split_once(':').expect("a token has three parts");
    let other: Token = format!("{access_key}:other:{descriptor}")
        .parse()
        .expect("the signature may be any text");
    assert_eq!(format!("{token:?}"), format!("{other:?}"));

    let decoded = token.decode();
    if let Ok(verified) = token.verify(credentials) {
        assert_eq!(decoded.as_ref(), Ok(&verified));
        assert_eq!(token.access_key(), ACCESS_KEY);
        let others = Credentials::new(ACCESS_KEY, "another secret").expect("the keys are legal");
        assert!(token.verify(&others).is_err());
    }
    if let Ok(descriptor) = decoded {
        check_descriptor(&descriptor, credentials);
    }
}

fn check_descriptor(descriptor: &TokenDescriptor, credentials: &Credentials) {
    let token = descriptor.mint(credentials);
    assert_eq!(token.verify(credentials).as_ref(), Ok(descriptor));
    let json = descriptor.to_json();
    assert_eq!(
        serde_json::from_str(&json).ok().as_ref(),
        Some(descriptor),
        "{json}"
    );

    let Some(request) = permitted(descriptor, &token) else {
        return;
    };
    let (parts, body) = request.into_parts();
    if descriptor.mismatch(&parts).is_some() {
        return;
    }
    // At the last second it is good, a second later it is not, and both sides know.
    let last = descriptor.expires.as_secs();
    for (second, good) in [(Some(last), true), (last.checked_add(1), false)] {
        let Some(wall) = second
            .and_then(|second| u64::try_from(second).ok())
            .and_then(|second| UNIX_EPOCH.checked_add(Duration::from_secs(second)))
        else {
            continue;
        };
        assert_eq!(descriptor.is_expired(wall), !good);
        let mut emulator = Emulator::builder()
            .account(Account::new("owner").key(ACCESS_KEY, SECRET_KEY))
            .build();
        let request = Request::from_parts(parts.clone(), body.clone());
        let answer = emulator.handle(request, Now::new(wall, Duration::ZERO));
        // Before it looks at the caller, the service refuses unknown paths and wrong lengths.
        if !matches!(answer.status().as_u16(), 400 | 404 | 405 | 411 | 413) {
            assert_eq!(answer.status() != 401, good, "{:?}", answer.body());
        }
    }
}

/// The request that a descriptor describes, if it can be said in HTTP.
fn permitted(descriptor: &TokenDescriptor, token: &Token) -> Option<Request<Bytes>> {
    let mut request = Request::new(Bytes::new());
    *request.method_mut() = Method::from_bytes(descriptor.method.as_bytes()).ok()?;
    *request.uri_mut() = descriptor.resource.parse::<Uri>().ok()?;
    let headers = request.headers_mut();
    headers.insert("authorization", HeaderValue::from_str(token.as_str()).ok()?);
    for (name, value) in [
        ("content-type", &descriptor.content_type),
        ("content-md5", &descriptor.content_md5),
    ] {
        if !value.is_empty() {
            headers.insert(name, HeaderValue::from_str(value).ok()?);
        }
    }
    for line in descriptor.headers.lines().skip(1) {
        let (name, value) = line.split_once(':')?;
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        headers.append(name, HeaderValue::from_str(value).ok()?);
    }
    Some(request)
}
