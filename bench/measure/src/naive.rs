//! The same requests as one writes them at first: `format!`, the MAC keyed and the address parsed
//! each time.

use std::hint::black_box;

use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Request;
use sha1::Sha1;

use crate::{
    cases::AnyCase,
    fixtures::{ACCESS_KEY, COMMENT, NAME, SECRET_KEY, now},
};

pub(crate) fn create() -> AnyCase {
    case(|| {
        let body = serde_json::json!({"region": "nb", "comment": COMMENT}).to_string();
        request("POST", NAME, Some(body))
    })
}

pub(crate) fn get() -> AnyCase {
    case(|| request("GET", NAME, None))
}

fn case(make: impl Fn() -> Request<Bytes> + 'static) -> AnyCase {
    Box::new(move || {
        black_box(make());
    })
}

/// The value of the header, for a request whose headers are not signed but these.
pub(crate) fn authorization(method: &str, content_type: &str, date: &str, path: &str) -> String {
    let text = format!("{method}\n\n{content_type}\n{date}\n{path}");
    let mut mac = Hmac::<Sha1>::new_from_slice(SECRET_KEY.as_bytes()).expect("any key will do");
    mac.update(text.as_bytes());
    let signature = URL_SAFE.encode(mac.finalize().into_bytes());
    format!("Pandora {ACCESS_KEY}:{signature}")
}

fn request(method: &str, name: &str, body: Option<String>) -> Request<Bytes> {
    let date = httpdate::fmt_http_date(now().wall);
    let path = format!("/v2/workflows/{name}");
    let content_type = if body.is_some() {
        "application/json"
    } else {
        ""
    };
    let authorization = authorization(method, content_type, &date, &path);
    let mut request = Request::builder()
        .method(method)
        .uri(format!("https://pipeline.qiniu.com{path}"))
        .header("Date", date)
        .header("Authorization", authorization)
        .header("User-Agent", "naive/1.0")
        .header("Accept-Encoding", "identity");
    if let Some(body) = &body {
        request = request
            .header("Content-Type", content_type)
            .header("Content-Length", body.len().to_string());
    }
    let body = body.map(Bytes::from).unwrap_or_default();
    request.body(body).expect("a legal request")
}
