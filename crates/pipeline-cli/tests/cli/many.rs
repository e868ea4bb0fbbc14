//! Several workflows at once: by their names, by a selector, or all.

use std::{fs, path::PathBuf};

use http::StatusCode;
use pipeline_emulator::{Emulator, InjectedFault, Transition};
use pipeline_proto::ErrorCode;
use serde_json::{Value, json};

use crate::support::{Ran, Service, signal};

/// A service with these workflows, none of which was started.
fn service(names: &[&str]) -> Service {
    let fill = |service: Service, name: &&str| service.with_workflow(name);
    names.iter().fold(Service::new(), fill)
}

/// A folder that is gone with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("many-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
        let mut names: Vec<String> = entries.map(|entry| name(entry.unwrap())).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn fail(service: &Service, operation: &'static str, name: &str, fault: InjectedFault) {
    let fault = fault.on(operation).on_workflow(name).always();
    service.server.with(|emulator| emulator.inject(fault));
}

/// The lines of stderr, the failures in their order, for they come as they happen.
fn lines(ran: &Ran) -> Vec<String> {
    let mut lines: Vec<String> = ran.stderr.lines().map(str::to_owned).collect();
    let failures = lines.iter().take_while(|line| line.starts_with("error: "));
    let failures = failures.count();
    lines[..failures].sort();
    lines
}

fn count(service: &Service, kind: &'static str) -> usize {
    let asked = service.asked();
    asked.into_iter().filter(|asked| *asked == kind).count()
}

fn names(service: &Service, selector: &str) -> String {
    let list = ["workflow", "list", "-o", "name", "-l", selector];
    service.run(&list).ok().replace('\n', " ")
}

#[test]
fn a_selector_chooses_by_name_status_and_region() {
    let service = service(&["nginx_a", "nginx_b", "mysql"]);
    service
        .run(&["workflow", "create", "far", "--region", "jjh"])
        .ok();
    service.run(&["workflow", "start", "nginx_a"]).ok();
    for (selector, expected) in [
        ("name=nginx_*", "nginx_a nginx_b "),
        ("name=nginx_?,status=started", "nginx_a "),
        ("status!=Started", "far mysql nginx_b "),
        ("region=JJH", "far "),
        ("region=nb,name!=nginx_*", "mysql "),
        ("name=none", ""),
    ] {
        assert_eq!(names(&service, selector), expected, "{selector}");
    }
    let none = service.run(&["workflow", "list", "-l", "name=none", "-o", "json"]);
    assert_eq!(none.stderr, "no workflow fits name=none\n");
    assert_eq!(none.json(), json!({"schema_version": 1, "items": []}));
}

#[test]
fn a_list_can_be_of_names() {
    let service = service(&["a", "b", "c"]);
    let ran = service.run(&["workflow", "list", "c", "a", "-o", "name"]);
    assert_eq!(ran.ok(), "a\nc\n");
    let ran = service.run(&["workflow", "list", "b", "nobody", "-o", "name"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
        (Some(3), "b\n", "error: nobody: there is no such workflow\n")
    );
    assert_eq!(count(&service, "list_workflows"), 2);
}

#[test]
fn a_wide_list_has_more_columns() {
    let service = service(&["a"]);
    let wide = service.run(&["workflow", "list", "-o", "wide"]).ok();
    for heading in ["CREATED", "NODES", "BY HAND", "COMMENT"] {
        assert!(wide.contains(heading), "{wide}");
    }
    let all = service.run(&["workflow", "get", "a", "-o", "wide"]).ok();
    assert!(
        all.contains("READ BY") && all.contains("save-export"),
        "{all}"
    );
    let codes = service.run(&["explain", "--all", "-o", "wide"]).ok();
    assert!(codes.contains("工作流不存在"), "{codes}");
}

#[test]
fn several_are_started_and_stopped() {
    let service = service(&["a", "b", "c"]);
    let ran = service.run(&["workflow", "start", "a", "b", "a"]);
    assert_eq!(ran.stderr, "starting 2 of 2\n");
    assert_eq!(ran.ok(), "");
    // What was named twice is started once.
    assert_eq!(count(&service, "start_workflow"), 2);

    let report = service.run(&["workflow", "start", "--all", "--wait", "-o", "json"]);
    assert_eq!(report.stderr, "started 3 of 3\n");
    let report = report.json();
    let items = report["items"].as_array().unwrap();
    assert_eq!(items.len(), 3);
    for (item, name) in items.iter().zip(["a", "b", "c"]) {
        assert_eq!(item["name"], name);
        assert_eq!(
            (&item["action"], &item["status"]),
            (&json!("started"), &json!("Started"))
        );
    }
    assert_eq!(count(&service, "start_workflow"), 3);

    let stop = [
        "workflow",
        "stop",
        "-l",
        "status=Started",
        "--parallel",
        "2",
        "-o",
        "name",
    ];
    let ran = service.run(&stop);
    assert_eq!(ran.stderr, "stopping 3 of 3\n");
    assert_eq!(ran.ok(), "a\nb\nc\n");
    assert_eq!(count(&service, "stop_workflow"), 3);
}

#[test]
fn a_failure_does_not_keep_the_others_back() {
    let service = service(&["a", "b", "c", "d"]);
    let fault = InjectedFault::status(StatusCode::INTERNAL_SERVER_ERROR);
    fail(&service, "start_workflow", "b", fault);
    let ran = service.run(&["workflow", "start", "a", "b", "c", "d"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    let said = lines(&ran);
    assert_eq!(said.len(), 2, "{ran:?}");
    assert!(
        said[0].starts_with("error: b: the start failed: ") && said[0].contains("HTTP 500"),
        "{ran:?}"
    );
    assert_eq!(said[1], "starting 3 of 4; 1 failed: b");
    assert_eq!(names(&service, "status=Started"), "a c d ");
}

#[test]
fn the_exit_code_is_that_of_the_failures_if_they_agree() {
    let service = service(&["a", "b"]);
    service.run(&["workflow", "start", "a"]).ok();
    // The same for all that failed, whatever became of the others.
    let ran = service.run(&["workflow", "stop", "a", "nobody", "nothing"]);
    assert_eq!(ran.code, Some(3));
    assert_eq!(
        lines(&ran).last().unwrap(),
        "stopping 1 of 3; 2 failed: nobody, nothing"
    );
    let ran = service.run(&["workflow", "stop", "a", "b"]);
    assert_eq!(ran.code, Some(5));
    assert_eq!(
        lines(&ran).last().unwrap(),
        "stopping 0 of 2; 2 failed: a, b"
    );
    // And 1 if they differ.
    let ran = service.run(&["workflow", "stop", "a", "nobody", "-o", "json"]);
    assert_eq!(ran.code, Some(1));
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let error = |at: usize| {
        let error = &report["items"][at]["error"];
        (
            error["code"].clone(),
            error["kind"].clone(),
            error["exit_code"].clone(),
        )
    };
    assert_eq!(error(0), (json!("E18645"), json!("conflict"), json!(5)));
    assert_eq!(error(1), (json!("E18641"), json!("not-found"), json!(3)));
    // The message is the line of stderr.
    for item in report["items"].as_array().unwrap() {
        let (name, message) = (&item["name"], &item["error"]["message"]);
        let line = format!(
            "error: {}: {}",
            name.as_str().unwrap(),
            message.as_str().unwrap()
        );
        assert!(lines(&ran).contains(&line), "{ran:?}");
    }
}

#[test]
fn waits_fail_one_by_one() {
    let service = service(&["a", "b"]);
    fail(
        &service,
        "start_workflow",
        "b",
        InjectedFault::code(ErrorCode::NOTHING_TO_RUN),
    );
    let ran = service.run(&["workflow", "start", "a", "b", "--wait", "-o", "json"]);
    assert_eq!(ran.code, Some(5));
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["items"][0]["action"], "started");
    assert_eq!(report["items"][1]["error"]["code"], "E18650");

    let stuck = Transition::Stuck;
    service
        .server
        .with(|emulator| emulator.set_stop_transition(stuck));
    let stop = [
        "workflow",
        "stop",
        "a",
        "b",
        "--wait",
        "--timeout",
        "300ms",
        "-o",
        "json",
    ];
    let ran = service.run(&stop);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["items"][0]["error"]["kind"], "wait-timed-out");
    assert_eq!(report["items"][0]["error"]["exit_code"], 6);
    assert_eq!(
        (ran.code, &report["items"][1]["action"]),
        (Some(6), &json!("stopped"))
    );
}

#[test]
fn one_name_is_as_ever_and_a_selector_for_one_is_not() {
    let service = service(&["a"]);
    let one = service
        .run(&["workflow", "start", "a", "-o", "json"])
        .json();
    assert_eq!(
        one,
        json!({"schema_version": 1, "name": "a", "action": "starting"})
    );
    let line = service.run(&["workflow", "start", "a"]).failed(5);
    assert!(
        line.starts_with("a: the start failed: it is started already (E18644, HTTP 400, "),
        "{line}"
    );
    // The form depends on what was asked for, not on what was found.
    let some = service
        .run(&["workflow", "stop", "-l", "name=a", "-o", "json"])
        .json();
    let item = json!({"name": "a", "action": "stopping"});
    assert_eq!(some, json!({"schema_version": 1, "items": [item]}));
}

#[test]
fn a_selector_that_fits_nothing_is_3() {
    let service = service(&["a"]);
    let folder = Folder::new("nothing");
    for command in [
        &["start"][..],
        &["stop", "--wait"],
        &["delete", "--yes"],
        &["get"],
        &["status"],
        &["export", "--dir", folder.path()],
    ] {
        let selector = ["-l", "name=b*", "-o", "json"];
        let line = service
            .run(&[&["workflow"], command, &selector].concat())
            .failed(3);
        assert_eq!(line, "no workflow fits name=b*");
    }
    assert!(!folder.0.exists());
    assert_eq!(service.asked(), ["list_workflows"; 6]);
    // All of none is fine: nothing can have been mistyped.
    let empty = Service::new();
    let ran = empty.run(&["workflow", "stop", "--all", "-o", "json"]);
    assert_eq!(ran.stderr, "there are no workflows\n");
    assert_eq!(ran.json(), json!({"schema_version": 1, "items": []}));
    assert_eq!(empty.run(&["workflow", "delete", "--all"]).ok(), "");
}

#[test]
fn if_the_list_fails_nothing_else_is_done() {
    let service = service(&["a"]);
    let fault = InjectedFault::status(StatusCode::INTERNAL_SERVER_ERROR).on("list_workflows");
    service
        .server
        .with(|emulator| emulator.inject(fault.always()));
    for command in ["list", "start", "stop", "delete"] {
        let all = [
            "workflow",
            command,
            "-l",
            "name=*",
            "--yes",
            "--retries",
            "0",
        ];
        let line = service.run(&all).failed(1);
        assert!(line.starts_with("the list of workflows failed: "), "{line}");
    }
    assert_eq!(service.asked(), ["list_workflows"; 4]);
}

#[test]
fn bad_usage_is_2_and_nothing_is_sent() {
    let service = service(&["a"]);
    for (arguments, says) in [
        (
            &["start"][..],
            "not provided: <NAME|--selector <SELECTOR>|--all>",
        ),
        (&["start", "a", "-l", "name=a"], "cannot be used with"),
        (&["start", "a", "--all"], "cannot be used with"),
        (
            &["stop", "-l", "nmae=a"],
            "no key \"nmae\", only name, status, region",
        ),
        (&["list", "-l", "status=Startd"], "did you mean Started?"),
        (&["stop", "-l", "a"], "name=PATTERN"),
        (&["list", "a", "-l", "name=a"], "cannot be used with"),
        (&["list", "-l", "region="], "write region=VALUE"),
        (&["start", "a", "b-c"], "'-' at position 2"),
        (&["start", "a", "--parallel", "0"], "1..=64"),
        (&["export", "a", "b"], "give --dir FOLDER"),
        (&["export", "--all"], "give --dir FOLDER"),
        (
            &["export", "a", "--dir", "d", "-f", "f"],
            "cannot be used with",
        ),
    ] {
        let line = service.run(&[&["workflow"], arguments].concat()).failed(2);
        assert!(line.contains(says), "{arguments:?}: {line}");
    }
    assert_eq!(service.asked(), [""; 0]);
}

#[test]
fn a_delete_of_several_asks_once_and_names_them() {
    let service = service(&["a", "b", "c"]);
    let line = service
        .run(&["workflow", "delete", "-l", "name!=c"])
        .failed(2);
    assert!(
        line.contains("Delete 2 workflows with their nodes: a, b?") && line.contains("--yes"),
        "{line}"
    );
    let line = service.run(&["workflow", "delete", "a", "c"]).failed(2);
    assert!(line.contains(": a, c?"), "{line}");
    assert_eq!(count(&service, "delete_workflow"), 0);

    let ran = service.run(&["workflow", "delete", "-l", "name!=c", "--yes"]);
    assert_eq!(ran.stderr, "deleted 2 of 2\n");
    assert_eq!(names(&service, "name=*"), "c ");
}

#[test]
fn what_is_shown_of_several_comes_in_their_order() {
    let service = service(&["a", "b"]);
    let get = ["workflow", "get", "b", "nobody", "a"];
    let ran = service.run(&[&get[..], &["-o", "json"]].concat());
    assert_eq!(ran.code, Some(3));
    assert_eq!(
        lines(&ran).last().unwrap(),
        "shown 2 of 3; 1 failed: nobody"
    );
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["items"][0]["nodes"]["save-export"]["name"], "save");
    assert_eq!(report["items"][1]["error"]["code"], "E18641");
    assert_eq!(report["items"][2]["name"], "a");
    let table = service.run(&get).stdout;
    let facts: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with("Name"))
        .collect();
    assert_eq!(facts, ["Name       b", "Name       a"]);
    // Data needs no summary.
    let ran = service.run(&["workflow", "status", "--all", "-o", "name"]);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("a\nb\n", ""));
}

#[test]
fn an_export_of_several_is_a_file_of_each() {
    let service = service(&["a", "b"]);
    let folder = Folder::new("export");
    let export = [
        "workflow",
        "export",
        "a",
        "b",
        "nobody",
        "--dir",
        folder.path(),
    ];
    let ran = service.run(&export);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""));
    assert_eq!(
        lines(&ran).last().unwrap(),
        "exported 2 of 3; 1 failed: nobody"
    );
    assert_eq!(folder.files(), ["a.yaml", "b.yaml"]);
    assert!(folder.read("a.yaml").starts_with("name: a\nregion: nb\n"));
    let file = folder.0.join("a.yaml");
    let apply = [
        "workflow",
        "apply",
        "--dry-run",
        "-f",
        file.to_str().unwrap(),
    ];
    assert_eq!(service.run(&apply).ok(), "");

    // What is there is not replaced unasked, and nothing is fetched before.
    fs::write(folder.0.join("a.yaml"), "mine").unwrap();
    service.server.with(Emulator::clear_requests);
    let line = service.run(&export).failed(2);
    assert!(
        line.contains("Replace what is in ") && line.contains(" of a, b?"),
        "{line}"
    );
    assert_eq!(
        (
            folder.read("a.yaml").as_str(),
            count(&service, "get_workflow")
        ),
        ("mine", 0)
    );
    let all = [
        "workflow",
        "export",
        "--all",
        "--dir",
        folder.path(),
        "--yes",
        "-o",
        "json",
    ];
    let report = service.run(&all).json();
    assert!(folder.read("a.yaml").starts_with("name: a\n"));
    let a = json!({"name": "a", "action": "exported", "file": file, "variables": []});
    assert_eq!(report["items"][0], a);

    let one = [
        "workflow",
        "export",
        "a",
        "--dir",
        folder.path(),
        "--format",
        "json",
    ];
    assert_eq!(service.run(&one).stderr, "exported 1 of 1\n");
    assert_eq!(folder.files(), ["a.json", "a.yaml", "b.yaml"]);
    assert!(folder.read("a.json").starts_with("{\n"));
}

#[test]
fn an_export_that_fails_leaves_the_old_file() {
    let service = service(&["a", "b"]);
    let folder = Folder::new("fails");
    fs::create_dir_all(&folder.0).unwrap();
    fs::write(folder.0.join("a.yaml"), "mine").unwrap();
    // A folder stands where the file belongs.
    fs::create_dir_all(folder.0.join("b.yaml/x")).unwrap();
    fail(
        &service,
        "get_workflow",
        "a",
        InjectedFault::status(StatusCode::FORBIDDEN),
    );
    let all = [
        "workflow",
        "export",
        "--all",
        "--yes",
        "-o",
        "json",
        "--dir",
        folder.path(),
    ];
    let ran = service.run(&all);
    assert_eq!(ran.code, Some(1));
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["items"][1]["error"]["kind"], "usage");
    assert_eq!(folder.read("a.yaml"), "mine");
    assert_eq!(folder.files(), ["a.yaml", "b.yaml"]);
}

#[test]
fn names_that_differ_in_case_only_get_no_common_file() {
    let service = service(&["logs", "Logs"]);
    let folder = Folder::new("case");
    let ran = service.run(&["workflow", "export", "--all", "--dir", folder.path()]);
    assert_eq!(ran.code, Some(5));
    let failure = &lines(&ran)[0];
    assert!(
        failure.starts_with("error: logs: its file would be that of Logs"),
        "{ran:?}"
    );
    assert_eq!(folder.files(), ["Logs.yaml"]);
}

#[test]
fn the_secrets_of_several_are_left_out() {
    let service = service(&["a", "b"]);
    let nodes = crate::support::NODES.replace(
        "\"host\"",
        "\"secretKey\": \"canary-node-secret\", \"host\"",
    );
    for name in ["a", "b"] {
        let update = ["workflow", "update", name, "-f", "-"];
        service.run_with_input(&update, &nodes).ok();
    }
    let folder = Folder::new("secrets");
    let export = ["workflow", "export", "a", "b", "--dir", folder.path()];
    let ran = service.run(&export);
    let expected = "\
secrets were left out; to apply the files, set SAVE_EXPORT_SECRET_KEY
exported 2 of 2
";
    assert_eq!(ran.stderr, expected);
    assert!(!folder.read("a.yaml").contains("canary-node-secret"));
    let shown = service.run(&[&export[..], &["--with-secrets", "--yes"]].concat());
    assert_eq!(shown.stderr, "exported 2 of 2\n");
    assert!(folder.read("b.yaml").contains("canary-node-secret"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(folder.0.join("a.yaml"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[cfg(unix)]
#[test]
fn an_interruption_says_what_was_done_and_what_was_not() {
    if crate::support::is_ignored("INT") {
        return;
    }
    let service = service(&["a", "b", "c", "d"]);
    fail(
        &service,
        "start_workflow",
        "a",
        InjectedFault::status(StatusCode::FORBIDDEN),
    );
    fail(
        &service,
        "start_workflow",
        "c",
        InjectedFault::pass().stall_at(0),
    );
    let child = service
        .command(&[
            "workflow",
            "start",
            "a",
            "b",
            "c",
            "d",
            "--parallel",
            "1",
            "-o",
            "json",
        ])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    crate::support::until(|| count(&service, "start_workflow") == 3);
    signal(&child, "INT");
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(130), ""));
    let said = lines(&ran);
    assert_eq!(said.len(), 2, "{ran:?}");
    assert!(said[0].starts_with("error: a: "), "{ran:?}");
    assert_eq!(
        said[1],
        "error: interrupted: the start of c may have taken effect; starting: b; failed: a; \
         under way: c; not begun: d"
    );
}
