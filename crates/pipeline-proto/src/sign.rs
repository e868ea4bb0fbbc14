//! Signing: the string to sign of any request, and the `Authorization` value made of it.
//!
//! [`Call`](crate::Call) signs by itself. This module is for requests made elsewhere, and for
//! finding out why a signature is refused: compare the string to sign on both sides.
//!
//! ```
//! use pipeline_proto::{Credentials, sign};
//!
//! let (mut parts, ()) = http::Request::get("https://pipeline.qiniu.com/v2/workflows")
//!     .header("Date", "Sun, 06 Nov 1994 08:49:37 GMT")
//!     .body(())?
//!     .into_parts();
//! assert_eq!(
//!     sign::string_to_sign(&parts)?,
//!     b"GET\n\n\nSun, 06 Nov 1994 08:49:37 GMT\n/v2/workflows",
//! );
//! let credentials = Credentials::new("ak", "sk")?;
//! let value = sign::authorization(&parts, &credentials)?;
//! assert!(value.is_sensitive());
//! parts.headers.insert("Authorization", value);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The rules, with the vendor's documents, SDKs and mistakes weighed against each other, are in
//! `docs/protocol.md` in the repository.

use std::{borrow::Cow, fmt};

use hmac::Mac as _;
use http::{
    HeaderMap, HeaderValue, Method,
    header::{CONTENT_TYPE, DATE, HeaderName},
    request::Parts,
};
use percent_encoding::percent_decode_str;

use crate::{
    credentials::{Credentials, encode_signature},
    header::{self, CONTENT_MD5},
};

/// The scheme word of the `Authorization` header, with its one space.
pub(crate) const SCHEME: &str = "Pandora ";

/// Headers whose names start with this, and go on, are signed.
const SIGNED_PREFIX: &str = "x-qiniu-";

/// The text over which the MAC of a request is computed.
///
/// `METHOD`, `Content-MD5`, `Content-Type` and `Date`, each followed by a newline and empty where
/// the header is absent; then the [canonical headers](canonical_headers) and the
/// [canonical resource](canonical_resource). The body is bound only through `Content-MD5`.
///
/// # Errors
///
/// If the path has a `%` that starts no escape.
pub fn string_to_sign(parts: &Parts) -> Result<Vec<u8>, SignError> {
    let mut text = Vec::with_capacity(128);
    let resource = canonical_resource(parts.uri.path())?;
    Signed::of(parts, &resource).write(&mut |bytes| text.extend_from_slice(bytes));
    Ok(text)
}

/// The value of the `Authorization` header of a request, marked sensitive.
///
/// Everything that is signed must be in place: `Date`, and `Content-Type` if there is one.
///
/// # Errors
///
/// As [`string_to_sign`].
pub fn authorization(parts: &Parts, credentials: &Credentials) -> Result<HeaderValue, SignError> {
    let resource = canonical_resource(parts.uri.path())?;
    Ok(Signed::of(parts, &resource).authorization(credentials))
}

/// A header value made of checked parts.
pub(crate) fn sensitive_value(text: Vec<u8>) -> HeaderValue {
    let mut value = HeaderValue::try_from(text)
        .expect("access keys and tokens are checked to be visible ASCII when they are made");
    value.set_sensitive(true);
    value
}

/// What is signed of a request.
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a Method,
    pub(crate) content_type: Option<&'a HeaderValue>,
    pub(crate) date: &'a [u8],
    /// `Content-Type` and `Date` in here do not count.
    pub(crate) headers: &'a HeaderMap,
    /// The canonical resource.
    pub(crate) resource: &'a [u8],
}

impl<'a> Signed<'a> {
    fn of(parts: &'a Parts, resource: &'a [u8]) -> Self {
        Self {
            method: &parts.method,
            content_type: parts.headers.get(CONTENT_TYPE),
            date: header::value(&parts.headers, &DATE),
            headers: &parts.headers,
            resource,
        }
    }

    /// The value of the `Authorization` header.
    pub(crate) fn authorization(&self, credentials: &Credentials) -> HeaderValue {
        let mut mac = credentials.mac();
        self.write(&mut |bytes| mac.update(bytes));
        let signature = encode_signature(mac);
        let access_key = credentials.access_key().as_bytes();
        sensitive_value([SCHEME.as_bytes(), access_key, b":", &signature].concat())
    }

    /// Feeds the string to sign, piece by piece, to a buffer or straight into a MAC.
    fn write(&self, put: &mut impl FnMut(&[u8])) {
        put(self.method.as_str().as_bytes());
        put(b"\n");
        put(header::value(self.headers, &CONTENT_MD5));
        put(b"\n");
        put(header::trimmed(self.content_type));
        put(b"\n");
        put(self.date);
        put(b"\n");
        write_canonical_headers(put, self.headers);
        put(self.resource);
    }
}

/// The signed headers: for each whose name starts with `X-Qiniu-` and goes on after it, in ascending
/// order of the lower-case names, a newline, the name in lower case, `:` and the trimmed value.
///
/// Of a header that is repeated, the first value counts. `X-Resource-Owner` is not signed.
pub fn canonical_headers(headers: &HeaderMap) -> Vec<u8> {
    let mut text = Vec::new();
    write_canonical_headers(&mut |bytes| text.extend_from_slice(bytes), headers);
    text
}

fn write_canonical_headers(put: &mut impl FnMut(&[u8]), headers: &HeaderMap) {
    let is_signed = |name: &&HeaderName| {
        name.as_str()
            .strip_prefix(SIGNED_PREFIX)
            .is_some_and(|rest| !rest.is_empty())
    };
    let mut names: Vec<&HeaderName> = headers.keys().filter(is_signed).collect();
    names.sort_unstable_by_key(|name| name.as_str());
    for name in names {
        put(b"\n");
        put(name.as_str().as_bytes());
        put(b":");
        put(header::value(headers, name));
    }
}

/// The decoded path, without the query: no SDK knows a query parameter that would be signed.
///
/// The vendor's Go SDK signs the decoded path, and the service is written in Go; Java and Python
/// sign it as sent. For every legal name the two are the same, and this crate builds no others.
///
/// # Errors
///
/// If there is a `%` that starts no escape.
pub fn canonical_resource(path: &str) -> Result<Cow<'_, [u8]>, SignError> {
    let is_escape = |rest: &str| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if path.split('%').skip(1).all(is_escape) {
        Ok(percent_decode_str(path).into())
    } else {
        Err(SignError)
    }
}

/// The request cannot be signed: its path has a `%` that starts no escape.
///
/// ```
/// use pipeline_proto::{Credentials, sign};
///
/// let (parts, ()) = http::Request::get("/v2/100%").body(()).unwrap().into_parts();
/// let keys = Credentials::new("ak", "sk")?;
/// assert!(sign::authorization(&parts, &keys).is_err());
/// # Ok::<(), pipeline_proto::CredentialsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignError;

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the path cannot be signed: a % in it is not followed by two hexadecimal digits",
        )
    }
}

impl std::error::Error for SignError {}
