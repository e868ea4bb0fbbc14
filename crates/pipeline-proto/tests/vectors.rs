//! The published signing vectors, asserted at every layer, so that a failure names the vector and
//! the first layer that differs.

use std::{
    collections::BTreeMap,
    time::{Duration, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, request::Parts};
use pipeline_proto::{
    Call, CallOptions, Context, Credentials, Now, Operation, Token, TokenDescriptor, UnixTime,
    WorkflowName,
    resource::workflow::{
        CreateWorkflow, DeleteWorkflow, GetWorkflow, ListWorkflows, StartWorkflow, UpdateWorkflow,
    },
    sign,
};
use serde::Deserialize;
use sha1::Sha1;

#[derive(Deserialize)]
struct Vectors {
    date: String,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Vector {
    Sign(Box<SignVector>),
    Token(Box<TokenVector>),
}

#[derive(Deserialize)]
struct SignVector {
    id: String,
    access_key: String,
    secret_key: String,
    method: String,
    url: String,
    request_target: String,
    headers: Vec<(String, String)>,
    canonical_headers: String,
    canonical_resource: String,
    string_to_sign: String,
    string_to_sign_hex: String,
    hmac_sha1_hex: String,
    authorization: String,
    #[serde(default)]
    other_readings: BTreeMap<String, OtherString>,
}

/// What follows from another reading of the rules.
#[derive(Deserialize)]
struct OtherString {
    string_to_sign: String,
    authorization: String,
}

#[derive(Deserialize)]
struct TokenVector {
    id: String,
    access_key: String,
    secret_key: String,
    method: String,
    resource: String,
    expires: i64,
    content_type: String,
    content_md5: String,
    headers: Vec<(String, String)>,
    canonical_headers: String,
    descriptor_json: String,
    encoded_descriptor: String,
    encoded_signature: String,
    authorization: String,
    #[serde(default)]
    other_readings: BTreeMap<String, OtherToken>,
}

/// The same permission in another order of members, or escaped otherwise.
#[derive(Deserialize)]
struct OtherToken {
    descriptor_json: String,
    authorization: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("vectors/signing.json")).unwrap()
}

fn sign_vectors() -> Vec<SignVector> {
    let all = vectors().vectors.into_iter();
    all.filter_map(|vector| match vector {
        Vector::Sign(vector) => Some(*vector),
        Vector::Token(_) => None,
    })
    .collect()
}

fn token_vectors() -> Vec<TokenVector> {
    let all = vectors().vectors.into_iter();
    all.filter_map(|vector| match vector {
        Vector::Token(vector) => Some(*vector),
        Vector::Sign(_) => None,
    })
    .collect()
}

/// The MAC without any code of the crate.
fn hmac_sha1(secret: &str, message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

fn header_map(headers: &[(String, String)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        map.append(name, HeaderValue::from_str(value).unwrap());
    }
    map
}

fn parts(vector: &SignVector) -> Parts {
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.method = Method::from_bytes(vector.method.as_bytes()).unwrap();
    parts.uri = vector.url.parse::<Uri>().unwrap();
    parts.headers = header_map(&vector.headers);
    parts
}

#[test]
fn there_are_twenty_signatures_and_seven_tokens() {
    let ids: Vec<String> = sign_vectors().into_iter().map(|vector| vector.id).collect();
    let expected: Vec<String> = (1..=20).map(|number| format!("S{number:02}")).collect();
    assert_eq!(ids, expected);
    let ids: Vec<String> = token_vectors()
        .into_iter()
        .map(|vector| vector.id)
        .collect();
    let expected: Vec<String> = (1..=7).map(|number| format!("T{number:02}")).collect();
    assert_eq!(ids, expected);
}

#[test]
fn signatures_hold_at_every_layer() {
    for vector in sign_vectors() {
        let id = &vector.id;
        let parts = parts(&vector);
        let credentials = Credentials::new(vector.access_key.as_str(), &vector.secret_key).unwrap();

        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let target = parts.uri.path_and_query().unwrap().to_string();
        let headers = sign::canonical_headers(&parts.headers);
        let resource = sign::canonical_resource(parts.uri.path()).unwrap();
        let signed = sign::string_to_sign(&parts).unwrap();
        let mac = hmac_sha1(&vector.secret_key, &signed);
        for (layer, found, expected) in [
            ("request target", target, &vector.request_target),
            (
                "canonical headers",
                text(&headers),
                &vector.canonical_headers,
            ),
            (
                "canonical resource",
                text(&resource),
                &vector.canonical_resource,
            ),
            ("string to sign", text(&signed), &vector.string_to_sign),
            (
                "string to sign in hex",
                hex(&signed),
                &vector.string_to_sign_hex,
            ),
            ("MAC", hex(&mac), &vector.hmac_sha1_hex),
        ] {
            assert_eq!(found, *expected, "{id}, {layer}");
        }
        let assembled = format!("Pandora {}:{}", vector.access_key, URL_SAFE.encode(&mac));
        assert_eq!(assembled, vector.authorization, "{id}, encoded signature");
        let value = sign::authorization(&parts, &credentials).unwrap();
        assert_eq!(value, vector.authorization, "{id}, Authorization");
        assert!(value.is_sensitive(), "{id}, Authorization is to be hidden");
    }
}

/// The vectors also tell what other readings of the rules would give; none of them may be ours.
#[test]
fn other_readings_give_other_signatures() {
    let mut readings = 0;
    for vector in sign_vectors() {
        let ours = sign::string_to_sign(&parts(&vector)).unwrap();
        for (reading, other) in &vector.other_readings {
            let label = format!("{}, {reading}", vector.id);
            let mac = hmac_sha1(&vector.secret_key, other.string_to_sign.as_bytes());
            let theirs = format!("Pandora {}:{}", vector.access_key, URL_SAFE.encode(mac));
            assert_eq!(theirs, other.authorization, "{label}");
            assert_ne!(other.string_to_sign.as_bytes(), ours, "{label}");
            readings += 1;
        }
    }
    assert!(readings > 10, "{readings}");
}

#[test]
fn tokens_hold_at_every_layer() {
    for vector in token_vectors() {
        let id = &vector.id;
        let credentials = Credentials::new(vector.access_key.as_str(), &vector.secret_key).unwrap();
        let method = Method::from_bytes(vector.method.as_bytes()).unwrap();
        let expires = UnixTime::from_secs(vector.expires);
        let descriptor = TokenDescriptor::new(&method, vector.resource.as_str(), expires)
            .content_type(vector.content_type.as_str())
            .content_md5(vector.content_md5.as_str())
            .signed_headers(&header_map(&vector.headers))
            .unwrap();

        let json = descriptor.to_json();
        let encoded = URL_SAFE.encode(&json);
        let mac = hmac_sha1(&vector.secret_key, encoded.as_bytes());
        for (layer, found, expected) in [
            (
                "canonical headers",
                &descriptor.headers,
                &vector.canonical_headers,
            ),
            ("descriptor", &json, &vector.descriptor_json),
            ("encoded descriptor", &encoded, &vector.encoded_descriptor),
            ("MAC", &URL_SAFE.encode(mac), &vector.encoded_signature),
        ] {
            assert_eq!(found, expected, "{id}, {layer}");
        }
        let token = descriptor.mint(&credentials);
        assert_eq!(token.as_str(), vector.authorization, "{id}, token");

        let bare = vector.authorization.strip_prefix("Pandora ").unwrap();
        for text in [vector.authorization.as_str(), bare] {
            let parsed: Token = text.parse().unwrap();
            assert_eq!(parsed, token, "{id}, parsed");
            assert_eq!(parsed.access_key(), vector.access_key, "{id}, access key");
            assert_eq!(parsed.decode().as_ref(), Ok(&descriptor), "{id}, decoded");
            assert_eq!(
                parsed.verify(&credentials).as_ref(),
                Ok(&descriptor),
                "{id}, verified"
            );
        }
        let other = Credentials::new(vector.access_key.as_str(), "another secret key").unwrap();
        assert!(token.verify(&other).is_err(), "{id}, another secret key");
    }
}

/// The vendor's SDKs disagree on the order of members and on escaping; what they make is accepted.
#[test]
fn tokens_in_other_orders_are_read_and_verified() {
    let mut readings = 0;
    for vector in token_vectors() {
        let credentials = Credentials::new(vector.access_key.as_str(), &vector.secret_key).unwrap();
        for (reading, other) in &vector.other_readings {
            let label = format!("{}, {reading}", vector.id);
            let token: Token = other.authorization.parse().unwrap();
            let descriptor = token.verify(&credentials).expect(&label);
            assert_eq!(token.decode().as_ref(), Ok(&descriptor), "{label}");

            let json: serde_json::Value = serde_json::from_str(&other.descriptor_json).unwrap();
            for (name, ours) in [
                ("resource", &descriptor.resource),
                ("contentMD5", &descriptor.content_md5),
                ("contentType", &descriptor.content_type),
                ("headers", &descriptor.headers),
                ("method", &descriptor.method),
            ] {
                assert_eq!(json[name], **ours, "{label}, {name}");
            }
            assert_eq!(
                json["expires"],
                descriptor.expires.as_secs(),
                "{label}, expires"
            );
            readings += 1;
        }
    }
    assert!(readings > 8, "{readings}");
}

#[test]
fn a_descriptor_is_an_object_and_no_array_of_its_members() {
    for (json, is_read) in [
        (r#" {"resource":"/v2/a","expires":9,"method":"GET"}"#, true),
        (r#"["/v2/a",9,"","","","GET"]"#, false),
    ] {
        let text = format!("a:b:{}", URL_SAFE.encode(json));
        let token: Token = text.parse().unwrap();
        assert_eq!(token.decode().is_ok(), is_read, "{json}");
    }
}

/// The request that a call makes of an operation when the clock shows the date of the vectors.
fn request_of<O: Operation>(operation: O, options: CallOptions) -> Request<Bytes> {
    let keys = &sign_vectors()[0];
    let credentials = Credentials::new(keys.access_key.as_str(), &keys.secret_key).unwrap();
    let context = Context::builder()
        .credentials(credentials)
        .user_agent(HeaderValue::from_static("demo/1.0"))
        .build();
    let now = Now::new(
        UNIX_EPOCH + Duration::from_secs(784_111_777),
        Duration::ZERO,
    );
    let call = Call::new(&context, operation, options).unwrap();
    let (request, _) = call.start(now).send();
    assert_eq!(request.headers()["date"], vectors().date);
    request
}

#[test]
fn calls_sign_as_the_vectors_of_their_operations() {
    let name = || WorkflowName::from_static("Test_Workflow");
    let plain = CallOptions::new;
    let accept = HeaderValue::from_static("*/*");
    let unsigned = CallOptions::new()
        .resource_owner("1380000000".parse().unwrap())
        .header(http::header::ACCEPT, accept)
        .unwrap();
    let create = CreateWorkflow::new(name()).comment("workflow_for_test");
    // The body is not signed, so an empty graph will do.
    let update = UpdateWorkflow::new(name(), std::iter::empty().collect());
    let rows = [
        ("S01", request_of(ListWorkflows::new(), plain())),
        ("S02", request_of(GetWorkflow::new(name()), unsigned)),
        ("S04", request_of(create, plain())),
        ("S05", request_of(update, plain())),
        ("S06", request_of(StartWorkflow::new(name()), plain())),
        ("S08", request_of(DeleteWorkflow::new(name()), plain())),
    ];
    for (id, request) in rows {
        let vectors = sign_vectors();
        let vector = vectors.iter().find(|vector| vector.id == id).unwrap();
        assert_eq!(request.method().as_str(), vector.method, "{id}, method");
        assert_eq!(*request.uri(), *vector.url, "{id}, URL");
        let (parts, _) = request.into_parts();
        let text = sign::string_to_sign(&parts).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&text),
            vector.string_to_sign,
            "{id}, string to sign"
        );
        let sent = &parts.headers["authorization"];
        assert_eq!(sent, vector.authorization.as_str(), "{id}, Authorization");
        assert!(sent.is_sensitive(), "{id}, Authorization is to be hidden");
    }
}

#[test]
fn a_token_for_the_request_of_a_call_is_that_of_the_vector() {
    let start = StartWorkflow::new(WorkflowName::from_static("Test_Workflow"));
    let (parts, _) = request_of(start, CallOptions::new()).into_parts();
    let vector = token_vectors().pop().unwrap();
    let expires = UnixTime::from_secs(vector.expires);
    let descriptor = TokenDescriptor::for_request(&parts, expires).unwrap();
    assert_eq!(
        descriptor.to_json(),
        vector.descriptor_json,
        "{}",
        vector.id
    );
    assert_eq!(descriptor.mismatch(&parts), None);
}

#[test]
fn a_token_for_a_request_with_a_query_says_what_is_sent() {
    let mut seen = 0;
    for vector in sign_vectors() {
        let parts = parts(&vector);
        let target = parts.uri.path_and_query().unwrap();
        let expires = UnixTime::from_secs(4_102_444_800);
        let mut descriptor = TokenDescriptor::for_request(&parts, expires).unwrap();
        if target.query().is_some() {
            seen += 1;
            assert_eq!(descriptor.resource, target.as_str(), "{}", vector.id);
            assert_eq!(descriptor.mismatch(&parts), None, "{}", vector.id);
        }
        // Go's own calls show one token for the bare path with whatever query.
        descriptor.resource = parts.uri.path().to_owned();
        assert_eq!(descriptor.mismatch(&parts), None, "{}", vector.id);
    }
    assert!(seen >= 3, "S03, S10 and S20 have a query");
    // T04 has its query as no URL can be sent: it fits the escaped one.
    let vector = token_vectors()
        .into_iter()
        .find(|it| it.id == "T04")
        .unwrap();
    let uri = "/v2/repos/r/data?tags=a&x=%3C%22b%22%3E%5C";
    let request = Request::post(uri).header("content-type", vector.content_type.as_str());
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let token: Token = vector.authorization.parse().unwrap();
    assert_eq!(token.decode().unwrap().mismatch(&parts), None);
}
