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
use pipeline_proto::{Fault, FaultKind};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    task::JoinHandle,
    time::{Instant, timeout_at},
};

use crate::connector::{Connector, Stream};

/// The largest header of a response, in bytes; as in the blocking client.
pub(crate) const MAX_HEADER_SIZE: usize = 256 << 10;

/// The most fields that a header of a response may have; likewise.
pub(crate) const MAX_HEADER_FIELDS: usize = 1024;

/// How many connections wait at most.
const MOST_IDLE: usize = 64;

#[derive(Debug)]
pub(crate) struct Pool {
    connector: Connector,
    /// How long a connection waits for the next request.
    longest_idle: Duration,
    idle: Arc<Mutex<Idle>>,
}

/// The newest last, which is taken first.
#[derive(Debug, Default)]
struct Idle {
    connections: Vec<(Instant, Connection)>,
    sweeper: Option<JoinHandle<()>>,
}

/// A connection, and how far its exchange got.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    progress: Arc<Progress>,
}

impl Pool {
    pub(crate) fn new(connector: Connector, longest_idle: Duration) -> Self {
        Self {
            connector,
            longest_idle,
            idle: Arc::default(),
        }
    }

    /// A connection that is ready for a request, and whether it was used before.
    pub(crate) async fn take(&self, by: Instant) -> Result<(Connection, bool), Fault> {
        loop {
            let Some((since, mut connection)) = lock(&self.idle).connections.pop() else {
                return Ok((self.connect(by).await?, false));
            };
            if since.elapsed() >= self.longest_idle {
                continue;
            }
            // Lets the runtime look whether the server has closed it, or sent what nobody asked for.
            tokio::task::yield_now().await;
            // It has read the last response whole, so that it is ready soon, or closed.
            if let Ok(Ok(())) = timeout_at(by, connection.sender.ready()).await {
                return Ok((connection, true));
            }
        }
    }

    async fn connect(&self, by: Instant) -> Result<Connection, Fault> {
        let progress = Arc::default();
        let stream = Watched {
            stream: self.connector.connect(by).await?,
            progress: Arc::clone(&progress),
            broken: false,
        };
        let (sender, connection) = http1::Builder::new()
            .max_headers(MAX_HEADER_FIELDS)
            .max_buf_size(MAX_HEADER_SIZE)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| Fault::new(FaultKind::NotSent).with_source(error))?;
        tokio::spawn(async move {
            // The request that it was for hears of its error.
            let _ = connection.await;
        });
        Ok(Connection { sender, progress })
    }

    /// Keeps a connection whose response was read to its end.
    pub(crate) fn put(&self, connection: Connection) {
        // A response that came before the request was taken in leaves the rest of the request in the way.
        if connection.sender.is_closed() || connection.left() != Left::Wholly {
            return;
        }
        let mut idle = lock(&self.idle);
        if idle.connections.len() < MOST_IDLE {
            idle.connections.push((Instant::now(), connection));
        }
        // One of another runtime ended with it.
        if idle.sweeper.as_ref().is_none_or(JoinHandle::is_finished) {
            idle.sweeper = Some(tokio::spawn(sweep(
                Arc::downgrade(&self.idle),
                self.longest_idle,
            )));
        }
    }
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
        if idle.connections.is_empty() {
            idle.sweeper = None;
            return;
        }
    }
}

fn lock(idle: &Mutex<Idle>) -> MutexGuard<'_, Idle> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Connection {
    pub(crate) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> hyper::Result<Response<Incoming>> {
        self.progress.set(Left::Nothing);
        self.progress.heard.store(false, Ordering::Relaxed);
        self.sender.send_request(request).await
    }

    /// How much of the request has left.
    pub(crate) fn left(&self) -> Left {
        self.progress.left()
    }

    /// Whether anything of the response has come.
    pub(crate) fn has_heard(&self) -> bool {
        self.progress.heard.load(Ordering::Relaxed)
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
