//! Making connections: straight or through a proxy, with TLS or without, within a time. Whatever goes
//! wrong here, nothing of a request was sent.

use std::{
    fmt,
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use pipeline_proto::{
    Endpoint, Fault, FaultKind, Phase,
    proxy::{Handshake, Proxy, ProxyScheme, Route},
};
use pipeline_transport::{ConfigError, Settings, TlsFailure};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
    time::{Instant, timeout, timeout_at},
};

use crate::tls::Tls;

/// How long an address may take before the next one is tried beside it (RFC 8305).
const HEAD_START: Duration = Duration::from_millis(250);

/// What bytes go through, whatever it is made of.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Makes a connection to a host and port.
pub(crate) type Dial = Arc<dyn Fn(String, u16) -> Pending<Box<dyn Stream>> + Send + Sync>;

/// Looks a host up.
pub(crate) type Resolve = Arc<dyn Fn(String, u16) -> Pending<Vec<SocketAddr>> + Send + Sync>;

type Pending<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

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

/// Everything that makes a connection to the endpoint.
pub(crate) struct Connector {
    /// With brackets, if it is an IPv6 address.
    host: String,
    port: u16,
    uses_tls: bool,
    proxy: Option<Proxy>,
    tls: Tls,
    offers_http2: bool,
    timeout: Duration,
    hooks: Hooks,
    /// The address that was connected to last.
    last: Mutex<Option<SocketAddr>>,
}

impl Connector {
    pub(crate) fn new(
        endpoint: &Endpoint,
        route: Route,
        settings: &Settings,
        hooks: Hooks,
        offers_http2: bool,
    ) -> Result<Self, ConfigError> {
        let tls = Tls::new(settings)?;
        if endpoint.is_https() {
            Tls::check(endpoint.host())?;
        }
        Ok(Self {
            host: endpoint.host().to_owned(),
            port: endpoint.port(),
            uses_tls: endpoint.is_https(),
            proxy: match route {
                Route::Proxy(proxy) => Some(proxy),
                Route::Direct(_) => None,
            },
            tls,
            offers_http2,
            timeout: settings.connect_timeout,
            hooks,
            last: Mutex::default(),
        })
    }

    /// Whether a server may choose HTTP/2.
    #[cfg(feature = "http2")]
    pub(crate) fn offers_http2(&self) -> bool {
        self.offers_http2
    }

    /// A connection to the endpoint, by this moment and within the time for connecting; and whether it
    /// speaks HTTP/2.
    pub(crate) async fn connect(&self, by: Instant) -> Result<(Box<dyn Stream>, bool), Fault> {
        if self.timeout.is_zero() {
            return Err(timed_out(Phase::Connect));
        }
        let by = by.min(after(self.timeout));
        let stream = match &self.proxy {
            None => {
                let reached = self.reach(&self.host, self.port, by).await;
                reached.map_err(Missed::fault)?
            }
            Some(proxy) => self.tunnel(proxy, by).await?,
        };
        if self.uses_tls {
            let offer = self.offers_http2;
            let encrypted = self.encrypt(stream, &self.host, offer, by).await;
            encrypted.map_err(Missed::fault)
        } else {
            Ok((stream, false))
        }
    }

    async fn tunnel(&self, proxy: &Proxy, by: Instant) -> Result<Box<dyn Stream>, Fault> {
        let target = if proxy.wants_address() {
            let found = self.look_up(&self.host, self.port, by).await;
            let found = found.map_err(Missed::fault)?;
            // Proxies that speak IPv4 only are the more common ones.
            let first = found
                .iter()
                .find(|address| address.is_ipv4())
                .or(found.first());
            first.map_or_else(|| self.host.clone(), |address| address.ip().to_string())
        } else {
            self.host.clone()
        };
        let blame = |missed: Missed| missed.of_proxy(proxy);
        let plain = self.reach(proxy.host(), proxy.port(), by).await;
        let mut stream = plain.map_err(blame)?;
        if proxy.scheme() == ProxyScheme::Https {
            let encrypted = self.encrypt(stream, proxy.host(), false, by).await;
            (stream, _) = encrypted.map_err(blame)?;
        }
        let mut handshake = Handshake::new(proxy, &target, self.port)
            .map_err(pipeline_proto::proxy::ProxyFailure::into_fault)?;
        let mut buffer = [0; 1024];
        loop {
            let output = handshake.output();
            let exchange = async {
                stream.write_all(&output).await?;
                stream.flush().await?;
                stream.read(&mut buffer).await
            };
            let read = within(by, Phase::Proxy, exchange).await.map_err(blame)?;
            let open = handshake.input(&buffer[..read]);
            if open.map_err(pipeline_proto::proxy::ProxyFailure::into_fault)? {
                return Ok(stream);
            }
        }
    }

    /// A connection to the endpoint, or to the proxy before it.
    async fn reach(&self, host: &str, port: u16, by: Instant) -> Result<Box<dyn Stream>, Missed> {
        if let Some(dial) = &self.hooks.dial {
            return within(by, Phase::Connect, dial(without_brackets(host), port)).await;
        }
        let mut addresses = self.look_up(host, port, by).await?;
        // One that worked before is tried first, so that a dead one costs its head start only once.
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = addresses.iter().position(|&address| Some(address) == last) {
            addresses[..=place].rotate_right(1);
        }
        let stream = within(by, Phase::Connect, race(&addresses)).await?;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = stream.peer_addr().ok();
        // Worth nothing to a connection that is broken already.
        let _ = stream.set_nodelay(true);
        Ok(Box::new(stream))
    }

    async fn look_up(&self, host: &str, port: u16, by: Instant) -> Result<Vec<SocketAddr>, Missed> {
        let host = without_brackets(host);
        if let Ok(address) = host.parse() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        if let Some(resolve) = &self.hooks.resolve {
            return within(by, Phase::Resolve, resolve(host, port)).await;
        }
        let looking = tokio::net::lookup_host((host, port));
        Ok(within(by, Phase::Resolve, looking).await?.collect())
    }

    async fn encrypt(
        &self,
        stream: Box<dyn Stream>,
        host: &str,
        offers_http2: bool,
        by: Instant,
    ) -> Result<(Box<dyn Stream>, bool), Missed> {
        let connecting = self
            .tls
            .connect(without_brackets(host), stream, offers_http2);
        match within(by, Phase::Tls, connecting).await {
            Err(Missed::Io(error)) => Err(Missed::Tls(TlsFailure::new(host, &error))),
            result => result,
        }
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("proxy", &self.proxy)
            .finish_non_exhaustive()
    }
}

/// The moment that a time-out from now ends at; in a far future for those that know no end.
pub(crate) fn after(timeout: Duration) -> Instant {
    const YEARS: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);
    Instant::now() + timeout.min(YEARS)
}

/// Why there is no connection.
enum Missed {
    Time(Phase),
    Io(io::Error),
    Tls(TlsFailure),
}

impl Missed {
    fn fault(self) -> Fault {
        match self {
            Self::Time(phase) => timed_out(phase),
            Self::Io(error) => Fault::new(FaultKind::NotSent).with_source(error),
            Self::Tls(failure) => failure.into_fault(),
        }
    }

    /// The same on the way to a proxy.
    fn of_proxy(self, proxy: &Proxy) -> Fault {
        match self {
            Self::Time(phase) => {
                timed_out(phase).with_source(proxy.failure("it does not answer in time"))
            }
            Self::Io(error) => proxy
                .failure(format_args!("it cannot be reached: {error}"))
                .into_fault(),
            Self::Tls(failure) if failure.is_permanent() => {
                proxy.failure(failure).permanent().into_fault()
            }
            Self::Tls(failure) => proxy.failure(failure).into_fault(),
        }
    }
}

pub(crate) fn timed_out(phase: Phase) -> Fault {
    Fault::new(FaultKind::NotSent).timed_out(phase)
}

async fn within<T>(
    by: Instant,
    phase: Phase,
    step: impl Future<Output = io::Result<T>>,
) -> Result<T, Missed> {
    // The runtime's timer knows milliseconds only, and a step may be done at once.
    if Instant::now() >= by {
        return Err(Missed::Time(phase));
    }
    match timeout_at(by, step).await {
        Ok(result) => result.map_err(Missed::Io),
        Err(_) => Err(Missed::Time(phase)),
    }
}

fn without_brackets(host: &str) -> String {
    host.trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned()
}

/// The first connection to any of the addresses. They begin one after the other, the families in turn,
/// and go on side by side, so that a dead one costs little.
async fn race(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let first = addresses.first().map(SocketAddr::is_ipv4);
    let (same, other): (Vec<_>, Vec<_>) = addresses
        .iter()
        .copied()
        .partition(|address| Some(address.is_ipv4()) == first);
    let mut other = other.into_iter();
    let mut waiting = same
        .into_iter()
        .flat_map(|address| [Some(address), other.next()])
        .flatten()
        .collect::<Vec<_>>()
        .into_iter();
    let mut attempts = JoinSet::new();
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    loop {
        let next = waiting.next();
        if let Some(address) = next {
            attempts.spawn(TcpStream::connect(address));
        }
        let ended = if next.is_some() {
            // The last one has no successor to wait for, and waits for its end in the next turn.
            timeout(HEAD_START, attempts.join_next()).await
        } else {
            Ok(attempts.join_next().await)
        };
        match ended {
            Ok(Some(Ok(Ok(stream)))) => return Ok(stream),
            Ok(Some(Ok(Err(error)))) => failure = error,
            Ok(None) if next.is_none() => return Err(failure),
            // It is the time of the next one.
            Ok(None | Some(Err(_))) | Err(_) => {}
        }
    }
}
