//! How models meet JSON: leniently on the way in, without losing what they do not know.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::describe::{Described, Shape};

/// A piece of JSON kept as the text it came in, byte for byte.
///
/// Equality is that of the text. `Debug` shows the size only, because node data may hold secrets.
///
/// ```
/// use pipeline_proto::model::RawJson;
///
/// let raw: RawJson = r#"{"b": 1, "a": 1e2}"#.parse()?;
/// assert_eq!(raw.get(), r#"{"b": 1, "a": 1e2}"#);
/// assert_eq!(format!("{raw:?}"), "RawJson(18 bytes)");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone)]
pub struct RawJson(Box<RawValue>);

impl RawJson {
    /// The text.
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// Reads the text as a value of some type.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.get())
    }

    /// Writes a value as JSON text.
    pub fn from_value<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        serde_json::value::to_raw_value(value).map(Self)
    }
}

impl std::str::FromStr for RawJson {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_str(text).map(Self)
    }
}

impl PartialEq for RawJson {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Eq for RawJson {}

impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawJson({} bytes)", self.get().len())
    }
}

impl Described for RawJson {
    const SHAPE: Shape = Shape::Any;
}

impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RawJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self)
    }
}

/// The members of a JSON object that its model does not know, in the order they came in.
///
/// They are written out again after the known ones, so that an older client does not strip what a
/// newer service says.
///
/// ```
/// use pipeline_proto::model::Workflow;
///
/// let workflow: Workflow = serde_json::from_str(r#"{"name":"logs","tier":{"level":3}}"#)?;
/// assert_eq!(workflow.extra.get("tier").map(|value| value.get()), Some(r#"{"level":3}"#));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Extra(Vec<(Box<str>, RawJson)>);

impl Extra {
    /// The value of a member.
    pub fn get(&self, name: &str) -> Option<&RawJson> {
        self.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// Whether there is no such member.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All members in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawJson)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// Sets a member; one of the same name is replaced. To set many, collect them.
    pub fn insert(&mut self, name: impl Into<Box<str>>, value: RawJson) {
        let name = name.into();
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }
}

impl FromIterator<(Box<str>, RawJson)> for Extra {
    /// Of a name that comes more than once, the last value counts, in the place of the first.
    fn from_iter<I: IntoIterator<Item = (Box<str>, RawJson)>>(members: I) -> Self {
        let mut unknown = Unknown::default();
        for (name, value) in members {
            unknown.insert(name, value);
        }
        unknown.into()
    }
}

/// The members of an [`Extra`] as they are read, repeated names included.
#[derive(Default)]
pub(crate) struct Unknown(Vec<(Box<str>, RawJson)>);

impl Unknown {
    pub(crate) fn insert(&mut self, name: Box<str>, value: RawJson) {
        self.0.push((name, value));
    }
}

impl From<Unknown> for Extra {
    fn from(Unknown(mut members): Unknown) -> Self {
        // Sorted once: to look for each name among those that came before would take an object of a
        // hundred thousand members minutes. Stable, so that places of one name stay in order.
        let mut places: Vec<usize> = (0..members.len()).collect();
        places.sort_by(|a, b| members[*a].0.cmp(&members[*b].0));
        let mut repeated: Vec<usize> = Vec::new();
        let mut first = 0;
        for at in 1..places.len() {
            let (kept, next) = (places[first], places[at]);
            if members[kept].0 == members[next].0 {
                members.swap(kept, next);
                repeated.push(next);
            } else {
                first = at;
            }
        }
        if !repeated.is_empty() {
            repeated.sort_unstable();
            let mut place = 0..;
            members.retain(|_| {
                place
                    .next()
                    .is_some_and(|at| repeated.binary_search(&at).is_err())
            });
        }
        members.shrink_to_fit();
        Self(members)
    }
}

impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// A field of a model.
pub(crate) trait Member: Sized {
    /// Whether it holds nothing that needs to be written.
    fn is_absent(&self) -> bool;

    /// As it is kept once it is read.
    fn settled(self) -> Self {
        self
    }
}

impl<T> Member for Option<T> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T> Member for Vec<T> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    /// Without room for more. Most nodes have one neighbour at each side, and the smallest room that
    /// a growing list takes is for four: a third of the heap of a large workflow.
    fn settled(mut self) -> Self {
        self.shrink_to_fit();
        self
    }
}

impl<T> Member for BTreeMap<String, T> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl Member for serde_json::Map<String, serde_json::Value> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl Member for i64 {
    fn is_absent(&self) -> bool {
        false
    }
}

impl<K> Member for crate::name::ShownName<K> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl Member for String {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

/// Declares a model of a JSON object: fields with their member names, plus [`Extra`].
///
/// Reading: members in any order, a missing one or `null` gives the default, of a repeated one the
/// last counts (as in Go), unknown ones go to `extra`. Writing: fields in the order of the
/// declaration, absent ones left out, then `extra`. A hand-made visitor, because serde's `flatten`
/// buffers the whole object and cannot carry raw JSON.
macro_rules! object {
    ($($declaration:tt)*) => {
        $crate::model::json::silent_object! { #[derive(Debug)] $($declaration)* }
    };
}

/// Reads an object, and a string only where one may stand for it: to be ready for anything is three times the code, in
/// every model, which was an eighth of the crate.
macro_rules! read_object {
    ($deserializer:ident, $visitor:ident) => {
        $deserializer.deserialize_map($visitor)
    };
    ($deserializer:ident, $visitor:ident, $string_field:ident) => {
        $deserializer.deserialize_any($visitor)
    };
}

/// The same without `Debug`, for what may hold secrets.
macro_rules! silent_object {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $( $(#[$field_meta:meta])* $json:literal => $field:ident: $type:ty, )*
        }
        $( or a string, taken as $string_field:ident )?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Default, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $( $(#[$field_meta])* pub $field: $type, )*
            /// Members that this version does not know.
            pub extra: $crate::model::Extra,
        }

        const _: () = {
            #[allow(non_camel_case_types)]
            enum Key {
                $( $field, )*
                Unknown(Box<str>),
            }

            impl<'de> ::serde::Deserialize<'de> for Key {
                fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    struct KeyVisitor;
                    impl ::serde::de::Visitor<'_> for KeyVisitor {
                        type Value = Key;
                        fn expecting(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                            f.write_str("the name of a member")
                        }
                        fn visit_str<E>(self, text: &str) -> Result<Key, E> {
                            Ok(match text {
                                $( $json => Key::$field, )*
                                other => Key::Unknown(other.into()),
                            })
                        }
                    }
                    deserializer.deserialize_identifier(KeyVisitor)
                }
            }

            impl<'de> ::serde::Deserialize<'de> for $name {
                fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    struct ObjectVisitor;
                    impl<'de> ::serde::de::Visitor<'de> for ObjectVisitor {
                        type Value = $name;
                        fn expecting(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                            f.write_str(concat!("a JSON object (", stringify!($name), ")"))
                        }
                        $(
                            fn visit_str<E>(self, text: &str) -> Result<$name, E> {
                                Ok($name { $string_field: text.into(), ..$name::default() })
                            }
                        )?
                        fn visit_map<A: ::serde::de::MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                            use $crate::model::json::Member as _;
                            let mut object = $name::default();
                            let mut unknown = $crate::model::json::Unknown::default();
                            while let Some(next) = map.next_key::<Key>()? {
                                match next {
                                    $( Key::$field => object.$field = map.next_value::<Option<$type>>()?.unwrap_or_default().settled(), )*
                                    Key::Unknown(name) => unknown.insert(name, map.next_value()?),
                                }
                            }
                            object.extra = unknown.into();
                            Ok(object)
                        }
                    }
                    $crate::model::json::read_object!(deserializer, ObjectVisitor $(, $string_field)?)
                }
            }

            impl ::serde::Serialize for $name {
                fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    use ::serde::ser::SerializeMap as _;
                    use $crate::model::json::Member as _;
                    let mut map = serializer.serialize_map(None)?;
                    $( if !self.$field.is_absent() {
                        map.serialize_entry($json, &self.$field)?;
                    } )*
                    for (name, value) in self.extra.iter() {
                        map.serialize_entry(name, value)?;
                    }
                    map.end()
                }
            }
        };
    };
}

/// Declares an open set of strings: the known ones as variants, all others kept in `Other`.
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $( $(#[$variant_meta:meta])* $variant:ident = $text:literal, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $( $(#[$variant_meta])* $variant, )*
            /// A string that this version does not know. Made by `From` only, so that no known
            /// string can hide in it; the empty string stands for a member that was missing.
            #[non_exhaustive]
            Other(Box<str>),
        }

        impl $name {
            /// The known values, in the order of the declaration.
            pub const KNOWN: &'static [Self] = &[$( Self::$variant, )*];

            /// The string on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $( Self::$variant => $text, )*
                    Self::Other(text) => text,
                }
            }

            fn known(text: &str) -> Option<Self> {
                match text {
                    $( $text => Some(Self::$variant), )*
                    _ => None,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::known(text).unwrap_or_else(|| Self::Other(text.into()))
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::known(&text).unwrap_or_else(|| Self::Other(text.into()))
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = ::std::convert::Infallible;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(Self::from(text))
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::from("")
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Debug::fmt(self.as_str(), f)
            }
        }

        impl $crate::describe::Described for $name {
            const SHAPE: $crate::describe::Shape =
                $crate::describe::Shape::Word(&[$( $text, )*]);
        }

        impl $crate::model::json::Member for $name {
            fn is_absent(&self) -> bool {
                self.as_str().is_empty()
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct TextVisitor;
                impl ::serde::de::Visitor<'_> for TextVisitor {
                    type Value = $name;
                    fn expecting(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                        f.write_str("a string")
                    }
                    fn visit_str<E>(self, text: &str) -> Result<$name, E> {
                        Ok($name::from(text))
                    }
                }
                deserializer.deserialize_str(TextVisitor)
            }
        }
    };
}

pub(crate) use {object, open_enum, read_object, silent_object};
