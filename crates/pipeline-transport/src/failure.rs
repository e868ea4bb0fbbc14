#[cfg(feature = "tls")]
use std::time::{Duration, SystemTime};
use std::{error::Error as StdError, fmt, io};

use pipeline_proto::{Fault, FaultKind};
#[cfg(feature = "tls")]
use rustls::{AlertDescription, CertificateError, Error};
#[cfg(feature = "tls")]
use rustls_pki_types::UnixTime;

/// Why a TLS handshake failed. Nothing of the request was sent by then.
///
/// ```
/// # #[cfg(feature = "tls")] {
/// use pipeline_transport::{TlsFailure, TlsProblem, rustls::{CertificateError, Error}};
///
/// let error = Error::InvalidCertificate(CertificateError::UnknownIssuer);
/// let failure = TlsFailure::new("x.test", &error);
/// assert_eq!(failure.problem(), TlsProblem::Authority);
/// assert_eq!(failure.to_string(), "the certificate of x.test is signed by no authority that is trusted");
/// assert!(failure.into_fault().is_permanent());
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFailure {
    problem: TlsProblem,
    text: String,
}

/// What is to be mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TlsProblem {
    /// The certificate is signed by nobody who is trusted, or by itself.
    Authority,
    /// The certificate is for another host.
    Host,
    /// The certificate is not valid at the time that this machine's clock shows.
    Time,
    /// Something else is wrong with the certificate.
    Certificate,
    /// What answers speaks no TLS, or none that is spoken here.
    Protocol,
    /// The connection broke; it may be different the next time.
    Connection,
}

impl TlsFailure {
    /// What an error of the handshake with this peer means: one of rustls, or of IO with one of rustls in
    /// it.
    pub fn new(peer: &str, error: &(dyn StdError + 'static)) -> Self {
        let mut below = Some(error);
        while let Some(error) = below {
            #[cfg(feature = "tls")]
            if let Some(error) = error.downcast_ref::<Error>() {
                return Self::of(peer, error);
            }
            // An error of IO hides the one that it wraps, and shows what lies below that.
            below = match error
                .downcast_ref::<io::Error>()
                .and_then(io::Error::get_ref)
            {
                Some(inner) => Some(inner),
                None => error.source(),
            };
        }
        Self {
            problem: TlsProblem::Connection,
            text: format!("the connection to {peer} broke while agreeing on TLS: {error}"),
        }
    }

    #[cfg(feature = "tls")]
    fn of(peer: &str, error: &Error) -> Self {
        let (problem, text) = match error {
            Error::InvalidCertificate(error) => certificate(peer, error),
            Error::InvalidMessage(_) => (
                TlsProblem::Protocol,
                format!("what answers at {peer} does not speak TLS"),
            ),
            Error::AlertReceived(
                alert @ (AlertDescription::HandshakeFailure
                | AlertDescription::ProtocolVersion
                | AlertDescription::UnrecognisedName
                | AlertDescription::CertificateRequired
                | AlertDescription::InsufficientSecurity),
            ) => (
                TlsProblem::Protocol,
                format!("{peer} refuses the TLS of this client ({alert:?})"),
            ),
            Error::PeerIncompatible(what) => (
                TlsProblem::Protocol,
                format!("{peer} offers no TLS that this client speaks ({what:?})"),
            ),
            error => (
                TlsProblem::Connection,
                format!("the TLS handshake with {peer} failed: {error}"),
            ),
        };
        Self { problem, text }
    }

    /// What is to be mended.
    pub fn problem(&self) -> TlsProblem {
        self.problem
    }

    /// Whether a further attempt would end the same way.
    pub fn is_permanent(&self) -> bool {
        self.problem != TlsProblem::Connection
    }

    /// As a transport reports it.
    pub fn into_fault(self) -> Fault {
        let permanent = self.is_permanent();
        let fault = Fault::new(FaultKind::NotSent).with_source(self);
        if permanent { fault.permanent() } else { fault }
    }
}

#[cfg(feature = "tls")]
fn certificate(peer: &str, error: &CertificateError) -> (TlsProblem, String) {
    let (problem, what) = match error {
        CertificateError::UnknownIssuer => (
            TlsProblem::Authority,
            "is signed by no authority that is trusted".to_owned(),
        ),
        CertificateError::BadSignature => (
            TlsProblem::Authority,
            "is not signed by the authority that it names".to_owned(),
        ),
        CertificateError::NotValidForName => (TlsProblem::Host, "is for another host".to_owned()),
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names = presented.join(", ");
            let names = if names.is_empty() { "no host" } else { &names };
            (TlsProblem::Host, format!("is for another host: {names}"))
        }
        CertificateError::Expired => (TlsProblem::Time, "has expired".to_owned()),
        CertificateError::ExpiredContext { time, not_after } => (
            TlsProblem::Time,
            format!(
                "expired on {}; this machine's clock shows {}",
                date(*not_after),
                date(*time)
            ),
        ),
        CertificateError::NotValidYet => (TlsProblem::Time, "is not valid yet".to_owned()),
        CertificateError::NotValidYetContext { time, not_before } => (
            TlsProblem::Time,
            format!(
                "is not valid before {}; this machine's clock shows {}",
                date(*not_before),
                date(*time)
            ),
        ),
        // webpki's word for a certificate of an authority that a server shows as its own.
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => (
            TlsProblem::Authority,
            "is self-signed, and not one that is trusted".to_owned(),
        ),
        other => (
            TlsProblem::Certificate,
            format!("cannot be trusted: {other}"),
        ),
    };
    (problem, format!("the certificate of {peer} {what}"))
}

#[cfg(feature = "tls")]
fn date(time: UnixTime) -> String {
    let latest = Duration::from_secs(253_402_300_799);
    let moment = SystemTime::UNIX_EPOCH + Duration::from_secs(time.as_secs()).min(latest);
    httpdate::fmt_http_date(moment)
}

impl fmt::Display for TlsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for TlsFailure {}
