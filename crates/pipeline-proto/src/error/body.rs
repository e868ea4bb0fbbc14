//! What is read of the responses that are errors, whatever is in them.

use std::borrow::Cow;

use bytes::Bytes;
use http::{Response, header::LOCATION};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::code::ErrorCode;

/// How much of a body an error keeps, in bytes.
pub(super) const EXCERPT: usize = 4096;

/// A body without the mark that some put in front of UTF-8.
pub(crate) fn without_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// The beginning of a body as text.
pub(super) fn excerpt(body: &[u8]) -> Box<str> {
    let cut = &body[..body.len().min(EXCERPT)];
    let text = String::from_utf8_lossy(cut);
    if body.len() > EXCERPT {
        // A character that the cut went through is no invalid character.
        text.trim_end_matches('\u{fffd}').into()
    } else {
        text.into()
    }
}

/// The target of a redirect, without what may be secret in it.
pub(super) fn redirect(response: &Response<Bytes>) -> Option<Box<str>> {
    let location = response.headers().get(LOCATION)?;
    let status = response.status();
    // Browsers take either slash, so either may lead to a password.
    let location = String::from_utf8_lossy(location.as_bytes()).replace('\\', "/");
    let target = location.split(['?', '#']).next()?.trim();
    if !status.is_redirection() || target.is_empty() {
        return None;
    }
    let (scheme, rest) = target.split_once("//").unwrap_or(("", target));
    let separator = if rest.len() < target.len() { "//" } else { "" };
    // The last one before the path: a password may hold one.
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority.rfind('@').map_or(0, |at| at + 1);
    Some(format!("{scheme}{separator}{}", &rest[host..]).into())
}

/// Finds the message in a body, by its form and not by its content type, which proxies rewrite.
pub(super) fn message_of(body: &[u8], excerpt: &str) -> String {
    // Borrowed and raw, so that a hostile body is not built up in memory.
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow, default)]
        error: Option<&'a RawValue>,
        #[serde(borrow, default)]
        message: Option<&'a RawValue>,
    }
    let json = without_bom(body.trim_ascii_start());
    if !json.starts_with(b"{") {
        return excerpt.to_owned();
    }
    if let Ok(Body { error, message }) = serde_json::from_slice(json) {
        let text = error
            .or(message)
            .and_then(|raw| serde_json::from_str::<Cow<'_, str>>(raw.get()).ok());
        return match text {
            Some(text) => text.chars().take(EXCERPT).collect(),
            None => excerpt.to_owned(),
        };
    }
    message_of_fragment(excerpt).unwrap_or_else(|| excerpt.to_owned())
}

/// The message in `{"error": "E18641: no such wor`, a body that was cut short.
fn message_of_fragment(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("\"error\"")?;
    let rest = rest
        .trim_start()
        .strip_prefix(':')?
        .trim_start()
        .strip_prefix('"')?;
    let mut message = String::new();
    let mut escaped = false;
    for c in rest.chars() {
        match c {
            _ if escaped => {
                escaped = false;
                message.push(match c {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    c => c,
                });
            }
            '\\' => escaped = true,
            '"' => return Some(message),
            c => message.push(c),
        }
    }
    // The cut may have gone through the code, and what is left of it would be another one.
    let whole = |code: ErrorCode| message.trim().len() > code.to_string().len();
    ErrorCode::from_message(&message)
        .is_none_or(whole)
        .then_some(message)
}

/// Whether a body is the service's error object: its first member is `error`, a string.
///
/// The objects of successes have no such member; looking at the first one only keeps the look
/// cheap for large responses.
pub(crate) fn is_error_object(body: &[u8]) -> bool {
    let after = |text: &[u8], token: &[u8]| -> Option<usize> {
        let skipped = text.iter().take_while(|b| b.is_ascii_whitespace()).count();
        text[skipped..]
            .starts_with(token)
            .then_some(skipped + token.len())
    };
    let mut rest = without_bom(body);
    for token in [&b"{"[..], b"\"error\"", b":", b"\""] {
        match after(rest, token) {
            Some(at) => rest = &rest[at..],
            None => return false,
        }
    }
    // An empty string would be an odd way of saying that there was none.
    !rest.starts_with(b"\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_objects_are_told_from_data() {
        for body in [r#"{"error":"E1"}"#, " {\n \"error\" : \"x\", \"y\":1}"] {
            assert!(is_error_object(body.as_bytes()), "{body}");
        }
        for body in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"error":""}"#,
            r#"{"error":null}"#,
            r#"{"name":"error"}"#,
            r#"{"errors":"x"}"#,
        ] {
            assert!(!is_error_object(body.as_bytes()), "{body}");
        }
    }
}
