//! How bytes get into a file.

use std::{
    fs::{self, File, Metadata},
    io::{self, Seek as _, Write},
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

use tempfile::NamedTempFile;

use crate::interrupt;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Whoever the system lets by default; whoever could so far.
    Usual,
    /// Its owner; if it was there already, whoever could so far.
    OwnerIfNew,
    /// Its owner.
    Owner,
}

/// How long a pipe that nobody reads is waited for.
const NOBODY_READS: Duration = Duration::from_secs(10);

/// The folder that a file is in.
pub(super) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Opens a device, a pipe or a descriptor. A pipe can be opened when somebody reads it, which may
/// never be: hence a thread of its own.
pub(super) fn open_as_it_is(path: &Path) -> io::Result<File> {
    let (tell, told) = mpsc::channel();
    let path: PathBuf = path.to_owned();
    thread::spawn(move || {
        let is_regular = fs::metadata(&path).is_ok_and(|found| found.is_file());
        let file = File::options().write(true).append(is_regular).open(&path);
        // Nobody listens any more if it took too long.
        let _ = tell.send(file);
    });
    told.recv_timeout(NOBODY_READS).unwrap_or_else(|_| {
        let line = format!(
            "nobody has opened it for reading within {} s",
            NOBODY_READS.as_secs()
        );
        Err(io::Error::new(io::ErrorKind::TimedOut, line))
    })
}

pub(super) fn as_it_is(path: &Path, text: &[u8]) -> io::Result<()> {
    open_as_it_is(path)?.write_all(text)
}

/// Makes a file, whole or not at all, where there is none.
pub(super) fn create(path: &Path, text: &[u8], readers: Readers) -> io::Result<()> {
    let _whole = interrupt::hold();
    let temporary = filled(path, text, None, readers)?;
    let Err(refused) = temporary.persist_noclobber(path) else {
        return sync(folder(path));
    };
    // Some file systems can rename only over what is there.
    if refused.error.kind() == io::ErrorKind::AlreadyExists || fs::symlink_metadata(path).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    refused
        .file
        .persist(path)
        .map_err(|refused| refused.error)?;
    sync(folder(path))
}

/// Makes an empty file that its owner only can read, where there is none.
pub(super) fn create_empty(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Replaces what is in a file, whole or not at all. Where the file cannot be replaced by another one
/// (it has further names, its folder takes no new file, it is mounted there by itself, its owner cannot
/// be kept) it is written over, and what was in it is put back if that fails.
pub(super) fn replace(path: &Path, text: &[u8], readers: Readers) -> io::Result<()> {
    let _whole = interrupt::hold();
    // Whether it may be written at all is for the file to say, not for its folder.
    let file = File::options().write(true).open(path)?;
    let old = file.metadata()?;
    if names(&old) > 1 {
        return write_over(path, file, text, readers);
    }
    let replaced = filled(path, text, Some(&old), readers).and_then(|temporary| {
        temporary.persist(path).map_err(|refused| refused.error)?;
        sync(folder(path))
    });
    match replaced.as_ref().map_err(io::Error::kind) {
        Err(
            io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::ResourceBusy
            | io::ErrorKind::CrossesDevices,
        ) => write_over(path, file, text, readers),
        _ => replaced,
    }
}

/// The text in a new file beside the one that it is for. The file is gone again unless it is put there.
fn filled(
    path: &Path,
    text: &[u8],
    old: Option<&Metadata>,
    readers: Readers,
) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".pipeline-").suffix(".new");
    #[cfg(unix)]
    if old.is_none() && readers == Readers::Usual {
        // What the system takes away from that is usual.
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    }
    let mut temporary = builder.tempfile_in(folder(path))?;
    // The error of this type would name the temporary file.
    let file = temporary.as_file_mut();
    file.write_all(text)?;
    if let Some(old) = old {
        keep_owner(file, old)?;
        file.set_permissions(permissions(old, readers))?;
    }
    file.sync_all()?;
    Ok(temporary)
}

/// Writes over a file. Its old blocks stay its own until the end, so that the old text fits again.
fn write_over(path: &Path, mut file: File, text: &[u8], readers: Readers) -> io::Result<()> {
    let old = fs::read(path);
    if readers == Readers::Owner {
        file.set_permissions(permissions(&file.metadata()?, readers))?;
    }
    let mut put = |text: &[u8]| {
        file.rewind()?;
        file.write_all(text)?;
        file.set_len(text.len() as u64)?;
        file.sync_all()
    };
    put(text).inspect_err(|_| {
        // If that fails as well, the first error is the one to tell.
        let _ = old.and_then(|old| put(&old));
    })
}

/// A file that is written bit by bit.
#[derive(Debug)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
    File(File),
    /// Still holds what it held.
    Old(File),
}

/// Opens a file to write behind its text, which can be read as well.
pub(super) fn open_behind(path: &Path) -> io::Result<File> {
    File::options().read(true).append(true).open(path)
}

/// Opens a file whose text goes when the first bit is written.
pub(super) fn open_late(path: &Path) -> io::Result<Stream> {
    File::options().write(true).open(path).map(Stream::Old)
}

impl Write for Stream {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if let Self::Old(file) = self {
            file.set_permissions(permissions(&file.metadata()?, Readers::Owner))?;
            // On a full disk the old text had better stay.
            let written = file.write(text)?;
            file.set_len(written as u64)?;
            *self = Self::File(file.try_clone()?);
            return Ok(written);
        }
        match self {
            Self::Stdout => io::stdout().write(text),
            Self::Stderr => io::stderr().write(text),
            Self::File(file) | Self::Old(file) => file.write(text),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout => io::stdout().flush(),
            Self::Stderr => io::stderr().flush(),
            Self::File(file) | Self::Old(file) => file.flush(),
        }
    }
}

/// After a loss of power, a rename is there if its folder was written.
#[cfg(unix)]
fn sync(folder: &Path) -> io::Result<()> {
    // Not every folder can be opened, and not every file system can do that with folders.
    let Ok(folder) = File::open(folder) else {
        return Ok(());
    };
    match folder.sync_all() {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

#[cfg(not(unix))]
fn sync(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn names(found: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(found)
}

#[cfg(not(unix))]
fn names(_: &Metadata) -> u64 {
    1
}

#[cfg(unix)]
fn keep_owner(file: &File, old: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let new = file.metadata()?;
    let uid = Some(old.uid()).filter(|uid| *uid != new.uid());
    let gid = Some(old.gid()).filter(|gid| *gid != new.gid());
    if uid.is_none() && gid.is_none() {
        return Ok(());
    }
    fchown(file, uid, gid)
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn permissions(old: &Metadata, readers: Readers) -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = old.permissions().mode() & 0o7777;
    let mode = if readers == Readers::Owner {
        mode & 0o700
    } else {
        mode
    };
    fs::Permissions::from_mode(mode)
}

#[cfg(not(unix))]
fn permissions(old: &Metadata, _: Readers) -> fs::Permissions {
    old.permissions()
}
