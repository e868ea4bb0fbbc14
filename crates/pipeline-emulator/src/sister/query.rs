//! What a search in LogDB looks for: the part of Lucene's and of Elasticsearch's language that the tests of the
//! vendor's SDKs speak. The rest is refused, so that nobody takes a search for one that was understood.

use std::cmp::Ordering;

use pipeline_proto::{ErrorCode, model::Timestamp};
use serde_json::Value;

use super::{Members, text};
use crate::{data::entry, date::to_millis, refusal::Refusal};

#[derive(Debug, PartialEq)]
pub(super) enum Query {
    /// Every log.
    Any,
    All(Vec<Self>),
    OneOf(Vec<Self>),
    /// A word in one field, or in any.
    Word(Option<String>, String),
    /// From one value to another, both included; `*` is open.
    Range(String, [String; 2]),
}

fn refuse<T>(what: &str) -> Result<T, Refusal> {
    let detail = format!(
        "{what:?} is beyond what the emulator can look for: field:word, field:\"some words\", field:[a TO b], *, AND and OR"
    );
    Err(Refusal::code(ErrorCode::LOGDB_INVALID_QUERY, detail))
}

impl Query {
    /// `level: WARN AND at:[2016-01-01 TO *]`. Clauses without a word between them: `all` of them, or any.
    pub(super) fn parse(text: &str, all: bool) -> Result<Self, Refusal> {
        let mut any = vec![Vec::new()];
        let (mut rest, mut joined) = (text.trim(), true);
        while !rest.is_empty() {
            let (word, behind) = token(rest)?;
            rest = behind.trim_start();
            match word {
                "AND" | "&&" | "OR" | "||" if joined || rest.is_empty() => return refuse(text),
                "AND" | "&&" => joined = true,
                "OR" | "||" => {
                    any.push(Vec::new());
                    joined = true;
                }
                word => {
                    if !joined && !all {
                        any.push(Vec::new());
                    }
                    let mut clause = word.to_owned();
                    if word.ends_with(':') {
                        let (value, behind) = token(rest)?;
                        clause += value;
                        rest = behind.trim_start();
                    }
                    if let Some(clauses) = any.last_mut() {
                        clauses.push(Self::clause(&clause)?);
                    }
                    joined = false;
                }
            }
        }
        Ok(Self::OneOf(any.into_iter().map(Self::All).collect()))
    }

    fn clause(text: &str) -> Result<Self, Refusal> {
        let is_field =
            |field: &str| field.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '*'));
        let (field, value) = match text.split_once(':').filter(|(field, _)| is_field(field)) {
            Some(("*", value)) => (None, value),
            Some((field, _)) if field.contains('*') => return refuse(text),
            Some((field, value)) => (Some(field.to_owned()), value),
            None => (None, text),
        };
        if let Some(range) = value.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
            return match (field, range.split_once(" TO ")) {
                (Some(field), Some((from, to))) => {
                    let ends = [from, to].map(|end| end.trim().trim_matches('"').to_owned());
                    Ok(Self::Range(field, ends))
                }
                _ => refuse(text),
            };
        }
        let word = match value.strip_prefix('"').map(|it| it.strip_suffix('"')) {
            Some(Some(words)) => words,
            None if value == "*" && field.is_none() => return Ok(Self::Any),
            None if !value.contains(['*', '?', '(', ')', '{', '}', '[', ']', '"', '~', '^'])
                && !value.starts_with(['-', '+', '!', '/', '<', '>'])
                && !value.is_empty()
                && value != "NOT" =>
            {
                value
            }
            _ => return refuse(text),
        };
        Ok(Self::Word(field, word.to_owned()))
    }

    /// The query of a search in Elasticsearch's words.
    pub(super) fn of_elastic(query: &Value) -> Result<Self, Refusal> {
        let Some(members) = query.as_object() else {
            return Ok(Self::Any);
        };
        let several = |query: &Value| match query {
            Value::Array(queries) => queries.iter().map(Self::of_elastic).collect(),
            one => Self::of_elastic(one).map(|query| vec![query]),
        };
        match members.iter().next() {
            None => Ok(Self::Any),
            Some((kind, _)) if kind == "match_all" => Ok(Self::Any),
            Some((kind, of)) if kind == "query_string" => {
                Self::parse(text(of.as_object().unwrap_or(members), "query"), false)
            }
            Some((kind, Value::Object(of))) if matches!(&**kind, "term" | "match") => {
                let Some((field, value)) = of.iter().next() else {
                    return refuse(kind);
                };
                let value = value.get("value").or(value.get("query")).unwrap_or(value);
                Ok(Self::Word(Some(field.clone()), plain(value)))
            }
            Some((kind, Value::Object(of))) if kind == "bool" => {
                let mut all = Vec::new();
                for (how, queries) in of {
                    match &**how {
                        "must" | "filter" => all.extend(several(queries)?),
                        "should" => all.push(Self::OneOf(several(queries)?)),
                        "adjust_pure_negative" | "boost" | "disable_coord" => {}
                        how => return refuse(how),
                    }
                }
                Ok(Self::All(all))
            }
            Some((kind, _)) => refuse(kind),
        }
    }

    pub(super) fn matches(&self, repo: &Members, log: &Members) -> bool {
        match self {
            Self::Any => true,
            Self::All(queries) => queries.iter().all(|query| query.matches(repo, log)),
            Self::OneOf(queries) => queries.iter().any(|query| query.matches(repo, log)),
            Self::Word(field, word) => log
                .iter()
                .filter(|(found, _)| field.as_ref().is_none_or(|field| field == *found))
                .any(|(field, value)| has_word(&of_schema(repo, field), value, word)),
            Self::Range(field, [from, to]) => log.get(field).is_some_and(|value| {
                let bound = |end: &str, wanted: Ordering| {
                    let order = compare(value, &Value::from(end));
                    end == "*" || order == wanted || order == Ordering::Equal
                };
                bound(from, Ordering::Greater) && bound(to, Ordering::Less)
            }),
        }
    }

    /// The word that is looked for in a field.
    pub(super) fn word(&self, in_field: &str) -> Option<&str> {
        match self {
            Self::All(queries) | Self::OneOf(queries) => {
                queries.iter().find_map(|query| query.word(in_field))
            }
            Self::Word(field, word) if field.as_deref().is_none_or(|it| it == in_field) => {
                Some(word)
            }
            _ => None,
        }
    }
}

/// The first clause of a query, with the blanks that are between brackets or quotes.
fn token(text: &str) -> Result<(&str, &str), Refusal> {
    let mut close = None;
    for (at, next) in text.char_indices() {
        match (close, next) {
            (Some(end), next) if next == end => close = None,
            (None, '[') => close = Some(']'),
            (None, '"') => close = Some('"'),
            (None, next) if next.is_whitespace() => return Ok(text.split_at(at)),
            (Some(_) | None, _) => {}
        }
    }
    match close {
        None => Ok((text, "")),
        Some(_) => refuse(text),
    }
}

fn of_schema(repo: &Members, field: &str) -> Members {
    entry(repo.get("schema"), field)
        .cloned()
        .unwrap_or_default()
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Texts are looked into word by word, unless they are kept as one.
fn has_word(entry: &Members, value: &Value, word: &str) -> bool {
    if let Value::Array(values) = value {
        return values.iter().any(|value| has_word(entry, value, word));
    }
    let whole = plain(value);
    let is_whole = text(entry, "analyzer") == "keyword" || !value.is_string();
    let number = |text: &str| text.parse::<f64>().ok();
    let same = number(&whole).zip(number(word));
    if is_whole {
        return whole == word || same.is_some_and(|(one, other)| one.total_cmp(&other).is_eq());
    }
    let words = |text: &str| {
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        words
            .map(str::to_lowercase)
            .filter(|it| !it.is_empty())
            .collect::<Vec<_>>()
    };
    let (all, wanted) = (words(&whole), words(word));
    !wanted.is_empty() && all.windows(wanted.len()).any(|some| some == wanted)
}

/// A date in milliseconds since 1970: a number of these, a date, or a date and a time.
pub(super) fn millis(value: &Value) -> Option<u64> {
    if let Some(millis) = value.as_u64() {
        return Some(millis);
    }
    let text = value.as_str().filter(|text| text.is_char_boundary(10))?;
    let text = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        _ => text.to_owned(),
    };
    let is_date = text.as_bytes().get(10) == Some(&b'T');
    let time = Timestamp::from(text).to_system_time().filter(|_| is_date)?;
    Some(to_millis(time))
}

fn compare(one: &Value, other: &Value) -> Ordering {
    let number = |value: &Value| match value {
        Value::String(text) => text.parse().ok(),
        value => value.as_f64(),
    };
    if let (Some(one), Some(other)) = (number(one), number(other)) {
        return f64::total_cmp(&one, &other);
    }
    match (millis(one), millis(other)) {
        (Some(one), Some(other)) => one.cmp(&other),
        _ => plain(one).cmp(&plain(other)),
    }
}

/// Sorts by `f2:desc,f1`; what lacks a field comes last.
pub(super) fn sort(repo: &Members, logs: &mut [Members], by: &str) {
    let keys = by
        .split(',')
        .map(|key| key.split_once(':').unwrap_or((key, "asc")));
    let keys: Vec<_> = keys
        .map(|(field, order)| (field.trim(), order.trim() == "desc"))
        .filter(|(field, _)| entry(repo.get("schema"), field).is_some())
        .collect();
    logs.sort_by(|one, other| {
        let orders =
            keys.iter().map(
                |&(field, descends)| match (one.get(field), other.get(field)) {
                    (Some(one), Some(other)) if descends => compare(other, one),
                    (Some(one), Some(other)) => compare(one, other),
                    (one, other) => other.is_some().cmp(&one.is_some()),
                },
            );
        orders.fold(Ordering::Equal, Ordering::then)
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn members(value: Value) -> Members {
        let Value::Object(members) = value else {
            panic!("{value}")
        };
        members
    }

    #[test]
    fn a_search_finds_what_its_words_say_or_is_refused() {
        let repo = members(json!({ "schema": [
            { "key": "level", "valtype": "string", "analyzer": "standard" },
            { "key": "path", "valtype": "string", "analyzer": "keyword" },
            { "key": "n", "valtype": "long" },
            { "key": "at", "valtype": "date" },
        ] }));
        let log = json!({ "level": "a WARN-ing, x_1", "path": "/a b", "n": 7, "at": "2018-06-22T08:00:00+08:00", "tags": ["red", "blue"] });
        let log = members(log);
        for (query, expected) in [
            ("", Some(true)),
            ("  ", Some(true)),
            ("*", Some(true)),
            ("*:*", Some(true)),
            ("*:warn", Some(true)),
            ("lev*:warn", None),
            ("level: WARN", Some(true)),
            ("level:warn", Some(true)),
            ("level:WAR", Some(false)),
            ("level:\"a warn\"", Some(true)),
            ("level:\"warn a\"", Some(false)),
            ("level:x_1", Some(true)),
            ("path:/a", None),
            ("path:\"/a b\"", Some(true)),
            ("path:a", Some(false)),
            ("warn", Some(true)),
            ("blue", Some(true)),
            ("n:7", Some(true)),
            ("n:7.0", Some(true)),
            ("n:[7 TO 8]", Some(true)),
            ("n:[* TO 6]", Some(false)),
            ("at:[2018-06-22 TO 2018-06-22]", Some(true)),
            ("at:[2018-06-23 TO *]", Some(false)),
            ("n:8 OR level:warn", Some(true)),
            ("n:8 level:warn", Some(true)),
            ("n:8 AND level:warn", Some(false)),
            ("n:7 AND level:warn OR n:9", Some(true)),
            ("missing:1", Some(false)),
            ("é:[1 TO 2]", Some(false)),
            ("NOT n:7", None),
            ("-n:7", None),
            ("(n:7)", None),
            ("level:w*", None),
            ("n:{7 TO 8}", None),
            ("n:[7 8]", None),
            ("[7 TO 8]", None),
            ("n:[7 TO", None),
            ("level:\"warn", None),
            ("n:", None),
            ("AND n:7", None),
            ("n:7 AND", None),
            ("n:7 OR AND n:8", None),
        ] {
            let found = Query::parse(query, false).ok();
            let found = found.map(|query| query.matches(&repo, &log));
            assert_eq!(found, expected, "{query}");
        }
        let all = Query::parse("n:8 level:warn", true).unwrap();
        assert!(!all.matches(&repo, &log), "both are wanted");
    }

    #[test]
    fn a_search_in_the_words_of_elasticsearch_is_the_same() {
        let log = members(json!({ "name": "nginx", "n": 7 }));
        for (query, expected) in [
            (json!(null), Some(true)),
            (json!({}), Some(true)),
            (json!({ "match_all": {} }), Some(true)),
            (json!({ "query_string": { "query": "*" } }), Some(true)),
            (json!({ "term": { "name": "nginx" } }), Some(true)),
            (
                json!({ "term": { "n": { "value": 7, "boost": 1.0 } } }),
                Some(true),
            ),
            (
                json!({ "term": { "name": { "value": "apache" } } }),
                Some(false),
            ),
            (
                json!({ "bool": { "must": [{ "term": { "name": "nginx" } }, { "match": { "n": 8 } }] } }),
                Some(false),
            ),
            (
                json!({ "bool": { "should": { "match": { "n": { "query": 7 } } }, "boost": 1.0 } }),
                Some(true),
            ),
            (
                json!({ "bool": { "must_not": { "term": { "n": 8 } } } }),
                None,
            ),
            (json!({ "fuzzy": { "name": "ngnix" } }), None),
            (json!({ "term": {} }), None),
        ] {
            let found = Query::of_elastic(&query).ok();
            let found = found.map(|query| query.matches(&Members::new(), &log));
            assert_eq!(found, expected, "{query}");
        }
    }

    #[test]
    fn logs_are_sorted_by_one_field_after_the_other_and_those_without_come_last() {
        let repo = members(json!({ "schema": [
            { "key": "n", "valtype": "long" }, { "key": "at", "valtype": "date" },
        ] }));
        let log = |id: u32, n: Value, at: &str| members(json!({ "id": id, "n": n, "at": at }));
        let logs = [
            log(1, json!(10), "2018-06-22T09:00:00+08:00"),
            log(2, json!(9), "2018-06-22T02:00:00Z"),
            log(3, json!(10), "2018-06-22T00:30:00Z"),
            members(json!({ "id": 4 })),
        ];
        for (by, expected) in [
            ("", [1, 2, 3, 4]),
            ("n", [2, 1, 3, 4]),
            ("n:desc,at", [3, 1, 2, 4]),
            ("at:desc", [2, 1, 3, 4]),
            ("unknown:desc", [1, 2, 3, 4]),
        ] {
            let mut logs = logs.clone();
            sort(&repo, &mut logs, by);
            let found: Vec<_> = logs.iter().map(|log| log["id"].as_u64().unwrap()).collect();
            assert_eq!(found, expected, "{by}");
        }
    }
}
