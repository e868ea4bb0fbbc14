//! Repos of LogDB and their logs. There is no index: a search looks at each of the logs that are kept.

use std::{collections::BTreeMap, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use pipeline_proto::ErrorCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Made, Members, Resource, Row as _, check_name, known, new, now,
    query::{Query, millis, sort},
    read, text,
};
use crate::{
    body,
    call::{Call, Outcome, json},
    data::{entry, unpacked, value_fits},
    id::Id,
    item::Item,
    refusal::Refusal,
    resource::{
        asked,
        verbs::{id, members},
    },
};

pub(crate) struct LogdbRepo;

#[rustfmt::skip]
const OF_LOGDB: &[&str] = &[
    "region", "retention", "coldRetention", "schema", "fullText", "description", "primaryField", "dateIndexField",
];

/// The member of a repo that holds its latest logs, and how many logs and bytes these are at most.
const LOGS: &str = ".logs";
const KEPT: usize = 1_000;
const KEPT_BYTES: usize = 1024 * 1024;

/// How many logs a search gives that does not say, and how many buckets a histogram has at most.
const SIZE: usize = 10;
const BUCKETS: u64 = 60;

impl Resource for LogdbRepo {
    fn made(call: &mut Call<'_, '_>, body: Members) -> Made {
        Ok(new(call, known(body, OF_LOGDB)))
    }

    /// What is not sent stays.
    fn changed(call: &mut Call<'_, '_>, body: Members, mut old: Members) -> Made {
        old.extend(known(body, OF_LOGDB));
        old.insert("updateTime".to_owned(), now(call).into());
        Ok(old)
    }
}

/// One log or an array of them. Those that do not fit the schema refuse the lot, unless they are to be left out.
pub(crate) fn send(call: &mut Call<'_, '_>) -> Outcome {
    let mut repo = members::<LogdbRepo>(call)?;
    let text = unpacked(call)?;
    let malformed = |detail: String| Refusal::code(ErrorCode::MALFORMED_ENTITY, detail);
    if body::depth(&text) > body::MAX_DEPTH {
        let detail = format!("it is nested more than {} levels deep", body::MAX_DEPTH);
        return Err(malformed(detail));
    }
    let logs = match serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))? {
        Value::Array(logs) => logs,
        log => vec![log],
    };
    let omits = asked(call, "omitInvalidLog").is_some_and(|omits| omits == "true");
    let total = logs.len();
    let mut taken = Vec::new();
    for (index, log) in logs.into_iter().enumerate() {
        match misfit(&repo, &log) {
            None => taken.push(log),
            Some(_) if omits => {}
            Some(detail) => {
                let detail = format!("log {}: {detail}", index + 1);
                return Err(Refusal::code(ErrorCode::LOGDB_LOG_MISMATCH, detail));
            }
        }
    }
    let success = taken.len();
    keep(&mut repo, taken);
    call.space.put(id::<LogdbRepo>(call), Item::Other(repo));
    json(&json!({ "success": success, "failed": total - success, "total": total }))
}

/// What of a log is not as the schema has it.
fn misfit(repo: &Members, log: &Value) -> Option<String> {
    let Some(log) = log.as_object() else {
        return Some("it is no JSON object".to_owned());
    };
    log.iter().find_map(|(key, value)| {
        let Some(entry) = entry(repo.get("schema"), key) else {
            return Some(format!("there is no field {key:?}"));
        };
        // An array is declared as what is in it, and a date may be a number of milliseconds.
        let fits = |value: &Value| {
            value.is_null()
                || text(entry, "valtype") == "date" && value.is_u64()
                || value_fits(entry, value)
        };
        let fit = match value {
            Value::Array(values) => values.iter().all(fits),
            value => fits(value),
        };
        (!fit).then(|| format!("the field {key:?} is {:?}", text(entry, "valtype")))
    })
}

fn keep(repo: &mut Members, logs: Vec<Value>) {
    let kept = repo.entry(LOGS).or_insert_with(|| json!([]));
    let Some(kept) = kept.as_array_mut() else {
        return;
    };
    kept.extend(logs);
    let mut bytes = 0;
    let fitting = kept.iter().rev().take(KEPT).take_while(|log| {
        bytes += log.to_string().len();
        bytes <= KEPT_BYTES
    });
    let old = kept.len() - fitting.count();
    kept.drain(..old);
}

/// A search, in the words of the POST; those of the GET and of the other searches are made into these.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Search {
    query: Option<String>,
    sort: Option<String>,
    from: usize,
    size: usize,
    scroll: Option<String>,
    start_time: u64,
    end_time: u64,
    default_operator: Option<String>,
    highlight: Option<Highlight>,
    /// The only ones that are shown, with commas between them.
    fields: Option<String>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Highlight {
    pre_tags: Vec<String>,
    post_tags: Vec<String>,
    fields: Members,
}

impl Search {
    fn query(&self) -> Result<Query, Refusal> {
        let operator = self.default_operator.as_deref().unwrap_or_default();
        let all = operator.eq_ignore_ascii_case("and");
        Query::parse(self.query.as_deref().unwrap_or_default(), all)
    }

    /// All that are found, in the order that is asked for.
    fn found(&self, repo: &Members, query: &Query) -> Vec<Value> {
        let date = date_field(repo, self.sort.as_deref());
        let (from, to) = (self.start_time, self.end_time);
        let is_in_time = |log: &Members| {
            let at = date.as_deref().and_then(|date| millis(log.get(date)?));
            (from, to) == (0, 0) || at.is_some_and(|at| from <= at && (to == 0 || at <= to))
        };
        let logs = repo.get(LOGS).and_then(Value::as_array);
        let logs = logs.into_iter().flatten().filter_map(Value::as_object);
        let found = logs.filter(|log| is_in_time(log) && query.matches(repo, log));
        let mut found: Vec<Members> = found.cloned().collect();
        sort(repo, &mut found, self.sort.as_deref().unwrap_or_default());
        found.into_iter().map(Value::Object).collect()
    }

    /// One page, and what the next one is asked for by, which is the search itself: nothing is held open.
    fn page(mut self, repo: &Members) -> Outcome {
        let query = self.query()?;
        let found = self.found(repo, &query);
        let size = if self.size == 0 { SIZE } else { self.size };
        let total = found.len();
        let mut data: Vec<Value> = found.into_iter().skip(self.from).take(size).collect();
        if let Some(highlight) = &self.highlight {
            let tag = |tags: &[String], usual: &str| {
                tags.first().cloned().unwrap_or_else(|| usual.to_owned())
            };
            let (pre, post) = (&highlight.pre_tags, &highlight.post_tags);
            let tags = [tag(pre, "<em>"), tag(post, "</em>")];
            let fields = |field: &str| highlight.fields.contains_key(field);
            for log in &mut data {
                mark(log, &query, fields, &tags);
            }
        }
        if let Some(fields) = self.fields.as_deref().filter(|it| !it.is_empty()) {
            let is_shown = |field: &str| fields.split(',').any(|it| it.trim() == field);
            for log in data.iter_mut().filter_map(Value::as_object_mut) {
                log.retain(|field, _| field == "highlight" || is_shown(field));
            }
        }
        let mut page = json!({ "total": total, "partialSuccess": false, "data": data });
        if self.scroll.as_deref().is_some_and(|it| !it.is_empty()) {
            self.from = self.from.saturating_add(size);
            let next = serde_json::to_vec(&self).map_err(internal)?;
            page["scroll_id"] = URL_SAFE.encode(next).into();
        }
        json(&page)
    }
}

fn internal(error: serde_json::Error) -> Refusal {
    Refusal::code(ErrorCode::INTERNAL_ERROR, error)
}

/// What was found is shown once more between two marks.
fn mark(log: &mut Value, query: &Query, of: impl Fn(&str) -> bool, [pre, post]: &[String; 2]) {
    let Some(log) = log.as_object_mut() else {
        return;
    };
    let marked = log.iter().filter(|(field, _)| of(field));
    let marked: Members = marked
        .filter_map(|(field, value)| {
            let text = value.as_str()?;
            let word = query.word(field).filter(|word| text.contains(*word))?;
            let text = text.replace(word, &format!("{pre}{word}{post}"));
            Some((field.clone(), json!([text])))
        })
        .collect();
    if !marked.is_empty() {
        log.insert("highlight".to_owned(), marked.into());
    }
}

/// The field that times are looked for in: the one that is sorted by, or the first date there is.
fn date_field(repo: &Members, sort: Option<&str>) -> Option<String> {
    let sorted = sort.and_then(|sort| sort.split([':', ',']).next());
    let schema = repo.get("schema").and_then(Value::as_array);
    let entries = schema.into_iter().flatten().filter_map(Value::as_object);
    let dates = entries.filter(|entry| text(entry, "valtype") == "date");
    let dates: Vec<&str> = dates.map(|entry| text(entry, "key")).collect();
    let first = dates.iter().find(|date| sorted == Some(**date));
    Some((*first.or(dates.first())?).to_owned())
}

fn number<T: FromStr + Default>(
    call: &Call<'_, '_>,
    name: &str,
    code: ErrorCode,
) -> Result<T, Refusal> {
    let value = asked(call, name);
    let value = value.map_or_else(|| Ok(T::default()), |value| value.parse());
    value.map_err(|_| Refusal::code(code, "it is a number"))
}

/// The search of the Go SDK, a GET. What is to be highlighted is in its body.
pub(crate) fn query_search(call: &mut Call<'_, '_>) -> Outcome {
    let repo = members::<LogdbRepo>(call)?;
    let highlight = match call.body {
        [] => None,
        body => Some(read(body)?),
    };
    let search = Search {
        query: asked(call, "q"),
        sort: asked(call, "sort"),
        from: number(call, "from", ErrorCode::LOGDB_INVALID_START)?,
        size: number(call, "size", ErrorCode::LOGDB_INVALID_SIZE)?,
        scroll: asked(call, "scroll"),
        highlight,
        ..Search::default()
    };
    search.page(&repo)
}

/// The search of the Java SDK.
pub(crate) fn search(call: &mut Call<'_, '_>) -> Outcome {
    let repo = members::<LogdbRepo>(call)?;
    read::<Search>(call.body)?.page(&repo)
}

pub(crate) fn scroll(call: &mut Call<'_, '_>) -> Outcome {
    #[derive(Deserialize)]
    struct Scroll {
        scroll_id: String,
    }
    let repo = members::<LogdbRepo>(call)?;
    let id = URL_SAFE.decode(read::<Scroll>(call.body)?.scroll_id);
    let next = id.ok().and_then(|id| serde_json::from_slice(&id).ok());
    let code = ErrorCode::LOGDB_INVALID_PARAMETER;
    let next: Search = next.ok_or_else(|| Refusal::code(code, "scroll_id is none of a search"))?;
    next.page(&repo)
}

/// How many logs there are in each piece of a time, those pieces left out that have none.
fn buckets(logs: &[Value], date: &str, from: u64, to: u64) -> Vec<Value> {
    let width = (to.saturating_sub(from) / BUCKETS).div_ceil(1_000).max(1) * 1_000;
    let mut buckets = BTreeMap::<u64, u64>::new();
    for at in logs.iter().filter_map(|log| millis(log.get(date)?)) {
        *buckets.entry(at - at % width).or_default() += 1;
    }
    let bucket = |(key, count)| json!({ "key": key, "count": count });
    buckets.into_iter().map(bucket).collect()
}

pub(crate) fn histogram(call: &mut Call<'_, '_>) -> Outcome {
    let repo = members::<LogdbRepo>(call)?;
    let search = Search {
        query: asked(call, "q"),
        sort: asked(call, "field"),
        start_time: number(call, "from", ErrorCode::LOGDB_INVALID_START)?,
        end_time: number(call, "to", ErrorCode::LOGDB_INVALID_END)?,
        ..Search::default()
    };
    let found = search.found(&repo, &search.query()?);
    let date = date_field(&repo, search.sort.as_deref()).unwrap_or_default();
    let buckets = buckets(&found, &date, search.start_time, search.end_time);
    json(&json!({ "total": found.len(), "partialSuccess": false, "buckets": buckets }))
}

/// The search through a large repo, which begins with the latest logs. It is done at once.
pub(crate) fn partial_search(call: &mut Call<'_, '_>) -> Outcome {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Partial {
        #[serde(rename = "query_string", default)]
        query: String,
        #[serde(default)]
        sort: String,
        #[serde(default)]
        size: usize,
        #[serde(default)]
        start_time: u64,
        #[serde(default)]
        end_time: u64,
        highlight: Option<Tags>,
    }
    #[derive(Deserialize)]
    struct Tags {
        #[serde(default)]
        pre_tag: String,
        #[serde(default)]
        post_tag: String,
    }
    let repo = members::<LogdbRepo>(call)?;
    let partial: Partial = read(call.body)?;
    let date = date_field(&repo, Some(&partial.sort)).unwrap_or_default();
    let search = Search {
        query: Some(partial.query),
        sort: Some(format!("{date}:desc")),
        start_time: partial.start_time,
        end_time: partial.end_time,
        ..Search::default()
    };
    let query = search.query()?;
    let mut hits = search.found(&repo, &query);
    let buckets = buckets(&hits, &date, search.start_time, search.end_time);
    let total = hits.len();
    hits.truncate(partial.size);
    if let Some(tags) = partial.highlight {
        let tags = [tags.pre_tag, tags.post_tag];
        for log in &mut hits {
            mark(log, &query, |_| true, &tags);
        }
    }
    json(&json!({
        "total": total, "hits": hits, "buckets": buckets, "partialSuccess": false, "process": 1, "took": 0,
    }))
}

/// Searches in the words of Elasticsearch: a line that names a repo, and a line that says what is looked for.
/// One that fails has its error in its place.
pub(crate) fn multi_search(call: &mut Call<'_, '_>) -> Outcome {
    let text = unpacked(call)?;
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    let responses: Vec<Value> = lines
        .chunks(2)
        .map(|pair| {
            elastic(call, pair).unwrap_or_else(|refusal| {
                let error = json!({ "type": "search_phase_execution_exception", "reason": refusal.message });
                json!({ "error": error, "status": refusal.status.as_u16() })
            })
        })
        .collect();
    json(&json!({ "responses": responses }))
}

fn elastic(call: &Call<'_, '_>, pair: &[&str]) -> Result<Value, Refusal> {
    #[derive(Deserialize)]
    struct Source {
        #[serde(default)]
        query: Value,
        #[serde(default)]
        sort: Value,
        #[serde(default)]
        from: usize,
        size: Option<usize>,
    }
    let [header, source] = pair else {
        let detail = "a line without its second one";
        return Err(Refusal::code(ErrorCode::MALFORMED_ENTITY, detail));
    };
    let header: Members = read(header.as_bytes())?;
    let source: Source = read(source.as_bytes())?;
    let index = header.get("index").unwrap_or(&Value::Null);
    let name = index.get(0).unwrap_or(index).as_str().unwrap_or_default();
    check_name::<LogdbRepo>(name)?;
    let repo = call.space.get(&Id::new(LogdbRepo::KIND, name));
    let missing = || Refusal::code(LogdbRepo::NOT_FOUND, format!("{name:?}"));
    let repo = repo.ok_or_else(missing)?;
    let search = Search {
        sort: Some(elastic_sort(&source.sort)),
        ..Search::default()
    };
    let found = search.found(repo, &Query::of_elastic(&source.query)?);
    let (total, size) = (found.len(), source.size.unwrap_or(SIZE));
    let hit = |(id, log)| json!({ "_index": name, "_type": "logs", "_id": format!("{id}"), "_score": null, "_source": log });
    let hits = found.into_iter().enumerate().skip(source.from).take(size);
    let hits: Vec<Value> = hits.map(hit).collect();
    Ok(json!({
        "took": 0, "timed_out": false, "status": 200,
        "_shards": { "total": 1, "successful": 1, "failed": 0 },
        "hits": { "total": total, "max_score": null, "hits": hits },
    }))
}

/// `[{"timestamp": {"order": "desc"}}]` as `timestamp:desc`.
fn elastic_sort(sort: &Value) -> String {
    let keys = sort.as_array().into_iter().flatten();
    let keys = keys.filter_map(Value::as_object).flatten();
    let keys = keys.map(|(field, how)| {
        let order = how.get("order").unwrap_or(how).as_str().unwrap_or("asc");
        format!("{field}:{order}")
    });
    keys.collect::<Vec<_>>().join(",")
}
