use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// What stands in the way of using a buffer.
#[derive(Debug, Clone)]
pub struct BufferError {
    pub(super) path: PathBuf,
    pub(super) reason: Reason,
}

#[derive(Debug, Clone)]
pub(super) enum Reason {
    Io(Arc<io::Error>),
    /// The file system knows no locks.
    NoLock(Arc<io::Error>),
    NotAFolder,
    NotAFile,
    InUse,
    NotThere,
    Foreign(String),
    Damaged(String),
    Full {
        limit: u64,
    },
    Closed,
    /// It has failed before, for this reason.
    Failed(String),
}

/// What stands in the way, for a program to decide on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BufferErrorKind {
    /// The file system refuses: no permission, a full disk, no locks.
    Io,
    /// Something else is in the place of the folder or of its file.
    NotABuffer,
    /// Another process uses it, or this one already.
    InUse,
    /// It was changed or cut short after it was written. `pipeline buffer repair` saves what is whole.
    Damaged,
    /// There is no room.
    Full,
    /// It was closed.
    Closed,
    /// Writing has failed before, so that nothing more is acknowledged. Open it again.
    Failed,
}

impl Reason {
    /// Of an error of the database.
    pub(super) fn of(error: impl Into<redb::Error>) -> Self {
        match error.into() {
            redb::Error::Io(error) => Self::Io(Arc::new(error)),
            redb::Error::PreviousIo => Self::Failed("an earlier error of the disk".to_owned()),
            redb::Error::UpgradeRequired(version) => {
                Self::Foreign(format!("its database has the format {version}"))
            }
            error => Self::Damaged(error.to_string()),
        }
    }
}

impl From<io::Error> for Reason {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}

impl BufferError {
    /// What there is to say when it stands in the way of everything later.
    pub(super) fn later(&self) -> String {
        match &self.reason {
            Reason::Io(error) => said(error),
            _ => self.to_string(),
        }
    }

    /// The folder of the buffer.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What stands in the way.
    pub fn kind(&self) -> BufferErrorKind {
        match self.reason {
            Reason::Io(_) | Reason::NoLock(_) | Reason::NotThere => BufferErrorKind::Io,
            Reason::NotAFolder | Reason::NotAFile | Reason::Foreign(_) => {
                BufferErrorKind::NotABuffer
            }
            Reason::InUse => BufferErrorKind::InUse,
            Reason::Damaged(_) => BufferErrorKind::Damaged,
            Reason::Full { .. } => BufferErrorKind::Full,
            Reason::Closed => BufferErrorKind::Closed,
            Reason::Failed(_) => BufferErrorKind::Failed,
        }
    }
}

/// An error of the file system, and what a person can do about it.
fn said(error: &io::Error) -> String {
    let advice = match error.kind() {
        io::ErrorKind::NotFound => "the folder above it does not exist; make it first",
        io::ErrorKind::PermissionDenied => "the permission to read and write it is missing",
        io::ErrorKind::ReadOnlyFilesystem => "it is on a read-only file system",
        io::ErrorKind::StorageFull => "the disk is full; make space",
        io::ErrorKind::QuotaExceeded => "the disk quota is used up; make space",
        io::ErrorKind::FileTooLarge => "it would grow beyond the size that is allowed for a file",
        io::ErrorKind::InvalidFilename => "its name is too long",
        _ => "the file system refuses",
    };
    format!("{advice} ({error})")
}

impl fmt::Display for BufferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.reason {
            Reason::Io(error) => write!(f, "the buffer {path} cannot be used: {}", said(error)),
            Reason::NoLock(error) => write!(
                f,
                "the buffer {path} cannot be locked, so that another process could write to it as well; name a folder on another file system ({error})"
            ),
            Reason::NotAFolder => write!(f, "{path} is no folder; a buffer is one"),
            Reason::NotAFile => write!(
                f,
                "{path} is no buffer: there is no regular file under the name of its file"
            ),
            Reason::InUse => write!(f, "another process uses the buffer {path}; stop it first"),
            Reason::NotThere => write!(f, "there is no buffer in {path}"),
            Reason::Foreign(what) => write!(
                f,
                "{path} is no buffer: {what}; it was left as it is, name another folder"
            ),
            Reason::Damaged(what) => write!(
                f,
                "the buffer {path} is damaged: {what}; `pipeline buffer repair` saves what is whole, and keeps the old file"
            ),
            Reason::Full { limit } => write!(
                f,
                "the buffer {path} is full: it holds no more than {limit} bytes"
            ),
            Reason::Closed => write!(f, "the buffer {path} is closed"),
            Reason::Failed(what) => write!(
                f,
                "the buffer {path} takes nothing more since it could not be written: {what}"
            ),
        }
    }
}

impl std::error::Error for BufferError {}
