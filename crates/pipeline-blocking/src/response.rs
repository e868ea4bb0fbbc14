//! Reads a response to one request out of the bytes of a connection. Knows nothing of sockets.

use std::fmt;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Version,
    header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING},
};

/// The largest header of a response, in bytes.
pub(crate) const MAX_HEADER_SIZE: usize = 256 << 10;

/// The most fields that a header of a response may have.
const MAX_HEADER_FIELDS: usize = 1024;

/// The most bytes of trailers, and the most of extensions of all chunks: nothing here uses either.
const MAX_CHUNK_EXTRAS: usize = 16 << 10;

/// How long the line with the length of a chunk is at most that has no extension.
const CHUNK_LINE: usize = 18;

/// How many bytes are read at a time.
const BUFFER: usize = 16 << 10;

/// How much room is made at most for a body of known length before any of it came.
const FIRST_ROOM: usize = 4 << 20;

/// A response that is being read: read into [`space`](Self::space) and say so by
/// [`advance`](Self::advance), until it [is complete](Self::is_complete).
#[derive(Debug)]
pub(crate) struct Incoming {
    state: State,
    /// What came in is `buffer[..end]`.
    buffer: Vec<u8>,
    end: usize,
    parts: http::response::Parts,
    body: Vec<u8>,
    max_body_size: usize,
    /// How many bytes of extensions the chunks had.
    extensions: usize,
    to_head: bool,
    /// Whether the connection can be used again, as far as the response says.
    keeps_open: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Head,
    /// `body` is filled so far, and has room for more.
    Sized {
        filled: usize,
        length: usize,
    },
    ChunkSize,
    Chunk {
        left: usize,
    },
    ChunkEnd,
    Trailer,
    UntilClose,
    Complete,
}

/// Why what comes in is not taken.
#[derive(Debug)]
pub(crate) enum Refusal {
    HeaderTooLarge,
    BodyTooLarge,
    NotHttp(&'static str),
    Closed(&'static str),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeaderTooLarge => write!(
                f,
                "the response header is too large: more than {} KiB or {MAX_HEADER_FIELDS} fields",
                MAX_HEADER_SIZE >> 10
            ),
            Self::BodyTooLarge => f.write_str("the response body is too large"),
            Self::NotHttp(what) => write!(f, "the response is not valid HTTP: {what}"),
            Self::Closed(when) => write!(f, "the connection was closed {when}"),
        }
    }
}

impl std::error::Error for Refusal {}

impl Incoming {
    /// A response to a request with this method. The buffer is one that a former response gave back,
    /// or an empty one.
    pub(crate) fn new(method: &Method, max_body_size: usize, mut buffer: Vec<u8>) -> Self {
        buffer.resize(BUFFER, 0);
        Self {
            state: State::Head,
            buffer,
            end: 0,
            parts: Response::new(()).into_parts().0,
            body: Vec::new(),
            max_body_size,
            extensions: 0,
            to_head: method == Method::HEAD,
            keeps_open: true,
        }
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.state == State::Complete
    }

    /// Whether the header is complete, so that the body is read.
    pub(crate) fn has_header(&self) -> bool {
        self.state != State::Head
    }

    /// Whether the body ends where the connection does.
    pub(crate) fn ends_with_connection(&self) -> bool {
        self.state == State::UntilClose
    }

    /// Whether something came after the response, which was not asked for.
    pub(crate) fn has_excess(&self) -> bool {
        self.is_complete() && self.end > 0
    }

    /// Whether another request can be sent on the connection.
    pub(crate) fn keeps_open(&self) -> bool {
        self.keeps_open && self.is_complete() && !self.has_excess()
    }

    /// The response, and the buffer for the next one.
    pub(crate) fn finish(mut self) -> (Response<Bytes>, Vec<u8>) {
        self.buffer.truncate(BUFFER);
        (
            Response::from_parts(self.parts, self.body.into()),
            self.buffer,
        )
    }

    /// Where to read to; never empty before the response is complete.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        if let State::Sized { filled, .. } = self.state {
            return &mut self.body[filled..];
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(2 * self.end, 0);
        }
        &mut self.buffer[self.end..]
    }

    /// Takes what was read to the beginning of the space.
    pub(crate) fn advance(&mut self, read: usize) -> Result<(), Refusal> {
        if let State::Sized { filled, length } = self.state {
            self.fill(filled + read, length);
            return Ok(());
        }
        let start = self.end;
        self.end += read;
        let mut used = 0;
        if self.state == State::Head {
            // Each line ends so, and only a whole one says something new.
            if self.buffer[start..self.end].contains(&b'\n') {
                while self.state == State::Head {
                    let Some(length) = self.head(used)? else {
                        break;
                    };
                    used += length;
                }
            }
            if self.state == State::Head && self.end - used > MAX_HEADER_SIZE {
                return Err(Refusal::HeaderTooLarge);
            }
        }
        while used < self.end {
            match self.body(used)? {
                0 => break,
                length => used += length,
            }
        }
        self.buffer.copy_within(used..self.end, 0);
        self.end -= used;
        Ok(())
    }

    /// Takes the end of what can be read.
    pub(crate) fn close(&mut self) -> Result<(), Refusal> {
        self.keeps_open = false;
        match self.state {
            State::Complete => {}
            State::UntilClose => self.state = State::Complete,
            State::Head if self.end == 0 => {
                return Err(Refusal::Closed("without a response"));
            }
            State::Head => return Err(Refusal::Closed("within the response header")),
            _ => return Err(Refusal::Closed("within the response body")),
        }
        Ok(())
    }

    /// Reads a header, if it is whole, and returns its length. One that is interim leads to no other
    /// state.
    fn head(&mut self, from: usize) -> Result<Option<usize>, Refusal> {
        let bytes = &self.buffer[from..self.end];
        let mut few = [httparse::EMPTY_HEADER; 64];
        let mut many;
        let mut head = httparse::Response::new(&mut few);
        let mut result = head.parse(bytes);
        if result == Err(httparse::Error::TooManyHeaders) {
            many = vec![httparse::EMPTY_HEADER; MAX_HEADER_FIELDS];
            head = httparse::Response::new(&mut many);
            result = head.parse(bytes);
        }
        let length = match result {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(httparse::Error::TooManyHeaders) => return Err(Refusal::HeaderTooLarge),
            Err(httparse::Error::Version) => {
                return Err(Refusal::NotHttp("it does not begin with HTTP/1"));
            }
            Err(_) => return Err(Refusal::NotHttp("its header cannot be read")),
        };
        if length > MAX_HEADER_SIZE {
            return Err(Refusal::HeaderTooLarge);
        }
        let status = head.code.unwrap_or_default();
        let status = StatusCode::from_u16(status)
            .map_err(|_| Refusal::NotHttp("its status is not a status"))?;
        if status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS {
            return Ok(Some(length));
        }
        self.parts.status = status;
        self.parts.version = match head.version {
            Some(0) => Version::HTTP_10,
            _ => Version::HTTP_11,
        };
        self.parts.headers.reserve(head.headers.len());
        for field in head.headers.iter() {
            let unreadable = Refusal::NotHttp("its header cannot be read");
            let Ok(name) = HeaderName::from_bytes(field.name.as_bytes()) else {
                return Err(unreadable);
            };
            let Ok(value) = HeaderValue::from_bytes(field.value) else {
                return Err(unreadable);
            };
            self.parts.headers.append(name, value);
        }
        self.frame()?;
        Ok(Some(length))
    }

    /// How the body is delimited: RFC 9112, section 6.3.
    fn frame(&mut self) -> Result<(), Refusal> {
        let headers = &self.parts.headers;
        let http_11 = self.parts.version == Version::HTTP_11;
        let close = has_token(headers, &CONNECTION, "close");
        let keep = has_token(headers, &CONNECTION, "keep-alive");
        let other_protocol = self.parts.status == StatusCode::SWITCHING_PROTOCOLS;
        self.keeps_open = !close && (http_11 || keep) && !other_protocol;
        let no_body = other_protocol
            || self.parts.status == StatusCode::NO_CONTENT
            || self.parts.status == StatusCode::NOT_MODIFIED;
        self.state = if no_body || self.to_head {
            State::Complete
        } else if headers.contains_key(TRANSFER_ENCODING) {
            if !http_11 {
                return Err(Refusal::NotHttp("HTTP/1.0 has no transfer codings"));
            }
            // With a length as well, somebody on the way could see another end than this side does.
            self.keeps_open &= !headers.contains_key(CONTENT_LENGTH);
            if is_chunked(headers) {
                State::ChunkSize
            } else {
                State::UntilClose
            }
        } else if let Some(length) = content_length(headers)? {
            if length > self.max_body_size as u64 {
                return Err(Refusal::BodyTooLarge);
            }
            self.fill(0, usize::try_from(length).unwrap_or(usize::MAX));
            return Ok(());
        } else {
            State::UntilClose
        };
        self.keeps_open &= self.state != State::UntilClose;
        Ok(())
    }

    /// Says how much of a body of known length is there, and makes room for more: not for all of it at
    /// once, as only the server says that so much will come.
    fn fill(&mut self, filled: usize, length: usize) {
        if filled == length {
            self.state = State::Complete;
            return;
        }
        if filled == self.body.len() {
            let room = filled.saturating_mul(2).max(FIRST_ROOM).min(length);
            if filled == 0 {
                // The system need not provide what is never written to.
                self.body = vec![0; room];
            } else {
                // Growing by itself, it would take twice the length for the last few bytes.
                self.body.reserve_exact(room - filled);
                self.body.resize(room, 0);
            }
        }
        self.state = State::Sized { filled, length };
    }

    /// Takes the next piece of the body, and returns its length in the buffer: nothing if it is not
    /// whole yet, or if the response is complete.
    fn body(&mut self, from: usize) -> Result<usize, Refusal> {
        let bytes = &self.buffer[from..self.end];
        match self.state {
            State::Head | State::Complete => Ok(0),
            State::Sized { filled, length } => {
                let taken = bytes.len().min(self.body.len() - filled);
                self.body[filled..][..taken].copy_from_slice(&bytes[..taken]);
                self.fill(filled + taken, length);
                Ok(taken)
            }
            State::UntilClose => {
                let length = bytes.len();
                self.take(from, length)?;
                Ok(length)
            }
            State::ChunkSize => match httparse::parse_chunk_size(bytes) {
                // It takes an empty line for a chunk of no bytes, which would be the last one.
                Ok(httparse::Status::Complete((length, size)))
                    if bytes[0].is_ascii_hexdigit() && !bytes[..length - 2].contains(&b'\n') =>
                {
                    self.extensions += length.saturating_sub(CHUNK_LINE);
                    if self.extensions > MAX_CHUNK_EXTRAS {
                        return Err(Refusal::NotHttp("the extensions of its chunks have no end"));
                    }
                    let room = self.max_body_size - self.body.len();
                    self.state = match usize::try_from(size) {
                        Ok(0) => State::Trailer,
                        Ok(left) if left <= room => State::Chunk { left },
                        _ => return Err(Refusal::BodyTooLarge),
                    };
                    Ok(length)
                }
                Ok(httparse::Status::Partial) if bytes.len() < MAX_CHUNK_EXTRAS => Ok(0),
                _ => Err(Refusal::NotHttp("the length of a chunk cannot be read")),
            },
            State::Chunk { left } => {
                let length = bytes.len().min(left);
                self.take(from, length)?;
                self.state = if length < left {
                    State::Chunk {
                        left: left - length,
                    }
                } else {
                    State::ChunkEnd
                };
                Ok(length)
            }
            State::ChunkEnd => match bytes {
                [b'\r', b'\n', ..] => {
                    self.state = State::ChunkSize;
                    Ok(2)
                }
                [b'\r'] => Ok(0),
                _ => Err(Refusal::NotHttp("a chunk is longer than it says")),
            },
            State::Trailer => {
                // They say nothing that is used here, but what is no trailer shows that the end of the
                // body is not where it seems.
                let mut fields = Vec::new();
                if !matches!(bytes, [b'\r' | b'\n', ..]) {
                    fields.resize(MAX_HEADER_FIELDS, httparse::EMPTY_HEADER);
                }
                match httparse::parse_headers(bytes, &mut fields) {
                    Ok(httparse::Status::Complete((length, _))) if length <= MAX_CHUNK_EXTRAS => {
                        self.state = State::Complete;
                        Ok(length)
                    }
                    Ok(httparse::Status::Partial) if bytes.len() <= MAX_CHUNK_EXTRAS => Ok(0),
                    Ok(_) | Err(httparse::Error::TooManyHeaders) => {
                        Err(Refusal::NotHttp("its trailers have no end"))
                    }
                    Err(_) => Err(Refusal::NotHttp("its trailers cannot be read")),
                }
            }
        }
    }

    /// Appends a part of the buffer to the body.
    fn take(&mut self, from: usize, length: usize) -> Result<(), Refusal> {
        if length > self.max_body_size - self.body.len() {
            return Err(Refusal::BodyTooLarge);
        }
        self.body.extend_from_slice(&self.buffer[from..][..length]);
        Ok(())
    }
}

/// Whether a header that is a list holds this word.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter();
    let mut words = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    words.any(|word| word.trim().eq_ignore_ascii_case(token))
}

/// Whether the last transfer coding is the one that says where the body ends.
fn is_chunked(headers: &HeaderMap) -> bool {
    let last = headers.get_all(TRANSFER_ENCODING).iter().next_back();
    last.and_then(|value| value.to_str().ok())
        .and_then(|value| value.rsplit(',').next())
        .is_some_and(|coding| coding.trim().eq_ignore_ascii_case("chunked"))
}

/// The length of the body. One that is repeated has to be the same each time.
fn content_length(headers: &HeaderMap) -> Result<Option<u64>, Refusal> {
    let unreadable = || Refusal::NotHttp("its length cannot be read");
    let mut length = None;
    for value in headers.get_all(CONTENT_LENGTH) {
        for digits in value.to_str().map_err(|_| unreadable())?.split(',') {
            let digits = digits.trim();
            // A number may have a sign elsewhere.
            if !digits.bytes().all(|b| b.is_ascii_digit()) {
                return Err(unreadable());
            }
            let number: u64 = digits.parse().map_err(|_| unreadable())?;
            if length.replace(number).is_some_and(|other| other != number) {
                return Err(unreadable());
            }
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests;
