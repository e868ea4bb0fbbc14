//! A blocking client for Qiniu's Pandora pipeline service.
//!
//! No async runtime is in its tree. Everything that is about the protocol (signing, reading responses,
//! deciding on retries) is in [`pipeline_proto`]; this crate moves bytes, and sleeps.
//!
//! ```no_run
//! use pipeline_blocking::Client;
//! use pipeline_blocking::proto::Credentials;
//!
//! let keys = Credentials::new("my-access-key", std::env::var("PANDORA_SECRET_KEY")?)?;
//! let client = Client::builder().credentials(keys).build()?;
//! for workflow in client.list_workflows().send()? {
//!     println!("{} {}", workflow.name, workflow.status);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! There is a method for each operation; [`Client::send`] takes any, also one of your own. A call
//! ends within its time-outs, which are finite unless you make them otherwise: connecting 10 s, an
//! attempt 30 s, a call with all its attempts 2 min.
//!
//! What a client does can be watched by an [observer](proto::observe), for metrics for example. With the
//! feature `tracing` there is a span for each wait, each call and each attempt.
//!
//! A [`Client`] is cheap to clone and can be used from many threads. Connections are kept and used
//! again. No redirect is followed, because the signature would go with it.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod client;
mod connect;
mod deadline;
mod idle;
mod request;
mod resolve;
mod response;
#[cfg(feature = "shipper")]
mod shipper;
mod stream;
mod tls;
mod transport;
mod turns;
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
pub use stream::Socket;
pub use transport::{Transport, TransportBuilder};
pub use wait::Wait;
