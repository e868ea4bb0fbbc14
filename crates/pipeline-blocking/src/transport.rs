//! One request and its response, and what went wrong if there is none.

use std::{
    io::{self, Read as _, Write as _},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{CONTENT_LENGTH, HOST},
};
use pipeline_proto::{Endpoint, Fault, FaultKind, Phase};
use pipeline_transport::{ConfigError, Settings};

use crate::{
    connect::{Connector, Hooks, no_time},
    deadline::Deadline,
    idle::{Connection, Idle},
    response::{Incoming, Refusal},
    stream::{Socket, Stream},
    turns::Turns,
};

/// How much is given to a connection at a time, before a look at what the server says to it.
const PIECE: usize = 64 << 10;

/// Bodies up to this size go with the header.
const SMALL_BODY: usize = 16 << 10;

/// Sends requests to one endpoint over sockets, and keeps connections for the next ones. Cheap to clone.
///
/// It knows nothing of the protocol: whoever drives a [`Call`](pipeline_proto::Call) can use it in place of a
/// [`Client`](crate::Client).
///
/// ```no_run
/// use pipeline_blocking::{Transport, proto::{Call, CallOptions, Context, Error, Next, Now, Operation}};
///
/// fn send<O: Operation>(
///     context: &Context,
///     transport: &Transport,
///     operation: O,
///     now: impl Fn() -> Now,
/// ) -> Result<O::Output, Error> {
///     let mut attempt = Call::new(context, operation, CallOptions::new())?.start(now());
///     loop {
///         let (request, in_flight) = attempt.send();
///         let next = match transport.exchange(&request, in_flight.timeout()) {
///             Ok(response) => in_flight.on_response(response, now()),
///             Err(fault) => in_flight.on_fault(fault, now()),
///         };
///         match next {
///             Next::Done(result) => return result,
///             Next::Retry(backoff) => {
///                 std::thread::sleep(backoff.delay());
///                 attempt = backoff.resume(now())?;
///             }
///         }
///     }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Transport(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    connector: Connector,
    idle: Idle,
    turns: Turns,
    endpoint: Endpoint,
    /// The `Host` header.
    host: HeaderValue,
    max_response_size: usize,
}

impl Transport {
    /// Starts with the defaults of [`TransportBuilder`].
    pub fn builder(endpoint: Endpoint) -> TransportBuilder {
        TransportBuilder::new(endpoint)
    }

    /// Sends the request and takes the whole response in, within the time-out. The request is one of this
    /// transport's endpoint; a path alone will do.
    ///
    /// # Errors
    ///
    /// What went wrong, and how far the request had got.
    pub fn exchange(
        &self,
        request: &Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, Fault> {
        let deadline = Deadline::after(timeout);
        if deadline.left().is_none() {
            return Err(no_time());
        }
        pipeline_transport::check_target(&self.0.endpoint, request.uri())?;
        let _turn = self.0.turns.take(deadline).ok_or_else(no_time)?;
        let header = header(request, &self.0.host);
        while let Some(connection) = self.0.idle.take() {
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
            stream: self.0.connector.connect(deadline)?,
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
            incoming: Incoming::new(request.method(), self.0.max_response_size, buffer),
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
            self.0.idle.put(Connection { stream, buffer });
        }
        Ok(response)
    }
}

/// Makes a [`Transport`].
///
/// ```
/// # #[cfg(unix)] {
/// use pipeline_blocking::Transport;
/// use std::{os::unix::net::UnixStream, time::Duration};
///
/// // By a socket of the machine, whatever the endpoint's host is.
/// let transport = Transport::builder("http://pipeline.internal".parse()?)
///     .connector(|_host, _port, _timeout| Ok(UnixStream::connect("/run/pipeline.sock")?.into()))
///     .max_connections(16)
///     .idle_timeout(Duration::from_secs(10))
///     .build()?;
/// # let _ = transport;
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct TransportBuilder {
    pub(crate) endpoint: Endpoint,
    pub(crate) max_response_size: usize,
    pub(crate) settings: Settings,
    pub(crate) hooks: Hooks,
}

impl TransportBuilder {
    fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            max_response_size: pipeline_proto::Context::builder()
                .build()
                .max_response_size(),
            settings: Settings::default(),
            hooks: Hooks::default(),
        }
    }

    pipeline_transport::transport_setters!(settings);

    /// The largest response that is taken in, in bytes. Default: 8 MiB.
    #[must_use]
    pub fn max_response_size(mut self, bytes: usize) -> Self {
        self.max_response_size = bytes;
        self
    }

    /// Looks hosts up by this function of host, port and the time that is left, in place of the system's
    /// resolver.
    #[must_use]
    pub fn resolver(
        mut self,
        resolve: impl Fn(&str, u16, Duration) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.resolve = Some(Arc::new(resolve));
        self
    }

    /// Makes the connections below TLS by this function of host, port and the time that is left: from a
    /// local address, through a socket of the machine. The host is that of the endpoint, or of the proxy.
    #[must_use]
    pub fn connector(
        mut self,
        connect: impl Fn(&str, u16, Duration) -> io::Result<Socket> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.dial = Some(Arc::new(connect));
        self
    }

    /// Makes the transport. Nothing is sent.
    ///
    /// # Errors
    ///
    /// If a certificate cannot be read, a proxy that is named cannot be used, or TLS is wanted and not built
    /// in.
    pub fn build(self) -> Result<Transport, ConfigError> {
        let Self {
            endpoint,
            max_response_size,
            settings,
            hooks,
        } = self;
        let proxy = settings.route(&endpoint)?.proxy().cloned();
        Ok(Transport(Arc::new(Inner {
            connector: Connector::new(&endpoint, proxy, &settings, hooks)?,
            idle: Idle::new(settings.idle_timeout),
            turns: Turns::new(settings.max_connections),
            host: pipeline_transport::host_header(&endpoint)?,
            endpoint,
            max_response_size,
        })))
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
            Self::Io(error) => or_not_sent(FaultKind::Interrupted).with_source(error),
            Self::Refused(Refusal::BodyTooLarge) => Fault::new(FaultKind::BodyTooLarge),
            Self::Refused(refusal @ Refusal::HeaderTooLarge) => {
                Fault::new(FaultKind::BodyTooLarge).with_source(refusal)
            }
            Self::Refused(refusal) => or_not_sent(FaultKind::Interrupted).with_source(refusal),
        }
    }
}

/// The request line and the header, up to the body.
fn header(request: &Request<Bytes>, host: &HeaderValue) -> Vec<u8> {
    let uri = request.uri();
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let method = request.method().as_str();
    let mut header = Vec::with_capacity(512);
    let mut push = |parts: &[&[u8]]| parts.iter().for_each(|part| header.extend_from_slice(part));
    push(&[method.as_bytes(), b" ", target.as_bytes(), b" HTTP/1.1\r\n"]);
    if !request.headers().contains_key(HOST) {
        push(&[b"host: ", host.as_bytes(), b"\r\n"]);
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
