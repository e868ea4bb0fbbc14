//! Records on their way: those that still gather, and sealed batches.

use std::{mem, sync::Arc, time::Duration};

use bytes::Bytes;
use pipeline_proto::Error;

use crate::books::Count;

/// What is kept of a record beside its text.
#[derive(Debug)]
pub(crate) struct Record<I> {
    pub(crate) id: I,
    /// With the line feed.
    pub(crate) length: usize,
}

/// What is sent together. Its text never changes: a retry sends the same bytes.
#[derive(Debug)]
pub(crate) struct Batch<I> {
    /// The number of the first of its records; halves have that of the whole.
    pub(crate) oldest: u64,
    pub(crate) text: Bytes,
    pub(crate) records: Vec<Record<I>>,
    /// When the first of its records was taken, and when the last.
    pub(crate) taken: (Duration, Duration),
    pub(crate) attempts: u32,
    /// It is not sent before.
    pub(crate) due: Duration,
    /// How often the schema was looked at for it; and how often in a row nothing was missing, after how many changes.
    pub(crate) looks: (u32, u32, u32),
    /// How often it was sent once more although it was said to be too large.
    pub(crate) doubts: u32,
    /// What the last attempt ended with.
    pub(crate) last: Option<Arc<Error>>,
}

impl<I> Batch<I> {
    pub(crate) fn count(&self) -> Count {
        Count::of(self.records.len(), self.text.len())
    }

    /// Both halves of at least two records. They are copied: a slice would hold the memory of the whole until
    /// both are through.
    pub(crate) fn halve(mut self) -> (Self, Self) {
        let records = self.records.split_off(self.records.len() / 2);
        let middle = self.records.iter().map(|record| record.length).sum();
        let tail = Self {
            text: Bytes::copy_from_slice(&self.text[middle..]),
            records,
            last: None,
            attempts: 0,
            doubts: 0,
            due: Duration::ZERO,
            ..self
        };
        let head = Self {
            text: Bytes::copy_from_slice(&self.text[..middle]),
            records: self.records,
            last: None,
            ..tail
        };
        (head, tail)
    }
}

/// Records that gather for the next batch.
#[derive(Debug)]
pub(crate) struct Open<I> {
    text: Vec<u8>,
    records: Vec<Record<I>>,
    taken: (Duration, Duration),
    /// The least of their numbers.
    oldest: u64,
}

impl<I> Open<I> {
    pub(crate) fn new() -> Self {
        Self {
            text: Vec::new(),
            records: Vec::new(),
            taken: Default::default(),
            oldest: u64::MAX,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub(crate) fn count(&self) -> Count {
        Count::of(self.records.len(), self.text.len())
    }

    /// When the first of its records was taken.
    pub(crate) fn since(&self) -> Option<Duration> {
        (!self.is_empty()).then_some(self.taken.0)
    }

    /// Whether so many bytes more fit into a batch of this size.
    pub(crate) fn has_room(&self, length: usize, limit: usize) -> bool {
        self.is_empty() || self.text.len() + length <= limit
    }

    /// The least of their numbers, beyond all numbers if there are none.
    pub(crate) fn oldest(&self) -> u64 {
        self.oldest
    }

    /// Adds a line without its line feed.
    pub(crate) fn add(&mut self, id: I, number: u64, line: &[u8], taken: Duration) {
        if self.is_empty() {
            self.taken.0 = taken;
        }
        self.taken = (self.taken.0.min(taken), self.taken.1.max(taken));
        self.oldest = self.oldest.min(number);
        self.text.extend_from_slice(line);
        self.text.push(b'\n');
        self.records.push(Record {
            id,
            length: line.len() + 1,
        });
    }

    pub(crate) fn seal(&mut self) -> Batch<I> {
        let Self {
            mut text,
            mut records,
            taken,
            oldest,
        } = mem::replace(self, Self::new());
        // What is counted is what is held.
        text.shrink_to_fit();
        records.shrink_to_fit();
        Batch {
            oldest,
            text: text.into(),
            records,
            taken,
            attempts: 0,
            due: Duration::ZERO,
            looks: (0, 0, 0),
            doubts: 0,
            last: None,
        }
    }
}
