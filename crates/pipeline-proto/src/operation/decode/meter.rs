//! A deserializer around another one that counts what is kept of what it reads.
//!
//! `{},` is three bytes of text, and a whole value in a list. So each element of an array and each entry
//! of a map counts with the size that its type has, until the sum is out of proportion to the text. What
//! nobody keeps has no size and counts nothing.

use std::{cell::Cell, fmt};

use serde::{
    Deserializer,
    de::{DeserializeSeed, EnumAccess, Error, MapAccess, SeqAccess, Visitor},
};

/// What may be counted for each byte of text. Lists and maps that grow have room for up to three times
/// of what is in them for a moment, so this is about ten times the text.
const PER_BYTE: usize = 3;

/// What may be counted for any text, however short: some thousand workflows with little in them.
const FREE: usize = 1 << 20;

/// Smaller values of a map are taken to be fields of the value around them, which has been counted.
const FIELD: usize = 32;

/// A map of large values begins with room for eleven.
const FIRST_ENTRY: usize = 6;

/// A piece of raw JSON, with its name and its place in a list.
const RAW: usize = 40;

pub(super) struct Meter {
    left: Cell<usize>,
    exceeded: Cell<bool>,
}

impl Meter {
    pub(super) fn for_text(length: usize) -> Self {
        Self {
            left: Cell::new(length.saturating_mul(PER_BYTE).max(FREE)),
            exceeded: Cell::new(false),
        }
    }

    pub(super) fn is_exceeded(&self) -> bool {
        self.exceeded.get()
    }

    pub(super) fn metered<T>(&self, inner: T) -> Metered<'_, T> {
        Metered { inner, meter: self }
    }

    fn count<E: Error>(&self, size: usize) -> Result<(), E> {
        if let Some(left) = self.left.get().checked_sub(size) {
            self.left.set(left);
            return Ok(());
        }
        self.exceeded.set(true);
        Err(E::custom("too many small values"))
    }
}

/// A deserializer, a visitor or an access of serde's, with the meter that it counts on.
pub(super) struct Metered<'m, T> {
    inner: T,
    meter: &'m Meter,
}

/// Methods whose visitor sees nothing that has parts.
macro_rules! pass_on {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$method(visitor)
        })*
    };
}

/// Methods whose visitor may see parts.
macro_rules! watch {
    ($($method:ident($($name:ident: $type:ty),*))*) => {
        $(fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$method($($name,)* self.meter.metered(visitor))
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Metered<'_, D> {
    type Error = D::Error;

    pass_on! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_u128 deserialize_f32 deserialize_f64 deserialize_char deserialize_str
        deserialize_string deserialize_bytes deserialize_byte_buf deserialize_unit deserialize_identifier
        deserialize_ignored_any
    }

    watch! {
        deserialize_any()
        deserialize_option()
        deserialize_seq()
        deserialize_map()
        deserialize_tuple(length: usize)
        deserialize_tuple_struct(name: &'static str, length: usize)
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_unit_struct(name, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        // How raw values ask for their text.
        if name.starts_with("$serde_json::private::") {
            self.meter.count(RAW)?;
            return self.inner.deserialize_newtype_struct(name, visitor);
        }
        self.inner
            .deserialize_newtype_struct(name, self.meter.metered(visitor))
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! visit {
    ($($method:ident($type:ty))*) => {
        $(fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.inner.$method(value)
        })*
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Metered<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    visit! {
        visit_bool(bool)
        visit_i64(i64)
        visit_i128(i128)
        visit_u64(u64)
        visit_u128(u128)
        visit_f64(f64)
        visit_str(&str)
        visit_borrowed_str(&'de str)
        visit_string(String)
        visit_bytes(&[u8])
        visit_borrowed_bytes(&'de [u8])
        visit_byte_buf(Vec<u8>)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(self.meter.metered(inner))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.inner.visit_newtype_struct(self.meter.metered(inner))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        self.inner.visit_seq(self.meter.metered(inner))
    }

    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(MeteredMap {
            access: self.meter.metered(inner),
            started: false,
        })
    }

    /// An enum has one part, and its size is that of the enum.
    fn visit_enum<A: EnumAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(inner)
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Metered<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(self.meter.metered(deserializer))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Metered<'_, A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, A::Error> {
        let element = self.inner.next_element_seed(self.meter.metered(seed))?;
        if element.is_some() {
            self.meter.count(size_of::<T::Value>())?;
        }
        Ok(element)
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

struct MeteredMap<'m, A> {
    access: Metered<'m, A>,
    started: bool,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for MeteredMap<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        self.access.inner.next_key_seed(seed)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        let Metered { inner, meter } = &mut self.access;
        let size = size_of::<T::Value>();
        if size > FIELD {
            let entries = if self.started { 1 } else { FIRST_ENTRY };
            self.started = true;
            meter.count(size * entries)?;
        }
        inner.next_value_seed(meter.metered(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.access.inner.size_hint()
    }
}
