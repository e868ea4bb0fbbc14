//! The file in which workflows outlive the process.

mod error;
mod place;
#[cfg(test)]
mod power;
#[cfg(all(test, unix))]
mod tests;

use std::{
    collections::BTreeMap,
    fmt,
    io::{Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use pipeline_proto::Now;
use redb::{StorageBackend, backends::InMemoryBackend};

use super::store::{Store, Unreadable};
use crate::{id::Key, item::Item, snapshot::Snapshot, state::Change};
use error::Reason;
pub use error::{StateError, StateErrorKind};
use place::Place;

/// What the files of earlier versions begin with.
const OLD_FORMAT: &[u8] = b"pipeline-emulator state file, version ";

/// What a file of redb begins with. It is written last when one is made.
const MAGIC: &[u8] = b"redb\x1a\x0a\xa9\x0d\x0a";

/// A file that keeps the workflows of an emulator, for [`Server::state`](super::Server::state).
///
/// Every change that was answered is in it, whatever becomes of the process or of the machine. The file
/// is locked, so that no two processes use it, under whatever names. Node data stands in it as it is,
/// secrets included; the file is made for its owner's eyes only.
///
/// ```
/// use pipeline_emulator::{Emulator, server::{Server, StateFile}};
///
/// # let folder = std::env::temp_dir().join(format!("emulator-doctest-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("workflows.state");
/// let state = StateFile::open(&path)?;
/// assert!(state.is_new());
/// let server = Server::bind("127.0.0.1:0")?.state(state).start_on_thread(Emulator::builder().build())?;
/// # drop(server);
/// # assert!(!StateFile::open(&path)?.is_new());
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a state file does nothing until a server has it"]
pub struct StateFile {
    place: Place,
    /// None after a failure, until the file was written anew.
    store: Option<Store>,
    pub(super) contents: Option<Snapshot>,
}

impl StateFile {
    /// Opens a state file, or makes one, and reads it. An empty file is a new one; symbolic links are
    /// followed.
    ///
    /// # Errors
    ///
    /// If it cannot be read or written, is no regular file, another process uses it, or it is not what
    /// was written to it. Nothing is changed then: a damaged file is left as it is.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StateError> {
        let path = path.into();
        Self::open_file(&path).map_err(|reason| StateError { path, reason })
    }

    fn open_file(path: &Path) -> Result<Self, Reason> {
        let mut place = Place::open(path)?;
        let mut bytes = Vec::new();
        place.file.seek(SeekFrom::Start(0))?;
        place.file.read_to_end(&mut bytes)?;
        let contents = if is_unfinished(&bytes) {
            place.begin_anew()?;
            None
        } else {
            read(&bytes)?
        };
        drop(bytes);
        let store = Store::open(place.backend()?).map_err(Reason::of)?;
        // A file that was made has to have its name when the machine fails.
        place.sync_folder()?;
        Ok(Self {
            place,
            store: Some(store),
            contents,
        })
    }

    /// Whether nothing was kept in it before.
    pub fn is_new(&self) -> bool {
        self.contents.is_none()
    }

    /// How many workflows it holds.
    pub fn workflows(&self) -> usize {
        self.contents.as_ref().map_or(0, Snapshot::len)
    }

    pub(super) fn path(&self) -> &Path {
        &self.place.path
    }

    /// Writes changes down. When this returns, they are there to stay. After an error nothing can be
    /// written but [everything](Self::write_all).
    pub(super) fn write<'a>(
        &mut self,
        changes: impl IntoIterator<Item = &'a Change>,
    ) -> Result<(), StateError> {
        let store = self.store.take();
        let written = match &store {
            Some(store) => store.write(changes).map_err(Reason::of),
            None => Err(Reason::Unusable),
        };
        self.outcome(written, store)
    }

    /// Writes everything down, and opens or makes the file anew for that if need be.
    pub(super) fn write_all(
        &mut self,
        image: &BTreeMap<Key, Arc<Item>>,
        now: Now,
    ) -> Result<(), StateError> {
        let store = match self.store.take() {
            Some(store) => Ok(store),
            None => self.open_again(),
        };
        let written = store.and_then(|store| {
            store.write_all(image, now).map_err(Reason::of)?;
            Ok(store)
        });
        match written {
            Ok(store) => self.outcome(Ok(()), Some(store)),
            Err(reason) => self.outcome(Err(reason), None),
        }
    }

    /// What is written counts if it can be found again.
    pub(super) fn check(&mut self) -> Result<(), StateError> {
        let store = self.store.take();
        let is_usable = store.as_ref().map(drop).ok_or(Reason::Unusable);
        self.outcome(is_usable, store)
    }

    fn outcome(
        &mut self,
        done: Result<(), Reason>,
        store: Option<Store>,
    ) -> Result<(), StateError> {
        let done = done.and_then(|()| self.place.check());
        match done {
            Ok(()) => {
                self.store = store;
                Ok(())
            }
            Err(reason) => Err(StateError {
                path: self.place.path.clone(),
                reason,
            }),
        }
    }

    fn open_again(&mut self) -> Result<Store, Reason> {
        self.place.find_again()?;
        let mut beginning = vec![0; MAGIC.len()];
        self.place.file.seek(SeekFrom::Start(0))?;
        let is_whole = self.place.file.read_exact(&mut beginning).is_ok() && beginning == MAGIC;
        if !is_whole {
            // This process has begun it, and could not go on.
            self.place.begin_anew()?;
        }
        let store = Store::open(self.place.backend()?).map_err(Reason::of)?;
        self.place.sync_folder()?;
        Ok(store)
    }
}

/// What is in a file. It is a copy that is looked at, so that nothing is repaired in a file which is
/// refused afterwards.
fn read(bytes: &[u8]) -> Result<Option<Snapshot>, Reason> {
    if bytes.starts_with(OLD_FORMAT) {
        let what = "it was written by an earlier version, in a format that is no longer read";
        return Err(Reason::NotAStateFile(what.to_owned()));
    }
    if !bytes.starts_with(MAGIC) {
        let what = "it begins with something else";
        return Err(Reason::NotAStateFile(what.to_owned()));
    }
    let copy = InMemoryBackend::new();
    copy.set_len(bytes.len() as u64)?;
    copy.write(0, bytes)?;
    let contents = Store::check(copy).and_then(|store| store.contents());
    contents.map_err(|unreadable| match unreadable {
        Unreadable::Foreign(what) => Reason::NotAStateFile(what),
        Unreadable::Damaged(what) => Reason::Damaged(what),
        // Reading memory does not fail: the file says of itself what it cannot be.
        Unreadable::Store(error) => Reason::Damaged(error.to_string()),
    })
}

/// Whether a file is empty, or one whose making was cut off by a power failure: each byte is as it would
/// be, or has not been written.
fn is_unfinished(bytes: &[u8]) -> bool {
    /// Keeps what is written until the first sync, behind which only [`MAGIC`] follows.
    #[derive(Debug, Default, Clone)]
    struct FirstWrites(Arc<Mutex<Vec<u8>>>);

    impl StorageBackend for FirstWrites {
        fn len(&self) -> std::io::Result<u64> {
            Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).len() as u64)
        }

        fn read(&self, _: u64, _: &mut [u8]) -> std::io::Result<()> {
            Err(std::io::ErrorKind::Unsupported.into())
        }

        fn set_len(&self, len: u64) -> std::io::Result<()> {
            let len = usize::try_from(len).map_err(std::io::Error::other)?;
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .resize(len, 0);
            Ok(())
        }

        fn sync_data(&self) -> std::io::Result<()> {
            Err(std::io::ErrorKind::Unsupported.into())
        }

        fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
            let offset = usize::try_from(offset).map_err(std::io::Error::other)?;
            let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let end = offset + data.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[offset..end].copy_from_slice(data);
            Ok(())
        }
    }

    if bytes.is_empty() {
        return true;
    }
    if bytes.iter().take(MAGIC.len()).any(|byte| *byte != 0) {
        return false;
    }
    let first = FirstWrites::default();
    // It fails at the first sync.
    let _ = Store::open(first.clone());
    let made = first.0.lock().unwrap_or_else(PoisonError::into_inner);
    let is_written_or_not = |(is, made): (&u8, &u8)| *is == 0 || is == made;
    bytes.len() <= made.len() && bytes.iter().zip(&*made).all(is_written_or_not)
}

impl fmt::Debug for StateFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateFile")
            .field("path", &self.path())
            .field("workflows", &self.workflows())
            .finish_non_exhaustive()
    }
}
