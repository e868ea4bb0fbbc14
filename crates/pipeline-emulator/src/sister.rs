//! LogDB, TSDB and the report service, as far as the vendor's programs and the tests of its SDKs call these:
//! definitions are kept as they were sent, and the latest records, to be queried in the ways of those tests.

pub(crate) mod logdb;
mod point;
mod query;
pub(crate) mod report;
pub(crate) mod tsdb;

use pipeline_proto::ErrorCode;
use serde::de::DeserializeOwned;

use crate::{
    body,
    call::Call,
    date::rfc3339,
    item::Members,
    refusal::Refusal,
    resource::{Made, Resource, Row, check_name, known, refuse, remove_inside, rows, text},
};

use logdb::LogdbRepo;
use report::{ReportDatabase, ReportTable};
use tsdb::{TsdbRepo, TsdbSeries, TsdbView};

rows! {
    LogdbRepo, named LogdbRepoName or INVALID_REPO_NAME:
        LOGDB_REPO_EXISTS, LOGDB_REPO_NOT_FOUND, MALFORMED_ENTITY, "repos";
    ReportDatabase, named RepoName or REPORT_INVALID_DATABASE_NAME:
        REPORT_INVALID_PARAMETER, REPORT_NO_SUCH_DATABASE, MALFORMED_ENTITY, "";
    ReportTable in ReportDatabase, named RepoName or REPORT_INVALID_DATABASE_NAME:
        REPORT_INVALID_PARAMETER, REPORT_NO_SUCH_TABLE, MALFORMED_ENTITY, "";
    TsdbRepo, named RepoName or INVALID_REPO_NAME:
        TSDB_REPO_EXISTS, TSDB_REPO_NOT_FOUND, MALFORMED_ENTITY, "";
    TsdbSeries in TsdbRepo, named SeriesName or INVALID_REPO_NAME:
        TSDB_SERIES_EXISTS, TSDB_NO_SUCH_SERIES, MALFORMED_ENTITY, "";
    TsdbView in TsdbRepo, named SeriesName or INVALID_REPO_NAME:
        TSDB_VIEW_EXISTS, TSDB_NO_SUCH_VIEW, MALFORMED_ENTITY, "";
}

fn new(call: &Call<'_, '_>, mut members: Members) -> Members {
    let name = call.names.last().map_or("", String::as_str);
    members.insert("name".to_owned(), name.into());
    for time in ["createTime", "updateTime"] {
        members.insert(time.to_owned(), now(call).into());
    }
    members
}

fn now(call: &Call<'_, '_>) -> String {
    rfc3339(call.rules.clock_offset.apply(call.now.wall))
}

/// Reads a JSON object, which has nothing to do with workflows.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let (from, to) = (ErrorCode::MALFORMED_WORKFLOW, ErrorCode::MALFORMED_ENTITY);
    body::read(body).map_err(|error| error.recoded(from, to))
}
