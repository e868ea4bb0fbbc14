use pipeline_proto::ErrorCode;
use serde_json::Value;

use super::{
    Made, Members, Resource, all, check_schema,
    group::check_group,
    known,
    life::{Millis, keep, kept, millis, now},
    refuse, region, text, transform,
};
use crate::{
    call::Call,
    id::{Id, Kind},
    refusal::Refusal,
    rules::Rules,
};

/// A message queue.
pub(crate) struct Repo;

impl Repo {
    pub(super) fn id(name: &str) -> Id {
        Id::new(Kind::Repo, name)
    }
}

/// What an update may change.
pub(super) const CHANGEABLE: &[&str] = &["schema", "options", "ruleNames", "description"];

/// No field can be given another type.
pub(super) fn check_types(old: &Members, new: &Members) -> Result<(), Refusal> {
    for (key, now) in types(new) {
        if let Some((_, was)) = types(old).find(|(name, was)| *name == key && *was != now) {
            let detail = format!("the field {key:?} is {was:?} and cannot become {now:?}");
            return refuse(ErrorCode::INCOMPATIBLE_SCHEMA, detail);
        }
    }
    Ok(())
}

pub(super) fn types(repo: &Members) -> impl Iterator<Item = (&str, &str)> {
    let entries = repo.get("schema").and_then(Value::as_array);
    let entries = entries.into_iter().flatten().filter_map(Value::as_object);
    entries.map(|entry| (text(entry, "key"), text(entry, "valtype")))
}

pub(super) fn check(rules: &Rules, repo: &Members) -> Result<(), Refusal> {
    check_schema(rules, repo.get("schema"), 0)?;
    check_description(rules, repo)
}

pub(super) fn check_description(rules: &Rules, repo: &Members) -> Result<(), Refusal> {
    super::check_description(rules, repo, ErrorCode::INVALID_REPO_DESCRIPTION)
}

/// Schemas that a repo had, with the moments until which those who push go by them.
type Earlier = Vec<(Millis, Value)>;

/// Notes that a repo is to have another schema from now on.
pub(super) fn keep_schema(call: &Call<'_, '_>, old: &Members, new: &mut Members) {
    let delay = millis(call.rules.schema_delay);
    let mut earlier: Earlier = kept(old, ".schemas");
    earlier.retain(|(until, _)| *until > now(call));
    if delay > 0 && old.get("schema") != new.get("schema") {
        let schema = old.get("schema").cloned().unwrap_or_default();
        earlier.push((now(call).saturating_add(delay), schema));
    }
    keep(new, ".schemas", &earlier);
}

/// A repo as those who push go by it.
pub(crate) fn with_schema_in_force(call: &Call<'_, '_>, mut repo: Members) -> Members {
    let earlier: Earlier = kept(&repo, ".schemas");
    if let Some((_, schema)) = earlier.into_iter().find(|(until, _)| *until > now(call)) {
        repo.insert("schema".to_owned(), schema);
    }
    repo
}

/// Says until when a repo is being made.
pub(super) fn begin(call: &Call<'_, '_>, repo: &mut Members) {
    let delay = millis(call.rules.destination_delay);
    if delay > 0 {
        keep(repo, ".made", &now(call).saturating_add(delay));
    }
}

impl Resource for Repo {
    fn ready(call: &Call<'_, '_>, repo: &Members) -> Result<(), Refusal> {
        if kept::<Millis>(repo, ".made") > now(call) {
            let detail = format!("it is the destination of {:?}", text(repo, "derivedFrom"));
            return refuse(ErrorCode::REPO_BEING_CREATED, detail);
        }
        Ok(())
    }

    fn made(call: &mut Call<'_, '_>, body: Members) -> Made {
        let region = region(call, &body, ErrorCode::REPO_REGION_MISMATCH)?;
        check(call.rules, &body)?;
        check_group(call, &body, &region)?;
        let workflow = text(&body, "workflow");
        let mut repo = all(&body, CHANGEABLE);
        repo.insert("region".to_owned(), region.into());
        repo.insert("group".to_owned(), text(&body, "group").into());
        repo.insert("workflow".to_owned(), workflow.into());
        repo.insert("fromDag".to_owned(), (!workflow.is_empty()).into());
        repo.insert("derivedFrom".to_owned(), "".into());
        Ok(repo)
    }

    /// The schema is replaced as a whole; what else is missing stays.
    fn changed(call: &mut Call<'_, '_>, body: Members, old: Members) -> Made {
        check(call.rules, &body)?;
        check_types(&old, &body)?;
        let mut new = old.clone();
        new.extend(known(body, CHANGEABLE));
        keep_schema(call, &old, &mut new);
        Ok(new)
    }

    fn listed(call: &Call<'_, '_>, name: &str, repo: &Members) -> Option<Members> {
        let asked = |what| call.query.split('&').any(|part| part == what);
        // No account can give another access to its repos.
        let authorized = asked("sourceType=authorized");
        let shown = !authorized && (asked("withDag=true") || text(repo, "workflow").is_empty());
        shown.then(|| {
            let names = [
                "region",
                "group",
                "derivedFrom",
                "fromDag",
                "workflow",
                "ruleNames",
                "description",
            ];
            let mut repo = all(repo, &names);
            repo.insert("name".to_owned(), name.into());
            repo
        })
    }

    fn deleted(call: &mut Call<'_, '_>, _: &Members) -> Result<(), Refusal> {
        let name = call.names[0].as_str();
        if let Some(transform) = transform::filling(call, name) {
            let detail = format!("it is filled by the transform {transform:?}");
            return refuse(ErrorCode::REPO_BOUND_TO_TRANSFORM, detail);
        }
        Ok(())
    }
}
