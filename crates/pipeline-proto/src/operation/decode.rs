//! Reading JSON that others wrote: leniently, and within bounds.

mod list;
mod meter;

use std::{borrow::Cow, marker::PhantomData};

use bytes::Bytes;
use http::Response;
use serde::{
    Deserialize,
    de::{DeserializeOwned, DeserializeSeed, IgnoredAny},
};

use crate::error::{DecodeError, without_bom};
pub(crate) use list::List;
use meter::Meter;

/// Reads a JSON body.
///
/// A byte order mark is skipped. What cannot be text, a lone surrogate in an escape or a byte that is no
/// UTF-8, becomes U+FFFD, as in Go: one bad comment does not cost the whole list.
///
/// A hostile body can take about ten times its own size in memory, or 4 MiB if that is more: one with
/// so many small values that it would take more, such as an array of a million empty objects, is an
/// error. The size itself is bounded by [`max_response_size`](crate::ContextBuilder::max_response_size).
///
/// # Errors
///
/// If it is not JSON, not of the expected shape, or too many small values.
pub fn decode_json<T: DeserializeOwned>(response: &Response<Bytes>) -> Result<T, DecodeError> {
    decode_seed(PhantomData, response)
}

/// As [`decode_json`], for what has no type of its own.
pub(super) fn decode_seed<T, S>(seed: S, response: &Response<Bytes>) -> Result<T, DecodeError>
where
    S: Copy + for<'de> DeserializeSeed<'de, Value = T>,
{
    let body = without_bom(response.body());
    // Checking the whole text once is cheaper than checking each string in it.
    let (text, not_utf8) = match std::str::from_utf8(body) {
        Ok(text) => (Cow::Borrowed(text), None),
        Err(error) => (String::from_utf8_lossy(body), Some(error)),
    };
    if text.trim_ascii().is_empty() {
        return Err(DecodeError::empty());
    }
    let error = match read(seed, &text) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    if error.is_syntax()
        && let Some(mended) = mend_surrogates(&text)
        && let Ok(value) = read(seed, &mended)
    {
        return Ok(value);
    }
    Err(not_utf8.map_or(error, DecodeError::not_utf8))
}

/// Reads the response of an operation without a result: an empty body, or JSON that is not looked at.
///
/// # Errors
///
/// If it is something else, such as the page of a portal that stands in the way: then it does not
/// come from the service.
pub fn decode_nothing(response: &Response<Bytes>) -> Result<(), DecodeError> {
    if without_bom(response.body()).trim_ascii().is_empty() {
        return Ok(());
    }
    decode_json::<IgnoredAny>(response).map(|_| ())
}

/// The text of a body, in which what cannot be text is replaced already: for those who borrow from it.
pub(super) fn mended(body: &Bytes) -> Bytes {
    let body = body.slice_ref(without_bom(body));
    // A megabyte of ASCII takes `is_ascii` 0.03 ms, `from_utf8` 0.07 ms and `from_utf8_lossy` 1 ms.
    if body.is_ascii() && memchr::memchr(b'\\', &body).is_none() {
        return body;
    }
    let text =
        std::str::from_utf8(&body).map_or_else(|_| String::from_utf8_lossy(&body), Cow::Borrowed);
    match (mend_surrogates(&text), text) {
        (Some(mended), _) | (None, Cow::Owned(mended)) => mended.into(),
        (None, Cow::Borrowed(_)) => body,
    }
}

/// Reads a [`mended`] text.
pub(super) fn read_text<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, DecodeError> {
    if text.trim_ascii().is_empty() {
        return Err(DecodeError::empty());
    }
    read(PhantomData, text)
}

fn read<'de, S: DeserializeSeed<'de>>(seed: S, text: &'de str) -> Result<S::Value, DecodeError> {
    let meter = Meter::for_text(text.len());
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = seed
        .deserialize(meter.metered(&mut deserializer))
        .and_then(|value| deserializer.end().map(|()| value));
    value.map_err(|error| {
        if meter.is_exceeded() {
            DecodeError::too_many_values()
        } else {
            DecodeError::json(error)
        }
    })
}

/// Replaces escapes of half a surrogate pair by that of U+FFFD, if there are any.
fn mend_surrogates(text: &str) -> Option<String> {
    let unit = |at: usize| -> Option<u32> {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u32::from_str_radix(digits, 16).ok()
    };
    let mut mended = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(next) = memchr::memchr(b'\\', &text.as_bytes()[at..]) {
        at += next;
        let pair = matches!(unit(at + 6), Some(0xdc00..=0xdfff));
        match unit(at) {
            Some(0xd800..=0xdbff) if pair => at += 12,
            Some(0xd800..=0xdfff) => {
                mended.push_str(&text[copied..at]);
                mended.push_str("\\ufffd");
                at += 6;
                copied = at;
            }
            // The character behind it may be a backslash, and is at least one byte.
            _ => at += 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
        }
    }
    if copied == 0 {
        return None;
    }
    mended.push_str(&text[copied..]);
    Some(mended)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_pair_is_replaced_and_whole_pairs_and_escaped_backslashes_stay() {
        for (text, expected) in [
            (r#""\ud83d""#, Some(r#""\ufffd""#)),
            (
                r#""a\uDE00b\ud83d\ud83d\ude00""#,
                Some(r#""a\ufffdb\ufffd\ud83d\ude00""#),
            ),
            (r#""\ud83d\ude00""#, None),
            (r#""\\ud83d""#, None),
            (r#""\ud8""#, None),
            (r#""\ud83工""#, None),
            ("\\", None),
            ("\\工", None),
        ] {
            assert_eq!(mend_surrogates(text).as_deref(), expected, "{text}");
        }
    }

    fn read_body<T: DeserializeOwned>(body: &'static [u8]) -> Result<T, DecodeError> {
        decode_json(&Response::new(Bytes::from_static(body)))
    }

    #[test]
    fn what_cannot_be_text_is_replaced() {
        let names = |body| read_body::<Vec<String>>(body).unwrap();
        assert_eq!(names(b"\xef\xbb\xbf[\"a\"]"), ["a"]);
        assert_eq!(names(br#"["\ud800","b"]"#), ["\u{fffd}", "b"]);
        assert_eq!(names(b"[\"\xff\",\"b\"]"), ["\u{fffd}", "b"]);
        assert_eq!(names(b"[\"\xff\\ud800\"]"), ["\u{fffd}\u{fffd}"]);
        for body in [&b"\xff\xfe"[..], br#"["\ud800"#, b"\xef\xbb\xbf"] {
            read_body::<Vec<String>>(body).unwrap_err();
        }
        decode_nothing(&Response::new(Bytes::from_static(b"\xef\xbb\xbf"))).unwrap();
    }

    #[test]
    fn a_million_small_values_are_refused_where_they_would_be_kept() {
        let objects = |count| format!("[{}{{}}]", "{},".repeat(count));
        let list = |count| {
            let response = Response::new(Bytes::from(objects(count)));
            decode_json::<Vec<crate::model::Workflow>>(&response)
        };
        assert_eq!(list(1_000).unwrap().len(), 1_001);
        let error = list(1_000_000).unwrap_err().to_string();
        assert!(error.contains("ten times"), "{error}");
        // Nobody keeps these.
        let response = Response::new(Bytes::from(objects(1_000_000)));
        decode_nothing(&response).unwrap();
    }
}
