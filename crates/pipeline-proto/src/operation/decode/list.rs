//! Reading lists, whatever is around them.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// The response to *list*: an array, or leniently an object around exactly one array, or `null`.
///
/// The API page prints an object around a nameless array, which is no JSON; the vendor's SDKs read
/// an array, and one of them knows a class with a member `workflowLists`. A Go service that has no
/// workflow may well write `null`.
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array, or an object with exactly one such array")
            }

            fn visit_unit<E>(self) -> Result<List<T>, E> {
                Ok(List(Vec::new()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<List<T>, A::Error> {
                read_elements(seq).map(List)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<List<T>, A::Error> {
                let mut found = None;
                while map.next_key::<IgnoredAny>()?.is_some() {
                    if let ArrayOrOther::Array(list) = map.next_value()?
                        && found.replace(list).is_some()
                    {
                        return Err(serde::de::Error::custom(
                            "the object has more than one array",
                        ));
                    }
                }
                found
                    .map(List)
                    .ok_or_else(|| serde::de::Error::custom("the object has no array"))
            }
        }

        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}

/// Reads the elements of an array.
///
/// Its length is not known beforehand, and a workflow takes about as much room as its text. Growing
/// by a quarter at a time instead of doubling leaves at most a fifth of the room unused, not half.
fn read_elements<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(
    mut seq: A,
) -> Result<Vec<T>, A::Error> {
    let mut list: Vec<T> = Vec::new();
    while let Some(element) = seq.next_element()? {
        if list.len() == list.capacity() {
            list.reserve_exact(list.len() / 4 + 4);
        }
        list.push(element);
    }
    Ok(list)
}

enum ArrayOrOther<T> {
    Array(Vec<T>),
    Other,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ArrayOrOther<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MemberVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for MemberVisitor<T> {
            type Value = ArrayOrOther<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<ArrayOrOther<T>, A::Error> {
                read_elements(seq).map(ArrayOrOther::Array)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ArrayOrOther<T>, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(ArrayOrOther::Other)
            }

            fn visit_unit<E>(self) -> Result<ArrayOrOther<T>, E> {
                Ok(ArrayOrOther::Other)
            }

            fn visit_bool<E>(self, _: bool) -> Result<ArrayOrOther<T>, E> {
                Ok(ArrayOrOther::Other)
            }

            fn visit_i64<E>(self, _: i64) -> Result<ArrayOrOther<T>, E> {
                Ok(ArrayOrOther::Other)
            }

            fn visit_u64<E>(self, _: u64) -> Result<ArrayOrOther<T>, E> {
                Ok(ArrayOrOther::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<ArrayOrOther<T>, E> {
                Ok(ArrayOrOther::Other)
            }

            fn visit_str<E>(self, _: &str) -> Result<ArrayOrOther<T>, E> {
                Ok(ArrayOrOther::Other)
            }
        }

        deserializer.deserialize_any(MemberVisitor(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Workflow;

    fn names(text: &str) -> Result<Vec<String>, String> {
        serde_json::from_str::<List<Workflow>>(text)
            .map(|list| {
                list.0
                    .into_iter()
                    .map(|workflow| workflow.name.into())
                    .collect()
            })
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_list_is_an_array_or_an_object_around_one() {
        assert_eq!(names(r#"[{"name":"a"},{"name":"b"}]"#).unwrap(), ["a", "b"]);
        assert_eq!(names(r#"{"workflows":[{"name":"a"}]}"#).unwrap(), ["a"]);
        assert_eq!(
            names(r#"{"total":1,"x":null,"y":{"z":[1]},"t":true,"workflowLists":[{"name":"a"}],"s":"","f":1.5,"n":-1}"#)
                .unwrap(),
            ["a"]
        );
        assert!(names("[]").unwrap().is_empty());
        assert!(names("null").unwrap().is_empty());
    }

    #[test]
    fn anything_else_is_no_list() {
        assert!(
            names(r#"{"a":[],"b":[]}"#)
                .unwrap_err()
                .contains("more than one array")
        );
        assert!(names("{}").unwrap_err().contains("no array"));
        assert!(names("[1]").is_err());
        assert!(names("\"x\"").is_err());
    }
}
