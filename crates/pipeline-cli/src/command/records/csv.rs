//! Records as CSV (RFC 4180, or with another separator), whose fields the first line names, or an option.

use std::collections::BTreeMap;

use csv::{ReaderBuilder, StringRecord};
use pipeline_proto::{points::PointError, resource::schema::SchemaEntry};
use serde::{Serialize, Serializer};

use super::Made;

/// What stands between cells. With any byte that a cell or its quotes are made of, none could be told.
pub(super) fn delimiter(text: &str) -> Result<u8, String> {
    match text {
        "\\t" | "tab" => Ok(b'\t'),
        _ => match text.as_bytes() {
            [byte] if byte.is_ascii_graphic() && !byte.is_ascii_alphanumeric() && *byte != b'"' => {
                Ok(*byte)
            }
            [byte @ (b' ' | b'\t')] => Ok(*byte),
            _ => Err("write one character such as ; or |, or \\t for a tab".to_owned()),
        },
    }
}

/// What may stand between the cells of a line that names one column, if that is read with commas.
pub(super) fn other_delimiter(line: &str) -> Option<&'static str> {
    let mut others = [(';', ";"), ('\t', "\\t"), ('|', "|")].into_iter();
    let (_, written) = others.find(|(other, _)| line.contains(*other))?;
    Some(written).filter(|_| !line.contains([',', '"']))
}

/// Whether one quote is left over: a record goes on in the next line while one is open.
pub(super) fn is_quote_left(text: &[u8]) -> bool {
    text.iter().fold(false, |left, byte| left ^ (*byte == b'"'))
}

/// What is wrong, and where in the text of a record.
pub(super) struct Misfit {
    pub(super) what: String,
    /// How many lines below its first, and how many characters into that one, from 1.
    pub(super) place: Option<(u64, usize)>,
    /// Whether another schema could take it.
    pub(super) is_of_schema: bool,
}

impl Misfit {
    pub(super) fn new(what: String) -> Self {
        Self {
            what,
            place: None,
            is_of_schema: false,
        }
    }
}

impl From<PointError> for Misfit {
    fn from(error: PointError) -> Self {
        Self {
            is_of_schema: error.is_misfit(),
            ..Self::new(error.to_string())
        }
    }
}

/// The fields that the cells of a line are for.
pub(super) struct Columns(StringRecord);

impl Columns {
    /// From a line of their names, some of which are replaced. They have to be in the schema if it is known.
    pub(super) fn read(
        line: &str,
        delimiter: u8,
        map: &BTreeMap<String, String>,
        schema: Option<&[SchemaEntry]>,
    ) -> Result<Self, Misfit> {
        Self::new(&cells(line, delimiter)?, map, schema).map_err(|(what, index)| match index {
            Some(index) => at_cell(what, line, delimiter, index),
            None => Misfit::new(what),
        })
    }

    /// The one that raw text is for.
    pub(super) fn one(
        name: &str,
        map: &BTreeMap<String, String>,
        schema: Option<&[SchemaEntry]>,
    ) -> Result<Self, Misfit> {
        let name = StringRecord::from(vec![name]);
        Self::new(&name, map, schema).map_err(|(what, _)| Misfit::new(what))
    }

    /// If not, it says why, and for which one.
    fn new(
        columns: &StringRecord,
        map: &BTreeMap<String, String>,
        schema: Option<&[SchemaEntry]>,
    ) -> Result<Self, (String, Option<usize>)> {
        if let Some(old) = map.keys().find(|old| columns.iter().all(|it| it != **old)) {
            return Err((format!("there is no column {old:?} to be renamed"), None));
        }
        let new_name = |name| map.get(name).map_or(name, String::as_str);
        let names: StringRecord = columns.iter().map(new_name).collect();
        for (index, column) in names.iter().enumerate() {
            if names.iter().take(index).any(|other| other == column) {
                return Err((format!("the column {column:?} is there twice"), Some(index)));
            }
            if schema.is_some_and(|schema| schema.iter().all(|entry| entry.key != column)) {
                let what = format!("the schema does not have the column {column:?}");
                return Err((what, Some(index)));
            }
        }
        Ok(Self(names))
    }

    /// The name of the first one.
    pub(super) fn first(&self) -> &str {
        self.0.get(0).unwrap_or_default()
    }

    /// Their names as a line that can be read again.
    pub(super) fn names(&self) -> String {
        let mut line = csv::Writer::from_writer(Vec::new());
        // Writing to memory cannot fail.
        let _ = line.write_record(&self.0);
        let line = line.into_inner().unwrap_or_default();
        String::from_utf8_lossy(&line).trim_end().to_owned()
    }

    /// Writes a line of cells as a point.
    pub(super) fn write(
        &self,
        made: &mut Made<'_>,
        out: &mut Vec<u8>,
        line: &str,
        delimiter: u8,
    ) -> Result<(), Misfit> {
        let cells = cells(line, delimiter)?;
        let wrong = |what, index| at_cell(what, line, delimiter, index);
        let (there, wanted) = (cells.len(), self.0.len());
        if there != wanted {
            let what = format!("a record of {there} cells, where there are {wanted} columns");
            return Err(wrong(what, there.min(wanted)));
        }
        let row = Row(&self.0, &cells);
        made.write(out, &row).map_err(|error| {
            // A member within a cell has the cell's name up to its dot or bracket.
            let of = |name: &str| {
                let rest = error.member().strip_prefix(name);
                !name.is_empty()
                    && rest.is_some_and(|it| it.is_empty() || it.starts_with(['.', '[']))
            };
            let index = self.0.iter().position(of);
            let misfit = Misfit::from(error);
            let place = index.and_then(|index| wrong(String::new(), index).place);
            Misfit { place, ..misfit }
        })
    }
}

fn cells(line: &str, delimiter: u8) -> Result<StringRecord, Misfit> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(line.as_bytes());
    let mut records = reader.records();
    match (records.next(), records.next()) {
        (Some(Ok(cells)), None) if !is_quote_left(line.as_bytes()) => Ok(cells),
        (Some(Err(error)), _) => Err(Misfit::new(error.to_string())),
        _ => Err(Misfit {
            what:
                "a quote that is not closed: a cell with quotes stands in quotes, and has each of \
                   them twice"
                    .to_owned(),
            place: stray_quote(line).map(|at| place(&line[..at])),
            is_of_schema: false,
        }),
    }
}

/// The last quote of the first line that leaves one open.
fn stray_quote(text: &str) -> Option<usize> {
    let mut lines = text.split_inclusive('\n');
    let (mut begin, mut open) = (0, None);
    while let (None, Some(line)) = (open, lines.next()) {
        open = is_quote_left(line.as_bytes())
            .then(|| line.rfind('"').map(|at| begin + at))
            .flatten();
        begin += line.len();
    }
    open
}

/// Where a cell begins, or the end of the record if it has fewer.
fn at_cell(what: String, line: &str, delimiter: u8, index: usize) -> Misfit {
    let mut quoted = false;
    let begins = line.bytes().enumerate().filter(|(_, byte)| {
        quoted ^= *byte == b'"';
        *byte == delimiter && !quoted
    });
    let begins = std::iter::once(0).chain(begins.map(|(at, _)| at + 1));
    let at = begins.chain(std::iter::repeat(line.len())).nth(index);
    Misfit {
        place: at.map(|at| place(&line[..at])),
        ..Misfit::new(what)
    }
}

/// The place that comes behind this text.
fn place(before: &str) -> (u64, usize) {
    let lines = before.bytes().filter(|byte| *byte == b'\n').count();
    let last = before.rsplit('\n').next().unwrap_or_default();
    (lines as u64, last.chars().count() + 1)
}

/// Columns with their cells. An empty cell is a field that is not there.
struct Row<'a>(&'a StringRecord, &'a StringRecord);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = self.0.iter().zip(self.1);
        serializer.collect_map(fields.filter(|(_, cell)| !cell.is_empty()))
    }
}
