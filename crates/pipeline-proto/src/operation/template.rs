use std::fmt;

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{
        AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, DATE, EXPECT, HOST,
        TRANSFER_ENCODING, UPGRADE, USER_AGENT,
    },
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::{
    endpoint::is_plain_segment,
    error::{BuildError, BuildReason},
    header::RESOURCE_OWNER,
};

/// Headers that a call sets itself, or that frame the message.
static RESERVED: [&HeaderName; 11] = [
    &AUTHORIZATION,
    &CONNECTION,
    &CONTENT_LENGTH,
    &CONTENT_TYPE,
    &DATE,
    &EXPECT,
    &HOST,
    &TRANSFER_ENCODING,
    &UPGRADE,
    &USER_AGENT,
    &RESOURCE_OWNER,
];

static JSON: HeaderValue = HeaderValue::from_static("application/json");
static TEXT: HeaderValue = HeaderValue::from_static("text/plain");

/// The media type of a body, by the function of [`RequestTemplate`] that writes it; `None` without a body.
pub(crate) const fn content_type(kind: &[&str]) -> Option<&'static str> {
    let [kind, ..] = kind else { return None };
    match kind.as_bytes() {
        b"json" => Some("application/json"),
        b"jar" => Some("application/java-archive"),
        b"text" | b"points" => Some("text/plain"),
        b"bodiless" => None,
        _ => panic!("no function of `RequestTemplate` writes this kind of body"),
    }
}

/// What is percent-encoded in the name of a query parameter: all but RFC 3986's unreserved characters.
const NAME: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// And in its value, as the vendor's clients send lists, sort orders and base64.
const VALUE: &AsciiSet = &NAME.remove(b',').remove(b':').remove(b'=');

/// A request without what depends on the moment or the account.
///
/// ```
/// use http::Method;
/// use pipeline_proto::operation::RequestTemplate;
///
/// let template = RequestTemplate::new(Method::GET, &["v2", "repos"])?.query("sourceType", "a b");
/// assert_eq!(template.target(), "/v2/repos?sourceType=a%20b");
/// # Ok::<(), pipeline_proto::BuildError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RequestTemplate {
    pub(crate) method: Method,
    pub(crate) target: BytesMut,
    pub(crate) content_type: Option<HeaderValue>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl RequestTemplate {
    /// A request for the path of these segments.
    ///
    /// # Errors
    ///
    /// If a segment is empty, `.` or `..`, or has other characters than letters, digits and
    /// `_ . - ~`. Those look the same encoded and decoded, so the path that is signed is the path
    /// that is sent.
    pub fn new(method: Method, path: &[&str]) -> Result<Self, BuildError> {
        let mut template = Self::empty(method);
        for segment in path {
            if !is_plain_segment(segment) {
                return Err(BuildReason::Segment((*segment).to_owned()).into());
            }
            template.target.extend_from_slice(b"/");
            template.target.extend_from_slice(segment.as_bytes());
        }
        Ok(template)
    }

    /// A request without a path.
    pub(crate) fn empty(method: Method) -> Self {
        Self {
            method,
            // Room for the paths of this API.
            target: BytesMut::with_capacity(64),
            content_type: None,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// Adds a query parameter if there is a value.
    #[must_use]
    pub(crate) fn query_some<T: ToString>(self, name: &str, value: Option<&T>) -> Self {
        match value {
            Some(value) => self.query(name, &value.to_string()),
            None => self,
        }
    }

    /// Adds a query parameter, percent-encoded where a query needs it. The query is not signed.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        let first = !self.target.contains(&b'?');
        self.target
            .extend_from_slice(if first { b"?" } else { b"&" });
        push_encoded(&mut self.target, name, NAME);
        self.target.extend_from_slice(b"=");
        push_encoded(&mut self.target, value, VALUE);
        self
    }

    /// Adds a header. Headers whose names start with `X-Qiniu-` are signed.
    ///
    /// # Errors
    ///
    /// If the call sets this header itself, or it is there already: of a signed header that is sent
    /// twice, the vendor's SDKs do not agree which value counts.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Result<Self, BuildError> {
        check_header(&self.headers, &name)?;
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Sets the body, and its content type, which is signed.
    #[must_use]
    pub fn body(mut self, content_type: HeaderValue, body: impl Into<Bytes>) -> Self {
        self.content_type = Some(content_type);
        self.body = body.into();
        self
    }

    /// Sets the body to the JSON text of a value.
    ///
    /// # Errors
    ///
    /// If the value cannot be written as JSON, such as a map with keys that are no strings.
    pub fn json<T: Serialize + ?Sized>(mut self, value: &T) -> Result<Self, BuildError> {
        let text = serde_json::to_vec(value);
        self.content_type = Some(JSON.clone());
        self.body = text
            .map_err(|error| BuildReason::Json(error.to_string()))?
            .into();
        Ok(self)
    }

    /// Sets the body to plain text.
    #[allow(clippy::unnecessary_wraps, reason = "as all that a row may name")]
    pub(crate) fn text(self, text: &Bytes) -> Result<Self, BuildError> {
        Ok(self.body(TEXT.clone(), text.clone()))
    }

    /// Path and query, without the endpoint's base path.
    pub fn target(&self) -> &str {
        std::str::from_utf8(&self.target).unwrap_or_default()
    }
}

impl fmt::Debug for RequestTemplate {
    /// Shows only the length of the body, which may hold the secrets of a node.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestTemplate")
            .field("method", &self.method)
            .field("target", &self.target())
            .field("content_type", &self.content_type)
            .field("headers", &self.headers)
            .field("body", &format_args!("[{} bytes]", self.body.len()))
            .finish()
    }
}

/// Refuses a header that the call sets itself, or that is there already.
pub(crate) fn check_header(headers: &HeaderMap, name: &HeaderName) -> Result<(), BuildError> {
    if RESERVED.contains(&name) {
        return Err(BuildReason::ReservedHeader(name.clone()).into());
    }
    if headers.contains_key(name) {
        return Err(BuildReason::RepeatedHeader(name.clone()).into());
    }
    Ok(())
}

fn push_encoded(out: &mut BytesMut, text: &str, encoded: &'static AsciiSet) {
    for piece in utf8_percent_encode(text, encoded) {
        out.extend_from_slice(piece.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_takes_plain_segments_only() {
        for segment in ["", ".", "..", "a/b", "a%2Fb", "a b", "a?b", "é", "a\n"] {
            assert!(
                RequestTemplate::new(Method::GET, &["v2", segment]).is_err(),
                "{segment:?}"
            );
        }
        let template =
            RequestTemplate::new(Method::GET, &["v2", "plugins", "com.qiniu.Parser_1"]).unwrap();
        assert_eq!(template.target(), "/v2/plugins/com.qiniu.Parser_1");
    }

    #[test]
    fn headers_of_the_call_and_repeated_headers_are_refused() {
        let template = RequestTemplate::new(Method::GET, &["v2"]).unwrap();
        let value = HeaderValue::from_static("x");
        for name in [
            "authorization",
            "date",
            "content-length",
            "x-resource-owner",
            "host",
        ] {
            let error = template
                .clone()
                .header(HeaderName::from_static(name), value.clone())
                .unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
        let name = HeaderName::from_static("x-qiniu-a");
        let template = template.header(name.clone(), value.clone()).unwrap();
        assert!(
            template
                .header(name, value)
                .unwrap_err()
                .to_string()
                .contains("twice")
        );
    }

    #[test]
    fn a_query_is_encoded() {
        let template = RequestTemplate::new(Method::GET, &["v2"]).unwrap();
        let template = template.query("a&b=", "c=d+e").query("工", "~");
        assert_eq!(template.target(), "/v2?a%26b%3D=c=d%2Be&%E5%B7%A5=~");
    }
}
