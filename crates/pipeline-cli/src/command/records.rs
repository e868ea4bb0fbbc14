//! Records as people have them, one reader for all commands that push some: lines in, points out.

mod csv;
mod form;
mod packed;

use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader},
    path::Path,
};

use pipeline_proto::{
    points::{self, Encoder, PointError},
    resource::schema::SchemaEntry,
};
use serde::Serialize;

use self::csv::{Columns, Misfit};
pub(super) use self::{
    form::{Form, Format, Layout},
    packed::{Packing, unpacked_name},
};
use crate::{failure::Failure, file::read};

/// What the vendor's clients take for the most that a push can hold, before it is compressed. No record is larger.
pub(super) const MOST: usize = 2 << 20;

const TO_LINES: &str =
    "`jq -c '.[]'` makes such lines of an array, `jq -c .` of objects over several lines";

/// What people take for records: what it has at which place, what it may be, and what makes text of it.
const OTHERS: &[(usize, &[u8], &str, &str)] = &[
    (0, b"PK\x03\x04", "zip", "unzip -p"),
    (0, b"BZh", "bzip2", "bzip2 -dc"),
    (0, b"\xfd7zXZ", "xz", "xz -dc"),
    (257, b"ustar", "tar", "tar -xOf"),
    (0, b"\xff\xfe", UTF_16.0, UTF_16.1),
    (0, b"\xfe\xff", UTF_16.0, UTF_16.1),
];

const UTF_16: (&str, &str) = ("UTF-16", "iconv -f UTF-16 -t UTF-8");

/// Opens a file, or standard input if its name is `-`, and unpacks it if it is compressed, whatever it is called.
pub(super) fn open(path: &Path) -> Result<Box<dyn BufRead>, Failure> {
    unpacked(read::open(path)?).map_err(|error| Failure::io(&read::shown(path), &error))
}

/// The same of an input that is open.
pub(super) fn unpacked(input: Box<dyn BufRead>) -> io::Result<Box<dyn BufRead>> {
    let (packing, input) = Packing::find(input)?;
    Ok(match packing {
        Some(packing) => Box::new(BufReader::with_capacity(64 << 10, packing.unpack(input))),
        None => Box::new(input),
    })
}

/// What a line led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// The record goes on in the next line.
    More,
    /// It is not a record: it is blank, or names columns.
    Nothing,
    /// A record was written as a point.
    Point,
}

/// A line that is no record.
pub(super) struct Bad {
    pub(super) what: String,
    pub(super) line: u64,
    pub(super) column: Option<usize>,
    /// It is the line that names the columns: nothing below it can be read.
    pub(super) is_heading: bool,
    /// Another schema could take it.
    pub(super) is_of_schema: bool,
}

/// What records are made: points, or for a shipper that has no schema JSON.
enum Made<'s> {
    Points(Encoder<'s>),
    Json,
}

impl Made<'_> {
    fn write<T: Serialize>(&mut self, out: &mut Vec<u8>, record: &T) -> Result<(), PointError> {
        match self {
            Self::Points(encoder) => encoder.write(out, record)?,
            Self::Json => out.extend_from_slice(points::to_json(record)?.as_bytes()),
        }
        Ok(())
    }
}

/// Makes points of the lines of an input.
pub(super) struct Records<'s> {
    layout: Layout,
    /// Those of the option, and those of the first line.
    columns: Option<Columns>,
    schema: Option<&'s [SchemaEntry]>,
    made: Made<'s>,
    text: Vec<u8>,
    /// Whether a quote is open, and the record is not complete for that.
    is_quoted: bool,
    is_held: bool,
    line: u64,
    next: u64,
}

impl<'s> Records<'s> {
    pub(super) fn new(layout: Layout, schema: Option<&'s [SchemaEntry]>) -> Result<Self, Failure> {
        let made = Made::Points(encoder(&layout, schema));
        Self::made(layout, schema, made)
    }

    /// From now on records are to fit this schema.
    pub(super) fn fit(&mut self, schema: Option<&'s [SchemaEntry]>) {
        if let Made::Points(made) = &mut self.made {
            *made = encoder(&self.layout, schema);
            self.schema = schema;
        }
    }

    /// Of which JSON is made, whatever they are.
    pub(super) fn to_json(layout: Layout) -> Result<Self, Failure> {
        Self::made(layout, None, Made::Json)
    }

    fn made(
        layout: Layout,
        schema: Option<&'s [SchemaEntry]>,
        made: Made<'s>,
    ) -> Result<Self, Failure> {
        let mut records = Self {
            layout,
            columns: None,
            schema,
            made,
            text: Vec::new(),
            is_quoted: false,
            is_held: false,
            line: 1,
            next: 1,
        };
        records.begin()?;
        Ok(records)
    }

    /// What comes now is the first line of a file.
    pub(super) fn begin(&mut self) -> Result<(), Failure> {
        let (columns, map) = (self.layout.columns.as_deref(), &self.layout.map);
        let (columns, option) = if self.layout.format == Some(Format::Raw) {
            let named = columns.map(|name| Columns::one(name, map, self.schema));
            (named, "--raw-field")
        } else {
            let named = columns.map(|names| Columns::read(names, b',', map, self.schema));
            (named, "--columns")
        };
        let wrong = |error: Misfit| Failure::usage(error.what).about(option);
        self.columns = columns.transpose().map_err(wrong)?;
        (self.line, self.next) = (1, 1);
        self.is_held = false;
        Ok(())
    }

    /// What comes now is behind so many lines of a file that has this as its first.
    pub(super) fn resume(&mut self, first: &[u8], lines: u64) -> Result<(), Failure> {
        self.begin()?;
        if self.layout.format == Some(Format::Csv) && self.columns.is_none() {
            // It was read before.
            let _ = self.take(first, &mut Vec::new());
            self.is_held = false;
        }
        self.next = lines + 1;
        Ok(())
    }

    /// The text of the last record, and where it begins.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// How the records are written, as far as it has come out.
    pub(super) fn layout(&self) -> Layout {
        let layout = self.layout.clone();
        match (&self.columns, layout.format) {
            (Some(columns), Some(Format::Raw)) => layout.with_columns(columns.first().to_owned()),
            (Some(columns), _) => layout.with_columns(columns.names()),
            (None, _) => layout,
        }
    }

    fn delimiter(&self) -> u8 {
        self.layout.delimiter.unwrap_or(b',')
    }

    /// Takes a line without its line feed. A point is put behind what is in the buffer.
    pub(super) fn take(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<Taken, Bad> {
        if self.is_held {
            self.text.push(b'\n');
        } else {
            self.text.clear();
            self.is_quoted = false;
            self.line = self.next;
        }
        self.next += 1;
        self.text.extend_from_slice(line);
        let is_csv = self.layout.format == Some(Format::Csv);
        self.is_quoted ^= is_csv && csv::is_quote_left(line);
        // No record is larger than a push, wherever its last quote may be.
        self.is_held = self.is_quoted && self.text.len() < MOST;
        if self.is_held {
            return Ok(Taken::More);
        }
        self.read(out)
    }

    /// The input is at its end.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) -> Result<Taken, Bad> {
        if std::mem::take(&mut self.is_held) {
            self.read(out)
        } else {
            Ok(Taken::Nothing)
        }
    }

    /// Reads the text of the last record, which may have been read by another schema before.
    pub(super) fn read(&mut self, out: &mut Vec<u8>) -> Result<Taken, Bad> {
        let before = out.len();
        self.write(out).map_err(|misfit| {
            out.truncate(before);
            let (below, column) = misfit.place.unzip();
            let is_heading = self.layout.format == Some(Format::Csv) && self.columns.is_none();
            Bad {
                what: misfit.what + &hint(&self.text),
                line: self.line + below.unwrap_or(0),
                column,
                is_heading,
                is_of_schema: is_heading || misfit.is_of_schema,
            }
        })?;
        Ok(if out.len() > before {
            Taken::Point
        } else {
            Taken::Nothing
        })
    }

    fn write(&mut self, out: &mut Vec<u8>) -> Result<(), Misfit> {
        let delimiter = self.delimiter();
        let text = std::str::from_utf8(&self.text);
        let text = text.map_err(|_| Misfit::new("not valid UTF-8".to_owned()))?;
        let text = text.trim_start_matches('\u{feff}');
        if text.trim().is_empty() {
            return Ok(());
        }
        let text = text.trim_end_matches(['\n', '\r']);
        let format = &mut self.layout.format;
        let is_guessed = format.is_none();
        let format = *format.get_or_insert_with(|| Format::of_line(text));
        match (format, &self.columns) {
            (Format::Csv, None) => {
                if self.layout.delimiter.is_none()
                    && let Some(other) = csv::other_delimiter(text)
                {
                    return Err(Misfit::new(format!(
                        "this names one column: say --delimiter '{other}', or --delimiter , if it is one"
                    )));
                }
                let map = &self.layout.map;
                self.columns = Some(Columns::read(text, delimiter, map, self.schema)?);
                Ok(())
            }
            (Format::Csv, Some(columns)) => columns.write(&mut self.made, out, text, delimiter),
            (Format::Raw, columns) => {
                let column = columns.as_ref().map_or("raw", Columns::first);
                let row = BTreeMap::from([(column, text)]);
                self.made.write(out, &row).map_err(Misfit::from)
            }
            (Format::Ndjson, _) if is_part_of_json(text) => Err(Misfit::new(format!(
                "no JSON object in one line; {TO_LINES}"
            ))),
            (Format::Ndjson, _) => match &mut self.made {
                Made::Points(encoder) => encoder.write_json(out, text).map_err(Misfit::from),
                Made::Json => {
                    let renamed =
                        points::rename_keys(text, &self.layout.map).map_err(Misfit::from)?;
                    out.extend_from_slice(renamed.as_bytes());
                    Ok(())
                }
            },
            (Format::Points, _) => {
                let written = write_points(&mut self.made, &self.layout.map, out, text);
                written.map_err(|error| {
                    let mut misfit = Misfit::from(error);
                    if is_guessed && !text.contains('=') {
                        misfit.what += "; of CSV say --format csv, of other text --format raw";
                    }
                    misfit
                })
            }
        }
    }
}

/// Whether it is an array, or an object that other lines or commas belong to.
fn is_part_of_json(text: &str) -> bool {
    text.starts_with('[') || text.starts_with('{') && !text.trim_ascii_end().ends_with('}')
}

/// What to do with a text that is something else, where it looks like that.
fn hint(text: &[u8]) -> String {
    let found = OTHERS
        .iter()
        .find(|(at, with, ..)| text.get(*at..).is_some_and(|it| it.starts_with(with)))
        .map(|(_, _, what, command)| (*what, *command))
        .or_else(|| text.contains(&0).then_some(UTF_16));
    found.map_or_else(String::new, |(what, command)| {
        format!("; if it is {what}: `{command} FILE | pipeline ...` reads it")
    })
}

fn encoder<'s>(layout: &Layout, schema: Option<&'s [SchemaEntry]>) -> Encoder<'s> {
    let encoder = schema.map_or_else(Encoder::new, Encoder::checked);
    // Columns get their names once for all.
    if matches!(layout.format, Some(Format::Csv | Format::Raw)) {
        return encoder;
    }
    let names = layout.map.iter();
    names.fold(encoder, |encoder, (old, new)| encoder.rename(old, new))
}

/// A line of points as they are written, which usually is one.
fn write_points(
    made: &mut Made<'_>,
    map: &BTreeMap<String, String>,
    out: &mut Vec<u8>,
    line: &str,
) -> Result<(), PointError> {
    points::read(line).try_for_each(|point| {
        // What is wrong in the text of a point is told in the terms of points.
        point.fields().try_for_each(|field| field.map(drop))?;
        match made {
            Made::Points(encoder) => encoder.write(out, &point),
            Made::Json => {
                let json = points::to_json(&point)?;
                out.extend_from_slice(points::rename_keys(&json, map)?.as_bytes());
                Ok(())
            }
        }
    })
}
