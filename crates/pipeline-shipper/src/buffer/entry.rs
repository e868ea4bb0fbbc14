//! What is told of records.

use std::sync::Arc;

use super::{
    done::Done,
    store::Work,
    value::{Page, State},
};
use crate::books::Count;

/// What a record of a buffer is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Its number, which no other record of the queue has or will have.
    pub number: u64,
    /// What was said about it when it was put, such as the file that it is from.
    pub source: Arc<str>,
    /// What was said about it when it was put, such as its line.
    pub note: u64,
    /// Its bytes, without a line feed.
    pub bytes: u32,
}

/// A record that was put into a buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Taken {
    /// Its number.
    pub number: u64,
    /// What was dropped to make room for it.
    pub dropped: Vec<Entry>,
}

/// What was put and is not on the disk, nor will be, since writing has failed. It was never acknowledged, unless
/// [at once](super::Settings::at_once).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotKept {
    /// Records.
    pub records: Vec<Entry>,
    /// Records that were put as dead letters.
    pub letters: Vec<Entry>,
}

impl NotKept {
    /// Adds what is new in work that was not done: from this number on.
    pub(super) fn add(&mut self, mut work: Work, from: u64) {
        for chunk in &mut work.chunks {
            let page = Page::read(chunk.finish().1);
            let Some(page) = page else { continue };
            self.records.extend(page.entries(&Done::default()));
        }
        let new = work.letters.iter().filter(|it| it.number >= from);
        self.letters.extend(new.map(|letter| Entry {
            number: letter.number,
            source: Arc::from(&*letter.source),
            note: letter.note,
            bytes: u32::try_from(letter.record.len()).unwrap_or(u32::MAX),
        }));
    }
}

/// What a buffer has of a queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Records that are neither done nor dropped.
    pub pending: Count,
    /// Dead letters that nobody has taken.
    pub dead: Count,
    /// Records that were dropped, ever.
    pub dropped: Count,
    /// The bytes that count against the limit.
    pub held: u64,
    /// The number of the next record.
    pub next: u64,
}

impl Stats {
    pub(super) fn of(state: &State) -> Self {
        Self {
            pending: state.pending,
            dead: state.dead,
            dropped: state.dropped,
            held: state.held,
            next: state.next,
        }
    }
}

pub(super) fn sum(entries: &[Entry]) -> Count {
    let bytes = entries.iter().map(|entry| u64::from(entry.bytes)).sum();
    let records = entries.len() as u64;
    Count { records, bytes }
}
