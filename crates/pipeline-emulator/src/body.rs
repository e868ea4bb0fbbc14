//! The body of a request: its length, its digest, its JSON.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, Method, header};
use md5::{Digest as _, Md5};
use pipeline_proto::ErrorCode;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::refusal::Refusal;

/// How deep JSON may be nested. Node data is kept as text, so its depth would otherwise be found out
/// by whoever reads it later; a common limit of JSON readers is 128 levels, around the data included.
pub(crate) const MAX_DEPTH: usize = 100;

/// Checks what the headers say of the body's length.
///
/// The service wants a `Content-Length` with POST and PUT, and 411 is what a client gets whose HTTP
/// library leaves it out of an empty POST or sends the body in chunks. In process no library has
/// added the header yet, so a body that is there is taken as it is.
pub(crate) fn check_length(
    method: &Method,
    headers: &HeaderMap,
    body: &[u8],
    max: usize,
) -> Result<(), Refusal> {
    match headers.get(header::CONTENT_LENGTH) {
        Some(value) => {
            let invalid = |detail| Refusal::code(ErrorCode::INVALID_CONTENT_LENGTH, detail);
            let text = value.to_str().unwrap_or_default();
            let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let length = plain.then(|| text.parse::<usize>().ok()).flatten();
            match length {
                None => return Err(invalid("it must be a decimal number of bytes".to_owned())),
                Some(length) if length != body.len() => {
                    let detail = format!("it says {length}, the body has {} bytes", body.len());
                    return Err(invalid(detail));
                }
                Some(_) => {}
            }
        }
        None if headers.contains_key(header::TRANSFER_ENCODING)
            || body.is_empty() && matches!(*method, Method::POST | Method::PUT) =>
        {
            return Err(Refusal::code(
                ErrorCode::CONTENT_LENGTH_MISSING,
                "send one, 'Content-Length: 0' with an empty body",
            ));
        }
        None => {}
    }
    if body.len() > max {
        Err(too_large(max))
    } else {
        Ok(())
    }
}

pub(crate) fn too_large(max: usize) -> Refusal {
    Refusal::code(
        ErrorCode::ENTITY_TOO_LARGE,
        format!("{max} bytes are allowed"),
    )
}

/// Checks the body against `Content-MD5`, if there is one: the only thing that binds a body to the
/// signature. The page gives the code for plugin uploads only; there is none nearer to the point.
pub(crate) fn check_digest(headers: &HeaderMap, body: &[u8]) -> Result<(), Refusal> {
    let Some(value) = headers.get("content-md5") else {
        return Ok(());
    };
    let actual = STANDARD.encode(Md5::digest(body));
    if value.as_bytes() == actual.as_bytes() {
        return Ok(());
    }
    let detail = format!("the body of this request has the MD5 {actual}, in base64");
    Err(Refusal::code(ErrorCode::PLUGIN_MD5_MISMATCH, detail))
}

/// Reads a JSON object.
///
/// # Errors
///
/// E18006 for no body, E18007 for a body that is no JSON, E18642 for JSON of another shape.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    if body.is_empty() {
        return Err(Refusal::code(ErrorCode::ENTITY_EMPTY, "send a JSON object"));
    }
    let malformed = |detail: String| Refusal::code(ErrorCode::MALFORMED_ENTITY, detail);
    let text = std::str::from_utf8(body).map_err(|error| malformed(error.to_string()))?;
    if depth(text) > MAX_DEPTH {
        return Err(malformed(format!(
            "it is nested more than {MAX_DEPTH} levels deep"
        )));
    }
    // In two steps, because a value of the wrong type may come before an error of syntax.
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| malformed(error.to_string()))?;
    // Serde would read an array as well, its elements in the order of the members.
    if !text.trim_start().starts_with('{') {
        let detail = "it must be a JSON object";
        return Err(Refusal::code(ErrorCode::MALFORMED_WORKFLOW, detail));
    }
    serde_json::from_str(text).map_err(|error| Refusal::code(ErrorCode::MALFORMED_WORKFLOW, error))
}

/// How deep arrays and objects are nested, if the text is JSON.
pub(crate) fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut bytes = text.bytes();
    let mut in_string = false;
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_string = !in_string,
            b'\\' if in_string => {
                bytes.next();
            }
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use serde_json::{Map, Value};

    fn code(result: Result<impl std::fmt::Debug, Refusal>) -> u32 {
        let refusal = result.unwrap_err();
        ErrorCode::from_message(&refusal.message).unwrap().number()
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().copied();
        pairs
            .map(|(name, value)| {
                (
                    header::HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn the_length_must_be_known_and_true() {
        let check = |method: Method, pairs, body| check_length(&method, &headers(pairs), body, 4);
        assert_eq!(check(Method::POST, &[("content-length", "0")], b""), Ok(()));
        assert_eq!(
            check(Method::PUT, &[("content-length", "4")], b"1234"),
            Ok(())
        );
        assert_eq!(check(Method::GET, &[], b""), Ok(()));
        assert_eq!(check(Method::DELETE, &[], b""), Ok(()));
        // In process: the library that would add the header has not seen the request yet.
        assert_eq!(check(Method::POST, &[], b"1"), Ok(()));

        assert_eq!(code(check(Method::POST, &[], b"")), 18003);
        assert_eq!(code(check(Method::PUT, &[], b"")), 18003);
        let chunked = &[("transfer-encoding", "chunked")];
        assert_eq!(code(check(Method::POST, chunked, b"1")), 18003);
        for text in ["", "+1", "-1", "1x", "1,1", "99999999999999999999999", "2"] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from_str(text).unwrap());
            assert_eq!(
                code(check_length(&Method::GET, &headers, b"1", 4)),
                18004,
                "{text}"
            );
        }
        assert_eq!(code(check(Method::POST, &[], b"12345")), 18005);
    }

    #[test]
    fn a_digest_is_checked_if_given() {
        assert_eq!(check_digest(&HeaderMap::new(), b"anything"), Ok(()));
        let qiniu = headers(&[("content-md5", "gLL29S04bTCxYd2kCqsEIQ==")]);
        assert_eq!(check_digest(&qiniu, b"qiniu"), Ok(()));
        assert_eq!(code(check_digest(&qiniu, b"qinia")), 18220);
        let hex = headers(&[("content-md5", "80b2f6f52d386d30b161dda40aab0421")]);
        assert_eq!(code(check_digest(&hex, b"qiniu")), 18220);
    }

    #[test]
    fn each_kind_of_bad_body_has_its_code() {
        let code = |body: &[u8]| code(read::<Map<String, Value>>(body));
        assert_eq!(code(b""), 18006);
        for body in [
            &b" "[..],
            b"{",
            b"{\"region\": \"nb\",}",
            b"{\"region\": 'nb'}",
            b"{} {}",
            b"{\"a\":\"\xff\"}",
            b"\xef\xbb\xbf{}",
            b"region=nb",
        ] {
            assert_eq!(code(body), 18007, "{}", String::from_utf8_lossy(body));
        }
        for body in [&b"[]"[..], b"null", b"1", b"\"x\""] {
            assert_eq!(code(body), 18642);
        }
    }

    #[test]
    fn a_wrong_type_does_not_hide_wrong_syntax() {
        #[derive(Debug, serde::Deserialize)]
        struct Region {
            #[expect(dead_code, reason = "only its type matters")]
            region: String,
        }
        assert_eq!(code(read::<Region>(b"{\"region\": 1}")), 18642);
        assert_eq!(code(read::<Region>(b"{\"region\": 1,}")), 18007);
    }

    #[test]
    fn an_array_is_no_object_whatever_is_in_it() {
        #[derive(Debug, Default, serde::Deserialize)]
        #[serde(default)]
        struct Region {
            region: String,
        }
        assert_eq!(code(read::<Region>(b"[]")), 18642);
        assert_eq!(code(read::<Region>(b" [\"nb\"]")), 18642);
        let object = read::<Region>(b"\n{\"region\": \"nb\"}").unwrap();
        assert_eq!(object.region, "nb");
    }

    #[test]
    fn depth_is_that_of_brackets_outside_strings() {
        for (text, expected) in [
            ("1", 0),
            ("{}", 1),
            (r#"{"a":[[],{"b":[1]}]}"#, 4),
            (r#"{"[[[[":"\"[[[["}"#, 1),
            (r#"["\\",[]]"#, 2),
            ("]]]][", 1),
            ("\"\\", 0),
        ] {
            assert_eq!(depth(text), expected, "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_without_recursion() {
        let nested = |levels: usize| {
            format!(
                "{{\"a\":{}{}}}",
                "[".repeat(levels - 1),
                "]".repeat(levels - 1)
            )
        };
        assert!(read::<Map<String, Value>>(nested(MAX_DEPTH).as_bytes()).is_ok());
        for levels in [MAX_DEPTH + 1, 1_000_000] {
            assert_eq!(
                code(read::<Map<String, Value>>(nested(levels).as_bytes())),
                18007
            );
        }
        assert_eq!(
            code(read::<Map<String, Value>>("[".repeat(1_000_000).as_bytes())),
            18007
        );
    }
}
