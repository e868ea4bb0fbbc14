//! Headers: names that several modules know, and how values are read.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue};

/// Whose resources a request is about.
pub(crate) static RESOURCE_OWNER: HeaderName = HeaderName::from_static("x-resource-owner");

pub(crate) static CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");

/// The trimmed value of a header, or nothing.
pub(crate) fn value<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a [u8] {
    trimmed(headers.get(name))
}

/// Without the optional white space around it, as the receiving side sees it.
pub(crate) fn trimmed(value: Option<&HeaderValue>) -> &[u8] {
    let mut value = value.map_or(&b""[..], HeaderValue::as_bytes);
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// The service's name for a request.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<Box<str>> {
    let value = headers.get("x-reqid")?.as_bytes();
    let text = String::from_utf8_lossy(&value[..value.len().min(256)]);
    let text = text.trim();
    (!text.is_empty()).then(|| text.into())
}

/// Reads `Retry-After`: seconds, or a date, of which the distance to `reference` counts.
pub(crate) fn retry_after(value: &str, reference: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // Too large for a number is long enough for the cap.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(reference).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_has_two_forms() {
        let reference = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let parse = |value| retry_after(value, reference).map(|delay| delay.as_secs());
        assert_eq!(parse("2"), Some(2));
        assert_eq!(parse(" 0 "), Some(0));
        assert_eq!(parse("99999999999999999999"), Some(u64::MAX));
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:47 GMT"), Some(10));
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:07 GMT"), Some(0));
        for nonsense in ["", "-1", "1.5", "soon"] {
            assert_eq!(parse(nonsense), None, "{nonsense}");
        }
    }
}
