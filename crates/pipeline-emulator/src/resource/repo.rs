use pipeline_proto::{ErrorCode, RepoName};
use serde_json::Value;

use super::{
    Members, NameRule, Resource, all, check_schema, group::check_group, known, refuse, region,
    text, transform,
};
use crate::{
    operations::Call,
    refusal::Refusal,
    state::{Id, Kind},
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

impl Resource for Repo {
    const KIND: Kind = Kind::Repo;
    const NAME: NameRule = (
        |name| RepoName::new(name).map(drop),
        ErrorCode::INVALID_REPO_NAME,
    );
    const EXISTS: ErrorCode = ErrorCode::REPO_EXISTS;
    const NOT_FOUND: ErrorCode = ErrorCode::REPO_NOT_FOUND;
    const MALFORMED: ErrorCode = ErrorCode::INVALID_REPO_MODE;
    const LIST: &'static str = "repos";

    fn made(call: &mut Call<'_, '_>, body: Members) -> Result<Members, Refusal> {
        let region = region(call, &body, ErrorCode::REPO_REGION_MISMATCH)?;
        check_schema(body.get("schema"), 0)?;
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
    fn changed(_: &mut Call<'_, '_>, body: Members, mut old: Members) -> Result<Members, Refusal> {
        check_schema(body.get("schema"), 0)?;
        check_types(&old, &body)?;
        old.extend(known(body, CHANGEABLE));
        Ok(old)
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
