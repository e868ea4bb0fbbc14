//! Connections that are used again. There is one endpoint to a client, and so one list.
//!
//! hyper keeps a task for each connection; what is here is the list of those that wait. Each knows whether a
//! byte of its request was written, so that what a fault says of it is known and not guessed.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
#[cfg(feature = "http2")]
use pipeline_proto::Phase;
use pipeline_proto::{Fault, FaultKind};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    task::JoinHandle,
    time::{Instant, timeout_at},
};

use crate::connector::{Connector, Stream};
#[cfg(feature = "http2")]
use crate::{
    connector::timed_out,
    http2::{self, Shared},
};

/// The largest header of a response, in bytes; as in the blocking client.
pub(crate) const MAX_HEADER_SIZE: usize = 256 << 10;

/// The most fields that a header of a response may have; likewise.
pub(crate) const MAX_HEADER_FIELDS: usize = 1024;

/// How many connections wait at most.
const MOST_IDLE: usize = 64;

/// How long a connection waits before the next request looks first what has become of it. The runtime has looked just
/// before it; what comes within less than this could as well cross the request on its way. Where calls follow each other at
/// once, the look is one system call of five, and 5 % of the CPU time of a GET.
const LOOKED_AFTER: Duration = Duration::from_micros(10);

#[derive(Debug)]
pub(crate) struct Pool {
    connector: Connector,
    #[cfg(feature = "http2")]
    sharing: Sharing,
    /// How long a connection waits for the next request.
    longest_idle: Duration,
    idle: Arc<Mutex<Idle>>,
}

/// The newest last, which is taken first.
#[derive(Debug, Default)]
struct Idle {
    connections: Vec<(Instant, Own)>,
    /// The one that all requests share, and when one of them ended last.
    #[cfg(feature = "http2")]
    shared: Option<(Instant, Shared)>,
    sweeper: Option<JoinHandle<()>>,
}

/// Sees that requests that come together wait for one connection instead of making one each.
#[cfg(feature = "http2")]
#[derive(Debug)]
struct Sharing {
    /// Whether the last server agreed to it, or has not been asked yet.
    expected: AtomicBool,
    /// Held while a connection is made that others may share.
    connecting: tokio::sync::Mutex<()>,
}

/// What a request goes over.
#[derive(Debug)]
pub(crate) enum Connection {
    Own(Own),
    #[cfg(feature = "http2")]
    Shared(Shared),
}

/// A connection of HTTP/1.1, for one request at a time, and how far its exchange got.
#[derive(Debug)]
pub(crate) struct Own {
    sender: SendRequest<Full<Bytes>>,
    progress: Arc<Progress>,
}

impl Pool {
    pub(crate) fn new(connector: Connector, longest_idle: Duration) -> Self {
        Self {
            #[cfg(feature = "http2")]
            sharing: Sharing {
                expected: connector.offers_http2().into(),
                connecting: tokio::sync::Mutex::default(),
            },
            connector,
            longest_idle,
            idle: Arc::default(),
        }
    }

    /// A connection that is ready for a request, and whether it was used before.
    pub(crate) async fn take(&self, by: Instant) -> Result<(Connection, bool), Fault> {
        #[cfg(feature = "http2")]
        {
            let since = lock(&self.idle).shared.as_ref().map(|(since, _)| *since);
            if let Some(since) = since {
                look(since.elapsed()).await;
            }
            if let Some(shared) = self.shared() {
                return Ok((Connection::Shared(shared), true));
            }
        }
        loop {
            let Some((since, mut connection)) = lock(&self.idle).connections.pop() else {
                // In a box, or every call would carry the room for it, through each of its moves.
                return Ok((Box::pin(self.connect(by)).await?, false));
            };
            let waited = since.elapsed();
            if waited >= self.longest_idle {
                continue;
            }
            look(waited).await;
            // It has read the last response whole, so that it is ready soon, or closed.
            if connection.sender.is_ready()
                || matches!(timeout_at(by, connection.sender.ready()).await, Ok(Ok(())))
            {
                return Ok((Connection::Own(connection), true));
            }
        }
    }

    #[cfg(feature = "http2")]
    async fn connect(&self, by: Instant) -> Result<Connection, Fault> {
        let Sharing {
            expected,
            connecting,
        } = &self.sharing;
        let is_expected = expected.load(Ordering::Relaxed);
        let first = is_expected.then(|| connecting.try_lock().ok()).flatten();
        if is_expected {
            if first.is_none() && timeout_at(by, connecting.lock()).await.is_err() {
                return Err(timed_out(Phase::Connect));
            }
            // Where there is none, the first one has failed, or speaks HTTP/1.1: to each its own.
            if let Some(shared) = self.shared() {
                return Ok(Connection::Shared(shared));
            }
        }
        let (stream, agreed) = self.connector.connect(by).await?;
        expected.store(agreed, Ordering::Relaxed);
        if !agreed {
            return open(stream).await;
        }
        let shared = Shared::open(stream).await.map_err(not_sent)?;
        lock(&self.idle).shared = Some((Instant::now(), shared.clone()));
        self.keep_swept(&mut lock(&self.idle));
        // From here on the others find it.
        drop(first);
        Ok(Connection::Shared(shared))
    }

    #[cfg(not(feature = "http2"))]
    async fn connect(&self, by: Instant) -> Result<Connection, Fault> {
        open(self.connector.connect(by).await?.0).await
    }

    /// The connection that requests share, if there is one.
    #[cfg(feature = "http2")]
    fn shared(&self) -> Option<Shared> {
        let mut idle = lock(&self.idle);
        let longest = self.longest_idle;
        drop(idle.shared.take_if(|shared| is_spent(shared, longest)));
        idle.shared.as_ref().map(|(_, shared)| shared.clone())
    }

    /// Whether the next request goes over another connection than the one that failed like this, or whose
    /// time was up.
    #[cfg_attr(
        not(feature = "http2"),
        allow(clippy::unused_self, reason = "there is none to share")
    )]
    pub(crate) fn give_up(&self, connection: &Connection, error: Option<&hyper::Error>) -> bool {
        // What befell a connection of HTTP/1.1 is over with it.
        let _ = error;
        match connection {
            Connection::Own(_) => true,
            #[cfg(feature = "http2")]
            Connection::Shared(_) if error.is_some_and(http2::is_of_stream) => false,
            #[cfg(feature = "http2")]
            Connection::Shared(failed) => {
                let failed = |(_, shared): &mut (Instant, Shared)| shared.is(failed);
                drop(lock(&self.idle).shared.take_if(failed));
                true
            }
        }
    }

    /// Keeps a connection whose response was read to its end.
    pub(crate) fn put(&self, connection: Connection) {
        let mut idle = lock(&self.idle);
        match connection {
            #[cfg(feature = "http2")]
            Connection::Shared(used) => {
                if let Some((since, shared)) = &mut idle.shared
                    && shared.is(&used)
                {
                    *since = Instant::now();
                }
            }
            // A response that came before the request was taken in leaves the rest of the request in the way.
            Connection::Own(own) if own.sender.is_closed() || own.left() != Left::Wholly => return,
            Connection::Own(own) => {
                if idle.connections.len() < MOST_IDLE {
                    idle.connections.push((Instant::now(), own));
                }
            }
        }
        self.keep_swept(&mut idle);
    }

    fn keep_swept(&self, idle: &mut Idle) {
        // One of another runtime ended with it.
        if idle.sweeper.as_ref().is_none_or(JoinHandle::is_finished) {
            let sweeping = sweep(Arc::downgrade(&self.idle), self.longest_idle);
            idle.sweeper = Some(tokio::spawn(sweeping));
        }
    }
}

/// Lets the runtime look whether the server has closed a connection that waited so long, or sent what nobody asked for:
/// between two calls of `block_on` it does not run.
async fn look(waited: Duration) {
    if waited >= LOOKED_AFTER {
        tokio::task::yield_now().await;
    }
}

async fn open(stream: Box<dyn Stream>) -> Result<Connection, Fault> {
    let progress = Arc::default();
    let stream = Watched {
        stream,
        progress: Arc::clone(&progress),
        broken: false,
    };
    let (sender, connection) = http1::Builder::new()
        .max_headers(MAX_HEADER_FIELDS)
        .max_buf_size(MAX_HEADER_SIZE)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(not_sent)?;
    tokio::spawn(async move {
        // The request that it was for hears of its error.
        let _ = connection.await;
    });
    Ok(Connection::Own(Own { sender, progress }))
}

fn not_sent(error: hyper::Error) -> Fault {
    Fault::new(FaultKind::NotSent).with_source(error)
}

/// Closes connections that have waited long enough, until there is none.
async fn sweep(idle: Weak<Mutex<Idle>>, longest: Duration) {
    loop {
        // One that is taken in between is looked at then.
        tokio::time::sleep((longest / 4).max(Duration::from_millis(10))).await;
        let Some(idle) = idle.upgrade() else { return };
        let mut idle = lock(&idle);
        idle.connections.retain(|(since, connection)| {
            since.elapsed() < longest && !connection.sender.is_closed()
        });
        #[cfg(feature = "http2")]
        drop(idle.shared.take_if(|shared| is_spent(shared, longest)));
        #[cfg(feature = "http2")]
        let is_shared = idle.shared.is_some();
        #[cfg(not(feature = "http2"))]
        let is_shared = false;
        if idle.connections.is_empty() && !is_shared {
            idle.sweeper = None;
            return;
        }
    }
}

#[cfg(feature = "http2")]
fn is_spent((since, shared): &(Instant, Shared), longest: Duration) -> bool {
    shared.is_closed() || (shared.is_idle() && since.elapsed() >= longest)
}

fn lock(idle: &Mutex<Idle>) -> MutexGuard<'_, Idle> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Connection {
    pub(crate) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> hyper::Result<Response<Incoming>> {
        match self {
            Self::Own(own) => {
                own.progress.set(Left::Nothing);
                own.progress.heard.store(false, Ordering::Relaxed);
                own.sender.send_request(request).await
            }
            #[cfg(feature = "http2")]
            Self::Shared(shared) => shared.send(request).await,
        }
    }

    /// How much of the request has left, if it ended like this or its time was up.
    pub(crate) fn left(&self, error: Option<&hyper::Error>) -> Left {
        // What is asked of a connection that many share, the connection of one sees.
        let _ = error;
        match self {
            Self::Own(own) => own.left(),
            #[cfg(feature = "http2")]
            Self::Shared(_) if error.is_some_and(http2::is_untaken) => Left::Nothing,
            #[cfg(feature = "http2")]
            Self::Shared(_) => Left::Wholly,
        }
    }

    /// Whether anything of the response has come, as far as that can be told.
    pub(crate) fn has_heard(&self) -> bool {
        match self {
            Self::Own(own) => own.progress.heard.load(Ordering::Relaxed),
            #[cfg(feature = "http2")]
            Self::Shared(_) => false,
        }
    }

    /// Whether others use it as well.
    pub(crate) fn is_shared(&self) -> bool {
        !matches!(self, Self::Own(_))
    }
}

impl Own {
    fn left(&self) -> Left {
        self.progress.left()
    }
}

/// How much of a request has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    Nothing,
    /// There was no room for the rest so far.
    Partly,
    /// All that hyper had to send so far.
    Wholly,
}

#[derive(Debug, Default)]
struct Progress {
    /// One of [`Left`].
    left: AtomicU8,
    heard: AtomicBool,
}

impl Progress {
    fn left(&self) -> Left {
        match self.left.load(Ordering::Relaxed) {
            0 => Left::Nothing,
            1 => Left::Partly,
            _ => Left::Wholly,
        }
    }

    fn set(&self, left: Left) {
        self.left.store(left as u8, Ordering::Relaxed);
    }
}

/// Sees what is written. A server may respond before it has taken the request in, and close; hyper gives a
/// connection up whose writing fails, although the response is there to be read. So what cannot be written
/// any more counts as written, and reading shows what has become of it.
struct Watched {
    stream: Box<dyn Stream>,
    progress: Arc<Progress>,
    broken: bool,
}

impl Watched {
    fn saw(&mut self, result: Poll<io::Result<usize>>, all: usize) -> Poll<io::Result<usize>> {
        let left = self.progress.left();
        match result {
            Poll::Ready(Ok(0)) => {}
            Poll::Ready(Ok(_)) => self.progress.set(Left::Wholly),
            Poll::Pending | Poll::Ready(Err(_)) if left == Left::Nothing => {}
            Poll::Pending => self.progress.set(Left::Partly),
            Poll::Ready(Err(_)) => {
                self.broken = true;
                self.progress.set(Left::Partly);
                return Poll::Ready(Ok(all));
            }
        }
        result
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.progress.heard.store(true, Ordering::Relaxed);
        }
        result
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.broken {
            return Poll::Ready(Ok(bytes.len()));
        }
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.saw(result, bytes.len())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let all = slices.iter().map(|slice| slice.len()).sum();
        if self.broken {
            return Poll::Ready(Ok(all));
        }
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.saw(result, all)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.broken {
            return Poll::Ready(Ok(()));
        }
        let result = Pin::new(&mut self.stream).poll_flush(context);
        self.saw(result.map_ok(|()| 0), 0).map_ok(drop)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
