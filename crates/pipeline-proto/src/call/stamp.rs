//! The headers that depend on the moment: date, signature, and the length beside them.

use std::time::SystemTime;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method,
    header::{AUTHORIZATION, CONTENT_LENGTH, DATE},
};

use super::{auth::Auth, date::http_date, machine::State};
use crate::{
    credentials::Credentials,
    sign::{Signed, sensitive_value},
};

/// Writes the date and the length, signs, and adds the headers. The path needs no decoding: a
/// [`RequestTemplate`] and an [`Endpoint`] take no other.
///
/// [`RequestTemplate`]: crate::RequestTemplate
/// [`Endpoint`]: crate::Endpoint
pub(super) fn stamp(headers: &mut HeaderMap, call: &State, date: SystemTime) {
    let date = http_date(date);
    let value = |text: &[u8]| HeaderValue::from_bytes(text).expect("dates and numbers are ASCII");
    headers.insert(DATE, value(&date));
    if needs_length(&call.method, &call.body) {
        let mut length = itoa::Buffer::new();
        headers.insert(
            CONTENT_LENGTH,
            value(length.format(call.body.len()).as_bytes()),
        );
    }
    let sign = |credentials: &Credentials| {
        let signed = Signed {
            method: &call.method,
            content_type: call.content_type.as_ref(),
            date: &date,
            headers: &call.headers,
            resource: call.uri.path().as_bytes(),
        };
        signed.authorization(credentials)
    };
    let authorization = match call.auth() {
        Auth::Anonymous => return,
        Auth::Token(token) => sensitive_value(token.as_str().into()),
        Auth::Credentials(credentials) => sign(credentials),
        Auth::Provider(provider) => sign(&provider.get()),
    };
    headers.insert(AUTHORIZATION, authorization);
}

/// Whether to say how long the body is. The service insists on it: an empty POST or PUT without a
/// length is answered with 411, and not every transport adds it.
fn needs_length(method: &Method, body: &Bytes) -> bool {
    !body.is_empty() || method == Method::POST || method == Method::PUT
}
