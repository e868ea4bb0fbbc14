//! What both clients have in common below the protocol: how they are told to reach the service, whom they
//! trust, and what a failed TLS handshake means. So they take the same settings, trust the same and say the
//! same.
//!
//! Without the feature `tls`, on by default, they speak plain HTTP only, as on loopback or behind a sidecar.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod failure;
mod settings;
#[cfg(feature = "tls")]
mod trust;

pub use failure::{TlsFailure, TlsProblem};
#[cfg(feature = "tls")]
pub use rustls;
pub use settings::{ConfigError, Settings, check_target, from_env, host_header};
#[cfg(feature = "tls")]
pub use trust::{Trust, TrustError, check};
