//! Messages written as text, read with as much tolerance as possible: what cannot be used is left
//! out, so that few mutations are wasted.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};

/// The first line, the headers, and what follows the empty line.
fn split(message: &[u8]) -> (&[u8], HeaderMap, Bytes) {
    let mut rest = message;
    let first = next_line(&mut rest);
    let mut headers = HeaderMap::new();
    while !rest.is_empty() {
        let line = next_line(&mut rest);
        if line.is_empty() {
            break;
        }
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = line.split_at(colon.unwrap_or(line.len()));
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            headers.append(name, value);
        }
    }
    (first, headers, Bytes::copy_from_slice(rest))
}

fn next_line<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let end = rest.iter().position(|byte| *byte == b'\n');
    let (line, after) = rest.split_at(end.unwrap_or(rest.len()));
    *rest = after.get(1..).unwrap_or_default();
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// `404`, headers, an empty line, the body. Anything else than a status is 400.
pub(crate) fn response(message: &[u8]) -> Response<Bytes> {
    let (first, headers, body) = split(message);
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_bytes(first).unwrap_or(StatusCode::BAD_REQUEST);
    *response.headers_mut() = headers;
    response
}

/// `GET /v2/workflows`, headers, an empty line, the body. `None` if the first line is no method and
/// target.
pub(crate) fn request(message: &[u8]) -> Option<Request<Bytes>> {
    let (first, headers, body) = split(message);
    let mut words = first.splitn(2, |byte| *byte == b' ');
    let mut request = Request::new(body);
    *request.method_mut() = Method::from_bytes(words.next()?).ok()?;
    *request.uri_mut() = Uri::try_from(words.next()?).ok()?;
    *request.headers_mut() = headers;
    Some(request)
}
