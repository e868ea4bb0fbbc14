//! What queries ask of lists: which part of them, in which order.

use std::cmp::Ordering;

use http::StatusCode;
use serde_json::Value;

use super::Members;
use crate::{call::Call, escape::unescaped, refusal::Refusal};

/// A parameter of the query that says something.
pub(crate) fn asked(call: &Call<'_, '_>, name: &str) -> Option<String> {
    let mut pairs = call
        .query
        .split('&')
        .filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(found, value)| *found == name && !value.is_empty())?;
    let value = value.replace('+', " ");
    Some(String::from_utf8_lossy(&unescaped(value.as_bytes())?).into_owned())
}

/// A number in the query.
pub(super) fn number(call: &Call<'_, '_>, name: &str) -> Result<Option<i64>, Refusal> {
    let Some(text) = asked(call, name) else {
        return Ok(None);
    };
    let number = text
        .parse()
        .map_err(|_| bad(format!("{name} is a number, not {text:?}")));
    number.map(Some)
}

/// Whether one of the names that a parameter has, with commas between, is this one; true without it.
pub(super) fn is_among(call: &Call<'_, '_>, parameter: &str, name: &str) -> bool {
    asked(call, parameter).is_none_or(|names| names.split(',').any(|one| one.trim() == name))
}

/// Puts a list in order.
pub(super) fn sort(list: &mut [Members], column: &str, descending: bool) -> Result<(), Refusal> {
    if let Some(one) = list.first().filter(|one| !one.contains_key(column)) {
        let known: Vec<&str> = one.keys().map(String::as_str).collect();
        return Err(bad(format!(
            "there is no {column:?} to sort by, only {}",
            known.join(", ")
        )));
    }
    list.sort_by(|a, b| {
        let order = compare(a.get(column), b.get(column));
        if descending { order.reverse() } else { order }
    });
    Ok(())
}

fn compare(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    let number = |value: Option<&Value>| value.and_then(Value::as_i64);
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    (number(a), text(a)).cmp(&(number(b), text(b)))
}

/// A part of a list: so many, from this one on, the first being 1. Without both, all of it.
pub(super) fn part(list: Vec<Members>, from: Option<i64>, size: Option<i64>) -> Vec<Members> {
    let at_least =
        |number: Option<i64>| usize::try_from(number.unwrap_or_default()).unwrap_or_default();
    let (from, size) = (at_least(from), at_least(size));
    let size = if size == 0 { usize::MAX } else { size };
    list.into_iter()
        .skip(from.saturating_sub(1))
        .take(size)
        .collect()
}

fn bad(message: String) -> Refusal {
    Refusal::plain(StatusCode::BAD_REQUEST, message)
}
