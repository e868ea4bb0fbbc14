use std::borrow::Cow;

use serde::{Serialize, Serializer, ser::SerializeMap as _};

use super::{
    error::{PointError, Reason},
    json, text,
};
use crate::resource::schema::{SchemaEntry, ValType};

/// How characters that a point cannot hold are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Escapes {
    /// Tab and line feed, as the vendor's clients do it. A backslash stays, so that not all texts can be told
    /// apart.
    #[default]
    Clients,
    /// Also carriage return and backslash, as the vendor's documentation wants it.
    Documented,
}

/// A point, as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point<'a> {
    line: usize,
    text: &'a str,
}

/// Reads points, a line each. Blank lines are none; the last line needs no line feed.
pub fn read(text: &str) -> impl Iterator<Item = Point<'_>> {
    let lines = text.split('\n').enumerate();
    lines
        .filter(|(_, text)| !text.is_empty())
        .map(|(index, text)| Point {
            line: index + 1,
            text,
        })
}

impl<'a> Point<'a> {
    /// The line that it stands on, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The point as text, without line feed.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Its fields: keys, and values as they stand, with their escapes. A value begins after the first `=`.
    pub fn fields(&self) -> impl Iterator<Item = Result<(&'a str, &'a str), PointError>> + use<'a> {
        self.text
            .split('\t')
            .map(|field| match field.split_once('=') {
                Some(("", _)) => Err(Reason::Key.into()),
                Some(field) => Ok(field),
                None => Err(PointError::of(Reason::NoEquals).inside(field)),
            })
    }

    /// Writes it as a JSON object: numbers, booleans, arrays and maps by the types of a schema, everything else
    /// and everything without one as text.
    ///
    /// # Errors
    ///
    /// If a field has no key or no `=`.
    pub fn write_json(
        &self,
        out: &mut Vec<u8>,
        schema: &[SchemaEntry],
        escapes: Option<Escapes>,
    ) -> Result<(), PointError> {
        let mut before = b'{';
        for field in self.fields() {
            let (key, value) = field?;
            out.push(before);
            before = b',';
            json::push_text(out, key);
            out.push(b':');
            let plain = escapes.map_or(Cow::Borrowed(value), |escapes| {
                text::unescaped(value, escapes)
            });
            // Clients leave the escapes that JSON has of its own.
            let value = match escapes {
                Some(Escapes::Documented) => &*plain,
                _ => value,
            };
            let entry = schema.iter().find(|entry| entry.key == key);
            let begins = value.bytes().next().unwrap_or_default();
            let as_it_is = entry.is_some_and(|entry| match entry.valtype {
                ValType::Long | ValType::Float => begins == b'-' || begins.is_ascii_digit(),
                ValType::Boolean => matches!(value, "true" | "false"),
                ValType::Array => begins == b'[',
                ValType::Map => begins == b'{',
                _ => false,
            });
            if as_it_is && json::is_json(value) {
                out.extend_from_slice(value.as_bytes());
            } else {
                json::push_text(out, &plain);
            }
        }
        out.push(b'}');
        Ok(())
    }
}

/// A map of texts, in their order and as they stand: an [`Encoder`](super::Encoder) that checks takes points as it
/// takes other records.
impl Serialize for Point<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for field in self.fields() {
            let (key, value) = field.map_err(serde::ser::Error::custom)?;
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}
