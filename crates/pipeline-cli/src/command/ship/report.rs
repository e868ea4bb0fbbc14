//! The books as they are shown: at the end, and to whoever looks on.

use std::collections::BTreeMap;

use pipeline_blocking::shipping::{self, Count};
use pipeline_proto::resource::schema::Schema;
use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use super::exports::Planned;
use crate::{
    lang::pick,
    output::{Cell, Show, Table, plain},
    size::Short,
};

/// What has become of the records of one input.
#[derive(Debug, Clone, Default)]
pub(super) struct Sheet {
    name: String,
    pub(super) read: Count,
    pub(super) accepted: Count,
    pub(super) dead: Count,
    pub(super) given_up: Count,
    /// Why it was not read to its end.
    pub(super) error: Option<String>,
}

impl Sheet {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn pending(&self) -> Count {
        let left = |of: fn(&Count) -> u64| {
            let settled = of(&self.accepted) + of(&self.dead) + of(&self.given_up);
            of(&self.read).saturating_sub(settled)
        };
        Count {
            records: left(|it| it.records),
            bytes: left(|it| it.bytes),
        }
    }

    /// The columns of the table and members of the document, in their order; and in Chinese.
    fn counts(&self) -> [(&'static str, &'static str, Count); 5] {
        [
            ("read", "已读取", self.read),
            ("accepted", "已接受", self.accepted),
            ("dead", "死信", self.dead),
            ("given_up", "已放弃", self.given_up),
            ("pending", "待确认", self.pending()),
        ]
    }

    /// In words, but for what is nothing.
    pub(super) fn said(&self) -> String {
        let counts = self.counts();
        let counts = counts
            .iter()
            .filter(|(name, _, count)| count.records > 0 || *name == "accepted");
        let words = counts.map(|(name, zh, count)| {
            let records = count.records;
            pick(
                format!("{records} {}", spaced(name)),
                format!("{records} 条{zh}"),
            )
        });
        words.collect::<Vec<_>>().join(pick(", ", "，"))
    }

    pub(super) fn lost(&self) -> u64 {
        self.dead.records + self.given_up.records
    }
}

fn spaced(name: &str) -> String {
    name.replace('_', " ")
}

impl Serialize for Sheet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut book = serializer.serialize_struct("Sheet", 7)?;
        if !self.name.is_empty() {
            book.serialize_field("file", &self.name)?;
        }
        for (name, _, Count { records, bytes }) in self.counts() {
            let count = [("bytes", bytes), ("records", records)];
            book.serialize_field(name, &BTreeMap::from(count))?;
        }
        if let Some(error) = &self.error {
            book.serialize_field("error", error)?;
        }
        book.end()
    }
}

/// What is shown at the end.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) repo: String,
    sheets: Vec<Sheet>,
    pub(super) requests: u64,
    pub(super) retries: u64,
    pub(super) halved: u64,
    /// The first points, if nothing was to be sent.
    pub(super) points: Option<Vec<String>>,
    /// The fields that the queue would have, if nothing was to be sent and records have no schema.
    pub(super) schema: Option<Schema>,
    /// What would become of exports, if nothing was to be sent.
    pub(super) exports: Vec<Planned>,
    /// Values that were left out, whose fields the queue does not have.
    pub(super) dropped_fields: u64,
}

/// The books at a moment, for whoever looks on.
#[derive(Debug, Serialize)]
pub(super) struct Status {
    pub(super) at: String,
    pub(super) running: bool,
    pub(super) lag_ms: u64,
    /// What holds requests up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trouble: Option<String>,
    pub(super) books: Report,
}

impl Report {
    pub(super) fn new(sheets: Vec<Sheet>) -> Self {
        Self {
            sheets,
            ..Self::default()
        }
    }

    pub(super) fn count(&mut self, books: &shipping::Books) {
        (self.requests, self.retries, self.halved) = (books.requests, books.retries, books.halved);
        self.dropped_fields = books.dropped_fields;
    }

    /// All inputs together.
    pub(super) fn total(&self) -> Sheet {
        let mut total = Sheet::default();
        for sheet in &self.sheets {
            total.read += sheet.read;
            total.accepted += sheet.accepted;
            total.dead += sheet.dead;
            total.given_up += sheet.given_up;
        }
        total
    }

    /// How many inputs there are, and how many of them were not read to their end.
    pub(super) fn unread(&self) -> (usize, usize) {
        let unread = self.sheets.iter().filter(|sheet| sheet.error.is_some());
        (self.sheets.len(), unread.count())
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut report = serializer.serialize_struct("Report", 7)?;
        report.serialize_field("name", &self.repo)?;
        report.serialize_field("items", &self.sheets)?;
        report.serialize_field("total", &self.total())?;
        report.serialize_field("requests", &self.requests)?;
        report.serialize_field("retries", &self.retries)?;
        report.serialize_field("halved", &self.halved)?;
        if self.dropped_fields > 0 {
            report.serialize_field("dropped_fields", &self.dropped_fields)?;
        }
        if let Some(schema) = &self.schema {
            report.serialize_field("schema", &schema.0)?;
        }
        if !self.exports.is_empty() {
            report.serialize_field("exports", &self.exports)?;
        }
        if let Some(points) = &self.points {
            report.serialize_field("points", points)?;
        }
        report.end()
    }
}

impl Show for Report {
    fn names(&self) -> Vec<&str> {
        self.sheets.iter().map(|sheet| &*sheet.name).collect()
    }

    fn table(&self) -> String {
        let mut headings = vec!["FILE".to_owned()];
        let columns = Sheet::default().counts();
        headings.extend(columns.map(|(name, ..)| spaced(name).to_uppercase()));
        let mut table = Table::new(&headings);
        let mut total = self.total();
        "total".clone_into(&mut total.name);
        let all = (self.sheets.len() > 1).then_some(&total);
        for sheet in self.sheets.iter().chain(all) {
            let counts = sheet.counts().map(|(.., count)| match count.records {
                0 if count.bytes == 0 => "0".to_owned(),
                records => format!("{records} ({})", Short(count.bytes)),
            });
            let cells = std::iter::once(&sheet.name).chain(&counts).map(Cell::from);
            table.row(cells);
        }
        let mut text = String::new();
        if let Some(schema) = &self.schema {
            let heading = pick("schema: ", "字段：");
            text = format!("{heading}{}\n", plain(&schema.to_string()));
        }
        for export in &self.exports {
            text.push_str(&plain(&export.said()));
            text.push('\n');
        }
        for point in self.points.iter().flatten() {
            text.push_str(&plain(point));
            text.push('\n');
        }
        text + &table.render()
    }
}
