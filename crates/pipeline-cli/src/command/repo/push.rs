mod csv;

use std::{
    io::BufRead as _,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use pipeline_proto::{
    ErrorKind, RepoName,
    points::{self, Encoder, PointError},
    resource::{
        push::{Payload, PushPoints, Tags},
        repo::GetRepo,
    },
};

use self::csv::Misfit;
use crate::{
    command::{
        Run,
        resource::{Mention, Names},
    },
    exit::Exit,
    failure::Failure,
    file::read,
    options::Global,
    remote::{Remote, Subject},
};

/// What the vendor's clients take for the most that a push can hold, before it is compressed.
const MOST: usize = 2 * 1024 * 1024;

/// Push records into a message queue
///
/// Records are looked at before they are sent: each has to fit the schema of the queue, unless that may not be
/// read. One that does not is named by file and line, and nothing more is sent. Records are sent in pushes of 2 MiB,
/// and again if it is unknown whether they have arrived, so that they may be there twice.
///
/// The first line of CSV names the fields, unless --columns does. An empty cell is a field that is not there; arrays
/// and maps are JSON.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline repo push clicks clicks.ndjson
  pipeline repo push clicks clicks.csv
  pipeline repo push clicks rows.txt --delimiter ';' --columns ip,at
  tail -n 100 clicks.points | pipeline repo push clicks
  pipeline repo push clicks --tag host=web1 < clicks.ndjson")]
pub(super) struct Push {
    /// Name of the message queue
    repo: RepoName,

    /// Records: JSON objects or points, one a line, or CSV; `-` for stdin
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,

    /// What the records are; without it, by the name of the file, else JSON or points by how the first line begins
    #[arg(long, value_enum)]
    format: Option<Format>,

    /// What stands between the cells of CSV: one character, `\\t` for a tab [default: `,`, or a tab for .tsv]
    #[arg(long, value_name = "CHARACTER", value_parser = csv::delimiter, allow_hyphen_values = true)]
    delimiter: Option<u8>,

    /// The fields of CSV whose first line is a record already, with commas between
    #[arg(long, value_name = "FIELDS")]
    columns: Option<String>,

    /// A tag that each of the records gets, `KEY=VALUE`; several times for several tags
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = tag)]
    tags: Vec<(String, String)>,

    /// Without compression
    #[arg(long)]
    no_gzip: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// JSON objects, one a line
    Ndjson,
    /// `key=value` with tabs between
    Points,
    /// Cells with commas or another separator between, below a line that names the fields
    Csv,
}

fn tag(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("say KEY=VALUE")?;
    Tags::new([(key, value)]).map_err(|error| error.to_string())?;
    Ok((key.to_owned(), value.to_owned()))
}

impl Format {
    fn of_name(file: &Path) -> Option<Self> {
        let name = file.extension()?.to_str()?.to_ascii_lowercase();
        match &*name {
            "ndjson" | "jsonl" | "json" => Some(Self::Ndjson),
            "points" => Some(Self::Points),
            "csv" | "tsv" => Some(Self::Csv),
            _ => None,
        }
    }

    fn of_line(line: &str) -> Self {
        if line.trim_start().starts_with('{') {
            Self::Ndjson
        } else {
            Self::Points
        }
    }
}

impl Push {
    /// What the options and the file's name say; options of CSV are for nothing else.
    fn format(&self) -> Result<Option<Format>, Failure> {
        let of_csv = self.delimiter.is_some() || self.columns.is_some();
        match self.format {
            Some(format) if of_csv && format != Format::Csv => {
                let line = "--delimiter and --columns are for --format csv";
                Err(Failure::usage(line))
            }
            None if of_csv => Ok(Some(Format::Csv)),
            format => Ok(format.or_else(|| Format::of_name(&self.file))),
        }
    }

    fn delimiter(&self) -> u8 {
        let tabs = self
            .file
            .extension()
            .is_some_and(|it| it.eq_ignore_ascii_case("tsv"));
        self.delimiter.unwrap_or(if tabs { b'\t' } else { b',' })
    }
}

/// A line of points as they are written, which usually is one.
fn write_points(
    encoder: &mut Encoder<'_>,
    out: &mut Vec<u8>,
    line: &str,
) -> Result<(), PointError> {
    points::read(line).try_for_each(|point| {
        // What is wrong in the text of a point is told in the terms of points.
        point.fields().try_for_each(|field| field.map(drop))?;
        encoder.write(out, &point)
    })
}

impl Run for Push {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        let remote = global.remote()?;
        let tags = (!self.tags.is_empty())
            .then(|| Tags::new(self.tags.iter().map(|(key, value)| (key, value))));
        let tags = tags.transpose().map_err(Failure::usage)?;
        let schema = match remote.try_send(GetRepo::new(self.repo.clone())) {
            Ok(repo) => Some(repo.schema),
            // A token is for pushing alone.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::Unauthorized | ErrorKind::Permission
                ) =>
            {
                None
            }
            Err(error) => return Err(remote.failure(&error, Subject::of(&GetRepo::new(self.repo)))),
        };
        // A tag takes the place of a field that a record must have.
        let schema = schema.map(|mut schema| {
            let tagged = |key: &str| self.tags.iter().any(|(tag, _)| tag == key);
            for entry in schema.iter_mut().filter(|entry| tagged(&entry.key)) {
                entry.required = None;
            }
            schema
        });
        let mut encoder = schema
            .as_deref()
            .map_or_else(Encoder::new, Encoder::checked);
        let mut pushes = Pushes {
            push: &self,
            tags,
            remote: &remote,
            batch: Vec::new(),
            first: 0,
            last: 0,
            waiting: 0,
            records: 0,
            bytes: 0,
        };
        let mut format = self.format()?;
        let delimiter = self.delimiter();
        let mut point = Vec::new();
        let mut lines = read::open(&self.file)?;
        let (mut line, mut number, mut next) = (Vec::new(), 1, 1);
        let columns = self.columns.as_deref();
        let columns = columns.map(|names| csv::Columns::read(names, b',', schema.as_deref()));
        let wrong = |error: Misfit| Failure::usage(error.what).about("--columns");
        let (mut columns, mut open) = (columns.transpose().map_err(wrong)?, false);
        loop {
            let start = line.len();
            let read = lines.read_until(b'\n', &mut line);
            let read = read.map_err(|error| Failure::io(&read::shown(&self.file), &error))?;
            if line.is_empty() {
                break;
            }
            next += u64::from(read > 0);
            // No record is larger than a push, wherever its last quote may be.
            open ^= csv::is_quote_left(&line[start..]);
            if format == Some(Format::Csv) && open && read > 0 && line.len() < MOST {
                continue;
            }
            let text =
                std::str::from_utf8(&line).map_err(|_| pushes.bad(number, "not valid UTF-8"))?;
            let text = text.trim_start_matches('\u{feff}');
            if !text.trim().is_empty() {
                let text = text.trim_end_matches(['\n', '\r']);
                point.clear();
                let written = match (
                    format.get_or_insert_with(|| Format::of_line(text)),
                    &columns,
                ) {
                    (Format::Csv, None) => csv::Columns::read(text, delimiter, schema.as_deref())
                        .map(|read| columns = Some(read)),
                    (Format::Csv, Some(columns)) => {
                        columns.write(&mut encoder, &mut point, text, delimiter)
                    }
                    (Format::Ndjson, _) => encoder
                        .write_json(&mut point, text)
                        .map_err(|error| Misfit::new(error.to_string())),
                    (Format::Points, _) => write_points(&mut encoder, &mut point, text)
                        .map_err(|error| Misfit::new(error.to_string())),
                };
                written.map_err(|Misfit { what, place }| match place {
                    Some((below, column)) => pushes.bad_at(number + below, Some(column), what),
                    None => pushes.bad(number, what),
                })?;
                if !point.is_empty() {
                    pushes.add(&point, number)?;
                }
            }
            line.clear();
            open = false;
            number = next;
        }
        pushes.send()?;
        let Pushes { records, bytes, .. } = pushes;
        let one = if records == 1 { "record" } else { "records" };
        let line = format!("pushed {records} {one} into {} ({bytes} bytes)", self.repo);
        Mention::done(&super::RESOURCE, &Names::of(&self.repo), "pushed")
            .with("records", records)
            .with("bytes", bytes)
            .line(line)
            .report(global)
    }
}

/// Points that wait to be sent, and what was sent of them.
struct Pushes<'a> {
    push: &'a Push,
    tags: Option<Tags>,
    remote: &'a Remote,
    batch: Vec<u8>,
    /// The lines that the batch comes from.
    first: u64,
    last: u64,
    waiting: u64,
    records: u64,
    bytes: usize,
}

impl Pushes<'_> {
    fn add(&mut self, point: &[u8], line: u64) -> Result<(), Failure> {
        if self.batch.len() + point.len() > MOST {
            self.send()?;
        }
        if self.batch.is_empty() {
            self.first = line;
        }
        self.last = line;
        self.waiting += 1;
        self.batch.extend_from_slice(point);
        Ok(())
    }

    fn send(&mut self) -> Result<(), Failure> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let payload = if self.push.no_gzip {
            Payload::from(self.batch.clone())
        } else {
            Payload::gzip(&self.batch)
        };
        let mut push = PushPoints::new(self.push.repo.clone(), payload);
        push.tags.clone_from(&self.tags);
        self.remote.try_send(push).map_err(|error| {
            let mut place = format!("{}:{}", read::shown(&self.push.file), self.first);
            if self.last > self.first {
                place = format!("{place}-{}", self.last);
            }
            self.so_far(self.remote.failure(&error, None).about(place))
        })?;
        self.records += self.waiting;
        self.bytes += self.batch.len();
        self.waiting = 0;
        self.batch.clear();
        Ok(())
    }

    /// The failure that a line is.
    fn bad(&self, line: u64, error: impl std::fmt::Display) -> Failure {
        self.bad_at(line, None, error)
    }

    fn bad_at(&self, line: u64, column: Option<usize>, error: impl std::fmt::Display) -> Failure {
        let exit = if self.records == 0 {
            Exit::Usage
        } else {
            Exit::Service
        };
        let column = column.map(|column| format!(":{column}"));
        let column = column.unwrap_or_default();
        let place = format!("{}:{line}{column}", read::shown(&self.push.file));
        self.so_far(Failure::new(exit, error).about(place))
    }

    fn so_far(&self, failure: Failure) -> Failure {
        match self.records {
            0 => failure.and("nothing was pushed"),
            records => failure.and(format!("{records} records before it were pushed")),
        }
    }
}
