//! One call, from the operation to its result, as a state machine that does no IO.
//!
//! ```text
//! Call --start(now)--> Attempt --send()--> (Request, InFlight)
//!                         ^                      |
//!                         |        on_response(response, now) or on_fault(fault, now)
//!                         |                      |
//!                         |                      v
//!                         +--resume(now)-- Next::Retry(Backoff)
//!                                          Next::Done(Result)
//! ```
//!
//! Each step consumes the one before, so a step cannot be taken twice or left out. A driver for any
//! transport is these few lines; both clients of this workspace are made of them:
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use pipeline_proto::{Call, CallOptions, Context, Error, Fault, Next, Now, Operation};
//! use std::time::Duration;
//!
//! fn drive<O: Operation>(
//!     context: &Context,
//!     operation: O,
//!     mut exchange: impl FnMut(Request<Bytes>, Duration) -> Result<Response<Bytes>, Fault>,
//!     mut sleep: impl FnMut(Duration),
//!     mut now: impl FnMut() -> Now,
//! ) -> Result<O::Output, Error> {
//!     let mut attempt = Call::new(context, operation, CallOptions::new())?.start(now());
//!     loop {
//!         let (request, in_flight) = attempt.send();
//!         let next = match exchange(request, in_flight.timeout()) {
//!             Ok(response) => in_flight.on_response(response, now()),
//!             Err(fault) => in_flight.on_fault(fault, now()),
//!         };
//!         match next {
//!             Next::Done(result) => return result,
//!             Next::Retry(backoff) => {
//!                 sleep(backoff.delay());
//!                 attempt = backoff.resume(now())?;
//!             }
//!         }
//!     }
//! }
//! ```

mod auth;
mod clock;
mod context;
mod date;
mod debug;
mod machine;
mod options;
mod policy;
mod stamp;
mod unpack;

pub use auth::Auth;
pub use context::{Context, ContextBuilder};
pub use machine::{Attempt, Backoff, Call, InFlight, Next};
pub use options::{CallOptions, ResourceOwner};
pub use policy::RetryPolicy;
