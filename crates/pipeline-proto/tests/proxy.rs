//! The reading of proxies. Where the comment of a table says so, `curl --verbose` was asked for the
//! expected result of each row.

#[path = "support/mod.rs"]
mod support;

use std::ffi::OsString;

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use pipeline_proto::{
    Endpoint,
    proxy::{Direct, Handshake, Proxy, ProxyError, ProxyFailure, ProxySetting, Route},
};
use proptest::prelude::*;

use support::rows;

/// Reads variables given as `name=value`, separated by `;`.
fn route(endpoint: &str, variables: &str) -> Result<Route, ProxyError> {
    let endpoint: Endpoint = endpoint.parse().unwrap();
    let variables: Vec<_> = variables
        .split(';')
        .filter_map(|pair| pair.split_once('='))
        .collect();
    ProxySetting::Environment.route(&endpoint, |name| {
        let found = variables.iter().find(|(known, _)| *known == name)?;
        Some(OsString::from(found.1))
    })
}

fn through(url: &str) -> Result<Proxy, ProxyError> {
    let route = ProxySetting::Url(url.to_owned()).route(&Endpoint::default(), |_| None)?;
    Ok(route.proxy().expect("a proxy was set").clone())
}

/// What a route looks like in a table: proxy and variable, or the reason for none.
fn shown(route: &Route) -> String {
    match route {
        Route::Proxy(proxy) => format!("{proxy} {}", proxy.variable().unwrap_or("setting")),
        Route::Direct(Direct::NotSet) => "none".to_owned(),
        Route::Direct(Direct::OnlyUpperCase) => "HTTP_PROXY".to_owned(),
        Route::Direct(why) => format!("direct: {why}"),
    }
}

/// All but the last four rows as curl 7.88 has it.
#[test]
fn the_variable_that_counts_is_the_one_that_curl_takes() {
    let table = "
        https |                                                  | none
        https | https_proxy=p:1                                  | http://p:1 https_proxy
        https | HTTPS_PROXY=p:1                                  | http://p:1 HTTPS_PROXY
        https | HTTPS_PROXY=p:1;https_proxy=q:2                  | http://q:2 https_proxy
        https | https_proxy=;HTTPS_PROXY=p:1                     | http://p:1 HTTPS_PROXY
        https | https_proxy=;ALL_PROXY=p:1                       | http://p:1 ALL_PROXY
        https | https_proxy=                                     | none
        https | all_proxy=q:2;HTTPS_PROXY=p:1                    | http://p:1 HTTPS_PROXY
        https | ALL_PROXY=p:1;all_proxy=q:2                      | http://q:2 all_proxy
        https | http_proxy=p:1                                   | none
        http  | https_proxy=p:1;HTTPS_PROXY=p:1                  | none
        http  | http_proxy=p:1                                   | http://p:1 http_proxy
        http  | HTTP_PROXY=p:1;ALL_PROXY=q:2                     | http://q:2 ALL_PROXY
        http  | ALL_PROXY=p:1;http_proxy=q:2                     | http://q:2 http_proxy
        http  | http_proxy=p:1;no_proxy=;NO_PROXY=test           | direct: NO_PROXY has the entry test
        http  | http_proxy=p:1;no_proxy=y;NO_PROXY=x.test        | http://p:1 http_proxy
        http  | http_proxy=ftp://p;no_proxy=*                    | direct: no_proxy has the entry *
        http  | HTTP_PROXY=p:1                                   | HTTP_PROXY
        http  | HTTP_PROXY=p:1;REQUEST_METHOD=GET                | HTTP_PROXY
        http  | HTTP_PROXY=p:1;http_proxy=p:1;REQUEST_METHOD=GET | HTTP_PROXY
        http  | http_proxy=p:1;REQUEST_METHOD=GET                | http://p:1 http_proxy";
    for [scheme, variables, expected] in rows(table) {
        let found = route(&format!("{scheme}://x.test"), variables).unwrap();
        assert_eq!(shown(&found), expected, "{scheme} {variables}");
    }
}

#[test]
fn an_entry_of_no_proxy_fits_what_it_names() {
    for (list, endpoint, expected) in [
        // As curl has it.
        ("*", "https://x.test", Some("*")),
        ("x.test", "https://x.test", Some("x.test")),
        ("x.test", "https://a.b.x.test", Some("x.test")),
        (".x.test", "https://x.test", Some(".x.test")),
        (".x.test", "https://a.x.test", Some(".x.test")),
        ("x.test", "https://ax.test", None),
        ("test", "https://x.test", Some("test")),
        ("X.Test", "https://A.X.tEST", Some("X.Test")),
        ("x.test.", "https://x.test", Some("x.test.")),
        ("x.test", "https://x.test.", Some("x.test")),
        ("a, x.test", "https://x.test", Some("x.test")),
        ("a x.test b", "https://x.test", Some("x.test")),
        (" ,, x.test ,", "https://x.test", Some("x.test")),
        ("a.x.test", "https://x.test", None),
        ("10.0.0.1", "https://10.0.0.1", Some("10.0.0.1")),
        ("10.0.0.1", "https://10.0.0.10", None),
        ("0.0.1", "https://10.0.0.1", None),
        ("10.0.0.0/8", "https://10.1.2.3", Some("10.0.0.0/8")),
        ("10.0.0.0/8", "https://11.1.2.3", None),
        (
            "192.168.64.0/18",
            "https://192.168.127.255",
            Some("192.168.64.0/18"),
        ),
        ("192.168.64.0/18", "https://192.168.128.0", None),
        ("10.0.0.0/99", "https://10.0.0.0", None),
        ("::1", "https://[::1]", Some("::1")),
        ("fe80::/10", "https://[fe80::1]", Some("fe80::/10")),
        ("fe80::/10", "https://[fd80::1]", None),
        ("fe80::/10", "https://254.128.0.1", None),
        // Beyond curl.
        ("a,*", "https://x.test", Some("*")),
        ("*.x.test", "https://a.x.test", Some("*.x.test")),
        ("*.x.test", "https://x.test", None),
        ("*.x.test", "https://ax.test", None),
        ("x.test:443", "https://x.test", Some("x.test:443")),
        ("x.test:443", "https://a.x.test", Some("x.test:443")),
        ("x.test:8443", "https://x.test", None),
        ("x.test:8443", "https://x.test:8443", Some("x.test:8443")),
        ("*.x.test:443", "https://a.x.test", Some("*.x.test:443")),
        ("10.0.0.1:443", "https://10.0.0.1", Some("10.0.0.1:443")),
        ("10.0.0.1:80", "https://10.0.0.1", None),
        ("[::1]", "https://[::1]", Some("[::1]")),
        ("[::1]:443", "https://[::1]", Some("[::1]:443")),
        ("[::1]:80", "https://[::1]", None),
        ("0:0::1", "https://[::1]", Some("0:0::1")),
        ("127.0.0.1", "https://[::ffff:127.0.0.1]", Some("127.0.0.1")),
        (".", "https://x.test", None),
        ("*.", "https://x.test", None),
        ("x*", "https://x.test", None),
    ] {
        let found = route(endpoint, &format!("https_proxy=p:1;NO_PROXY={list}")).unwrap();
        let entry = match &found {
            Route::Direct(Direct::Exempt { entry, .. }) => Some(entry.as_str()),
            _ => None,
        };
        assert_eq!(entry, expected, "{list} {endpoint}");
    }
}

/// Ports and schemes as curl 7.88 has them.
#[test]
fn the_address_of_a_proxy_is_read() {
    for (url, expected) in [
        ("p", "http://p:1080"),
        ("p:3128", "http://p:3128"),
        ("http://p", "http://p:1080"),
        ("http://p:3128/", "http://p:3128"),
        ("http://p:3128/path?query", "http://p:3128"),
        ("HTTP://P", "http://P:1080"),
        (" http://p\n", "http://p:1080"),
        ("https://p", "https://p:443"),
        ("socks5://p", "socks5://p:1080"),
        ("socks5h://10.0.0.1:9", "socks5h://10.0.0.1:9"),
        ("http://[::1]:3128", "http://[::1]:3128"),
        ("[::1]", "http://[::1]:1080"),
        ("u:w@p:1", "http://p:1"),
    ] {
        assert_eq!(through(url).unwrap().to_string(), expected, "{url}");
    }
}

#[test]
fn user_and_password_are_decoded() {
    for (url, user, password) in [
        ("http://me:pass@p", "me", "pass"),
        ("http://me@p", "me", ""),
        ("socks5://m%40e:p%3Aa%2fs%25@p", "m@e", "p:a/s%"),
        ("http://me:a:b@c@p", "me", "a:b@c"),
        ("http://me:100%@p", "me", "100%"),
    ] {
        let proxy = through(url).unwrap();
        let found = proxy.credentials().unwrap();
        assert_eq!(found.user(), user.as_bytes(), "{url}");
        assert_eq!(found.password(), password.as_bytes(), "{url}");
    }
    assert!(through("http://@p").unwrap().credentials().is_none());
}

#[test]
fn what_cannot_be_used_is_an_error_that_names_its_source_and_no_secret() {
    for (url, reason) in [
        ("ftp://me:secret@p", "its scheme is ftp"),
        ("socks4://me:secret@p", "SOCKS 4"),
        ("socks4a://p", "SOCKS 4"),
        ("socks://p", "SOCKS 4"),
        ("://p", "its scheme"),
        ("me:secret://p", "its scheme must"),
        ("http://", "no host"),
        ("/secret", "no host"),
        ("http://me:secret@", "no host"),
        ("http://me:secret@:80", "no host"),
        ("http://me:secret@p:port", "its port"),
        ("http://me:secret@p:", "its port"),
        ("http://me:secret@p:0", "its port"),
        ("http://p:+80", "its port"),
        ("http://p:99999", "its port"),
        ("http://me:sec/secret@p", "%2F"),
        ("http://me:12/secret@p", "%2F"),
        ("http://::1:80", "brackets"),
        ("http://[::1", "brackets"),
        ("http://[secret]", "brackets"),
        ("http://[::1]80", "brackets"),
        ("http://p secret", "its host"),
        ("http://代理", "its host"),
        ("http://p\u{1}secret", "its host"),
    ] {
        let set = through(url).unwrap_err();
        let found = route("https://x.test", &format!("HTTPS_PROXY={url}")).unwrap_err();
        for (error, source) in [(set, "the proxy that was set"), (found, "HTTPS_PROXY")] {
            let text = error.to_string();
            assert!(text.starts_with(source), "{url}: {text}");
            assert!(text.contains(reason), "{url}: {text}");
            assert!(!format!("{error:?} {text}").contains("secret"), "{text}");
        }
    }
    let long = format!("socks5://{}:w@p", "u".repeat(256));
    assert!(through(&long).unwrap_err().to_string().contains("255"));
}

/// Ends in `!` if it is permanent.
fn told(error: &ProxyFailure) -> String {
    let permanent = error.clone().into_fault().is_permanent();
    format!("{error}{}", if permanent { "!" } else { "" })
}

type Step<'a> = (&'a [u8], &'a [u8]);

/// Plays a handshake: what is sent, what comes back, and so on.
fn shake(proxy: &str, host: &str, steps: &[Step<'_>]) -> Result<(), String> {
    let proxy = through(proxy).unwrap();
    let mut handshake = Handshake::new(&proxy, host, 443).map_err(|error| error.to_string())?;
    for (index, (sent, received)) in steps.iter().enumerate() {
        assert_eq!(&handshake.output()[..], *sent, "step {index}");
        // Byte by byte: what comes over a network may be split anywhere.
        for (at, byte) in received.iter().enumerate() {
            let open = handshake.input(&[*byte]).map_err(|error| told(&error))?;
            let end = (index, at) == (steps.len() - 1, received.len() - 1);
            assert_eq!(open, end, "step {index}, byte {at}");
        }
    }
    Ok(())
}

#[test]
fn a_tunnel_opens() {
    let connect: &[u8] = b"CONNECT x.test:443 HTTP/1.1\r\nHost: x.test:443\r\n\r\n";
    let ok: &[u8] = b"HTTP/1.1 200 OK\r\nvia: x\r\n\r\n";
    shake("http://p", "x.test", &[(connect, ok)]).unwrap();
    shake("https://p", "x.test", &[(connect, b"HTTP/1.0 200\n\n")]).unwrap();
    let interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
    shake("http://p", "x.test", &[(connect, interim)]).unwrap();
    // The example of RFC 7617.
    let authorized: &[u8] = b"CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\
        Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n";
    shake(
        "http://Aladdin:open%20sesame@p",
        "[::1]",
        &[(authorized, ok)],
    )
    .unwrap();

    let granted: &[u8] = b"\x05\0\0\x01\x7f\0\0\x01\x04\x38";
    let hello: Step<'_> = (b"\x05\x01\0", b"\x05\0");
    let ask: &[u8] = b"\x05\x01\0\x03\x06x.test\x01\xbb";
    shake("socks5h://p", "x.test", &[hello, (ask, granted)]).unwrap();
    shake(
        "socks5h://p",
        "x.test",
        &[hello, (ask, b"\x05\0\0\x03\x02xy\x04\x38")],
    )
    .unwrap();
    let address: &[u8] = b"\x05\x01\0\x01\x0a\0\0\x01\x01\xbb";
    shake("socks5://p", "10.0.0.1", &[hello, (address, granted)]).unwrap();
    let address: &[u8] = b"\x05\x01\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x01\xbb";
    shake(
        "socks5://p",
        "[::1]",
        &[hello, (address, &[&b"\x05\0\0\x04"[..], &[0; 18]].concat())],
    )
    .unwrap();
    let hello: Step<'_> = (b"\x05\x01\x02", b"\x05\x02");
    let login: Step<'_> = (b"\x01\x02me\x02pw", b"\x01\0");
    shake(
        "socks5h://me:pw@p",
        "x.test",
        &[hello, login, (ask, granted)],
    )
    .unwrap();
}

#[test]
fn a_proxy_that_refuses_is_named_with_its_reason() {
    let table = "
        HTTP/1.1 407 Auth~~   | HTTP 407, it wants a user and a password!
        HTTP/1.1 403 No~~     | HTTP 403, it does not allow a tunnel to x.test:443!
        HTTP/1.1 502 Bad~~    | HTTP 502, it made no tunnel to x.test:443
        HTTP/1.1 302 Found~~  | HTTP 302, it made no tunnel to x.test:443!
        HTTP/1.1 429 Slow~~   | HTTP 429, it does not allow a tunnel to x.test:443
        HTTP/1.1 200 OK~~x    | it sent more than the response that was due
        HTTP/1.1 2            | it closed the connection without a response
        HTTP/1.1 x~~          | what answers there is no HTTP proxy!
        SSH-2.0               | what answers there is no HTTP proxy!";
    for [said, expected] in rows(table) {
        let mut handshake = Handshake::new(&through("http://p").unwrap(), "x.test", 443).unwrap();
        let said = said.replace('~', "\r\n");
        let result = handshake
            .input(said.as_bytes())
            .and_then(|_| handshake.input(b""));
        let error = told(&result.unwrap_err());
        assert_eq!(error, format!("the proxy http://p:1080: {expected}"));
    }
    let endless = format!("HTTP/1.1 200 {}", "x".repeat(70_000));
    let mut handshake = Handshake::new(&through("http://p").unwrap(), "x.test", 443).unwrap();
    assert!(handshake.input(endless.as_bytes()).is_err());

    let hello: Step<'_> = (b"\x05\x01\0", b"\x05\0");
    let ask: &[u8] = b"\x05\x01\0\x03\x06x.test\x01\xbb";
    for (response, expected) in [
        (
            &b"\x05\x01"[..],
            "it made no tunnel to x.test:443: it gives no reason",
        ),
        (b"\x05\x02", "it does not allow a tunnel to x.test:443!"),
        (
            b"\x05\x05",
            "it made no tunnel to x.test:443: the connection was refused",
        ),
        (b"\x04", "what answers there is no SOCKS 5 proxy!"),
        (b"\x05\0\0\x09\0", "what answers there is no SOCKS 5 proxy!"),
    ] {
        let error = shake("socks5h://p", "x.test", &[hello, (ask, response)]).unwrap_err();
        assert_eq!(error, format!("the proxy socks5h://p:1080: {expected}"));
    }
    for (proxy, greeting, response, expected) in [
        (
            "socks5h://p",
            &b"\x05\x01\0"[..],
            &b"\x05\xff"[..],
            "it wants a user and a password!",
        ),
        (
            "socks5h://u@p",
            b"\x05\x01\x02",
            b"\x05\0",
            "it takes no user and password!",
        ),
        (
            "socks5h://u@p",
            b"\x05\x01\x02",
            b"HTTP",
            "what answers there is no SOCKS 5 proxy!",
        ),
    ] {
        let error = shake(proxy, "x.test", &[(greeting, response)]).unwrap_err();
        assert_eq!(error, format!("the proxy socks5h://p:1080: {expected}"));
    }
    let refused = [
        (&b"\x05\x01\x02"[..], &b"\x05\x02"[..]),
        (b"\x01\x01u\0", b"\x01\x01"),
    ];
    let error = shake("socks5h://u@p", "x.test", &refused).unwrap_err();
    assert!(
        error.ends_with("it does not take this user and password!"),
        "{error}"
    );
    let error = shake("socks5h://p", &"x".repeat(256), &[]).unwrap_err();
    assert!(error.contains("255"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_value_that_is_no_unicode_is_an_error() {
    use std::os::unix::ffi::OsStringExt as _;
    for broken in ["https_proxy", "no_proxy"] {
        let error = ProxySetting::Environment
            .route(&Endpoint::default(), |name| match name {
                _ if name == broken => Some(OsString::from_vec(vec![b'p', 0xff])),
                "https_proxy" => Some("p".into()),
                _ => None,
            })
            .unwrap_err();
        assert!(error.to_string().starts_with(broken), "{error}");
    }
}

#[test]
fn nothing_shows_the_password() {
    let setting = ProxySetting::Url("http://me:secret@p".to_owned());
    let route = setting.route(&Endpoint::default(), |_| None).unwrap();
    let proxy = route.proxy().unwrap();
    let credentials = proxy.credentials().unwrap();
    let handshake = Handshake::new(proxy, "x.test", 443).unwrap();
    let failure = proxy.failure("why");
    let shown = format!(
        "{setting:?} {route:?} {proxy} {credentials:?} {handshake:?} {failure:?} {failure}"
    );
    assert!(
        !shown.contains("secret") && !shown.contains("me"),
        "{shown}"
    );
}

proptest! {
    #[test]
    fn any_value_is_a_route_or_an_error(value in ".*", list in ".*", https: bool) {
        let endpoint = if https { "https://a.x.test" } else { "http://[::1]:81" };
        let _ = route(endpoint, &format!("https_proxy={value};http_proxy={value};no_proxy={list}"));
    }

    #[test]
    fn a_proxy_may_say_anything(
        scheme in prop::sample::select(vec!["http", "socks5h", "socks5://u:w@p"]),
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..5),
    ) {
        let proxy = if scheme.contains(':') { scheme.to_owned() } else { format!("{scheme}://p") };
        let mut handshake = Handshake::new(&through(&proxy).unwrap(), "x.test", 443).unwrap();
        for start in [&b""[..], b"HTTP/1.1 ", b"\x05\x02", b"\x01\0\x05\0\0"] {
            for piece in &pieces {
                let _ = handshake.input(&[start, piece].concat());
            }
        }
    }

    #[test]
    fn what_is_written_is_what_is_read(
        scheme in prop::sample::select(vec!["http", "https", "socks5", "socks5h"]),
        host in "[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?",
        port in 1_u16..,
        user in prop::collection::vec(any::<u8>(), 1..20),
        password in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let encode = |bytes: &[u8]| percent_encode(bytes, NON_ALPHANUMERIC).to_string();
        let proxy = through(&format!("{scheme}://{}:{}@{host}:{port}", encode(&user), encode(&password))).unwrap();
        prop_assert_eq!(proxy.to_string(), format!("{scheme}://{host}:{port}"));
        let found = proxy.credentials().unwrap();
        prop_assert_eq!((found.user(), found.password()), (&user[..], &password[..]));
    }
}
