use pipeline_graph::{Finding, Rule};
use pipeline_proto::{ErrorCode, resource::datasource::DatasourceSpec};
use serde_json::{Value, json};

use super::{
    Judged, Made, Members, Resource, described, known, refuse, region, repo, text, variable,
    verbs::sent,
};
use crate::{
    call::{Call, Outcome, json},
    id::Kind,
    refusal::Refusal,
};

/// Files that jobs read. Nobody looks whether there are any.
pub(crate) struct Datasource;

impl Resource for Datasource {
    fn made(call: &mut Call<'_, '_>, body: Members) -> Made {
        let region = region(call, &body, ErrorCode::REPO_REGION_MISMATCH)?;
        check(call, &body)?;
        let workflow = text(&body, "workflow").to_owned();
        let mut datasource = known(body, &["type", "spec", "schema"]);
        datasource.insert("region".to_owned(), region.into());
        datasource.insert("fromDag".to_owned(), (!workflow.is_empty()).into());
        datasource.insert("workflow".to_owned(), workflow.into());
        Ok(datasource)
    }

    /// Fields may be added, but neither removed nor given another type.
    fn changed(call: &mut Call<'_, '_>, body: Members, mut old: Members) -> Made {
        let before = old.clone();
        old.extend(known(body, &["spec", "schema"]));
        check(call, &old)?;
        check_fields_stay(&before, &old)?;
        Ok(old)
    }
}

pub(super) fn check_fields_stay(old: &Members, new: &Members) -> Result<(), Refusal> {
    repo::check_types(old, new)?;
    let types: Vec<_> = repo::types(new).collect();
    match repo::types(old).find(|field| !types.contains(field)) {
        Some((lost, _)) => {
            let detail = format!("the field {lost:?} cannot go");
            refuse(ErrorCode::INCOMPATIBLE_SCHEMA, detail)
        }
        None => Ok(()),
    }
}

fn check(call: &Call<'_, '_>, datasource: &Members) -> Result<(), Refusal> {
    if !datasource.get("schema").is_some_and(Value::is_array) {
        return refuse(ErrorCode::SCHEMA_EMPTY, "give at least one field");
    }
    Judged::new(Kind::Datasource, &call.names[0], datasource)?.check(|it| Some(code(it)))?;
    check_variables(call, datasource)
}

/// Logs of the content delivery network are found by times, so that a text cannot stand there.
pub(super) fn check_variables(call: &Call<'_, '_>, datasource: &Members) -> Result<(), Refusal> {
    if text(datasource, "type") != "fusion" {
        return Ok(());
    }
    for name in variable::names(&datasource.get("spec").unwrap_or(&Value::Null).to_string()) {
        match variable::kind(call, name).as_deref() {
            None => {
                return refuse(
                    ErrorCode::UNDEFINED_VARIABLE_IN_CDN_PATH,
                    format!("{name:?}"),
                );
            }
            Some("time") => {}
            Some(_) => return refuse(ErrorCode::STRING_VARIABLE_IN_CDN_PATH, format!("{name:?}")),
        }
    }
    Ok(())
}

pub(super) fn code(finding: &Finding) -> ErrorCode {
    match (finding.rule, finding.member().unwrap_or_default()) {
        (Rule::SchemaEmpty, _) => ErrorCode::SCHEMA_EMPTY,
        (Rule::SchemaKey, _) => ErrorCode::INVALID_FIELD_NAME,
        (Rule::SchemaDuplicateKey, _) => ErrorCode::INVALID_DATE_OR_DUPLICATE_FIELD,
        (Rule::SchemaValtype, _) => ErrorCode::UNKNOWN_FIELD_TYPE,
        (Rule::MissingMember, "delimiter") => ErrorCode::CSV_DELIMITER_MISSING,
        (Rule::MalformedValue, "keyPrefixes") => ErrorCode::INVALID_PATH,
        (Rule::OutOfRange, "fileFilter") => ErrorCode::INVALID_FILE_FILTER,
        _ => ErrorCode::MALFORMED_BATCH,
    }
}

/// The schema of files: of texts it is known, of others if a datasource reads the same files.
pub(crate) fn retrieve_schema(call: &mut Call<'_, '_>) -> Outcome {
    let asked = described(DatasourceSpec::description(), sent::<Datasource>(call)?);
    Judged::new(Kind::Datasource, "files", &asked)?.check(|it| Some(code(it)))?;
    check_variables(call, &asked)?;
    if asked["spec"]["fileType"] == "text" {
        let field = json!({"key": "text", "valtype": "string", "required": false});
        return json(&json!({ "schema": [field] }));
    }
    let mut same = call.space.others(Kind::Datasource, "");
    let same = same.find(|(_, it)| {
        ["type", "spec"]
            .iter()
            .all(|name| it.get(*name) == asked.get(*name))
    });
    match same {
        Some((_, datasource)) => json(&json!({ "schema": datasource.get("schema") })),
        None => refuse(
            ErrorCode::DATASOURCE_HAS_NO_FILES,
            "the emulator has no files: create a datasource that reads these, and it has their schema",
        ),
    }
}
