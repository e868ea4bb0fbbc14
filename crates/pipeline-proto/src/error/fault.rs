use std::{
    error::Error as StdError,
    fmt,
    panic::{RefUnwindSafe, UnwindSafe},
    sync::Arc,
};

use super::ErrorKind;
use crate::word::words;

/// What a transport reports instead of a response. The one question that matters is whether the
/// service could have acted.
///
/// ```
/// use pipeline_proto::{Fault, FaultKind, Phase};
///
/// let fault = Fault::new(FaultKind::NotSent).timed_out(Phase::Connect);
/// assert_eq!(fault.to_string(), "no connection: timed out while connecting");
/// ```
#[derive(Debug, Clone)]
pub struct Fault {
    kind: FaultKind,
    phase: Option<Phase>,
    permanent: bool,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

// Whatever the source is, it is only looked at.
impl UnwindSafe for Fault {}
impl RefUnwindSafe for Fault {}

words! {
    /// How far an attempt got.
    ///
    /// ```
    /// use pipeline_proto::{Fault, FaultKind};
    ///
    /// // A transport that lost the connection after it began to send.
    /// let fault = Fault::new(FaultKind::Interrupted).with_source("connection reset");
    /// assert_eq!(fault.kind().as_str(), "interrupted");
    /// assert_eq!(fault.kind().meaning(), "the connection broke before the response was complete");
    /// ```
    #[non_exhaustive]
    pub enum FaultKind: "a kind of fault" {
        /// No byte of the request reached the service, or it says that it did not take it: a name that does
        /// not resolve, a refused connection, a failed TLS handshake, a refused stream of HTTP/2.
        NotSent = "not-sent",
        /// The connection broke after the request, or a part of it, was sent; or the response was cut
        /// short.
        Interrupted = "interrupted",
        /// No whole response came within the time of the attempt.
        TimedOut = "timed-out",
        /// The response is larger than the limit of this side.
        BodyTooLarge = "body-too-large",
    }
}

words! {
    /// What a transport was waiting for when its time was up.
    ///
    /// ```
    /// assert_eq!(pipeline_proto::Phase::Resolve.meaning(), "looking up the host");
    /// ```
    #[non_exhaustive]
    pub enum Phase: "a phase of an attempt" {
        /// The addresses of the host.
        Resolve = "resolve",
        /// The connection.
        Connect = "connect",
        /// The proxy to make a tunnel.
        Proxy = "proxy",
        /// The TLS handshake.
        Tls = "tls",
        /// The request to be taken.
        Send = "send",
        /// The head of the response.
        Response = "response",
        /// The body of the response.
        Body = "body",
    }
}

impl Fault {
    /// A fault of this kind.
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            phase: None,
            permanent: false,
            source: None,
        }
    }

    /// Adds the transport's own error. It must not hold a secret.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into().into());
        self
    }

    /// Says that a time-out was the reason, and of what.
    #[must_use]
    pub fn timed_out(mut self, phase: Phase) -> Self {
        self.phase = Some(phase);
        self
    }

    /// Says that a further attempt would end the same way: a certificate that is not trusted, a proxy
    /// that refuses. The call ends with it.
    #[must_use]
    pub fn permanent(mut self) -> Self {
        self.permanent = true;
        self
    }

    /// Whether a further attempt would end the same way.
    pub fn is_permanent(&self) -> bool {
        self.permanent || self.kind == FaultKind::BodyTooLarge
    }

    /// How far the attempt got.
    pub fn kind(&self) -> FaultKind {
        self.kind
    }

    /// What the transport was waiting for when its time was up, if that was the reason.
    pub fn phase(&self) -> Option<Phase> {
        self.phase
    }

    pub(crate) fn error_kind(&self) -> ErrorKind {
        match self.kind {
            FaultKind::BodyTooLarge => ErrorKind::UnexpectedResponse,
            FaultKind::TimedOut => ErrorKind::Timeout,
            FaultKind::NotSent | FaultKind::Interrupted if self.phase.is_some() => {
                ErrorKind::Timeout
            }
            FaultKind::NotSent | FaultKind::Interrupted => ErrorKind::Network,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.meaning())?;
        match self.phase {
            None => Ok(()),
            Some(phase) => write!(f, ": timed out while {}", phase.meaning()),
        }
    }
}

impl FaultKind {
    /// What happened, as in "no response in time".
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::NotSent => "no connection",
            Self::Interrupted => "the connection broke before the response was complete",
            Self::TimedOut => "no response in time",
            Self::BodyTooLarge => "the response is larger than allowed",
        }
    }
}

impl Phase {
    /// The activity, as in "timed out while connecting".
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Resolve => "looking up the host",
            Self::Connect => "connecting",
            Self::Proxy => "waiting for the proxy",
            Self::Tls => "agreeing on TLS",
            Self::Send => "sending the request",
            Self::Response => "waiting for the response",
            Self::Body => "reading the response",
        }
    }
}

impl StdError for Fault {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
