//! One request and its answer over hyper, and what each of hyper's errors says about the request.

use std::{
    error::Error as StdError,
    io,
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::{self, Client};
use pipeline_proto::{Fault, FaultKind, Phase};

use crate::connector::{ConnectTimedOut, Connector};

#[derive(Clone)]
pub(crate) struct Exchange {
    pub(crate) client: Client<Connector, Full<Bytes>>,
    pub(crate) max_response_size: usize,
}

impl Exchange {
    /// Sends the request and takes the whole answer in, within the time-out.
    pub(crate) async fn run(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, Fault> {
        // What it was waiting for when its time was up. Atomic only so that the future can move
        // between threads.
        let in_body = AtomicBool::new(false);
        // Pinned here, so that the time-out takes a pointer and not the whole future.
        let exchange = pin!(async {
            let response = self
                .client
                .request(request.map(Full::new))
                .await
                .map_err(|error| fault(&error))?;
            in_body.store(true, Ordering::Relaxed);
            let (parts, body) = response.into_parts();
            let body = take_in(body, self.max_response_size).await?;
            Ok(Response::from_parts(parts, body))
        });
        let result = tokio::time::timeout(timeout, exchange).await;
        result.unwrap_or_else(|_| {
            let phase = if in_body.load(Ordering::Relaxed) {
                Phase::Body
            } else {
                Phase::Response
            };
            Err(Fault::new(FaultKind::TimedOut).timed_out(phase))
        })
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
        let frame =
            frame.map_err(|error| Fault::new(FaultKind::Interrupted).source(innermost(&error)))?;
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

/// What an error of hyper says about the request. Whatever is not known to have happened before the
/// first byte left counts as after it.
fn fault(error: &legacy::Error) -> Fault {
    if !error.is_connect() {
        return Fault::new(FaultKind::Interrupted).source(innermost(error));
    }
    let fault = Fault::new(FaultKind::NotSent);
    let timed_out = chain(error).any(|cause| {
        let io = cause.downcast_ref::<io::Error>();
        cause.is::<ConnectTimedOut>() || io.is_some_and(|io| io.kind() == io::ErrorKind::TimedOut)
    });
    if timed_out {
        fault.timed_out(Phase::Connect)
    } else {
        fault.source(innermost(error))
    }
}

/// An error and everything below it.
fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

/// The reason at the bottom, as text: hyper's own errors only say in which step they happened.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    chain(error).last().unwrap_or(error).to_string()
}
