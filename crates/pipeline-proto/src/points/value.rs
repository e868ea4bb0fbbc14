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
    ser::Record,
    text,
};

/// How `serde_json` hands out JSON that stays as it is, and numbers where a program has their digits kept.
pub(super) const RAW: [&str; 2] = [
    "$serde_json::private::RawValue",
    "$serde_json::private::Number",
];

/// Methods that look at nothing of what they are called with: each passes its value to a method of `self`.
macro_rules! blind {
    ($($method:ident($($argument:ty),*) $(-> $Compound:ident)? = $answer:ident($value:expr);)*) => { $(
        fn $method(self, $(_: $argument),*) -> Result<blind!(@ $($Compound)?), PointError> {
            self.$answer($value)
        }
    )* };
    (@) => { Self::Ok };
    (@ $Compound:ident) => { Self::$Compound };
}
pub(super) use blind;

/// Methods of what stands inside of something else, with its names before it: it counts as if it stood alone.
macro_rules! transparent {
    ($($method:ident($($argument:ty),*);)*) => { $(
        #[inline]
        fn $method<T: Serialize + ?Sized>(self, $(_: $argument,)* inner: &T) -> Result<Self::Ok, PointError> {
            inner.serialize(self)
        }
    )* };
}
pub(super) use transparent;

/// Methods that refuse what they are called with.
pub(super) trait Refuse: Sized {
    fn refuse<T>(self, reason: Reason) -> Result<T, PointError> {
        Err(reason.into())
    }
}

/// Takes what can be a key, as text.
pub(super) struct Text<F>(pub(super) F);

/// Methods that give the digits of a number to another one.
macro_rules! integers {
    ($digits:ident) => {
        integers! { $digits:
            serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64) serialize_i128(i128)
            serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64) serialize_u128(u128)
        }
    };
    ($digits:ident: $($method:ident($number:ty))*) => { $(
        #[inline]
        fn $method(self, number: $number) -> Result<Self::Ok, PointError> {
            self.$digits(itoa::Buffer::new().format(number))
        }
    )* };
}

impl<F> Refuse for Text<F> {}

impl<F: FnOnce(&str) -> Result<(), PointError>> Serializer for Text<F> {
    type Ok = ();
    type Error = PointError;
    type SerializeSeq = Impossible<(), PointError>;
    type SerializeTuple = Impossible<(), PointError>;
    type SerializeTupleStruct = Impossible<(), PointError>;
    type SerializeTupleVariant = Impossible<(), PointError>;
    type SerializeMap = Impossible<(), PointError>;
    type SerializeStruct = Impossible<(), PointError>;
    type SerializeStructVariant = Impossible<(), PointError>;

    integers!(serialize_str);

    #[inline]
    fn serialize_str(self, key: &str) -> Result<(), PointError> {
        (self.0)(key)
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

    transparent! {
        serialize_newtype_struct(&'static str);
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

    blind! {
        serialize_bool(bool) = refuse(Reason::KeyType);
        serialize_f32(f32) = refuse(Reason::KeyType);
        serialize_f64(f64) = refuse(Reason::KeyType);
        serialize_bytes(&[u8]) = refuse(Reason::KeyType);
        serialize_none() = refuse(Reason::KeyType);
        serialize_unit() = refuse(Reason::KeyType);
        serialize_unit_struct(&'static str) = refuse(Reason::KeyType);
        serialize_seq(Option<usize>) -> SerializeSeq = refuse(Reason::KeyType);
        serialize_tuple(usize) -> SerializeTuple = refuse(Reason::KeyType);
        serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct = refuse(Reason::KeyType);
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> SerializeTupleVariant = refuse(Reason::KeyType);
        serialize_map(Option<usize>) -> SerializeMap = refuse(Reason::KeyType);
        serialize_struct(&'static str, usize) -> SerializeStruct = refuse(Reason::KeyType);
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> SerializeStructVariant = refuse(Reason::KeyType);
    }
}

/// Writes the value of a field, and notes in the record what it is. Of arrays and maps it only does that:
/// `serde_json` writes them.
pub(super) struct Value<'r, 'a, 's>(pub(super) &'r mut Record<'a, 's>);

impl<'r, 'a, 's> Value<'r, 'a, 's> {
    /// Where to write a value of this kind. A result tells less, and is one word.
    #[inline]
    fn out(self, kind: Kind) -> &'r mut Vec<u8> {
        self.0.kind = kind;
        self.0.out
    }

    #[inline]
    #[allow(clippy::unnecessary_wraps, reason = "as the methods that call it")]
    fn integer(self, digits: &str) -> Result<(), PointError> {
        self.out(Kind::Integer).extend_from_slice(digits.as_bytes());
        Ok(())
    }

    #[inline]
    fn float<T>(self, number: T) -> Result<(), PointError>
    where
        T: zmij::Float + Copy + Into<f64>,
    {
        if !number.into().is_finite() {
            return Err(Reason::NotFinite.into());
        }
        push_float(self.out(Kind::Float), number);
        Ok(())
    }

    #[allow(clippy::unnecessary_wraps, reason = "as the methods that call it")]
    fn note(self, kind: Kind) -> Result<(), PointError> {
        self.0.kind = kind;
        Ok(())
    }

    #[allow(clippy::unnecessary_wraps, reason = "as the methods that call it")]
    fn compound(self, kind: Kind) -> Result<Compound<'r, 'a, 's>, PointError> {
        self.0.kind = kind;
        Ok(Compound(None))
    }
}

impl<'r, 'a, 's> Serializer for Value<'r, 'a, 's> {
    type Ok = ();
    type Error = PointError;
    type SerializeSeq = Compound<'r, 'a, 's>;
    type SerializeTuple = Compound<'r, 'a, 's>;
    type SerializeTupleStruct = Compound<'r, 'a, 's>;
    type SerializeTupleVariant = Compound<'r, 'a, 's>;
    type SerializeMap = Compound<'r, 'a, 's>;
    type SerializeStruct = Compound<'r, 'a, 's>;
    type SerializeStructVariant = Compound<'r, 'a, 's>;

    integers!(integer);

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<(), PointError> {
        let text: &[u8] = if value { b"true" } else { b"false" };
        self.out(Kind::Boolean).extend_from_slice(text);
        Ok(())
    }

    #[inline]
    fn serialize_f32(self, number: f32) -> Result<(), PointError> {
        self.float(number)
    }

    #[inline]
    fn serialize_f64(self, number: f64) -> Result<(), PointError> {
        self.float(number)
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), PointError> {
        let writing = self.0.writing();
        text::push(self.out(Kind::Text), value, writing);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), PointError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    /// Written in place, and once more if there is something to be escaped.
    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), PointError> {
        let writing = self.0.writing();
        let out = self.out(Kind::Text);
        let start = out.len();
        write!(out, "{value}").map_err(PointError::custom)?;
        let ends = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b'\\');
        if out[start..].iter().any(ends) {
            let text = out.split_off(start);
            text::push(out, &String::from_utf8_lossy(&text), writing);
        }
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), PointError> {
        self.serialize_str(variant)
    }

    transparent! {
        serialize_some();
        serialize_newtype_struct(&'static str);
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), PointError> {
        self.note(Kind::Object)
    }

    blind! {
        serialize_bytes(&[u8]) = note(Kind::Array);
        serialize_none() = note(Kind::Nothing);
        serialize_unit() = note(Kind::Nothing);
        serialize_unit_struct(&'static str) = note(Kind::Nothing);
        serialize_seq(Option<usize>) -> SerializeSeq = compound(Kind::Array);
        serialize_tuple(usize) -> SerializeTuple = compound(Kind::Array);
        serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct = compound(Kind::Array);
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> SerializeTupleVariant = compound(Kind::Object);
        serialize_map(Option<usize>) -> SerializeMap = compound(Kind::Object);
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> SerializeStructVariant = compound(Kind::Object);
    }

    fn serialize_struct(
        self,
        name: &'static str,
        _: usize,
    ) -> Result<Compound<'r, 'a, 's>, PointError> {
        self.0.kind = Kind::Object;
        Ok(Compound(RAW.contains(&name).then_some(self.0)))
    }
}

/// Passes over the parts of an array or a map, but for raw JSON, which is one text.
pub(super) struct Compound<'r, 'a, 's>(Option<&'r mut Record<'a, 's>>);

impl Compound<'_, '_, '_> {
    fn part<T: Serialize + ?Sized>(&mut self, part: &T) -> Result<(), PointError> {
        if let Some(record) = self.0.take() {
            part.serialize(Text(|raw: &str| {
                record.kind = json::push(record.out, raw, record.writing())?;
                Ok(())
            }))?;
        }
        Ok(())
    }
}

macro_rules! compounds {
    ($($Trait:ident $method:ident($($key:ty)?);)*) => { $(
        impl $Trait for Compound<'_, '_, '_> {
            type Ok = ();
            type Error = PointError;

            fn $method<T: Serialize + ?Sized>(&mut self, $(_: $key,)? part: &T) -> Result<(), PointError> {
                self.part(part)
            }

            fn end(self) -> Result<(), PointError> {
                Ok(())
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

impl SerializeMap for Compound<'_, '_, '_> {
    type Ok = ();
    type Error = PointError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<(), PointError> {
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<(), PointError> {
        Ok(())
    }

    fn end(self) -> Result<(), PointError> {
        Ok(())
    }
}
