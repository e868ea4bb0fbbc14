//! How the records of an input are written, as far as options and names of files say it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    thread,
    time::Duration,
};

use clap::{Args, ValueEnum};
use pipeline_proto::{
    ErrorKind, RepoName,
    resource::{push::Tags, repo::GetRepo, schema::SchemaEntry},
};
use serde::{Deserialize, Serialize};

use super::{csv, unpacked_name};
use crate::{
    failure::Failure,
    lang::pick,
    output::note,
    remote::{Remote, Subject},
};

/// Between two looks whether a service that was away at the start is there; each look is a call with retries of its own.
const AGAIN: Duration = Duration::from_secs(1);

/// How the records of an input are written.
#[derive(Debug, Clone, Args)]
pub(in crate::command) struct Form {
    /// What the records are; without it, by the name of the file, else JSON or points by how the first line begins
    #[arg(long, value_enum)]
    format: Option<Format>,

    /// What stands between the cells of CSV: one character, `\\t` for a tab [default: `,`, or a tab for .tsv]
    #[arg(long, value_name = "CHARACTER", value_parser = csv::delimiter, allow_hyphen_values = true)]
    delimiter: Option<u8>,

    /// The fields of CSV whose first line is a record already, with commas between
    #[arg(long, value_name = "FIELDS")]
    columns: Option<String>,

    /// The field that --format raw puts each line into [default: raw]
    #[arg(long, value_name = "FIELD")]
    raw_field: Option<String>,

    /// Another name for a field, before it is looked up in the schema; several times for several fields
    #[arg(long, value_name = "OLD=NEW", value_parser = renamed)]
    map: Vec<(String, String)>,

    /// A tag that each of the records gets, `KEY=VALUE`; several times for several tags
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = tag)]
    tags: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::command) enum Format {
    /// JSON objects, one a line
    Ndjson,
    /// `key=value` with tabs between
    Points,
    /// Cells with commas or another separator between, below a line that names the fields
    Csv,
    /// Any text: each line is the one field of a record
    Raw,
}

fn tag(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("say KEY=VALUE")?;
    Tags::new([(key, value)]).map_err(|error| error.to_string())?;
    Ok((key.to_owned(), value.to_owned()))
}

fn renamed(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((old, new))
            if !old.is_empty() && !new.is_empty() && !new.contains(['=', '\t', '\n']) =>
        {
            Ok((old.to_owned(), new.to_owned()))
        }
        _ => Err("say OLD=NEW".to_owned()),
    }
}

impl Format {
    fn of_name(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        match extension {
            "ndjson" | "jsonl" | "json" => Some(Self::Ndjson),
            "points" => Some(Self::Points),
            "csv" | "tsv" => Some(Self::Csv),
            _ => None,
        }
    }

    pub(super) fn of_line(line: &str) -> Self {
        if line.trim_start().starts_with('{') {
            Self::Ndjson
        } else {
            Self::Points
        }
    }
}

/// What is known of the form of one input.
#[derive(Debug, Clone, Default)]
pub(in crate::command) struct Layout {
    pub(in crate::command) format: Option<Format>,
    pub(in crate::command) delimiter: Option<u8>,
    /// The fields of CSV, or the one of raw text.
    pub(in crate::command) columns: Option<String>,
    /// Fields that get other names.
    pub(in crate::command) map: BTreeMap<String, String>,
}

impl Layout {
    /// With columns that have got their names.
    pub(super) fn with_columns(self, columns: String) -> Self {
        Self {
            columns: Some(columns),
            map: BTreeMap::new(),
            ..self
        }
    }
}

impl Form {
    /// What the options and the file's name say; options of one format are for no other.
    pub(in crate::command) fn of(&self, file: &Path) -> Result<Layout, Failure> {
        let of_csv = self.delimiter.is_some() || self.columns.is_some();
        let name = file.to_string_lossy().to_ascii_lowercase();
        let name = unpacked_name(&name);
        let is_tsv = matches!(name.rsplit_once('.'), Some((_, "tsv")));
        let implied = [
            (of_csv, Format::Csv),
            (self.raw_field.is_some(), Format::Raw),
        ];
        let mut implied = implied.into_iter().filter(|(is, _)| *is).map(|(_, it)| it);
        let format = match (self.format, implied.next(), implied.next()) {
            (format, Some(one), None) if format.is_none_or(|format| format == one) => Some(one),
            (format, None, _) => format.or_else(|| Format::of_name(name)),
            _ => {
                let line = "--delimiter and --columns are for --format csv, and --raw-field is for --format raw";
                return Err(Failure::usage(line));
            }
        };
        let columns = match format {
            Some(Format::Raw) => Some(self.raw_field.as_deref().unwrap_or("raw")),
            _ => self.columns.as_deref(),
        };
        Ok(Layout {
            format,
            delimiter: self.delimiter.or(is_tsv.then_some(b'\t')),
            columns: columns.map(str::to_owned),
            map: self.map.iter().cloned().collect(),
        })
    }

    /// Refuses names that no record can have.
    fn check_map(&self, schema: Option<&[SchemaEntry]>) -> Result<(), Failure> {
        let (mut olds, mut news) = (BTreeSet::new(), BTreeSet::new());
        for (old, new) in &self.map {
            let wrong = if !olds.insert(old) {
                format!("{old:?} gets two names")
            } else if !news.insert(new) {
                format!("two fields get the name {new:?}")
            } else if schema.is_some_and(|schema| schema.iter().all(|entry| entry.key != *new)) {
                format!("the schema does not have the field {new:?}")
            } else {
                continue;
            };
            return Err(Failure::usage(wrong).about(format_args!("--map {old}={new}")));
        }
        Ok(())
    }

    pub(in crate::command) fn tags(&self) -> Result<Option<Tags>, Failure> {
        let tags = (!self.tags.is_empty())
            .then(|| Tags::new(self.tags.iter().map(|(key, value)| (key, value))));
        tags.transpose().map_err(Failure::usage)
    }

    /// The schema that records have to fit, unless it may not be read: a token may be for pushing alone. Who is `patient`
    /// waits for a service that is away.
    pub(in crate::command) fn schema(
        &self,
        remote: &Remote,
        repo: &RepoName,
        patient: bool,
    ) -> Result<Option<Vec<SchemaEntry>>, Failure> {
        self.check_map(None)?;
        let mut is_told = false;
        let read = loop {
            match remote.try_send(GetRepo::new(repo.clone())) {
                Err(error) if patient && error.is_retryable() => {
                    if !is_told {
                        note(pick(
                            format!("{repo}: {error}; nothing is read until the service is there"),
                            format!("{repo}：{error}；等待服务恢复，在此之前不读取任何数据"),
                        ));
                    }
                    is_told = true;
                    thread::sleep(AGAIN);
                }
                read => break read,
            }
        };
        let schema = match read {
            Ok(repo) => repo.schema,
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::Unauthorized | ErrorKind::Permission
                ) =>
            {
                return Ok(None);
            }
            Err(error) => {
                return Err(remote.failure(&error, Subject::of(&GetRepo::new(repo.clone()))));
            }
        };
        self.check_map(Some(&schema))?;
        Ok(Some(self.with_tags(schema)))
    }

    /// The same later on; none if it cannot be read now.
    pub(in crate::command) fn schema_again(
        &self,
        remote: &Remote,
        repo: &RepoName,
    ) -> Option<Vec<SchemaEntry>> {
        let repo = remote.try_aside(GetRepo::new(repo.clone())).ok()?;
        Some(self.with_tags(repo.schema))
    }

    /// A tag takes the place of a field that a record must have.
    fn with_tags(&self, mut schema: Vec<SchemaEntry>) -> Vec<SchemaEntry> {
        let tagged = |key: &str| self.tags.iter().any(|(tag, _)| tag == key);
        for entry in schema.iter_mut().filter(|entry| tagged(&entry.key)) {
            entry.required = None;
        }
        schema
    }
}
