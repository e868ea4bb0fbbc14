//! The resources that are made one by one, what hangs on them, and the data in message queues.

use std::collections::BTreeMap;

use http::Method;
use pipeline_proto::{Now, operation::OperationInfo};
use serde_json::{Map, Value, json};

use super::{
    Answer, Model, Outcome, REGIONS, Request, is_name, job::Life, members, millis, moment,
};

/// How many records a sample shows.
const SAMPLE: usize = 10;

/// What is known of a kind beforehand.
#[derive(Debug)]
pub(super) struct Kind {
    resource: &'static str,
    /// The kind of what it belongs to, which is named before it.
    parent: Option<&'static str>,
    /// What it may be called here.
    called: &'static [&'static str],
    illegal: u32,
    exists: u32,
    pub(super) missing: u32,
    /// It cannot go while something reads from it.
    read: u32,
}

#[rustfmt::skip]
const KINDS: [Kind; 6] = [
    Kind { resource: "repo", parent: None, called: &["clicks", "clicks", "clicks", "clean"], illegal: 18103, exists: 18101, missing: 18102, read: 18112 },
    Kind { resource: "transform", parent: Some("repo"), called: OWN, illegal: 18207, exists: 18201, missing: 18202, read: 0 },
    Kind { resource: "export", parent: Some("repo"), called: OWN, illegal: 18305, exists: 18301, missing: 18302, read: 0 },
    Kind { resource: "datasource", parent: None, called: &["archive", "archive", "archive", "logs"], illegal: 18600, exists: 18601, missing: 18602, read: 18603 },
    Kind { resource: "job", parent: None, called: &["count", "count", "count", "report"], illegal: 18604, exists: 18605, missing: 18606, read: 18608 },
    Kind { resource: "job_export", parent: Some("job"), called: OWN, illegal: 18609, exists: 18610, missing: 18611, read: 0 },
];

const OWN: &[&str] = &["first", "first", "first", "second"];

impl Kind {
    pub(super) fn of(operation: &OperationInfo) -> Option<&'static Self> {
        match operation.name {
            "push_points" => Self::named("repo"),
            // Points are pushed in one way, schemas are not looked for in files, and which runs a job has had is
            // a matter of the tests of the emulator.
            "push_lines" | "push_raw" | "retrieve_schema" | "list_batches" | "stop_batch"
            | "rerun_batch" => None,
            _ => Self::named(operation.resource),
        }
    }

    fn named(resource: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.resource == resource)
    }

    /// How many names say which one it is.
    fn names(&self) -> usize {
        1 + usize::from(self.parent.is_some())
    }
}

/// For each name in the path of an operation, what may be drawn for it; what is more useful stands there more often.
pub fn names(operation: &OperationInfo) -> impl Iterator<Item = &'static [&'static str]> {
    let kind = Kind::of(operation);
    operation.names.iter().filter_map(move |name| {
        Some(match name.key {
            "source" => Kind::named("repo")?.called,
            "destination" => &["clean", "clean", "clicks", "copy"],
            "job" => Kind::named("job")?.called,
            _ => kind?.called,
        })
    })
}

/// A body for an operation on what has these names, of which there are many that differ.
pub fn body(operation: &str, names: &[&str], number: u64, region: &str) -> Value {
    let a = if number.is_multiple_of(2) {
        "long"
    } else {
        "string"
    };
    let field = |key: &str, valtype| json!({"key": key, "valtype": valtype});
    let schema = json!([field("a", a), field(&format!("b{number}"), "date")]);
    // Now with fewer fields and now with more.
    let fields: Vec<_> = [field("a", a), field("b", "date"), field("c", "float")]
        .into_iter()
        .take(1 + usize::try_from(number % 3).unwrap_or_default())
        .collect();
    let files = json!({"bucket": format!("bucket-{number}"), "fileType": "json"});
    let target = json!({"host": "example.com", "uri": format!("/{number}")});
    match operation {
        "create_repo" => json!({"region": region, "schema": schema}),
        "update_repo" => json!({ "schema": schema }),
        "push_points" => match number % 8 {
            0 => "".into(),
            // The good one goes with the bad one.
            1 => format!("a={number}\nc={number}").into(),
            2 | 3 => format!("a=x{number}\n").into(),
            4 => format!("a={number}\na=-{number}\n").into(),
            _ => format!("a={number}").into(),
        },
        "create_transform" => json!({"mode": "sql", "code": format!("select {number}")}),
        "update_transform" => json!({"code": format!("select {number}")}),
        "create_export" => json!({"type": "http", "spec": target, "whence": "newest"}),
        "create_job_export" => json!({"type": "http", "spec": target}),
        "update_export" | "update_job_export" => json!({ "spec": target }),
        "create_datasource" => {
            json!({"region": region, "type": "kodo", "spec": files, "schema": fields})
        }
        "update_datasource" => json!({"type": "kodo", "spec": files, "schema": fields}),
        "create_job" | "update_job" => {
            // One of the two jobs may read from the other.
            let from = match (names, number % 4) {
                (["report"], 0 | 1) => ("count", "job"),
                (_, 2) => ("logs", "datasource"),
                _ => ("archive", "datasource"),
            };
            let source = json!({"name": from.0, "type": from.1, "tableName": from.0});
            let scheduler = match number % 3 {
                0 => json!({"type": "crontab", "spec": {"crontab": "0 0 * * *"}}),
                _ => json!({"type": "manual"}),
            };
            json!({
                "srcs": [source],
                "computation": {"code": format!("select {number}"), "type": "sql"},
                "container": {"type": "1U2G", "count": 1},
                "scheduler": scheduler,
            })
        }
        "start_job" => json!({}),
        _ => Value::Null,
    }
}

/// Its kind, and the names that say which one it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Path(&'static str, Vec<&'static str>);

impl Path {
    fn repo(name: &'static str) -> Self {
        Self("repo", vec![name])
    }

    /// The reads that show it.
    pub(super) fn looks(&self) -> impl Iterator<Item = Request> {
        let look = |operation: &str| Request::new(operation, &self.1, Value::Null);
        let data = (self.0 == "repo").then(|| look("sample_repo"));
        [look(&format!("get_{}", self.0))].into_iter().chain(data)
    }
}

/// What a create and the updates after it have said of it, and what has happened to it.
#[derive(Debug, Clone, Default)]
pub(super) struct Resource {
    shown: Map<String, Value>,
    /// Kinds and names.
    reads: Vec<(&'static str, String)>,
    /// The repo that a transform fills.
    to: Option<&'static str>,
    /// The transform with which a repo came, and goes.
    with: Option<&'static str>,
    /// What was pushed into a repo: the fields of each point.
    points: Vec<Vec<(String, String)>>,
    /// Of a job.
    life: Life,
}

impl Model {
    pub(super) fn resource(
        &mut self,
        account: &'static str,
        request: &Request,
        now: Now,
    ) -> Outcome {
        let Request {
            operation,
            names,
            body,
            ..
        } = request;
        let refused = |code| Err(Answer::of_code(code));
        let Some(kind) = Kind::of(operation) else {
            unreachable!("{} is an operation of something else", operation.name);
        };
        let parent = kind.parent.and_then(Kind::named);
        for (named, name) in parent.into_iter().chain([kind]).zip(names) {
            if !is_name(name) {
                return refused(named.illegal);
            }
            let is_parent = parent.is_some_and(|parent| parent.resource == named.resource);
            if is_parent && !self.has(account, &Path(named.resource, vec![name])) {
                return refused(named.missing);
            }
        }
        let path = Path(
            kind.resource,
            names.iter().take(kind.names()).copied().collect(),
        );
        let key = (account, path.clone());
        let verb = operation.path.rsplit('/').next().unwrap_or_default();
        match (operation.method, verb, self.resources.get(&key).cloned()) {
            (_, "exists", found) => Ok(json!({ "exist": found.is_some() })),
            (&Method::GET, ..) if names.len() < kind.names() => {
                Ok(self.list(account, kind, names, now))
            }
            (_, "start" | "stop" | "data", None) => refused(kind.missing),
            (&Method::GET, "data", Some(repo)) => Ok(json!({ "records": repo.sample() })),
            (_, "data", Some(mut repo)) => {
                if self.of(account).any(|(_, it)| it.to == Some(names[0])) {
                    return refused(18223);
                }
                let text = body
                    .as_str()
                    .map_or_else(|| body.to_string(), str::to_owned);
                repo.take(&text)?;
                self.resources.insert(key, repo);
                Ok(json!({}))
            }
            (_, "start" | "stop", Some(mut job)) => {
                let how = if verb == "start" {
                    self.start
                } else {
                    self.stop
                };
                let run = millis(self.manual_run);
                job.life
                    .turn(verb == "start", job.is_manual(), how, wall(now), run)?;
                self.resources.insert(key, job);
                Ok(json!({}))
            }
            (&Method::POST, _, Some(_)) => refused(kind.exists),
            (&Method::POST, _, None) => {
                let made = self.made(account, kind, names, body)?;
                self.resources.insert(key, made);
                Ok(json!({}))
            }
            (_, _, None) => refused(kind.missing),
            (&Method::GET, _, Some(found)) => Ok(Value::Object(found.get(now))),
            (&Method::PUT, _, Some(mut found)) => {
                if kind.resource == "job" {
                    let made = self.made(account, kind, names, body)?;
                    (found.shown, found.reads) = (made.shown, made.reads);
                } else {
                    found.change(kind, members(body))?;
                }
                self.resources.insert(key, found);
                Ok(json!({}))
            }
            (_, _, Some(found)) => {
                self.delete(account, kind, names, &found)?;
                self.resources.remove(&key);
                Ok(json!({}))
            }
        }
    }

    fn has(&self, account: &'static str, path: &Path) -> bool {
        self.resources.contains_key(&(account, path.clone()))
    }

    /// Those of an account.
    fn of(&self, account: &'static str) -> impl Iterator<Item = (&Path, &Resource)> {
        let all = self
            .resources
            .iter()
            .filter(move |((owner, _), _)| *owner == account);
        all.map(|((_, path), resource)| (path, resource))
    }

    /// All of a kind in one place. Nodes of workflows are listed as well, but for repos, which are so if asked for.
    fn list(&self, account: &'static str, kind: &Kind, names: &[&'static str], now: Now) -> Value {
        let listed = self
            .of(account)
            .filter(|(path, _)| path.0 == kind.resource && path.1.starts_with(names));
        let mut listed: BTreeMap<_, _> = listed
            .map(|(path, it)| {
                let mut shown = it.get(now);
                if kind.resource == "repo" {
                    shown.remove("schema");
                }
                (path.1.last().copied().unwrap_or_default().to_owned(), shown)
            })
            .collect();
        for ((owner, _), workflow) in &self.workflows {
            let nodes = workflow.named(kind.resource);
            if *owner == account && kind.resource != "repo" && names.is_empty() {
                listed.extend(nodes.map(|name| (name.to_owned(), Map::new())));
            }
        }
        let listed: Vec<_> = listed
            .into_iter()
            .map(|(name, mut shown)| {
                shown.insert("name".to_owned(), name.into());
                shown
            })
            .collect();
        let member = match kind.resource {
            "job_export" => "exports".to_owned(),
            other => format!("{other}s"),
        };
        json!({ member: listed })
    }

    fn made(
        &mut self,
        account: &'static str,
        kind: &Kind,
        names: &[&'static str],
        body: &Value,
    ) -> Result<Resource, Answer> {
        let refused = |code| Err(Answer::of_code(code));
        let parent = kind.parent.map(|parent| (parent, names[0].to_owned()));
        let mut made = Resource {
            shown: members(body),
            reads: parent.into_iter().collect(),
            ..Resource::default()
        };
        match kind.resource {
            "repo" | "datasource" if !REGIONS.iter().any(|region| body["region"] == **region) => {
                return refused(18212);
            }
            "repo" if fields(&made.shown).is_empty() => return refused(18105),
            "job" => {
                let sources = body["srcs"].as_array().into_iter().flatten();
                made.reads = sources
                    .filter_map(|source| {
                        let kind = Kind::named(source["type"].as_str()?)?;
                        Some((kind.resource, source["name"].as_str()?.to_owned()))
                    })
                    .collect();
                let is_there = |(kind, name): &(&str, String)| {
                    self.of(account)
                        .any(|(path, _)| path.0 == *kind && path.1 == [name.as_str()])
                };
                if made.reads.is_empty() || !made.reads.iter().all(is_there) {
                    return refused(18612);
                }
            }
            "transform" => {
                let [source, name, to] = names else {
                    unreachable!("a transform has a destination");
                };
                if !is_name(to) {
                    return refused(18103);
                }
                if source == to {
                    return refused(18204);
                }
                if body["code"].as_str().is_none_or(str::is_empty) {
                    return refused(18207);
                }
                if self.of(account).any(|(_, other)| other.to == Some(to)) {
                    return refused(18205);
                }
                made.shown = members(&json!({ "name": name, "to": to, "spec": body }));
                made.to = Some(to);
                // The destination is made if it is not there, with the fields of the source and nothing in it.
                if !self.has(account, &Path::repo(to)) {
                    let source = &self.resources[&(account, Path::repo(source))];
                    let repo = Resource {
                        shown: source.shown.clone(),
                        with: Some(name),
                        ..Resource::default()
                    };
                    self.resources.insert((account, Path::repo(to)), repo);
                }
            }
            _ => {}
        }
        Ok(made)
    }

    /// Whether it may be deleted, and what goes with it.
    fn delete(
        &mut self,
        account: &'static str,
        kind: &Kind,
        names: &[&'static str],
        found: &Resource,
    ) -> Result<(), Answer> {
        let refused = |code| Err(Answer::of_code(code));
        let is_read = |resource, name: &str| {
            let read = (resource, name.to_owned());
            self.of(account).any(|(_, it)| it.reads.contains(&read))
        };
        if kind.resource == "repo" && self.of(account).any(|(_, it)| it.to == Some(names[0])) {
            return refused(18206);
        }
        if kind.parent.is_none() && is_read(kind.resource, names[0]) {
            return refused(kind.read);
        }
        if let Some(to) = found.to {
            // The destination goes with it, unless it was there before.
            let destination = (account, Path::repo(to));
            let with = self.resources.get(&destination).and_then(|repo| repo.with);
            if with == Some(names[1]) {
                if is_read("repo", to) {
                    return refused(18112);
                }
                self.resources.remove(&destination);
            }
        }
        Ok(())
    }
}

impl Resource {
    fn get(&self, now: Now) -> Map<String, Value> {
        let mut shown = self.shown.clone();
        if let Some(Value::Object(container)) = shown.get_mut("container") {
            let status = self.life.status(self.is_manual(), wall(now));
            container.insert("status".to_owned(), status.into());
        }
        shown
    }

    fn is_manual(&self) -> bool {
        let scheduler = self.shown.get("scheduler");
        scheduler.is_some_and(|it| it["type"] == "manual")
    }

    fn change(&mut self, kind: &Kind, mut body: Map<String, Value>) -> Result<(), Answer> {
        let refused = |code| Err(Answer::of_code(code));
        let (old, new) = (fields(&self.shown), fields(&body));
        match kind.resource {
            "repo" if new.is_empty() => return refused(18105),
            // In the files of a datasource no field goes away.
            "datasource"
                if body.contains_key("schema") && old.keys().any(|key| !new.contains_key(key)) =>
            {
                return refused(18128);
            }
            "transform" if body.is_empty() => return refused(18207),
            "export" if !body.contains_key("spec") => return refused(18305),
            "job_export" if !body.contains_key("spec") => return refused(18651),
            _ => {}
        }
        if new
            .iter()
            .any(|(key, valtype)| old.get(key).is_some_and(|was| was != valtype))
        {
            return refused(18128);
        }
        if let ("transform", Some(Value::Object(spec))) =
            (kind.resource, self.shown.get_mut("spec"))
        {
            spec.append(&mut body);
        } else {
            self.shown.append(&mut body);
        }
        Ok(())
    }

    /// Takes points in: all of them, or none.
    fn take(&mut self, text: &str) -> Result<(), Answer> {
        let types = fields(&self.shown);
        let point = |line: &str| {
            let field = |field: &str| {
                let (key, value) = field.split_once('=').ok_or(18007_u32)?;
                match types.get(key).map(String::as_str) {
                    None => Err(18111),
                    Some("long") if value.parse::<i64>().is_err() => Err(18110),
                    Some(_) => Ok((key.to_owned(), value.to_owned())),
                }
            };
            line.split('\t').map(field).collect::<Result<Vec<_>, _>>()
        };
        let points = text.lines().map(point).collect::<Result<Vec<_>, _>>();
        let points = points.map_err(Answer::of_code)?;
        if points.is_empty() {
            return Err(Answer::of_code(18006));
        }
        self.points.extend(points);
        Ok(())
    }

    /// The latest points, as their types are.
    fn sample(&self) -> Value {
        let types = fields(&self.shown);
        let value = |(key, text): &(String, String)| match (types.get(key), text.parse::<i64>()) {
            (Some(kind), Ok(number)) if kind == "long" => (key.clone(), number.into()),
            _ => (key.clone(), Value::from(text.clone())),
        };
        let skipped = self.points.len().saturating_sub(SAMPLE);
        let latest = self.points.iter().skip(skipped);
        latest
            .map(|point| point.iter().map(value).collect::<Map<_, _>>())
            .map(Value::Object)
            .collect()
    }
}

/// The fields of a schema with their types.
fn fields(members: &Map<String, Value>) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let schema = members.get("schema").and_then(Value::as_array);
    schema
        .into_iter()
        .flatten()
        .map(|field| (text(&field["key"]), text(&field["valtype"])))
        .collect()
}

/// The moment on the clock that jobs go by.
fn wall(now: Now) -> i64 {
    moment(now.wall, 0)
}
