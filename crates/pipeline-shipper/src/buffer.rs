//! A buffer on the disk: records outlive the process and the machine before they are acknowledged.
//!
//! A folder holds a file, and the file the records of any number of queues, each with a number that never comes again.
//! One process uses it at a time. Both clients ship from a buffer with their feature `buffer`; on its own it is a store:
//!
//! ```
//! use pipeline_shipper::buffer::{Buffer, Settings};
//!
//! # let folder = std::env::temp_dir().join(format!("pipeline-buffer-doc-{}", std::process::id()));
//! let buffer = Buffer::open(Settings::new(&folder), &"clicks".parse()?)?;
//! let taken = buffer.put(b"url=/a\tbytes=7")?;
//! buffer.sync(taken.number)?;                // now it is there to stay
//! assert_eq!(buffer.stats().pending.records, 1);
//! # drop(buffer);
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is promised
//!
//! - A record is *acknowledged* when [`Buffer::sync`] has returned for its number: it is shipped, or a dead letter, or
//!   was dropped and counted, or is still there, whatever becomes of the process and the machine. Everything that was put
//!   since the last sync is written in one transaction.
//! - After an error of a write or a sync nothing more is acknowledged, nor is anything marked as done, until the buffer
//!   was opened again: what a disk has of a write that failed, nobody knows (a second sync would say that all is well).
//! - What is done is known by numbers: everything below a mark, and ranges beyond it. It is on the disk before the next
//!   request of the same worker is made. So after a crash only what was in flight is sent again, no more than
//!   [`in_flight`](crate::Settings::in_flight) batches.
//! - Opening works after a power failure at any moment. A file that was damaged otherwise is refused and left as it is;
//!   [`repair`] saves every record that is whole, by a sum that each chunk of records has.
//! - Records and dead letters of a queue take no more than [`limit`](Settings::limit) bytes. What is dropped to make
//!   room is told by [`Buffer::put`] and counted for good.
//! - Dead letters stay until somebody [takes](Buffer::take_letters) them.

#[doc(hidden)]
pub mod client;
mod done;
mod entry;
mod error;
mod feed;
mod frame;
mod look;
mod place;
#[cfg(test)]
mod power;
mod settings;
mod store;
#[cfg(test)]
mod tests;
mod value;

use std::{
    collections::BTreeMap,
    fmt, mem,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use pipeline_proto::RepoName;

pub use self::{
    client::{PutError, StartError},
    entry::{Entry, NotKept, Stats, Taken},
    error::{BufferError, BufferErrorKind},
    look::{QueueLook, Repaired, check, look, repair},
    settings::{Full, Settings},
    value::Letter,
};
use self::{
    done::Done,
    entry::sum,
    error::Reason,
    place::Place,
    store::{Store, Work, minus},
    value::{Chunk, State},
};
use crate::{
    books::Count,
    verdict::{Outcome, Reason as Why, Verdict},
};

/// So much gathers in memory before it is written without anybody asking for it.
const GATHER: u64 = 1 << 20;

/// The records of a queue on a disk; see the [module](self). Clones are handles of the same.
#[derive(Clone)]
pub struct Buffer(Arc<Shared>);

struct Shared {
    queue: String,
    folder: PathBuf,
    settings: Settings,
    /// Held by whoever writes; none once it is closed. Before the other lock, if both are needed.
    store: Mutex<Option<Store>>,
    inner: Mutex<Inner>,
    changed: Condvar,
    /// Keeps other processes away for as long as the database is open.
    place: Mutex<Option<Place>>,
}

#[derive(Default)]
struct Inner {
    /// With everything that was put, written or not.
    state: State,
    work: Work,
    /// Bytes that the work adds.
    gathered: u64,
    has_marks: bool,
    /// What is not done, and not tried again before the buffer is opened anew.
    left: Done,
    /// The number below which everything was written.
    durable: u64,
    /// The number of the next record to hand to the shipper, and the bytes that it has.
    fed: u64,
    on_the_way: u64,
    /// Whether whoever feeds should look again.
    has_news: bool,
    failed: Option<String>,
    not_kept: NotKept,
    is_closed: bool,
}

impl Inner {
    /// This work was not done, and no other will be.
    fn fail(&mut self, work: Work, why: String) {
        let gathered = mem::take(&mut self.work);
        for work in [work, gathered] {
            self.not_kept.add(work, self.durable);
        }
        self.gathered = 0;
        self.state.pending = minus(self.state.pending, sum(&self.not_kept.records));
        self.failed = Some(why);
    }
}

impl Buffer {
    /// Opens a buffer for a queue, and makes it if it is not there.
    ///
    /// # Errors
    ///
    /// If the file system refuses, another process uses it, or it is something else or damaged. It is left as it is
    /// then.
    pub fn open(settings: impl Into<Settings>, repo: &RepoName) -> Result<Self, BufferError> {
        let settings = settings.into();
        let path = settings.folder.clone();
        let open = || {
            let mut place = Place::open(&settings.folder, true)?;
            place.identify()?;
            let store = Store::open(place.backend()?, false)?;
            Self::of(store, Some(place), settings, repo)
        };
        open().map_err(|reason| BufferError { path, reason })
    }

    fn of(
        store: Store,
        place: Option<Place>,
        settings: Settings,
        repo: &RepoName,
    ) -> Result<Self, Reason> {
        let mut states = store.states()?.into_iter();
        let known = states.find(|(queue, _)| queue == repo.as_str());
        let state = known.unwrap_or_default().1;
        // What is done of the first chunk is left out when it is handed on.
        let mut first = None;
        store.each_chunk(repo.as_str(), 0, |number, _| {
            first = Some(number);
            false
        })?;
        let inner = Inner {
            durable: state.next,
            fed: first.unwrap_or(state.next),
            state,
            ..Inner::default()
        };
        Ok(Self(Arc::new(Shared {
            queue: repo.to_string(),
            folder: settings.folder.clone(),
            settings,
            store: Mutex::new(Some(store)),
            inner: Mutex::new(inner),
            changed: Condvar::new(),
            place: Mutex::new(place),
        })))
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.0.folder
    }

    /// Takes a record, and waits for room if that is what is wanted. It is acknowledged by [`sync`](Self::sync).
    ///
    /// # Errors
    ///
    /// If there is no room, it is closed, or it could not be written before.
    pub fn put(&self, line: &[u8]) -> Result<Taken, BufferError> {
        self.put_from(&Arc::from(""), 0, line, None)
    }

    /// As [`put`](Self::put), with what is to be known about the record later, and how far a file was read with it, by
    /// the file's path: that is written in the same transaction.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn put_from(
        &self,
        source: &Arc<str>,
        note: u64,
        line: &[u8],
        place: Option<(&str, &[u8])>,
    ) -> Result<Taken, BufferError> {
        loop {
            let is_full = |it: &Result<_, BufferError>| matches!(it, Err(error) if error.kind() == BufferErrorKind::Full);
            let mut result = self.try_put_from(source, note, line, place);
            if is_full(&result) {
                // What is done makes room when it is written down.
                self.write(None)?;
                result = self.try_put_from(source, note, line, place);
            }
            self.write_much();
            let inner = self.lock();
            let pending = inner.state.pending.records;
            // If nothing is pending, dead letters alone take the room, or the record does.
            if !is_full(&result) || self.0.settings.full == Full::Refuse || pending == 0 {
                return result;
            }
            let waits = |inner: &mut Inner| {
                inner.state.pending.records == pending && inner.failed.is_none() && !inner.is_closed
            };
            drop(self.0.changed.wait_while(inner, waits));
        }
    }

    /// As [`put_from`](Self::put_from), without waiting for room, nor for the disk unless something is dropped.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn try_put_from(
        &self,
        source: &Arc<str>,
        note: u64,
        line: &[u8],
        place: Option<(&str, &[u8])>,
    ) -> Result<Taken, BufferError> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let bytes = line.len() as u64;
        let mut dropped = Vec::new();
        let mut inner = self.lock();
        self.check(&inner)?;
        let limit = self.0.settings.limit;
        let over =
            |inner: &Inner| (inner.state.held + inner.gathered + bytes).saturating_sub(limit);
        if over(&inner) > 0 && self.0.settings.full == Full::DropOldest {
            drop(inner);
            self.write(None)?;
            let more = over(&self.lock());
            if more > 0 {
                dropped = self.write(Some(more))?;
            }
            inner = self.lock();
        }
        if over(&inner) > 0 || inner.gathered > 2 * GATHER {
            return Err(self.error(Reason::Full { limit }));
        }
        let number = inner.state.next;
        inner.state.next += 1;
        inner.state.pending += Count::of(1, line.len());
        let chunks = &mut inner.work.chunks;
        if !(chunks.last()).is_some_and(|chunk| chunk.takes(number, source, line.len())) {
            chunks.push(Chunk::new(&self.0.queue, source, number, seconds()));
        }
        if let Some(chunk) = chunks.last_mut() {
            chunk.add(note, line);
        }
        inner.work.keep(place);
        self.gather(&mut inner, bytes + 16);
        Ok(Taken { number, dropped })
    }

    /// Takes a record that never becomes a point, as a dead letter.
    ///
    /// # Errors
    ///
    /// If it is closed, or could not be written before.
    pub fn put_letter(
        &self,
        mut letter: Letter,
        place: Option<(&str, &[u8])>,
    ) -> Result<u64, BufferError> {
        let mut inner = self.lock();
        self.check(&inner)?;
        let number = inner.state.next;
        inner.state.next += 1;
        inner.state.done.add(number..number + 1);
        letter.number = number;
        let bytes = letter.bytes();
        inner.work.letters.push(letter);
        inner.work.keep(place);
        self.gather(&mut inner, bytes);
        drop(inner);
        self.write_much();
        Ok(number)
    }

    /// How far files were read, by their paths.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or it is closed.
    pub fn places(&self) -> Result<BTreeMap<String, Vec<u8>>, BufferError> {
        self.with_store(|store| store.places(&self.0.queue))
    }

    /// Returns when everything up to this number is on the disk: acknowledged.
    ///
    /// # Errors
    ///
    /// If it could not be written. It is not acknowledged then, and nothing after it will be.
    pub fn sync(&self, number: u64) -> Result<(), BufferError> {
        if self.lock().durable > number {
            return Ok(());
        }
        self.write(None)?;
        let inner = self.lock();
        if inner.durable > number {
            return Ok(());
        }
        self.check(&inner)
    }

    /// Writes down everything that was put, and what is done.
    ///
    /// # Errors
    ///
    /// If it could not be written.
    pub fn sync_all(&self) -> Result<(), BufferError> {
        self.write(None).map(drop)
    }

    /// Hands dead letters, up to 1,000, to whoever keeps them from now on. They are taken out if that goes well. Gives how
    /// many there were.
    ///
    /// # Errors
    ///
    /// That of the function, or of the buffer.
    pub fn take_letters<E: From<BufferError>>(
        &self,
        keep: impl FnOnce(&[Letter]) -> Result<(), E>,
    ) -> Result<usize, E> {
        self.write(None)?;
        let letters = self.with_store(|store| store.letters(&self.0.queue, 1000))?;
        if letters.is_empty() {
            return Ok(0);
        }
        keep(&letters)?;
        let mut inner = self.lock();
        let taken = letters.iter().map(|it| it.number);
        inner.work.taken.extend(taken);
        inner.has_marks = true;
        drop(inner);
        self.write(None)?;
        Ok(letters.len())
    }

    /// Takes in what became of a record that the shipper had. It is written down with what comes next, before another
    /// request is made. Says whether it is over with the record: if not, it is still there.
    pub fn settle(&self, verdict: &Verdict<Entry>) -> bool {
        let why = match &verdict.outcome {
            Outcome::Accepted => None,
            Outcome::GivenUp(Why::Closed(_)) | Outcome::Dead(Why::NotWelcome(_)) => {
                let number = verdict.id.number;
                self.lock().left.add(number..number + 1);
                return false;
            }
            Outcome::Dead(why) | Outcome::GivenUp(why) => Some(why),
        };
        let Entry {
            number,
            source,
            note,
            bytes,
        } = &verdict.id;
        let mut inner = self.lock();
        if inner.state.done.has(*number) {
            return true;
        }
        let bytes = u64::from(*bytes);
        inner.state.done.add(*number..number + 1);
        let count = Count { records: 1, bytes };
        inner.state.pending = minus(inner.state.pending, count);
        inner.on_the_way = inner.on_the_way.saturating_sub(bytes);
        inner.has_marks = true;
        if let Some(why) = why {
            let api = why.api();
            let record = verdict.line.strip_suffix(b"\n").unwrap_or(&verdict.line);
            let code = api.and_then(|api| Some(api.code()?.to_string()));
            let request_id = api.and_then(|api| Some(api.request_id()?.to_owned()));
            inner.work.letters.push(Letter {
                number: *number,
                code: code.unwrap_or_default(),
                request_id: request_id.unwrap_or_default(),
                ..Letter::new(source, *note, "", &why.to_string(), record)
            });
        }
        true
    }

    /// What it has of the queue.
    pub fn stats(&self) -> Stats {
        let inner = self.lock();
        let mut stats = Stats::of(&inner.state);
        stats.held += inner.gathered;
        stats
    }

    /// Whether every record below this number is done, or will not be before the buffer is opened again.
    pub fn is_through(&self, number: u64) -> bool {
        let inner = self.lock();
        if inner.state.done.mark() >= number || inner.failed.is_some() || inner.is_closed {
            return true;
        }
        let ranges = inner.state.done.ranges().chain(inner.left.ranges());
        Done::from_ranges(ranges).mark() >= number
    }

    /// Whether a record is acknowledged before it is on the disk.
    #[doc(hidden)]
    pub fn is_at_once(&self) -> bool {
        self.0.settings.at_once
    }

    /// For whoever hands work to a thread that does not come to it.
    #[doc(hidden)]
    pub fn not_run(&self) -> BufferError {
        self.error(Reason::Closed)
    }

    /// Why nothing more is acknowledged, if that is so, until it is opened again.
    pub fn failure(&self) -> Option<BufferError> {
        let failed = self.lock().failed.clone()?;
        Some(self.error(Reason::Failed(failed)))
    }

    /// What was put and is not on the disk after it has [failed](Self::failure).
    pub fn not_kept(&self) -> NotKept {
        self.lock().not_kept.clone()
    }

    /// Takes nothing more.
    #[doc(hidden)]
    pub fn seal(&self) {
        self.lock().is_closed = true;
        self.0.changed.notify_all();
    }

    /// Takes nothing more, writes down what there is, and lets the file go.
    ///
    /// # Errors
    ///
    /// If it could not be written.
    pub fn close(&self) -> Result<(), BufferError> {
        self.seal();
        let written = self.write(None);
        let store = self.store().take();
        drop(store);
        let place = self.0.place.lock();
        drop(place.unwrap_or_else(PoisonError::into_inner).take());
        self.0.changed.notify_all();
        written.map(drop)
    }

    /// Writes what has gathered, if it is much. A failure is told by the sync, or to whoever comes next.
    fn write_much(&self) {
        if self.lock().gathered >= GATHER {
            let _ = self.write(None);
        }
    }

    /// Writes what has gathered, and drops old chunks of so many bytes.
    fn write(&self, drop_bytes: Option<u64>) -> Result<Vec<Entry>, BufferError> {
        let store = self.store();
        let mut inner = self.lock();
        if let Some(failed) = &inner.failed {
            return Err(self.error(Reason::Failed(failed.clone())));
        }
        let is_idle = inner.gathered == 0 && !inner.has_marks && drop_bytes.is_none();
        let Some(store) = store.as_ref().filter(|_| !is_idle) else {
            return Ok(Vec::new());
        };
        let mut work = mem::take(&mut inner.work);
        work.drop = drop_bytes.map(|bytes| (inner.fed, bytes));
        let before = inner.state.clone();
        let mut state = before.clone();
        (inner.gathered, inner.has_marks) = (0, false);
        // Others gather and settle meanwhile.
        drop(inner);
        let written = store.write(&self.0.queue, &mut work, &mut state);
        let mut inner = self.lock();
        let result = match written {
            Ok(dropped) => {
                inner.durable = inner.durable.max(before.next);
                // Only writing changes these; all else has gone on.
                (inner.state.held, inner.state.dead) = (state.held, state.dead);
                let mut lost = Vec::new();
                if let Some((end, entries)) = dropped {
                    let from = inner.fed;
                    inner.state.done.add(from..end);
                    inner.fed = inner.fed.max(end);
                    let count = sum(&entries);
                    inner.state.dropped += count;
                    inner.state.pending = minus(inner.state.pending, count);
                    lost = entries;
                }
                Ok(lost)
            }
            Err(reason) => {
                let error = self.error(reason);
                inner.fail(work, error.later());
                Err(error)
            }
        };
        inner.has_news = true;
        drop(inner);
        self.0.changed.notify_all();
        result
    }

    fn gather(&self, inner: &mut Inner, bytes: u64) {
        let before = inner.gathered;
        inner.gathered += bytes.max(1);
        // Whoever feeds writes it down in a while, or at once if it is much.
        if before == 0 || (before < GATHER && inner.gathered >= GATHER) {
            self.0.changed.notify_all();
        }
    }

    fn with_store<T>(
        &self,
        act: impl FnOnce(&Store) -> Result<T, Reason>,
    ) -> Result<T, BufferError> {
        let store = self.store();
        let result = store.as_ref().ok_or(Reason::Closed).and_then(act);
        result.map_err(|reason| self.error(reason))
    }

    fn check(&self, inner: &Inner) -> Result<(), BufferError> {
        match &inner.failed {
            Some(failed) => Err(self.error(Reason::Failed(failed.clone()))),
            None if inner.is_closed => Err(self.error(Reason::Closed)),
            None => Ok(()),
        }
    }

    fn error(&self, reason: Reason) -> BufferError {
        let path = self.0.folder.clone();
        BufferError { path, reason }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self) -> MutexGuard<'_, Option<Store>> {
        self.0.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn seconds() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |since| since.as_secs())
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer")
            .field("path", &self.path())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
