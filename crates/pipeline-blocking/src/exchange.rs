//! One request and its response, and what went wrong if there is none.

use std::{
    io::{self, Read as _, Write as _},
    time::Duration,
};

use bytes::Bytes;
use http::{
    Request, Response, StatusCode,
    header::{CONTENT_LENGTH, HOST},
};
use pipeline_proto::{Fault, FaultKind, Phase};

use crate::{
    connect::{Connector, no_time},
    deadline::Deadline,
    idle::{Connection, Idle},
    response::{Incoming, Refusal},
    stream::Stream,
};

/// How much is given to a connection at a time, before a look at what the server says to it.
const PIECE: usize = 64 << 10;

/// Bodies up to this size go with the header.
const SMALL_BODY: usize = 16 << 10;

#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) connector: Connector,
    pub(crate) idle: Idle,
    pub(crate) max_response_size: usize,
}

impl Exchange {
    /// Sends the request and takes the whole response in, within the time-out.
    pub(crate) fn run(
        &self,
        request: &Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, Fault> {
        let deadline = Deadline::after(timeout);
        if deadline.left().is_none() {
            return Err(no_time());
        }
        let header = header(request);
        while let Some(connection) = self.idle.take() {
            let result = self.converse(connection, deadline, &header, request);
            match &result {
                // The server has given the connection up before it read the request: nothing of it
                // left, or the response says so (RFC 9110, section 15.5.9).
                Err(fault) if fault.kind() == FaultKind::NotSent && fault.phase().is_none() => {}
                Ok(response) if response.status() == StatusCode::REQUEST_TIMEOUT => {}
                _ => return result,
            }
        }
        let connection = Connection {
            stream: self.connector.connect(deadline)?,
            buffer: Vec::new(),
        };
        self.converse(connection, deadline, &header, request)
    }

    fn converse(
        &self,
        connection: Connection,
        deadline: Deadline,
        header: &[u8],
        request: &Request<Bytes>,
    ) -> Result<Response<Bytes>, Fault> {
        let Connection { mut stream, buffer } = connection;
        stream.set_deadline(deadline);
        let before = stream.written();
        let mut conversation = Conversation {
            stream,
            incoming: Incoming::new(request.method(), self.max_response_size, buffer),
            sending: true,
        };
        let body = request.body();
        let said = if body.len() <= SMALL_BODY {
            conversation.hold([&[header, body].concat(), &[]])
        } else {
            conversation.hold([header, body])
        };
        let Conversation {
            mut stream,
            incoming,
            sending,
        } = conversation;
        if let Err(trouble) = said {
            return Err(trouble.into_fault(stream.written() > before, &incoming, sending));
        }
        let keeps_open = incoming.keeps_open() && !sending;
        let (response, buffer) = incoming.finish();
        if keeps_open {
            self.idle.put(Connection { stream, buffer });
        }
        Ok(response)
    }
}

/// A request and its response under way.
struct Conversation {
    stream: Stream,
    incoming: Incoming,
    /// Whether the request is not sent to its end.
    sending: bool,
}

impl Conversation {
    fn hold(&mut self, request: [&[u8]; 2]) -> Result<(), Trouble> {
        self.send(request)?;
        while !self.incoming.is_complete() {
            let read = self.stream.read(self.incoming.space());
            self.take(read)?;
        }
        Ok(())
    }

    /// Sends the request, unless the response is complete before: a server need not read what it
    /// refuses.
    fn send(&mut self, request: [&[u8]; 2]) -> Result<(), Trouble> {
        for mut rest in request {
            while !rest.is_empty() {
                match self.stream.write(&rest[..rest.len().min(PIECE)]) {
                    Ok(written) => rest = &rest[written..],
                    Err(error) => self.bear(error)?,
                }
                if !rest.is_empty() {
                    self.listen()?;
                }
                if self.incoming.is_complete() {
                    return Ok(());
                }
            }
        }
        while let Err(error) = self.stream.flush() {
            self.bear(error)?;
            self.listen()?;
            if self.incoming.is_complete() {
                return Ok(());
            }
        }
        self.sending = false;
        Ok(())
    }

    /// A server that has responded and gone breaks the connection of whoever still sends. What it said
    /// before counts.
    fn bear(&mut self, error: io::Error) -> Result<(), Trouble> {
        if error.kind() == io::ErrorKind::WouldBlock {
            return Ok(());
        }
        // That reading fails as well says nothing new.
        let _ = self.listen();
        if self.incoming.is_complete() {
            Ok(())
        } else {
            Err(Trouble::Io(error))
        }
    }

    /// Takes what the server has said so far.
    fn listen(&mut self) -> Result<(), Trouble> {
        while !self.incoming.is_complete() {
            match self.stream.read_now(self.incoming.space()).transpose() {
                None => break,
                Some(read) => self.take(read)?,
            }
        }
        Ok(())
    }

    fn take(&mut self, read: io::Result<usize>) -> Result<(), Trouble> {
        match read {
            Ok(0) => self.incoming.close()?,
            Ok(read) => self.incoming.advance(read)?,
            // So ends what a server says that closes before it has read everything.
            Err(error)
                if error.kind() == io::ErrorKind::ConnectionReset
                    && self.incoming.ends_with_connection() =>
            {
                self.incoming.close()?;
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

/// Why there is no response.
enum Trouble {
    Io(io::Error),
    Refused(Refusal),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Trouble {
    /// `left` says whether a byte of the request did.
    fn into_fault(self, left: bool, incoming: &Incoming, sending: bool) -> Fault {
        let or_not_sent = |kind| Fault::new(if left { kind } else { FaultKind::NotSent });
        match self {
            Self::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
                or_not_sent(FaultKind::TimedOut).timed_out(if incoming.has_header() {
                    Phase::Body
                } else if sending {
                    Phase::Send
                } else {
                    Phase::Response
                })
            }
            Self::Io(error) => or_not_sent(FaultKind::Interrupted).source(error),
            Self::Refused(Refusal::BodyTooLarge) => Fault::new(FaultKind::BodyTooLarge),
            Self::Refused(refusal @ Refusal::HeaderTooLarge) => {
                Fault::new(FaultKind::BodyTooLarge).source(refusal)
            }
            Self::Refused(refusal) => or_not_sent(FaultKind::Interrupted).source(refusal),
        }
    }
}

/// The request line and the header, up to the body.
fn header(request: &Request<Bytes>) -> Vec<u8> {
    let uri = request.uri();
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let method = request.method().as_str();
    let mut header = Vec::with_capacity(512);
    let mut push = |parts: &[&[u8]]| parts.iter().for_each(|part| header.extend_from_slice(part));
    push(&[method.as_bytes(), b" ", target.as_bytes(), b" HTTP/1.1\r\n"]);
    if !request.headers().contains_key(HOST) {
        let host = uri.host().unwrap_or_default();
        let usual = if uri.scheme_str() == Some("https") {
            443
        } else {
            80
        };
        match uri.port() {
            Some(port) if port.as_u16() != usual => {
                push(&[
                    b"host: ",
                    host.as_bytes(),
                    b":",
                    port.as_str().as_bytes(),
                    b"\r\n",
                ]);
            }
            _ => push(&[b"host: ", host.as_bytes(), b"\r\n"]),
        }
    }
    for (name, value) in request.headers() {
        push(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"]);
    }
    let length = request.body().len();
    if length > 0 && !request.headers().contains_key(CONTENT_LENGTH) {
        push(&[b"content-length: ", length.to_string().as_bytes(), b"\r\n"]);
    }
    push(&[b"\r\n"]);
    header
}
