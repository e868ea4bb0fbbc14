//! The headers that depend on the moment: date, signature, and the length beside them.

use std::{io::Write as _, time::SystemTime};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method,
    header::{AUTHORIZATION, CONTENT_LENGTH, DATE},
};

use super::date::http_date;
use crate::{
    credentials::Auth,
    sign::{Signed, sensitive_value, write_authorization},
    text::Text,
};

/// Writes the date and the length, signs, and adds the headers. `path` needs no decoding: a
/// [`Draft`] and an [`Endpoint`] take no other.
///
/// The values stand behind one another in one allocation.
///
/// [`Draft`]: crate::Draft
/// [`Endpoint`]: crate::Endpoint
pub(super) fn stamp(
    headers: &mut HeaderMap,
    method: &Method,
    path: &str,
    body: &Bytes,
    auth: &Auth,
    date: SystemTime,
) {
    let date = http_date(date);
    let mut text = Text::new();
    text.push(&date);
    if needs_length(method, body) {
        write!(text, "{}", body.len()).expect("writing into memory cannot fail");
    }
    let length_end = text.len();
    match auth {
        Auth::Anonymous => {}
        Auth::Token(token) => text.push(token.as_str().as_bytes()),
        Auth::Credentials(credentials) => {
            let signed = Signed {
                method,
                date: &date,
                headers,
                resource: path.as_bytes(),
            };
            write_authorization(&mut text, &signed, credentials);
        }
    }
    let text = text.share();
    let value = |range| {
        HeaderValue::from_maybe_shared(text.slice(range)).expect("dates and numbers are ASCII")
    };
    headers.insert(DATE, value(0..date.len()));
    if length_end > date.len() {
        headers.insert(CONTENT_LENGTH, value(date.len()..length_end));
    }
    if text.len() > length_end {
        headers.insert(AUTHORIZATION, sensitive_value(text.slice(length_end..)));
    }
}

/// Whether to say how long the body is. The service insists on it: an empty POST or PUT without a
/// length is answered with 411, and not every transport adds it.
fn needs_length(method: &Method, body: &Bytes) -> bool {
    !body.is_empty() || method == Method::POST || method == Method::PUT
}
