//! Keys and values of points.

use std::{fmt::Display, io::Write as _};

use serde::ser::{
    Error as _, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct,
    SerializeStructVariant, SerializeTuple, SerializeTupleStruct, SerializeTupleVariant,
    Serializer,
};

use super::{
    Kind,
    error::{PointError, Reason},
    json,
    number::push_float,
    text::{self, Writing},
};

/// How `serde_json` hands out JSON that stays as it is, and numbers where a program has their digits kept.
pub(super) const RAW: [&str; 2] = [
    "$serde_json::private::RawValue",
    "$serde_json::private::Number",
];

/// Methods that refuse what they are called with.
macro_rules! refuse {
    ($($method:ident($($argument:ty),*) = $reason:expr;)*) => { $(
        fn $method(self, $(_: $argument),*) -> Result<Self::Ok, PointError> {
            Err($reason.into())
        }
    )* };
    (compound $($method:ident($($argument:ty),*) -> $Compound:ident = $reason:expr;)*) => { $(
        fn $method(self, $(_: $argument),*) -> Result<Self::$Compound, PointError> {
            Err($reason.into())
        }
    )* };
}
pub(super) use refuse;

/// Writes a key.
pub(super) struct Key<'a>(pub(super) &'a mut Vec<u8>);

/// Methods that write a number by its digits.
macro_rules! digits {
    ($ok:expr; $($method:ident($number:ty))*) => { $(
        #[inline]
        fn $method(self, number: $number) -> Result<Self::Ok, PointError> {
            self.out().extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
            Ok($ok)
        }
    )* };
}

macro_rules! integers {
    ($ok:expr) => {
        digits! { $ok;
            serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64) serialize_i128(i128)
            serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_u128(u128)
        }
    };
}

impl<'a> Key<'a> {
    fn out(self) -> &'a mut Vec<u8> {
        self.0
    }
}

impl Serializer for Key<'_> {
    type Ok = ();
    type Error = PointError;
    type SerializeSeq = Impossible<(), PointError>;
    type SerializeTuple = Impossible<(), PointError>;
    type SerializeTupleStruct = Impossible<(), PointError>;
    type SerializeTupleVariant = Impossible<(), PointError>;
    type SerializeMap = Impossible<(), PointError>;
    type SerializeStruct = Impossible<(), PointError>;
    type SerializeStructVariant = Impossible<(), PointError>;

    integers!(());

    #[inline]
    fn serialize_str(self, key: &str) -> Result<(), PointError> {
        self.0.extend_from_slice(key.as_bytes());
        Ok(())
    }

    fn serialize_char(self, key: char) -> Result<(), PointError> {
        self.serialize_str(key.encode_utf8(&mut [0; 4]))
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        key: &'static str,
    ) -> Result<(), PointError> {
        self.serialize_str(key)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), PointError> {
        Err(Reason::KeyType.into())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        key: &T,
    ) -> Result<(), PointError> {
        key.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), PointError> {
        Err(Reason::KeyType.into())
    }

    refuse! {
        serialize_bool(bool) = Reason::KeyType;
        serialize_f32(f32) = Reason::KeyType;
        serialize_f64(f64) = Reason::KeyType;
        serialize_bytes(&[u8]) = Reason::KeyType;
        serialize_none() = Reason::KeyType;
        serialize_unit() = Reason::KeyType;
        serialize_unit_struct(&'static str) = Reason::KeyType;
    }
    refuse! { compound
        serialize_seq(Option<usize>) -> SerializeSeq = Reason::KeyType;
        serialize_tuple(usize) -> SerializeTuple = Reason::KeyType;
        serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct = Reason::KeyType;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> SerializeTupleVariant = Reason::KeyType;
        serialize_map(Option<usize>) -> SerializeMap = Reason::KeyType;
        serialize_struct(&'static str, usize) -> SerializeStruct = Reason::KeyType;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> SerializeStructVariant = Reason::KeyType;
    }
}

/// Writes a value and says what it is. Of arrays and maps it only says so: `serde_json` writes them.
pub(super) struct Value<'a> {
    pub(super) out: &'a mut Vec<u8>,
    pub(super) writing: Writing,
}

impl<'a> Value<'a> {
    #[inline]
    fn out(self) -> &'a mut Vec<u8> {
        self.out
    }

    #[inline]
    fn float<T>(self, number: T) -> Result<Kind, PointError>
    where
        T: zmij::Float + Copy + Into<f64>,
    {
        if !number.into().is_finite() {
            return Err(Reason::NotFinite.into());
        }
        push_float(self.out, number);
        Ok(Kind::Float)
    }

    fn compound(self, kind: Kind, name: &str) -> Compound<'a> {
        Compound {
            kind,
            raw: RAW.contains(&name).then_some(self),
        }
    }
}

impl<'a> Serializer for Value<'a> {
    type Ok = Kind;
    type Error = PointError;
    type SerializeSeq = Compound<'a>;
    type SerializeTuple = Compound<'a>;
    type SerializeTupleStruct = Compound<'a>;
    type SerializeTupleVariant = Compound<'a>;
    type SerializeMap = Compound<'a>;
    type SerializeStruct = Compound<'a>;
    type SerializeStructVariant = Compound<'a>;

    integers!(Kind::Integer);

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<Kind, PointError> {
        let text: &[u8] = if value { b"true" } else { b"false" };
        self.out.extend_from_slice(text);
        Ok(Kind::Boolean)
    }

    #[inline]
    fn serialize_f32(self, number: f32) -> Result<Kind, PointError> {
        self.float(number)
    }

    #[inline]
    fn serialize_f64(self, number: f64) -> Result<Kind, PointError> {
        self.float(number)
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<Kind, PointError> {
        text::push(self.out, value, self.writing);
        Ok(Kind::Text)
    }

    fn serialize_char(self, value: char) -> Result<Kind, PointError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    /// Written in place, and once more if there is something to be escaped.
    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<Kind, PointError> {
        let start = self.out.len();
        write!(self.out, "{value}").map_err(PointError::custom)?;
        let ends = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b'\\');
        if self.out[start..].iter().any(ends) {
            let text = self.out.split_off(start);
            text::push(self.out, &String::from_utf8_lossy(&text), self.writing);
        }
        Ok(Kind::Text)
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<Kind, PointError> {
        Ok(Kind::Array)
    }

    fn serialize_none(self) -> Result<Kind, PointError> {
        Ok(Kind::Nothing)
    }

    fn serialize_unit(self) -> Result<Kind, PointError> {
        Ok(Kind::Nothing)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Kind, PointError> {
        Ok(Kind::Nothing)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Kind, PointError> {
        self.serialize_str(variant)
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Kind, PointError> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Kind, PointError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Kind, PointError> {
        Ok(Kind::Object)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Compound<'a>, PointError> {
        Ok(self.compound(Kind::Array, ""))
    }

    fn serialize_tuple(self, _: usize) -> Result<Compound<'a>, PointError> {
        Ok(self.compound(Kind::Array, ""))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Compound<'a>, PointError> {
        Ok(self.compound(Kind::Array, ""))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Compound<'a>, PointError> {
        Ok(self.compound(Kind::Object, ""))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Compound<'a>, PointError> {
        Ok(self.compound(Kind::Object, ""))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Compound<'a>, PointError> {
        Ok(self.compound(Kind::Object, name))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Compound<'a>, PointError> {
        Ok(self.compound(Kind::Object, ""))
    }
}

/// Passes over the parts of an array or a map, but for raw JSON, which is one text.
pub(super) struct Compound<'a> {
    kind: Kind,
    raw: Option<Value<'a>>,
}

impl Compound<'_> {
    fn part<T: Serialize + ?Sized>(&mut self, part: &T) -> Result<(), PointError> {
        if let Some(Value { out, writing }) = self.raw.take() {
            let start = out.len();
            part.serialize(Key(out))?;
            let raw = out.split_off(start);
            self.kind = json::push(out, &String::from_utf8_lossy(&raw), writing)?;
        }
        Ok(())
    }
}

macro_rules! compounds {
    ($($Trait:ident $method:ident($($key:ty)?);)*) => { $(
        impl $Trait for Compound<'_> {
            type Ok = Kind;
            type Error = PointError;

            fn $method<T: Serialize + ?Sized>(&mut self, $(_: $key,)? part: &T) -> Result<(), PointError> {
                self.part(part)
            }

            fn end(self) -> Result<Kind, PointError> {
                Ok(self.kind)
            }
        }
    )* };
}

compounds! {
    SerializeSeq serialize_element();
    SerializeTuple serialize_element();
    SerializeTupleStruct serialize_field();
    SerializeTupleVariant serialize_field();
    SerializeStruct serialize_field(&'static str);
    SerializeStructVariant serialize_field(&'static str);
}

impl SerializeMap for Compound<'_> {
    type Ok = Kind;
    type Error = PointError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<(), PointError> {
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<(), PointError> {
        Ok(())
    }

    fn end(self) -> Result<Kind, PointError> {
        Ok(self.kind)
    }
}
