//! The database: what is written together is there together, or not at all.

use std::collections::BTreeMap;

use redb::{
    Builder, Database, ReadTransaction, ReadableDatabase as _, ReadableTable as _, StorageBackend,
    TableDefinition, TableError, WriteTransaction,
};

use super::{
    entry::{Entry, sum},
    error::Reason,
    frame::Kind,
    value::{Chunk, Letter, Page, State, read_place, write_place},
};
use crate::books::Count;

type Numbered = TableDefinition<'static, (&'static str, u64), &'static [u8]>;

const ABOUT: TableDefinition<'_, &str, u64> = TableDefinition::new("about a pipeline buffer");
const CHUNKS: Numbered = TableDefinition::new("records");
const LETTERS: Numbered = TableDefinition::new("dead letters");
const PLACES: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("places");
const STATES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("queues");

/// Another one is refused.
const VERSION: u64 = 1;

/// How much of the file is kept in memory.
const CACHE: usize = 8 << 20;

/// What is written at once.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) chunks: Vec<Chunk>,
    pub(super) letters: Vec<Letter>,
    /// The numbers of dead letters that somebody else has now.
    pub(super) taken: Vec<u64>,
    pub(super) places: BTreeMap<String, Vec<u8>>,
    /// Of the oldest chunks from this number on, as many as free so many bytes.
    pub(super) drop: Option<(u64, u64)>,
}

impl Work {
    pub(super) fn keep(&mut self, place: Option<(&str, &[u8])>) {
        let Some((path, place)) = place else { return };
        match self.places.get_mut(path) {
            Some(known) => place.clone_into(known),
            None => drop(self.places.insert(path.to_owned(), place.to_owned())),
        }
    }
}

/// A chunk or a letter as it is, with its queue and number.
pub(super) type Row = (Kind, String, u64, Vec<u8>);

#[derive(Debug)]
pub(super) struct Store(Database);

impl Store {
    /// Opens what is there, or begins anew where there is nothing. With `look`, every page is looked at first.
    pub(super) fn open(backend: impl StorageBackend, look: bool) -> Result<Self, Reason> {
        let database = Builder::new()
            .set_cache_size(CACHE)
            .set_check_integrity_on_open(look)
            .create_with_backend(backend)
            .map_err(Reason::of)?;
        let store = Self(database);
        store.identify()?;
        Ok(store)
    }

    /// Is it a buffer, and one of this version?
    fn identify(&self) -> Result<(), Reason> {
        let read = self.read()?;
        let mut tables = read.list_tables().map_err(Reason::of)?;
        if tables.next().is_none() {
            let write = self.0.begin_write().map_err(Reason::of)?;
            let mut about = write.open_table(ABOUT).map_err(Reason::of)?;
            about.insert("version", VERSION).map_err(Reason::of)?;
            drop(about);
            return write.commit().map_err(Reason::of);
        }
        let about = match read.open_table(ABOUT) {
            Err(TableError::TableDoesNotExist(_)) => {
                let what = "it is a database of another program";
                return Err(Reason::Foreign(what.to_owned()));
            }
            about => about.map_err(Reason::of)?,
        };
        let version = about.get("version").map_err(Reason::of)?;
        match version.map_or(0, |it| it.value()) {
            VERSION => Ok(()),
            other => Err(Reason::Foreign(format!(
                "it has version {other}, this program reads version {VERSION}"
            ))),
        }
    }

    fn read(&self) -> Result<ReadTransaction, Reason> {
        self.0.begin_read().map_err(Reason::of)
    }

    /// What is known of all queues.
    pub(super) fn states(&self) -> Result<Vec<(String, State)>, Reason> {
        let read = self.read()?;
        let states = match read.open_table(STATES) {
            Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
            states => states.map_err(Reason::of)?,
        };
        let states = states.iter().map_err(Reason::of)?.map(|row| {
            let (queue, state) = row.map_err(Reason::of)?;
            let (_, state) = State::read(state.value()).ok_or_else(|| damaged(queue.value()))?;
            Ok((queue.value().to_owned(), state))
        });
        states.collect()
    }

    /// Hands each value of a table to a function, until it says false. The bytes of chunks and letters may be damaged.
    fn each(
        &self,
        table: Numbered,
        queue: &str,
        from: u64,
        mut see: impl FnMut(u64, &[u8]) -> bool,
    ) -> Result<(), Reason> {
        let read = self.read()?;
        let table = match read.open_table(table) {
            Err(TableError::TableDoesNotExist(_)) => return Ok(()),
            table => table.map_err(Reason::of)?,
        };
        let rows = table.range((queue, from)..=(queue, u64::MAX));
        for row in rows.map_err(Reason::of)? {
            let (key, value) = row.map_err(Reason::of)?;
            if !see(key.value().1, value.value()) {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn each_chunk(
        &self,
        queue: &str,
        from: u64,
        see: impl FnMut(u64, &[u8]) -> bool,
    ) -> Result<(), Reason> {
        self.each(CHUNKS, queue, from, see)
    }

    pub(super) fn each_letter(
        &self,
        queue: &str,
        see: impl FnMut(u64, &[u8]) -> bool,
    ) -> Result<(), Reason> {
        self.each(LETTERS, queue, 0, see)
    }

    /// The first dead letters, as far as they are whole.
    pub(super) fn letters(&self, queue: &str, most: usize) -> Result<Vec<Letter>, Reason> {
        let mut letters = Vec::new();
        self.each_letter(queue, |_, bytes| {
            letters.extend(Letter::read(bytes).map(|(_, letter)| letter));
            letters.len() < most
        })?;
        Ok(letters)
    }

    pub(super) fn places(&self, queue: &str) -> Result<BTreeMap<String, Vec<u8>>, Reason> {
        let read = self.read()?;
        let table = match read.open_table(PLACES) {
            Err(TableError::TableDoesNotExist(_)) => return Ok(BTreeMap::new()),
            table => table.map_err(Reason::of)?,
        };
        let mut places = BTreeMap::new();
        for row in table.range((queue, "")..).map_err(Reason::of)? {
            let (key, value) = row.map_err(Reason::of)?;
            if key.value().0 != queue {
                break;
            }
            let (.., place, _) = read_place(value.value()).ok_or_else(|| damaged(queue))?;
            places.insert(key.value().1.to_owned(), place.to_owned());
        }
        Ok(places)
    }

    /// Writes work down, all or nothing; when this returns, it is there to stay. The state is changed as the work
    /// changes it. Gives what was dropped, and the number behind it.
    pub(super) fn write(
        &self,
        queue: &str,
        work: &mut Work,
        state: &mut State,
    ) -> Result<Option<(u64, Vec<Entry>)>, Reason> {
        let transaction = self.0.begin_write().map_err(Reason::of)?;
        let dropped = write(&transaction, queue, work, state).map_err(Reason::of)?;
        transaction.commit().map_err(Reason::of)?;
        Ok(dropped)
    }

    /// Writes chunks and letters as they are, for a repair.
    pub(super) fn restore(
        &self,
        rows: &[Row],
        places: &BTreeMap<(String, String), Vec<u8>>,
        states: &BTreeMap<String, State>,
    ) -> Result<(), Reason> {
        let restore = || -> Result<(), redb::Error> {
            let write = self.0.begin_write()?;
            let mut chunks = write.open_table(CHUNKS)?;
            let mut letters = write.open_table(LETTERS)?;
            for (kind, queue, number, bytes) in rows {
                let table = match kind {
                    Kind::Chunk => &mut chunks,
                    _ => &mut letters,
                };
                table.insert((&**queue, *number), &**bytes)?;
            }
            drop((chunks, letters));
            let mut table = write.open_table(PLACES)?;
            for ((queue, path), bytes) in places {
                table.insert((&**queue, &**path), &**bytes)?;
            }
            drop(table);
            let mut table = write.open_table(STATES)?;
            for (queue, state) in states {
                table.insert(&**queue, &*state.write(queue))?;
            }
            drop(table);
            Ok(write.commit()?)
        };
        restore().map_err(Reason::of)
    }
}

fn damaged(queue: &str) -> Reason {
    Reason::Damaged(format!("what it knows of the queue {queue} is not whole"))
}

fn write(
    transaction: &WriteTransaction,
    queue: &str,
    work: &mut Work,
    state: &mut State,
) -> Result<Option<(u64, Vec<Entry>)>, redb::Error> {
    let mut chunks = transaction.open_table(CHUNKS)?;
    for chunk in &mut work.chunks {
        let (first, bytes) = chunk.finish();
        state.held += bytes.len() as u64;
        chunks.insert((queue, first), bytes)?;
    }
    let mut dropped = None;
    if let Some((from, bytes)) = work.drop {
        let (mut end, mut freed) = (from, 0);
        let (mut entries, mut firsts) = (Vec::new(), Vec::new());
        for row in chunks.range((queue, from)..=(queue, u64::MAX))? {
            if freed >= bytes {
                break;
            }
            let (key, value) = row?;
            let first = key.value().1;
            firsts.push(first);
            freed += value.value().len() as u64;
            end = end.max(first + 1);
            if let Some(page) = Page::read(value.value()) {
                entries.extend(page.entries(&state.done));
                end = page.end();
            }
        }
        // Nothing is dropped in vain.
        if freed >= bytes {
            for first in firsts {
                chunks.remove((queue, first))?;
            }
            state.held = state.held.saturating_sub(freed);
            state.done.add(from..end);
            let count = sum(&entries);
            state.dropped += count;
            state.pending = minus(state.pending, count);
            dropped = Some((end, entries)).filter(|(end, _)| *end > from);
        }
    }
    // What is done makes room. A chunk ends where the next one begins, or before.
    let mark = state.done.mark();
    loop {
        let mut rows = chunks.range((queue, 0)..(queue, mark))?;
        let Some(row) = rows.next() else { break };
        let (key, value) = row?;
        let first = key.value().1;
        let ends = Page::read(value.value()).map_or(first + 1, Page::end);
        if ends > mark {
            break;
        }
        state.held = state.held.saturating_sub(value.value().len() as u64);
        drop((key, value, rows));
        chunks.remove((queue, first))?;
    }
    let mut letters = transaction.open_table(LETTERS)?;
    for letter in &work.letters {
        state.dead += Count::of(1, letter.record.len());
        state.held += letter.bytes();
        letters.insert((queue, letter.number), &*letter.write(queue))?;
    }
    for &number in &work.taken {
        if let Some(letter) = letters.remove((queue, number))? {
            let bytes = Letter::read(letter.value()).map_or(0, |(_, letter)| letter.bytes());
            state.held = state.held.saturating_sub(bytes);
            state.dead = minus(state.dead, Count { records: 1, bytes });
        }
    }
    if !work.places.is_empty() {
        let mut places = transaction.open_table(PLACES)?;
        for (path, place) in &work.places {
            let value = write_place(queue, path, place, state.next);
            places.insert((queue, &**path), &*value)?;
        }
    }
    let mut states = transaction.open_table(STATES)?;
    states.insert(queue, &*state.write(queue))?;
    Ok(dropped)
}

pub(super) fn minus(count: Count, less: Count) -> Count {
    Count {
        records: count.records.saturating_sub(less.records),
        bytes: count.bytes.saturating_sub(less.bytes),
    }
}
