use std::time::Duration;

/// What a [`InjectedFault`](crate::InjectedFault) wants of the network that carries a response.
///
/// [`handle`](crate::Emulator::handle) does no IO, so it leaves this in the extensions of its response.
/// The [server](crate::server) acts on it; so can whoever simulates a network:
///
/// ```
/// use bytes::Bytes;
/// use http::Request;
/// use pipeline_emulator::{Emulator, InjectedFault, Interruption, NetworkFault};
/// use pipeline_proto::Now;
/// use std::time::{Duration, SystemTime};
///
/// let mut emulator = Emulator::builder().build();
/// emulator.inject(InjectedFault::pass().latency(Duration::from_secs(2)).truncate_at(10));
/// let now = Now::new(SystemTime::UNIX_EPOCH, Duration::ZERO);
/// let answer = emulator.handle(Request::get("/v2/workflows").body(Bytes::new())?, now);
///
/// let fault = answer.extensions().get::<NetworkFault>().unwrap();
/// let arrives = now + fault.latency;
/// let Some(Interruption::Truncate { at }) = fault.interruption else { panic!() };
/// let seen = answer.body().slice(..at.min(answer.body().len()));
/// assert_eq!(seen, r#"{"error":""#);
/// # drop(arrives);
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct NetworkFault {
    /// How long the response is under way. What the request asked for has happened before.
    pub latency: Duration,
    /// How the response comes to its end before its time.
    pub interruption: Option<Interruption>,
}

/// How a response comes to its end before its time. Bytes are those of the body; one that is not
/// longer than that arrives whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Interruption {
    /// After so many bytes nothing more comes, and the connection stays open.
    Stall {
        /// Bytes that arrive.
        at: usize,
    },
    /// After so many bytes the connection is closed in good order.
    Truncate {
        /// Bytes that arrive.
        at: usize,
    },
    /// After so many bytes the connection is reset.
    ResetAt {
        /// Bytes that arrive.
        at: usize,
    },
    /// The connection is reset in place of a response, of which nothing arrives, not even the status.
    Reset,
}
