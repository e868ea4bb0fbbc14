//! Readers of responses, which a row of a table names after its output.

use std::{borrow::Cow, fmt, marker::PhantomData};

use bytes::Bytes;
use http::Response;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor,
};

use super::{decode::decode_seed, decode_json, decode_nothing};
use crate::{
    error::DecodeError,
    name::{Kind, Name},
};

/// Applies a reader. A function, so that the compiler shows a reader of a wrong type where the row
/// names it.
pub(crate) fn read<O, T>(
    operation: &O,
    response: &Response<Bytes>,
    reader: impl FnOnce(&O, &Response<Bytes>) -> Result<T, DecodeError>,
) -> Result<T, DecodeError> {
    reader(operation, response)
}

/// Completes an output from its operation. A function, so that a closure in a row needs no types.
pub(crate) fn complete<O, T>(
    operation: &O,
    mut output: T,
    f: impl FnOnce(&O, &mut T) -> Result<(), DecodeError>,
) -> Result<T, DecodeError> {
    f(operation, &mut output)?;
    Ok(output)
}

/// Gives what is shown the name that it was asked for by. What shows another name is the response to another
/// request: a transport, or something on the way, has mixed up two of them.
pub(crate) fn named<K: Kind, S>(asked: &Name<K>, shown: &mut S) -> Result<(), DecodeError>
where
    S: AsRef<str> + for<'a> From<&'a str>,
{
    let (asked, found) = (asked.as_str(), (*shown).as_ref());
    if found.is_empty() {
        *shown = asked.into();
    } else if !found.eq_ignore_ascii_case(asked) {
        return Err(DecodeError::custom(format!(
            "it answers another request: it shows {found:?}, and {asked:?} was asked for"
        )));
    }
    Ok(())
}

/// A JSON body is the output.
pub(crate) fn json<O, T: DeserializeOwned>(
    _: &O,
    response: &Response<Bytes>,
) -> Result<T, DecodeError> {
    decode_json(response)
}

/// Nothing is expected.
pub(crate) fn nothing<O>(_: &O, response: &Response<Bytes>) -> Result<(), DecodeError> {
    decode_nothing(response)
}

/// One member of a JSON object is the output: `{"repos":[…]}`. A list that is `null` is empty.
pub(crate) fn member<O, T: DeserializeOwned + Default>(
    name: &'static str,
) -> impl FnOnce(&O, &Response<Bytes>) -> Result<T, DecodeError> {
    move |_, response| decode_seed(Member(name, PhantomData), response)
}

struct Member<T>(&'static str, PhantomData<T>);

impl<T> Clone for Member<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Member<T> {}

impl<'de, T: DeserializeOwned + Default> DeserializeSeed<'de> for Member<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: DeserializeOwned + Default> Visitor<'de> for Member<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with a member {:?}", self.0)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            if key == self.0 && found.is_none() {
                found = Some(map.next_value::<Option<T>>()?.unwrap_or_default());
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        found.ok_or_else(|| A::Error::missing_field(self.0))
    }
}
