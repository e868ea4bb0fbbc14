//! Dead letters: records that were not accepted, kept as they were, with the reason.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

use crate::{
    command::records::{Format, Layout},
    failure::Failure,
    file::Target,
};

/// A line of the file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Letter {
    pub(super) record: String,
    /// The record if it is not text, in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bytes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<Format>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delimiter: Option<char>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) columns: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) map: BTreeMap<String, String>,
    pub(super) file: String,
    pub(super) line: u64,
    pub(super) outcome: String,
    pub(super) reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) request_id: Option<String>,
}

impl Letter {
    /// With a record, and what is to be known to read it again.
    pub(super) fn of(record: &[u8], layout: Layout) -> Self {
        let bytes = std::str::from_utf8(record).is_err();
        Self {
            record: String::from_utf8_lossy(record).into_owned(),
            bytes: bytes.then(|| BASE64_STANDARD.encode(record)),
            format: layout.format,
            delimiter: layout.delimiter.map(char::from),
            columns: layout.columns,
            map: layout.map,
            ..Self::default()
        }
    }

    /// The record, and how it is written.
    pub(super) fn open(&self) -> Result<(Vec<u8>, Layout), String> {
        let record = match &self.bytes {
            Some(bytes) => BASE64_STANDARD.decode(bytes).map_err(|it| it.to_string())?,
            None => self.record.clone().into_bytes(),
        };
        let delimiter = self.delimiter.map(u8::try_from).transpose();
        let layout = Layout {
            format: self.format,
            delimiter: delimiter.map_err(|error| error.to_string())?,
            columns: self.columns.clone(),
            map: self.map.clone(),
        };
        Ok((record, layout))
    }
}

/// The file that they go to.
pub(super) struct Letters {
    path: PathBuf,
    file: File,
}

impl Letters {
    /// Appends to what is there. A new file is for its owner only.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let mut file = Target::find(path)?.append()?;
        let mut letters = Self {
            path: path.to_owned(),
            file: file.try_clone().map_err(|error| failed(path, &error))?,
        };
        // A line that was cut off by the end of a machine stays a line of its own.
        let mut last = [b'\n'];
        if file.seek(SeekFrom::End(-1)).is_ok() && file.read_exact(&mut last).is_ok() {
            let end = if last == *b"\n" { &b""[..] } else { b"\n" };
            letters.put(end)?;
        }
        Ok(letters)
    }

    pub(super) fn write(&mut self, letter: &Letter) -> Result<(), Failure> {
        let mut line = serde_json::to_vec(letter).map_err(Failure::usage)?;
        line.push(b'\n');
        self.put(&line)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.file.write_all(bytes);
        written.map_err(|error| failed(&self.path, &error))
    }

    pub(super) fn sync(&mut self) -> Result<(), Failure> {
        match self.file.metadata() {
            Ok(found) if found.is_file() => {
                let synced = self.file.sync_all();
                synced.map_err(|error| failed(&self.path, &error))
            }
            _ => Ok(()),
        }
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::io(&path.display().to_string(), error)
}
