//! As much of HTTP/1.1 as a client needs that opens a connection for each request.
//!
//! ```
//! use pipeline_embedding_example::http1;
//!
//! let came = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]";
//! assert!(http1::decode(&came[..30], false)?.is_none(), "there is more to come");
//! assert_eq!(http1::decode(came, false)?.unwrap().body(), "[]");
//! # Ok::<(), http1::Malformed>(())
//! ```

use std::{fmt, str};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode,
    header::{CONTENT_LENGTH, TRANSFER_ENCODING},
};

/// The head of a response may be this long.
const LONGEST_HEAD: usize = 64 * 1024;

/// The bytes of a request. The headers of the core are complete but for `Host`.
pub fn encode(request: &Request<Bytes>) -> Vec<u8> {
    let uri = request.uri();
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let host = uri.authority().map_or("", |authority| authority.as_str());
    let method = request.method();
    let mut out =
        format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n").into_bytes();
    for (name, value) in request.headers() {
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(request.body());
    out
}

/// The response, if these bytes hold the whole of it. `ended` says that no more will come.
///
/// # Errors
///
/// If it is no response, or cut short.
pub fn decode(mut bytes: &[u8], ended: bool) -> Result<Option<Response<Bytes>>, Malformed> {
    loop {
        let Some((head, rest)) = split_head(bytes) else {
            return match bytes.len() {
                length if length > LONGEST_HEAD => Err(Malformed("its head is too long")),
                _ if ended => Err(Malformed("it was cut short in its head")),
                _ => Ok(None),
            };
        };
        let (status, headers) = read_head(head)?;
        // 100 Continue and its like come before the response itself.
        if status.is_informational() {
            bytes = rest;
            continue;
        }
        let body = match read_body(status, &headers, rest, ended)? {
            Some(body) => body,
            None if ended => return Err(Malformed("it was cut short in its body")),
            None => return Ok(None),
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        return Ok(Some(response));
    }
}

fn split_head(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some((&bytes[..end], &bytes[end + 4..]))
}

fn read_head(head: &[u8]) -> Result<(StatusCode, HeaderMap), Malformed> {
    let mut lines = head
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii_end);
    let first = lines.next().unwrap_or_default();
    let status = first
        .strip_prefix(b"HTTP/1.")
        .and_then(|rest| rest.get(2..5))
        .and_then(|digits| StatusCode::from_bytes(digits).ok())
        .ok_or(Malformed("it does not begin as HTTP/1 does"))?;
    let mut headers = HeaderMap::new();
    for line in lines {
        let header = line
            .iter()
            .position(|byte| *byte == b':')
            .and_then(|colon| {
                let name = HeaderName::from_bytes(&line[..colon]).ok()?;
                let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
                Some((name, value))
            });
        let (name, value) = header.ok_or(Malformed("a line of its head is no header"))?;
        headers.append(name, value);
    }
    Ok((status, headers))
}

/// The body, if it is there: as long as the head says, in chunks, or up to the end.
fn read_body(
    status: StatusCode,
    headers: &HeaderMap,
    bytes: &[u8],
    ended: bool,
) -> Result<Option<Bytes>, Malformed> {
    if matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        return Ok(Some(Bytes::new()));
    }
    if let Some(coding) = headers.get(TRANSFER_ENCODING) {
        if coding.as_bytes().eq_ignore_ascii_case(b"chunked") {
            return read_chunks(bytes);
        }
        return Err(Malformed("its body is encoded in an unknown way"));
    }
    let Some(length) = headers.get(CONTENT_LENGTH) else {
        return Ok(ended.then(|| Bytes::copy_from_slice(bytes)));
    };
    let length: usize = length
        .to_str()
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
        .ok_or(Malformed("its length is no number"))?;
    Ok(bytes.get(..length).map(Bytes::copy_from_slice))
}

fn read_chunks(mut bytes: &[u8]) -> Result<Option<Bytes>, Malformed> {
    let mut body = Vec::new();
    while let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") {
        // What follows a semicolon is an extension that nobody needs to know.
        let size = bytes[..end].split(|byte| *byte == b';').next();
        let size = str::from_utf8(size.unwrap_or_default())
            .ok()
            .and_then(|digits| usize::from_str_radix(digits.trim(), 16).ok())
            .ok_or(Malformed("the size of a chunk is no number"))?;
        bytes = &bytes[end + 2..];
        if size == 0 {
            return Ok(Some(body.into()));
        }
        let Some(chunk) = bytes.get(..size) else {
            return Ok(None);
        };
        body.extend_from_slice(chunk);
        match bytes.get(size..).and_then(|rest| rest.split_at_checked(2)) {
            Some((b"\r\n", rest)) => bytes = rest,
            Some(_) => return Err(Malformed("a chunk does not end where it should")),
            None => return Ok(None),
        }
    }
    Ok(None)
}

/// What came is no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed(&'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the response cannot be read: {}", self.0)
    }
}

impl std::error::Error for Malformed {}
