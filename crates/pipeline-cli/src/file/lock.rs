//! One process at a time changes a file.

use std::{
    fs::{File, TryLockError},
    io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// Longer than anybody needs to change a file.
const PATIENCE: Duration = Duration::from_secs(10);

/// Locks a file, which is made for its owner only if there is none. The lock ends with the value.
///
/// It is the file itself that is locked, so that all its names share the lock and nothing is left
/// behind. A file that was replaced while it was waited for is not the one any more: then its
/// successor is.
pub(super) fn lock(path: &Path) -> io::Result<File> {
    let begun = Instant::now();
    loop {
        let mut options = File::options();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(lock_of(path))?;
        match file.try_lock() {
            Ok(()) if is_still(&file, path) => return Ok(file),
            Ok(()) => {}
            // There are file systems without locks.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                return Ok(file);
            }
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => {
                thread::sleep(Duration::from_millis(5));
            }
            Err(TryLockError::WouldBlock) => {
                let line = format!(
                    "another process has been changing it for {} s",
                    PATIENCE.as_secs()
                );
                return Err(io::Error::new(io::ErrorKind::TimedOut, line));
            }
        }
    }
}

#[cfg(unix)]
fn lock_of(path: &Path) -> &Path {
    path
}

/// A file that is locked there cannot be read or replaced.
#[cfg(not(unix))]
fn lock_of(path: &Path) -> std::path::PathBuf {
    path.with_extension("lock")
}

#[cfg(unix)]
fn is_still(file: &File, path: &Path) -> bool {
    let [locked, there] = [file.metadata(), std::fs::metadata(path)].map(|found| {
        let found = found.ok()?;
        Some(super::used::id(&found, path))
    });
    locked == there
}

#[cfg(not(unix))]
fn is_still(_: &File, _: &Path) -> bool {
    true
}
