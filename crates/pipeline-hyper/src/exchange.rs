//! One request and its response over hyper, and what each of hyper's errors says about the request.

use std::{error::Error as StdError, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Request, Response, StatusCode, Uri, header::HOST};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use pipeline_proto::{Fault, FaultKind, Phase};
use tokio::time::{Instant, timeout_at};

use crate::{
    connector::{after, timed_out},
    pool::{Connection, Left, Pool},
};

#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) pool: Pool,
    /// The host of the endpoint, with its port if that is not the one of the scheme.
    pub(crate) host: HeaderValue,
    pub(crate) max_response_size: usize,
}

impl Exchange {
    /// Sends the request and takes the whole response in, within the time-out.
    pub(crate) async fn run(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, Fault> {
        if timeout.is_zero() {
            return Err(timed_out(Phase::Connect));
        }
        let by = after(timeout);
        let (response, connection) = self.head(self.finish(request), by).await?;
        let (parts, body) = response.into_parts();
        let body = timeout_at(by, take_in(body, self.max_response_size))
            .await
            .unwrap_or_else(|_| Err(Fault::new(FaultKind::TimedOut).timed_out(Phase::Body)))?;
        self.pool.put(connection);
        Ok(Response::from_parts(parts, body))
    }

    /// What stands in front of the headers on a connection to a server: the path alone, and the host.
    fn finish(&self, request: Request<Bytes>) -> Request<Full<Bytes>> {
        let (mut parts, body) = request.into_parts();
        let target = std::mem::take(&mut parts.uri).into_parts().path_and_query;
        parts.uri = target.map(Uri::from).unwrap_or_default();
        parts.headers.insert(HOST, self.host.clone());
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
        loop {
            let (mut connection, used) = self.pool.take(by).await?;
            let spare = used.then(|| request.clone());
            let result = timeout_at(by, connection.send(request)).await;
            let left = connection.left();
            request = match (result, spare) {
                (Ok(Ok(response)), Some(spare))
                    if response.status() == StatusCode::REQUEST_TIMEOUT =>
                {
                    spare
                }
                (Ok(Ok(response)), _) => return Ok((response, connection)),
                (Ok(Err(_)), Some(spare)) if left == Left::Nothing => spare,
                (Ok(Err(error)), _) if left == Left::Nothing => {
                    return Err(Fault::new(FaultKind::NotSent).source(innermost(&error)));
                }
                (Ok(Err(error)), _) => return Err(interrupted(&error)),
                (Err(_), _) => {
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
        let frame = frame.map_err(|error| interrupted(&error))?;
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

fn interrupted(error: &hyper::Error) -> Fault {
    // hyper has a method that tells, but for servers only.
    if error.is_parse() && error.to_string() == "message head is too large" {
        return Fault::new(FaultKind::BodyTooLarge).source("the response header is too large");
    }
    Fault::new(FaultKind::Interrupted).source(innermost(error))
}

/// The reason at the bottom, as text: hyper's own errors only say in which step they happened.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut lowest = error;
    while let Some(below) = lowest.source() {
        lowest = below;
    }
    lowest.to_string()
}
