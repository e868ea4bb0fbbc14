//! The protocol of Qiniu's Pandora pipeline service, without IO.
//!
//! An [`Operation`] plus a moment in time gives an `http::Request<Bytes>`, signed; an
//! `http::Response<Bytes>` plus a moment in time gives the next step: done, or wait this long and
//! send again. This crate never reads a clock, opens a socket, spawns, logs or rolls dice, so the
//! same few lines drive it from any runtime, and a test drives it without waiting.
//!
//! ```
//! use bytes::Bytes;
//! use http::Response;
//! use pipeline_proto::resource::workflow::GetWorkflow;
//! use pipeline_proto::{Call, CallOptions, Context, Credentials, Next, Now, WorkflowName};
//! use std::time::{Duration, UNIX_EPOCH};
//!
//! let context = Context::builder().credentials(Credentials::new("ak", "sk")?).build();
//! let now = Now::new(UNIX_EPOCH + Duration::from_secs(784_111_777), Duration::ZERO);
//!
//! let get = GetWorkflow::new(WorkflowName::from_static("logs"));
//! let attempt = Call::new(&context, get, CallOptions::new())?.start(now);
//! let (request, in_flight) = attempt.send();
//! assert_eq!(request.uri(), "https://pipeline.qiniu.com/v2/workflows/logs");
//! assert_eq!(request.headers()["date"], "Sun, 06 Nov 1994 08:49:37 GMT");
//!
//! // Send it by whatever means, and say what came back and when.
//! let response = Response::new(Bytes::from_static(br#"{"name":"logs","status":"Ready"}"#));
//! let Next::Done(result) = in_flight.on_response(response, now + Duration::from_millis(20)) else {
//!     unreachable!("a response with status 200 ends the call");
//! };
//! assert_eq!(result?.status.as_str(), "Ready");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | you want to | look at |
//! |---|---|
//! | drive a call with your own transport | [`call`] |
//! | see what can be asked | [`operation`] |
//! | read a response | [`model`] |
//! | read or write what a node does | [`resource`] |
//! | write and read points, the records of queues | [`points`] |
//! | name something, by the rule of its kind | [`name`] |
//! | find out what went wrong | [`error`] |
//! | wait for a status | [`wait`] |
//! | watch calls, for metrics or logs | [`observe`] |
//! | sign a request made elsewhere | [`sign`] |
//! | give a device a permission without a key | [`token`] |
//! | find out which proxy an endpoint is reached by | `proxy`, with the feature `proxy` |
//! | test a program that makes requests | `strategies`, with the feature `proptest` |

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod call;
mod client;
mod credentials;
#[doc(hidden)]
pub mod describe;
mod endpoint;
pub mod error;
mod header;
pub mod model;
pub mod name;
pub mod observe;
pub mod operation;
pub mod points;
#[cfg(feature = "proxy")]
pub mod proxy;
pub mod resource;
pub mod sign;
#[cfg(feature = "proptest")]
pub mod strategies;
pub mod time;
pub mod token;
pub mod wait;
mod word;

pub use call::{
    Attempt, Auth, Backoff, Call, CallOptions, Context, ContextBuilder, InFlight, Next,
    ResourceOwner, RetryPolicy,
};
pub use credentials::{Credentials, CredentialsError};
pub use endpoint::{Endpoint, EndpointError};
pub use error::{
    ApiError, BuildError, Cause, CodeInfo, DecodeError, Effect, Error, ErrorCode, ErrorKind, Fault,
    FaultKind, ParseCodeError, Phase, RefusalCause, RetryReason, StopReason,
};
pub use name::{NameError, NodeName, Region, RepoName, TransformName, WorkflowName};
pub use operation::{Idempotency, Operation, RequestTemplate};
pub use sign::SignError;
pub use time::{ClockOffset, Now, Uncorrected, UnixTime};
pub use token::{Token, TokenDescriptor, TokenError};
pub use word::ParseWordError;
