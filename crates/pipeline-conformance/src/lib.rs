//! What the tests of several crates share: both clients behind one trait, a server that plays a
//! script, byte for byte, and the [simulation](sim).
//!
//! ```
//! # #[cfg(feature = "clients")] {
//! use pipeline_conformance::{Driver as _, HyperDriver, Reply, Script};
//!
//! let script = Script::play([Reply::json("200 OK", "[]")]);
//! let client = HyperDriver::new(script.url(), |builder| builder);
//! assert!(client.send(pipeline_proto::operation::ListWorkflows::new()).unwrap().is_empty());
//! assert_eq!(script.requests()[0].target(), "/v2/workflows");
//! # }
//! ```

#[cfg(feature = "clients")]
mod driver;
mod script;
pub mod sim;

#[cfg(feature = "clients")]
pub use driver::{BlockingDriver, Driver, Events, HyperDriver, Settings};
pub use script::{Reply, Request, Script};

/// The code in the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
mod readme {}

/// The code in the Chinese README compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../README.zh-CN.md")]
mod readme_zh {}
