use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};

/// The body of a response.
pub(super) enum AnswerBody {
    Whole(Full<Bytes>),
    Interrupted(Interrupted),
}

/// A body that ends before its time: it announces its whole length, and fails behind the beginning.
///
/// The HTTP library gives a connection up as soon as a body fails, even if some of what it was given
/// before is still in its buffers. So this one waits until they are empty.
pub(super) struct Interrupted {
    beginning: Option<Bytes>,
    length: u64,
    written: Arc<Written>,
    /// What else to wait for.
    then: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// Tells a body when everything was handed to the system.
#[derive(Default)]
pub(super) struct Written(Mutex<WrittenState>);

#[derive(Default)]
struct WrittenState {
    reached: bool,
    waker: Option<Waker>,
}

impl Written {
    fn lock(&self) -> MutexGuard<'_, WrittenState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be called when the socket was flushed, which the HTTP library does with empty buffers only.
    pub(super) fn reached(&self) {
        let mut state = self.lock();
        state.reached = true;
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    /// From here on something is to be written again.
    fn begin(&self) {
        self.lock().reached = false;
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.reached {
            return Poll::Ready(());
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Interrupted {
    /// `at` is less than the length of the body.
    pub(super) fn new(
        body: &Bytes,
        at: usize,
        written: Arc<Written>,
        then: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        Self {
            beginning: Some(body.slice(..at)),
            length: body.len() as u64,
            written,
            then: Box::pin(then),
        }
    }
}

/// Why a response ended before its time: a fault wanted it so.
#[derive(Debug)]
pub(super) struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fault was injected")
    }
}

impl std::error::Error for Broken {}

impl Body for Interrupted {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if let Some(beginning) = self.beginning.take() {
            self.written.begin();
            if !beginning.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(beginning))));
            }
        }
        ready!(self.written.poll(cx));
        ready!(self.then.as_mut().poll(cx));
        Poll::Ready(Some(Err(Broken)))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body)
                .poll_frame(cx)
                .map_err(|never: Infallible| match never {}),
            Self::Interrupted(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Interrupted(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Interrupted(body) => body.size_hint(),
        }
    }
}
