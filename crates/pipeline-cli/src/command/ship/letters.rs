//! Dead letters: records that were not accepted, kept as they were, with the reason.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use pipeline_shipper::buffer::Letter as Kept;
use serde::{Deserialize, Serialize};

use super::road::noted;

use crate::{
    command::records::{Format, Layout},
    failure::Failure,
    file::Target,
};

/// A line of the file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::command) struct Letter {
    pub(in crate::command) record: String,
    /// The record if it is not text, in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::command) bytes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::command) format: Option<Format>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::command) delimiter: Option<char>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::command) columns: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::command) map: BTreeMap<String, String>,
    pub(in crate::command) file: String,
    pub(in crate::command) line: u64,
    pub(in crate::command) outcome: String,
    pub(in crate::command) reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::command) code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::command) request_id: Option<String>,
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

    /// One that a buffer has kept.
    pub(in crate::command) fn kept(kept: &Kept) -> Self {
        let points = Layout {
            format: Some(Format::Points),
            ..Layout::default()
        };
        let text = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let form: Option<Self> = serde_json::from_str(&kept.form).ok();
        let form = form.unwrap_or_else(|| Self::of(b"", points));
        Self {
            format: form.format,
            delimiter: form.delimiter,
            columns: form.columns,
            map: form.map,
            file: kept.source.clone(),
            line: noted(kept.note).0,
            outcome: "dead".to_owned(),
            reason: kept.reason.clone(),
            code: text(&kept.code),
            request_id: text(&kept.request_id),
            ..Self::of(&kept.record, Layout::default())
        }
    }

    /// The record, and how it is written.
    pub(super) fn open(&self) -> Result<(Vec<u8>, Layout), String> {
        let record = match &self.bytes {
            Some(bytes) => BASE64_STANDARD.decode(bytes).map_err(|it| it.to_string())?,
            // Of a line that was too long nothing is kept, but why.
            None if self.record.is_empty() && self.outcome.is_empty() => {
                return Err("it has no record".to_owned());
            }
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
