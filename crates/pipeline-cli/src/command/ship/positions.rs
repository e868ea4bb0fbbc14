//! How far files were shipped, kept in a file for the next run.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use pipeline_proto::RepoName;
use pipeline_shipper::follow::Mark;
use serde::{Deserialize, Serialize};

use crate::{
    exit::Exit,
    failure::Failure,
    file::{Readers, Target},
};

/// What the file says. A mark says what its file begins with, so that it is found again under another name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    version: u32,
    repo: String,
    files: BTreeMap<String, Mark>,
}

pub(super) struct Positions {
    path: PathBuf,
    kept: Kept,
    _lock: Option<File>,
}

impl Positions {
    /// Reads the file, if it is there, and keeps other runs from it.
    pub(super) fn open(path: &Path, repo: &RepoName) -> Result<Self, Failure> {
        let lock = Target::find(path)?.lock()?;
        let shown = path.display().to_string();
        let kept = match fs::read(path) {
            Ok(text) if text.is_empty() => None,
            Ok(text) => Some(serde_json::from_slice(&text).map_err(|error| {
                let line = format!("no positions: {error}; without the file all begins anew");
                Failure::usage(line).about(&shown)
            })?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Failure::io(&shown, &error)),
        };
        let kept = kept.unwrap_or_else(|| Kept {
            version: 1,
            repo: repo.to_string(),
            files: BTreeMap::new(),
        });
        if kept.version != 1 || kept.repo != repo.as_str() {
            let line = format!("it has the positions for {}, not for {repo}", kept.repo);
            return Err(Failure::new(Exit::Conflict, line).about(&shown));
        }
        Ok(Self {
            path: path.to_owned(),
            kept,
            _lock: lock,
        })
    }

    pub(super) fn mark(&self, file: &Path) -> Option<Mark> {
        self.kept.files.get(&key(file)).copied()
    }

    /// Writes the file anew if anything is different.
    pub(super) fn keep(&mut self, marks: Vec<(PathBuf, Mark)>) -> Result<(), Failure> {
        let mut kept = self.kept.clone();
        let marks = marks.into_iter().filter(|(_, mark)| mark.offset() > 0);
        kept.files
            .extend(marks.map(|(path, mark)| (key(&path), mark)));
        if kept == self.kept {
            return Ok(());
        }
        let mut text = serde_json::to_vec_pretty(&kept).map_err(Failure::usage)?;
        text.push(b'\n');
        Target::find(&self.path)?.write(&text, Readers::OwnerIfNew)?;
        self.kept = kept;
        Ok(())
    }
}

/// The same file from whatever folder the command runs in.
pub(super) fn key(file: &Path) -> String {
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    absolute.to_string_lossy().into_owned()
}
