//! One request and its answer over ureq, and what each of ureq's errors says about the request.

use std::{error::Error as StdError, fmt, io::Read as _, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response};
use pipeline_proto::{Fault, FaultKind, Phase};
use ureq::{
    Error, Timeout,
    unversioned::transport::{ConnectionDetails, Connector, DefaultConnector, Transport},
};

use crate::resolver::CachingResolver;

#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    pub(crate) agent: ureq::Agent,
    pub(crate) resolver: CachingResolver,
    pub(crate) max_response_size: usize,
}

impl Exchange {
    /// Sends the request and takes the whole answer in, within the time-out.
    pub(crate) fn run(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, Fault> {
        if timeout.is_zero() {
            return Err(Fault::new(FaultKind::NotSent).timed_out(Phase::Connect));
        }
        self.exchange(request, timeout).inspect_err(|fault| {
            if fault.kind() == FaultKind::NotSent {
                self.resolver.forget();
            }
        })
    }

    fn exchange(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, Fault> {
        let (parts, body) = request.into_parts();
        // ureq frames an empty slice and the unit body in opposite ways for methods with and without
        // a body; each gets the one that adds nothing to what the headers say.
        let answer =
            if body.is_empty() && parts.method != Method::POST && parts.method != Method::PUT {
                let request = Request::from_parts(parts, ());
                let request = self
                    .agent
                    .configure_request(request)
                    .timeout_per_call(Some(timeout))
                    .build();
                self.agent.run(request)
            } else {
                let request = Request::from_parts(parts, &body[..]);
                let request = self
                    .agent
                    .configure_request(request)
                    .timeout_per_call(Some(timeout))
                    .build();
                self.agent.run(request)
            };
        let (parts, body) = answer.map_err(fault)?.into_parts();
        let body = self.take_in(body)?;
        Ok(Response::from_parts(parts, body))
    }

    /// Reads the body into a buffer of its declared size, so that nothing is copied twice.
    fn take_in(&self, mut body: ureq::Body) -> Result<Bytes, Fault> {
        let limit = self.max_response_size;
        let declared = body
            .content_length()
            .map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        if declared.is_some_and(|length| length > limit) {
            return Err(Fault::new(FaultKind::BodyTooLarge));
        }
        let mut buffer = Vec::with_capacity(declared.unwrap_or(0));
        let mut reader = body
            .as_reader()
            .take(u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1));
        reader
            .read_to_end(&mut buffer)
            .map_err(|error| fault(Error::from(error)))?;
        if buffer.len() > limit {
            return Err(Fault::new(FaultKind::BodyTooLarge));
        }
        Ok(buffer.into())
    }
}

/// What an error of ureq says about the request. Whatever is not known to have happened before the
/// first byte left counts as after it.
fn fault(error: Error) -> Fault {
    let phase = match &error {
        Error::Timeout(Timeout::Resolve) => Some((FaultKind::NotSent, Phase::Resolve)),
        Error::Timeout(Timeout::Connect) => Some((FaultKind::NotSent, Phase::Connect)),
        Error::Timeout(Timeout::SendRequest | Timeout::SendBody) => {
            Some((FaultKind::TimedOut, Phase::Send))
        }
        Error::Timeout(Timeout::RecvBody) => Some((FaultKind::TimedOut, Phase::Body)),
        Error::Timeout(_) => Some((FaultKind::TimedOut, Phase::Response)),
        _ => None,
    };
    if let Some((kind, phase)) = phase {
        return Fault::new(kind).timed_out(phase);
    }
    match error {
        Error::HostNotFound | Error::BadUri(_) | Error::InvalidProxyUrl | Error::TlsRequired => {
            Fault::new(FaultKind::NotSent).source(error)
        }
        Error::Other(inner) => match inner.downcast::<NotConnected>() {
            Ok(not_connected) => not_connected.into_fault(),
            Err(inner) => Fault::new(FaultKind::Interrupted).source(inner),
        },
        Error::Io(error) => match error.downcast::<NotConnected>() {
            Ok(not_connected) => not_connected.into_fault(),
            Err(error) => Fault::new(FaultKind::Interrupted).source(error),
        },
        error => Fault::new(FaultKind::Interrupted).source(error),
    }
}

/// ureq's own chain of connectors, whose errors it marks: until it has made a connection, nothing of
/// the request was sent.
#[derive(Debug, Default)]
pub(crate) struct PhaseConnector(DefaultConnector);

impl Connector for PhaseConnector {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        self.0
            .connect(details, chained)
            .map_err(|error| Error::Other(Box::new(NotConnected(error))))
    }
}

/// An error that came before there was a connection.
#[derive(Debug)]
pub(crate) struct NotConnected(pub(crate) Error);

impl NotConnected {
    fn into_fault(self) -> Fault {
        let fault = Fault::new(FaultKind::NotSent);
        match self.0 {
            Error::Timeout(_) => fault.timed_out(Phase::Connect),
            // The connector of a proxy runs the chain again, so the mark may be there twice.
            Error::Other(inner) => match inner.downcast::<Self>() {
                Ok(inner) => inner.into_fault(),
                Err(inner) => fault.source(inner),
            },
            Error::Io(error) => fault.source(error),
            error => fault.source(error),
        }
    }
}

impl fmt::Display for NotConnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for NotConnected {}
