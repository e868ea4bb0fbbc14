//! One request and its response over hyper, and what each of hyper's errors says about the request.

use std::{
    error::Error as StdError, future::Future, io, net::SocketAddr, sync::Arc, time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode, Uri,
    header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING},
};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use pipeline_proto::{Endpoint, Fault, FaultKind, Phase};
use pipeline_transport::{ConfigError, Settings};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Semaphore,
    time::{Instant, timeout_at},
};

use crate::{
    connector::{Connector, Dial, Hooks, after, timed_out},
    pool::{Connection, Left, MAX_HEADER_FIELDS, MAX_HEADER_SIZE, Pool},
};

/// Sends requests to one endpoint over hyper, and keeps connections for the next ones. Cheap to clone.
///
/// It knows nothing of the protocol: whoever drives a [`Call`](pipeline_proto::Call) can use it in place of a
/// [`Client`](crate::Client).
///
/// ```no_run
/// use pipeline_hyper::{Transport, proto::{Call, CallOptions, Context, Error, Next, Now, Operation}};
/// use std::time::{Duration, SystemTime};
///
/// async fn send<O: Operation>(
///     context: &Context,
///     transport: &Transport,
///     operation: O,
///     now: impl Fn() -> Now,
/// ) -> Result<O::Output, Error> {
///     let mut attempt = Call::new(context, operation, CallOptions::new())?.start(now());
///     loop {
///         let (request, in_flight) = attempt.send();
///         let next = match transport.exchange(request, in_flight.timeout()).await {
///             Ok(response) => in_flight.on_response(response, now()),
///             Err(fault) => in_flight.on_fault(fault, now()),
///         };
///         match next {
///             Next::Done(result) => return result,
///             Next::Retry(backoff) => {
///                 tokio::time::sleep(backoff.delay()).await;
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
    pool: Pool,
    endpoint: Endpoint,
    /// The host of the endpoint, with its port if that is not the one of the scheme.
    host: HeaderValue,
    max_response_size: usize,
    /// For as many exchanges as there may be connections.
    turns: Semaphore,
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
    pub async fn exchange(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, Fault> {
        let Inner {
            pool,
            endpoint,
            max_response_size,
            turns,
            ..
        } = &*self.0;
        if timeout.is_zero() {
            return Err(timed_out(Phase::Connect));
        }
        pipeline_transport::check_target(endpoint, request.uri())?;
        let by = after(timeout);
        let _turn = match turns.try_acquire() {
            Ok(turn) => turn,
            Err(_) => match timeout_at(by, turns.acquire()).await {
                Ok(Ok(turn)) => turn,
                _ => return Err(timed_out(Phase::Connect)),
            },
        };
        let (response, connection) = self.head(self.finish(request), by).await?;
        let (parts, body) = response.into_parts();
        // hyper looks at its size only where it has to read more of it.
        if size(&parts.headers) > MAX_HEADER_SIZE || parts.headers.len() > MAX_HEADER_FIELDS {
            return Err(header_too_large());
        }
        let Ok(body) = timeout_at(by, take_in(body, *max_response_size)).await else {
            pool.give_up(&connection, None);
            return Err(Fault::new(FaultKind::TimedOut).timed_out(Phase::Body));
        };
        let body = body?;
        // Where a response says both, somebody on the way could see another end of it than this side does.
        let has = |name| parts.headers.contains_key(name);
        if !(has(TRANSFER_ENCODING) && has(CONTENT_LENGTH)) {
            pool.put(connection);
        }
        Ok(Response::from_parts(parts, body))
    }

    /// What stands in front of the headers on a connection to a server: the path alone, and the host.
    fn finish(&self, request: Request<Bytes>) -> Request<Full<Bytes>> {
        let (mut parts, body) = request.into_parts();
        let target = std::mem::take(&mut parts.uri).into_parts().path_and_query;
        parts.uri = target.map(Uri::from).unwrap_or_default();
        parts.headers.insert(HOST, self.0.host.clone());
        Request::from_parts(parts, Full::new(body))
    }

    /// The head of the response. On a connection that waited, the server may have given it up when the
    /// request came; then it goes out on another, if none of it left or the response says that it was not
    /// taken (RFC 9110, section 15.5.9).
    async fn head(
        &self,
        mut request: Request<Full<Bytes>>,
        by: Instant,
    ) -> Result<(Response<Incoming>, Connection), Fault> {
        let pool = &self.0.pool;
        loop {
            let (mut connection, used) = pool.take(by).await?;
            let spare = used.then(|| request.clone());
            let result = timeout_at(by, connection.send(request)).await;
            let left = connection.left(result.as_ref().map_or(None, |sent| sent.as_ref().err()));
            request = match (result, spare) {
                (Ok(Ok(response)), Some(spare))
                    if response.status() == StatusCode::REQUEST_TIMEOUT
                        && !connection.is_shared() =>
                {
                    spare
                }
                (Ok(Ok(response)), _) => return Ok((response, connection)),
                (Ok(Err(error)), Some(spare))
                    if left == Left::Nothing && pool.give_up(&connection, Some(&error)) =>
                {
                    spare
                }
                (Ok(Err(error)), _) if left == Left::Nothing => {
                    return Err(Fault::new(FaultKind::NotSent).with_source(innermost(&error)));
                }
                (Ok(Err(error)), _) => {
                    pool.give_up(&connection, Some(&error));
                    return Err(interrupted(
                        &error,
                        if connection.has_heard() {
                            "within the response header"
                        } else {
                            "without a response"
                        },
                    ));
                }
                (Err(_), _) => {
                    pool.give_up(&connection, None);
                    return Err(match left {
                        Left::Nothing => timed_out(Phase::Send),
                        Left::Partly => Fault::new(FaultKind::TimedOut).timed_out(Phase::Send),
                        Left::Wholly => Fault::new(FaultKind::TimedOut).timed_out(Phase::Response),
                    });
                }
            };
        }
    }
}

/// Makes a [`Transport`].
///
/// ```
/// use pipeline_hyper::Transport;
/// use std::time::Duration;
///
/// // By a socket of the machine, whatever the endpoint's host is.
/// let transport = Transport::builder("http://pipeline.internal".parse()?)
///     .connector(|_host, _port| tokio::net::UnixStream::connect("/run/pipeline.sock"))
///     .max_connections(16)
///     .idle_timeout(Duration::from_secs(10))
///     .build()?;
/// # let _ = transport;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct TransportBuilder {
    pub(crate) endpoint: Endpoint,
    pub(crate) max_response_size: usize,
    pub(crate) settings: Settings,
    pub(crate) hooks: Hooks,
    #[cfg(feature = "http2")]
    pub(crate) http1_only: bool,
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
            #[cfg(feature = "http2")]
            http1_only: false,
        }
    }

    pipeline_transport::transport_setters!(settings);

    /// The largest response that is taken in, in bytes. Default: 8 MiB.
    #[must_use]
    pub fn max_response_size(mut self, bytes: usize) -> Self {
        self.max_response_size = bytes;
        self
    }

    /// Looks hosts up by this function of host and port, in place of the system's resolver.
    #[must_use]
    pub fn resolver<F>(mut self, resolve: impl Fn(String, u16) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
    {
        self.hooks.resolve = Some(Arc::new(move |host, port| Box::pin(resolve(host, port))));
        self
    }

    /// Makes the connections below TLS by this function of host and port: from a local address, through a
    /// socket of the machine, in memory. The host is that of the endpoint, or of the proxy.
    #[must_use]
    pub fn connector<F, S>(
        mut self,
        connect: impl Fn(String, u16) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let connect = Arc::new(connect);
        let dial: Dial = Arc::new(move |host, port| {
            let connecting = connect(host, port);
            Box::pin(async move { Ok(Box::new(connecting.await?) as Box<_>) })
        });
        self.hooks.dial = Some(dial);
        self
    }

    /// Speaks HTTP/1.1 only. By default a server is offered HTTP/2 as well in the TLS handshake; without TLS,
    /// and on the way to a proxy, it is HTTP/1.1 always.
    #[cfg(feature = "http2")]
    #[must_use]
    pub fn http1_only(mut self) -> Self {
        self.http1_only = true;
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
            #[cfg(feature = "http2")]
            http1_only,
        } = self;
        #[cfg(feature = "http2")]
        let offers_http2 = endpoint.is_https() && !http1_only;
        #[cfg(not(feature = "http2"))]
        let offers_http2 = false;
        let route = settings.route(&endpoint)?;
        let host = pipeline_transport::host_header(&endpoint)?;
        let turns = Semaphore::new(settings.max_connections.min(Semaphore::MAX_PERMITS));
        let idle_timeout = settings.idle_timeout;
        let connector = Connector::new(&endpoint, route, &settings, hooks, offers_http2)?;
        Ok(Transport(Arc::new(Inner {
            pool: Pool::new(connector, idle_timeout),
            endpoint,
            host,
            max_response_size,
            turns,
        })))
    }
}

/// Reads the body. One that comes in one piece is not copied; another goes into a buffer of its
/// declared size.
async fn take_in(mut body: Incoming, limit: usize) -> Result<Bytes, Fault> {
    let too_large = || Fault::new(FaultKind::BodyTooLarge);
    let declared = body
        .size_hint()
        .exact()
        .map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    if declared.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| interrupted(&error, "within the response body"))?;
        let Ok(data) = frame.into_data() else {
            // Trailers say nothing that is used here.
            continue;
        };
        if first.len() + rest.len() + data.len() > limit {
            return Err(too_large());
        }
        if rest.is_empty() && first.is_empty() {
            first = data;
        } else {
            if rest.is_empty() {
                rest.reserve(declared.unwrap_or(0).max(first.len() + data.len()));
                rest.extend_from_slice(&first);
                first = Bytes::new();
            }
            rest.extend_from_slice(&data);
        }
    }
    Ok(if rest.is_empty() {
        first
    } else {
        rest.freeze()
    })
}

fn size(headers: &HeaderMap) -> usize {
    let field =
        |(name, value): (&http::HeaderName, &HeaderValue)| name.as_str().len() + value.len();
    headers.iter().map(field).sum()
}

fn header_too_large() -> Fault {
    Fault::new(FaultKind::BodyTooLarge).with_source(format!(
        "the response header is too large: more than {} KiB or {MAX_HEADER_FIELDS} fields",
        MAX_HEADER_SIZE >> 10
    ))
}

/// In the blocking client's words, where hyper's only say in which of its steps it happened.
fn interrupted(error: &hyper::Error, when_closed: &str) -> Fault {
    // hyper has a method that tells, but for servers only.
    if error.is_parse() && error.to_string() == "message head is too large" {
        return header_too_large();
    }
    let below: Option<&io::Error> = error.source().and_then(|below| below.downcast_ref());
    let below = match below.map(|error| (error.kind(), error.get_ref())) {
        // TLS has errors of the same kinds.
        #[cfg(feature = "tls")]
        Some((_, Some(inner))) if inner.is::<pipeline_transport::rustls::Error>() => None,
        below => below.map(|(kind, _)| kind),
    };
    #[cfg(feature = "http2")]
    let broken = crate::http2::is_closed(error);
    #[cfg(not(feature = "http2"))]
    let broken = false;
    let closed =
        broken || error.is_incomplete_message() || below == Some(io::ErrorKind::UnexpectedEof);
    let invalid = matches!(
        below,
        Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData)
    );
    let reason = if closed {
        format!("the connection was closed {when_closed}")
    } else if error.is_parse() || invalid {
        format!("the response is not valid HTTP: {}", innermost(error))
    } else {
        innermost(error)
    };
    Fault::new(FaultKind::Interrupted).with_source(reason)
}

/// The reason at the bottom, as text: hyper's own errors only say in which step they happened.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut lowest = error;
    while let Some(below) = lowest.source() {
        lowest = below;
    }
    lowest.to_string()
}
