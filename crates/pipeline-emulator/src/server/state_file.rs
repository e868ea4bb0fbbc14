//! Workflows that outlive the process.
//!
//! The file is a journal: a header, then one record for each change, each with a length and a checksum
//! over itself and the record before it. A change is appended and synced before its request is
//! answered; changes that arrive meanwhile share the next sync. When the file has grown to twice what
//! it needs, it is written anew beside the old one, synced, and renamed over it.
//!
//! Why not an embedded database: the emulator keeps all workflows in memory, so a store has to do two
//! things, to take a change durably and to give everything back at the start. A journal does both in
//! the fewest parts, and decides what is asked of it most: which bytes are a write that was cut off
//! and may be dropped, and which are damage that must be reported. A database would bring ten times the
//! code and decide that in its own way. A snapshot written with each change would be simpler still, but
//! its cost grows with the number of workflows.
//!
//! The header tells how many bytes were acknowledged, so that a file cut short is noticed. It is
//! written after the records that it tells of, at two places in turn, so that one of the two is whole
//! at any moment.

mod format;
mod log;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

use crate::{Snapshot, snapshot::OwnedRecord};
use format::{End, Unreadable};
pub(super) use log::Log;

/// A file that keeps the workflows of an emulator, for [`Server::state`](super::Server::state).
///
/// Every change that was answered is in it, whatever becomes of the process. Beside `FILE` there are
/// `FILE.lock`, so that no two processes use it at once, and for moments `FILE.new`. Node data stands
/// in it as it is, secrets included; the file is made for its owner's eyes only.
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
    pub(super) log: Log,
    pub(super) contents: Snapshot,
    is_new: bool,
}

impl StateFile {
    /// Opens a state file, or makes one, and reads it.
    ///
    /// # Errors
    ///
    /// If it cannot be read or written, another process uses it, or it is not what it was when its last
    /// change was acknowledged. Nothing is changed then: a damaged file is left as it is.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StateError> {
        let mut path = path.into();
        // A link stays a link when what it leads to is written anew.
        if let Ok(target) = fs::canonicalize(&path) {
            path = target;
        }
        Self::open_file(&path).map_err(|reason| StateError { path, reason })
    }

    fn open_file(path: &Path) -> Result<Self, Reason> {
        let lock = lock(path)?;
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let log = Log::create(path, lock).map_err(Reason::Io)?;
                return Ok(Self {
                    log,
                    contents: Snapshot::default(),
                    is_new: true,
                });
            }
            Err(error) => return Err(Reason::Io(error)),
        };
        let (contents, end) = read(&bytes)?;
        Ok(Self {
            log: Log::open(path, lock, end).map_err(Reason::Io)?,
            contents,
            is_new: false,
        })
    }

    /// Whether there was no such file before.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// How many workflows it holds.
    pub fn workflows(&self) -> usize {
        self.contents.len()
    }
}

/// What is in a file of these bytes, and where it goes on.
fn read(bytes: &[u8]) -> Result<(Snapshot, End), Reason> {
    let found = format::read(bytes)?;
    let mut contents = Snapshot::default();
    for (at, payload) in found.payloads {
        let damaged = |what: String| Reason::Damaged { at, what };
        let records: Vec<OwnedRecord> =
            serde_json::from_slice(payload).map_err(|error| damaged(error.to_string()))?;
        for record in records {
            record.apply_to(&mut contents).map_err(damaged)?;
        }
    }
    Ok((contents, found.end))
}

impl fmt::Debug for StateFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateFile")
            .field("path", &self.log.path())
            .field("workflows", &self.workflows())
            .finish_non_exhaustive()
    }
}

/// The system gives it back when the process ends, in whatever way.
fn lock(path: &Path) -> Result<File, Reason> {
    let mut options = OpenOptions::new();
    let options = options.create(true).truncate(false).write(true);
    let lock = options.open(beside(path, ".lock")).map_err(Reason::Io)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Reason::InUse),
        Err(TryLockError::Error(error)) => Err(Reason::Io(error)),
    }
}

/// The path of a file that belongs to this one.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Why a state file cannot be used.
#[derive(Debug)]
pub struct StateError {
    path: PathBuf,
    reason: Reason,
}

#[derive(Debug)]
enum Reason {
    Io(io::Error),
    InUse,
    NotAStateFile(String),
    Damaged { at: u64, what: String },
}

/// What stands in the way of using a state file.
///
/// ```
/// use pipeline_emulator::server::{StateErrorKind, StateFile};
///
/// # let path = std::env::temp_dir().join(format!("emulator-kind-{}", std::process::id()));
/// std::fs::write(&path, "something else")?;
/// let error = StateFile::open(&path).unwrap_err();
/// assert_eq!(error.kind(), StateErrorKind::NotAStateFile);
/// # std::fs::remove_file(&path)?;
/// # let _ = std::fs::remove_file(path.with_extension("lock"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StateErrorKind {
    /// The file system refuses.
    Io,
    /// Another process, or another server of this one, uses it.
    InUse,
    /// It is something else, or was written by another version.
    NotAStateFile,
    /// It was changed or cut short after it was written.
    Damaged,
}

impl StateError {
    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What stands in the way.
    pub fn kind(&self) -> StateErrorKind {
        match &self.reason {
            Reason::Io(_) => StateErrorKind::Io,
            Reason::InUse => StateErrorKind::InUse,
            Reason::NotAStateFile(_) => StateErrorKind::NotAStateFile,
            Reason::Damaged { .. } => StateErrorKind::Damaged,
        }
    }
}

impl From<Unreadable> for Reason {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Foreign(what) => Self::NotAStateFile(what),
            Unreadable::Damaged { at, what } => Self::Damaged { at, what },
        }
    }
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.reason {
            Reason::Io(_) => write!(f, "the state file {path} cannot be used"),
            Reason::InUse => write!(
                f,
                "another emulator uses the state file {path}; stop it first"
            ),
            Reason::NotAStateFile(what) => write!(
                f,
                "{path} is no state file: {what}; it was left as it is, name another one"
            ),
            Reason::Damaged { at, what } => write!(
                f,
                "the state file {path} is damaged at byte {at}: {what}; it was left as it is, put a copy in its place or move it away to begin anew"
            ),
        }
    }
}

impl std::error::Error for StateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.reason {
            Reason::Io(error) => Some(error),
            _ => None,
        }
    }
}
