use pipeline_graph::{Finding, Rule};
use pipeline_proto::{ErrorCode, resource::job_export::JobExportSpec};

use super::{
    Job, Made, Members, Resource, described,
    export::{judged, with_spec},
};
use crate::call::Call;

/// What writes the result of a job elsewhere.
pub(crate) struct JobExport;

impl Resource for JobExport {
    fn made(call: &mut Call<'_, '_>, body: Members) -> Made {
        let export = described(JobExportSpec::description(), body);
        judged::<Self, Job>(call, export, code)
    }

    /// A new spec of the same type.
    fn changed(call: &mut Call<'_, '_>, body: Members, old: Members) -> Made {
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
