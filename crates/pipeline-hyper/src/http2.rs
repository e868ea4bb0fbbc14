//! HTTP/2: one connection for all requests, where the server agrees to it in the TLS handshake.

use std::{error::Error as _, mem, sync::Arc};

use bytes::Bytes;
use h2::Reason;
use http::{
    Request, Response, Uri,
    header::HOST,
    uri::{Authority, Parts, Scheme},
};
use http_body_util::Full;
use hyper::{
    body::Incoming,
    client::conn::http2::{Builder, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo};

use crate::{connector::Stream, pool::MAX_HEADER_SIZE};

/// A connection that carries many requests at a time.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    sender: SendRequest<Full<Bytes>>,
    /// Held by the pool and by each exchange, to know whether there is any.
    users: Arc<()>,
}

impl Shared {
    pub(crate) async fn open(stream: Box<dyn Stream>) -> hyper::Result<Self> {
        // A header that is just above the limit is to be told of by its size, and not as a broken stream.
        let most = u32::try_from(2 * MAX_HEADER_SIZE).unwrap_or(u32::MAX);
        let (sender, connection) = Builder::new(TokioExecutor::new())
            .max_header_list_size(most)
            .handshake(TokioIo::new(stream))
            .await?;
        tokio::spawn(async move {
            // The requests that it was for hear of its error.
            let _ = connection.await;
        });
        Ok(Self {
            sender,
            users: Arc::default(),
        })
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Whether only the pool has it.
    pub(crate) fn is_idle(&self) -> bool {
        Arc::strong_count(&self.users) == 1
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.users, &other.users)
    }

    pub(crate) async fn send(
        &mut self,
        mut request: Request<Full<Bytes>>,
    ) -> hyper::Result<Response<Incoming>> {
        // The host stands in the address here, and nowhere else.
        let host = request.headers_mut().remove(HOST);
        let mut parts = Parts::default();
        parts.scheme = Some(Scheme::HTTPS);
        parts.authority = host.and_then(|host| Authority::try_from(host.as_bytes()).ok());
        parts.path_and_query = mem::take(request.uri_mut()).into_parts().path_and_query;
        *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
        self.sender.send_request(request).await
    }
}

/// Whether the request of this error was surely not acted upon: it never left, or the server says so, by
/// refusing the stream or by going away before it (RFC 9113, section 8.7).
pub(crate) fn is_untaken(error: &hyper::Error) -> bool {
    let refused = |below: &h2::Error| {
        below.is_remote() && (below.is_go_away() || below.reason() == Some(Reason::REFUSED_STREAM))
    };
    error.is_canceled() || below(error).is_some_and(refused)
}

/// Whether the error is of this request alone, and the connection goes on.
pub(crate) fn is_of_stream(error: &hyper::Error) -> bool {
    below(error).is_some_and(h2::Error::is_reset)
}

/// The error of a connection that was closed in the middle.
pub(crate) fn is_closed(error: &hyper::Error) -> bool {
    below(error).is_some_and(h2::Error::is_io)
}

fn below(error: &hyper::Error) -> Option<&h2::Error> {
    error.source()?.downcast_ref()
}
