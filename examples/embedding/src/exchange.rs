//! One request and its response over a socket that never blocks.

use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use pipeline_proto::{Fault, FaultKind, Phase};

use crate::http1;

/// Larger answers are not taken.
const LARGEST_ANSWER: usize = 64 * 1024 * 1024;

/// A request on its way, or its response.
pub struct Exchange {
    stream: TcpStream,
    request: Vec<u8>,
    sent: usize,
    answer: Vec<u8>,
}

impl Exchange {
    /// Connects. This blocks, at most for `timeout`: the standard library knows no other way.
    ///
    /// # Errors
    ///
    /// If there is no connection.
    pub fn begin(
        address: SocketAddr,
        request: &Request<Bytes>,
        timeout: Duration,
    ) -> Result<Self, Fault> {
        let connect = || {
            let stream = TcpStream::connect_timeout(&address, timeout)?;
            stream.set_nonblocking(true)?;
            Ok(stream)
        };
        let stream = connect().map_err(|error: io::Error| match error.kind() {
            ErrorKind::TimedOut => Fault::new(FaultKind::NotSent).timed_out(Phase::Connect),
            _ => Fault::new(FaultKind::NotSent).with_source(error),
        })?;
        Ok(Self {
            stream,
            request: http1::encode(request),
            sent: 0,
            answer: Vec::new(),
        })
    }

    /// Goes as far as it can without waiting. `None` if there is more to do.
    pub fn advance(&mut self) -> Option<Result<Response<Bytes>, Fault>> {
        while self.sent < self.request.len() {
            match self.stream.write(&self.request[self.sent..]) {
                Ok(0) => return Some(Err(self.broken(ErrorKind::WriteZero.into()))),
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Some(Err(self.broken(error))),
            }
        }
        let mut chunk = [0; 16 * 1024];
        loop {
            let ended = match self.stream.read(&mut chunk) {
                Ok(count) => {
                    self.answer.extend_from_slice(&chunk[..count]);
                    count == 0
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Some(Err(self.broken(error))),
            };
            if self.answer.len() > LARGEST_ANSWER {
                return Some(Err(Fault::new(FaultKind::BodyTooLarge)));
            }
            match http1::decode(&self.answer, ended) {
                Ok(None) => {}
                Ok(Some(response)) => return Some(Ok(response)),
                Err(error) => {
                    return Some(Err(Fault::new(FaultKind::Interrupted).with_source(error)));
                }
            }
        }
    }

    /// The fault for a connection that broke. It matters whether the service can have seen anything.
    fn broken(&self, error: io::Error) -> Fault {
        let kind = match self.sent {
            0 => FaultKind::NotSent,
            _ => FaultKind::Interrupted,
        };
        Fault::new(kind).with_source(error)
    }

    /// The fault for an exchange that took too long.
    pub fn timed_out(&self) -> Fault {
        let phase = match self.answer.len() {
            _ if self.sent < self.request.len() => Phase::Send,
            0 => Phase::Response,
            _ => Phase::Body,
        };
        Fault::new(FaultKind::TimedOut).timed_out(phase)
    }
}
