//! What each operation does, a file for each kind of resource, and the rules that these have in common.

mod batch;
mod builtins;
mod datasource;
mod export;
pub(crate) mod graph;
mod group;
mod jar;
pub(crate) mod job;
mod job_export;
mod judge;
mod life;
mod membership;
pub(crate) mod node;
mod plugin;
mod query;
mod repo;
mod search_logs;
pub(crate) mod table;
#[cfg(test)]
mod tests;
mod transform;
mod udf;
mod variable;
pub(crate) mod verbs;
pub(crate) mod workflow;

use std::fmt::Display;

use pipeline_proto::{
    ErrorCode, RepoName,
    describe::{Member, Object},
    resource::schema::{MAX_MAPS, SchemaEntry},
};
use serde_json::Value;

use crate::{
    call::{Call, checked_region},
    id::{Id, Kind},
    item::Members,
    refusal::Refusal,
    rules::Rules,
};
pub(crate) use batch::{history, rerun_batch, start_job, stop_batch, stop_job};
pub(crate) use datasource::{Datasource, retrieve_schema};
pub(crate) use export::{Export, url};
pub(crate) use group::{Group, start_group, stop_group};
pub(crate) use job::Job;
pub(crate) use job_export::JobExport;
use judge::Judged;
pub(crate) use plugin::{Plugin, verify_plugin};
pub(crate) use query::asked;
pub(crate) use repo::{Repo, with_schema_in_force};
pub(crate) use table::{Row, rows};
pub(crate) use transform::{Transform, filling};
pub(crate) use udf::{
    Udf, UdfJar, debug_udf, deregister_udf, list_builtins, list_udf_jars, list_udfs, register_udf,
};
pub(crate) use variable::{Variable, get_variable, list_variables};

/// The members that something is to have from now on.
pub(crate) type Made = Result<Members, Refusal>;

/// The rules of a kind of resource. [`verbs`] does the rest.
pub(crate) trait Resource: Row {
    /// Whether the names of a path are legal, and what they belong to is there.
    fn check(call: &Call<'_, '_>) -> Result<(), Refusal> {
        Self::OUTER.map_or(Ok(()), |check| check(call))?;
        let name = call.names.get(Self::NAMES - 1);
        name.map_or(Ok(()), |name| check_name::<Self>(name))
    }

    /// Whether it is there for whoever names it.
    fn ready(_call: &Call<'_, '_>, _members: &Members) -> Result<(), Refusal> {
        Ok(())
    }

    /// What is made of the body of a create. Members that are `null` are missing from bodies: one of the
    /// vendor's clients sends what it has not been told so.
    fn made(call: &mut Call<'_, '_>, body: Members) -> Made;

    /// What is made of the body of an update and of what there was.
    fn changed(call: &mut Call<'_, '_>, body: Members, _old: Members) -> Made {
        Self::made(call, body)
    }

    /// What a get shows of it. What begins with a point is for the emulator alone.
    fn shown(_call: &Call<'_, '_>, _name: &str, members: &Members) -> Members {
        let mut members = members.clone();
        members.retain(|name, _| !name.starts_with('.'));
        members
    }

    /// What a list shows of it; `None` for nothing.
    fn listed(call: &Call<'_, '_>, name: &str, members: &Members) -> Option<Members> {
        let mut members = Self::shown(call, name, members);
        members.insert("name".to_owned(), name.into());
        Some(members)
    }

    /// Whether it may be deleted, and what goes with it.
    fn deleted(_call: &mut Call<'_, '_>, _members: &Members) -> Result<(), Refusal> {
        Ok(())
    }
}

pub(crate) fn check_name<R: Resource + ?Sized>(name: &str) -> Result<(), Refusal> {
    let (check, code) = R::NAME;
    check(name).or_else(|error| refuse(code, error))
}

/// What the first name of a path is the name of.
fn parent<'a, R: Resource>(call: &'a Call<'_, '_>) -> Result<&'a Members, Refusal> {
    let name = &call.names[0];
    check_name::<R>(name)?;
    let found = call.space.get(&Id::new(R::KIND, name));
    let found = found.filter(|found| !verbs::is_deleted(found));
    let found = found.ok_or_else(|| Refusal::code(R::NOT_FOUND, format!("{name:?}")))?;
    R::ready(call, found)?;
    Ok(found)
}

/// Whether what the first name of a path names is there.
pub(crate) fn check_parent<P: Resource>(call: &Call<'_, '_>) -> Result<(), Refusal> {
    parent::<P>(call).map(drop)
}

/// Things of these kinds go with what they are inside of.
pub(crate) fn remove_inside(call: &mut Call<'_, '_>, kinds: &[Kind]) {
    let inside = format!("{}/", call.names[0]);
    for kind in kinds {
        let names = call.space.others(*kind, &inside);
        let paths: Vec<_> = names.map(|(name, _)| format!("{inside}{name}")).collect();
        for path in paths {
            call.space.remove(&Id::new(*kind, &path));
        }
    }
}

/// The region of a body, if there is such a one.
fn region(call: &Call<'_, '_>, body: &Members, code: ErrorCode) -> Result<String, Refusal> {
    let region = body.get("region").and_then(Value::as_str);
    checked_region(call.rules, region.map(str::to_owned))
        .map_err(|error| error.recoded(ErrorCode::MALFORMED_WORKFLOW, code))
}

pub(crate) fn refuse<T>(code: ErrorCode, detail: impl Display) -> Result<T, Refusal> {
    Err(Refusal::code(code, detail))
}

pub(crate) fn text<'a>(members: &'a Members, name: &str) -> &'a str {
    members
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// What of a body is a member that a spec may have.
fn described(spec: &Object, mut body: Members) -> Members {
    body.retain(|name, _| {
        let member = spec.member(name);
        member.is_some_and(|member| !member.is_added_on_reading())
    });
    body
}

/// The members of these names that there are.
pub(crate) fn known(mut members: Members, names: &[&str]) -> Members {
    members.retain(|name, _| names.contains(&name.as_str()));
    members
}

/// The members of these names, `null` for one that is missing.
fn all(members: &Members, names: &[&str]) -> Members {
    let value = |name: &&str| members.get(*name).cloned().unwrap_or_default();
    names
        .iter()
        .map(|name| ((*name).to_owned(), value(name)))
        .collect()
}

/// Whether a member of a spec may have this text, by its description.
fn allows(spec: &Object, member: &str, word: &str) -> bool {
    let words = spec.member(member).and_then(Member::words);
    words.is_some_and(|words| words.contains(&word))
}

/// A description is a text, and no longer than it may be.
fn check_description(rules: &Rules, described: &Members, code: ErrorCode) -> Result<(), Refusal> {
    let most = rules.max_description;
    match described.get("description") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(text)) if text.chars().count() <= most => Ok(()),
        Some(Value::String(_)) => refuse(code, format!("{most} characters are allowed")),
        Some(other) => refuse(code, format!("it is a text, not {other}")),
    }
}

/// Statements that change something instead of selecting.
#[rustfmt::skip]
const STATEMENTS: &[&str] = &[
    "alter", "create", "delete", "drop", "grant", "insert", "merge", "revoke", "truncate", "update", "use",
];

/// Whether a text can be a query: something beside comments, and no other statement. No more of SQL is known here.
fn is_query(sql: &str) -> bool {
    let mut rest = sql;
    loop {
        rest = rest.trim_start_matches(|next: char| next.is_whitespace() || next == '(');
        let end = match rest.get(..2) {
            Some("--") => "\n",
            Some("/*") => "*/",
            _ => break,
        };
        let Some((_, behind)) = rest.split_once(end) else {
            return false;
        };
        rest = behind;
    }
    let end = rest.find(|next: char| !next.is_alphanumeric() && next != '_');
    let first = &rest[..end.unwrap_or(rest.len())];
    let is_first = |word: &&str| first.eq_ignore_ascii_case(word);
    !rest.is_empty() && !STATEMENTS.iter().any(is_first)
}

/// The fields of a repo, or of a map inside of it.
fn check_schema(rules: &Rules, schema: Option<&Value>, maps: usize) -> Result<(), Refusal> {
    let Some(entries) = schema.and_then(Value::as_array).filter(|it| !it.is_empty()) else {
        return refuse(ErrorCode::SCHEMA_EMPTY, "give at least one field");
    };
    if entries.len() > rules.max_fields {
        let (count, most) = (entries.len(), rules.max_fields);
        let detail = format!("there are {count}, {most} are allowed");
        return refuse(ErrorCode::TOO_MANY_FIELDS, detail);
    }
    let mut keys = Vec::new();
    for entry in entries {
        let Some(entry) = entry.as_object() else {
            return refuse(ErrorCode::INVALID_REPO_MODE, "a field is a JSON object");
        };
        let key = text(entry, "key");
        if let Err(error) = RepoName::new(key) {
            return refuse(ErrorCode::INVALID_FIELD_NAME, error);
        }
        if keys.contains(&key) {
            let detail = format!("the field {key:?} is there twice");
            return refuse(ErrorCode::INVALID_DATE_OR_DUPLICATE_FIELD, detail);
        }
        keys.push(key);
        check_description(rules, entry, ErrorCode::INVALID_FIELD_DESCRIPTION)?;
        let may_be = |member, word| allows(SchemaEntry::description(), member, word);
        match (text(entry, "valtype"), text(entry, "elemtype")) {
            ("array", elemtype) if may_be("elemtype", elemtype) => {}
            ("map", _) if maps == MAX_MAPS => {
                let detail = format!("the field {key:?} is inside of {maps} maps");
                return refuse(ErrorCode::INVALID_REPO_MODE, detail);
            }
            // The vendor's client does not insist on the fields of a map.
            ("map", _) if entry.get("schema").is_none_or(Value::is_null) => {}
            ("map", _) => check_schema(rules, entry.get("schema"), maps + 1)?,
            (valtype, _) if valtype != "array" && may_be("valtype", valtype) => {}
            (valtype, elemtype) => {
                let of = if valtype == "array" {
                    format!(" of {elemtype:?}")
                } else {
                    String::new()
                };
                let detail = format!("the field {key:?} is {valtype:?}{of}");
                return refuse(ErrorCode::UNKNOWN_FIELD_TYPE, detail);
            }
        }
    }
    Ok(())
}
