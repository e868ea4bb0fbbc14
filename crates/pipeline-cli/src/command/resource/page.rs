//! A resource as people read it: what it says of itself, then tables of what it has several of.

use std::fmt::Write as _;

use anstyle::Style;
use pipeline_proto::resource::schema::SchemaEntry;
use serde_json::{Map, Value};

use super::{Item, key};
use crate::output::{Cell, Table, plain};

/// A value on one line.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Object(members) => match (
            members.get("name"),
            members.get("type"),
            members.get("count"),
        ) {
            (Some(name), ..) => text(name),
            (None, Some(kind), Some(count)) => {
                if count == 1 {
                    text(kind)
                } else {
                    format!("{}x{}", text(kind), text(count))
                }
            }
            _ => value.to_string(),
        },
    }
}

pub(super) fn page(item: &Item) -> String {
    let names = key::path(item.resource).iter().zip(&item.names.0);
    let mut facts = Table::of_pairs();
    for (info, name) in names {
        facts.pair(label(info.key), Cell::from(name));
    }
    let mut page = String::new();
    // What it is was typed.
    let known =
        |name: &str| name == "kind" || key::path(item.resource).iter().any(|info| info.key == name);
    let members = item.members().iter().filter(|(name, _)| !known(name));
    part(members, facts, &mut page);
    page
}

/// The facts of an object, then a part for each member that is more than a fact.
fn part<'a>(
    members: impl Iterator<Item = (&'a String, &'a Value)>,
    mut facts: Table,
    page: &mut String,
) {
    let mut parts = Vec::new();
    for (name, value) in members {
        let is_part = match value {
            Value::String(text) => name == "code" || text.contains('\n'),
            Value::Object(inside) => !inside.is_empty() && !inside.contains_key("count"),
            Value::Array(list) => list.iter().any(Value::is_object),
            _ => false,
        };
        let said = text(value);
        if is_part {
            parts.push((name, value));
        } else if !said.is_empty() && said != "{}" {
            facts.pair(label(name), Cell::from(said));
        }
    }
    page.push_str(&facts.render());
    for (name, value) in parts {
        let bold = Style::new().bold();
        let gap = if page.is_empty() { "" } else { "\n" };
        // Writing to a string cannot fail.
        let _ = writeln!(page, "{gap}{bold}{}{bold:#}", plain(&label(name)));
        match value {
            Value::String(code) => {
                for line in code.lines() {
                    let _ = writeln!(page, "  {}", plain(line));
                }
            }
            Value::Array(list) => page.push_str(&several(list)),
            Value::Object(inside) if is_mapping(inside) => page.push_str(&mapping(inside)),
            Value::Object(inside) => part(inside.iter(), Table::of_pairs(), page),
            _ => {}
        }
    }
}

/// Where each field goes.
fn is_mapping(members: &Map<String, Value>) -> bool {
    let mut values = members.values();
    values.any(|value| value.as_str().is_some_and(|text| text.starts_with('#')))
}

fn mapping(members: &Map<String, Value>) -> String {
    let mut table = Table::new(&["FIELD", "FROM"]);
    for (name, value) in members {
        table.row([Cell::from(name), Cell::from(text(value))]);
    }
    table.render()
}

/// A table of objects. Fields of a schema are shown as they are written in its short form.
pub(super) fn several(list: &[Value]) -> String {
    let fields: Result<Vec<SchemaEntry>, _> =
        list.iter().cloned().map(serde_json::from_value).collect();
    if let Some(fields) = fields
        .ok()
        .filter(|fields| fields.iter().all(|field| !field.key.is_empty()))
    {
        let mut table = Table::new(&["FIELD", "TYPE", "REQUIRED", "ABOUT"]);
        for mut field in fields {
            let required = if field.required == Some(true) {
                "yes"
            } else {
                "no"
            };
            let key = std::mem::take(&mut field.key);
            field.required = None;
            table.row([
                Cell::from(key),
                Cell::from(field.to_string().trim()),
                Cell::from(required),
                Cell::from(field.description.unwrap_or_default()),
            ]);
        }
        return table.render();
    }
    let mut names: Vec<&str> = Vec::new();
    for name in list.iter().filter_map(Value::as_object).flat_map(Map::keys) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    // What it is called comes first; JSON has them by the alphabet.
    let is_name = |name: &str| name == "runId" || name.to_lowercase().ends_with("name");
    names.sort_by_key(|name| !is_name(name));
    let mut table = Table::new(
        &names
            .iter()
            .map(|name| label(name).to_uppercase())
            .collect::<Vec<_>>(),
    );
    for element in list {
        let cell = |name: &&str| Cell::from(text(element.get(*name).unwrap_or(&Value::Null)));
        table.row(names.iter().map(cell));
    }
    table.render()
}

/// The name of a member in words: `derivedFrom` is "Derived from".
fn label(name: &str) -> String {
    let mut words = String::new();
    for (at, c) in name.char_indices() {
        match c {
            _ if at == 0 => words.extend(c.to_uppercase()),
            '_' | '-' => words.push(' '),
            c if c.is_ascii_uppercase()
                && !name[..at].ends_with(|c: char| c.is_ascii_uppercase()) =>
            {
                words.push(' ');
                words.push(c.to_ascii_lowercase());
            }
            c => words.push(c),
        }
    }
    words
}
