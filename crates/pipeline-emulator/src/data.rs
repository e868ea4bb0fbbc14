//! What is pushed into message queues: it is checked and counted, and the latest of it is kept.
//!
//! Points are read here by rules stated on their own, not by those of the client.

mod check;

use std::{collections::VecDeque, io::Read as _};

use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use flate2::read::MultiGzDecoder;
use http::{StatusCode, header};
use pipeline_proto::ErrorCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    body::too_large,
    call::{Call, Outcome, json, no_data},
    date::rfc3339_millis,
    id::{Id, Kind},
    item::{Item, Members},
    refusal::Refusal,
    resource::{Repo, asked, filling, verbs::members, with_schema_in_force},
};
use check::Line;
pub(crate) use check::{entry, value_fits};

/// How many records of a queue are kept, and how many bytes of them; all are counted.
const KEPT: usize = 100;
const KEPT_BYTES: usize = 256 * 1024;

/// How many records a sample shows at most.
const SAMPLE: usize = 10;

/// What a queue has been sent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Queue {
    /// How many records.
    pub(crate) records: u64,
    /// How many bytes of text, uncompressed.
    pub(crate) bytes: u64,
    /// The latest records, the oldest first: points as they came, and text that is none as `{"raw": …}`.
    latest: VecDeque<Value>,
}

impl Queue {
    pub(crate) fn of(members: &Members) -> Self {
        serde_json::from_value(members.clone().into()).unwrap_or_default()
    }

    fn add(&mut self, text: &str, records: Vec<Value>) {
        self.records += u64::try_from(records.len()).unwrap_or(u64::MAX);
        self.bytes += u64::try_from(text.len()).unwrap_or(u64::MAX);
        let old = records.len().saturating_sub(KEPT);
        self.latest.extend(records.into_iter().skip(old));
        let size = |record: &Value| {
            record
                .as_str()
                .map_or_else(|| record.to_string().len(), str::len)
        };
        let mut bytes: usize = self.latest.iter().map(size).sum();
        while self.latest.len() > KEPT || bytes > KEPT_BYTES {
            bytes -= self.latest.pop_front().as_ref().map_or(bytes, size);
        }
    }
}

pub(crate) fn push_points(call: &mut Call<'_, '_>) -> Outcome {
    let repo = queue(call)?;
    let text = unpacked(call)?;
    take_points(call, &repo, &text)
}

/// Lines are for parse rules, which are not applied.
pub(crate) fn push_lines(call: &mut Call<'_, '_>) -> Outcome {
    queue(call)?;
    tags(call)?;
    let text = utf8(call.body)?.to_owned();
    take_lines(call, &text)
}

/// Says what is wrong in the body of a success, as the service does.
pub(crate) fn push_raw(call: &mut Call<'_, '_>) -> Outcome {
    let pushed = queue(call).and_then(|repo| {
        let text = utf8(call.body)?.to_owned();
        let of_repo = repo.get("ruleNames").and_then(Value::as_array);
        let has_rules =
            of_repo.is_some_and(|rules| !rules.is_empty()) || asked(call, "rules").is_some();
        if has_rules {
            tags(call)?;
            take_lines(call, &text)
        } else {
            take_points(call, &repo, &text)
        }
    });
    let (code, message) = match pushed {
        Ok(_) => (StatusCode::OK, String::new()),
        Err(refusal) => (refusal.status, refusal.message),
    };
    json(&json!({ "code": code.as_u16(), "message": message }))
}

/// Some of the latest records, the oldest first.
pub(crate) fn sample(call: &mut Call<'_, '_>) -> Outcome {
    let repo = members::<Repo>(call)?;
    let count = match asked(call, "count") {
        None => SAMPLE,
        Some(count) => count
            .parse()
            .ok()
            .filter(|count| *count > 0)
            .ok_or_else(|| {
                Refusal::plain(
                    StatusCode::BAD_REQUEST,
                    "count is a number of records, from 1 to 10",
                )
            })?,
    };
    let latest = call
        .space
        .get(&id(call))
        .map(Queue::of)
        .unwrap_or_default()
        .latest;
    let skipped = latest.len().saturating_sub(count.min(SAMPLE));
    let records: Vec<Value> = latest
        .iter()
        .skip(skipped)
        .map(|record| as_record(&repo, record))
        .collect();
    json(&json!({ "records": records }))
}

/// A record as people see it, by the schema that its queue has now.
pub(crate) fn as_record(repo: &Members, record: &Value) -> Value {
    match record.as_str() {
        Some(point) => check::record(repo, point),
        None => record.clone(),
    }
}

fn id(call: &Call<'_, '_>) -> Id {
    Id::new(Kind::Data, &call.names[0])
}

/// The repo, if data may be pushed into it.
fn queue(call: &Call<'_, '_>) -> Result<Members, Refusal> {
    let repo = members::<Repo>(call)?;
    match filling(call, &call.names[0]) {
        Some(transform) => {
            let detail = format!("it is filled by the transform {transform:?}");
            Err(Refusal::code(ErrorCode::DESTINATION_REPO_READ_ONLY, detail))
        }
        None => Ok(with_schema_in_force(call, repo)),
    }
}

fn take_points(call: &mut Call<'_, '_>, repo: &Members, text: &str) -> Outcome {
    let tags = tags(call)?;
    let received = repo
        .get("options")
        .and_then(|options| options.get("withTimestamp")?.as_str())
        .filter(|name| !name.is_empty())
        .map(|name| {
            let now = rfc3339_millis(call.rules.clock_offset.apply(call.now.wall));
            format!("\t{name}={now}")
        });
    let mut records = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        // A push may end in a line feed or not.
        if !line.is_empty() {
            let line = Line {
                number: index + 1,
                text: line,
            };
            let tagged = line.check(repo, tags.as_deref())?;
            records.push((tagged + received.as_deref().unwrap_or_default()).into());
        }
    }
    take(call, text, records)
}

fn take_lines(call: &mut Call<'_, '_>, text: &str) -> Outcome {
    let lines = text.lines().filter(|line| !line.is_empty());
    let records = lines.map(|line| json!({ "raw": line })).collect();
    take(call, text, records)
}

fn take(call: &mut Call<'_, '_>, text: &str, records: Vec<Value>) -> Outcome {
    if records.is_empty() {
        return Err(Refusal::code(
            ErrorCode::ENTITY_EMPTY,
            "send at least one line",
        ));
    }
    if call.rules.deliver {
        call.pushed.clone_from(&records);
    }
    let id = id(call);
    let mut queue = call.space.get(&id).map(Queue::of).unwrap_or_default();
    queue.add(text, records);
    let Ok(Value::Object(members)) = serde_json::to_value(queue) else {
        return Err(Refusal::code(
            ErrorCode::INTERNAL_ERROR,
            "counts are numbers",
        ));
    };
    call.space.put(id, Item::Other(members));
    Ok(no_data())
}

/// The body as it was before it was compressed, up to the size that a body may have. gzip is known for
/// points only.
pub(crate) fn unpacked(call: &Call<'_, '_>) -> Result<String, Refusal> {
    let coding = call.headers.get(header::CONTENT_ENCODING);
    let coding = coding.map_or(&b""[..], |value| value.as_bytes());
    let unreadable = |detail: String| Refusal::code(ErrorCode::UNREADABLE_GZIP_BODY, detail);
    match coding {
        b"" | b"identity" => utf8(call.body).map(str::to_owned),
        b"gzip" => {
            let mut unpacked = Vec::new();
            let most = u64::try_from(call.max_body).unwrap_or(u64::MAX);
            MultiGzDecoder::new(call.body)
                .take(most.saturating_add(1))
                .read_to_end(&mut unpacked)
                .map_err(|error| unreadable(error.to_string()))?;
            if unpacked.len() > call.max_body {
                return Err(too_large(call.max_body));
            }
            utf8(&unpacked).map(str::to_owned)
        }
        other => Err(unreadable(format!(
            "gzip is known, {:?} is not",
            String::from_utf8_lossy(other)
        ))),
    }
}

fn utf8(body: &[u8]) -> Result<&str, Refusal> {
    std::str::from_utf8(body).map_err(|error| {
        let lines = body[..error.valid_up_to()].split(|byte| *byte == b'\n');
        let line = lines.count();
        Refusal::code(
            ErrorCode::MALFORMED_ENTITY,
            format!("line {line} is not UTF-8"),
        )
    })
}

/// The point that the tags of a push are; none if there are none.
fn tags(call: &Call<'_, '_>) -> Result<Option<String>, Refusal> {
    let Some(encoded) = asked(call, "tags") else {
        return Ok(None);
    };
    let point = URL_SAFE.decode(encoded).ok();
    let point = point.and_then(|bytes| String::from_utf8(bytes).ok());
    let is_point = |point: &String| point.split('\t').all(|field| field.find('=') > Some(0));
    point.filter(is_point).map(Some).ok_or_else(|| {
        let detail = "they are one point in padded base64 for URLs";
        Refusal::code(ErrorCode::UNREADABLE_TAGS, detail)
    })
}

#[cfg(test)]
mod tests;
