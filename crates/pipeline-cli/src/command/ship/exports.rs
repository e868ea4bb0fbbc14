//! `--export`: what follows the queue elsewhere, as it is written on the command line.

use std::str::FromStr;

use pipeline_blocking::shipping::exports::{AutoExport, ExportError};
use pipeline_proto::{
    describe::{Fact, Member, Object, Shape},
    model::RawJson,
    name::ExportName,
    resource::export::{ExportSpec, HttpTarget, KodoTarget, LogdbTarget, MongoTarget, TsdbTarget},
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    duration,
    lang::pick,
    output::{note, plain},
    settings, size,
};

/// How a destination is written.
struct Form {
    kind: &'static str,
    members: fn() -> &'static Object,
    /// Shorter words for members.
    short: &'static [(&'static str, &'static str)],
    /// What is said of the repo that is made there.
    of_repo: &'static [&'static str],
    example: &'static str,
}

static FORMS: [Form; 5] = [
    Form {
        kind: "kodo",
        members: KodoTarget::description,
        short: &[
            ("prefix", "keyPrefix"),
            ("interval", "rotateInterval"),
            ("size", "rotateSize"),
        ],
        of_repo: &[],
        example: "kodo:bucket=archive,prefix=clicks/$(year)/,format=json,interval=10m",
    },
    Form {
        kind: "logdb",
        members: LogdbTarget::description,
        short: &[("repo", "destRepoName")],
        of_repo: &["retention", "region", "analyzer", "full-text"],
        example: "logdb:repo=clicks,retention=30d,analyzer=keyword",
    },
    Form {
        kind: "tsdb",
        members: TsdbTarget::description,
        short: &[("repo", "destRepoName"), ("tag", "tags")],
        of_repo: &["retention", "region"],
        example: "tsdb:repo=metrics,series=clicks,tag=host,tag=region,timestamp=at",
    },
    Form {
        kind: "mongo",
        members: MongoTarget::description,
        short: &[
            ("db", "dbName"),
            ("collection", "collName"),
            ("key", "updateKey"),
        ],
        of_repo: &[],
        example: "mongo:host=mongo.example.com:27017,db=logs,collection=clicks,mode=UPSERT,key=id",
    },
    Form {
        kind: "http",
        members: HttpTarget::description,
        short: &[],
        of_repo: &[],
        example: "http:host=https://logs.example.com,uri=/clicks,format=json",
    },
];

/// Secrets have no place on a command line.
fn is_secret(member: &str) -> bool {
    member == "exportSecretKey"
}

/// What would become of an export.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Planned {
    name: String,
    action: &'static str,
    r#type: String,
    spec: Value,
}

impl Planned {
    /// One that would be made, or else changed.
    pub(super) fn new(export: &ExportSpec, is_new: bool) -> Self {
        let spec = export.spec.as_ref().map(RawJson::parse::<Map<_, _>>);
        let mut spec = spec.and_then(Result::ok).unwrap_or_default();
        spec.retain(|member, _| !is_secret(member));
        Self {
            name: export
                .name
                .as_ref()
                .map_or_else(String::new, ToString::to_string),
            action: if is_new { "created" } else { "updated" },
            r#type: export.r#type.clone(),
            spec: spec.into(),
        }
    }

    pub(super) fn said(&self) -> String {
        let Self {
            name, r#type, spec, ..
        } = self;
        match self.action {
            "created" => pick(
                format!("would make the export {name} to {type}: {spec}"),
                format!("将创建导出 {name}，目标 {type}：{spec}"),
            ),
            _ => pick(
                format!("would change the export {name} to {type}: {spec}"),
                format!("将更新导出 {name}，目标 {type}：{spec}"),
            ),
        }
    }
}

pub(super) fn tell_failure(error: &ExportError) {
    let error = plain(&error.to_string());
    note(pick(
        format!("{error}; records go on"),
        format!("{error}；数据照常发送"),
    ));
}

/// For the help.
pub(super) fn help() -> String {
    let about = "\
Export that the queue is to have, made and kept up with its schema; may be given several times

Writes all fields. One that is there already keeps what it says; fields that it lacks are added. Records go on \
whatever becomes of it. Repos of LogDB and TSDB are made as well, at PANDORA_LOGDB_ENDPOINT and \
PANDORA_TSDB_ENDPOINT.\n";
    let examples = FORMS.iter().map(|form| format!("  {}", form.example));
    let lines: Vec<_> = std::iter::once(about.to_owned()).chain(examples).collect();
    lines.join("\n")
}

/// An export, as it is wanted.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    kind: &'static str,
    spec: Map<String, Value>,
    more: Vec<(String, String)>,
}

impl FromStr for Wish {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, pairs) = text.split_once(':').unwrap_or((text, ""));
        let form = FORMS.iter().find(|form| form.kind == kind).ok_or_else(|| {
            let kinds: Vec<_> = FORMS.iter().map(|form| form.kind).collect();
            format!(
                "'{kind}' is none of {}; write as in {}",
                kinds.join(", "),
                FORMS[0].example
            )
        })?;
        let mut wish = Self {
            kind: form.kind,
            spec: Map::new(),
            more: Vec::new(),
        };
        for pair in pairs.split(',').filter(|pair| !pair.is_empty()) {
            let wrong = || format!("'{pair}' is no KEY=VALUE, as in {}", form.example);
            let (key, value) = pair.split_once('=').ok_or_else(wrong)?;
            wish.set(form, key, value)
                .map_err(|error| format!("{key}: {error}"))?;
        }
        // What else there is to be said shows when the name of the queue is known.
        wish.export()?;
        Ok(wish)
    }
}

impl Wish {
    fn set(&mut self, form: &Form, key: &str, value: &str) -> Result<(), String> {
        if value.is_empty() {
            return Err("its value is missing".to_owned());
        }
        if key == "name" || form.of_repo.contains(&key) {
            self.more.push((key.to_owned(), value.to_owned()));
            return Ok(());
        }
        let short = form.short.iter().find(|(short, _)| *short == key);
        let name = short.map_or(key, |(_, name)| name);
        if is_secret(name) {
            return Err(format!(
                "a secret does not belong here: set {}",
                settings::EXPORT_SECRET_KEY
            ));
        }
        let found = (form.members)()
            .member(name)
            .filter(|it| is_sayable(form, it));
        let member = found.ok_or_else(|| form.unknown())?;
        if name == "host" && value.contains('@') {
            return Err("user names and passwords do not belong here".to_owned());
        }
        let value = read(member, value)?;
        within(member, &value)?;
        match (self.spec.get_mut(name), value) {
            (Some(Value::Array(list)), Value::Array(value)) => list.extend(value),
            (Some(Value::Object(map)), Value::Object(value)) => map.extend(value),
            (None, value) => drop(self.spec.insert(name.to_owned(), value)),
            (Some(_), _) => return Err("it is there twice".to_owned()),
        }
        Ok(())
    }

    /// The export that is wanted.
    fn export(&self) -> Result<AutoExport, String> {
        let spec = json!({"type": self.kind, "spec": self.spec});
        let spec: ExportSpec = serde_json::from_value(spec).map_err(|error| error.to_string())?;
        let mut export = AutoExport::to(spec);
        for (key, value) in &self.more {
            let named = |error: pipeline_proto::NameError| format!("{key}: {error}");
            export = match key.as_str() {
                "name" => export.name(ExportName::new(&**value).map_err(named)?),
                "region" => export.region(value.parse().map_err(named)?),
                "retention" => export.retention(retention(value)?),
                "full-text" => export.full_text(yes(value)?),
                _ => export.analyzer(analyzer(value)?),
            };
        }
        Ok(export)
    }

    /// The same with the keys that are not written on command lines.
    pub(super) fn with_keys(mut self, access_key: Option<&str>) -> Result<AutoExport, String> {
        if self.kind == "kodo" {
            if let Some(key) = access_key {
                self.spec.entry("accessKey").or_insert(key.into());
            }
            if self.spec.contains_key("exportAccessKey") {
                let secret = settings::export_secret_key().map_err(|error| error.to_string())?;
                let missing = || {
                    format!(
                        "exportAccessKey: set its secret key in {}",
                        settings::EXPORT_SECRET_KEY
                    )
                };
                let secret = secret.ok_or_else(missing)?;
                self.spec
                    .insert("exportSecretKey".to_owned(), secret.as_str().into());
            }
        }
        self.export()
    }

    /// What it writes to.
    pub(super) fn kind(&self) -> &'static str {
        self.kind
    }
}

impl Form {
    fn unknown(&self) -> String {
        let members = (self.members)().members.iter();
        let long = |it: &&Member| {
            let is_short = self.short.iter().any(|(_, name)| *name == it.name);
            is_sayable(self, it) && !is_short && !is_secret(it.name)
        };
        let mut known: Vec<_> = self.short.iter().map(|(short, _)| *short).collect();
        known.extend(members.filter(long).map(|it| it.name));
        known.extend(self.of_repo);
        known.push("name");
        format!(
            "{} has no such key; known are {}",
            self.kind,
            known.join(", ")
        )
    }
}

/// Mappings are made of the schema; of tags it has to be said which fields they are.
fn is_sayable(form: &Form, member: &Member) -> bool {
    let is_plain = !matches!(member.shape, Shape::Map(_) | Shape::Object(_) | Shape::Any);
    is_plain || form.short.contains(&("tag", member.name))
}

fn read(member: &Member, value: &str) -> Result<Value, String> {
    if let Some(words) = member.words()
        && !words.contains(&value)
    {
        return Err(format!("it is one of {}", words.join(", ")));
    }
    let number = || {
        value
            .parse::<i64>()
            .map_err(|_| "write a whole number".to_owned())
    };
    Ok(match (member.name, member.shape) {
        ("rotateInterval", _) => match number() {
            Ok(seconds) => seconds.into(),
            Err(_) => duration::parse(value)?.as_secs().into(),
        },
        ("rotateSize", _) => match number() {
            Ok(bytes) => bytes.into(),
            Err(_) => size::parse(value)?.into(),
        },
        ("timestamp", _) => format!("#{value}").into(),
        (_, Shape::Map(_) | Shape::Object(_) | Shape::Any) => json!({value: format!("#{value}")}),
        (_, Shape::List(_)) => json!([value]),
        (_, Shape::Bool) => yes(value)?.into(),
        (_, Shape::Integer) => number()?.into(),
        _ => value.into(),
    })
}

fn within(member: &Member, value: &Value) -> Result<(), String> {
    let Some(number) = value.as_i64() else {
        return Ok(());
    };
    for fact in member.facts {
        match fact {
            Fact::AtLeast(least) if number < *least => return Err(format!("at least {least}")),
            Fact::AtMost(most) if number > *most => return Err(format!("at most {most}")),
            _ => {}
        }
    }
    Ok(())
}

fn yes(value: &str) -> Result<bool, String> {
    match value {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err("write yes or no".to_owned()),
    }
}

fn retention(value: &str) -> Result<String, String> {
    let days = value
        .strip_suffix('d')
        .filter(|days| *days == "0" || !days.starts_with('0'));
    let is_days =
        days.is_some_and(|days| !days.is_empty() && days.bytes().all(|c| c.is_ascii_digit()));
    if is_days || value == "-1" {
        Ok(value.to_owned())
    } else {
        Err("retention: write days, as 30d; -1 is for ever".to_owned())
    }
}

fn analyzer(value: &str) -> Result<String, String> {
    let known = pipeline_proto::resource::logdb::ANALYZERS;
    if known.contains(&value) {
        Ok(value.to_owned())
    } else {
        Err(format!("analyzer: it is one of {}", known.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_written_with_short_keys_and_those_of_its_spec() {
        for form in &FORMS {
            let wish: Wish = form.example.parse().unwrap();
            let plan = wish
                .export()
                .unwrap()
                .plan(&"clicks".parse().unwrap(), &[], &[]);
            plan.unwrap_or_else(|error| panic!("{}: {error}", form.example));
            assert!(help().contains(form.example));
        }
        let spec = |text: &str| Value::Object(text.parse::<Wish>().unwrap().spec);
        assert_eq!(
            spec("kodo:bucket=b,prefix=a/$(year),interval=10m,size=5MiB,compress=yes,retention=7"),
            json!({"bucket": "b", "keyPrefix": "a/$(year)", "rotateInterval": 600, "rotateSize": 5_242_880,
                "compress": true, "retention": 7})
        );
        assert_eq!(
            spec("tsdb:tag=host,tag=zone,timestamp=at"),
            json!({"tags": {"host": "#host", "zone": "#zone"}, "timestamp": "#at"})
        );
        assert_eq!(spec("logdb"), json!({}));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_there_is() {
        for (text, says) in [
            (
                "s3:bucket=b",
                "'s3' is none of kodo, logdb, tsdb, mongo, http; write as in kodo:bucket=",
            ),
            (
                "kodo:bucket",
                "'bucket' is no KEY=VALUE, as in kodo:bucket=",
            ),
            (
                "kodo:bukket=b",
                "bukket: kodo has no such key; known are prefix, interval, size, bucket, email",
            ),
            ("kodo:fields=a", "fields: kodo has no such key"),
            ("kodo:bucket=", "bucket: its value is missing"),
            ("kodo:bucket=b,bucket=c", "bucket: it is there twice"),
            (
                "kodo:format=xml",
                "format: it is one of json, text, parquet, csv",
            ),
            ("kodo:size=2GiB", "size: at most 1073741824"),
            (
                "kodo:interval=soon",
                "interval: write a number with its unit",
            ),
            (
                "kodo:exportSecretKey=hunter2",
                "a secret does not belong here: set PANDORA_EXPORT_SECRET_KEY",
            ),
            (
                "http:host=https://u:hunter2@h,uri=/",
                "user names and passwords do not belong here",
            ),
            ("logdb:retention=month", "retention: write days"),
            ("logdb:analyzer=fast", "analyzer: it is one of standard"),
            ("logdb:name=a-b", "name: the export name"),
            (
                "mongo:mode=PUT",
                "mode: it is one of UPSERT, INSERT, UPDATE",
            ),
        ] {
            let error = text.parse::<Wish>().unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
