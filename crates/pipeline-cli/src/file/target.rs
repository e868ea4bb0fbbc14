//! The one place where the command writes into what the user has named.
//!
//! Links are followed. What is no regular file (a device, a pipe, a descriptor of a process) is
//! written to as it is. A regular file is replaced whole or not at all, and keeps its mode and its
//! owner. What would be lost is asked for first; what this very run has read is never replaced.

use std::{
    fs::{self, File, Metadata},
    io,
    path::{Path, PathBuf},
};

use super::{
    lock, used,
    write::{self, Readers, Stream},
};
use crate::{exit::Exit, failure::Failure, output, terminal};

/// A place to write to, with its links followed.
#[derive(Debug)]
pub(crate) struct Target {
    /// As the user wrote it.
    named: PathBuf,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// Standard output, by whatever name.
    Stdout,
    /// Standard error, likewise.
    Stderr,
    /// It is there and is no regular file, or belongs to a descriptor that somebody else has opened.
    AsItIs(PathBuf),
    /// A regular file that is there.
    Regular(PathBuf),
    /// Nothing is there yet.
    New(PathBuf),
}

impl Target {
    /// Looks what is there, without asking; `-` is standard output.
    pub(crate) fn find(named: &Path) -> Result<Self, Failure> {
        let kind = kind(named).map_err(|error| failed(named, &error))?;
        Ok(Self {
            named: named.to_owned(),
            kind,
        })
    }

    /// Looks what is there, and asks before a text is replaced.
    pub(crate) fn ask(named: &Path, yes: bool) -> Result<Self, Failure> {
        let target = Self::find(named)?;
        target.claim()?;
        if target.holds_something() {
            let question = format!("{} exists. Replace what is in it?", named.display());
            terminal::confirm(&question, yes)?;
        }
        Ok(target)
    }

    /// Whether it is a regular file, or is going to be one.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self.kind, Kind::Regular(_) | Kind::New(_))
    }

    /// Whether writing loses a text. An empty file, as `mktemp` makes it, is nothing to ask about.
    pub(crate) fn holds_something(&self) -> bool {
        match &self.kind {
            Kind::Regular(path) => fs::metadata(path).is_ok_and(|found| found.len() > 0),
            Kind::AsItIs(path) => fs::metadata(path).is_ok_and(|found| is_disk(&found)),
            Kind::Stdout | Kind::Stderr | Kind::New(_) => false,
        }
    }

    /// From now on nothing of this run may read the file, and it must not have been read so far.
    fn claim(&self) -> Result<(), Failure> {
        match &self.kind {
            Kind::Regular(path) => used::writes(path, &self.named),
            _ => Ok(()),
        }
    }

    /// Locks it against other processes of this program, if it is a regular file or is going to be
    /// one.
    pub(crate) fn lock(&self) -> Result<Option<File>, Failure> {
        let (Kind::Regular(path) | Kind::New(path)) = &self.kind else {
            return Ok(None);
        };
        let lock = lock::lock(path).map_err(|error| failed(&self.named, &error))?;
        Ok(Some(lock))
    }

    /// Writes the whole text.
    pub(crate) fn write(&self, text: &[u8], readers: Readers) -> Result<(), Failure> {
        self.claim()?;
        let written = match &self.kind {
            Kind::Stdout => return output::raw(text),
            Kind::Stderr => io::Write::write_all(&mut io::stderr(), text),
            Kind::AsItIs(path) => write::as_it_is(path, text),
            Kind::Regular(path) => write::replace(path, text, readers),
            Kind::New(path) => write::create(path, text, readers),
        };
        match written {
            // Whoever reads it has seen enough, as with standard output.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(Failure::new(
                Exit::Conflict,
                format!("{} has come into being meanwhile", self.named.display()),
            )),
            written => written.map_err(|error| failed(&self.named, &error)),
        }
    }

    /// Opens it to be written bit by bit, readable for its owner only. What is in it stays until the
    /// first bit is written.
    pub(crate) fn stream(&self) -> Result<Stream, Failure> {
        let stream = match &self.kind {
            Kind::Stdout => Ok(Stream::Stdout),
            Kind::Stderr => Ok(Stream::Stderr),
            Kind::AsItIs(path) => write::open_as_it_is(path).map(Stream::File),
            Kind::Regular(path) => write::open_late(path),
            Kind::New(path) => write::create_empty(path).map(Stream::File),
        };
        stream.map_err(|error| failed(&self.named, &error))
    }

    /// Opens it to be written to behind what is in it; a new file is readable for its owner only. The streams of
    /// this run are not for that.
    pub(crate) fn append(&self) -> Result<File, Failure> {
        self.claim()?;
        let opened = match &self.kind {
            Kind::Stdout | Kind::Stderr => {
                let line = format!("{} is an output of this command", self.named.display());
                return Err(Failure::usage(line));
            }
            Kind::AsItIs(path) => write::open_as_it_is(path),
            Kind::Regular(path) => write::open_behind(path),
            Kind::New(path) => write::create_empty(path).and_then(|_| write::open_behind(path)),
        };
        let file = opened.map_err(|error| failed(&self.named, &error))?;
        // A new file could not be claimed before.
        used::writes(&self.named, &self.named)?;
        Ok(file)
    }
}

/// Makes a folder and those above it.
pub(crate) fn create_folder(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(|error| failed(path, &error))
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::io(&path.display().to_string(), error)
}

fn kind(named: &Path) -> io::Result<Kind> {
    if named.as_os_str() == "-" {
        return Ok(Kind::Stdout);
    }
    let found = match fs::metadata(named) {
        Ok(found) => Some(found),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if let Some(found) = &found {
        if found.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        #[cfg(unix)]
        if let Some(kind) = standard(found) {
            return Ok(kind);
        }
    }
    let (path, is_descriptor) = follow(named)?;
    Ok(match found {
        Some(found) if !found.is_file() || is_descriptor => Kind::AsItIs(path),
        Some(_) => Kind::Regular(path),
        None if named.as_os_str().as_encoded_bytes().ends_with(b"/") => {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        None if !write::folder(&path).is_dir() => {
            let line = format!("there is no folder {}", write::folder(&path).display());
            return Err(io::Error::new(io::ErrorKind::NotFound, line));
        }
        None => Kind::New(path),
    })
}

/// Whether it is what one of our own streams goes to. Replacing or cutting that would take away what
/// the shell has opened, and what is written there already.
#[cfg(unix)]
fn standard(found: &Metadata) -> Option<Kind> {
    use std::os::fd::AsFd as _;
    let here = Path::new(".");
    let is = |stream: std::os::fd::BorrowedFd<'_>| {
        let stream = stream.try_clone_to_owned().map(File::from);
        let of_stream = stream.and_then(|stream| stream.metadata());
        of_stream.is_ok_and(|of_stream| used::id(&of_stream, here) == used::id(found, here))
    };
    if is(io::stdout().as_fd()) {
        return Some(Kind::Stdout);
    }
    is(io::stderr().as_fd()).then_some(Kind::Stderr)
}

#[cfg(unix)]
fn is_disk(found: &Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_block_device(&found.file_type())
}

#[cfg(not(unix))]
fn is_disk(_: &Metadata) -> bool {
    false
}

/// As many links as Linux follows.
const MOST_LINKS: u32 = 40;

/// Where links lead to, even if nothing is there, and whether that is a descriptor of a process:
/// what such a link shows is a name only, as the file may have another one by now, or none.
fn follow(named: &Path) -> io::Result<(PathBuf, bool)> {
    let mut path = named.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(next) = fs::read_link(&path) else {
            return Ok((path, false));
        };
        let folder = write::folder(&path).canonicalize()?;
        if folder.starts_with("/proc") && folder.ends_with("fd") {
            return Ok((path, true));
        }
        path = folder.join(next);
    }
    Err(io::Error::other("too many links lead from one to another"))
}
