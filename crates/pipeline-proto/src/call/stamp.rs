//! The headers that depend on the moment: date, signature, and the length beside them.

use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, HeaderValue, Method,
    header::{AUTHORIZATION, CONTENT_LENGTH, DATE},
};

use super::{auth::Auth, date::http_date, machine::Call};
use crate::{
    credentials::Credentials,
    sign::{Signed, sensitive_value, write_authorization},
};

/// Writes the date and the length, signs, and adds the headers. The path needs no decoding: a
/// [`RequestTemplate`] and an [`Endpoint`] take no other.
///
/// The values stand behind one another in one allocation.
///
/// [`RequestTemplate`]: crate::RequestTemplate
/// [`Endpoint`]: crate::Endpoint
pub(super) fn stamp<O>(headers: &mut HeaderMap, call: &Call<O>, date: SystemTime) {
    let date = http_date(date);
    // Room for a date, a length and a signature with an access key of usual length.
    let mut text = BytesMut::with_capacity(160);
    text.extend_from_slice(&date);
    if needs_length(&call.method, &call.body) {
        text.extend_from_slice(itoa::Buffer::new().format(call.body.len()).as_bytes());
    }
    let length_end = text.len();
    let sign = |text: &mut BytesMut, credentials: &Credentials| {
        let signed = Signed {
            method: &call.method,
            content_type: call.content_type.as_ref(),
            date: &date,
            headers: &call.headers,
            resource: call.uri.path().as_bytes(),
        };
        write_authorization(text, &signed, credentials);
    };
    match call.auth() {
        Auth::Anonymous => {}
        Auth::Token(token) => text.extend_from_slice(token.as_str().as_bytes()),
        Auth::Credentials(credentials) => sign(&mut text, credentials),
        Auth::Provider(provider) => sign(&mut text, &provider.get()),
    }
    let text = text.freeze();
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
