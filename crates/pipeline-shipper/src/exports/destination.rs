//! What is particular to each destination of exports, as rows.

use std::collections::BTreeSet;

use pipeline_proto::{
    RepoName,
    name::{LogdbRepoName, SeriesName},
};
use serde_json::{Value, json};

use super::{ExportError, Members, text};

/// A destination.
#[derive(Debug)]
pub(super) struct Destination {
    pub(super) kind: &'static str,
    /// The members that say which field goes where.
    pub(super) mapping: &'static [&'static str],
    /// The members that say where it writes. Two exports that differ in one are two exports.
    pub(super) place: &'static [&'static str],
    /// What is taken for what is not said.
    defaults: fn(&RepoName) -> Value,
}

/// In the order in which they are made.
static DESTINATIONS: &[Destination] = &[
    Destination {
        kind: "logdb",
        mapping: &["doc"],
        place: &["destRepoName"],
        defaults: |repo| json!({"destRepoName": repo.as_str(), "omitInvalid": false, "omitEmpty": true}),
    },
    Destination {
        kind: "kodo",
        mapping: &["fields"],
        place: &["bucket"],
        defaults: |repo| {
            json!({
                "bucket": repo.as_str().replace('_', "-"),
                "keyPrefix": "logkitauto/date=$(year)-$(mon)-$(day)/hour=$(hour)/min=$(min)/$(sec)",
                "format": "parquet",
            })
        },
    },
    Destination {
        kind: "tsdb",
        mapping: &["tags", "fields"],
        place: &["destRepoName", "series"],
        defaults: |repo| {
            let repo = repo.as_str();
            json!({"destRepoName": repo, "series": repo, "omitInvalid": false, "omitEmpty": true})
        },
    },
    Destination {
        kind: "mongo",
        mapping: &["doc"],
        place: &["host", "dbName", "collName"],
        defaults: |_| json!({"mode": "INSERT"}),
    },
    Destination {
        kind: "http",
        mapping: &[],
        place: &["host", "uri"],
        defaults: |_| json!({}),
    },
];

impl Destination {
    pub(super) fn of(kind: &str) -> Result<&'static Self, ExportError> {
        let found = DESTINATIONS.iter().find(|it| it.kind == kind);
        found.ok_or_else(|| {
            let known: Vec<_> = DESTINATIONS.iter().map(|it| it.kind).collect();
            let text = format!("only {} are made automatically", known.join(", "));
            ExportError::new(kind, text)
        })
    }

    /// Its row.
    pub(super) fn rank(kind: &str) -> usize {
        let found = DESTINATIONS.iter().position(|it| it.kind == kind);
        found.unwrap_or(DESTINATIONS.len())
    }

    /// Says what a spec leaves open.
    pub(super) fn complete(&self, spec: &mut Members, repo: &RepoName) -> Result<(), ExportError> {
        let is_said = |value: &Value| !value.is_null() && *value != json!("");
        spec.retain(|_, value| is_said(value));
        if let Value::Object(defaults) = (self.defaults)(repo) {
            for (member, value) in defaults {
                spec.entry(member).or_insert(value);
            }
        }
        let wrong = |text: String| Err(ExportError::new(self.kind, text));
        for member in self.place {
            if text(spec, member).is_empty() {
                return wrong(format!("{member} is missing"));
            }
        }
        match self.kind {
            "logdb" => {
                let name = text(spec, "destRepoName").to_ascii_lowercase();
                if let Err(error) = LogdbRepoName::new(&*name) {
                    return wrong(format!("{error}; name a repo of LogDB"));
                }
                spec.insert("destRepoName".to_owned(), name.into());
            }
            "tsdb" => {
                let repo = RepoName::new(text(spec, "destRepoName")).map(drop);
                let series = SeriesName::new(text(spec, "series")).map(drop);
                if let Err(error) = repo.and(series) {
                    return wrong(error.to_string());
                }
            }
            "kodo" => of_files(spec),
            "mongo" if text(spec, "mode") != "INSERT" && !spec.contains_key("updateKey") => {
                return wrong(format!(
                    "updateKey is missing, with mode {}",
                    text(spec, "mode")
                ));
            }
            _ => {}
        }
        Ok(())
    }

    /// Adds to a spec what it does not map yet, and says whether there was any.
    pub(super) fn add(&self, spec: &mut Members, wanted: &[(&'static str, Members)]) -> bool {
        let (mut targets, mut sources) = (BTreeSet::new(), BTreeSet::new());
        for member in self.mapping {
            let mapping = spec.get(*member).and_then(Value::as_object);
            targets.extend(
                mapping
                    .into_iter()
                    .flatten()
                    .map(|(target, _)| target.clone()),
            );
            if let Some(mapping) = mapping {
                texts(mapping, &mut sources);
            }
        }
        let mut is_changed = false;
        for (member, wanted) in wanted {
            let missing = wanted.iter().filter(|(target, source)| {
                // Under whatever other name it is written: that is how somebody wants it.
                let source = source.as_str().unwrap_or_default();
                let is_renamed =
                    source.strip_prefix('#') == Some(target) && sources.contains(source);
                !targets.contains(*target) && !is_renamed
            });
            let missing: Members = missing
                .map(|(target, source)| (target.clone(), source.clone()))
                .collect();
            if missing.is_empty() {
                continue;
            }
            is_changed = true;
            match spec.get_mut(*member) {
                Some(Value::Object(mapping)) => mapping.extend(missing),
                _ => drop(spec.insert((*member).to_owned(), missing.into())),
            }
        }
        is_changed
    }
}

/// All texts that a mapping gives, at any depth.
fn texts(mapping: &Members, found: &mut BTreeSet<String>) {
    for value in mapping.values() {
        match value {
            Value::String(text) => drop(found.insert(text.clone())),
            Value::Object(inner) => texts(inner, found),
            _ => {}
        }
    }
}

/// Says when a file is full by all members that speak of it, and what a line of csv needs.
fn of_files(spec: &mut Members) {
    if text(spec, "format") == "csv" {
        spec.entry("delimiter").or_insert(",".into());
    }
    let size = spec.get("rotateSize").and_then(Value::as_i64);
    let strategy = match (size, spec.contains_key("rotateInterval")) {
        (None, _) => "interval",
        (Some(_), false) => "size",
        (Some(_), true) => "both",
    };
    if size.is_some() || spec.contains_key("rotateInterval") {
        spec.entry("rotateStrategy").or_insert(strategy.into());
    }
    if let Some(size) = size {
        spec.entry("rotateNumber").or_insert((size / 1024).into());
        spec.entry("rotateSizeType").or_insert("KB".into());
    }
}
