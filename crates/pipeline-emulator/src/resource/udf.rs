//! Jars of functions for jobs, and the functions that were registered out of them.

use std::{collections::BTreeMap, time::Duration};

use http::StatusCode;
use pipeline_proto::{ErrorCode, resource::udf::UdfSpec};
use serde_json::json;

use super::{
    Made, Members, Resource, builtins, described, jar,
    life::{keep, kept},
    query, refuse, text,
    verbs::{self, sent},
};
use crate::{
    call::{Call, Outcome, json},
    clock_skew::ClockSkew,
    date::rfc3339,
    id::{Id, Kind},
    refusal::Refusal,
};

/// Bytes of a description, as the vendor's client counts them.
const MAX_DESCRIPTION: usize = 1_500;

pub(crate) struct UdfJar;

impl Resource for UdfJar {
    fn made(call: &mut Call<'_, '_>, _: Members) -> Made {
        // The documents show the time of China, without a zone.
        let china = ClockSkew::Ahead(Duration::from_secs(8 * 60 * 60));
        let time = china.apply(call.rules.clock_offset.apply(call.now.wall));
        let time = rfc3339(time).replace('T', " ");
        let classes = jar::classes(call.body).into_iter();
        let classes = classes.map(|(name, fault)| (name, fault.map(|code| code.to_string())));
        let mut made = Members::from_iter([
            ("jarName".to_owned(), call.names[0].as_str().into()),
            ("description".to_owned(), "".into()),
            ("uploadTime".to_owned(), time.trim_end_matches('Z').into()),
        ]);
        keep(&mut made, ".classes", &classes.collect::<BTreeMap<_, _>>());
        Ok(made)
    }

    /// Another description.
    fn changed(_: &mut Call<'_, '_>, body: Members, mut old: Members) -> Made {
        check_length(&body, "description")?;
        old.insert("description".to_owned(), text(&body, "description").into());
        Ok(old)
    }

    /// Its functions go with it: there is nothing left that they could call.
    fn deleted(call: &mut Call<'_, '_>, _: &Members) -> Result<(), Refusal> {
        let functions = call.space.others(Kind::Udf, "");
        let of_jar = functions.filter(|(_, it)| text(it, "jarName") == call.names[0]);
        let of_jar: Vec<Id> = of_jar.map(|(name, _)| Id::new(Kind::Udf, name)).collect();
        for function in of_jar {
            call.space.remove(&function);
        }
        Ok(())
    }
}

/// A registered function.
pub(crate) struct Udf;

impl Resource for Udf {
    fn made(call: &mut Call<'_, '_>, body: Members) -> Made {
        let name = call.names[0].as_str();
        if builtins::is_builtin(name) {
            return refuse(ErrorCode::UDF_NAME_RESERVED, format!("{name:?}"));
        }
        check_length(&body, "funcDeclaration")?;
        check_length(&body, "description")?;
        let (jar, class) = (text(&body, "jarName"), text(&body, "className"));
        let Some(found) = call.space.get(&Id::new(Kind::UdfJar, jar)) else {
            return refuse(ErrorCode::UDF_JAR_NOT_FOUND, format!("{jar:?}"));
        };
        if !is_class_name(class) {
            return refuse(ErrorCode::INVALID_JAVA_CLASS, format!("{class:?}"));
        }
        let mut classes: BTreeMap<String, Option<String>> = kept(found, ".classes");
        match classes.remove(class) {
            None => {
                return refuse(
                    ErrorCode::UDF_CLASS_NOT_FOUND,
                    format!("{class:?} in {jar:?}"),
                );
            }
            Some(code) => {
                let code = code.and_then(|code| ErrorCode::from_message(&code));
                code.map_or(Ok(()), |code| refuse(code, format!("{class:?}")))?;
            }
        }
        let mut function = described(UdfSpec::description(), body);
        function.insert("funcName".to_owned(), name.into());
        Ok(function)
    }
}

fn check_length(body: &Members, member: &str) -> Result<(), Refusal> {
    let length = text(body, member).len();
    if length <= MAX_DESCRIPTION {
        return Ok(());
    }
    let detail = format!("{member} has {length} bytes, {MAX_DESCRIPTION} are allowed");
    refuse(ErrorCode::FIELD_TOO_LONG, detail)
}

fn is_class_name(text: &str) -> bool {
    text.split('.').all(|part| {
        let mut chars = part.chars();
        let is_inner = |char: char| char.is_alphanumeric() || matches!(char, '_' | '$');
        chars
            .next()
            .is_some_and(|first| is_inner(first) && !first.is_numeric())
            && chars.all(is_inner)
    })
}

/// Names of functions are kept in lower case.
fn in_lower_case(call: &mut Call<'_, '_>, verb: fn(&mut Call<'_, '_>) -> Outcome) -> Outcome {
    let names: Vec<String> = call
        .names
        .iter()
        .map(|name| name.to_ascii_lowercase())
        .collect();
    verb(&mut Call {
        names: &names,
        space: call.space,
        pushed: Vec::new(),
        ..*call
    })
}

pub(crate) fn register_udf(call: &mut Call<'_, '_>) -> Outcome {
    in_lower_case(call, verbs::create::<Udf>)
}

pub(crate) fn deregister_udf(call: &mut Call<'_, '_>) -> Outcome {
    in_lower_case(call, verbs::delete::<Udf>)
}

pub(crate) fn list_udf_jars(call: &mut Call<'_, '_>) -> Outcome {
    listed(call, all::<UdfJar>(call), "jarName")
}

pub(crate) fn list_udfs(call: &mut Call<'_, '_>) -> Outcome {
    let mut functions = all::<Udf>(call);
    functions.retain(|it| {
        let is_among = |member| query::is_among(call, member, text(it, member));
        is_among("jarName") && is_among("funcName")
    });
    listed(call, functions, "funcName")
}

pub(crate) fn list_builtins(call: &mut Call<'_, '_>) -> Outcome {
    let mut builtins = builtins::all();
    builtins.retain(|it| query::is_among(call, "category", text(it, "category")));
    listed(call, builtins, "funcName")
}

fn all<R: Resource>(call: &Call<'_, '_>) -> Vec<Members> {
    let all = call.space.others(R::KIND, "");
    all.map(|(name, members)| R::shown(call, name, members))
        .collect()
}

/// The part of a list that the query wants, in its order: `jarName`, `jarName:asc` or `jarName:desc`.
fn listed(call: &Call<'_, '_>, mut list: Vec<Members>, usual: &str) -> Outcome {
    let order = query::asked(call, "sort").unwrap_or_else(|| usual.to_owned());
    let (column, direction) = order.split_once(':').unwrap_or((&order, "asc"));
    query::sort(&mut list, column, direction == "desc")?;
    let (from, size) = (query::number(call, "from")?, query::number(call, "size")?);
    json(&json!({ "result": query::part(list, from, size) }))
}

/// Tells what is wrong with an expression. One without fault only Java could evaluate.
pub(crate) fn debug_udf(call: &mut Call<'_, '_>) -> Outcome {
    let body = sent::<Udf>(call)?;
    let expression = text(&body, "udfExpression").trim();
    let called: Vec<&str> = expression.rsplit('(').skip(1).map(last_word).collect();
    let select = expression.split_whitespace().next().unwrap_or_default();
    if !select.eq_ignore_ascii_case("select")
        || called.iter().all(|name| name.is_empty())
        || called.len() != expression.matches(')').count()
    {
        let message = "invalid udf debug expression";
        return Err(Refusal::plain(StatusCode::BAD_REQUEST, message));
    }
    for name in called.into_iter().filter(|name| !name.is_empty()) {
        let name = name.to_ascii_lowercase();
        let is_there = call.space.get(&Id::new(Kind::Udf, &name)).is_some();
        if !is_there && !builtins::is_builtin(&name) {
            return refuse(ErrorCode::UDF_NOT_FOUND, format!("{name:?}"));
        }
    }
    Err(Refusal::not_implemented("the emulator runs no Java"))
}

/// The name at the end of what stands before a bracket.
fn last_word(text: &str) -> &str {
    let is_part = |char: char| char.is_alphanumeric() || char == '_';
    text.rsplit(|char| !is_part(char))
        .next()
        .unwrap_or_default()
}
