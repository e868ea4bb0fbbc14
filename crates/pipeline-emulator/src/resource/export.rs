use pipeline_graph::Rule;
use pipeline_proto::{ErrorCode, model::NodeType, name::ExportName, resource::export::ExportSpec};

use super::{
    Judged, Members, NameRule, Repo, Resource, check_idle, check_name, described, parent, refuse,
    text,
};
use crate::{operations::Call, refusal::Refusal, state::Kind};

/// What writes the records of a repo elsewhere. Where that is, nobody looks.
pub(crate) struct Export;

impl Resource for Export {
    const KIND: Kind = Kind::Export;
    const NAMES: usize = 2;
    const NAME: NameRule = (
        |name| ExportName::new(name).map(drop),
        ErrorCode::INVALID_EXPORT,
    );
    const EXISTS: ErrorCode = ErrorCode::EXPORT_EXISTS;
    const NOT_FOUND: ErrorCode = ErrorCode::EXPORT_NOT_FOUND;
    const MALFORMED: ErrorCode = ErrorCode::INVALID_EXPORT;
    const LIST: &'static str = "exports";

    fn check(call: &Call<'_, '_>) -> Result<(), Refusal> {
        parent::<Repo>(call)?;
        call.names
            .get(1)
            .map_or(Ok(()), |name| check_name::<Self>(name))
    }

    fn made(call: &mut Call<'_, '_>, body: Members) -> Result<Members, Refusal> {
        let mut export = described(ExportSpec::description(), body);
        let repo = parent::<Repo>(call)?.clone();
        check_idle(call, &repo)?;
        Judged::new(NodeType::Export, &call.names[1], &export)?
            .reads(NodeType::Repo, &call.names[0], &repo)?
            .check(code)?;
        export.insert("name".to_owned(), call.names[1].as_str().into());
        export.insert("workflow".to_owned(), text(&repo, "workflow").into());
        Ok(export)
    }

    /// A new spec of the same type. Where the export begins stays as well.
    fn changed(
        call: &mut Call<'_, '_>,
        mut body: Members,
        mut old: Members,
    ) -> Result<Members, Refusal> {
        body.retain(|name, _| name == "spec");
        for kept in ["type", "whence"] {
            body.extend(old.get(kept).map(|value| (kept.to_owned(), value.clone())));
        }
        old.extend(Self::made(call, body)?);
        Ok(old)
    }
}

fn code(rule: Rule, member: &str) -> ErrorCode {
    match (rule, member) {
        (Rule::UnknownField, _) => ErrorCode::FIELD_NOT_IN_REPO,
        (Rule::MissingMember | Rule::UnknownValue, "type") => ErrorCode::UNKNOWN_EXPORT_TYPE,
        (Rule::MissingMember, "delimiter") => ErrorCode::CSV_DELIMITER_MISSING,
        (Rule::MissingMember, "destRepoName") => ErrorCode::EXPORT_DESTINATION_EMPTY,
        (Rule::OutOfRange, "rotateSize") => ErrorCode::ROTATE_SIZE_TOO_LARGE,
        _ => ErrorCode::INVALID_EXPORT,
    }
}

pub(super) fn check_none_reads(call: &Call<'_, '_>, repo: &str) -> Result<(), Refusal> {
    let inside = format!("{repo}/");
    match call.space.others(Kind::Export, &inside).next() {
        Some((name, _)) => refuse(
            ErrorCode::REPO_HAS_DEPENDENTS,
            format!("the export {name:?} reads from {repo:?}"),
        ),
        None => Ok(()),
    }
}
