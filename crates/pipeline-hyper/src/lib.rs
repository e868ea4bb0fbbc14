//! An async client for Qiniu's Pandora pipeline service, on hyper and tokio.
//!
//! Everything that is about the protocol (signing, reading responses, deciding on retries) is in
//! [`pipeline_proto`]; this crate moves bytes and sleeps.
//!
//! ```no_run
//! use pipeline_hyper::Client;
//! use pipeline_hyper::proto::Credentials;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let keys = Credentials::new("my-access-key", std::env::var("PANDORA_SECRET_KEY")?)?;
//! let client = Client::builder().credentials(keys).build()?;
//! let workflow = client.get_workflow("nginx_logs").await?;
//! println!("{} {}", workflow.name, workflow.status);
//! # Ok(())
//! # }
//! ```
//!
//! There is a method for each operation; [`Client::send`] takes any, also one of your own. A call
//! ends within its time-outs, which are finite unless you make them otherwise: connecting 10 s, an
//! attempt 30 s, a call with all its attempts 2 min.
//!
//! What a client does can be watched by an [observer](proto::observe), for metrics for example. With the
//! feature `tracing` there is a span for each wait, each call and each attempt.
//!
//! With the feature `http2` a server is offered HTTP/2 in the TLS handshake. Where it agrees, all requests share
//! one connection; without TLS nothing changes.
//!
//! A [`Client`] is cheap to clone. Connections are kept and used again. No redirect is followed,
//! because the signature would go with it. It needs a tokio runtime with time and IO.
//!
//! # Cancelling
//!
//! Dropping a future of this crate cancels the call and leaves the client usable. What the call may
//! have done by then:
//!
//! | dropped | effect |
//! |---|---|
//! | before it was first polled | none |
//! | while connecting, or between two attempts of an operation that reads | none |
//! | after the request was sent | unknown: the service may act on a request whose sender is gone |
//!
//! For create, start, stop, update, push and delete, look what the service shows before repeating a call
//! that was dropped. For all others it does not matter.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod client;
mod connector;
#[cfg(feature = "http2")]
mod http2;
mod pool;
mod request;
#[cfg(feature = "shipper")]
mod shipper;
mod tls;
mod transport;
mod wait;

pub use builder::ClientBuilder;
pub use bytes;
pub use client::Client;
pub use http;
pub use pipeline_proto as proto;
#[cfg(feature = "shipper")]
pub use pipeline_shipper as shipping;
pub use pipeline_transport::ConfigError;
pub use request::Request;
#[cfg(feature = "buffer")]
#[cfg_attr(docsrs, doc(cfg(feature = "buffer")))]
pub use shipper::buffered::{BufferedBuilder, BufferedShipper};
#[cfg(feature = "shipper")]
pub use shipper::{Shipper, ShipperBuilder};
pub use transport::{Transport, TransportBuilder};
pub use wait::Wait;
