//! Making connections to the service: straight or through a proxy, with TLS or without, in time.

use std::{
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
use pipeline_tls::TlsFailure;
use rustls::{ClientConfig, pki_types::ServerName};

use crate::{deadline::Deadline, resolve::look_up, stream::Stream};

/// How long looked-up addresses are used without asking again.
const FRESH: Duration = Duration::from_secs(60);

/// How much later than the one before it an address is tried: RFC 8305, section 5.
const HEAD_START: Duration = Duration::from_millis(250);

/// Makes connections to one endpoint.
#[derive(Debug)]
pub(crate) struct Connector {
    /// Without brackets.
    host: String,
    port: u16,
    uses_tls: bool,
    proxy: Option<Proxy>,
    tls: Arc<ClientConfig>,
    timeout: Duration,
    known: Mutex<Option<Known>>,
}

/// The addresses of the host that is connected to, first the one that worked.
#[derive(Debug, Clone)]
struct Known {
    addresses: Vec<SocketAddr>,
    at: Instant,
}

/// What went wrong, and in which phase.
type Failure = (Phase, io::Error);

/// Adds the phase to an error.
fn during(phase: Phase) -> impl Fn(io::Error) -> Failure {
    move |error| (phase, error)
}

impl Connector {
    pub(crate) fn new(
        endpoint: &Endpoint,
        proxy: Option<Proxy>,
        tls: Arc<ClientConfig>,
        timeout: Duration,
    ) -> Self {
        let host = endpoint.host();
        let address = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        Self {
            host: address.unwrap_or(host).to_owned(),
            port: endpoint.port(),
            uses_tls: endpoint.is_https(),
            proxy,
            tls,
            timeout,
            known: Mutex::new(None),
        }
    }

    /// A connection on which the service listens, or why there is none.
    pub(crate) fn connect(&self, attempt: Deadline) -> Result<Stream, Fault> {
        let deadline = Deadline::after(self.timeout).or(attempt);
        let stream = match &self.proxy {
            Some(proxy) => self.tunnel(proxy, deadline)?,
            None => self.reach(&self.host, self.port, deadline).map_err(fault)?,
        };
        if self.uses_tls {
            self.secure(stream, &self.host).map_err(fault)
        } else {
            Ok(stream)
        }
    }

    /// A connection to the service through the proxy.
    fn tunnel(&self, proxy: &Proxy, deadline: Deadline) -> Result<Stream, Fault> {
        let of_proxy = |failure| fault_of(proxy, failure);
        let mut stream = self
            .reach(proxy.host(), proxy.port(), deadline)
            .map_err(of_proxy)?;
        if proxy.scheme() == ProxyScheme::Https {
            stream = self.secure(stream, proxy.host()).map_err(of_proxy)?;
        }
        let handshake = if proxy.wants_address() {
            let addresses = look_up(&self.host, self.port, deadline)
                .map_err(|error| fault((Phase::Resolve, error)))?;
            Handshake::new(proxy, &addresses[0].ip().to_string(), self.port)
        } else if self.host.contains(':') {
            Handshake::new(proxy, &format!("[{}]", self.host), self.port)
        } else {
            Handshake::new(proxy, &self.host, self.port)
        };
        let mut handshake = handshake.map_err(ProxyFailure::into_fault)?;
        let mut buffer = [0; 1024];
        loop {
            let output = handshake.output();
            let read = stream
                .send(&output)
                .and_then(|()| stream.read(&mut buffer))
                .map_err(|error| of_proxy((Phase::Proxy, error)))?;
            match handshake.input(&buffer[..read]) {
                Ok(false) => {}
                Ok(true) => return Ok(stream),
                Err(failure) => return Err(failure.into_fault()),
            }
        }
    }

    fn secure(&self, stream: Stream, host: &str) -> Result<Stream, Failure> {
        ServerName::try_from(host.to_owned())
            .map_err(io::Error::other)
            .and_then(|server| stream.with_tls(Arc::clone(&self.tls), server))
            .map_err(|error| match error.kind() {
                io::ErrorKind::TimedOut => error,
                _ => io::Error::other(TlsFailure::new(host, &error)),
            })
            .map_err(during(Phase::Tls))
    }

    /// A connection to the service, or to the proxy before it.
    fn reach(&self, host: &str, port: u16, deadline: Deadline) -> Result<Stream, Failure> {
        let known = self.known().take();
        let mut known = match known.filter(|known| known.at.elapsed() < FRESH) {
            Some(known) => known,
            None => Known {
                addresses: look_up(host, port, deadline).map_err(during(Phase::Resolve))?,
                at: Instant::now(),
            },
        };
        let (socket, place) = race(&known.addresses, deadline).map_err(during(Phase::Connect))?;
        known.addresses[..=place].rotate_right(1);
        *self.known() = Some(known);
        Stream::new(socket, deadline).map_err(during(Phase::Connect))
    }

    fn known(&self) -> MutexGuard<'_, Option<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nothing of the request was sent.
fn fault((phase, error): Failure) -> Fault {
    let fault = Fault::new(FaultKind::NotSent);
    if error.kind() == io::ErrorKind::TimedOut {
        return fault.timed_out(phase);
    }
    match error.downcast::<TlsFailure>() {
        Ok(failure) => failure.into_fault(),
        Err(error) => fault.source(error),
    }
}

/// The same, naming the proxy.
fn fault_of(proxy: &Proxy, (phase, error): Failure) -> Fault {
    if error.kind() == io::ErrorKind::TimedOut {
        let fault = proxy.failure("it does not answer in time").into_fault();
        return fault.timed_out(phase);
    }
    let failure = match error.downcast::<TlsFailure>() {
        Ok(failure) if failure.is_permanent() => proxy.failure(failure).permanent(),
        Ok(failure) => proxy.failure(failure),
        Err(error) => proxy.failure(format_args!("it cannot be reached: {error}")),
    };
    failure.into_fault()
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
