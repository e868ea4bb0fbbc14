//! Resources of every kind in one grammar: made from options and files, shown, changed, deleted.

use serde_json::json;

use crate::support::{Service, TemporaryFile, pipeline, run_with_input, words};

const CLICKS: &[&str] = &[
    "repo",
    "create",
    "clicks",
    "--schema",
    "ip string, *at date, geo map{lat float}",
];
const CLEAN: &[&str] = &[
    "transform",
    "create",
    "clicks",
    "clean",
    "clean_clicks",
    "--sql",
    "select ip from stream",
    "--container",
    "2U4Gx3",
];
const SAVE: &[&str] = &[
    "export", "create", "clicks", "save", "--to", "kodo", "--bucket", "clicks", "--fields",
    "ip=#ip", "--fields", "at=#at",
];

/// A service with one resource of each kind that can be made by options.
fn service() -> Service {
    let service = Service::new();
    for arguments in [CLICKS, CLEAN, SAVE] {
        service.run(arguments).ok();
    }
    service
}

#[test]
fn what_options_say_is_what_is_there() {
    let service = service();
    let get = |words: &str| {
        let arguments: Vec<&str> = words.split(' ').chain(["-o", "json"]).collect();
        service.run(&arguments).json()
    };
    let repo = get("repo get clicks");
    assert_eq!(
        repo["schema"][1],
        json!({"key": "at", "valtype": "date", "required": true})
    );
    assert_eq!(repo["region"], "nb");
    let transform = get("transform get clicks clean");
    assert_eq!(transform["source"], "clicks");
    assert_eq!(
        transform["spec"],
        json!({"mode": "sql", "code": "select ip from stream", "container": {"type": "2U4G", "count": 3}})
    );
    let export = get("export get clicks/save");
    assert_eq!(export["type"], "kodo");
    assert_eq!(
        export["spec"],
        json!({"bucket": "clicks", "fields": {"at": "#at", "ip": "#ip"}})
    );
    for (noun, names) in [("repo", 2), ("transform", 1), ("export", 1)] {
        let list = service.run(&[noun, "list", "-o", "name"]).ok();
        assert_eq!(list.lines().count(), names, "{list}");
    }
}

#[test]
fn people_see_schemas_and_where_things_come_from_and_go_to() {
    let service = service();
    for (words, says) in [
        (
            "repo list",
            "NAME          REGION  WORKFLOW  FILLED BY  ABOUT",
        ),
        ("repo list", "clean_clicks  nb      -         clean"),
        ("repo get clicks", "at     date            yes"),
        ("repo get clicks", "geo    map{lat float}  no"),
        (
            "transform list",
            "clicks  clean  clean_clicks  -         2U4Gx3",
        ),
        ("transform get clicks clean", "  select ip from stream\n"),
        ("export get clicks save", "at     #at\n"),
        ("export list clicks", "clicks  save  kodo"),
    ] {
        let shown = service.run(&words.split(' ').collect::<Vec<_>>()).ok();
        assert!(shown.contains(says), "{words}: {shown}");
    }
}

/// The service says `""` and `null` of what nobody has set.
#[test]
fn members_that_nobody_has_set_are_not_shown() {
    let service = service();
    for line in [
        "datasource create s --from kodo --bucket bbbb --file-type json --schema ip",
        "job create j --from s=t --sql select --container 1U2G --run manual",
        "job-export create j e --to http --host h --uri /u",
        "group create g --container 1U2G",
    ] {
        service.run(&words(line)).ok();
    }
    for (noun, names) in [
        ("repo", "clicks"),
        ("transform", "clicks/clean"),
        ("export", "clicks/save"),
        ("datasource", "s"),
        ("job", "j"),
        ("job-export", "j/e"),
        ("group", "g"),
    ] {
        for line in [
            format!("{noun} get {names}"),
            format!("{noun} describe {names}"),
            format!("{noun} list"),
        ] {
            let yaml = service
                .run(&[&words(&line)[..], &["-o", "yaml"]].concat())
                .ok();
            assert!(
                !yaml.contains(": \"\"") && !yaml.contains(": null"),
                "{line}: {yaml}"
            );
        }
    }
}

#[test]
fn an_update_keeps_what_is_there() {
    let service = service();
    let ran = |words: &[&str]| service.run(words);
    ran(&["repo", "update", "clicks", "--add", "ref string"]).ok();
    ran(&["transform", "update", "clicks", "clean", "--interval", "5m"]).ok();
    ran(&[
        "export",
        "update",
        "clicks",
        "save",
        "--rotate-interval",
        "60",
    ])
    .ok();
    let repo = ran(&["repo", "get", "clicks", "-o", "json"]).json();
    assert_eq!(repo["schema"].as_array().unwrap().len(), 4);
    let transform = ran(&["transform", "get", "clicks", "clean", "-o", "json"]).json();
    assert_eq!(transform["spec"]["container"]["count"], 3);
    assert_eq!(transform["spec"]["interval"], "5m");
    let export = ran(&["export", "get", "clicks", "save", "-o", "json"]).json();
    assert_eq!(export["spec"]["rotateInterval"], 60);
    assert_eq!(export["spec"]["bucket"], "clicks");
    let nothing = ran(&["repo", "update", "clicks"]).failed(2);
    assert!(nothing.contains("say what is to be changed"), "{nothing}");
}

#[test]
fn fields_are_removed_only_when_that_is_meant() {
    let service = service();
    let file = TemporaryFile::new("clicks.yaml", "schema: [{key: ip, valtype: string}]");
    let update = ["repo", "update", "clicks", "-f", file.path()];
    let asked = service.run(&update).failed(2);
    assert!(
        asked.contains("Remove from clicks the fields at, geo?"),
        "{asked}"
    );
    let option = ["repo", "update", "clicks", "--schema", "ip string"];
    assert!(service.run(&option).failed(2).contains("at, geo"));
    // What the service says of it is its own: the question is not asked again.
    assert!(
        !service
            .run(&[&update[..], &["-y"]].concat())
            .stderr
            .contains("Remove")
    );
}

#[test]
fn what_get_writes_is_a_file_to_create_and_update_from() {
    for form in ["json", "yaml"] {
        let service = service();
        for (noun, names) in [
            ("export", "clicks/save"),
            ("transform", "clicks/clean"),
            ("repo", "clicks"),
        ] {
            let text = service.run(&[noun, "get", names, "-o", form]).ok();
            let file = TemporaryFile::new(&format!("it.{form}"), &text);
            let update = service.run(&[noun, "update", "-f", file.path()]);
            assert_eq!(update.stderr, format!("updated {names}\n"));
            if noun == "repo" {
                service.run(&["repo", "delete", "clean_clicks", "-y"]);
            }
            service.run(&[noun, "delete", names, "-y"]).ok();
            service.run(&[noun, "create", "-f", file.path()]).ok();
            let again = service.run(&[noun, "get", names, "-o", form]).ok();
            assert_eq!(again, text);
            if noun != "repo" {
                service.run(&[noun, "delete", names, "-y"]).ok();
            }
        }
    }
}

#[test]
fn what_cannot_be_meant_is_said_with_its_place_and_nothing_is_sent() {
    let service = service();
    let before = service.asked().len();
    for (noun, words, file, says) in [
        (
            "repo",
            "create b",
            "schema: [{key: ip, valtype: text}]",
            "1:29: the service knows no type \"text\"",
        ),
        (
            "repo",
            "create b",
            "shema: [{key: ip, valtype: long}]",
            "1:1: \"shema\" means nothing here; did you mean \"schema\"?",
        ),
        ("repo", "create b", "{\"schema\": [}", "1:12: "),
        (
            "repo",
            "create b",
            "name: c\nschema: [{key: ip, valtype: ip}]",
            "the file is about \"c\", not b",
        ),
        (
            "repo",
            "create",
            "schema: [{key: ip, valtype: ip}]",
            "say NAME on the command line",
        ),
        (
            "repo",
            "create b",
            "schema: [{key: ip, valtype: \"${NOWHERE}\"}]",
            "variable NOWHERE is not set",
        ),
        (
            "repo",
            "create b",
            "schema: [{key: ip, valtype: \"${PANDORA_SECRET_KEY}\"}]",
            "reads it for itself",
        ),
        (
            "export",
            "create clicks b",
            "type: kodo\nspec: {buket: b, fields: {}}",
            "2:8: \"buket\" means nothing here; did you mean \"bucket\"?",
        ),
        (
            "export",
            "create clicks b --to kodo",
            "",
            "\"bucket\" is missing",
        ),
        ("export", "create clicks b --to ftp", "", "ftp"),
        (
            "transform",
            "create a-b c d --sql x",
            "",
            "invalid value 'a-b'",
        ),
        (
            "transform",
            "create clicks c d --sql x --container 1U2Gxy",
            "",
            "\"y\" is no number",
        ),
        (
            "transform",
            "get clicks",
            "",
            "name a transform after clicks",
        ),
        ("transform", "get clicks/a b", "", "write FROM/NAME"),
    ] {
        let path = TemporaryFile::new("it.yaml", file);
        let mut arguments: Vec<&str> = vec![noun];
        arguments.extend(words.split(' '));
        if !file.is_empty() {
            arguments.extend(["-f", path.path()]);
        }
        let said = service.run(&arguments).failed(2);
        assert!(said.contains(says), "{arguments:?}: {said}");
    }
    assert_eq!(service.asked().len(), before);
    // The caret stands under what is wrong.
    let ran = service.run(&["repo", "create", "b", "--schema", "ip string, at dat"]);
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(lines[..2], ["  ip string, at dat", "                ^"]);
    assert!(
        lines[2].starts_with("error: column 15: 'dat' is not a type"),
        "{ran:?}"
    );
}

#[test]
fn a_deletion_is_asked_about_and_takes_several() {
    let service = service();
    for words in [
        "repo delete clicks",
        "transform delete clicks clean",
        "export delete clicks/save",
        "export delete --all",
        "repo delete -l name=c*",
    ] {
        let ran = service.run(&words.split(' ').collect::<Vec<_>>()).failed(2);
        assert!(
            ran.starts_with("Delete ") && ran.contains("--yes"),
            "{words}: {ran}"
        );
    }
    let hangs = service.run(&["repo", "delete", "clicks", "-y"]);
    assert!(hangs.stderr.contains("E18112"), "{hangs:?}");
    service.run(&["export", "delete", "clicks/save", "-y"]).ok();
}

#[test]
fn secrets_are_shown_when_they_are_asked_for_only() {
    let service = service();
    let file = TemporaryFile::new(
        "it.yaml",
        "type: kodo\nspec: {bucket: b, fields: {ip: '#ip'}, exportSecretKey: \"${KODO_SECRET}\"}",
    );
    let mut create = service.command(&["export", "create", "clicks", "other", "-f", file.path()]);
    assert!(
        create
            .env("KODO_SECRET", "s3cret")
            .output()
            .unwrap()
            .status
            .success()
    );
    for words in [
        "export get clicks other",
        "export list",
        "export list -o yaml",
        "export get clicks/other -o json",
    ] {
        let shown = service.run(&words.split(' ').collect::<Vec<_>>()).ok();
        assert!(!shown.contains("s3cret"), "{words}: {shown}");
    }
    let shown = service.run(&[
        "export",
        "get",
        "clicks",
        "other",
        "--with-secrets",
        "-o",
        "json",
    ]);
    assert_eq!(shown.json()["spec"]["exportSecretKey"], "s3cret");
    // None can be given where others would see it.
    let help = service.run(&["export", "create", "--help"]).ok();
    assert!(!help.contains("secret-key <"), "{help}");
    // What hides a secret is never sent for one.
    let hidden = service
        .run(&["export", "get", "clicks", "other", "-o", "yaml"])
        .ok();
    let hidden = TemporaryFile::new("hidden.yaml", &hidden);
    let update = service
        .run(&["export", "update", "-f", hidden.path()])
        .failed(2);
    assert!(update.contains("HIDDEN"), "{update}");
    let keeps = service.run(&["export", "update", "clicks", "other", "--bucket", "c"]);
    assert_eq!(keeps.code, Some(0), "{keeps:?}");
    let shown = service.run(&[
        "export",
        "get",
        "clicks",
        "other",
        "--with-secrets",
        "-o",
        "json",
    ]);
    assert_eq!(shown.json()["spec"]["exportSecretKey"], "s3cret");
}

#[test]
fn a_dry_run_shows_what_would_be_sent() {
    let service = service();
    let before = service.asked().len();
    let shown = service
        .run(&[CLICKS, &["--dry-run", "-o", "json"]].concat())
        .json();
    assert_eq!(shown["schema"][0]["key"], "ip");
    assert_eq!(service.asked().len(), before);
}

#[test]
fn a_description_has_what_feeds_a_resource_and_what_it_feeds() {
    let service = service();
    for line in [
        "datasource create logs --from kodo --bucket bbbb --file-type json --schema ip",
        "job create daily --from logs=t --sql select --container 1U2G --run manual",
        "job create weekly --from job:daily=u --sql select --run depend",
        "job-export create daily save --to http --host h --uri /u",
        "job start daily",
    ] {
        service.run(&words(line)).ok();
    }
    for (line, expected) in [
        (
            "repo describe clicks",
            "feeds transform clicks/clean, feeds export clicks/save",
        ),
        (
            "repo describe clean_clicks",
            "fed by transform clicks/clean",
        ),
        (
            "transform describe clicks clean",
            "fed by repo clicks, feeds repo clean_clicks",
        ),
        ("export describe clicks/save", "fed by repo clicks"),
        ("datasource describe logs", "feeds job daily"),
        (
            "job describe daily",
            "fed by datasource logs, feeds job weekly, feeds job-export daily/save",
        ),
        ("job describe weekly", "fed by job daily"),
        ("job-export describe daily save", "fed by job daily"),
    ] {
        let shown = service.run(&words(line)).ok();
        let rows = shown.lines().map(|row| words(row).join(" "));
        let rows = rows.filter(|row| row.starts_with("fed by ") || row.starts_with("feeds "));
        let rows: Vec<String> = rows.map(|row| row.replace(" -", "")).collect();
        assert_eq!(rows.join(", "), expected, "{line}: {shown}");
    }
    let job = service.run(&words("job describe daily -o json")).json();
    assert_eq!(
        job["feeds"][1],
        json!({"type": "job-export", "job": "daily", "name": "save"})
    );
    assert_eq!(job["runs"][0]["runId"], 1);
    assert!(job.get("workflow").is_none());
    let gone = service.run(&words("job describe nothing")).failed(3);
    assert!(gone.contains("nothing"), "{gone}");
}

#[test]
fn a_description_has_the_workflow_and_hides_secrets() {
    let service = Service::new();
    let file = TemporaryFile::new(
        "w.yaml",
        "{name: w, region: nb, nodes: {a-repo: {data: {schema: [{key: ip, valtype: string}]}}, \
         e-export: {parents: [a-repo], data: {type: http, spec: {host: h, uri: /u, secretKey: s3cret}}}}}",
    );
    let apply = ["workflow", "apply", "-f", file.path()];
    service.run(&apply).ok();
    for form in ["table", "json", "yaml"] {
        let shown = service
            .run(&["export", "describe", "a", "e", "-o", form])
            .ok();
        assert!(!shown.contains("s3cret"), "{shown}");
    }
    let shown = service.run(&words("repo describe a")).ok();
    let row = shown.lines().find(|row| row.starts_with("part of"));
    assert_eq!(
        words(row.unwrap_or_default()).join(" "),
        "part of workflow w Ready",
        "{shown}"
    );
}

/// What hangs on a queue keeps it, and the line says where it is shown.
#[test]
fn what_cannot_be_deleted_is_to_be_described() {
    let line = service().run(&words("repo delete clicks -y")).failed(5);
    assert!(line.contains("E18112"), "{line}");
    assert!(
        line.ends_with("; see: pipeline repo describe clicks"),
        "{line}"
    );
}

/// From upload to deletion: what a jar holds can be registered and nothing else, and what is registered keeps its jar.
#[test]
fn jars_and_what_they_hold_live_from_upload_to_deletion() {
    let service = Service::new();
    let jar = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/data/city.jar");
    let register =
        "udf function register city --jar geo.jar --declaration city(ip) --class com.example.";
    for (line, code, says) in [
        ("udf jar upload geo.jar JAR", 0, "uploaded geo.jar\n"),
        ("udf jar upload geo.jar JAR", 5, "E18636"),
        (
            "udf jar update geo.jar --description cities",
            0,
            "updated geo.jar\n",
        ),
        ("udf jar get geo.jar", 0, "cities"),
        ("udf jar describe geo.jar", 0, "cities"),
        (&format!("{register}Town"), 3, "E18632"),
        (&format!("{register}City"), 0, "created city\n"),
        ("udf function get city", 0, "com.example.City"),
        ("udf function describe city", 0, "geo.jar"),
        ("udf jar describe geo.jar", 0, "used by  udf function  city"),
        ("udf function list", 0, "city(ip)"),
        // The emulator runs no Java; what does not fit it refuses as the service does.
        ("udf function debug select|town(1)", 3, "E18634"),
        (
            "udf function debug nothing",
            1,
            "invalid udf debug expression",
        ),
        ("udf function debug select|city(1)", 1, "E9001"),
        ("udf function deregister city -y", 0, "deleted city\n"),
        ("udf function get city", 3, "there is no such udf function"),
        ("udf jar delete geo.jar -y", 0, "deleted geo.jar\n"),
        ("udf jar get geo.jar", 3, "there is no such udf jar"),
        (
            "plugin upload com.example.City JAR",
            0,
            "uploaded com.example.City\n",
        ),
        (
            "plugin verify com.example.City",
            0,
            "there is nothing to show\n",
        ),
        ("plugin verify com.example.Town", 3, "E18216"),
        (
            "plugin delete com.example.City -y",
            0,
            "deleted com.example.City\n",
        ),
    ] {
        let arguments = line
            .split(' ')
            .map(|word| word.replace("JAR", jar).replace('|', " "));
        let arguments: Vec<String> = arguments.collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let ran = service.run(&arguments);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(
            ran.code == Some(code) && said.contains(says),
            "{line}: {ran:?}"
        );
    }
}

/// A run that is under way is stopped alone, and one that has ended is run again.
#[test]
fn runs_of_a_job_are_stopped_and_repeated_one_by_one() {
    let service = Service::new();
    for line in [
        "datasource create s --from kodo --bucket bbbb --file-type json --schema ip",
        "job create j --from s=t --sql select --params day --container 1U2G --run manual",
    ] {
        service.run(&words(line)).ok();
    }
    for (line, code, says) in [
        ("job start j --param day=2017-06-01", 0, "starting j\n"),
        (
            "job stop j --run 1",
            0,
            "run 1, Running before, is Canceled: j\n",
        ),
        ("job history j", 0, "1"),
        (
            "job rerun j 1",
            0,
            "run 1, Canceled before, is Running: j\n",
        ),
        ("job stop j --run 2", 3, "E18624"),
        ("job rerun j 2", 3, "E18624"),
        ("job stop j", 0, "stopping j\n"),
    ] {
        let ran = service.run(&words(line));
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(
            ran.code == Some(code) && said.contains(says),
            "{line}: {ran:?}"
        );
    }
}

#[test]
fn exists_says_it_by_its_exit_code() {
    let service = service();
    service
        .run(&["repo", "exists", "clicks", "clean_clicks"])
        .ok();
    let both = service.run(&["repo", "exists", "clicks", "nothing", "-o", "json"]);
    assert_eq!(both.code, Some(3));
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&both.stdout).unwrap()["items"][1]["exists"],
        false
    );
    // Its queue is not there either.
    assert_eq!(
        service.run(&["transform", "exists", "nothing/at_all"]).code,
        Some(3)
    );
}

/// What goes in comes out, whatever it is written in.
#[test]
fn records_are_pushed_and_shown() {
    let service = service();
    let none = service.run(&words("repo sample clicks"));
    assert_eq!(none.stderr, "clicks has no records to show\n");
    let ndjson = "\u{feff}{\"at\":\"2026-11-28T00:20:47Z\",\"ip\":\"a\\tb\"}\n\n{\"at\":\"2026-11-28T00:20:48Z\"}\r\n";
    let points = "at=2026-11-28T00:20:49Z\tip=c\n";
    for (name, text, options, says) in [
        (
            "clicks.ndjson",
            ndjson,
            &[][..],
            "pushed 2 records into clicks (56 bytes)",
        ),
        ("clicks.txt", ndjson, &["--no-gzip"], "pushed 2 records"),
        ("clicks.points", points, &[], "pushed 1 record into"),
        (
            "x.json",
            points,
            &["--format", "points"],
            "pushed 1 record into",
        ),
        (
            "t.points",
            "ip=x\n",
            &["--tag", "at=2026-11-28T00:20:50Z"],
            "pushed 1 record into",
        ),
        ("empty.points", "", &[], "pushed 0 records"),
        ("empty.csv", "\u{feff}ip,at\r\n", &[], "pushed 0 records"),
    ] {
        let file = TemporaryFile::new(name, text);
        let push = [&["repo", "push", "clicks", file.path()][..], options].concat();
        let ran = service.run(&push);
        assert!(
            ran.code == Some(0) && ran.stderr.contains(says),
            "{name}: {}",
            ran.stderr
        );
    }
    let sample =
        |options: &[&str]| service.run(&[&["repo", "sample", "clicks"][..], options].concat());
    let last = sample(&["-n", "1", "-o", "json"]).json();
    assert_eq!(
        last["items"],
        json!([{"at": "2026-11-28T00:20:50Z", "ip": "x"}])
    );
    assert!(sample(&[]).ok().contains("2026-11-28T00:20:49Z  c"));
    let points = sample(&["-n", "5", "--points"]).ok();
    assert!(
        points.starts_with("at=2026-11-28T00:20:47Z\tip=a\\tb\nat="),
        "{points}"
    );
    assert!(sample(&["-n", "11"]).failed(2).contains("1..=10"));
}

#[test]
fn a_bad_record_is_named_by_its_line_and_nothing_of_its_push_is_sent() {
    let service = service();
    for (name, text, says) in [
        (
            "a.ndjson",
            "{\"at\":\"2026-11-28T00:20:47Z\"}\n{\"at\":7}\n",
            "a.ndjson:2: the field \"at\": an integer that cannot be made a date",
        ),
        ("b.ndjson", "{\"at\":", "b.ndjson:1: no JSON"),
        (
            "c.points",
            "at=2026-11-28T00:20:47Z\tmore=1",
            "c.points:1: the field \"more\": the schema does not have it",
        ),
        (
            "d.points",
            "ip=a",
            "the field \"at\": the schema requires it",
        ),
        ("e.points", "at", "a field without '='"),
        ("f.points", "\n\n=1", "f.points:3: a key is not empty"),
        (
            "g.csv",
            "ip,at\r\n\"a\r\nb\",2026-11-28T00:20:47Z\r\n\r\nc,soon\r\n",
            "g.csv:5:3: the field \"at\": a text that cannot be made a date",
        ),
        (
            "h.csv",
            "ip,more,at\n",
            "h.csv:1:4: the schema does not have the column \"more\"",
        ),
        (
            "i.csv",
            "ip,at,ip\n",
            "i.csv:1:7: the column \"ip\" is there twice",
        ),
        (
            "j.csv",
            "ip,at\na\n",
            "j.csv:2:2: a record of 1 cells, where there are 2 columns",
        ),
        (
            "k.csv",
            "at,ip\n2026-11-28T00:20:47Z,\"a\n2026-11-28T00:20:48Z,b\n",
            "k.csv:2:22: a quote that is not closed",
        ),
        (
            "l.csv",
            "at,ip\n2026-11-28T00:20:47Z,5\"\n2026-11-28T00:20:48Z,6\"\n",
            "l.csv:2:23: a quote that is not closed",
        ),
        (
            "m.csv",
            "at,geo\n2026-11-28T00:20:47Z,\"{\"\"lat\"\":\"\"x\"\"}\"\n",
            "m.csv:2:22: the field \"geo.lat\": a text that cannot be made a float",
        ),
    ] {
        let file = TemporaryFile::new(name, text);
        let line = service
            .run(&["repo", "push", "clicks", file.path()])
            .failed(2);
        assert!(
            line.contains(says) && line.contains("nothing was pushed"),
            "{line}"
        );
    }
    let other = service.run(&["repo", "push", "nowhere", "-"]).failed(3);
    assert!(other.contains("nowhere"), "{other}");
    let tag = service
        .run(&["repo", "push", "clicks", "--tag", "=x"])
        .failed(2);
    assert!(tag.contains("cannot be the key of a tag"), "{tag}");
    assert_eq!(service.run(&["repo", "sample", "clicks"]).ok(), "");
}

#[test]
fn cells_of_csv_become_what_the_schema_says() {
    let service = Service::new();
    let schema = "s string, n long, f float, b boolean, at date, tags array(string), geo map{lat float}, j jsonstring";
    service
        .run(&["repo", "create", "all", "--schema", schema])
        .ok();
    let text = "\u{feff}at,s,n,f,b,tags,geo,j\r\n\
        2026-11-28T00:20:47Z,\"a, \"\"b\"\"\r\nc\",-7,1.5,true,\"[\"\"x\"\",\"\"y\"\"]\",\"{\"\"lat\"\":1.5}\",\"{\"\"k\"\":1}\"\r\n\
        \r\n\
        ,007,,,,,,\r\n";
    for (name, options) in [("a.csv", &[][..]), ("a.txt", &["--format", "csv"])] {
        let file = TemporaryFile::new(name, text);
        let ran = service.run(&[&["repo", "push", "all", file.path()][..], options].concat());
        assert!(ran.stderr.contains("pushed 2 records"), "{ran:?}");
        let sample = service.run(&["repo", "sample", "all", "-n", "2", "-o", "json"]);
        let full = json!({
            "at": "2026-11-28T00:20:47Z", "s": "a, \"b\"\r\\nc", "n": -7, "f": 1.5, "b": true,
            "tags": ["x", "y"], "geo": {"lat": 1.5}, "j": "{\"k\":1}",
        });
        let mut items = sample.json()["items"].as_array().unwrap().clone();
        items.sort_by_key(|item| item.as_object().unwrap().len());
        assert_eq!(items, [json!({"s": "007"}), full], "{name}");
    }
}

/// Other separators, and fields that an option names; a cell that is wrong is named by line and column.
#[test]
fn csv_is_pushed_whatever_separates_its_cells_and_wherever_its_fields_are_named() {
    let service = Service::new();
    let schema = "ip string, n long";
    for (at, (name, text, options, says)) in [
        (
            "a.csv",
            "ip;n\n\"a;\"\"\";7\n",
            "--delimiter ;",
            Ok(json!({"ip": "a;\"", "n": 7})),
        ),
        (
            "a.tsv",
            "ip\tn\na,\t7\n",
            "",
            Ok(json!({"ip": "a,", "n": 7})),
        ),
        (
            "a",
            "ip\tn\na\t7\n",
            "--delimiter \\t",
            Ok(json!({"ip": "a", "n": 7})),
        ),
        (
            "a.csv",
            "7|a\n",
            "--columns n,ip --delimiter |",
            Ok(json!({"ip": "a", "n": 7})),
        ),
        ("a", "a,\n", "--columns ip,n", Ok(json!({"ip": "a"}))),
        (
            "a.csv",
            "ip;n\n\"\n;\";x\n",
            "--delimiter ;",
            Err("a.csv:3:4: the field \"n\""),
        ),
        (
            "a.csv",
            "ip,n\n",
            "--delimiter ;",
            Err("a.csv:1:1: the schema does not have the column \"ip,n\""),
        ),
        (
            "a.csv",
            "a,7,8\n",
            "--columns ip,n",
            Err("a.csv:1:5: a record of 3 cells, where there are 2"),
        ),
        (
            "a.csv",
            "a,7\n",
            "--columns ip,m",
            Err("--columns: the schema does not have the column \"m\""),
        ),
        (
            "a.csv",
            "a,7\n",
            "--columns ip,n --format points",
            Err("are for --format csv"),
        ),
        ("a.csv", "", "--delimiter ,,", Err("write one character")),
        ("a.csv", "", "--delimiter \"", Err("write one character")),
    ]
    .into_iter()
    .enumerate()
    {
        let repo = format!("r{at}");
        service
            .run(&["repo", "create", &repo, "--schema", schema])
            .ok();
        let file = TemporaryFile::new(name, text);
        let push = ["repo", "push", &repo, file.path()];
        let ran = service.run(&[&push[..], &words(options)].concat());
        match says {
            Ok(record) => {
                assert!(
                    ran.stderr.contains("pushed 1 record into"),
                    "{name}: {ran:?}"
                );
                let sample = service.run(&["repo", "sample", &repo, "-o", "json"]).json();
                assert_eq!(sample["items"], json!([record]), "{text}");
            }
            Err(says) => {
                let line = ran.failed(2);
                assert!(line.contains(says), "{line}");
            }
        }
    }
}

/// With a token nothing but the push is allowed, so that the schema cannot be looked at.
#[test]
fn a_token_for_pushing_is_enough_with_tags_as_well() {
    let service = service();
    let token = service
        .run(&["token", "mint", "push_points", "clicks"])
        .ok();
    for (text, tags, code) in [
        ("at=2026-11-28T00:20:47Z", &[][..], 0),
        ("ip=a", &["--tag", "at=2026-11-28T00:20:47Z"], 0),
        ("at=7", &[], 1),
    ] {
        let mut command = pipeline(&[&["repo", "push", "clicks"][..], tags].concat());
        command
            .env("PANDORA_ENDPOINT", service.server.url())
            .env("PANDORA_TOKEN", token.trim_end());
        let ran = run_with_input(command, text.as_bytes());
        assert_eq!(ran.code, Some(code), "{}", ran.stderr);
    }
}

#[test]
fn names_of_resources_are_offered_while_they_are_typed() {
    let service = service();
    let offers = |line: &str| {
        let mut command = service.command(&[]);
        command.env("COMPLETE", "fish");
        command.arg("--").arg("pipeline").args(line.split(' '));
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    for (line, offered) in [
        ("repo get cle", "clean_clicks\n"),
        ("repo delete clicks cle", "clean_clicks\n"),
        ("transform get cli", "clicks\n"),
        ("transform get clicks ", "clean\n"),
        ("export update clicks sa", "save\n"),
        ("transform create clicks new clean", "clean_clicks\n"),
        ("repo create cle", ""),
    ] {
        let shown = offers(line);
        assert!(shown.starts_with(offered), "{line}: {shown}");
        assert!(
            !offered.is_empty() || !shown.contains("clean_clicks"),
            "{line}: {shown}"
        );
    }
}

#[test]
fn any_request_can_be_sent() {
    let service = service();
    let repos = service.run(&words("api GET /v2/repos?withDag=true")).json();
    assert_eq!(repos["repos"].as_array().unwrap().len(), 2);
    let file = TemporaryFile::new(
        "b.json",
        r#"{"region":"nb","schema":[{"key":"ip","valtype":"string"}]}"#,
    );
    let data = format!("@{}", file.path());
    service
        .run(&["api", "post", "/v2/repos/b", "-d", &data])
        .ok();
    let stdin = service.run_with_input(
        &words("api PUT /v2/repos/b -d @-"),
        &std::fs::read_to_string(file.path()).unwrap(),
    );
    assert_eq!(stdin.code, Some(0), "{stdin:?}");
    for (line, code, says) in [
        ("api GET /v2/repos/nothing", 3, "E18102"),
        ("api DELETE /v2/repos/clicks", 5, "E18112"),
        ("api GET /v2/../repos", 2, ".."),
        ("api GET v2/repos", 2, "a path begins with /"),
        ("api GET /v2/repos -H Date:x", 2, "date"),
        (
            "api GET /v2/repos --endpoint http://127.0.0.1:1",
            8,
            "no connection",
        ),
    ] {
        let said = service.run(&words(line));
        assert_eq!(
            (said.code, said.stdout.as_str()),
            (Some(code), ""),
            "{line}: {said:?}"
        );
        assert!(
            said.stderr.to_lowercase().contains(&says.to_lowercase()),
            "{line}: {said:?}"
        );
    }
}
