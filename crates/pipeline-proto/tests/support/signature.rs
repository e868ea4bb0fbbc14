//! The rules of signing, written down a second time, without the code under test.

use std::{collections::BTreeSet, time::SystemTime};

use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderName, Request};
use sha1::Sha1;

/// Checks the signature of a request over what is sent; gives the date that was signed.
pub(crate) fn signed_at(
    request: &Request<Bytes>,
    access_key: &str,
    secret_key: &str,
) -> SystemTime {
    let header = |name: &str| {
        let mut values = request.headers().get_all(name).iter();
        let value = values.next().map_or("", |value| value.to_str().unwrap());
        assert!(values.next().is_none(), "{name} is sent twice");
        value.trim_matches([' ', '\t'])
    };
    // Each name once, in ascending order.
    let names: BTreeSet<&str> = request.headers().keys().map(HeaderName::as_str).collect();
    let canonical: Vec<String> = names
        .into_iter()
        .filter(|name| name.len() > 8 && name.starts_with("x-qiniu-"))
        .map(|name| format!("\n{name}:{}", header(name)))
        .collect();
    // As it stands in the request line: there is nothing to decode in the paths of this crate.
    let path = request.uri().path();
    assert!(!path.contains('%'), "{path}");
    let text = format!(
        "{}\n{}\n{}\n{}\n{}{path}",
        request.method(),
        header("content-md5"),
        header("content-type"),
        header("date"),
        canonical.concat(),
    );

    let mut mac = Hmac::<Sha1>::new_from_slice(secret_key.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    let signature = URL_SAFE.encode(mac.finalize().into_bytes());
    assert_eq!(
        header("authorization"),
        format!("Pandora {access_key}:{signature}"),
        "the string to sign is {text:?}"
    );
    assert!(request.headers()["authorization"].is_sensitive());
    httpdate::parse_http_date(header("date")).expect("the date is in the one format allowed")
}
