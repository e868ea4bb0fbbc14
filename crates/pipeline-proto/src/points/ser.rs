//! Any struct or map that `serde` can serialize, as a point.

#![allow(
    clippy::inline_always,
    reason = "of the keys of structs, which are constants, nothing is left to be looked at"
)]

use serde::ser::{
    Error as _, Impossible, Serialize, SerializeMap, SerializeStruct, SerializeStructVariant,
    Serializer,
};

use super::{
    Encoder, Kind,
    error::{PointError, Reason},
    read::Escapes,
    schema,
    text::{self, Writing},
    value::{RAW, Refuse, Text, Value, blind, transparent},
};
use crate::resource::schema::SchemaEntry;

/// A point that is being written, field by field: [`begin_field`](Self::begin_field), the value,
/// [`end_field`](Self::end_field).
pub(super) struct Record<'a, 's> {
    encoder: &'a mut Encoder<'s>,
    pub(super) out: &'a mut Vec<u8>,
    start: usize,
    /// Where the key of the current field begins.
    field: usize,
    /// Where its value begins.
    value: usize,
    entry: Option<&'s SchemaEntry>,
    /// What the value is.
    pub(super) kind: Kind,
    /// Whether values are what they have to be as soon as they are written.
    is_written: bool,
}

impl<'a, 's> Record<'a, 's> {
    pub(super) fn new(encoder: &'a mut Encoder<'s>, out: &'a mut Vec<u8>) -> Self {
        if let Some(fields) = &mut encoder.fields {
            fields.begin();
        }
        encoder.renames.begin();
        let start = out.len();
        Self {
            is_written: encoder.fields.is_none()
                && encoder.renames.is_empty()
                && encoder.escapes == Escapes::Clients,
            encoder,
            out,
            start,
            field: start,
            value: start,
            entry: None,
            kind: Kind::Nothing,
        }
    }

    /// Writes a key, whose value has to follow.
    #[inline(always)]
    pub(super) fn begin_field(&mut self, key: &str) -> Result<(), PointError> {
        if !text::is_key(key) {
            return Err(bad_key(key));
        }
        let Encoder {
            fields, renames, ..
        } = &mut *self.encoder;
        let key = if renames.is_empty() {
            key
        } else {
            renames.find(key)
        };
        if let Some(fields) = fields {
            self.entry = fields.find(key);
        }
        self.field = self.out.len();
        self.out.extend_from_slice(key.as_bytes());
        self.out.push(b'=');
        self.value = self.out.len();
        Ok(())
    }

    /// How text is to be written into the current field.
    #[inline]
    pub(super) fn writing(&self) -> Writing {
        match self.entry {
            Some(entry) if schema::holds_json(entry) => Writing::Blank,
            _ => Writing::Escaped(self.encoder.escapes),
        }
    }

    #[cold]
    pub(super) fn inside(&self, error: PointError) -> PointError {
        let key = &self.out[self.field..self.value - 1];
        error.inside(&String::from_utf8_lossy(key))
    }

    #[inline]
    pub(super) fn end_field(&mut self) -> Result<(), PointError> {
        if self.kind == Kind::Nothing || self.is_dropped() {
            self.out.truncate(self.field);
            return Ok(());
        }
        if !self.is_written {
            self.finish()?;
        }
        self.out.push(b'\t');
        Ok(())
    }

    /// Whether the current field is left out, since the schema does not have it.
    #[inline(always)]
    fn is_dropped(&mut self) -> bool {
        match &mut self.encoder.fields {
            Some(fields) if self.entry.is_none() && fields.rules.drops_unknown => {
                fields.dropped += 1;
                true
            }
            _ => false,
        }
    }

    /// Makes the value that was written last what it has to be.
    fn finish(&mut self) -> Result<(), PointError> {
        if let Some(fields) = &mut self.encoder.fields {
            let fitted = match self.entry {
                Some(entry) => {
                    let fitted = schema::fit(entry, self.kind, self.out, self.value, fields.rules);
                    fitted.and_then(|()| fields.note())
                }
                None => Err(Reason::Unknown.into()),
            };
            fitted.map_err(|error| self.inside(error))?;
        } else if !self.encoder.renames.note() {
            return Err(self.inside(Reason::Twice.into()));
        }
        let is_json = matches!(self.kind, Kind::Array | Kind::Object)
            || self.entry.is_some_and(schema::holds_json);
        if is_json && self.encoder.escapes == Escapes::Documented {
            text::double_backslashes(self.out, self.value);
        }
        Ok(())
    }

    pub(super) fn end(self) -> Result<(), PointError> {
        if let Some(fields) = &self.encoder.fields {
            fields.end()?;
        }
        match self.out.get_mut(self.start..) {
            Some([.., last]) => *last = b'\n',
            _ => return Err(Reason::Empty.into()),
        }
        Ok(())
    }

    #[inline]
    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), PointError> {
        let written = value.serialize(Value(self));
        written.map_err(|error| self.inside(error))?;
        if matches!(self.kind, Kind::Array | Kind::Object) && self.out.len() == self.value {
            serde_json::to_writer(&mut *self.out, value)
                .map_err(|error| self.inside(PointError::custom(error)))?;
            // Raw values may have line feeds between their parts.
            text::blank(&mut self.out[self.value..]);
        }
        self.end_field()
    }
}

#[cold]
fn bad_key(key: &str) -> PointError {
    PointError::of(Reason::Key).inside(key)
}

impl SerializeStruct for Record<'_, '_> {
    type Ok = ();
    type Error = PointError;

    #[inline(always)]
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), PointError> {
        self.begin_field(key)?;
        self.value(value)
    }

    fn end(self) -> Result<(), PointError> {
        Record::end(self)
    }
}

impl SerializeStructVariant for Record<'_, '_> {
    type Ok = ();
    type Error = PointError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), PointError> {
        SerializeStruct::serialize_field(self, key, value)
    }

    fn end(self) -> Result<(), PointError> {
        Record::end(self)
    }
}

impl SerializeMap for Record<'_, '_> {
    type Ok = ();
    type Error = PointError;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), PointError> {
        key.serialize(Text(|key: &str| self.begin_field(key)))
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), PointError> {
        self.value(value)
    }

    fn end(self) -> Result<(), PointError> {
        Record::end(self)
    }
}

impl Refuse for Record<'_, '_> {}

impl Serializer for Record<'_, '_> {
    type Ok = ();
    type Error = PointError;
    type SerializeSeq = Impossible<(), PointError>;
    type SerializeTuple = Impossible<(), PointError>;
    type SerializeTupleStruct = Impossible<(), PointError>;
    type SerializeTupleVariant = Impossible<(), PointError>;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    fn serialize_map(self, _: Option<usize>) -> Result<Self, PointError> {
        Ok(self)
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Self, PointError> {
        if RAW.contains(&name) {
            return Err(Reason::NoRecord("raw JSON: `write_json` takes it").into());
        }
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, PointError> {
        Ok(self)
    }

    transparent! {
        serialize_some();
        serialize_newtype_struct(&'static str);
        serialize_newtype_variant(&'static str, u32, &'static str);
    }

    blind! {
        serialize_bool(bool) = refuse(Reason::NoRecord("a boolean"));
        serialize_i8(i8) = refuse(Reason::NoRecord("a number"));
        serialize_i16(i16) = refuse(Reason::NoRecord("a number"));
        serialize_i32(i32) = refuse(Reason::NoRecord("a number"));
        serialize_i64(i64) = refuse(Reason::NoRecord("a number"));
        serialize_u8(u8) = refuse(Reason::NoRecord("a number"));
        serialize_u16(u16) = refuse(Reason::NoRecord("a number"));
        serialize_u32(u32) = refuse(Reason::NoRecord("a number"));
        serialize_u64(u64) = refuse(Reason::NoRecord("a number"));
        serialize_f32(f32) = refuse(Reason::NoRecord("a number"));
        serialize_f64(f64) = refuse(Reason::NoRecord("a number"));
        serialize_char(char) = refuse(Reason::NoRecord("a text"));
        serialize_str(&str) = refuse(Reason::NoRecord("a text"));
        serialize_bytes(&[u8]) = refuse(Reason::NoRecord("bytes"));
        serialize_none() = refuse(Reason::NoRecord("nothing"));
        serialize_unit() = refuse(Reason::NoRecord("nothing"));
        serialize_unit_struct(&'static str) = refuse(Reason::NoRecord("nothing"));
        serialize_unit_variant(&'static str, u32, &'static str) = refuse(Reason::NoRecord("a text"));
        serialize_seq(Option<usize>) -> SerializeSeq = refuse(Reason::NoRecord("an array"));
        serialize_tuple(usize) -> SerializeTuple = refuse(Reason::NoRecord("an array"));
        serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct = refuse(Reason::NoRecord("an array"));
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> SerializeTupleVariant
            = refuse(Reason::NoRecord("an array"));
    }
}
