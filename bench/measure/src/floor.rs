//! What the crates below cost when nothing is left to save: the same requests by hand, with the MAC
//! keyed, the date formatted and the endpoint parsed beforehand, and nothing checked.

use std::hint::black_box;

use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use bytes::{BufMut as _, Bytes, BytesMut};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{
    HeaderMap, HeaderValue, Method, Request, Uri,
    header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, DATE, USER_AGENT},
    uri::{Authority, PathAndQuery, Scheme},
};
use sha1::Sha1;

use crate::{
    cases::AnyCase,
    fixtures::{ACCESS_KEY, COMMENT, NAME, SECRET_KEY},
};

const DATE_TEXT: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

pub(crate) fn create() -> AnyCase {
    #[derive(serde::Serialize)]
    struct Body {
        region: &'static str,
        comment: &'static str,
    }
    case(Method::POST, || {
        let mut body = Vec::with_capacity(128);
        let fields = Body {
            region: "nb",
            comment: COMMENT,
        };
        serde_json::to_writer(&mut body, &fields).expect("strings are JSON");
        body.into()
    })
}

pub(crate) fn get() -> AnyCase {
    case(Method::GET, Bytes::new)
}

fn case(method: Method, body: impl Fn() -> Bytes + 'static) -> AnyCase {
    let key = Hmac::<Sha1>::new_from_slice(SECRET_KEY.as_bytes()).expect("any key will do");
    let authority = Authority::from_static("pipeline.qiniu.com");
    let agent = HeaderValue::from_static("floor/1.0");
    Box::new(move || {
        let body = body();
        let content_type = if body.is_empty() {
            ""
        } else {
            "application/json"
        };

        let mut path = BytesMut::with_capacity(64);
        path.put_slice(b"/v2/workflows/");
        path.put_slice(NAME.as_bytes());
        let path = path.freeze();

        let mut mac = key.clone();
        for piece in [method.as_str(), "\n\n", content_type, "\n", DATE_TEXT, "\n"] {
            mac.update(piece.as_bytes());
        }
        mac.update(&path);
        let mut signature = [0; 28];
        let written = URL_SAFE.encode_slice(mac.finalize().into_bytes(), &mut signature);
        assert_eq!(written, Ok(28));
        let mut authorization = BytesMut::with_capacity(96);
        for piece in [b"Pandora ", ACCESS_KEY.as_bytes(), b":", &signature[..]] {
            authorization.put_slice(piece);
        }
        let authorization = HeaderValue::from_maybe_shared(authorization.freeze());

        let mut headers = HeaderMap::with_capacity(6);
        headers.insert(DATE, HeaderValue::from_static(DATE_TEXT));
        headers.insert(AUTHORIZATION, authorization.expect("visible ASCII"));
        headers.insert(USER_AGENT, agent.clone());
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if !body.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
            headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(Scheme::HTTPS);
        parts.authority = Some(authority.clone());
        parts.path_and_query = PathAndQuery::from_maybe_shared(path).ok();
        let mut request = Request::new(body);
        *request.method_mut() = method.clone();
        *request.uri_mut() = Uri::from_parts(parts).expect("all three parts are there");
        *request.headers_mut() = headers;
        black_box(request);
    })
}
