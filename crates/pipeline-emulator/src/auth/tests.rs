use std::{fmt::Write as _, sync::LazyLock};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, request::Parts};
use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::{account::Account, escape::unescaped};

const VECTORS: &str = include_str!("../../../pipeline-proto/tests/vectors/signing.json");

/// The `Date` of every signature vector.
const DATE: u64 = 784_111_777;

#[derive(Deserialize)]
struct Suite {
    access_key: String,
    secret_key: String,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    id: String,
    kind: String,
    method: String,
    #[serde(default)]
    request_target: String,
    #[serde(default)]
    resource: String,
    #[serde(default)]
    content_type: String,
    #[serde(default)]
    content_md5: String,
    headers: Vec<(String, String)>,
    #[serde(default)]
    string_to_sign: String,
    authorization: String,
    #[serde(default)]
    other_readings: std::collections::BTreeMap<String, OtherReading>,
}

#[derive(Deserialize)]
struct OtherReading {
    authorization: String,
}

/// The account of the vectors' keys, and the vectors.
fn suite() -> &'static (Accounts, Vec<Vector>) {
    static SUITE: LazyLock<(Accounts, Vec<Vector>)> = LazyLock::new(|| {
        let suite: Suite = serde_json::from_str(VECTORS).unwrap();
        let account = Account::new("owner").key(suite.access_key, suite.secret_key);
        (Accounts::new(vec![account]), suite.vectors)
    });
    &SUITE
}

impl Vector {
    fn request(&self) -> Parts {
        let target = if self.kind == "sign" {
            &self.request_target
        } else {
            &self.resource
        };
        let mut request = Request::builder()
            .method(self.method.as_str())
            .uri(sendable(target));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if self.kind == "token" {
            for (name, value) in [
                ("content-type", &self.content_type),
                ("content-md5", &self.content_md5),
            ] {
                if !value.is_empty() {
                    request = request.header(name, value);
                }
            }
        }
        request.body(()).unwrap().into_parts().0
    }
}

/// As an HTTP client writes a target: what may not stand in one is escaped.
fn sendable(target: &str) -> String {
    let mut sendable = String::new();
    for byte in target.bytes() {
        if byte.is_ascii_graphic() && !br#"<>"\"#.contains(&byte) {
            sendable.push(char::from(byte));
        } else {
            write!(sendable, "%{byte:02X}").unwrap();
        }
    }
    sendable
}

/// What a request presents, given to a function.
fn presenting<T>(parts: &Parts, headers: &HeaderMap, action: impl FnOnce(Presented<'_>) -> T) -> T {
    let path = unescaped(parts.uri.path().as_bytes()).unwrap();
    action(Presented {
        method: parts.method.as_str(),
        uri: &parts.uri,
        path: &path,
        headers,
    })
}

/// Judges a request as the service does, with this value of `Authorization`.
fn judge(
    accounts: &Accounts,
    parts: &Parts,
    authorization: &str,
    server_time: u64,
) -> Result<String, String> {
    let mut headers = parts.headers.clone();
    let value = HeaderValue::from_str(authorization).unwrap();
    headers.insert("authorization", value);
    let judged = presenting(parts, &headers, |presented| {
        authenticate(accounts, presented, server_time).map(str::to_owned)
    });
    judged.map_err(|error| error.to_string())
}

#[test]
fn every_vector_is_accepted_and_has_its_string_to_sign() {
    let (accounts, vectors) = suite();
    assert_eq!(vectors.len(), 27);
    for vector in vectors {
        let parts = vector.request();
        let account = judge(accounts, &parts, &vector.authorization, DATE);
        assert_eq!(account.as_deref(), Ok("owner"), "{}", vector.id);
        if vector.kind == "sign" {
            let text = presenting(&parts, &parts.headers, signature::string_to_sign);
            let text = String::from_utf8(text).unwrap();
            assert_eq!(text, vector.string_to_sign, "{}", vector.id);
        }
    }
}

/// The order of a token's members and the escapes in its strings are its maker's business; what else
/// the vectors list as another reading makes a different statement.
#[test]
fn of_the_other_readings_only_other_spellings_of_a_token_are_accepted() {
    let (accounts, vectors) = suite();
    let mut counts = (0, 0);
    for vector in vectors {
        for (reading, other) in &vector.other_readings {
            let authorization = &other.authorization;
            let same_statement = vector.kind == "token" && reading != "java";
            let judged = judge(accounts, &vector.request(), authorization, DATE);
            assert_eq!(
                judged.is_ok(),
                same_statement,
                "{} {reading}: {judged:?}",
                vector.id
            );
            if same_statement {
                counts.0 += 1;
            } else {
                counts.1 += 1;
            }
        }
    }
    assert_eq!(counts, (8, 15));
}

#[test]
fn a_date_may_be_15_minutes_off_and_a_token_is_good_until_it_expires() {
    const EXPIRES: u64 = 4_102_444_800;
    let (accounts, vectors) = suite();
    let dated = &vectors[0];
    let token = vectors.iter().find(|vector| vector.id == "T02").unwrap();
    assert!(!token.request().headers.contains_key("date"));
    for (vector, server_time, says) in [
        (dated, DATE - 900, ""),
        (dated, DATE + 900, ""),
        (dated, DATE - 901, "901 s ahead of this server's clock"),
        (dated, DATE + 901, "901 s behind this server's clock"),
        (dated, 0, "ahead"),
        (dated, u64::MAX, "behind"),
        (token, EXPIRES, ""),
        (token, EXPIRES + 1, "bad token: the token expired 1 s ago"),
    ] {
        let authorization = &vector.authorization;
        let judged = judge(accounts, &vector.request(), authorization, server_time);
        let error = judged.err().unwrap_or_default();
        assert_eq!(error.is_empty(), says.is_empty(), "{server_time}: {error}");
        assert!(error.contains(says), "{server_time}: {error}");
    }
}

/// A token made by hand, signed with the right key.
fn token(accounts: &Accounts, descriptor: &str) -> String {
    let access_key = suite().1[0].authorization[8..]
        .split(':')
        .next()
        .unwrap()
        .to_owned();
    let (_, mac) = accounts.by_access_key(&access_key).unwrap();
    let encoded = URL_SAFE.encode(descriptor);
    let mut mac = mac.clone();
    mac.update(encoded.as_bytes());
    let signature = URL_SAFE.encode(mac.finalize().into_bytes());
    format!("Pandora {access_key}:{signature}:{encoded}")
}

#[test]
fn a_token_holds_for_its_resource_with_or_without_the_query() {
    let (accounts, _) = suite();
    let judge = |resource: &str, target: &str| {
        let descriptor = serde_json::json!({"resource": resource, "expires": 9_999_999_999_u64, "method": "GET"});
        let token = token(accounts, &descriptor.to_string());
        let parts = Request::get(target).body(()).unwrap().into_parts().0;
        judge(accounts, &parts, &token, DATE).is_ok()
    };
    for (resource, target, holds) in [
        ("/v2/a", "/v2/a", true),
        ("/v2/a", "/v2/a?x=y", true),
        ("/v2/a?x=y", "/v2/a?x=y", true),
        ("/v2/a?x= y", "/v2/a?x=%20y", true),
        ("/v2/a?x=%20y", "/v2/a?x=%20y", true),
        ("/v2/a%2Eb", "/v2/a%2Eb", true),
        ("/v2/a.b", "/v2/a%2Eb?x=y", true),
        ("/v2/a", "/v2/b", false),
        ("/v2/a?x=y", "/v2/a", false),
        ("/v2/a?x=y", "/v2/a?x=z", false),
        ("/v2/a?", "/v2/a", false),
        ("/v2/a%2Eb", "/v2/a.b", false),
        ("", "/v2/a", false),
    ] {
        assert_eq!(judge(resource, target), holds, "{resource} {target}");
    }
}

#[test]
fn a_signed_descriptor_must_still_make_sense() {
    let (accounts, _) = suite();
    let parts = Request::get("/v2/a").body(()).unwrap().into_parts().0;
    let good = r#"{"resource":"/v2/a","method":"GET","expires":9999999999}"#;
    assert!(judge(accounts, &parts, &token(accounts, good), DATE).is_ok());
    let positional = r#"["/v2/a",9999999999,"","","","GET"]"#;
    for descriptor in ["", "[]", positional, r#"{"resource":7}"#] {
        let judged = judge(accounts, &parts, &token(accounts, descriptor), DATE);
        assert!(
            judged.unwrap_err().contains("not a JSON object"),
            "{descriptor}"
        );
    }
    for (member, value, why) in [
        ("expires", Some("null"), "expired"),
        ("expires", Some("-1"), "expired"),
        ("expires", None, "expired"),
        ("method", None, "another method"),
        ("method", Some(r#""get""#), "another method"),
        ("resource", None, "another resource"),
        ("contentType", Some(r#""a""#), "another contentType"),
        ("contentMD5", Some(r#""a""#), "another contentMD5"),
        ("headers", Some(r#""\nx-qiniu-a:1""#), "another headers"),
    ] {
        let mut descriptor: serde_json::Value = serde_json::from_str(good).unwrap();
        let members = descriptor.as_object_mut().unwrap();
        members.remove(member);
        members.extend(value.map(|it| (member.to_owned(), serde_json::from_str(it).unwrap())));
        let descriptor = descriptor.to_string();
        let error = judge(accounts, &parts, &token(accounts, &descriptor), DATE).unwrap_err();
        let is_told = error.starts_with("bad token: ") && error.contains(why);
        assert!(is_told, "{descriptor}: {error}");
    }
}

#[test]
fn malformed_credentials_are_refused_with_a_reason() {
    let (accounts, vectors) = suite();
    let vector = &vectors[0];
    let parts = vector.request();
    let credential = vector.authorization.strip_prefix("Pandora ").unwrap();
    let (access_key, signature) = credential.split_once(':').unwrap();
    let without_padding = signature.trim_end_matches('=');
    for authorization in [
        String::new(),
        "Pandora".into(),
        "Pandora ".into(),
        format!("Pandora {access_key}"),
        format!("Pandora {access_key}:"),
        format!("Pandora {access_key}::"),
        format!("Pandora {access_key}:{without_padding}"),
        format!("Pandora {access_key}:{signature}="),
        format!("Pandora {access_key}:{signature}:"),
        format!("Pandora {access_key}:{signature}:e30=:"),
        format!("Pandora  {credential}"),
        format!("Pandora {credential} "),
        format!("pandora {credential}"),
        format!("PandoraAdmin {credential}"),
        format!("Qiniu {credential}"),
        format!("Pandora nobody:{signature}"),
        credential.to_owned(),
    ] {
        let error = judge(accounts, &parts, &authorization, DATE).unwrap_err();
        assert!(error.starts_with("bad token: "), "{authorization}: {error}");
    }
    let mut undated = parts;
    undated.headers.remove("date");
    assert!(judge(accounts, &undated, &vector.authorization, DATE).is_err());
}

#[test]
fn the_date_is_judged_by_its_exact_form() {
    let accounts = Accounts::new(vec![Account::new("a").key("k", "s")]);
    let (_, mac) = accounts.by_access_key("k").unwrap();
    let judge = |date: &str| {
        let mut mac = mac.clone();
        mac.update(format!("GET\n\n\n{date}\n/").as_bytes());
        let signature = URL_SAFE.encode(mac.finalize().into_bytes());
        let request = Request::get("/").header("date", date);
        let parts = request.body(()).unwrap().into_parts().0;
        judge(&accounts, &parts, &format!("Pandora k:{signature}"), DATE)
    };
    assert!(judge("Sun, 06 Nov 1994 08:49:37 GMT").is_ok());
    assert!(judge("").unwrap_err().contains("no Date"));
    for date in [
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "784111777",
    ] {
        assert!(
            judge(date).unwrap_err().contains("not of the form"),
            "{date}"
        );
    }
}

#[test]
fn of_a_repeated_header_the_first_value_counts() {
    let (accounts, vectors) = suite();
    let vector = vectors.iter().find(|vector| vector.id == "S15").unwrap();
    let mut parts = vector.request();
    let name = HeaderName::from_static("x-qiniu-a");
    parts
        .headers
        .append(&name, HeaderValue::from_static("three"));
    assert!(judge(accounts, &parts, &vector.authorization, DATE).is_ok());
    parts.headers.insert(&name, HeaderValue::from_static("two"));
    assert!(judge(accounts, &parts, &vector.authorization, DATE).is_err());
}

/// What the signature or token of a vector covers, as places where one byte can be changed.
#[derive(Debug, Clone, Copy)]
enum Place {
    Method,
    Path,
    Header(usize),
    Authorization,
}

/// Replaces one byte of a text by another, both printable.
fn change(text: &str, at: prop::sample::Index, by: u8) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let byte = &mut bytes[at.index(text.len())];
    let printable = b'!' + by % 94;
    *byte = if printable == *byte {
        printable ^ 1
    } else {
        printable
    };
    String::from_utf8(bytes).unwrap()
}

proptest! {
    /// One byte, anywhere in what is signed or in the credential itself.
    #[test]
    fn a_change_of_any_one_signed_byte_is_refused(
        which in any::<prop::sample::Index>(),
        place in prop_oneof![
            Just(Place::Method),
            Just(Place::Path),
            any::<usize>().prop_map(Place::Header),
            Just(Place::Authorization),
        ],
        at in any::<prop::sample::Index>(),
        by in any::<u8>(),
    ) {
        let (accounts, vectors) = suite();
        let vector = which.get(vectors);
        let mut parts = vector.request();
        let mut authorization = vector.authorization.clone();
        match place {
            Place::Method => {
                let changed = change(&vector.method, at, by);
                let Ok(method) = Method::from_bytes(changed.as_bytes()) else { return Ok(()) };
                parts.method = method;
            }
            Place::Path => {
                let mut changed = unescaped(parts.uri.path().as_bytes()).unwrap().into_owned();
                let place = 1 + at.index(changed.len() - 1);
                changed[place] ^= 1 + by % 255;
                let mut escaped = String::from("/");
                for byte in &changed[1..] {
                    write!(escaped, "%{byte:02x}").unwrap();
                }
                parts.uri = escaped.parse().unwrap();
            }
            Place::Header(number) => {
                let signed = |name: &str| {
                    matches!(name, "content-type" | "content-md5")
                        || name == "date" && vector.kind == "sign"
                        || name.starts_with("x-qiniu-") && name.len() > "x-qiniu-".len()
                };
                let names: Vec<_> =
                    parts.headers.keys().filter(|name| signed(name.as_str())).cloned().collect();
                let Some(name) = (!names.is_empty()).then(|| &names[number % names.len()]) else {
                    return Ok(());
                };
                let value = parts.headers[name].to_str().unwrap().trim().to_owned();
                let changed = if value.is_empty() { "x".to_owned() } else { change(&value, at, by) };
                parts.headers.insert(name, HeaderValue::from_str(&changed).unwrap());
            }
            Place::Authorization => authorization = change(&authorization, at, by),
        }
        let judged = judge(accounts, &parts, &authorization, DATE);
        prop_assert!(judged.is_err(), "{} {:?}", vector.id, place);
    }

    /// A header that was not there when the request was signed.
    #[test]
    fn an_added_signed_header_is_refused(
        which in any::<prop::sample::Index>(),
        name in "x-qiniu-[a-z0-9_-]{1,12}",
        value in "[!-~]{0,12}",
    ) {
        let (accounts, vectors) = suite();
        let vector = which.get(vectors);
        let mut parts = vector.request();
        prop_assume!(!parts.headers.contains_key(&name));
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        parts.headers.insert(name, HeaderValue::from_str(&value).unwrap());
        prop_assert!(judge(accounts, &parts, &vector.authorization, DATE).is_err());
    }

    #[test]
    fn any_credential_is_judged_without_a_panic(authorization in "(Pandora )?[ -~]{0,80}") {
        let (accounts, vectors) = suite();
        let parts = vectors[0].request();
        prop_assert!(judge(accounts, &parts, &authorization, DATE).is_err());
    }
}
