use pipeline_graph::{Finding, Rule};
use pipeline_proto::{ErrorCode, name::ExportName, resource::export::ExportSpec};

use super::{Judged, Members, NameRule, Repo, Resource, check_name, described, parent, text};
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
        let export = described(ExportSpec::description(), body);
        let mut export = judged::<Self, Repo>(call, export, code)?;
        export.insert("name".to_owned(), call.names[1].as_str().into());
        Ok(export)
    }

    /// A new spec of the same type. Where the export begins stays as well.
    fn changed(
        call: &mut Call<'_, '_>,
        body: Members,
        mut old: Members,
    ) -> Result<Members, Refusal> {
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
    let mut judged = Judged::new(R::KIND, &call.names[1], &export)?;
    judged.reads(&judged.id(), Source::KIND, &call.names[0], &source)?;
    judged.check(code)?;
    export.insert("workflow".to_owned(), text(&source, "workflow").into());
    Ok(export)
}

/// The body of an update with what cannot be changed.
pub(super) fn with_spec(mut body: Members, old: &Members) -> Members {
    body.retain(|name, _| name == "spec");
    for kept in ["type", "whence"] {
        body.extend(old.get(kept).map(|value| (kept.to_owned(), value.clone())));
    }
    body
}

fn code(finding: &Finding) -> ErrorCode {
    match (finding.rule, finding.member().unwrap_or_default()) {
        (Rule::UnknownField, _) => ErrorCode::FIELD_NOT_IN_REPO,
        (Rule::MissingMember | Rule::UnknownValue, "type") => ErrorCode::UNKNOWN_EXPORT_TYPE,
        (Rule::MissingMember, "delimiter") => ErrorCode::CSV_DELIMITER_MISSING,
        (Rule::MissingMember, "destRepoName") => ErrorCode::EXPORT_DESTINATION_EMPTY,
        (Rule::OutOfRange, "rotateSize") => ErrorCode::ROTATE_SIZE_TOO_LARGE,
        _ => ErrorCode::INVALID_EXPORT,
    }
}
