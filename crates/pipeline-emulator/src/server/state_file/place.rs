//! Where a state file is, and whether it still is there.

use std::{
    fs::{self, File, Metadata, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

use redb::{StorageBackend, backends::FileBackend};

use super::error::Reason;

/// A regular file that is open, and locked for as long as this value lives.
pub(super) struct Place {
    /// Without symbolic links, so that it leads to the same file when they change.
    pub(super) path: PathBuf,
    pub(super) file: File,
    /// Lets the tests fill the disk.
    #[cfg(test)]
    pub(super) is_full: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

impl Place {
    /// Opens a file or makes one. What it leads to is not changed.
    pub(super) fn open(path: &Path) -> Result<Self, Reason> {
        // Before it is opened: a FIFO would wait for a writer, and a device may act.
        match fs::metadata(path) {
            Ok(found) => regular(&found)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        let file = options().create(true).open(path)?;
        Self::lock(fs::canonicalize(path)?, file)
    }

    fn lock(path: PathBuf, file: File) -> Result<Self, Reason> {
        regular(&file.metadata()?)?;
        match file.try_lock() {
            Ok(()) => Ok(Self {
                path,
                file,
                #[cfg(test)]
                is_full: std::sync::Arc::default(),
            }),
            Err(TryLockError::WouldBlock) => Err(Reason::InUse),
            Err(TryLockError::Error(error)) => Err(Reason::NoLock(error)),
        }
    }

    /// Finds out whether the path still leads to the file that is open.
    pub(super) fn check(&self) -> Result<(), Reason> {
        match fs::symlink_metadata(&self.path) {
            Ok(found) if is_same(&found, &self.file.metadata()?) => Ok(()),
            Ok(_) => Err(Reason::Replaced),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Reason::Removed),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes the file anew if it was removed.
    pub(super) fn find_again(&mut self) -> Result<(), Reason> {
        match self.check() {
            Err(Reason::Removed) => {
                let file = options().create_new(true).open(&self.path)?;
                self.file = Self::lock(self.path.clone(), file)?.file;
                Ok(())
            }
            checked => checked,
        }
    }

    pub(super) fn begin_anew(&self) -> Result<(), Reason> {
        Ok(self.file.set_len(0)?)
    }

    pub(super) fn backend(&self) -> Result<Disk, Reason> {
        let file = FileBackend::new(self.file.try_clone()?);
        Ok(Disk {
            file: file.map_err(|error| Reason::of(error.into()))?,
            #[cfg(test)]
            is_full: self.is_full.clone(),
        })
    }

    /// Where folders can be synced, a new name in one is on the disk only after that.
    pub(super) fn sync_folder(&self) -> Result<(), Reason> {
        match self.path.parent() {
            Some(folder) if cfg!(unix) => Ok(File::open(folder)?.sync_all()?),
            _ => Ok(()),
        }
    }
}

/// For the owner's eyes only: node data may hold secrets.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn regular(found: &Metadata) -> Result<(), Reason> {
    if found.is_file() {
        return Ok(());
    }
    Err(Reason::NotAFile(kind(found)))
}

#[cfg(unix)]
fn kind(found: &Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;

    let kind = found.file_type();
    match () {
        () if kind.is_dir() => "a folder",
        () if kind.is_fifo() => "a FIFO",
        () if kind.is_socket() => "a socket",
        () if kind.is_char_device() || kind.is_block_device() => "a device",
        () => "something special",
    }
}

#[cfg(not(unix))]
fn kind(found: &Metadata) -> &'static str {
    if found.is_dir() {
        "a folder"
    } else {
        "something special"
    }
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// A file that is open and locked can neither be removed nor replaced there.
#[cfg(not(unix))]
fn is_same(one: &Metadata, _other: &Metadata) -> bool {
    one.is_file()
}

/// The file as redb reads and writes it, without the locks that it would take: [`Place`] has one, which
/// it keeps while the database is closed and opened again.
#[derive(Debug)]
pub(super) struct Disk {
    file: FileBackend,
    #[cfg(test)]
    is_full: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        #[cfg(test)]
        if self.is_full.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.write(offset, data)
    }
}
