use http::Uri;
use pipeline_graph::{Finding, Rule};
use pipeline_proto::{ErrorCode, RepoName, resource::export::ExportSpec};
use serde_json::{Map, Value};

use super::{Judged, Made, Members, Repo, Resource, described, parent, refuse, repo, text};
use crate::{call::Call, id::Id, refusal::Refusal};

/// What writes the records of a repo elsewhere. Where that is, nobody looks.
pub(crate) struct Export;

impl Resource for Export {
    fn made(call: &mut Call<'_, '_>, body: Members) -> Made {
        let export = described(ExportSpec::description(), body);
        let mut export = judged::<Self, Repo>(call, export, code)?;
        export.insert("name".to_owned(), call.names[1].as_str().into());
        Ok(export)
    }

    /// A new spec of the same type. Where the export begins stays as well.
    fn changed(call: &mut Call<'_, '_>, body: Members, mut old: Members) -> Made {
        let body = with_spec(body, &old);
        old.extend(Self::made(call, body)?);
        Ok(old)
    }
}

/// An export of something, which is checked with what it reads from and belongs to the workflow of that.
pub(super) fn judged<R: Resource, Source: Resource>(
    call: &mut Call<'_, '_>,
    mut export: Members,
    code: fn(&Finding) -> ErrorCode,
) -> Result<Members, Refusal> {
    let source = parent::<Source>(call)?.clone();
    check_target(&export, &source)?;
    let mut judged = Judged::new(R::KIND, &call.names[1], &export)?;
    let id = Id::new(R::KIND, &call.names[1]).node_id();
    judged.reads(&id, Source::KIND, &call.names[0], &source)?;
    judged.check(|finding| Some(code(finding)))?;
    export.insert("workflow".to_owned(), text(&source, "workflow").into());
    Ok(export)
}

/// Looks at what the description of a target does not speak of: names and references in it.
pub(super) fn check_target(export: &Members, source: &Members) -> Result<(), Refusal> {
    let Some(spec) = export.get("spec").and_then(Value::as_object) else {
        return Ok(());
    };
    for mapping in ["fields", "doc", "tags", "columns", "timestamp"] {
        check_mapping(spec.get(mapping).unwrap_or(&Value::Null))?;
    }
    match text(export, "type") {
        "http" => check_url(spec),
        "tsdb" => {
            let tags = spec.get("tags").and_then(Value::as_object);
            let is_name = |tag: &&String| RepoName::new(tag.as_str()).is_ok();
            if let Some(tag) = tags.into_iter().flat_map(Map::keys).find(|it| !is_name(it)) {
                return refuse(ErrorCode::INVALID_TSDB_TAG, format!("{tag:?}"));
            }
            check_timestamp(text(spec, "timestamp"), source)
        }
        "kodo" if text(spec, "keyPrefix").contains(['\\', '<', '>']) => {
            refuse(ErrorCode::INVALID_KEY_PREFIX, text(spec, "keyPrefix"))
        }
        _ => Ok(()),
    }
}

/// What begins with `#` is the name of a field; all else stands for itself.
fn check_mapping(mapping: &Value) -> Result<(), Refusal> {
    match mapping {
        Value::Object(members) => {
            if members.contains_key("") {
                return refuse(ErrorCode::EXPORT_FIELD_EMPTY, "a target has no name");
            }
            members.values().try_for_each(check_mapping)
        }
        Value::String(text) => match text.strip_prefix('#') {
            Some("") => refuse(ErrorCode::SOURCE_FIELD_EMPTY, "there is no name behind '#'"),
            Some(field) if field.split('.').any(|name| RepoName::new(name).is_err()) => {
                refuse(ErrorCode::INVALID_SOURCE_FIELD, format!("{text:?}"))
            }
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

fn check_url(spec: &Members) -> Result<(), Refusal> {
    match (text(spec, "host"), text(spec, "uri")) {
        ("", _) | (_, "") => Ok(()),
        (host, uri) => match url(host, uri) {
            Some(_) => Ok(()),
            None => refuse(
                ErrorCode::INVALID_EXPORT_URL,
                format!("{host:?} and {uri:?}"),
            ),
        },
    }
}

/// Where an `http` export goes.
pub(crate) fn url(host: &str, uri: &str) -> Option<Uri> {
    let scheme = if host.contains("://") { "" } else { "http://" };
    let slash = if uri.starts_with('/') { "" } else { "/" };
    let url: Uri = format!("{scheme}{}{slash}{uri}", host.trim_end_matches('/'))
        .parse()
        .ok()?;
    let is_known = matches!(url.scheme_str(), Some("http" | "https"));
    url.host().filter(|host| is_known && !host.is_empty())?;
    Some(url)
}

/// A time is read from a field, and from one that can hold a time.
fn check_timestamp(timestamp: &str, source: &Members) -> Result<(), Refusal> {
    let Some(field) = timestamp.strip_prefix('#') else {
        return match timestamp {
            "" => Ok(()),
            _ => refuse(
                ErrorCode::SOURCE_FIELD_PREFIX_MISSING,
                format!("{timestamp:?}"),
            ),
        };
    };
    match repo::types(source).find(|(key, _)| *key == field) {
        Some((_, kind)) if !matches!(kind, "long" | "string" | "date") => {
            let detail = format!("{field:?} is {kind:?}");
            refuse(ErrorCode::EXPORT_FIELD_TYPE_MISMATCH, detail)
        }
        _ => Ok(()),
    }
}

/// The body of an update with what cannot be changed.
pub(super) fn with_spec(mut body: Members, old: &Members) -> Members {
    body.retain(|name, _| name == "spec");
    for kept in ["type", "whence"] {
        body.extend(old.get(kept).map(|value| (kept.to_owned(), value.clone())));
    }
    body
}

pub(super) fn code(finding: &Finding) -> ErrorCode {
    match (finding.rule, finding.member().unwrap_or_default()) {
        (Rule::UnknownField, _) => ErrorCode::FIELD_NOT_IN_REPO,
        (Rule::MissingMember | Rule::UnknownValue, "type") => ErrorCode::UNKNOWN_EXPORT_TYPE,
        (Rule::MissingMember, "delimiter") => ErrorCode::CSV_DELIMITER_MISSING,
        (Rule::MissingMember, "destRepoName") => ErrorCode::EXPORT_DESTINATION_EMPTY,
        (Rule::OutOfRange, "rotateSize") => ErrorCode::ROTATE_SIZE_TOO_LARGE,
        _ => ErrorCode::INVALID_EXPORT,
    }
}
