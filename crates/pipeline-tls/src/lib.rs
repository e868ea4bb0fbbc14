//! Whom the clients trust, and what a failed TLS handshake means. Both transports take their
//! [configuration](client_config) from here, so that they trust the same and say the same.
//!
//! What they trust comes with them, a list of roots compiled in, and what the user adds: certificates
//! of authorities, or of a server itself.

mod failure;
mod trust;

pub use failure::{TlsFailure, TlsProblem};
pub use rustls;
pub use trust::{TrustError, check, client_config};
