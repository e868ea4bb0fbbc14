//! Points: records in the text format that message queues take.
//!
//! A point is a line of fields, `key=value`, with tabs between. Text stands as it is, without quotes; arrays
//! and maps are JSON; what is missing is left out.
//!
//! ```
//! use pipeline_proto::points;
//! use serde::Serialize;
//!
//! #[derive(Serialize)]
//! struct Click<'a> {
//!     url: &'a str,
//!     bytes: u64,
//!     ratio: f32,
//!     tags: [&'a str; 2],
//!     referrer: Option<&'a str>,
//! }
//!
//! let click = Click { url: "/a\tb", bytes: 7, ratio: 1.0, tags: ["p", "q"], referrer: None };
//! let mut text = Vec::new();
//! points::write(&mut text, &click)?;
//! assert_eq!(text, b"url=/a\\tb\tbytes=7\tratio=1\ttags=[\"p\",\"q\"]\n");
//!
//! let point = points::read("url=/a\tbytes=7\n").next().unwrap();
//! let fields: Vec<_> = point.fields().collect::<Result<_, _>>()?;
//! assert_eq!(fields, [("url", "/a"), ("bytes", "7")]);
//! # Ok::<(), pipeline_proto::points::PointError>(())
//! ```
//!
//! An [`Encoder`] writes the escapes of the vendor's documentation, or checks records against the schema of a
//! queue and converts what can be. A push is a [`Payload`](crate::resource::push::Payload) of such lines.
//!
//! # Escapes
//!
//! A tab in a value is written as `\t`, a line feed as `\n`. The vendor's documentation also wants `\r` and
//! `\\`; its clients for Go and Java leave carriage returns and backslashes alone, so that `\t` in a value and
//! a tab are the same bytes. Data in queues are written so, and [`write()`] follows them: a queue whose option
//! `unescapeLine` is off shows what was written.

mod error;
mod infer;
mod json;
mod keys;
mod number;
mod read;
mod rename;
mod scan;
mod schema;
mod ser;
mod text;
mod time;
mod value;

use serde::Serialize;

pub use error::PointError;
pub use infer::{Inference, union};
pub use json::to_json;
pub use keys::{clean_keys, rename_keys};
pub use read::{Escapes, Point, read};
pub use time::rfc3339;

use crate::resource::schema::SchemaEntry;
use rename::Renames;
use schema::Fields;
use ser::Record;

/// Writes a record as a point: any struct or map.
///
/// # Errors
///
/// As [`Encoder::write`].
pub fn write<T: Serialize + ?Sized>(out: &mut Vec<u8>, record: &T) -> Result<(), PointError> {
    Encoder::new().write(out, record)
}

/// Writes records as points.
///
/// ```
/// use pipeline_proto::{points::Encoder, resource::schema::{SchemaEntry, ValType}};
///
/// let schema = [SchemaEntry::new("at", ValType::Date), SchemaEntry::new("bytes", ValType::Long)];
/// let mut encoder = Encoder::checked(&schema);
/// let mut text = Vec::new();
/// encoder.write_json(&mut text, r#"{"at":"2026-11-28T00:20:47Z","bytes":"7"}"#)?;
/// assert_eq!(text, b"at=2026-11-28T00:20:47Z\tbytes=7\n");
///
/// let error = encoder.write_json(&mut text, r#"{"bytes":"many"}"#).unwrap_err();
/// assert_eq!(error.member(), "bytes");
/// assert_eq!(error.to_string(), "the field \"bytes\": a text that cannot be made a long");
/// # Ok::<(), pipeline_proto::points::PointError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Encoder<'s> {
    escapes: Escapes,
    fields: Option<Fields<'s>>,
    renames: Renames,
}

impl<'s> Encoder<'s> {
    /// Of anything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Of records that fit this schema: no value for another field, none that is required missing, and each of its
    /// type.
    ///
    /// What loses nothing is converted: texts that are numbers, dates, addresses or JSON to these, anything to
    /// text, and fractions to whole numbers, as the vendor's clients do it on request. Where these drop a value
    /// or make something up, it is an error.
    pub fn checked(schema: &'s [SchemaEntry]) -> Self {
        Self {
            escapes: Escapes::default(),
            fields: Some(Fields::new(schema)),
            renames: Renames::default(),
        }
    }

    /// Of records that fit a schema, refuses each value that would lose something when it is converted: a fraction in a
    /// `long`, a whole number in a `float` that would round it, the zeros of a text such as `"007"` in either.
    ///
    /// ```
    /// use pipeline_proto::{points::Encoder, resource::schema::{SchemaEntry, ValType}};
    ///
    /// let schema = [SchemaEntry::new("bytes", ValType::Long)];
    /// let mut encoder = Encoder::checked(&schema).lossless(true);
    /// let mut text = Vec::new();
    /// encoder.write_json(&mut text, r#"{"bytes":7.0}"#)?;
    /// let error = encoder.write_json(&mut text, r#"{"bytes":7.5}"#).unwrap_err();
    /// assert_eq!(error.to_string(), "the field \"bytes\": a float that would lose something as a long");
    /// # Ok::<(), pipeline_proto::points::PointError>(())
    /// ```
    #[must_use]
    pub fn lossless(mut self, is_lossless: bool) -> Self {
        if let Some(fields) = &mut self.fields {
            fields.rules.is_lossless = is_lossless;
        }
        self
    }

    /// Of records that are checked, leaves out fields that the schema does not have, and [counts](Self::dropped) them.
    #[must_use]
    pub fn drop_unknown(mut self, drops_unknown: bool) -> Self {
        if let Some(fields) = &mut self.fields {
            fields.rules.drops_unknown = drops_unknown;
        }
        self
    }

    /// How many fields were left out, of all records so far.
    pub fn dropped(&self) -> u64 {
        self.fields.as_ref().map_or(0, |fields| fields.dropped)
    }

    /// With these escapes.
    #[must_use]
    pub fn escapes(mut self, escapes: Escapes) -> Self {
        self.escapes = escapes;
        self
    }

    /// Gives the fields of this name another one, before a schema is looked at. A record whose fields of both names
    /// have values is refused.
    ///
    /// ```
    /// use pipeline_proto::points::Encoder;
    ///
    /// let mut text = Vec::new();
    /// Encoder::new().rename("a", "b").write_json(&mut text, r#"{"a":1,"c":2}"#)?;
    /// assert_eq!(text, b"b=1\tc=2\n");
    /// # Ok::<(), pipeline_proto::points::PointError>(())
    /// ```
    #[must_use]
    pub fn rename(mut self, old: impl Into<String>, new: impl Into<String>) -> Self {
        self.renames.add(old.into(), new.into());
        self
    }

    /// Writes a record as a point, line feed included. Members that are `None` or null are left out.
    ///
    /// Nothing is allocated beyond the room in `out`, unless a schema wants arrays and maps to be looked at.
    ///
    /// # Errors
    ///
    /// If it is no struct or map, nothing is left of it, a key cannot be one, or a member does not fit; then
    /// `out` is as it was.
    pub fn write<T: Serialize + ?Sized>(
        &mut self,
        out: &mut Vec<u8>,
        record: &T,
    ) -> Result<(), PointError> {
        let start = out.len();
        let written = record.serialize(Record::new(self, out));
        if written.is_err() {
            out.truncate(start);
        }
        written
    }

    /// Writes a JSON object, such as a line of a file, as a point. Numbers keep their digits.
    ///
    /// # Errors
    ///
    /// If it is no JSON object, and as [`write`](Self::write).
    pub fn write_json(&mut self, out: &mut Vec<u8>, line: &str) -> Result<(), PointError> {
        let start = out.len();
        let written = json::write(Record::new(self, out), line);
        if written.is_err() {
            out.truncate(start);
        }
        written
    }
}

/// What a value has turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Nothing,
    Boolean,
    Integer,
    Float,
    Text,
    Array,
    Object,
}
