//! `docs/json.md` says what the commands write, and nothing else.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use http::{HeaderValue, StatusCode};
use pipeline_emulator::InjectedFault;
use serde_json::{Value, json};

use crate::support::{Ran, Service, TemporaryFile, pipeline, run};

/// A row of a table.
struct Member {
    name: String,
    kind: String,
    always: bool,
}

/// A section: a table of members, or the name of the shape that it refers to.
#[derive(Default)]
struct Shape {
    is_command: bool,
    members: Vec<Member>,
    refers_to: Option<String>,
}

/// The page, and what has been seen of it.
struct Page {
    text: String,
    shapes: BTreeMap<String, Shape>,
    /// Members of shapes that were there once, and those that were missing once.
    seen: BTreeSet<(String, String)>,
    missed: BTreeSet<(String, String)>,
    commands: BTreeSet<String>,
}

/// The target of the first link in a text.
fn link(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("](#")?;
    Some(rest.split_once(')')?.0)
}

impl Page {
    fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/json.md");
        let text = std::fs::read_to_string(path).unwrap();
        let mut shapes: BTreeMap<String, Shape> = BTreeMap::new();
        let mut headings: Vec<String> = Vec::new();
        for line in text.lines() {
            if let Some(heading) = line.strip_prefix("### ") {
                // A command, several of them, or a shape by its anchor.
                headings = if heading.starts_with('`') {
                    let commands = heading.split(", ");
                    commands.map(|command| command.replace('`', "")).collect()
                } else {
                    vec![heading.to_lowercase().replace(' ', "-")]
                };
                for heading in &headings {
                    let shape = Shape {
                        is_command: line.starts_with("### `"),
                        ..Shape::default()
                    };
                    let old = shapes.insert(heading.clone(), shape);
                    assert!(old.is_none(), "{heading} is there twice");
                }
            } else if line.starts_with("## ") {
                headings.clear();
            }
            for shape in &headings {
                let shape = shapes.get_mut(shape).unwrap();
                if let Some(row) = line.strip_prefix("| `") {
                    let (name, rest) = row.split_once("` | ").unwrap();
                    let cells: Vec<&str> = rest.split(" | ").collect();
                    shape.members.push(Member {
                        name: name.to_owned(),
                        kind: cells[0].to_owned(),
                        always: cells[1] == "always",
                    });
                } else if shape.members.is_empty() && shape.refers_to.is_none() {
                    shape.refers_to = link(line).map(str::to_owned);
                }
            }
        }
        Self {
            text,
            shapes,
            seen: BTreeSet::new(),
            missed: BTreeSet::new(),
            commands: BTreeSet::new(),
        }
    }

    /// A command wrote this.
    fn check(&mut self, command: &str, text: &str) {
        assert!(
            text.starts_with("{\n  \"schema_version\": 1"),
            "{command}: {text}"
        );
        self.check_line(command, text);
    }

    fn check_line(&mut self, command: &str, text: &str) {
        let mut document: Value = serde_json::from_str(text).expect(text);
        let version = document.as_object_mut().unwrap().remove("schema_version");
        assert_eq!(version, Some(json!(1)), "{command}: {text}");
        self.commands.insert(command.to_owned());
        let is_list = self.shapes[command].refers_to.is_none();
        match document.get("items").and_then(Value::as_array) {
            // Of several: what is said of one, for each of them.
            Some(items) if !is_list => {
                assert_eq!(document.as_object().unwrap().len(), 1, "{text}");
                for (index, item) in items.iter().enumerate() {
                    let failed = item.get("error").is_some();
                    let shape = if failed { "failed" } else { command };
                    self.object(shape, item, &format!("{command}[{index}]"));
                }
            }
            _ => self.object(command, &document, command),
        }
    }

    /// Every member stands in the table, and is of its type.
    fn object(&mut self, shape: &str, value: &Value, at: &str) {
        let known = self.shapes.get(shape);
        let known = known.unwrap_or_else(|| panic!("{at}: the page has no section {shape}"));
        if let Some(other) = known.refers_to.clone() {
            return self.object(&other, value, at);
        }
        let object = value.as_object().unwrap_or_else(|| panic!("{at}: {value}"));
        let mut inner = Vec::new();
        let open = known.members.iter().any(|member| member.name == "*");
        for name in object.keys() {
            assert!(
                open || known.members.iter().any(|member| member.name == *name),
                "{at}: {name} does not stand under {shape}"
            );
        }
        for member in &known.members {
            if member.name == "*" {
                self.seen.insert((shape.to_owned(), "*".to_owned()));
                continue;
            }
            let key = (shape.to_owned(), member.name.clone());
            if let Some(value) = object.get(&member.name) {
                self.seen.insert(key);
                inner.push((member.kind.clone(), value, format!("{at}.{}", member.name)));
            } else {
                assert!(!member.always, "{at}: {} is missing", member.name);
                self.missed.insert(key);
            }
        }
        for (kind, value, at) in inner {
            self.value(&kind, value, &at);
        }
    }

    fn value(&mut self, kind: &str, value: &Value, at: &str) {
        if let Some(element) = kind.strip_prefix("array of ") {
            let list = value.as_array().unwrap_or_else(|| panic!("{at}: {value}"));
            for (index, value) in list.iter().enumerate() {
                // Of the two, the one that says what went wrong is the second.
                let (well, failed) = element.split_once(" or [").unwrap_or((element, element));
                let element = if value.get("error").is_some() {
                    failed
                } else {
                    well
                };
                self.value(element, value, &format!("{at}[{index}]"));
            }
        } else if let Some(element) = kind.strip_prefix("object of ") {
            let map = value.as_object().unwrap_or_else(|| panic!("{at}: {value}"));
            for (key, value) in map {
                self.value(element, value, &format!("{at}[{key:?}]"));
            }
        } else if let Some(kind) = kind.strip_suffix(" or null") {
            if !value.is_null() {
                self.value(kind, value, at);
            }
        } else if let Some(shape) = link(kind) {
            self.object(shape, value, at);
        } else {
            let fits = match kind {
                "any" => true,
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "integer" => value.is_i64(),
                "number" => value.is_number(),
                _ => panic!("{at}: what is {kind:?}?"),
            };
            assert!(fits, "{at} is {value}, not {kind}");
        }
    }

    /// Nothing stands on the page that no command wrote.
    fn finish(&self) {
        for (heading, shape) in &self.shapes {
            assert!(
                !shape.is_command || self.commands.contains(heading),
                "{heading} was not run"
            );
            assert!(
                shape.refers_to.is_some() || !shape.members.is_empty(),
                "{heading} says nothing"
            );
            for member in &shape.members {
                let key = (heading.clone(), member.name.clone());
                assert!(self.seen.contains(&key), "nobody wrote {key:?}");
                assert!(
                    member.always || self.missed.contains(&key),
                    "{key:?} was there always"
                );
            }
        }
    }
}

/// Runs a command, checks what it writes as JSON, and that its YAML begins in the same way.
struct Checker<'a> {
    page: Page,
    service: &'a Service,
}

impl Checker<'_> {
    /// What a line writes stands under the command that it begins with.
    fn command(&self, line: &str) -> String {
        let words: Vec<&str> = line.split(' ').collect();
        let is_known = |command: &String| {
            let section = self.page.shapes.get(command);
            section.is_some_and(|section| section.is_command)
        };
        let mut commands = (1..=words.len()).map(|count| words[..count].join(" "));
        commands.rfind(is_known).expect(line)
    }

    fn run(&mut self, line: &str) {
        self.run_as(&self.command(line), line);
    }

    fn run_as(&mut self, command: &str, line: &str) {
        let ran = self.service.run(&format!("{line} -o json"));
        assert!(!ran.stdout.is_empty(), "{ran:?}");
        self.page.check(command, &ran.stdout);
    }

    /// The same for a command that changes nothing, and so can be repeated.
    fn read(&mut self, line: &str) {
        self.read_as(&self.command(line), line);
    }

    fn read_as(&mut self, command: &str, line: &str) {
        self.run_as(command, line);
        let yaml = self.service.run(&format!("{line} -o yaml"));
        assert!(
            yaml.stdout.starts_with("schema_version: 1\n"),
            "{line}: {yaml:?}"
        );
    }

    /// The service answers this once.
    fn answer(&self, operation: &'static str, body: &Value) {
        let json = HeaderValue::from_static("application/json");
        let fault = InjectedFault::status(StatusCode::OK).body(json, body.to_string());
        self.service.inject(fault.on(operation).times(2));
    }
}

const BEFORE: &str = r#"
name: w
region: nb
nodes:
  a-repo:
    data: {schema: [{key: ip, valtype: string}], options: {}}
  old-export:
    parents: [a-repo]
    data: {type: http, spec: {host: "http://example.com", uri: /u}}
  both-export:
    parents: [a-repo]
    data: {type: http, spec: {host: "http://example.com", uri: /u, secretKey: one}}
"#;

const AFTER: &str = r#"
name: v
region: nb
comment: new
nodes:
  a-repo:
    data: {schema: [{key: ip, valtype: long}]}
  both-export:
    parents: [a-repo]
    data: {type: http, spec: {host: "http://example.com", uri: /u, secretKey: two}}
  new-export:
    parents: [a-repo]
    data: {type: http, spec: {host: "http://example.com", uri: /u}}
"#;

#[test]
fn the_page_says_what_is_written_and_nothing_else() {
    let service = Service::new();
    let mut check = Checker {
        page: Page::read(),
        service: &service,
    };
    let before = TemporaryFile::new("before.yaml", BEFORE);
    let after = TemporaryFile::new("after.yaml", AFTER);

    check.run(&format!("workflow apply -f {}", before.path()));
    check.read(&format!("workflow apply -f {} --dry-run", after.path()));
    check.read(&format!("workflow diff {} {}", before.path(), after.path()));
    let wrong = TemporaryFile::new("wrong.yaml", "nodes: {a-repo: {data: {schema: []}}, b: }");
    check.read(&format!("workflow lint {}", wrong.path()));
    check.read("workflow lint w");
    let (one, other, wrong) = (before.path(), after.path(), wrong.path());
    for command in ["lint", "diff"] {
        check.read(&format!("workflow {command} {one} {other} {wrong}"));
    }
    check.read(&format!("workflow apply {one} {other} --dry-run"));

    check.run("workflow create v --comment c");
    let nodes = TemporaryFile::new("nodes.json", crate::support::NODES);
    check.run(&format!("workflow update v -f {}", nodes.path()));
    check.read("workflow list");
    check.read("workflow get v");
    check.run("workflow start v --wait");
    check.run("workflow restart v");
    check.read("workflow status v");
    check.read("workflow search v");
    check.run("workflow stop v");
    check.read("workflow wait v --for stopped");
    let watch = "workflow watch v --for stopped";
    let lines = service.run(&format!("{watch} -o json")).ok();
    for line in lines.lines() {
        check.page.check_line("workflow watch", line);
    }
    let documents = service.run(&format!("{watch} -o yaml")).ok();
    assert!(
        documents.starts_with("--- {\"schema_version\":1,"),
        "{documents}"
    );
    check.run("workflow delete v --yes");
    check.read("workflow wait v --for deleted");

    several(&mut check);
    sparse_answers(&mut check);
    tokens_and_codes(&mut check);
    resources(&mut check);
    settings(&mut check);
    check.page.finish();
}

/// The commands for many workflows, with failures of both kinds among them.
fn several(check: &mut Checker<'_>) {
    for name in ["x", "y"] {
        check.service.run(&format!("workflow create {name}")).ok();
        let nodes = crate::support::NODES.replace("clicks", &format!("{name}_clicks"));
        let file = TemporaryFile::new("nodes.json", &nodes);
        let update = format!("workflow update {name} -f {}", file.path());
        check.service.run(&update).ok();
    }
    let nowhere = TemporaryFile::new("no-folder", "");
    let folder = format!("{}.d", nowhere.path());
    check.read("workflow get x nobody");
    check.read("workflow status -l name=x");
    check.read("workflow status x nobody");
    check.run("workflow start x nobody --wait");
    check.run("workflow start y x");
    check.run("workflow stop -l name!=w,status=Started");
    check.run("workflow restart x nobody");
    check.read("workflow wait x nobody --for started");
    check.run(&format!("workflow export w nobody --dir {folder}"));
    std::fs::remove_dir_all(&folder).unwrap();
    check.run("workflow delete x y nobody --yes");
}

/// What a service may answer that is not the emulator's way.
fn sparse_answers(check: &mut Checker<'_>) {
    check.answer("list_workflows", &json!([{"name": "w"}]));
    check.read("workflow list");
    check.answer(
        "get_workflow",
        &json!({"nodes": {"a-repo": {"name": "a", "type": "repo"}}}),
    );
    check.read("workflow get w");
    check.answer("get_workflow_status", &json!({}));
    check.read("workflow status w");
    let nodes = json!({"status": "Started", "nodes": [{"name": "a", "type": "repo"}]});
    check.answer("get_workflow_status", &nodes);
    check.read("workflow status w");
    check.answer(
        "search_logs",
        &json!({
            "status": [{"type": "repo", "name": "a", "timestamp": "1", "status": "Ready"}],
            "recommend": [{"timestamp": "1", "detail": "d"}, "e"],
            "metric": [
                {"type": "export", "name": "a", "timestamp": "1", "exporttype": "kodo",
                    "total": 3, "success": 1, "failed": 1, "lag": 1},
                {"type": "export", "name": "a", "timestamp": "1"},
            ],
        }),
    );
    check.read("workflow search w");
    check.answer("search_logs", &json!({}));
    check.read("workflow search w");
}

fn tokens_and_codes(check: &mut Checker<'_>) {
    check.read("sign --method GET --url /v2/workflows");
    let mint = "token mint --method GET --resource /v2/workflows --ttl 5m";
    check.read(mint);
    check.read("token mint start_workflow w");
    check.read("token bundle w");
    check.read("token bundle --operation list_repos");
    // Beyond the years that a calendar has.
    check.read("token bundle w --expires 9999999999999");
    let forever = "token mint list_workflows --expires 9999999999999";
    check.read(forever);
    for mint in [mint, forever] {
        let token = TemporaryFile::new("token", &check.service.run(mint).ok());
        check.read(&format!("token decode {}", token.path()));
        check.read(&format!("token verify {}", token.path()));
    }
    check.read_as("explain CODE", "explain E18641");
    check.read_as("explain --all", "explain --all");
    check.read_as("explain KIND", "explain not-found");
    check.read_as("explain RESOURCE", "explain job-export");
}

/// Resources of every kind: two of each, what makes them, and what changes the first.
const RESOURCES: &[(&str, [&str; 2], &str, &str)] = &[
    ("repo", ["b", "d"], "--schema ip", "--add ref"),
    (
        "transform",
        ["b t", "b u"],
        "x --sql select",
        "--interval 5m",
    ),
    (
        "export",
        ["b e", "b f"],
        "--to http --host h --uri /u",
        "--uri /v",
    ),
    (
        "datasource",
        ["s", "r"],
        "--from kodo --bucket bbbb --file-type json --schema ip",
        "--add ref",
    ),
    (
        "job",
        ["j", "k"],
        "--from s=t --sql select --container 1U2G --run manual",
        "--sql select",
    ),
    (
        "job-export",
        ["j e", "j f"],
        "--to http --host h --uri /u",
        "--uri /v",
    ),
    (
        "variable",
        ["v", "z"],
        "--type string --value x",
        "--value y",
    ),
    ("group", ["g", "h"], "--container 1U2G", "--container 2U4G"),
];

/// Their commands differ in their words only.
fn resources(check: &mut Checker<'_>) {
    for (noun, [one, other], how, update) in RESOURCES {
        let mut run = |line: &str| {
            let verb = line.split(' ').next().unwrap();
            if check.page.shapes.contains_key(&format!("{noun} {verb}")) {
                check.run(&format!("{noun} {line}"));
            }
        };
        run(&format!("create {one} {how}"));
        run(&format!("create {other} {}", how.replacen("x ", "y ", 1)));
        run(&format!("update {one} {update}"));
        run("list");
        run(&format!("get {one}"));
        run(&format!("describe {one}"));
        let (one, other) = (one.replace(' ', "/"), other.replace(' ', "/"));
        run(&format!("get {one} {other} {other}x"));
        run(&format!("describe {one} {other} {other}x"));
        run(&format!("exists {one}"));
        run(&format!("exists {one} {other}x"));
    }
    let file = TemporaryFile::new(
        "r.yaml",
        "kind: repo\nname: applied\nschema: [{key: ip, valtype: string}]",
    );
    check.run(&format!("apply {}", file.path()));
    std::fs::write(
        file.path(),
        "{kind: repo, name: applied, schema: [{key: ip, valtype: string}, {key: at, valtype: date}]}",
    )
    .unwrap();
    check.run(&format!("apply {}", file.path()));
    descriptions(check);
    let points = TemporaryFile::new("clicks.points", "ip=1\n");
    check.run(&format!("repo push b {}", points.path()));
    check.run(&format!("ship b {} no.points", points.path()));
    check.run(&format!("ship b {} --dry-run", points.path()));
    for trouble in [false, true] {
        if trouble {
            let away = InjectedFault::status(StatusCode::SERVICE_UNAVAILABLE).times(1);
            let server = &check.service.server;
            let away = away.retry_after(std::time::Duration::from_secs(60));
            server.with(|emulator| emulator.inject(away.on("push_points")));
        }
        let status = TemporaryFile::new("status.json", "");
        let (points, file) = (points.path(), status.path());
        let line = format!("ship b {points} --give-up-after 300ms --linger 0s --status {file}");
        check.service.run(&line);
        let text = std::fs::read_to_string(file).unwrap();
        check.page.check("ship --status", &text);
    }
    let more = TemporaryFile::new("more.points", "ip=1\tmore=2\n");
    for rehearsal in ["--new-fields drop", "--export kodo:bucket=b"] {
        let line = format!("ship b {} --dry-run --schema-free {rehearsal}", more.path());
        check.run(&line);
    }
    // One is a dead letter, and the other stays, as nothing may be pushed.
    let buffer = tempfile::TempDir::new().unwrap();
    let folder = buffer.path().display().to_string();
    for file in [more.path(), points.path()] {
        let refused = InjectedFault::status(StatusCode::FORBIDDEN).on("push_points");
        let server = &check.service.server;
        server.with(|emulator| emulator.inject(refused.times(1)));
        let ship = format!("ship b {file} --buffer {folder}");
        check.service.run(&ship);
        check.run(&format!("buffer ls {folder}"));
    }
    check.run("repo sample b");
    let run = json!({"preStatus": "Failed", "postStatus": "Ready", "rerunCount": 1});
    check.answer("rerun_batch", &run);
    check.run("job rerun j 1");
    let jar = TemporaryFile::new("parser.jar", "no jar");
    for line in [
        "job start j",
        "job stop j",
        "group start g",
        "group start h nothing",
        "group stop g",
        "group stop h nothing",
        "job history j",
        "datasource infer --from kodo --bucket bbbb --file-type json",
        &format!("plugin upload com.example.P {}", jar.path()),
        "plugin list",
        "plugin get com.example.P",
        "plugin get com.example.P nothing",
        "plugin describe com.example.P",
        "plugin describe com.example.P nothing",
        "plugin delete com.example.P -y",
        "plugin delete com.example.P nothing -y",
        "udf jar list",
        "udf function list",
        "udf function builtins",
    ] {
        check.run(line);
    }
    for (noun, [one, other], ..) in RESOURCES.iter().rev() {
        let (one, other) = (one.replace(' ', "/"), other.replace(' ', "/"));
        check.run(&format!("{noun} delete {one} -y"));
        check.run(&format!("{noun} delete {one} {other} -y"));
    }
}

/// What hangs together, which needs more than one.
fn descriptions(check: &mut Checker<'_>) {
    check.read("repo describe a");
    check.read("job describe j");
    let queues = json!({"repos": [{"name": "b", "group": "g"}]});
    check.answer("list_repos", &queues);
    check.read("group describe g");
    let transform = json!({"to": "x", "spec": {"plugin": {"name": "P"}}, "workflow": "gone"});
    check.answer("get_transform", &transform);
    check.read("transform describe b/t");
}

fn settings(check: &mut Checker<'_>) {
    check.read("config explain");
    check.read("doctor");
    check.read("doctor --endpoint http://127.0.0.1:1");
    let file = TemporaryFile::new("config.toml", "");
    let mut config = |section: &str, line: &str| {
        let mut command = pipeline(&format!("config {line} -o json"));
        let output = command.env("PANDORA_CONFIG_FILE", file.path()).output();
        let written = Ran::of(output.unwrap()).ok();
        if !section.is_empty() {
            check.page.check(section, &written);
        }
    };
    config("", "set access_key ak");
    config("config get", "get access_key");
    config("config list", "list");
    config("config explain", "explain");
}

/// The commands below this one that have none below themselves, from the help.
pub(crate) fn commands(path: &str) -> Vec<String> {
    let help = run(&format!("{path} --help")).ok();
    let Some((_, list)) = help.split_once("Commands:\n") else {
        return vec![path.trim_start().to_owned()];
    };
    list.lines()
        .take_while(|line| !line.is_empty())
        // The lines in between go on with a long description.
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty() && *name != "help")
        .flat_map(|name| commands(&format!("{path} {name}")))
        .collect()
}

#[test]
fn the_page_names_every_command() {
    let page = Page::read();
    let all = commands("");
    assert!(all.contains(&"workflow start".to_owned()), "{all:?}");
    for command in all {
        assert!(
            page.text.contains(&format!("`{command}`"))
                || page.text.contains(&format!("`{command} ")),
            "docs/json.md says nothing of `{command}`"
        );
    }
}

#[test]
fn what_get_writes_is_a_workflow_file() {
    let service = Service::new().with_workflow("w");
    for form in ["json", "yaml"] {
        let text = service.run(&format!("workflow get w -o {form}")).ok();
        let file = TemporaryFile::new(&format!("w.{form}"), &text);
        let lint = service.run(&format!("workflow lint {}", file.path()));
        assert_eq!(
            (lint.code, lint.stdout.as_str(), lint.stderr.as_str()),
            (Some(0), "", "")
        );
        let diff = format!("workflow diff w {} --exit-code", file.path());
        assert_eq!(service.run(&diff).ok(), "");
        let apply = service.run(&format!("workflow apply -f {}", file.path()));
        assert_eq!(apply.stderr, "w is as the file says\n");
        if form == "json" {
            let update: Ran = service.run(&format!("workflow update w -f {}", file.path()));
            assert_eq!(update.stderr, "updated w\n");
        }
    }
}
