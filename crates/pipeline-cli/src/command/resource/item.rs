//! Resources as the service shows them.

use clap::ArgMatches;
use pipeline_proto::model::RawJson;
use serde::{Serialize, Serializer, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{Names, Resource, key, page};
use crate::{
    exit::Exit,
    failure::Failure,
    lang::pick,
    options::Global,
    output::{Cell, Show, Table, members, note, object},
};

#[derive(Debug, Clone)]
/// A resource: its JSON as it came, behind the names that it does not say itself.
pub(in crate::command) struct Item {
    pub(super) resource: &'static Resource,
    pub(in crate::command) names: Names,
    json: RawJson,
    value: Map<String, Value>,
    word: String,
}

impl Item {
    pub(super) fn new(
        resource: &'static Resource,
        key: Names,
        json: &RawJson,
    ) -> Result<Self, Failure> {
        Self::of(resource, key, json, |_, _| true)
    }

    /// As the service shows it, but for what it says of members that nobody has set: `""` and `null`. A member that
    /// every such resource has may be empty, as a variable's value. A type of the core knows itself what to leave out.
    pub(super) fn shown(
        resource: &'static Resource,
        key: Names,
        json: &RawJson,
    ) -> Result<Self, Failure> {
        let body = resource.body.map(|body| body());
        let member = |name: &str| body.and_then(|body| body.member(name));
        Self::of(resource, key, json, |name, value| {
            let is_set = !["\"\"", "null"].contains(&value) || resource.typed.is_some();
            is_set || member(name).is_some_and(|member| member.required)
        })
    }

    fn of(
        resource: &'static Resource,
        key: Names,
        json: &RawJson,
        is_kept: impl Fn(&str, &str) -> bool,
    ) -> Result<Self, Failure> {
        let wrong = || Failure::new(Exit::Service, "the service shows no object").about(&key);
        let told = members(json.get()).ok_or_else(wrong)?.into_iter();
        let told = told.map(|(name, value)| (name, value.get()));
        let told: Vec<_> = told.filter(|(name, value)| is_kept(name, value)).collect();
        let is_told = |key| {
            told.iter()
                .any(|(name, value)| name == key && *value != "null")
        };
        let names = key::path(resource).iter().zip(&key.0);
        let names = names.filter(|(info, name)| !name.is_empty() && !is_told(info.key));
        let names = names.map(|(info, name)| (info.key, name.as_str()));
        // For `apply`, which takes resources of all kinds but workflows.
        let kind = ("kind", resource.word);
        let kind = Some(kind).filter(|_| resource.typed.is_none() && !is_told("kind"));
        let more = kind.into_iter().chain(names);
        let more: Vec<_> = more
            .map(|(name, text)| (name, Value::from(text).to_string()))
            .collect();
        let more = more.iter().map(|(name, text)| (*name, text.as_str()));
        let all = more.chain(told.iter().map(|(name, value)| (name.as_str(), *value)));
        let json = object(all).parse().map_err(|_| wrong())?;
        let read = |(name, value)| (name, serde_json::from_str(value).unwrap_or_default());
        Ok(Self {
            resource,
            value: told.into_iter().map(read).collect(),
            json,
            word: key.to_string(),
            names: key,
        })
    }

    /// Without its secrets, unless they were asked for.
    pub(super) fn discreet(self, matches: &ArgMatches) -> Self {
        if matches.get_flag("with-secrets") {
            self
        } else {
            self.hidden()
        }
    }

    /// Without its secrets.
    pub(super) fn hidden(mut self) -> Self {
        self.json = (self.resource.hide)(&self.json);
        self.value = self.json.parse().unwrap_or_default();
        self
    }

    pub(super) fn members(&self) -> &Map<String, Value> {
        &self.value
    }

    /// Its own name, as selectors ask for it.
    pub(super) fn name(&self) -> &str {
        self.names.0.last().map_or("", String::as_str)
    }

    /// The text of a member; empty if it has none.
    pub(in crate::command) fn text(&self, member: &str) -> &str {
        self.value
            .get(member)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// The member at the end of a path with dots; `null` if there is none.
    pub(super) fn member(&self, path: &str) -> &Value {
        member(&self.value, path)
    }

    /// It as a type of the core.
    pub(in crate::command) fn typed<T: DeserializeOwned + Default>(&self) -> T {
        self.json.parse().unwrap_or_default()
    }
}

/// A column of the table that a list is shown as: a member, at the end of a path with dots.
pub(in crate::command) struct Column {
    heading: &'static str,
    member: &'static str,
    cell: fn(&Value) -> Cell,
    /// Shown by `-o wide` only.
    wide: bool,
}

impl Column {
    pub(in crate::command) const fn new(heading: &'static str, member: &'static str) -> Self {
        Self {
            heading,
            member,
            cell: |value| Cell::from(page::text(value)),
            wide: false,
        }
    }

    pub(in crate::command) const fn shown(mut self, cell: fn(&Value) -> Cell) -> Self {
        self.cell = cell;
        self
    }

    pub(in crate::command) const fn wide(mut self) -> Self {
        self.wide = true;
        self
    }
}

pub(super) fn member<'a>(value: &'a Map<String, Value>, path: &str) -> &'a Value {
    let (first, rest) = path
        .split_once('.')
        .map_or((path, None), |(first, rest)| (first, Some(rest)));
    match (value.get(first), rest) {
        (Some(Value::Object(inside)), Some(rest)) => member(inside, rest),
        (Some(value), None) => value,
        _ => &Value::Null,
    }
}

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

impl Show for Item {
    fn names(&self) -> Vec<&str> {
        vec![&self.word]
    }

    fn table(&self) -> String {
        (self.resource.page)(self, false)
    }

    fn wide(&self) -> String {
        (self.resource.page)(self, true)
    }
}

/// What a list shows.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct Items(pub(super) Vec<Item>);

impl Show for Items {
    fn names(&self) -> Vec<&str> {
        self.0.iter().flat_map(Item::names).collect()
    }

    fn table(&self) -> String {
        self.columns(false)
    }

    fn wide(&self) -> String {
        self.columns(true)
    }
}

impl Items {
    fn columns(&self, wide: bool) -> String {
        let Some(first) = self.0.first() else {
            return String::new();
        };
        let columns = || {
            let columns = first.resource.columns.iter();
            columns.filter(move |column| wide || !column.wide)
        };
        let names = key::path(first.resource).iter();
        let names = names.map(|info| key::heading(info.key));
        let headings: Vec<&str> = names.chain(columns().map(|it| it.heading)).collect();
        let mut table = Table::new(&headings);
        for item in &self.0 {
            let names = item.names.0.iter().map(Cell::from);
            let cells = columns().map(|column| (column.cell)(item.member(column.member)));
            table.row(names.chain(cells));
        }
        table.render()
    }
}

/// Things of which the service has a list, and which are nothing by themselves.
#[derive(Serialize)]
#[serde(transparent)]
pub(in crate::command) struct Rows {
    rows: Vec<Value>,
    #[serde(skip)]
    names: Vec<String>,
}

impl Rows {
    pub(in crate::command) fn write<T: Serialize>(
        list: &[T],
        global: &Global,
    ) -> Result<Exit, Failure> {
        if list.is_empty() {
            note(pick("there is nothing to show", "没有可显示的内容"));
        }
        let rows: Result<Vec<Value>, _> = list.iter().map(serde_json::to_value).collect();
        let rows = rows.map_err(Failure::usage)?;
        let names = rows.iter().filter_map(name).collect();
        global.format().write(&Self { rows, names })?;
        Ok(Exit::Done)
    }
}

impl Show for Rows {
    fn names(&self) -> Vec<&str> {
        self.names.iter().map(String::as_str).collect()
    }

    fn table(&self) -> String {
        if self.rows.is_empty() {
            String::new()
        } else {
            page::several(&self.rows)
        }
    }
}

/// What a row is known by to other commands, else its first text.
fn name(row: &Value) -> Option<String> {
    let row = row.as_object()?;
    let known = ["name", "key", "funcName", "runId"];
    let own = known.into_iter().find_map(|name| row.get(name));
    match own.or_else(|| row.values().find(|it| it.is_string()))? {
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
