//! Drives a follower over real files.

use std::{
    cmp::Reverse,
    fs::{self, File, Metadata},
    io::{self, BufReader, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    time::{Duration, Instant, UNIX_EPOCH},
};

use pipeline_shipper::follow::{Follower, Found, Look, Mark, Seen, Settings, Step};

use crate::command::records::{Packing, unpacked_name};

/// A file that others append to, or one that is read once.
pub(super) struct Tail {
    path: PathBuf,
    follower: Follower,
    step: Step,
    open: Option<Open>,
    buffer: Vec<u8>,
    begun: Instant,
}

struct Open {
    file: File,
    /// How the file was that this one was unpacked from.
    packed: Option<Seen>,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Busy,
    Idle,
    Done,
}

impl Open {
    fn new(path: &Path) -> io::Result<Self> {
        // To open a pipe would wait for somebody who writes to it.
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::other("it is no file that could be followed"));
        }
        let file = File::open(path)?;
        let seen = seen(&file.metadata()?);
        let Some(packing) = Packing::of_file(&file)? else {
            return Ok(Self { file, packed: None });
        };
        // A mark counts the bytes that were there before it was compressed.
        let mut unpacked = tempfile::tempfile()?;
        let length = io::copy(&mut packing.unpack(BufReader::new(file)), &mut unpacked)?;
        Ok(Self {
            file: unpacked,
            packed: Some(Seen { length, ..seen }),
        })
    }

    fn seen(&self) -> io::Result<(Seen, bool)> {
        if let Some(seen) = self.packed {
            return Ok((seen, false));
        }
        let found = self.file.metadata()?;
        Ok((seen(&found), is_deleted(&found)))
    }

    fn read(&self, offset: u64, length: usize, buffer: &mut Vec<u8>) -> io::Result<()> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(offset))?;
        buffer.clear();
        file.take(length as u64).read_to_end(buffer).map(drop)
    }

    fn fits(&self, mark: Mark) -> io::Result<bool> {
        let (mut head, mut tail) = (Vec::new(), Vec::new());
        self.read(0, mark.head_length(), &mut head)?;
        self.read(mark.tail_at(), mark.tail_length(), &mut tail)?;
        Ok(mark.fits(&head, &tail))
    }
}

impl Tail {
    pub(super) fn new(path: &Path, settings: Settings, mark: Option<Mark>) -> Self {
        let follower = Follower::new(settings, mark);
        Self {
            path: path.to_owned(),
            step: follower.begin(),
            follower,
            open: None,
            buffer: Vec::new(),
            begun: Instant::now(),
        }
    }

    /// Takes so many steps, or fewer if there is nothing to do. Of what is found, the file is told as well.
    pub(super) fn turn(
        &mut self,
        most: usize,
        found: &mut dyn FnMut(&File, Found<'_>),
    ) -> io::Result<Turn> {
        for _ in 0..most {
            if matches!(self.step, Step::Open | Step::Search) {
                self.change()?;
                continue;
            }
            let Self { follower, open, .. } = self;
            let mut found = |seen: Found<'_>| {
                if let Some(open) = &open {
                    found(&open.file, seen);
                }
            };
            self.step = match self.step {
                Step::Look => {
                    let here = open.as_ref().map(Open::seen).transpose()?;
                    let look = Look {
                        open: here.map(|(seen, _)| seen),
                        path: fs::metadata(&self.path).ok().as_ref().map(seen),
                        deleted: here.is_some_and(|(_, deleted)| deleted),
                    };
                    follower.on_look(look, self.begun.elapsed(), &mut found)
                }
                Step::Read { offset, length } => {
                    self.buffer.clear();
                    if let Some(open) = &open {
                        open.read(offset, length, &mut self.buffer)?;
                    }
                    follower.on_read(&self.buffer, &mut found)
                }
                Step::Wait(_) => {
                    self.step = follower.on_wake();
                    return Ok(Turn::Idle);
                }
                Step::Done => return Ok(Turn::Done),
                step @ (Step::Open | Step::Search) => step,
            };
        }
        Ok(Turn::Busy)
    }

    /// Puts another file in place of the one that is open.
    fn change(&mut self) -> io::Result<()> {
        if self.step == Step::Search {
            let mark = self.follower.mark();
            let mut fitting = None;
            for (path, _) in self.rotated() {
                // What cannot be read is not the file that is looked for.
                let open = Open::new(&path).and_then(|open| Ok((open.fits(mark)?, open)));
                if let Ok((true, open)) = open {
                    fitting = Some(open);
                    break;
                }
            }
            let seen = fitting.as_ref().map(Open::seen).transpose()?;
            self.open = fitting.or(self.open.take());
            self.step = self.follower.on_search(seen.map(|(seen, _)| seen));
            return Ok(());
        }
        let mark = self.follower.mark();
        let left = self.open.as_ref().map(Open::seen).transpose()?;
        let next = left.and_then(|(left, _)| {
            let rotated = self.rotated();
            let place = rotated.iter().position(|(_, it)| it.id == left.id);
            let later = rotated.into_iter().enumerate().filter(|(at, (_, it))| {
                place.map_or(it.written > left.written, |place| *at > place)
            });
            let mut later = later.filter_map(|(_, (path, _))| Open::new(&path).ok());
            // What was left may have been compressed or copied meanwhile.
            later.find(|open| mark.offset() == 0 || !open.fits(mark).unwrap_or(true))
        });
        let opened = next.map_or_else(|| Open::new(&self.path), Ok);
        self.open = match opened {
            Ok(open) => Some(open),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                self.open = None;
                self.step = Step::Open;
                return Err(error);
            }
        };
        let seen = self.open.as_ref().map(Open::seen).transpose()?;
        self.step = self.follower.on_open(seen.map(|(seen, _)| seen));
        Ok(())
    }

    /// The files beside it that were rotated away, those that were written to first before the others.
    fn rotated(&self) -> Vec<(PathBuf, Seen)> {
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let rotated = entries.filter_map(|entry| {
            let other = entry.file_name();
            let other = other.to_string_lossy();
            let suffix = other.strip_prefix(&*name)?;
            let found = is_of_rotation(suffix).then(|| fs::metadata(entry.path()).ok())??;
            let age = (seen(&found).written, Reverse(number(suffix)));
            found.is_file().then(|| (age, entry.path(), seen(&found)))
        });
        let mut rotated: Vec<_> = rotated.collect();
        rotated.sort_by_key(|(age, ..)| *age);
        let rotated = rotated.into_iter();
        rotated.map(|(_, path, seen)| (path, seen)).collect()
    }
}

/// How often the file was rotated, if its name says so. It tells files apart that were written to at the same time.
fn number(suffix: &str) -> u32 {
    let number = unpacked_name(suffix).trim_start_matches(['.', '-', '_']);
    number
        .parse()
        .ok()
        .filter(|number| *number < 10_000)
        .unwrap_or(0)
}

/// Whether this is what rotation puts behind a name: `.1`, `-20261128`, `.2.gz`, `.2.zst`, `.old`.
fn is_of_rotation(suffix: &str) -> bool {
    match unpacked_name(suffix).strip_prefix(['.', '-', '_']) {
        Some(rest) => {
            rest.starts_with(|c: char| c.is_ascii_digit()) || rest == "old" || rest == "bak"
        }
        None => false,
    }
}

fn seen(found: &Metadata) -> Seen {
    let since = |time: io::Result<std::time::SystemTime>| {
        let time = time
            .ok()
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        time.unwrap_or(Duration::ZERO).as_nanos()
    };
    Seen {
        #[cfg(unix)]
        id: {
            use std::os::unix::fs::MetadataExt as _;
            (found.dev(), found.ino())
        },
        // No stable call there tells more than when it was made.
        #[cfg(not(unix))]
        id: (0, u64::try_from(since(found.created())).unwrap_or(0)),
        length: found.len(),
        written: since(found.modified()),
    }
}

#[cfg(unix)]
fn is_deleted(found: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(found) == 0
}

#[cfg(not(unix))]
fn is_deleted(_: &Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_files_beside_it_are_not_taken_for_rotated_ones() {
        for suffix in [
            ".1",
            "-20261128",
            ".2.gz",
            ".2.zst",
            ".old",
            "_1",
            ".2026-11-28",
        ] {
            assert!(is_of_rotation(suffix), "{suffix}");
        }
        assert_eq!(
            [".2", "-7.gz", ".old", "-20261128"].map(number),
            [2, 7, 0, 0]
        );
        for suffix in ["", ".err", "2", ".gz", ".pos", "-errors.1x", ".swp"] {
            assert!(!is_of_rotation(suffix), "{suffix}");
        }
    }
}
