//! Ships records into a message queue, without IO.
//!
//! A [`Shipper`] is a state machine, as a [call](pipeline_proto::call) is one: records and moments in time go
//! in; requests to make, times to wait and a verdict for each record come out. Both clients of this workspace
//! drive it, with their feature `shipper`. Whoever drives it alone needs these few lines:
//!
//! ```
//! use pipeline_proto::{CallOptions, Error, Now, resource::push::PushPoints};
//! use pipeline_shipper::{Call, Reply, Shipper, Step, Verdict};
//! use std::time::Duration;
//!
//! fn drive<I>(
//!     shipper: &mut Shipper<I>,
//!     mut send: impl FnMut(PushPoints, CallOptions) -> Result<(), Error>,
//!     // Only where records without a schema are shipped.
//!     mut call: impl FnMut(Call, CallOptions) -> Result<Reply, Error>,
//!     mut sleep: impl FnMut(Option<Duration>),
//!     mut tell: impl FnMut(Verdict<I>),
//!     mut now: impl FnMut() -> Now,
//! ) {
//!     loop {
//!         match shipper.poll(now()) {
//!             Step::Push(push) => {
//!                 let result = send(push.operation(), push.options());
//!                 shipper.on_result(push, result, now());
//!             }
//!             Step::Ask(ask) => {
//!                 let result = call(ask.operation(), ask.options());
//!                 shipper.on_reply(ask, result, now());
//!             }
//!             Step::Settled(mut verdicts) => {
//!                 verdicts.by_ref().for_each(&mut tell);
//!                 shipper.on_told(verdicts);
//!             }
//!             Step::Wait(delay) => sleep(delay),
//!             Step::Done => return,
//!         }
//!     }
//! }
//!
//! # use pipeline_shipper::{Outcome, Settings};
//! # use std::time::UNIX_EPOCH;
//! # let now = Now::new(UNIX_EPOCH, Duration::ZERO);
//! let mut shipper = Shipper::new("clicks".parse()?, Settings::new());
//! shipper.try_push("first", b"url=/a\tbytes=7", now).unwrap();
//! shipper.try_push("second", b"url=/b\tbytes=9", now).unwrap();
//! shipper.close(Duration::from_secs(5), now);
//! let mut told = Vec::new();
//! drive(&mut shipper, |_, _| Ok(()), |_, _| Ok(Reply::Done), |_| {}, |verdict| told.push(verdict.id), || now);
//! assert_eq!(told, ["first", "second"]);
//! # Ok::<(), pipeline_proto::NameError>(())
//! ```
//!
//! # What is promised
//!
//! - Each record that was taken gets exactly one [`Verdict`], by the id that came with it. Nothing is dropped in
//!   silence: what cannot be taken is refused at once, by [`Shipper::try_push`].
//! - [`Outcome::Accepted`] means that the service confirmed the request that the record was in. A record may
//!   arrive twice, when a response was lost: at least once, as nothing in the protocol allows more.
//! - [`Outcome::Dead`] means that the service refuses this record, or refuses the push whatever is in it, or
//!   would do so; it says why, and hands the record back. Of n records in a batch with k bad ones, k are dead, after at most
//!   2k(⌈log₂ n⌉ + 1) + 1 requests, and all others are accepted.
//! - What may pass is tried again for ever, unless there is a [deadline](Settings::deadline). All requests share
//!   one back-off, so that a service that is away is asked by one request at a time.
//! - With [`ordered`](Settings::ordered), one request is in flight at a time and what is accepted is in the order
//!   in which it was pushed.
//! - The records held, with their ids, take no more than [`memory`](Settings::memory).
//! - With [`schema_free`](Settings::schema_free), records are JSON objects. No point is sent that the schema of the queue,
//!   as it was read last, does not take. Fields that it does not have are added to it before.
//! - Read = accepted + dead + given up + pending, in records and bytes, [at any moment](Shipper::books).

#![cfg_attr(docsrs, feature(doc_cfg))]

mod ask;
mod batch;
mod books;
#[cfg(feature = "buffer")]
#[cfg_attr(docsrs, doc(cfg(feature = "buffer")))]
pub mod buffer;
mod client;
#[doc(hidden)]
pub mod desk;
pub mod exports;
#[cfg(feature = "follow")]
#[cfg_attr(docsrs, doc(cfg(feature = "follow")))]
pub mod follow;
mod judge;
mod limit;
mod observe;
mod pace;
mod schema_free;
mod settings;
mod shipper;
mod step;
mod verdict;

pub use ask::{Ask, Call, Reply};
pub use books::{Books, Count};
pub use observe::Event;
#[doc(hidden)]
pub use pipeline_proto as proto;
pub use settings::{SchemaFree, Settings, UnknownFields};
pub use shipper::Shipper;
pub use step::{Flush, NotTaken, Push, SendError, Step, WhyNot};
pub use verdict::{Outcome, Reason, Verdict, Verdicts};
