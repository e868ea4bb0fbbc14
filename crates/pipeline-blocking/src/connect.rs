//! Making connections to the service: straight or through a proxy, with TLS or without, in time.

use std::{
    fmt,
    io::{self, Read as _},
    net::{SocketAddr, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use pipeline_proto::{
    Endpoint, Fault, FaultKind, Phase,
    proxy::{Handshake, Proxy, ProxyFailure, ProxyScheme},
};
use pipeline_transport::{ConfigError, Settings, TlsFailure};

use crate::{
    deadline::Deadline,
    resolve::{by_turns, look_up},
    stream::{Socket, Stream},
    tls::Tls,
};

/// How long looked-up addresses are used without asking again.
const FRESH: Duration = Duration::from_secs(60);

/// How much later than the one before it an address is tried: RFC 8305, section 5.
const HEAD_START: Duration = Duration::from_millis(250);

/// Looks a host up within a time.
pub(crate) type Resolve =
    Arc<dyn Fn(&str, u16, Duration) -> io::Result<Vec<SocketAddr>> + Send + Sync>;

/// Makes a connection to a host and port within a time.
pub(crate) type Dial = Arc<dyn Fn(&str, u16, Duration) -> io::Result<Socket> + Send + Sync>;

/// What a user does in place of this module.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    pub(crate) resolve: Option<Resolve>,
    pub(crate) dial: Option<Dial>,
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("resolve", &self.resolve.is_some())
            .field("dial", &self.dial.is_some())
            .finish()
    }
}

/// Makes connections to one endpoint.
#[derive(Debug)]
pub(crate) struct Connector {
    /// Without brackets.
    host: String,
    port: u16,
    uses_tls: bool,
    proxy: Option<Proxy>,
    tls: Tls,
    timeout: Duration,
    hooks: Hooks,
    known: Mutex<Option<Known>>,
}

/// The addresses of the host that is connected to, first the one that worked.
#[derive(Debug, Clone)]
struct Known {
    addresses: Vec<SocketAddr>,
    at: Instant,
}

/// Why there is no connection.
enum Failure {
    Io(Phase, io::Error),
    Tls(TlsFailure),
}

/// Adds the phase to an error.
fn during(phase: Phase) -> impl Fn(io::Error) -> Failure {
    move |error| Failure::Io(phase, error)
}

impl Connector {
    pub(crate) fn new(
        endpoint: &Endpoint,
        proxy: Option<Proxy>,
        settings: &Settings,
        hooks: Hooks,
    ) -> Result<Self, ConfigError> {
        let host = endpoint.host();
        let address = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        Ok(Self {
            host: address.unwrap_or(host).to_owned(),
            port: endpoint.port(),
            uses_tls: endpoint.is_https(),
            proxy,
            tls: Tls::new(settings)?,
            timeout: settings.connect_timeout,
            hooks,
            known: Mutex::new(None),
        })
    }

    /// A connection on which the service listens, or why there is none.
    pub(crate) fn connect(&self, attempt: Deadline) -> Result<Stream, Fault> {
        let deadline = Deadline::after(self.timeout).or(attempt);
        if deadline.left().is_none() {
            return Err(no_time());
        }
        let stream = match &self.proxy {
            Some(proxy) => self.tunnel(proxy, deadline)?,
            None => self
                .reach(&self.host, self.port, deadline)
                .map_err(Failure::fault)?,
        };
        if self.uses_tls {
            self.secure(stream, &self.host).map_err(Failure::fault)
        } else {
            Ok(stream)
        }
    }

    /// A connection to the service through the proxy.
    fn tunnel(&self, proxy: &Proxy, deadline: Deadline) -> Result<Stream, Fault> {
        let blame = |failure: Failure| failure.of_proxy(proxy);
        let target = if proxy.wants_address() {
            let found = self.look_up(&self.host, self.port, deadline);
            let found = found.map_err(|error| during(Phase::Resolve)(error).fault())?;
            // Proxies that speak IPv4 only are the more common ones.
            let first = found.iter().find(|address| address.is_ipv4());
            first.unwrap_or(&found[0]).ip().to_string()
        } else if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        let mut stream = self
            .reach(proxy.host(), proxy.port(), deadline)
            .map_err(blame)?;
        if proxy.scheme() == ProxyScheme::Https {
            stream = self.secure(stream, proxy.host()).map_err(blame)?;
        }
        let mut handshake =
            Handshake::new(proxy, &target, self.port).map_err(ProxyFailure::into_fault)?;
        let mut buffer = [0; 1024];
        loop {
            let output = handshake.output();
            let read = stream
                .send(&output)
                .and_then(|()| stream.read(&mut buffer))
                .map_err(|error| blame(during(Phase::Proxy)(error)))?;
            let open = handshake.input(&buffer[..read]);
            if open.map_err(ProxyFailure::into_fault)? {
                return Ok(stream);
            }
        }
    }

    fn secure(&self, stream: Stream, host: &str) -> Result<Stream, Failure> {
        self.tls
            .connect(host, stream)
            .map_err(|error| match error.kind() {
                io::ErrorKind::TimedOut => Failure::Io(Phase::Tls, error),
                _ => Failure::Tls(TlsFailure::new(host, &error)),
            })
    }

    /// A connection to the service, or to the proxy before it.
    fn reach(&self, host: &str, port: u16, deadline: Deadline) -> Result<Stream, Failure> {
        if let Some(dial) = &self.hooks.dial {
            let socket = deadline
                .left()
                .ok_or_else(|| io::ErrorKind::TimedOut.into())
                .and_then(|left| dial(host, port, left));
            return socket
                .and_then(|socket| Stream::new(socket, deadline))
                .map_err(during(Phase::Connect));
        }
        let known = self.known().clone();
        let mut known = match known.filter(|known| known.at.elapsed() < FRESH) {
            Some(known) => known,
            None => Known {
                addresses: self
                    .look_up(host, port, deadline)
                    .map_err(during(Phase::Resolve))?,
                at: Instant::now(),
            },
        };
        let connected = race(&known.addresses, deadline);
        if connected.is_err() {
            // They may have changed since.
            *self.known() = None;
        }
        let (socket, place) = connected.map_err(during(Phase::Connect))?;
        known.addresses[..=place].rotate_right(1);
        *self.known() = Some(known);
        Stream::new(socket.into(), deadline).map_err(during(Phase::Connect))
    }

    fn look_up(&self, host: &str, port: u16, deadline: Deadline) -> io::Result<Vec<SocketAddr>> {
        let Some(resolve) = &self.hooks.resolve else {
            return look_up(host, port, deadline);
        };
        let left = deadline.left().ok_or(io::ErrorKind::TimedOut)?;
        let found = resolve(host, port, left)?;
        if found.is_empty() {
            return Err(io::Error::other("the host has no address"));
        }
        Ok(by_turns(&found))
    }

    fn known(&self) -> MutexGuard<'_, Option<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// There was no time to begin with.
pub(crate) fn no_time() -> Fault {
    Fault::new(FaultKind::NotSent).timed_out(Phase::Connect)
}

impl Failure {
    /// Nothing of the request was sent.
    fn fault(self) -> Fault {
        let fault = Fault::new(FaultKind::NotSent);
        match self {
            Self::Io(phase, error) if error.kind() == io::ErrorKind::TimedOut => {
                fault.timed_out(phase)
            }
            Self::Io(_, error) => fault.with_source(error),
            Self::Tls(failure) => failure.into_fault(),
        }
    }

    /// The same on the way to a proxy.
    fn of_proxy(self, proxy: &Proxy) -> Fault {
        let failure = match &self {
            Self::Io(_, error) if error.kind() == io::ErrorKind::TimedOut => {
                let failure = proxy.failure("it does not answer in time");
                return self.fault().with_source(failure);
            }
            Self::Io(_, error) => proxy.failure(format_args!("it cannot be reached: {error}")),
            Self::Tls(failure) if failure.is_permanent() => proxy.failure(failure).permanent(),
            Self::Tls(failure) => proxy.failure(failure),
        };
        failure.into_fault()
    }
}

/// Tries addresses one after the other, each when the one before it has failed or had its head start,
/// and takes the first connection, with the place of its address: RFC 8305. Each has a thread, which
/// ends at the deadline at the latest.
fn race(addresses: &[SocketAddr], deadline: Deadline) -> io::Result<(TcpStream, usize)> {
    let connect = move |address| {
        let left = deadline.left().ok_or(io::ErrorKind::TimedOut)?;
        TcpStream::connect_timeout(&address, left)
    };
    if let [only] = *addresses {
        return connect(only).map(|socket| (socket, 0));
    }
    let (sender, receiver) = mpsc::channel();
    let mut waiting = addresses.iter().copied().enumerate().peekable();
    let mut running = 0;
    let mut failure = io::Error::other("the host has no address");
    loop {
        if let Some((place, address)) = waiting.next() {
            let sender = sender.clone();
            thread::Builder::new()
                .name("pipeline-connect".to_owned())
                // Nobody listens any more if another was faster.
                .spawn(move || drop(sender.send((place, connect(address)))))?;
            running += 1;
        } else if running == 0 {
            return Err(failure);
        }
        let mut left = deadline.left().ok_or(io::ErrorKind::TimedOut)?;
        if waiting.peek().is_some() {
            left = left.min(HEAD_START);
        }
        match receiver.recv_timeout(left) {
            Ok((place, Ok(socket))) => return Ok((socket, place)),
            Ok((_, Err(error))) => {
                running -= 1;
                failure = error;
            }
            // It is the turn of the next one, or the deadline has come.
            Err(_) => {}
        }
    }
}
