use pipeline_proto::{ErrorCode, resource::variable::VariableSpec};
use serde_json::{Value, json};

use super::{Made, Members, Resource, all, allows, check_name, query, refuse, text, verbs};
use crate::{
    call::{Call, Outcome, json},
    id::{Id, Kind},
    refusal::Refusal,
};

/// What stands as `$(name)` in SQL, paths and filters of files.
pub(crate) struct Variable;

/// What the service has itself, and in which format.
const SYSTEM: &[(&str, &str)] = &[
    ("year", "yyyy"),
    ("mon", "MM"),
    ("day", "dd"),
    ("hour", "HH"),
    ("min", "mm"),
    ("sec", "ss"),
    ("date", "yyyy-MM-dd"),
    ("now", "yyyy-MM-dd HH:mm:ss"),
];

/// Letters that stand for a part of a time.
const PARTS: &str = "yMdHhmsSaEZzX";

impl Resource for Variable {
    /// Those of the system are there for whoever looks, and for nobody else.
    fn check(call: &Call<'_, '_>) -> Result<(), Refusal> {
        let Some(name) = call.names.first() else {
            return Ok(());
        };
        if SYSTEM.iter().any(|(system, _)| system == name) {
            return refuse(ErrorCode::VARIABLE_NAME_RESERVED, format!("{name:?}"));
        }
        check_name::<Self>(name)
    }

    fn made(call: &mut Call<'_, '_>, body: Members) -> Made {
        let (kind, value, format) = (
            text(&body, "type"),
            text(&body, "value"),
            text(&body, "format"),
        );
        if !allows(VariableSpec::description(), "type", kind) {
            return refuse(ErrorCode::INVALID_VARIABLE_TYPE, format!("{kind:?}"));
        }
        let is_string = body.get("value").is_some_and(Value::is_string);
        if !is_string || kind == "time" && !is_time(value) {
            let detail = format!("{value:?}; a time is $(now), with -5h or the like behind it");
            return refuse(ErrorCode::INVALID_VARIABLE_VALUE, detail);
        }
        let is_part = |letter: char| !letter.is_ascii_alphabetic() || PARTS.contains(letter);
        if kind == "time" && (format.is_empty() || !format.chars().all(is_part)) {
            let detail = format!("{format:?}; write one such as yyyy-MM-dd HH:mm:ss");
            return refuse(ErrorCode::INVALID_TIME_FORMAT, detail);
        }
        let mut variable = all(&body, &["type", "value"]);
        variable.insert("format".to_owned(), format.into());
        variable.insert("name".to_owned(), call.names[0].as_str().into());
        Ok(variable)
    }
}

fn is_time(value: &str) -> bool {
    let Some(back) = value.strip_prefix("$(now)") else {
        return false;
    };
    let number = back
        .strip_prefix('-')
        .and_then(|back| back.strip_suffix(['d', 'h', 'm']));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    back.is_empty() || number.is_some_and(is_number)
}

fn system(name: &str, format: &str) -> Value {
    json!({"name": name, "type": "time", "value": "$(now)", "format": format})
}

pub(crate) fn get_variable(call: &mut Call<'_, '_>) -> Outcome {
    match SYSTEM.iter().find(|(name, _)| *name == call.names[0]) {
        Some((name, format)) => json(&system(name, format)),
        None => verbs::get::<Variable>(call),
    }
}

/// Those of the account, unless the query wants those of the system.
pub(crate) fn list_variables(call: &mut Call<'_, '_>) -> Outcome {
    if query::asked(call, "type").as_deref() != Some("system") {
        return verbs::list::<Variable>(call);
    }
    let all = SYSTEM.iter().map(|(name, format)| system(name, format));
    json(&json!({ "variables": all.collect::<Vec<_>>() }))
}

/// The names of the variables in a text.
pub(super) fn names(text: &str) -> impl Iterator<Item = &str> {
    let after = text.split("$(").skip(1);
    after.filter_map(|rest| rest.split_once(')').map(|(name, _)| name))
}

/// What kind of variable it is, if there is one.
pub(super) fn kind(call: &Call<'_, '_>, name: &str) -> Option<String> {
    if SYSTEM.iter().any(|(system, _)| *system == name) {
        return Some("time".to_owned());
    }
    let variable = call.space.get(&Id::new(Kind::Variable, name))?;
    Some(text(variable, "type").to_owned())
}
