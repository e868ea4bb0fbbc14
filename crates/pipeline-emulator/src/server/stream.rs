use std::{
    future::Future as _,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf},
    net::TcpStream,
    time::{self, Sleep},
};

use super::interrupted::Written;

/// How long, and for how many bytes, a client that was refused in mid-request is listened to.
const LINGER_TIME: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 16 * 1024 * 1024;

/// A socket on which writing has a time limit: the HTTP library has one for reading only, and a
/// client that takes no answers would keep its connection for ever.
pub(super) struct Stream {
    socket: TcpStream,
    write_time: Duration,
    /// Runs while a write waits for the client.
    waiting: Option<Pin<Box<Sleep>>>,
    /// Hears of every flush.
    written: Arc<Written>,
}

impl Stream {
    pub(super) fn new(socket: TcpStream, write_time: Duration, written: Arc<Written>) -> Self {
        Self {
            socket,
            write_time,
            waiting: None,
            written,
        }
    }

    /// Ends the connection as a crash would.
    pub(super) fn reset(self) {
        // Should the system not know how, the connection is closed in the ordinary way.
        let _ = self.socket.set_zero_linger();
    }

    /// Ends a connection whose client may still be sending. Were the socket closed with unread
    /// bytes in it, the system would reset the connection, and with that the response could be lost
    /// before the client has seen it.
    pub(super) async fn linger(mut self) {
        let drain = async {
            self.socket.shutdown().await?;
            let mut left = LINGER_BYTES;
            let mut buffer = vec![0; 16 * 1024];
            while left > 0 {
                match self.socket.read(&mut buffer).await? {
                    0 => break,
                    count => left = left.saturating_sub(count),
                }
            }
            io::Result::Ok(())
        };
        // Whatever comes of it, the connection ends here.
        let _ = time::timeout(LINGER_TIME, drain).await;
    }

    /// Lets a write that is pending fail when its time is over.
    fn limited<T>(
        &mut self,
        cx: &mut Context<'_>,
        poll: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            self.waiting = None;
            return poll;
        }
        let write_time = self.write_time;
        let waiting = self
            .waiting
            .get_or_insert_with(|| Box::pin(time::sleep(write_time)));
        ready!(waiting.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.limited(cx, poll)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.socket).poll_flush(cx);
        if matches!(poll, Poll::Ready(Ok(()))) {
            self.written.reached();
        }
        self.limited(cx, poll)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.socket).poll_shutdown(cx);
        self.limited(cx, poll)
    }
}
