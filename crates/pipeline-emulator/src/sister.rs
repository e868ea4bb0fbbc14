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
    resource::{NameRule, Resource, check_inside, check_name, known, refuse, remove_inside, text},
};

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
