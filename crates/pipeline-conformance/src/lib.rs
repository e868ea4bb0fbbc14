//! The bed of tests that hold both transports to the same cases: both clients behind one trait, and servers that
//! play a script, byte for byte.
//!
//! ```
//! use pipeline_conformance::{Driver as _, HyperDriver, Reply, Script};
//!
//! let script = Script::play([Reply::json("200 OK", "[]")]);
//! let client = HyperDriver::new(script.url(), |builder| builder);
//! assert!(client.send(pipeline_proto::resource::workflow::ListWorkflows::new()).unwrap().is_empty());
//! assert_eq!(script.requests()[0].target(), "/v2/workflows");
//! ```

mod driver;
mod relay;
mod script;

pub use driver::{BlockingDriver, Driver, Events, HyperDriver, Settings, is_like, words};
pub use relay::{Identity, Relay, Speaks, Special};
pub use script::{BlackHole, Reply, Request, Script};

/// Rows of a table of cases, one a line: `"what it is called" => what, it, is;`.
#[macro_export]
macro_rules! cases {
    ($($name:expr => $($part:expr),+;)+) => { [$(($name, $($part),+)),+] };
}

/// The code in the READMEs and in the pages of the book compiles and runs. The test `pages` sees to
/// it that none is missing.
#[cfg(doctest)]
mod pages {
    macro_rules! pages {
        ($($name:ident $path:literal)*) => {
            $(#[doc = include_str!($path)] mod $name {})*
        };
    }
    pages! {
        readme "../../../README.md"
        readme_zh "../../../README.zh-CN.md"
        choosing_a_crate "../../../docs/choosing-a-crate.md"
        embedding_the_core "../../../docs/embedding-the-core.md"
        everyday_programs "../../../docs/everyday-programs.md"
        migrating "../../../docs/migrating.md"
        property_tests "../../../docs/property-tests.md"
        quick_start "../../../docs/quick-start.md"
        quick_start_zh "../../../docs/quick-start.zh-CN.md"
        retries_and_cancellation "../../../docs/retries-and-cancellation.md"
        schema_free "../../../docs/schema-free.md"
        shipping "../../../docs/shipping.md"
        shipping_zh "../../../docs/shipping.zh-CN.md"
        tokens "../../../docs/tokens.md"
        watching_calls "../../../docs/watching-calls.md"
    }
}
