//! Resources of every kind in one grammar: made from options and files, shown, changed, deleted.

use serde_json::json;

use crate::support::{Service, TemporaryFile, pipeline, run_with_input};

const CLICKS: &str = "repo create clicks --schema 'ip string, *at date, geo map{lat float}'";
const CLEAN: &str = "transform create clicks clean clean_clicks --sql 'select ip from stream'";
const SAVE: &str =
    "export create clicks save --to kodo --bucket clicks --fields ip=#ip --fields at=#at";

/// A service with one resource of each kind that can be made by options.
fn service() -> Service {
    let service = Service::new();
    for arguments in [CLICKS, CLEAN, SAVE] {
        service.run(arguments).ok();
    }
    service
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
        service.run(line).ok();
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
            let yaml = service.run(&format!("{line} -o yaml")).ok();
            assert!(
                !yaml.contains(": \"\"") && !yaml.contains(": null"),
                "{line}: {yaml}"
            );
        }
    }
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
            let text = service.run(&format!("{noun} get {names} -o {form}")).ok();
            let file = TemporaryFile::new(&format!("it.{form}"), &text);
            let update = service.run(&format!("{noun} update -f {}", file.path()));
            assert_eq!(update.stderr, format!("updated {names}\n"));
            if noun == "repo" {
                service.run("repo delete clean_clicks -y");
            }
            service.run(&format!("{noun} delete {names} -y")).ok();
            service
                .run(&format!("{noun} create -f {}", file.path()))
                .ok();
            let again = service.run(&format!("{noun} get {names} -o {form}")).ok();
            assert_eq!(again, text);
            if noun != "repo" {
                service.run(&format!("{noun} delete {names} -y")).ok();
            }
        }
    }
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
        ("udf function debug 'select town(1)'", 3, "E18634"),
        (
            "udf function debug nothing",
            1,
            "invalid udf debug expression",
        ),
        ("udf function debug 'select city(1)'", 1, "E9001"),
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
        let ran = service.run(&line.replace("JAR", jar));
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
        service.run(line).ok();
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
        let ran = service.run(line);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(
            ran.code == Some(code) && said.contains(says),
            "{line}: {ran:?}"
        );
    }
    let job = service.run("job describe j -o json").json();
    assert_eq!(job["runs"][0]["runId"], 1, "{job}");
}

/// What goes in comes out, whatever it is written in.
#[test]
fn records_are_pushed_and_shown() {
    let service = service();
    let none = service.run("repo sample clicks");
    assert_eq!(none.stderr, "clicks has no records to show\n");
    let ndjson = "\u{feff}{\"at\":\"2026-11-28T00:20:47Z\",\"ip\":\"a\\tb\"}\n\n{\"at\":\"2026-11-28T00:20:48Z\"}\r\n";
    let points = "at=2026-11-28T00:20:49Z\tip=c\n";
    for (name, text, options, says) in [
        (
            "clicks.ndjson",
            ndjson,
            "",
            "pushed 2 records into clicks (56 bytes)",
        ),
        ("clicks.txt", ndjson, "--no-gzip", "pushed 2 records"),
        ("clicks.points", points, "", "pushed 1 record into"),
        ("x.json", points, "--format points", "pushed 1 record into"),
        (
            "t.points",
            "ip=x\n",
            "--tag at=2026-11-28T00:20:50Z",
            "pushed 1 record into",
        ),
        ("empty.points", "", "", "pushed 0 records"),
        ("empty.csv", "\u{feff}ip,at\r\n", "", "pushed 0 records"),
    ] {
        let file = TemporaryFile::new(name, text);
        let ran = service.run(&format!("repo push clicks {} {options}", file.path()));
        assert!(
            ran.code == Some(0) && ran.stderr.contains(says),
            "{name}: {}",
            ran.stderr
        );
    }
    let sample = |options: &str| service.run(&format!("repo sample clicks {options}"));
    let last = sample("-n 1 -o json").json();
    assert_eq!(
        last["items"],
        json!([{"at": "2026-11-28T00:20:50Z", "ip": "x"}])
    );
    assert!(sample("").ok().contains("2026-11-28T00:20:49Z  c"));
    let points = sample("-n 5 --points").ok();
    assert!(
        points.starts_with("at=2026-11-28T00:20:47Z\tip=a\\tb\nat="),
        "{points}"
    );
    assert!(sample("-n 11").failed(2).contains("1..=10"));
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
            .run(&format!("repo push clicks {}", file.path()))
            .failed(2);
        assert!(
            line.contains(says) && line.contains("nothing was pushed"),
            "{line}"
        );
    }
    let other = service.run("repo push nowhere -").failed(3);
    assert!(other.contains("nowhere"), "{other}");
    let tag = service.run("repo push clicks --tag =x").failed(2);
    assert!(tag.contains("cannot be the key of a tag"), "{tag}");
    assert_eq!(service.run("repo sample clicks").ok(), "");
}

#[test]
fn lines_for_the_parse_rules_are_pushed_as_they_are() {
    let service = Service::new();
    service
        .run("repo create access --schema 'line string' --rule-names nginx")
        .ok();
    let log = TemporaryFile::new("access.log", "GET /a b\n\nGET /c\r\n");
    for options in ["--parse", "--rule nginx --rule late --tag host=web1"] {
        let ran = service.run(&format!("repo push access {} {options}", log.path()));
        assert!(
            ran.stderr.contains("pushed 2 lines into access (17 bytes)"),
            "{}",
            ran.stderr
        );
    }
    let large = TemporaryFile::new("long.log", &format!("a\n{}\n", "b".repeat(3 << 20)));
    let push = format!("repo push access {} --parse", large.path());
    let line = service.run(&push).failed(2);
    assert!(
        line.contains("long.log:2: a line of 3145728 bytes"),
        "{line}"
    );
    for (options, says) in [
        ("--parse --format csv", "cannot be used with"),
        ("--rule x --no-gzip", "cannot be used with"),
    ] {
        let line = service
            .run(&format!("repo push access - {options}"))
            .failed(2);
        assert!(line.contains(says), "{line}");
    }
    let line = service
        .run(&format!("repo push nowhere {} --parse", log.path()))
        .failed(3);
    assert!(line.contains("access.log:1-3: E18102"), "{line}");
}

#[test]
fn cells_of_csv_become_what_the_schema_says() {
    let service = Service::new();
    let schema = "s string, n long, f float, b boolean, at date, tags array(string), geo map{lat float}, j jsonstring";
    service
        .run(&format!("repo create all --schema '{schema}'"))
        .ok();
    let text = "\u{feff}at,s,n,f,b,tags,geo,j\r\n\
        2026-11-28T00:20:47Z,\"a, \"\"b\"\"\r\nc\",-7,1.5,true,\"[\"\"x\"\",\"\"y\"\"]\",\"{\"\"lat\"\":1.5}\",\"{\"\"k\"\":1}\"\r\n\
        \r\n\
        ,007,,,,,,\r\n";
    for (name, options) in [("a.csv", ""), ("a.txt", "--format csv")] {
        let file = TemporaryFile::new(name, text);
        let ran = service.run(&format!("repo push all {} {options}", file.path()));
        assert!(ran.stderr.contains("pushed 2 records"), "{ran:?}");
        let sample = service.run("repo sample all -n 2 -o json");
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
            "--delimiter '\\t'",
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
        ("a.csv", "", "--delimiter '\"'", Err("write one character")),
    ]
    .into_iter()
    .enumerate()
    {
        let repo = format!("r{at}");
        service
            .run(&format!("repo create {repo} --schema '{schema}'"))
            .ok();
        let file = TemporaryFile::new(name, text);
        let ran = service.run(&format!("repo push {repo} {} {options}", file.path()));
        match says {
            Ok(record) => {
                assert!(
                    ran.stderr.contains("pushed 1 record into"),
                    "{name}: {ran:?}"
                );
                let sample = service.run(&format!("repo sample {repo} -o json")).json();
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
    let token = service.run("token mint push_points clicks").ok();
    for (text, tags, code) in [
        ("at=2026-11-28T00:20:47Z", "", 0),
        ("ip=a", "--tag at=2026-11-28T00:20:47Z", 0),
        ("at=7", "", 1),
    ] {
        let mut command = pipeline(&format!("repo push clicks {tags}"));
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
        let mut command = service.command("");
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
    let repos = service.run("api GET /v2/repos?withDag=true").json();
    assert_eq!(repos["repos"].as_array().unwrap().len(), 2);
    let file = TemporaryFile::new(
        "b.json",
        r#"{"region":"nb","schema":[{"key":"ip","valtype":"string"}]}"#,
    );
    let data = format!("@{}", file.path());
    service.run(&format!("api post /v2/repos/b -d {data}")).ok();
    let stdin = service.run_with_input(
        "api PUT /v2/repos/b -d @-",
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
        let said = service.run(line);
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
