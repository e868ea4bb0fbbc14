use pipeline_graph::{Finding, Rule};
use pipeline_proto::{ErrorCode, name::JobExportName, resource::job_export::JobExportSpec};

use super::{
    Job, Members, NameRule, Resource, check_inside, described,
    export::{judged, with_spec},
};
use crate::{call::Call, id::Kind, refusal::Refusal};

/// What writes the result of a job elsewhere.
pub(crate) struct JobExport;

impl Resource for JobExport {
    const KIND: Kind = Kind::JobExport;
    const NAMES: usize = 2;
    const NAME: NameRule = (
        |name| JobExportName::new(name).map(drop),
        ErrorCode::INVALID_JOB_EXPORT_NAME,
    );
    const EXISTS: ErrorCode = ErrorCode::JOB_EXPORT_EXISTS;
    const NOT_FOUND: ErrorCode = ErrorCode::JOB_EXPORT_NOT_FOUND;
    const MALFORMED: ErrorCode = ErrorCode::INVALID_JOB_EXPORT;
    const LIST: &'static str = "exports";

    fn check(call: &Call<'_, '_>) -> Result<(), Refusal> {
        check_inside::<Job, Self>(call)
    }

    fn made(call: &mut Call<'_, '_>, body: Members) -> Result<Members, Refusal> {
        let export = described(JobExportSpec::description(), body);
        judged::<Self, Job>(call, export, code)
    }

    /// A new spec of the same type.
    fn changed(call: &mut Call<'_, '_>, body: Members, old: Members) -> Result<Members, Refusal> {
        Self::made(call, with_spec(body, &old))
    }
}

pub(super) fn code(finding: &Finding) -> ErrorCode {
    match (finding.rule, finding.member().unwrap_or_default()) {
        (Rule::MissingMember | Rule::UnknownValue, "type") => ErrorCode::UNKNOWN_EXPORT_TYPE,
        (Rule::MissingMember, "delimiter") => ErrorCode::CSV_DELIMITER_MISSING,
        (Rule::MissingMember, "destRepoName") => ErrorCode::EXPORT_DESTINATION_EMPTY,
        (Rule::MalformedValue, "keyPrefix" | "path") => ErrorCode::INVALID_PATH,
        _ => ErrorCode::INVALID_JOB_EXPORT,
    }
}
