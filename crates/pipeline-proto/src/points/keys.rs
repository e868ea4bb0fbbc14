//! Keys of records made names of fields.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    error::PointError,
    json::{no_object, push_text},
    scan,
};
use crate::name::{Kind as _, kind};

/// What stands for an empty key, as in the vendor's clients.
const EMPTY: &str = "KEmptyPandoraAutoAdd";

/// A JSON object whose keys can be the names of fields: as it is, or with others in place of those that cannot.
///
/// Only ASCII letters and digits stay; a run of anything else becomes one underscore, and nothing at the beginning. Before a
/// digit at the beginning comes a `K`. Keys are cut at the longest length of names. A key that is there already, as it is or
/// made so, gets a number: `a.b` and `a-b` become `a_b` and `a_b_2`. Keys inside of values stay as they are.
///
/// ```
/// use pipeline_proto::points::clean_keys;
///
/// let line = r#"{"a-b":1,"a_b":2,"1st":3,"@timestamp":4,"":{"x-y":5}}"#;
/// let clean = r#"{"a_b_2":1,"a_b":2,"K1st":3,"timestamp":4,"KEmptyPandoraAutoAdd":{"x-y":5}}"#;
/// assert_eq!(clean_keys(line)?, clean);
/// # Ok::<(), pipeline_proto::points::PointError>(())
/// ```
///
/// # Errors
///
/// If it is no JSON object.
pub fn clean_keys(line: &str) -> Result<Cow<'_, str>, PointError> {
    let mut all_fit = true;
    let read = scan::members(line, |key, _| {
        all_fit &= key.with_text(|key| kind::Field::RULE.allows(key));
        Some(())
    });
    read.ok_or_else(|| no_object(line))?;
    if all_fit {
        return Ok(line.into());
    }
    let mut taken = BTreeSet::new();
    scan::members(line, |key, _| {
        if key.with_text(|key| kind::Field::RULE.allows(key)) {
            taken.insert(key.with_text(str::to_owned));
        }
        Some(())
    });
    let renamed = rewritten(line, |key, out| {
        if kind::Field::RULE.allows(key) {
            return push_text(out, key);
        }
        let name = free(&clean(key), &taken);
        push_text(out, &name);
        taken.insert(name);
    });
    Ok(renamed.into())
}

/// A JSON object whose keys have other names, where there are some for them: what
/// [`Encoder::rename`](super::Encoder::rename) does to points.
///
/// # Errors
///
/// If it is no JSON object.
pub fn rename_keys<'a>(
    line: &'a str,
    names: &BTreeMap<String, String>,
) -> Result<Cow<'a, str>, PointError> {
    if names.is_empty() {
        return Ok(line.into());
    }
    scan::members(line, |_, _| Some(())).ok_or_else(|| no_object(line))?;
    let renamed = rewritten(line, |key, out| {
        push_text(out, names.get(key).map_or(key, String::as_str));
    });
    Ok(renamed.into())
}

/// A JSON object with other keys.
fn rewritten(line: &str, mut push_key: impl FnMut(&str, &mut Vec<u8>)) -> String {
    let mut out = b"{".to_vec();
    scan::members(line, |key, value| {
        if out.len() > 1 {
            out.push(b',');
        }
        key.with_text(|key| push_key(key, &mut out));
        out.push(b':');
        value.push_json(&mut out);
        Some(())
    });
    out.push(b'}');
    String::from_utf8_lossy(&out).into_owned()
}

fn longest() -> usize {
    *kind::Field::RULE.lengths().end()
}

/// The key as a name, which another may have as well.
fn clean(key: &str) -> String {
    if key.is_empty() {
        return EMPTY.to_owned();
    }
    let mut name = String::with_capacity(key.len());
    let mut is_gap = false;
    for char in key.chars() {
        if char.is_ascii_alphanumeric() || (char == '_' && !name.is_empty()) {
            if is_gap {
                name.push('_');
            } else if name.is_empty() && char.is_ascii_digit() {
                name.push('K');
            }
            name.push(char);
            is_gap = false;
        } else {
            is_gap = !name.is_empty();
        }
    }
    if is_gap {
        name.push('_');
    }
    if name.is_empty() {
        name.push_str("Key");
    }
    name.truncate(longest());
    name
}

/// The name, with a number behind it if it is taken.
fn free(name: &str, taken: &BTreeSet<String>) -> String {
    let mut free = name.to_owned();
    let mut number = 2;
    while taken.contains(&free) {
        let suffix = format!("_{number}");
        let kept = name.len().min(longest() - suffix.len());
        free = format!("{}{suffix}", &name[..kept]);
        number += 1;
    }
    free
}
