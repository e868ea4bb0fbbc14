//! What the database holds, as values and as bytes.

use std::sync::Arc;

use super::{
    done::Done,
    entry::Entry,
    frame::{Eyes, Kind, Pen},
};
use crate::books::Count;

/// A chunk is not made longer than this by a further record: the database gives a value a power of two.
const CHUNK: usize = (60 << 10) + 2048;

/// Records with successive numbers, as they are written.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) first: u64,
    pub(super) count: u64,
    source: Arc<str>,
    pen: Pen,
}

impl Chunk {
    pub(super) fn new(queue: &str, source: &Arc<str>, first: u64, at: u64) -> Self {
        let mut pen = Pen::new(Kind::Chunk);
        pen.bytes(queue.as_bytes()).number(first).number(at);
        pen.bytes(source.as_bytes());
        Self {
            first,
            count: 0,
            source: Arc::clone(source),
            pen,
        }
    }

    /// Whether the record of this number may be the next.
    pub(super) fn takes(&self, number: u64, source: &Arc<str>, length: usize) -> bool {
        let fits = self.count == 0 || self.pen.len() + 16 + length <= CHUNK;
        fits && self.first + self.count == number && self.source == *source
    }

    pub(super) fn add(&mut self, note: u64, line: &[u8]) {
        self.pen.number(note).bytes(line);
        self.count += 1;
    }

    pub(super) fn finish(&mut self) -> (u64, &[u8]) {
        (self.first, self.pen.finish())
    }
}

/// A record that was read back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stored<'a> {
    pub(super) number: u64,
    pub(super) note: u64,
    pub(super) line: &'a [u8],
}

/// A chunk that was read back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page<'a> {
    pub(super) queue: &'a str,
    pub(super) first: u64,
    /// When it was begun, in seconds since 1970.
    pub(super) at: u64,
    pub(super) source: &'a str,
    records: Eyes<'a>,
}

impl<'a> Page<'a> {
    /// None if it is damaged.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut eyes = Eyes::open(Kind::Chunk, bytes)?;
        Some(Self {
            queue: eyes.text()?,
            first: eyes.number()?,
            at: eyes.number()?,
            source: eyes.text()?,
            records: eyes,
        })
    }

    pub(super) fn records(self) -> impl Iterator<Item = Stored<'a>> {
        let Self {
            first, mut records, ..
        } = self;
        (first..).map_while(move |number| {
            let (note, line) = (records.number()?, records.bytes()?);
            Some(Stored { number, note, line })
        })
    }

    /// The number after that of its last record.
    pub(super) fn end(self) -> u64 {
        self.records().last().map_or(self.first, |it| it.number + 1)
    }

    /// Those of its records that are not done.
    pub(super) fn entries(self, done: &Done) -> impl Iterator<Item = Entry> {
        let source: Arc<str> = Arc::from(self.source);
        let left = self.records().filter(|it| !done.has(it.number));
        left.map(move |record| Entry {
            number: record.number,
            source: Arc::clone(&source),
            note: record.note,
            bytes: u32::try_from(record.line.len()).unwrap_or(u32::MAX),
        })
    }

    /// How many they are.
    pub(super) fn left(self, done: &Done) -> Count {
        let left = self.records().filter(|record| !done.has(record.number));
        left.map(|record| Count::of(1, record.line.len()))
            .fold(Count::default(), |sum, one| sum + one)
    }
}

/// A record that is not sent again, until somebody changes something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Letter {
    /// Its number in the buffer.
    pub number: u64,
    /// What came with it: see [`Entry`](super::Entry).
    pub source: String,
    /// What came with it.
    pub note: u64,
    /// How the record is to be read, in words of whoever put it; empty for a point.
    pub form: String,
    /// Why it is dead.
    pub reason: String,
    /// The service's code; empty if there is none.
    pub code: String,
    /// The id of the request that was refused; empty if there is none.
    pub request_id: String,
    /// The record.
    pub record: Vec<u8>,
}

impl Letter {
    /// One for a record that never becomes a point.
    pub fn new(source: &str, note: u64, form: &str, reason: &str, record: &[u8]) -> Self {
        Self {
            source: source.to_owned(),
            note,
            form: form.to_owned(),
            reason: reason.to_owned(),
            record: record.to_owned(),
            ..Self::default()
        }
    }

    pub(super) fn write(&self, queue: &str) -> Vec<u8> {
        let mut pen = Pen::new(Kind::Letter);
        pen.bytes(queue.as_bytes());
        pen.number(self.number).number(self.note);
        let texts = [&self.source, &self.form, &self.reason, &self.code];
        for text in texts.into_iter().chain([&self.request_id]) {
            pen.bytes(text.as_bytes());
        }
        pen.bytes(&self.record);
        pen.into_bytes()
    }

    /// Its queue, and the letter.
    pub(super) fn read(bytes: &[u8]) -> Option<(&str, Self)> {
        let mut eyes = Eyes::open(Kind::Letter, bytes)?;
        let queue = eyes.text()?;
        let (number, note) = (eyes.number()?, eyes.number()?);
        let mut text = || eyes.text().map(str::to_owned);
        let letter = Self {
            number,
            note,
            source: text()?,
            form: text()?,
            reason: text()?,
            code: text()?,
            request_id: text()?,
            record: eyes.bytes()?.to_owned(),
        };
        Some((queue, letter))
    }

    /// As far as it counts against the limit.
    pub(super) fn bytes(&self) -> u64 {
        self.record.len() as u64
    }
}

/// How far a file was read, or what else goes with records.
pub(super) fn write_place(queue: &str, path: &str, value: &[u8], next: u64) -> Vec<u8> {
    let mut pen = Pen::new(Kind::Place);
    pen.bytes(queue.as_bytes()).bytes(path.as_bytes());
    pen.bytes(value).number(next);
    pen.into_bytes()
}

/// Queue, path, value, and the number of the next record at that time.
pub(super) fn read_place(bytes: &[u8]) -> Option<(&str, &str, &[u8], u64)> {
    let mut eyes = Eyes::open(Kind::Place, bytes)?;
    Some((eyes.text()?, eyes.text()?, eyes.bytes()?, eyes.number()?))
}

/// What is known of a queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct State {
    /// The number of the next record.
    pub(super) next: u64,
    pub(super) done: Done,
    /// The bytes of the chunks and dead letters that are there.
    pub(super) held: u64,
    /// Records that are not done.
    pub(super) pending: Count,
    /// Records that were dropped to make room.
    pub(super) dropped: Count,
    /// Dead letters.
    pub(super) dead: Count,
}

impl State {
    pub(super) fn write(&self, queue: &str) -> Vec<u8> {
        let mut pen = Pen::new(Kind::State);
        pen.bytes(queue.as_bytes())
            .number(self.next)
            .number(self.held);
        for count in [self.pending, self.dropped, self.dead] {
            pen.number(count.records).number(count.bytes);
        }
        for range in self.done.ranges() {
            pen.number(range.start).number(range.end);
        }
        pen.into_bytes()
    }

    /// Its queue, and the state.
    pub(super) fn read(bytes: &[u8]) -> Option<(&str, Self)> {
        let mut eyes = Eyes::open(Kind::State, bytes)?;
        let queue = eyes.text()?;
        let (next, held) = (eyes.number()?, eyes.number()?);
        let mut count = || {
            Some(Count {
                records: eyes.number()?,
                bytes: eyes.number()?,
            })
        };
        let (pending, dropped, dead) = (count()?, count()?, count()?);
        let mut ranges = Vec::new();
        while !eyes.is_at_end() {
            ranges.push(eyes.number()?..eyes.number()?);
        }
        let state = Self {
            next,
            done: Done::from_ranges(ranges),
            held,
            pending,
            dropped,
            dead,
        };
        Some((queue, state))
    }
}
