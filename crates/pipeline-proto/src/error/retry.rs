use std::fmt;

use http::StatusCode;

use super::FaultKind;
use crate::time::ClockOffset;

/// Why a call is tried again.
///
/// ```
/// use pipeline_proto::{FaultKind, RetryReason};
///
/// let reason = RetryReason::Status(http::StatusCode::SERVICE_UNAVAILABLE);
/// assert_eq!(reason.to_string(), "HTTP 503");
/// assert_eq!(RetryReason::Fault(FaultKind::NotSent).to_string(), "no connection");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryReason {
    /// There was no whole response.
    Fault(FaultKind),
    /// The service answered with an error that may pass.
    Status(StatusCode),
    /// The signature was refused because the clocks differ; the next one is made with the service's
    /// time.
    Clock(ClockOffset),
    /// The service does not know the request; the next one shows the same, see
    /// [`Operation::fallback`](crate::Operation::fallback).
    Fallback(StatusCode),
}

impl fmt::Display for RetryReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(kind) => kind.meaning().fmt(f),
            Self::Status(status) => write!(f, "HTTP {}", status.as_u16()),
            Self::Clock(offset) => offset.fmt(f),
            Self::Fallback(status) => write!(
                f,
                "the service does not know this request (HTTP {}); another shows the same",
                status.as_u16()
            ),
        }
    }
}
