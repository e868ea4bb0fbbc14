//! JSON objects as points, without values in between.

use std::{borrow::Cow, fmt};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{
    Kind,
    error::{PointError, Reason},
    ser::Record,
    text::{self, Writing},
};

/// Writes a JSON object as a point.
pub(super) fn write(mut record: Record<'_, '_>, line: &str) -> Result<(), PointError> {
    let mut error = None;
    let mut deserializer = serde_json::Deserializer::from_str(line);
    let read = Object {
        record: &mut record,
        error: &mut error,
    }
    .deserialize(&mut deserializer)
    .and_then(|()| deserializer.end());
    match (error, read) {
        (Some(error), _) => Err(error),
        (None, read) => read.map_err(no_json).and_then(|()| record.end()),
    }
}

pub(super) fn no_json(error: impl fmt::Display) -> PointError {
    Reason::Json(error.to_string()).into()
}

struct Object<'r, 'a, 's> {
    record: &'r mut Record<'a, 's>,
    error: &'r mut Option<PointError>,
}

impl<'de> DeserializeSeed<'de> for Object<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut fail = |error| {
            *self.error = Some(error);
            serde::de::Error::custom("see there")
        };
        while map.next_key_seed(Key(self.record.begin_field()))?.is_some() {
            let raw: &RawValue = map.next_value()?;
            let field = self.record.end_key().and_then(|()| {
                let writing = self.record.writing();
                let kind = push(self.record.out(), raw.get(), writing)
                    .map_err(|error| self.record.inside(error))?;
                self.record.end_field(kind)
            });
            field.map_err(&mut fail)?;
        }
        Ok(())
    }
}

/// Writes a key to where it belongs.
struct Key<'a>(&'a mut Vec<u8>);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<(), E> {
        self.0.extend_from_slice(key.as_bytes());
        Ok(())
    }
}

/// Writes a value that is JSON as it stands in a point.
#[inline]
pub(super) fn push(out: &mut Vec<u8>, raw: &str, writing: Writing) -> Result<Kind, PointError> {
    let bytes = raw.as_bytes();
    Ok(match bytes.first() {
        Some(b'"') => {
            let inner = raw.get(1..raw.len() - 1).unwrap_or_default();
            if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
                // What would have to be escaped here, has to be in JSON.
                out.extend_from_slice(inner.as_bytes());
            } else {
                let text: Cow<'_, str> = serde_json::from_str(raw).map_err(no_json)?;
                text::push(out, &text, writing);
            }
            Kind::Text
        }
        Some(b'n') | None => Kind::Nothing,
        Some(b't' | b'f') => {
            out.extend_from_slice(bytes);
            Kind::Boolean
        }
        Some(first @ (b'{' | b'[')) => {
            text::push(out, raw, Writing::Blank);
            if *first == b'{' {
                Kind::Object
            } else {
                Kind::Array
            }
        }
        Some(_) => {
            out.extend_from_slice(bytes);
            if bytes.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
                Kind::Float
            } else {
                Kind::Integer
            }
        }
    })
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
