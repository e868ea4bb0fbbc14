//! Records as CSV (RFC 4180), whose first line names the fields.

use csv::{ReaderBuilder, StringRecord};
use pipeline_proto::{points::Encoder, resource::schema::SchemaEntry};
use serde::{Serialize, Serializer};

/// Whether one quote is left over: a record goes on in the next line while one is open.
pub(super) fn is_quote_left(text: &[u8]) -> bool {
    text.iter().fold(false, |left, byte| left ^ (*byte == b'"'))
}

/// The fields that the cells of a line are for.
pub(super) struct Columns(StringRecord);

impl Columns {
    /// From the first line. They have to be in the schema if it is known.
    pub(super) fn read(line: &str, schema: Option<&[SchemaEntry]>) -> Result<Self, String> {
        let columns = cells(line)?;
        for (index, column) in columns.iter().enumerate() {
            if columns.iter().take(index).any(|other| other == column) {
                return Err(format!("the column {column:?} is there twice"));
            }
            if schema.is_some_and(|schema| schema.iter().all(|entry| entry.key != column)) {
                return Err(format!("the schema does not have the column {column:?}"));
            }
        }
        Ok(Self(columns))
    }

    /// Writes a line below the first one as a point.
    pub(super) fn write(
        &self,
        encoder: &mut Encoder<'_>,
        out: &mut Vec<u8>,
        line: &str,
    ) -> Result<(), String> {
        let cells = cells(line)?;
        let (there, wanted) = (cells.len(), self.0.len());
        if there != wanted {
            return Err(format!(
                "a record of {there} cells, where the first line names {wanted} columns"
            ));
        }
        let row = Row(&self.0, &cells);
        encoder.write(out, &row).map_err(|error| error.to_string())
    }
}

fn cells(line: &str) -> Result<StringRecord, String> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(line.as_bytes());
    let mut records = reader.records();
    match (records.next(), records.next()) {
        (Some(Ok(cells)), None) if !is_quote_left(line.as_bytes()) => Ok(cells),
        (Some(Err(error)), _) => Err(error.to_string()),
        _ => Err(
            "a quote that is not closed: a cell with quotes stands in quotes, and has each of them twice"
                .to_owned(),
        ),
    }
}

/// Columns with their cells. An empty cell is a field that is not there.
struct Row<'a>(&'a StringRecord, &'a StringRecord);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = self.0.iter().zip(self.1);
        serializer.collect_map(fields.filter(|(_, cell)| !cell.is_empty()))
    }
}
