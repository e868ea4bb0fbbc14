use std::{fmt, str::FromStr};

use bytes::BytesMut;
use http::{
    Uri,
    uri::{Authority, PathAndQuery, Scheme},
};

use crate::error::BuildError;

/// Where the service is: scheme, host, port, and a base path if it stands behind one.
///
/// Validated once; cheap to clone. The base path, where there is one, is part of the path that is
/// sent and so of the path that is signed.
///
/// ```
/// use pipeline_proto::Endpoint;
///
/// assert_eq!(Endpoint::default().to_string(), "https://pipeline.qiniu.com");
/// let local: Endpoint = "http://127.0.0.1:8080/".parse()?;
/// assert_eq!(local.to_string(), "http://127.0.0.1:8080");
/// assert!("pipeline.qiniu.com".parse::<Endpoint>().is_err());
/// # Ok::<(), pipeline_proto::EndpointError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    scheme: Scheme,
    authority: Authority,
    /// Empty, or `/` and segments without a final `/`.
    base: Box<str>,
}

impl Endpoint {
    /// The endpoint of the API page. The vendor's newer SDKs use `https://nb-pipeline.qiniuapi.com`.
    pub const DEFAULT: &'static str = "https://pipeline.qiniu.com";

    /// Whether requests are encrypted.
    pub fn is_https(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// Host and port, as they are written.
    pub fn authority(&self) -> &str {
        self.authority.as_str()
    }

    /// The host, in brackets if it is an IPv6 address.
    pub fn host(&self) -> &str {
        self.authority.host()
    }

    /// The port; that of the scheme if none is written.
    pub fn port(&self) -> u16 {
        self.authority
            .port_u16()
            .unwrap_or(if self.is_https() { 443 } else { 80 })
    }

    /// Whether the host is this machine: `localhost`, a name below it, or a loopback address.
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        let address = host.trim_start_matches('[').trim_end_matches(']');
        let name = host.trim_end_matches('.').rsplit('.').next();
        name.is_some_and(|last| last.eq_ignore_ascii_case("localhost"))
            || address
                .parse()
                .is_ok_and(|address: core::net::IpAddr| address.to_canonical().is_loopback())
    }

    /// Whether requests go to another machine unencrypted: whoever is on the way can read them, and
    /// change the responses.
    ///
    /// ```
    /// use pipeline_proto::Endpoint;
    ///
    /// let exposed = |url: &str| url.parse().map(|endpoint: Endpoint| endpoint.is_exposed());
    /// assert_eq!(exposed("http://pipeline.example:8080"), Ok(true));
    /// assert_eq!(exposed("https://pipeline.example"), Ok(false));
    /// assert_eq!(exposed("http://127.0.0.1:8080"), Ok(false));
    /// ```
    pub fn is_exposed(&self) -> bool {
        !self.is_https() && !self.is_loopback()
    }

    /// The address of a target (path and query) of this endpoint.
    pub(crate) fn uri(&self, target: BytesMut) -> Result<Uri, BuildError> {
        let target = if self.base.is_empty() {
            target
        } else {
            let mut whole = BytesMut::from(self.base.as_bytes());
            whole.extend_from_slice(&target);
            whole
        };
        let target = PathAndQuery::from_maybe_shared(target.freeze());
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(target.map_err(|_| BuildError::unsendable_target())?);
        Uri::from_parts(parts).map_err(|_| BuildError::unsendable_target())
    }
}

impl Default for Endpoint {
    fn default() -> Self {
        Self {
            scheme: Scheme::HTTPS,
            authority: Authority::from_static("pipeline.qiniu.com"),
            base: "".into(),
        }
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let (scheme, rest) = if let Some(rest) = text.strip_prefix("https://") {
            (Scheme::HTTPS, rest)
        } else if let Some(rest) = text.strip_prefix("http://") {
            (Scheme::HTTP, rest)
        } else {
            return Err(EndpointError("it must start with https:// or http://"));
        };
        let (authority, base) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        if authority.contains('@') {
            return Err(EndpointError("it must not hold a user name or password"));
        }
        if rest.contains(['?', '#']) {
            return Err(EndpointError("it must not have a query or a fragment"));
        }
        let authority: Authority = authority
            .parse()
            .map_err(|_| EndpointError("its host or port is not valid"))?;
        let bad_port =
            authority.as_str().len() != authority.host().len() && authority.port_u16().is_none();
        if authority.host().is_empty() || bad_port {
            return Err(EndpointError("its host or port is not valid"));
        }
        let base = base.trim_end_matches('/');
        if !base.split('/').skip(1).all(is_plain_segment) {
            return Err(EndpointError(
                "its path may hold letters, digits and _ . - ~ only",
            ));
        }
        Ok(Self {
            scheme,
            authority,
            base: base.into(),
        })
    }
}

/// A path segment that looks the same decoded and encoded, so that there is no doubt which of the
/// two is signed.
pub(crate) fn is_plain_segment(segment: &str) -> bool {
    let plain = |b: u8| PLAIN[usize::from(b)];
    !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(plain)
}

/// The bytes of a plain segment, as a table: each path of each call is looked through.
static PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut b = 0_u8;
    while b < 128 {
        plain[b as usize] = b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'~');
        b += 1;
    }
    plain
};

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.base)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

/// Why a text is not an endpoint.
///
/// ```
/// let error = "ftp://pipeline.qiniu.com".parse::<pipeline_proto::Endpoint>().unwrap_err();
/// assert!(error.to_string().contains("https://"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointError(&'static str);

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the endpoint is not valid: {} (example: {})",
            self.0,
            Endpoint::DEFAULT
        )
    }
}

impl std::error::Error for EndpointError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_the_one_that_is_documented() {
        assert_eq!(Endpoint::DEFAULT.parse(), Ok(Endpoint::default()));
    }

    #[test]
    fn a_base_path_goes_in_front() {
        let endpoint: Endpoint = "http://[::1]:8080/proxy/qiniu/".parse().unwrap();
        assert_eq!(endpoint.host(), "[::1]");
        assert_eq!(endpoint.port(), 8080);
        let target = b"/v2/workflows?a=b"[..].into();
        let uri = endpoint.uri(target).unwrap();
        assert_eq!(uri, "http://[::1]:8080/proxy/qiniu/v2/workflows?a=b");
    }

    #[test]
    fn this_machine_is_told_from_others() {
        for (host, loopback) in [
            ("localhost", true),
            ("LOCALHOST.", true),
            ("emulator.localhost:80", true),
            ("127.0.0.1", true),
            ("127.9.9.9:8080", true),
            ("[::1]:8080", true),
            ("[::ffff:127.0.0.1]", true),
            ("localhost.example", false),
            ("notlocalhost", false),
            ("127.0.0.1.example", false),
            ("10.0.0.1", false),
            ("[::2]", false),
            ("0.0.0.0", false),
        ] {
            let endpoint: Endpoint = format!("http://{host}").parse().unwrap();
            assert_eq!(endpoint.is_loopback(), loopback, "{host}");
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        for text in [
            "",
            "ftp://host",
            "https://",
            "https:///v2",
            "https://user:secret@host",
            "https://host?x",
            "https://host/#",
            "https://host/a%20b",
            "https://host/../x",
            "https://host//x",
            "https://ho st",
            "https://host:port",
            "https://host:99999",
            "https://host:",
        ] {
            let error = text.parse::<Endpoint>().expect_err(text).to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
