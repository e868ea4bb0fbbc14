//! Repos of LogDB, and repos and series of TSDB: what clients look for and make in the two sister services
//! before they make an export there. They are kept as they were sent, and hold no records.

use pipeline_proto::{
    ErrorCode, RepoName,
    name::{LogdbRepoName, SeriesName},
};

use super::{Members, NameRule, Resource, known, parent};
use crate::{
    call::Call,
    date::rfc3339,
    id::{Id, Kind},
    refusal::Refusal,
};

pub(crate) struct LogdbRepo;

#[rustfmt::skip]
const OF_LOGDB: &[&str] = &[
    "region", "retention", "coldRetention", "schema", "fullText", "description", "primaryField", "dateIndexField",
];

impl Resource for LogdbRepo {
    const KIND: Kind = Kind::LogdbRepo;
    const NAME: NameRule = (
        |name| LogdbRepoName::new(name).map(drop),
        ErrorCode::INVALID_REPO_NAME,
    );
    const EXISTS: ErrorCode = ErrorCode::LOGDB_REPO_EXISTS;
    const NOT_FOUND: ErrorCode = ErrorCode::LOGDB_REPO_NOT_FOUND;
    const MALFORMED: ErrorCode = ErrorCode::MALFORMED_ENTITY;
    const LIST: &'static str = "repos";

    fn made(call: &mut Call<'_, '_>, body: Members) -> Result<Members, Refusal> {
        Ok(new(call, known(body, OF_LOGDB)))
    }

    /// What is not sent stays.
    fn changed(
        call: &mut Call<'_, '_>,
        body: Members,
        mut old: Members,
    ) -> Result<Members, Refusal> {
        old.extend(known(body, OF_LOGDB));
        old.insert("updateTime".to_owned(), now(call).into());
        Ok(old)
    }
}

pub(crate) struct TsdbRepo;

impl Resource for TsdbRepo {
    const KIND: Kind = Kind::TsdbRepo;
    const NAME: NameRule = (
        |name| RepoName::new(name).map(drop),
        ErrorCode::INVALID_REPO_NAME,
    );
    const EXISTS: ErrorCode = ErrorCode::TSDB_REPO_EXISTS;
    const NOT_FOUND: ErrorCode = ErrorCode::TSDB_REPO_NOT_FOUND;
    const MALFORMED: ErrorCode = ErrorCode::MALFORMED_ENTITY;
    const LIST: &'static str = "repos";

    fn made(call: &mut Call<'_, '_>, body: Members) -> Result<Members, Refusal> {
        Ok(new(call, known(body, &["region", "metadata"])))
    }

    /// Its series go with it.
    fn deleted(call: &mut Call<'_, '_>, _: &Members) -> Result<(), Refusal> {
        let inside = format!("{}/", call.names[0]);
        let series = call.space.others(Kind::TsdbSeries, &inside);
        let paths: Vec<_> = series.map(|(name, _)| format!("{inside}{name}")).collect();
        for path in paths {
            call.space.remove(&Id::new(Kind::TsdbSeries, &path));
        }
        Ok(())
    }
}

/// They are only made.
pub(crate) struct TsdbSeries;

impl Resource for TsdbSeries {
    const KIND: Kind = Kind::TsdbSeries;
    const NAMES: usize = 2;
    const NAME: NameRule = (
        |name| SeriesName::new(name).map(drop),
        ErrorCode::INVALID_REPO_NAME,
    );
    const EXISTS: ErrorCode = ErrorCode::TSDB_SERIES_EXISTS;
    const NOT_FOUND: ErrorCode = ErrorCode::TSDB_REPO_NOT_FOUND;
    const MALFORMED: ErrorCode = ErrorCode::MALFORMED_ENTITY;
    const LIST: &'static str = "series";

    fn check(call: &Call<'_, '_>) -> Result<(), Refusal> {
        parent::<TsdbRepo>(call)?;
        super::check_name::<Self>(&call.names[1])
    }

    fn made(call: &mut Call<'_, '_>, body: Members) -> Result<Members, Refusal> {
        Ok(new(call, known(body, &["retention", "metadata"])))
    }
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
