//! What a browser has to be told, and what it must not be used for.
//!
//! Every page that a person has open may send requests to a port of their machine. Without a word
//! from the server it cannot read the responses, but the requests arrive all the same; and a page
//! whose name was made to point at this machine (DNS rebinding) reads the responses as well. What gives
//! either away is the header that names the origin of the page, or the name in `Host`.

use core::net::IpAddr;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Response, StatusCode, Uri,
    header::{self, HeaderName},
    request,
    uri::Authority,
};

use crate::refusal::Refusal;

/// Headers of a response that a page may read beside the few that it always may.
const EXPOSED: &str = "x-reqid, date, retry-after, allow, content-length";

/// How long a browser need not ask again, in seconds: as long as the browsers take at most.
const PREFLIGHT_AGE: &str = "7200";

const METHODS: &str = "GET, POST, PUT, DELETE";

/// Which pages and which host names are trusted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trust {
    /// Origins of pages that may read responses, as browsers write them.
    origins: Vec<String>,
    any_origin: bool,
    /// Names, beside those of the loopback, under which the admin interface is reached.
    admin_hosts: Vec<String>,
}

impl Trust {
    pub(crate) fn origin(&mut self, origin: &str) {
        match origin.trim_end_matches('/') {
            "*" => self.any_origin = true,
            origin => self.origins.push(origin.to_ascii_lowercase()),
        }
    }

    pub(crate) fn admin_host(&mut self, name: &str) {
        let name = name.trim_matches(['[', ']']).trim_end_matches('.');
        self.admin_hosts.push(name.to_ascii_lowercase());
    }

    fn names(&self, origin: &str) -> bool {
        self.origins.iter().any(|named| named == origin)
    }

    /// Whether a request to the admin interface may have been made by a page that nobody trusts.
    ///
    /// A request in process has no `Host`. On a socket there always is one, see [`check_host`].
    pub(crate) fn check_admin(&self, parts: &request::Parts, body: &[u8]) -> Result<(), Refusal> {
        let forbidden = |message| Err(Refusal::plain(StatusCode::FORBIDDEN, message));
        let in_header = parts.headers.get_all(header::HOST).iter();
        let in_header = in_header.map(|value| authority(value.as_bytes()));
        let in_target = parts.uri.authority().cloned().map(Some);
        let hosts: Vec<Option<Authority>> = in_header.chain(in_target).collect();
        for host in &hosts {
            let host = host.as_ref().map(Authority::host);
            if !host.is_some_and(|host| self.is_admin_host(host)) {
                let named = host.unwrap_or_default();
                return forbidden(format!(
                    "the admin interface is not served as {named:?}, only as the loopback and as hosts that were named when the emulator was started (--admin-host)"
                ));
            }
        }
        for origin in parts.headers.get_all(header::ORIGIN) {
            let is_own = |host: &Option<Authority>| {
                host.as_ref().is_some_and(|host| {
                    origin.as_bytes() == format!("http://{host}").to_ascii_lowercase().as_bytes()
                })
            };
            let is_named = origin.to_str().is_ok_and(|origin| self.names(origin));
            if !is_named && !hosts.iter().any(is_own) {
                return forbidden(format!(
                    "pages of {origin:?} may not use the admin interface; start the emulator with --cors and this origin if they should"
                ));
            }
        }
        if body.is_empty() || is_json(&parts.headers) {
            return Ok(());
        }
        // A page may send other types to anywhere without being asked who it is.
        let message = "send the body with 'Content-Type: application/json'";
        Err(Refusal::plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
    }

    fn is_admin_host(&self, host: &str) -> bool {
        let host = host.trim_matches(['[', ']']).trim_end_matches('.');
        let host = host.to_ascii_lowercase();
        match host.parse::<IpAddr>() {
            Ok(address) if address.to_canonical().is_loopback() => true,
            _ => {
                host == "localhost"
                    || host.ends_with(".localhost")
                    || self.admin_hosts.contains(&host)
            }
        }
    }

    /// The response to the question of a browser whether a page may send a request, if it is one and
    /// the page may.
    pub(crate) fn preflight(&self, parts: &request::Parts) -> Option<Response<Bytes>> {
        let headers = &parts.headers;
        let asks = parts.method == Method::OPTIONS
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        self.allowed(headers).filter(|_| asks)?;
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let mut set = |name: HeaderName, value| response.headers_mut().insert(name, value);
        let text = HeaderValue::from_static;
        set(header::ACCESS_CONTROL_ALLOW_METHODS, text(METHODS));
        set(header::ACCESS_CONTROL_MAX_AGE, text(PREFLIGHT_AGE));
        if let Some(wanted) = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
            set(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
        }
        Some(response)
    }

    /// Lets a page that is trusted read a response, whatever is in it.
    pub(crate) fn share(&self, headers: &HeaderMap, response: &mut HeaderMap) {
        if self.any_origin || !self.origins.is_empty() {
            response.append(header::VARY, HeaderValue::from_static("origin"));
        }
        if let Some(origin) = self.allowed(headers) {
            response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            let exposed = HeaderValue::from_static(EXPOSED);
            response.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
    }

    /// The origin of the page, if there is one that may read responses.
    fn allowed<'a>(&self, headers: &'a HeaderMap) -> Option<&'a HeaderValue> {
        headers.get(header::ORIGIN).filter(|origin| {
            self.any_origin || origin.to_str().is_ok_and(|origin| self.names(origin))
        })
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (types.next(), types.next()) else {
        return false;
    };
    let value = value.as_bytes();
    let media_type = value.split(|byte| *byte == b';').next().unwrap_or(value);
    media_type
        .trim_ascii()
        .eq_ignore_ascii_case(b"application/json")
}

/// A host and a port as `Host` has them. A user in front of it has no place there.
fn authority(value: &[u8]) -> Option<Authority> {
    let authority = Authority::try_from(value).ok()?;
    (!authority.host().is_empty() && !value.contains(&b'@')).then_some(authority)
}

/// Whether `Host` is as HTTP wants it: there once (HTTP/1.0 may leave it out), and a host.
#[cfg(feature = "server")]
pub(crate) fn check_host(parts: &request::Parts) -> Result<(), Refusal> {
    let refused = |message: &str| Err(Refusal::plain(StatusCode::BAD_REQUEST, message));
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if parts.version >= http::Version::HTTP_11 => {
            refused("the header Host is missing")
        }
        (_, Some(_)) => refused("the header Host is there more than once"),
        (Some(host), None) if authority(host.as_bytes()).is_none() => {
            refused("the header Host is no host and port")
        }
        _ => Ok(()),
    }
}

/// An origin as browsers send it: a scheme and a host, with a port if it is not the usual one.
/// Gives what is wrong with it, in words.
pub(crate) fn check_origin(text: &str) -> Result<(), &'static str> {
    if text == "*" {
        return Ok(());
    }
    let uri: Uri = text
        .parse()
        .map_err(|_| "it is no URL such as http://localhost:3000")?;
    match (uri.scheme_str(), uri.authority(), uri.path(), uri.query()) {
        (Some(_), Some(authority), "/" | "", None) if !authority.as_str().contains('@') => Ok(()),
        _ => Err("an origin is a scheme, a host and a port, such as http://localhost:3000"),
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn parts(method: &str, target: &str, headers: &[(&str, &str)]) -> request::Parts {
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn trust() -> Trust {
        let mut trust = Trust::default();
        trust.origin("http://localhost:3000/");
        trust.admin_host("Emulator");
        trust
    }

    #[test]
    fn the_admin_interface_has_the_names_of_the_loopback_and_those_given() {
        for (host, status) in [
            ("127.0.0.1:8080", 0),
            ("127.8.9.1", 0),
            ("localhost", 0),
            ("LOCALHOST.:80", 0),
            ("app.localhost:1", 0),
            ("[::1]:8080", 0),
            ("[::ffff:127.0.0.1]", 0),
            ("emulator:8080", 0),
            ("evil.example", 403),
            ("localhost.evil.example", 403),
            ("127.0.0.1.evil.example:8080", 403),
            ("127.0.0.1@evil.example", 403),
            ("evil.example@127.0.0.1", 403),
            ("10.0.0.1", 403),
            ("0.0.0.0", 403),
            ("[::]", 403),
            ("notemulator", 403),
            ("", 403),
        ] {
            let checked = trust().check_admin(&parts("GET", "/", &[("host", host)]), b"");
            let found = checked.err().map_or(0, |refusal| refusal.status.as_u16());
            assert_eq!(found, status, "{host}");
        }
        let elsewhere = parts("GET", "http://evil.example/", &[("host", "127.0.0.1")]);
        assert!(trust().check_admin(&elsewhere, b"").is_err());
        assert!(trust().check_admin(&parts("GET", "/", &[]), b"").is_ok());
    }

    #[test]
    fn the_admin_interface_is_not_for_foreign_pages() {
        for (origin, is_fine) in [
            ("http://127.0.0.1:8080", true),
            ("http://localhost:3000", true),
            ("http://localhost:3001", false),
            ("http://127.0.0.1", false),
            ("https://127.0.0.1:8080", false),
            ("https://evil.example", false),
            ("null", false),
            ("", false),
        ] {
            let headers = [("host", "127.0.0.1:8080"), ("origin", origin)];
            let checked = trust().check_admin(&parts("POST", "/", &headers), b"");
            assert_eq!(checked.is_ok(), is_fine, "{origin}");
            // Whoever lets every page read the service has not said so of the admin interface.
            let mut any = trust();
            any.origin("*");
            let checked = any.check_admin(&parts("POST", "/", &headers), b"");
            assert_eq!(checked.is_ok(), is_fine, "{origin}");
        }
    }

    #[test]
    fn the_admin_interface_wants_json() {
        for (types, is_fine) in [
            (&["application/json"][..], true),
            (&["Application/JSON; charset=utf-8"], true),
            (&["text/plain"], false),
            (&["text/plain; x=application/json"], false),
            (&["application/json", "text/plain"], false),
            (&["application/jsonp"], false),
            (&[], false),
        ] {
            let headers: Vec<_> = types.iter().map(|value| ("content-type", *value)).collect();
            let parts = parts("POST", "/", &headers);
            let checked = trust().check_admin(&parts, b"{}");
            assert_eq!(checked.is_ok(), is_fine, "{types:?}");
            assert!(trust().check_admin(&parts, b"").is_ok(), "without a body");
        }
    }

    #[test]
    fn an_origin_is_checked_before_it_is_taken() {
        for (origin, is_fine) in [
            ("http://localhost:3000", true),
            ("https://app.example/", true),
            ("*", true),
            ("localhost:3000", false),
            ("http://a@localhost", false),
            ("http://localhost/app", false),
            ("http://localhost?a", false),
            ("", false),
        ] {
            assert_eq!(check_origin(origin).is_ok(), is_fine, "{origin}");
        }
    }
}
