//! One resource as the service shows it, and what was done to one.

use clap::ArgMatches;
use pipeline_graph::hide_secrets;
use pipeline_proto::model::RawJson;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::{Names, Resource, key, page};
use crate::{
    exit::Exit,
    failure::Failure,
    lang::pick,
    options::Global,
    output::{Cell, Show, Table, members, note},
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
        let value: Map<String, Value> = json.parse().map_err(|error| {
            Failure::new(
                Exit::Service,
                format!("{key}: the service shows no object: {error}"),
            )
        })?;
        let names = key::path(resource).iter().zip(&key.0);
        let names = names.filter(|(info, _)| value.get(info.key).is_none_or(Value::is_null));
        let names = names.map(|(info, name)| format!("{:?}:{name:?}", info.key));
        // For `apply`, which takes resources of all kinds.
        let kind = (!value.contains_key("kind")).then(|| format!("\"kind\":{:?}", resource.word));
        let names = kind.into_iter().chain(names);
        let body = json.get().trim_start().trim_start_matches('{');
        let members = names.chain((!value.is_empty()).then(|| body.to_owned()));
        let mut text = format!("{{{}", members.collect::<Vec<_>>().join(","));
        if value.is_empty() {
            text.push('}');
        }
        let json = text.parse().unwrap_or_else(|_| json.clone());
        let word = key.to_string();
        Ok(Self {
            resource,
            names: key,
            json,
            value,
            word,
        })
    }

    /// As the service shows it, but for what it says of members that nobody has set: `""` and `null`. A member that
    /// every such resource has may be empty, as a variable's value.
    pub(super) fn shown(
        resource: &'static Resource,
        key: Names,
        json: &RawJson,
    ) -> Result<Self, Failure> {
        let required = |name: &str| {
            let body = resource.body.map(|body| body());
            let member = body.and_then(|body| body.member(name));
            member.is_some_and(|member| member.required)
        };
        let unset = |value: &str| ["\"\"", "null"].contains(&value);
        let Some(members) = members(json.get()) else {
            return Self::new(resource, key, json);
        };
        let set = members
            .into_iter()
            .filter(|(name, value)| !unset(value.get()) || required(name));
        let set = set.map(|(name, value)| format!("{}:{value}", Value::from(name)));
        let text = format!("{{{}}}", set.collect::<Vec<_>>().join(","));
        Self::new(
            resource,
            key,
            &text.parse().unwrap_or_else(|_| json.clone()),
        )
    }

    /// What was done to a resource: its names, and more.
    pub(in crate::command) fn done(
        resource: &'static Resource,
        key: &Names,
        more: &[(&str, Value)],
    ) -> Self {
        let names = key::path(resource).iter().zip(&key.0);
        let names = names.map(|(info, name)| (info.key.to_owned(), Value::from(name.as_str())));
        let more = more
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()));
        let value: Map<String, Value> = names.chain(more).collect();
        Self {
            resource,
            names: key.clone(),
            json: RawJson::from_value(&value).expect("texts are JSON"),
            // Nothing of it is for people, who are told in a line.
            value: Map::new(),
            word: key.to_string(),
        }
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
        self.json = hide_secrets(&self.json);
        self.value = self.json.parse().unwrap_or_default();
        self
    }

    /// Says what was done. People get the line on stderr only.
    pub(in crate::command) fn report(&self, global: &Global, did: &str) -> Result<Exit, Failure> {
        note(format_args!("{did} {}", self.names));
        if !global.format().is_for_people() {
            global.format().write(self)?;
        }
        Ok(Exit::Done)
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

    /// What a list shows of it.
    fn cells(&self) -> Vec<Cell> {
        let names = self.names.0.iter().map(Cell::from);
        let columns = self.resource.columns.iter();
        names
            .chain(columns.map(|(_, path)| Cell::from(page::text(self.member(path)))))
            .collect()
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
        if self.value.is_empty() {
            String::new()
        } else {
            page::page(self)
        }
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
        let Some(first) = self.0.first() else {
            return String::new();
        };
        let names = key::path(first.resource)
            .iter()
            .map(|info| key::heading(info.key));
        let columns = first.resource.columns.iter().map(|(heading, _)| *heading);
        let mut table = Table::new(&names.chain(columns).collect::<Vec<_>>());
        self.0.iter().for_each(|item| table.row(item.cells()));
        table.render()
    }
}

/// Things of which the service has a list, and which are nothing by themselves.
#[derive(Serialize)]
#[serde(transparent)]
pub(in crate::command) struct Rows(Vec<Value>);

impl Rows {
    pub(in crate::command) fn write<T: Serialize>(
        list: &[T],
        global: &Global,
    ) -> Result<Exit, Failure> {
        if list.is_empty() {
            note(pick("there is nothing to show", "没有可显示的内容"));
        }
        let rows: Result<Vec<Value>, _> = list.iter().map(serde_json::to_value).collect();
        global
            .format()
            .write(&Self(rows.map_err(Failure::usage)?))?;
        Ok(Exit::Done)
    }
}

impl Show for Rows {
    /// What each is known by: its first text.
    fn names(&self) -> Vec<&str> {
        let members = self.0.iter().filter_map(Value::as_object);
        members
            .filter_map(|members| members.values().find_map(Value::as_str))
            .collect()
    }

    fn table(&self) -> String {
        if self.0.is_empty() {
            String::new()
        } else {
            page::several(&self.0)
        }
    }
}
