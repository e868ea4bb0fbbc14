use std::{fmt, sync::Arc, vec};

use bytes::Bytes;
use pipeline_proto::{
    ApiError, Error,
    points::PointError,
    wait::{WaitError, WaitFailure},
};

use crate::{
    batch::{Batch, Record},
    judge::is_about_fields,
};

/// What became of a record.
#[derive(Debug, Clone)]
pub struct Verdict<I = ()> {
    /// The id that came with the record.
    pub id: I,
    /// What became of it.
    pub outcome: Outcome,
    /// The record as it was pushed, with a line feed, to be kept or pushed again; empty if it was accepted. With
    /// [`schema_free`](crate::Settings::schema_free), it is the point that was made of the record, or what was pushed if
    /// none was made; that begins with a brace.
    pub line: Bytes,
}

/// What became of a record.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The service has it, perhaps more than once.
    Accepted,
    /// Pushing it again would be refused again, until somebody changes something: a dead letter.
    Dead(Reason),
    /// It was handed back before there was a final response. Unless the reason says that it was never sent, the
    /// service may have it.
    GivenUp(Reason),
}

/// Why a record was not accepted.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Reason {
    /// It is larger than a request may be; nothing was sent.
    TooLarge {
        /// Its bytes, with the line feed.
        bytes: usize,
        /// The most that are allowed.
        limit: usize,
    },
    /// It is empty, or has a line feed in it and so is more than one record; nothing was sent.
    NotOneLine,
    /// It is no JSON object, or does not fit the schema; nothing was sent.
    Unfit(PointError),
    /// It has fields that the queue does not have, and the service does not let them be added, such as while the
    /// workflow of the queue runs.
    NotAdded(Arc<Error>),
    /// It has fields that the queue does not have, and the workflow of the queue could not be stopped for them.
    NotStopped(Arc<WaitError>),
    /// It has fields that were added to the queue this many times, and were not there afterwards.
    NotKept(u32),
    /// The service refused this record, alone.
    Refused(Arc<Error>),
    /// The service refuses the push, whatever is in it: there is no such queue, or no permission.
    NotWelcome(Arc<Error>),
    /// Its [deadline](crate::Settings::deadline) has passed. With what the last attempt ended with, if there
    /// was one.
    Deadline(Option<Arc<Error>>),
    /// The shipper was closed before. With what the last attempt ended with, if one has ended.
    Closed(Option<Arc<Error>>),
}

impl<I> Verdict<I> {
    /// Whether the service has the record.
    pub fn is_accepted(&self) -> bool {
        matches!(self.outcome, Outcome::Accepted)
    }

    /// Why it was not accepted, if so.
    pub fn reason(&self) -> Option<&Reason> {
        match &self.outcome {
            Outcome::Accepted => None,
            Outcome::Dead(reason) | Outcome::GivenUp(reason) => Some(reason),
        }
    }
}

impl Reason {
    /// The error of the request that failed, if there was one.
    pub fn error(&self) -> Option<&Error> {
        match self {
            Self::TooLarge { .. } | Self::NotOneLine | Self::Unfit(_) | Self::NotKept(_) => None,
            Self::NotStopped(error) => match error.failure() {
                WaitFailure::NotFound(error)
                | WaitFailure::Failed(error)
                | WaitFailure::TimedOut(Some(error)) => Some(error),
                _ => None,
            },
            Self::Refused(error) | Self::NotWelcome(error) | Self::NotAdded(error) => Some(error),
            Self::Deadline(last) | Self::Closed(last) => last.as_deref(),
        }
    }

    /// Whether others may get the fields that they need, where these were refused.
    pub(crate) fn is_about_fields(&self) -> bool {
        matches!(self, Self::NotAdded(error) if is_about_fields(error))
    }

    /// The error, where it is shared.
    pub(crate) fn shared(&self) -> Option<Arc<Error>> {
        match self {
            Self::Refused(error) | Self::NotWelcome(error) | Self::NotAdded(error) => {
                Some(Arc::clone(error))
            }
            _ => self.error().cloned().map(Arc::new),
        }
    }

    /// What the service said: its code, message and request id.
    pub fn api(&self) -> Option<&ApiError> {
        self.error()?.api()
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = |f: &mut fmt::Formatter<'_>, last: &Option<Arc<Error>>| match last {
            Some(error) => write!(f, "; the last attempt ended with: {error}"),
            None => Ok(()),
        };
        match self {
            Self::TooLarge { bytes, limit } => {
                write!(f, "it has {bytes} bytes, and {limit} are allowed")
            }
            Self::NotOneLine => f.write_str("it is not one line of text"),
            Self::Unfit(error) => error.fmt(f),
            Self::NotAdded(error) => write!(f, "its new fields were not added: {error}"),
            Self::NotStopped(error) => {
                write!(
                    f,
                    "its new fields were not added: the workflow did not stop: {error}"
                )
            }
            Self::NotKept(times) => {
                write!(
                    f,
                    "its new fields were added {times} times, and were not there afterwards"
                )
            }
            Self::Refused(error) | Self::NotWelcome(error) => write!(f, "{error}"),
            Self::Deadline(error) => {
                f.write_str("its deadline has passed")?;
                last(f, error)
            }
            Self::Closed(error) => {
                f.write_str("the shipper was closed before it was accepted")?;
                last(f, error)
            }
        }
    }
}

/// Verdicts on records that were together in a batch, in their order.
///
/// Hand it back by [`Shipper::on_told`](crate::Shipper::on_told).
#[derive(Debug)]
#[must_use = "each record has to be told of"]
pub struct Verdicts<I> {
    records: vec::IntoIter<Record<I>>,
    /// What is left of the lines; of those that are accepted, nothing.
    text: Bytes,
    outcome: Outcome,
    pub(crate) oldest: u64,
    /// What is set free when it is handed back.
    pub(crate) memory: usize,
}

impl<I> Verdicts<I> {
    pub(crate) fn new(batch: Batch<I>, outcome: Outcome, memory: usize) -> Self {
        let is_accepted = matches!(outcome, Outcome::Accepted);
        Self {
            records: batch.records.into_iter(),
            text: if is_accepted {
                Bytes::new()
            } else {
                batch.text
            },
            outcome,
            oldest: batch.oldest,
            memory,
        }
    }

    /// The outcome, which they have in common.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }
}

impl<I> Iterator for Verdicts<I> {
    type Item = Verdict<I>;

    fn next(&mut self) -> Option<Verdict<I>> {
        let Record { id, length } = self.records.next()?;
        // A copy, so that who keeps one line does not keep the whole batch.
        let line = if self.text.is_empty() {
            Bytes::new()
        } else {
            Bytes::copy_from_slice(&self.text.split_to(length))
        };
        Some(Verdict {
            id,
            outcome: self.outcome.clone(),
            line,
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.records.size_hint()
    }
}

impl<I> ExactSizeIterator for Verdicts<I> {}
