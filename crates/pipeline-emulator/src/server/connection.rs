use std::{
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header, request};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::{
    body::{Body as _, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use pipeline_proto::ErrorCode;
use tokio::{net::TcpStream, sync::watch, time};

use super::{
    interrupted::{AnswerBody, Broken, Interrupted, Written},
    shared::Shared,
    stop_asked,
    stream::Stream,
};
use crate::{
    admin,
    body::too_large,
    network::{Interruption, NetworkFault},
    refusal::Refusal,
    web::check_host,
};

/// The smallest buffer that the HTTP library accepts.
const MIN_BUFFER: usize = 8 * 1024;

/// The HTTP library adds a time limit to the present moment and panics if that is out of range.
const LONGEST: Duration = Duration::from_secs(365 * 86_400);

/// What a port is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Serves {
    Service,
    Admin,
    /// Which of the two a request is for is told by its path.
    Both,
}

/// A connection while it is served.
struct Connection {
    serves: Serves,
    shared: Arc<Shared>,
    stopped: watch::Receiver<bool>,
    written: Arc<Written>,
    /// A request was refused in its middle, so that its client may still be sending.
    refused: AtomicBool,
    /// A fault wants the connection to break.
    reset: AtomicBool,
}

/// Answers the requests of one connection until it ends, or the server does.
pub(super) async fn serve(
    socket: TcpStream,
    serves: Serves,
    shared: Arc<Shared>,
    mut stopped: watch::Receiver<bool>,
) {
    // Answers are small and complete; holding them back for more gains nothing.
    let _ = socket.set_nodelay(true);
    let this = Connection {
        serves,
        shared,
        stopped: stopped.clone(),
        written: Arc::default(),
        refused: AtomicBool::new(false),
        reset: AtomicBool::new(false),
    };
    let limits = &this.shared.limits;
    let stream = Stream::new(socket, limits.write_time, this.written.clone());
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_time.min(LONGEST))
        .max_headers(limits.headers)
        .max_header_size(limits.header_bytes)
        .max_buf_size(limits.header_bytes.max(MIN_BUFFER))
        // A client may close its side as soon as it has sent its request.
        .half_close(true)
        .serve_connection(
            TokioIo::new(stream),
            service_fn(|request| Box::pin(this.answer(request))),
        );
    let ended = tokio::select! {
        ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => Some(ended),
        () = stop_asked(&mut stopped) => None,
    };
    let ended = if let Some(ended) = ended {
        ended
    } else {
        Pin::new(&mut connection).graceful_shutdown();
        poll_fn(|cx| connection.poll_without_shutdown(cx)).await
    };
    let stream = connection.into_parts().io.into_inner();
    if this.reset.load(Ordering::Relaxed) {
        stream.reset();
    } else if ended.is_err() || this.refused.load(Ordering::Relaxed) {
        tokio::select! {
            () = stream.linger() => {}
            () = stop_asked(&mut stopped) => {}
        }
    }
}

impl Connection {
    /// Asks the emulator.
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<AnswerBody>, Broken> {
        let (parts, body) = request.into_parts();
        let is_admin = match self.serves {
            Serves::Service => false,
            Serves::Admin => true,
            Serves::Both => admin::is_admin(parts.uri.path()),
        };
        let mut answer = if is_admin {
            self.administer(parts, body).await
        } else {
            self.handle(parts, body).await
        };
        if answer.headers().contains_key(header::CONNECTION) {
            self.refused.store(true, Ordering::Relaxed);
        }
        for name in [header::CONTENT_LENGTH, header::TRANSFER_ENCODING] {
            // A fault may have set them. The HTTP library writes its own and panics at others.
            answer.headers_mut().remove(name);
        }
        match answer.extensions_mut().remove() {
            Some(fault) => self.spoil(answer, fault).await,
            None => Ok(answer.map(whole)),
        }
    }

    /// Reads the body, within limits, and asks the service.
    async fn handle(&self, parts: request::Parts, body: Incoming) -> Response<Bytes> {
        let read = match check_host(&parts) {
            Ok(()) if body.is_end_stream() => Ok(Bytes::new()),
            Ok(()) => {
                let max = self.shared.look(|emulator| emulator.max_body_of(&parts));
                self.read_body(&parts.headers, body, max).await
            }
            Err(refusal) => Err(refusal),
        };
        let (mut recorded, mut deliveries) = (None, Vec::new());
        let answered = self.shared.ask(|emulator, now| {
            let answer = match read {
                Ok(body) => emulator.handle(Request::from_parts(parts, body), now),
                Err(refusal) => emulator.refuse(parts, refusal, now),
            };
            if self.shared.log.is_some() {
                recorded = emulator.requests().next_back().cloned();
            }
            deliveries = emulator.take_deliveries();
            answer
        });
        let answered = answered.await;
        if answered.is_ok() {
            self.shared.send(deliveries);
        }
        let answer = answered.unwrap_or_else(Refusal::into_response);
        if let (Some(log), Some(mut request)) = (&self.shared.log, recorded) {
            request.status = answer.status();
            log(&request);
        }
        answer
    }

    async fn administer(&self, parts: request::Parts, body: Incoming) -> Response<Bytes> {
        if let Err(refusal) = check_host(&parts) {
            return refusal.into_last_response();
        }
        let max = self.shared.limits.admin_body;
        let body = match self.read_body(&parts.headers, body, max).await {
            Ok(body) => body,
            Err(refusal) => return refusal.into_last_response(),
        };
        let request = Request::from_parts(parts, body);
        let answered = self
            .shared
            .ask(|emulator, now| emulator.handle_admin(request, now));
        answered.await.unwrap_or_else(Refusal::into_response)
    }

    async fn read_body(
        &self,
        headers: &header::HeaderMap,
        body: Incoming,
        max: usize,
    ) -> Result<Bytes, Refusal> {
        // Said before anything is read, so that a client that waits for `100 Continue` sends nothing.
        if body.size_hint().lower() > u64::try_from(max).unwrap_or(u64::MAX) {
            return Err(too_large(max));
        }
        let body_time = self.shared.limits.body_time;
        match time::timeout(body_time, Limited::new(body, max).collect()).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(max)),
            Ok(Err(error)) => Err(if headers.contains_key(header::TRANSFER_ENCODING) {
                Refusal::code(ErrorCode::CONTENT_LENGTH_MISSING, error)
            } else {
                Refusal::code(ErrorCode::INVALID_CONTENT_LENGTH, error)
            }),
            Err(_) => Err(late(body_time)),
        }
    }

    /// Sends an answer in the way that a fault wants.
    async fn spoil(
        &self,
        answer: Response<Bytes>,
        fault: NetworkFault,
    ) -> Result<Response<AnswerBody>, Broken> {
        hold(fault.latency, self.stopped.clone()).await;
        let length = answer.body().len();
        let (at, reset, time) = match fault.interruption {
            Some(Interruption::Reset) => {
                self.reset.store(true, Ordering::Relaxed);
                return Err(Broken);
            }
            Some(Interruption::ResetAt { at }) if at < length => (at, true, Duration::ZERO),
            Some(Interruption::Truncate { at }) if at < length => (at, false, Duration::ZERO),
            Some(Interruption::Stall { at }) if at < length => {
                (at, false, self.shared.limits.stall_time)
            }
            _ => return Ok(answer.map(whole)),
        };
        self.reset.store(reset, Ordering::Relaxed);
        let then = hold(time, self.stopped.clone());
        Ok(answer.map(|body| {
            let body = Interrupted::new(&body, at, self.written.clone(), then);
            AnswerBody::Interrupted(body)
        }))
    }
}

fn whole(body: Bytes) -> AnswerBody {
    AnswerBody::Whole(Full::new(body))
}

/// Waits, but not beyond the end of the server.
async fn hold(time: Duration, mut stopped: watch::Receiver<bool>) {
    tokio::select! {
        () = time::sleep(time) => {}
        () = stop_asked(&mut stopped) => {}
    }
}

fn late(body_time: Duration) -> Refusal {
    let seconds = body_time.as_secs_f64();
    let message = format!("the body did not arrive within {seconds} s");
    Refusal::plain(StatusCode::REQUEST_TIMEOUT, message)
}
