//! The core in a runtime of one's own: many calls at once, in one thread, on nothing but the
//! standard library.
//!
//! ```
//! use pipeline_embedding_example::Runtime;
//! use pipeline_proto::{CallOptions, Context, ErrorKind, resource::workflow::ListWorkflows};
//!
//! // Nobody listens on this port.
//! let context = Context::builder().endpoint("http://127.0.0.1:1".parse()?).build();
//! let mut runtime = Runtime::new(context)?;
//! let list = runtime.spawn(ListWorkflows::new(), CallOptions::new())?;
//! runtime.run();
//! let error = list.take().expect("every call has ended").unwrap_err();
//! assert_eq!((error.kind(), error.attempts()), (ErrorKind::Network, 3));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! `docs/embedding-the-core.md` walks through it.

mod exchange;
pub mod http1;
mod runtime;
mod task;

pub use exchange::Exchange;
pub use runtime::{Runtime, resolve};
pub use task::Handle;
