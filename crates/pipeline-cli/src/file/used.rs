//! Which regular files this run reads and which it writes: no file may be both, by whatever names.

use std::{
    fs::Metadata,
    io,
    path::Path,
    sync::{Mutex, PoisonError},
};

use crate::failure::Failure;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Read,
    Written,
}

/// What a file is known by, however it is called.
#[cfg(unix)]
pub(crate) type Id = (u64, u64);
#[cfg(not(unix))]
pub(crate) type Id = std::path::PathBuf;

#[cfg(unix)]
pub(super) fn id(found: &Metadata, _: &Path) -> Id {
    use std::os::unix::fs::MetadataExt as _;
    (found.dev(), found.ino())
}

#[cfg(not(unix))]
pub(super) fn id(_: &Metadata, path: &Path) -> Id {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// What a regular file is known by; none if it is none.
pub(crate) fn id_of(path: &Path) -> Option<Id> {
    let found = path.metadata().ok().filter(Metadata::is_file)?;
    Some(id(&found, path))
}

static USED: Mutex<Vec<(Id, Use)>> = Mutex::new(Vec::new());

/// Notes that a file is read; refuses if it is to be replaced.
pub(crate) fn reads(found: &io::Result<Metadata>, named: &Path) -> Result<(), Failure> {
    match found {
        Ok(found) if found.is_file() => note(id(found, named), Use::Read, named),
        _ => Ok(()),
    }
}

/// Notes that a file is to be replaced; refuses if it was read.
pub(super) fn writes(path: &Path, named: &Path) -> Result<(), Failure> {
    match std::fs::metadata(path) {
        Ok(found) => note(id(&found, path), Use::Written, named),
        Err(_) => Ok(()),
    }
}

fn note(id: Id, this: Use, named: &Path) -> Result<(), Failure> {
    let mut used = USED.lock().unwrap_or_else(PoisonError::into_inner);
    if used.iter().any(|(other, of)| *other == id && *of != this) {
        return Err(Failure::usage(format!(
            "{} is read and would be written over: write to another file",
            named.display()
        )));
    }
    used.push((id, this));
    Ok(())
}
