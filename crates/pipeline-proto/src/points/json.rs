//! JSON objects as points, without values in between.

use std::fmt;

use serde::{Serialize, de::IgnoredAny, ser::Error as _};
use serde_json::{Map, Value};

use super::{
    Kind,
    error::{PointError, Reason},
    scan::{self, Raw},
    ser::Record,
    text::Writing,
};

/// A record as JSON, as it is taken where there is no schema yet: any struct or map.
///
/// # Errors
///
/// If it cannot be JSON.
pub fn to_json<T: Serialize + ?Sized>(record: &T) -> Result<String, PointError> {
    serde_json::to_string(record).map_err(PointError::custom)
}

/// Writes a JSON object as a point.
pub(super) fn write(mut record: Record<'_, '_>, line: &str) -> Result<(), PointError> {
    let mut written = Ok(());
    let read = scan::members(line, |key, value| {
        written = key.with_text(|key| record.begin_field(key)).and_then(|()| {
            let writing = record.writing();
            value.push(record.out, writing);
            record.kind = value.kind;
            record.end_field()
        });
        written.as_ref().ok().copied()
    });
    written?;
    read.ok_or_else(|| no_object(line))?;
    record.end()
}

/// Why a text is no JSON object, in the words of `serde_json`.
#[cold]
pub(super) fn no_object(text: &str) -> PointError {
    match serde_json::from_str::<Map<String, Value>>(text) {
        Err(error) => no_json(error),
        Ok(_) => no_json("expected an object"),
    }
}

#[cold]
pub(super) fn no_json(error: impl fmt::Display) -> PointError {
    Reason::Json(error.to_string()).into()
}

/// Writes a value that is JSON as it stands in a point.
pub(super) fn push(out: &mut Vec<u8>, raw: &str, writing: Writing) -> Result<Kind, PointError> {
    let value = Raw::of(raw).ok_or_else(|| no_json("it cannot be text"))?;
    value.push(out, writing);
    Ok(value.kind)
}

/// Writes a value inside of JSON as it is.
pub(super) fn push_nested(out: &mut Vec<u8>, raw: &str) -> Kind {
    out.extend_from_slice(raw.as_bytes());
    if raw == "null" {
        Kind::Nothing
    } else {
        Kind::Object
    }
}

/// Writes a text as JSON.
pub(super) fn push_text(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a vector takes everything");
}

pub(super) fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

pub(super) fn is_number(text: &str) -> bool {
    let value = Raw::of(text);
    value.is_some_and(|it| matches!(it.kind, Kind::Integer | Kind::Float) && it.text == text)
}
