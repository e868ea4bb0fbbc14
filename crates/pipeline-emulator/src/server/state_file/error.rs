use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// Why a state file cannot be used.
#[derive(Debug)]
pub struct StateError {
    pub(super) path: PathBuf,
    pub(super) reason: Reason,
}

#[derive(Debug)]
pub(super) enum Reason {
    Io(io::Error),
    /// The file system knows no locks.
    NoLock(io::Error),
    NotAFile(&'static str),
    InUse,
    NotAStateFile(String),
    Damaged(String),
    Removed,
    Replaced,
    /// It has failed before.
    Unusable,
}

impl Reason {
    /// Of an error of the database while it is in use.
    pub(super) fn of(error: redb::Error) -> Self {
        match error {
            redb::Error::Io(error) => Self::Io(error),
            redb::Error::PreviousIo => Self::Unusable,
            error => Self::Damaged(error.to_string()),
        }
    }
}

impl From<io::Error> for Reason {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
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
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StateErrorKind {
    /// The file system refuses.
    Io,
    /// It is a folder, a FIFO, a socket or a device.
    NotAFile,
    /// Another process, or another server of this one, uses it.
    InUse,
    /// It is something else, or was written by another version.
    NotAStateFile,
    /// It was changed or cut short after it was written.
    Damaged,
    /// It was removed or replaced while it was in use.
    Gone,
}

impl StateError {
    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What stands in the way.
    pub fn kind(&self) -> StateErrorKind {
        match &self.reason {
            Reason::Io(_) | Reason::NoLock(_) | Reason::Unusable => StateErrorKind::Io,
            Reason::NotAFile(_) => StateErrorKind::NotAFile,
            Reason::InUse => StateErrorKind::InUse,
            Reason::NotAStateFile(_) => StateErrorKind::NotAStateFile,
            Reason::Damaged(_) => StateErrorKind::Damaged,
            Reason::Removed | Reason::Replaced => StateErrorKind::Gone,
        }
    }
}

/// What a person can do about an error of the file system.
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "its folder does not exist; make it first",
        io::ErrorKind::NotADirectory => "a part of its path is no folder",
        io::ErrorKind::PermissionDenied => {
            "the permission to read and write it is missing; change that, or name another file"
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            "it is on a read-only file system; name a file on another one"
        }
        io::ErrorKind::StorageFull => "the disk is full; make space",
        io::ErrorKind::QuotaExceeded => "the disk quota is used up; make space",
        io::ErrorKind::FileTooLarge => "it would grow beyond the size that is allowed for a file",
        io::ErrorKind::InvalidFilename => "its name is too long",
        _ => "the file system refuses",
    }
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.reason {
            Reason::Io(error) => {
                let advice = advice(error);
                write!(
                    f,
                    "the state file {path} cannot be used: {advice} ({error})"
                )
            }
            Reason::NoLock(error) => write!(
                f,
                "the state file {path} cannot be locked, so that another process could write to it as well; name a file on another file system ({error})"
            ),
            Reason::NotAFile(what) => write!(f, "{path} is {what}; a state file is a regular file"),
            Reason::InUse => write!(
                f,
                "another emulator uses the state file {path}; stop it first"
            ),
            Reason::NotAStateFile(what) => write!(
                f,
                "{path} is no state file: {what}; it was left as it is, name another one"
            ),
            Reason::Damaged(what) => write!(
                f,
                "the state file {path} is damaged: {what}; it was left as it is, put a copy in its place or move it away to begin anew"
            ),
            Reason::Removed => write!(f, "the state file {path} was removed"),
            Reason::Replaced => write!(
                f,
                "there is another file in the place of the state file {path}; move it away, and everything is written anew"
            ),
            Reason::Unusable => write!(f, "the state file {path} could not be written before"),
        }
    }
}

impl std::error::Error for StateError {}
