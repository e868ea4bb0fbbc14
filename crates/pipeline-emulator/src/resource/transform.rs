use pipeline_proto::{
    ErrorCode,
    resource::transform::{Container, PluginField, TransformSpec},
};
use serde_json::Value;

use super::{
    Made, Members, Repo, Resource, all, allows, check_name, check_schema, described, graph,
    is_query, refuse, repo, text,
};
use crate::{
    call::Call,
    id::{Id, Kind},
    refusal::Refusal,
    rules::Rules,
};

/// What computes one repo from another.
pub(crate) struct Transform;

impl Resource for Transform {
    /// The destination is made if it is not there, with the fields that the body has for it, else with
    /// those of the source: no SQL is carried out that would tell others.
    fn made(call: &mut Call<'_, '_>, body: Members) -> Made {
        let [source, name, to] = call.names else {
            return refuse(ErrorCode::MALFORMED_TRANSFORM, "it needs a destination");
        };
        check_name::<Repo>(to)?;
        if source == to {
            return refuse(ErrorCode::SOURCE_IS_DESTINATION, format!("{to:?}"));
        }
        let spec = described(TransformSpec::description(), body);
        check_spec(call.rules, &spec)?;
        if let Some(other) = filling(call, to) {
            let detail = format!("the repo {to:?} is filled by the transform {other:?}");
            return refuse(ErrorCode::DESTINATION_REPO_TAKEN, detail);
        }
        let from = call.space.get(&Repo::id(source)).cloned();
        let from = from.unwrap_or_default();
        let mut transform = all(&from, &["workflow"]);
        call.check_workflow(
            &Id::new(Kind::Transform, &format!("{source}/{name}")),
            &transform,
        )?;
        if let Some(there) = call.space.get(&Repo::id(to)) {
            let (here, there) = (text(&from, "workflow"), text(there, "workflow"));
            if here != there {
                let detail =
                    format!("{to:?} belongs to the workflow {there:?}, {source:?} to {here:?}");
                return refuse(ErrorCode::INVALID_WORKFLOW_GRAPH, detail);
            }
        } else {
            let schema = spec.get("destrepo").or_else(|| from.get("schema"));
            let mut repo = all(&from, &["region", "group", "workflow", "fromDag"]);
            repo.extend(all(
                &Members::new(),
                &["options", "ruleNames", "description"],
            ));
            repo.insert("schema".to_owned(), schema.cloned().unwrap_or_default());
            repo.insert("derivedFrom".to_owned(), name.as_str().into());
            repo::begin(call, &mut repo);
            call.check_workflow(&Repo::id(to), &repo)?;
            call.put(Repo::id(to), repo)?;
        }
        transform.insert("name".to_owned(), name.as_str().into());
        transform.insert("to".to_owned(), to.as_str().into());
        transform.insert("spec".to_owned(), spec.into());
        Ok(transform)
    }

    /// Any part of the spec, and at least one. SQL may only give out more fields than before: where it gave out
    /// all, one that gives out some leaves it as it is, without a word, as the vendor's tests expect.
    fn changed(call: &mut Call<'_, '_>, body: Members, mut old: Members) -> Made {
        let mut changes = described(TransformSpec::description(), body);
        if changes.is_empty() {
            return refuse(ErrorCode::MALFORMED_TRANSFORM, "there is nothing to change");
        }
        let spec = old.get("spec").and_then(Value::as_object).cloned();
        let mut spec = spec.unwrap_or_default();
        if gives_all(text(&spec, "code")) && !gives_all(text(&changes, "code")) {
            changes.remove("code");
        }
        spec.extend(changes);
        check_spec(call.rules, &spec)?;
        check_outputs_stay(&old, &spec)?;
        old.insert("spec".to_owned(), spec.into());
        Ok(old)
    }

    /// The destination goes with it, unless it was there before.
    fn deleted(call: &mut Call<'_, '_>, transform: &Members) -> Result<(), Refusal> {
        let to = text(transform, "to");
        let repo = call.space.get(&Repo::id(to));
        if repo.is_some_and(|repo| text(repo, "derivedFrom") == text(transform, "name")) {
            graph::check_unread(call.space, &Repo::id(to))?;
            call.remove(&Repo::id(to))?;
        }
        Ok(())
    }
}

/// The transform that fills a repo.
pub(crate) fn filling<'a>(call: &'a Call<'_, '_>, repo: &str) -> Option<&'a str> {
    let mut all = call.space.others(Kind::Transform, "");
    all.find_map(|(path, transform)| (text(transform, "to") == repo).then_some(path))
}

pub(super) fn check_spec(rules: &Rules, spec: &Members) -> Result<(), Refusal> {
    let plugin = spec.get("plugin").is_some_and(Value::is_object);
    match text(spec, "mode") {
        "" if plugin && text(spec, "code").is_empty() => {}
        "sql" if !text(spec, "code").is_empty() => {}
        "" | "sql" => {
            let detail = "it needs a plugin, or the mode sql and code";
            return refuse(ErrorCode::MALFORMED_TRANSFORM, detail);
        }
        mode => return refuse(ErrorCode::UNKNOWN_TRANSFORM_TYPE, format!("{mode:?}")),
    }
    let code = text(spec, "code");
    if !code.is_empty() && !is_query(code) {
        return refuse(ErrorCode::INVALID_TRANSFORM_SQL, format!("{code:?}"));
    }
    for (member, code) in [
        ("interval", ErrorCode::INVALID_INTERVAL),
        ("whence", ErrorCode::MALFORMED_TRANSFORM),
    ] {
        let word = text(spec, member);
        if !word.is_empty() && !allows(TransformSpec::description(), member, word) {
            return refuse(code, format!("{member} {word:?}"));
        }
    }
    check_outputs(spec)?;
    let fields = spec.get("destrepo").and_then(Value::as_array);
    let given_out = outputs(spec).count();
    if let Some(fields) = fields.filter(|_| code.is_empty() && given_out > 0)
        && fields.len() < given_out
    {
        let detail = format!("the plugin gives out {given_out} fields");
        return refuse(ErrorCode::DESTINATION_SCHEMA_SIZE_MISMATCH, detail);
    }
    if let Some(container) = spec.get("container") {
        check_container(container)?;
    }
    match spec.get("destrepo") {
        None => Ok(()),
        fields => check_schema(rules, fields, 0).or_else(|Refusal { message, .. }| {
            refuse(ErrorCode::INVALID_DESTINATION_SCHEMA, message)
        }),
    }
}

/// Whether SQL gives out all fields that there are, as far as it can be told without carrying it out.
fn gives_all(sql: &str) -> bool {
    let mut words = sql.split_whitespace();
    let selects = words
        .next()
        .is_some_and(|word| word.eq_ignore_ascii_case("select"));
    selects && words.next().is_some_and(|word| word.starts_with('*'))
}

/// The fields that the plugin of a spec gives out.
fn outputs(spec: &Members) -> impl Iterator<Item = &Members> {
    let outputs = spec
        .get("plugin")
        .and_then(|plugin| plugin["output"].as_array());
    outputs.into_iter().flatten().filter_map(Value::as_object)
}

fn field(output: &Members) -> (&str, &str) {
    match text(output, "type") {
        "" => (text(output, "name"), "string"),
        kind => (text(output, "name"), kind),
    }
}

/// An update may only add to what a plugin gives out.
pub(super) fn check_outputs_stay(old: &Members, new: &Members) -> Result<(), Refusal> {
    let none = Members::new();
    let old = old.get("spec").and_then(Value::as_object);
    let old = old.unwrap_or(&none);
    let stays = |was: &&Members| outputs(new).any(|now| field(now) == field(was));
    match outputs(old).find(|was| !stays(was)) {
        Some(lost) => {
            let detail = format!(
                "the output {:?} of its plugin has to stay as it is",
                text(lost, "name")
            );
            refuse(ErrorCode::CANNOT_UPDATE_TRANSFORM, detail)
        }
        None => Ok(()),
    }
}

fn check_outputs(spec: &Members) -> Result<(), Refusal> {
    for output in outputs(spec) {
        let word = text(output, "type");
        if !word.is_empty() && !allows(PluginField::description(), "type", word) {
            return refuse(ErrorCode::INVALID_PLUGIN_OUTPUT_TYPE, format!("{word:?}"));
        }
    }
    Ok(())
}

fn check_container(container: &Value) -> Result<(), Refusal> {
    match container["type"].as_str() {
        Some(word) if allows(Container::description(), "type", word) => {}
        _ => return refuse(ErrorCode::INVALID_CONTAINER_TYPE, &container["type"]),
    }
    match container["count"].as_u64() {
        Some(1..=128) => Ok(()),
        _ => refuse(ErrorCode::INVALID_CONTAINER_COUNT, &container["count"]),
    }
}
