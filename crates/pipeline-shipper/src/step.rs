//! What a shipper says: what to do next, and what it does not take.

use std::{fmt, time::Duration};

use bytes::Bytes;
use pipeline_proto::{
    CallOptions, RepoName, RetryPolicy,
    points::PointError,
    resource::push::{Payload, PushPoints, Tags},
};

use crate::{ask::Ask, settings::Before, verdict::Verdicts};

/// What is to be done next.
#[derive(Debug)]
#[must_use = "it is what has to be done next"]
pub enum Step<I> {
    /// Make this request, and tell [`Shipper::on_result`](crate::Shipper::on_result) what came of it. Others may be due at the same time.
    Push(Push),
    /// Make this call, and tell [`Shipper::on_reply`](crate::Shipper::on_reply) what came of it. Only with
    /// [`schema_free`](crate::Settings::schema_free).
    Ask(Ask),
    /// Tell whoever pushed the records, then [`Shipper::on_told`](crate::Shipper::on_told).
    Settled(Verdicts<I>),
    /// Nothing for so long, or for ever, unless something is pushed or a request ends; then look again.
    Wait(Option<Duration>),
    /// The shipper is closed and everything has a verdict.
    Done,
}

/// A request to be made.
#[must_use = "say what became of it"]
pub struct Push {
    pub(crate) number: u64,
    pub(crate) sent: Duration,
    pub(crate) repo: RepoName,
    pub(crate) text: Bytes,
    pub(crate) tags: Option<Tags>,
    pub(crate) gzip: Option<u32>,
    pub(crate) before: Before,
    pub(crate) calls: CallOptions,
}

impl Push {
    /// The operation, compressed if that is asked for: the one thing here that takes time, some 10 ms for 2 MiB. With a
    /// buffer on the disk, it waits for that.
    pub fn operation(&self) -> PushPoints {
        if let Some(act) = &self.before.0 {
            act();
        }
        let payload = match self.gzip {
            #[cfg(feature = "gzip")]
            Some(level) => Payload::gzip_level(&self.text, level),
            _ => Payload::from(self.text.clone()),
        };
        let push = PushPoints::new(self.repo.clone(), payload);
        match &self.tags {
            Some(tags) => push.tags(tags.clone()),
            None => push,
        }
    }

    /// Whether [`operation`](Self::operation) takes time.
    pub fn takes_time(&self) -> bool {
        self.gzip.is_some() || self.before.0.is_some()
    }

    /// The options to send it with. The call makes a single attempt: it is the shipper that tries again.
    pub fn options(&self) -> CallOptions {
        self.calls.clone().retry(RetryPolicy::none())
    }
}

impl fmt::Debug for Push {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Push")
            .field("number", &self.number)
            .field("bytes", &self.text.len())
            .finish_non_exhaustive()
    }
}

/// A record that was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotTaken<I> {
    /// Its id, given back.
    pub id: I,
    /// Why.
    pub why: WhyNot,
}

/// Why a record was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhyNot {
    /// There is no room: come again when a request has ended. That is not before this delay.
    Full(Duration),
    /// The shipper is closed.
    Closed,
}

impl fmt::Display for WhyNot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(Duration::ZERO) => {
                f.write_str("the shipper is full: come again when a request has ended")
            }
            Self::Full(delay) => write!(f, "the shipper is full: come again in {delay:?} or later"),
            Self::Closed => f.write_str("the shipper is closed"),
        }
    }
}

impl<I: fmt::Debug> fmt::Display for NotTaken<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(f)
    }
}

impl<I: fmt::Debug> std::error::Error for NotTaken<I> {}

/// Why a record was not sent.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum SendError {
    /// It cannot be written as a point.
    Point(PointError),
    /// It was not taken.
    NotTaken(WhyNot),
}

impl From<PointError> for SendError {
    fn from(error: PointError) -> Self {
        Self::Point(error)
    }
}

impl<I> From<NotTaken<I>> for SendError {
    fn from(refused: NotTaken<I>) -> Self {
        Self::NotTaken(refused.why)
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Point(error) => error.fmt(f),
            Self::NotTaken(why) => why.fmt(f),
        }
    }
}

impl std::error::Error for SendError {}

/// A point in the row of records: see [`Shipper::flush`](crate::Shipper::flush).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flush(pub(crate) u64);
