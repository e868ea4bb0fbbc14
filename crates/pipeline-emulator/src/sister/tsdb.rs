//! Repos, series and views of TSDB, and the latest points.

use http::header;
use pipeline_proto::ErrorCode;
use serde_json::{Value, json};

use super::{
    Made, Members, Resource, Row as _, known, new, point::Point, read, refuse, remove_inside, text,
};
use crate::{
    call::{Call, Outcome, json, no_data},
    data::unpacked,
    date::{from_millis, rfc3339_millis, to_millis},
    id::{Id, Kind},
    item::Item,
    refusal::Refusal,
    resource::{
        asked,
        verbs::{id, is_deleted, present, sent},
    },
};

/// The member of a repo that holds its latest points, as pairs of when one came and its line, and how many.
const POINTS: &str = ".points";
const KEPT: usize = 1_000;

/// How long it takes until points are found, in milliseconds: the test of the vendor's Go SDK wants nothing of
/// those that it has just written.
const POINT_DELAY: u64 = 1_000;

/// How many points one query gives.
const MOST: usize = 10_000;

pub(crate) struct TsdbRepo;

impl Resource for TsdbRepo {
    fn made(call: &mut Call<'_, '_>, body: Members) -> Made {
        Ok(living(call, known(body, &["region", "metadata"])))
    }

    /// Its series and views go with it.
    fn deleted(call: &mut Call<'_, '_>, _: &Members) -> Result<(), Refusal> {
        remove_inside(call, &[Kind::TsdbSeries, Kind::TsdbView]);
        Ok(())
    }
}

/// Something that is not being deleted.
fn living(call: &Call<'_, '_>, members: Members) -> Members {
    let mut members = new(call, members);
    members.insert("deleting".to_owned(), "false".into());
    members
}

pub(crate) struct TsdbSeries;

impl Resource for TsdbSeries {
    fn made(call: &mut Call<'_, '_>, body: Members) -> Made {
        let mut series = living(call, known(body, &["retention", "metadata"]));
        series.insert("type".to_owned(), "1".into());
        Ok(series)
    }
}

pub(crate) struct TsdbView;

impl Resource for TsdbView {
    /// Nothing is computed.
    fn made(call: &mut Call<'_, '_>, body: Members) -> Made {
        Ok(living(call, known(body, &["sql", "retention", "metadata"])))
    }
}

/// Sets the metadata: the member of that name, or, from the Java SDK, the body itself.
pub(crate) fn describe<R: Resource>(call: &mut Call<'_, '_>) -> Outcome {
    let mut members = present::<R>(call)?;
    let body = sent::<R>(call)?;
    let metadata = match body.get("metadata") {
        Some(Value::Object(metadata)) => metadata.clone(),
        _ => body,
    };
    if !metadata.values().all(Value::is_string) {
        return refuse(R::MALFORMED, "metadata are texts by name");
    }
    members.insert("metadata".to_owned(), metadata.into());
    call.space.put(id::<R>(call), Item::Other(members));
    Ok(no_data())
}

pub(crate) fn undescribe<R: Resource>(call: &mut Call<'_, '_>) -> Outcome {
    let mut members = present::<R>(call)?;
    members.remove("metadata");
    call.space.put(id::<R>(call), Item::Other(members));
    Ok(no_data())
}

/// Points as lines. One that is none, or of a series that is not there, refuses them all.
pub(crate) fn write(call: &mut Call<'_, '_>) -> Outcome {
    let mut repo = present::<TsdbRepo>(call)?;
    let lines = unpacked(call)?;
    let now = to_millis(call.now.wall);
    let mut points = Vec::new();
    for (index, line) in lines.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let Some(point) = Point::parse(line) else {
            let detail = format!("line {} is no point such as cpu,host=a load=1i", index + 1);
            return refuse(ErrorCode::MALFORMED_ENTITY, detail);
        };
        let series = Id::new(
            Kind::TsdbSeries,
            &format!("{}/{}", call.names[0], point.series),
        );
        if call.space.get(&series).is_none_or(is_deleted) {
            return refuse(TsdbSeries::NOT_FOUND, format!("{:?}", point.series));
        }
        points.push(json!([now, line]));
    }
    if points.is_empty() {
        return refuse(ErrorCode::ENTITY_EMPTY, "send at least one point");
    }
    let kept = repo.entry(POINTS).or_insert_with(|| json!([]));
    if let Some(kept) = kept.as_array_mut() {
        kept.extend(points);
        let old = kept.len().saturating_sub(KEPT);
        kept.drain(..old);
    }
    call.space.put(id::<TsdbRepo>(call), Item::Other(repo));
    Ok(no_data())
}

/// `select * from cpu`, with a limit or without; an object without results where there are none. SQL is in the
/// query string of a GET, and the body of a POST or a member of it.
pub(crate) fn query(call: &mut Call<'_, '_>) -> Outcome {
    let repo = present::<TsdbRepo>(call)?;
    let sql = match (asked(call, "q"), call.headers.get(header::CONTENT_TYPE)) {
        (Some(sql), _) => sql,
        (None, Some(of)) if of.as_bytes().starts_with(b"text/plain") => unpacked(call)?,
        (None, _) => text(&read::<Members>(call.body)?, "sql").to_owned(),
    };
    let sql = sql.trim().trim_end_matches(';');
    let words: Vec<&str> = sql.split_whitespace().collect();
    let is = |at: usize, word: &str| {
        words
            .get(at)
            .is_some_and(|it| it.eq_ignore_ascii_case(word))
    };
    let limit = match words.len() {
        4 => Some(MOST),
        6 if is(4, "limit") => words[5].parse().ok().map(|limit: usize| limit.min(MOST)),
        _ => None,
    };
    let is_known = is(0, "select") && is(1, "*") && is(2, "from");
    let (true, Some(limit)) = (is_known, limit) else {
        let detail = format!(
            "{sql:?}; the emulator knows 'select * from a series', with a limit or without"
        );
        return refuse(ErrorCode::TSDB_INVALID_QUERY, detail);
    };
    let series = words[3].trim_matches('"');
    let now = to_millis(call.now.wall);
    let kept = repo.get(POINTS).and_then(Value::as_array);
    let settled = kept.into_iter().flatten().filter_map(|pair| {
        let came = pair.get(0)?.as_u64()?;
        let point = Point::parse(pair.get(1)?.as_str()?)?;
        let is_found = point.series == series && now >= came.saturating_add(POINT_DELAY);
        is_found.then_some((point.time_or(came), point))
    });
    let mut points: Vec<(i128, Point)> = settled.collect();
    points.sort_by_key(|(time, _)| *time);
    points.truncate(limit);
    if points.is_empty() {
        return Ok(no_data());
    }
    let mut columns: Vec<&String> = points.iter().flat_map(|(_, it)| it.values.keys()).collect();
    columns.sort();
    columns.dedup();
    let rows = points.iter().map(|(time, point)| {
        let millis = u64::try_from(time / 1_000_000).unwrap_or_default();
        let time = Value::from(rfc3339_millis(from_millis(millis)));
        let values = columns
            .iter()
            .map(|column| point.values.get(*column).cloned().unwrap_or_default());
        std::iter::once(time).chain(values).collect::<Value>()
    });
    let values: Vec<Value> = rows.collect();
    let columns: Vec<&str> = std::iter::once("time")
        .chain(columns.into_iter().map(String::as_str))
        .collect();
    json(
        &json!({ "results": [{ "series": [{ "name": series, "columns": columns, "values": values }] }] }),
    )
}
