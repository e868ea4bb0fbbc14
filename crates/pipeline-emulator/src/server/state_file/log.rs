use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use super::{
    beside,
    format::{self, Chain, End, HEADER_LENGTH},
};
use crate::state::Change;

/// So much may be in vain in a file before it is written anew.
const SLACK: u64 = 1024 * 1024;

/// A state file that is being written.
///
/// After an error it must not be used again: what is in the file then is known only to whoever reads
/// it.
pub(in crate::server) struct Log {
    path: PathBuf,
    file: File,
    /// Held for as long as the file is in use.
    _lock: File,
    end: End,
    /// Its length when it was last written anew.
    needed: u64,
}

impl Log {
    /// Makes a file without a record in it.
    pub(super) fn create(path: &Path, lock: File) -> io::Result<Self> {
        let (file, end) = write_new(path, [])?;
        Ok(Self {
            path: path.to_owned(),
            file,
            _lock: lock,
            needed: end.at,
            end,
        })
    }

    /// Goes on behind the last whole record.
    pub(super) fn open(path: &Path, lock: File, end: End) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(end.at)?;
        file.sync_all()?;
        Ok(Self {
            path: path.to_owned(),
            file,
            _lock: lock,
            end,
            // Unknown. A file that could be smaller is soon written anew, whatever it was.
            needed: 0,
        })
    }

    pub(in crate::server) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file should be written anew.
    pub(in crate::server) fn has_grown(&self) -> bool {
        self.end.at > self.needed.saturating_mul(2).saturating_add(SLACK)
    }

    /// Writes changes down. When this returns, they are there to stay.
    pub(in crate::server) fn write(
        &mut self,
        changes: impl IntoIterator<Item = Change>,
    ) -> io::Result<()> {
        let mut everything = None;
        let mut added = Vec::new();
        for change in changes {
            match change {
                Change::Some(payload) => added.push(payload),
                // What came before is a part of it.
                Change::Everything(payloads) => {
                    added.clear();
                    everything = Some(payloads);
                }
            }
        }
        match everything {
            Some(payloads) => self.write_anew(payloads.into_iter().chain(added)),
            None if added.is_empty() => Ok(()),
            None => self.append(&added),
        }
    }

    fn append(&mut self, payloads: &[Vec<u8>]) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(payloads.iter().map(|payload| payload.len() + 32).sum());
        let mut chain = self.end.chain.clone();
        for payload in payloads {
            chain = format::add_record(&chain, payload, &mut bytes).ok_or_else(too_long)?;
        }
        self.file.seek(SeekFrom::Start(self.end.at))?;
        self.file.write_all(&bytes)?;
        self.file.sync_data()?;
        self.end = End {
            at: self.end.at + bytes.len() as u64,
            chain,
            second_slot: !self.end.second_slot,
        };
        // Not synced: should the machine fail before it is on the disk, the older number stands there,
        // which is true as well.
        let slot = format::slot_offset(self.end.second_slot);
        self.file.seek(SeekFrom::Start(slot))?;
        self.file.write_all(&format::slot(self.end.at))
    }

    fn write_anew(&mut self, payloads: impl IntoIterator<Item = Vec<u8>>) -> io::Result<()> {
        let (file, end) = write_new(&self.path, payloads)?;
        self.file = file;
        self.needed = end.at;
        self.end = end;
        Ok(())
    }
}

fn too_long() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        "a change of more than 4 GiB cannot be written down",
    )
}

/// Writes a whole file beside the old one and puts it in its place.
fn write_new(path: &Path, payloads: impl IntoIterator<Item = Vec<u8>>) -> io::Result<(File, End)> {
    let new = beside(path, ".new");
    let file = create(&new)?;
    if let Ok(old) = fs::metadata(path) {
        file.set_permissions(old.permissions())?;
    }
    let mut writer = BufWriter::new(file);
    writer.seek(SeekFrom::Start(HEADER_LENGTH as u64))?;
    let mut end = End {
        at: HEADER_LENGTH as u64,
        chain: Chain::default(),
        second_slot: false,
    };
    let mut bytes = Vec::new();
    for payload in payloads {
        bytes.clear();
        end.chain = format::add_record(&end.chain, &payload, &mut bytes).ok_or_else(too_long)?;
        end.at += bytes.len() as u64;
        writer.write_all(&bytes)?;
    }
    writer.seek(SeekFrom::Start(0))?;
    writer.write_all(&format::header(end.at))?;
    let file = writer
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    sync_folder(path)?;
    Ok((file, end))
}

/// For the owner's eyes only: node data may hold secrets.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Where folders can be synced, a new name in one is on the disk only after that.
fn sync_folder(path: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
