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
#[doc(hidden)]
pub mod feed;
mod frame;
mod look;
mod place;
#[cfg(test)]
mod power;
mod put;
mod settings;
mod store;
#[cfg(test)]
mod tests;
mod value;
mod write;

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
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
    error::Reason,
    place::Place,
    store::{Store, Work, minus},
    value::State,
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
    /// What was dropped for a record whose room somebody else took.
    untold: Vec<Entry>,
    is_closed: bool,
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

    /// On a disk of the caller's, which nothing else uses.
    #[doc(hidden)]
    pub fn on(
        disk: impl redb::StorageBackend,
        settings: Settings,
        repo: &RepoName,
    ) -> Result<Self, BufferError> {
        let path = settings.folder.clone();
        let store = Store::open(disk, false);
        let opened = store.and_then(|store| Self::of(store, None, settings, repo));
        opened.map_err(|reason| BufferError { path, reason })
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

    /// How far files were read, by their paths.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or it is closed.
    pub fn places(&self) -> Result<BTreeMap<String, Vec<u8>>, BufferError> {
        self.with_store(|store| store.places(&self.0.queue))
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
        let Entry {
            number,
            source,
            note,
            bytes,
        } = &verdict.id;
        let bytes = u64::from(*bytes);
        let mut inner = self.lock();
        let why = match &verdict.outcome {
            Outcome::Accepted => None,
            Outcome::GivenUp(Why::Closed(_)) | Outcome::Dead(Why::NotWelcome(_)) => {
                inner.left.add(*number..number + 1);
                inner.on_the_way = inner.on_the_way.saturating_sub(bytes);
                return false;
            }
            Outcome::Dead(why) | Outcome::GivenUp(why) => Some(why),
        };
        if inner.state.done.has(*number) {
            return true;
        }
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

    /// Takes nothing more.
    #[doc(hidden)]
    pub fn seal(&self) {
        self.lock().is_closed = true;
        self.0.changed.notify_all();
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

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer")
            .field("path", &self.path())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
