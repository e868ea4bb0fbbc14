//! Points against the schema of their queue.

use core::net::IpAddr;

use pipeline_proto::{ErrorCode, model::Timestamp};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use crate::{item::Members, refusal::Refusal};

/// A line of a push.
pub(super) struct Line<'a> {
    /// From 1.
    pub(super) number: usize,
    pub(super) text: &'a str,
}

impl Line<'_> {
    /// The point with those of the tags that are fields of the schema and that it does not have itself, if it fits
    /// the schema. A refusal tells the place.
    pub(super) fn check(&self, repo: &Members, tags: Option<&str>) -> Result<String, Refusal> {
        let mut keys: Vec<&str> = Vec::new();
        let mut point = self.text.to_owned();
        for field in self.text.split('\t') {
            let (key, value) = match field.split_once('=') {
                Some((key, value)) if !key.is_empty() => (key, value),
                _ => {
                    let detail = format!("{:?} is no key=value", excerpt(field));
                    return self.refuse(ErrorCode::MALFORMED_ENTITY, &detail);
                }
            };
            if keys.contains(&key) {
                let detail = format!("the field {key:?} is there twice");
                return self.refuse(ErrorCode::INVALID_DATE_OR_DUPLICATE_FIELD, &detail);
            }
            let Some(entry) = entry(repo.get("schema"), key) else {
                let detail = format!("no such field key {:?}", excerpt(key));
                return self.refuse(ErrorCode::FIELD_NOT_FOUND, &detail);
            };
            self.check_value(entry, key, value)?;
            keys.push(key);
        }
        for (key, value) in tags.into_iter().flat_map(fields) {
            if let Some(entry) = entry(repo.get("schema"), key)
                && !keys.contains(&key)
            {
                self.check_value(entry, key, value)?;
                point.extend(["\t", key, "=", value]);
                keys.push(key);
            }
        }
        match missing(repo.get("schema"), |key| keys.contains(&key)) {
            Some(key) => {
                let detail = format!("the field {key:?} is required");
                self.refuse(ErrorCode::INVALID_FIELD_FORMAT, &detail)
            }
            None => Ok(point),
        }
    }

    fn check_value(&self, entry: &Members, key: &str, value: &str) -> Result<(), Refusal> {
        if text_fits(entry, value) {
            return Ok(());
        }
        let detail = format!(
            "the field {key:?} is no {}: {:?}",
            valtype(entry),
            excerpt(value)
        );
        self.refuse(ErrorCode::INVALID_FIELD_FORMAT, &detail)
    }

    fn refuse<T>(&self, code: ErrorCode, detail: &str) -> Result<T, Refusal> {
        Err(Refusal::code(
            code,
            format!("line {}: {detail}", self.number),
        ))
    }
}

/// Enough of a text to recognise it.
fn excerpt(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

fn fields(point: &str) -> impl Iterator<Item = (&str, &str)> {
    point.split('\t').filter_map(|field| field.split_once('='))
}

fn entries(schema: Option<&Value>) -> impl Iterator<Item = &Members> {
    let entries = schema.and_then(Value::as_array);
    entries.into_iter().flatten().filter_map(Value::as_object)
}

pub(crate) fn entry<'a>(schema: Option<&'a Value>, key: &str) -> Option<&'a Members> {
    entries(schema).find(|entry| member(entry, "key") == key)
}

fn member<'a>(entry: &'a Members, name: &str) -> &'a str {
    entry.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn valtype(entry: &Members) -> &str {
    member(entry, "valtype")
}

/// A field that has to be there and is not.
fn missing(schema: Option<&Value>, has: impl Fn(&str) -> bool) -> Option<&str> {
    let required = |entry: &&Members| entry.get("required") == Some(&Value::Bool(true));
    let mut keys = entries(schema)
        .filter(required)
        .map(|entry| member(entry, "key"));
    keys.find(|key| !has(key))
}

fn is_date(text: &str) -> bool {
    text.get(10..11) == Some("T") && Timestamp::from(text).to_system_time().is_some()
}

/// Whether a value as it stands in a point is one of its type.
fn text_fits(entry: &Members, text: &str) -> bool {
    match valtype(entry) {
        "long" => !text.starts_with('+') && text.parse::<i64>().is_ok(),
        "float" => text.parse().is_ok_and(f64::is_finite),
        "boolean" => matches!(text, "true" | "false"),
        "date" => is_date(text),
        "ip" => text.parse::<IpAddr>().is_ok(),
        "jsonstring" => serde_json::from_str::<IgnoredAny>(text).is_ok(),
        "array" | "map" => {
            serde_json::from_str(text).is_ok_and(|value: Value| value_fits(entry, &value))
        }
        _ => true,
    }
}

/// Whether a value inside of an array or a map is one of its type.
pub(crate) fn value_fits(entry: &Members, value: &Value) -> bool {
    match (valtype(entry), value) {
        ("long", value) => value.is_i64(),
        ("float", value) => value.is_number(),
        ("boolean", value) => value.is_boolean(),
        ("array", Value::Array(elements)) => {
            let element =
                Map::from_iter([("valtype".to_owned(), member(entry, "elemtype").into())]);
            elements.iter().all(|value| value_fits(&element, value))
        }
        ("map", Value::Object(members)) => map_fits(entry.get("schema"), members),
        ("string", value) => value.is_string(),
        ("date" | "ip", Value::String(text)) => text_fits(entry, text),
        ("array" | "map" | "date" | "ip", _) => false,
        _ => true,
    }
}

/// A map whose fields are not declared may have any.
fn map_fits(schema: Option<&Value>, members: &Map<String, Value>) -> bool {
    if schema.is_none_or(Value::is_null) {
        return true;
    }
    let fits = |(key, value): (&String, &Value)| {
        value.is_null() || entry(schema, key).is_some_and(|entry| value_fits(entry, value))
    };
    let has = |key: &str| members.get(key).is_some_and(|value| !value.is_null());
    members.iter().all(fits) && missing(schema, has).is_none()
}

/// A point as a sample shows it, by the schema that its queue has now.
pub(super) fn record(repo: &Members, point: &str) -> Value {
    let unescape = repo
        .get("options")
        .and_then(|options| options.get("unescapeLine"));
    let unescape = unescape == Some(&Value::Bool(true));
    let value = |key: &str, text: &str| {
        let valtype = entry(repo.get("schema"), key).map_or("", valtype);
        match (valtype, serde_json::from_str(text)) {
            ("long" | "float" | "boolean" | "array" | "map", Ok(value)) => value,
            _ if unescape => text.replace("\\t", "\t").replace("\\n", "\n").into(),
            _ => Value::from(text),
        }
    };
    fields(point)
        .map(|(key, text)| (key.to_owned(), value(key, text)))
        .collect::<Map<_, _>>()
        .into()
}
