//! The emulator as a command, and the demonstration.

#[cfg(unix)]
mod process;

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command},
};

use crate::support::{Line, Ran, Run as _, SECRET_KEY, TemporaryFile, pipeline, run};
use serde_json::Value;

/// An emulator that runs as a process. It ends with the value, whatever becomes of the test.
struct Running {
    child: Child,
    ready: Value,
    stdout: BufReader<std::process::ChildStdout>,
}

impl Running {
    fn new(mut command: Command) -> Self {
        let mut child = command.begun();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).expect(&line);
        Self {
            child,
            ready,
            stdout,
        }
    }

    fn text(&self, member: &str) -> &str {
        self.ready[member].as_str().unwrap_or_default()
    }

    /// Runs the command against it with these keys.
    fn run(&self, line: impl Line, access_key: &str, secret_key: &str) -> Ran {
        pipeline(line)
            .env("PANDORA_ENDPOINT", self.text("url"))
            .env("PANDORA_ACCESS_KEY", access_key)
            .env("PANDORA_SECRET_KEY", secret_key)
            .ran()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_first_line_is_all_that_a_program_needs() {
    let running = Running::new(pipeline("emulator --listen 127.0.0.1:0"));
    assert_eq!(running.ready["ready"], true);
    assert_eq!(running.text("auth"), "strict");
    let list = |secret_key| {
        let access_key = running.text("access_key");
        running.run("workflow list", access_key, secret_key)
    };
    list(running.text("secret_key")).ok();
    list("wrong").failed(4);
}

#[test]
fn the_first_line_on_stderr_is_what_it_does_not_do() {
    let said = last_words(Running::new(pipeline("emulator --log")));
    let first = said.lines().next().unwrap_or_default();
    assert!(first.contains("transforms, exports"), "{said}");
    assert!(first.contains("not executed"), "{said}");
    let said = last_words(Running::new(pipeline(&["emulator", "--deliver"])));
    let second = said.lines().nth(1).unwrap_or_default();
    assert!(second.contains("exports of type http deliver"), "{said}");
}

#[test]
fn keys_of_the_environment_are_used_and_not_shown() {
    let mut command = pipeline("emulator");
    command
        .env("PANDORA_ACCESS_KEY", "ak")
        .env("PANDORA_SECRET_KEY", SECRET_KEY);
    let running = Running::new(command);
    assert_eq!(running.text("access_key"), "ak");
    assert!(running.ready.get("secret_key").is_none());
    assert!(!running.ready.to_string().contains(SECRET_KEY));
    running.run("workflow list", "ak", SECRET_KEY).ok();
}

#[test]
fn authentication_can_be_switched_off() {
    let running = Running::new(pipeline("emulator --auth off"));
    running.run("workflow list", "any", "any").ok();
}

#[test]
fn further_accounts_can_be_declared() {
    let running = Running::new(pipeline("emulator --account 9 --region jjh"));
    let (access_key, secret_key) = (running.text("access_key"), running.text("secret_key"));
    let run = |line: &str| running.run(line, access_key, secret_key);
    run("workflow list --resource-owner 9").ok();
    run("workflow list --resource-owner 8").failed(3);
    run("workflow create w --region jjh").ok();
    run("workflow create v --region nb").failed(1);
}

#[cfg(unix)]
#[test]
fn delays_and_limits_of_the_service_can_be_set() {
    let repo = ["repo", "create", "r", "--schema", "a long, b long"];
    let transform = [
        "transform",
        "create",
        "r",
        "t",
        "made",
        "--sql",
        "select a from stream",
    ];
    let described = [
        "repo",
        "create",
        "r",
        "--schema",
        "a long",
        "--description",
        "long",
    ];
    let get = ["repo", "get", "made"];
    let update = ["repo", "update", "r", "--add", "c long"];
    let points = TemporaryFile::new("points.txt", "c=1\n");
    let push = ["repo", "push", "r", points.path(), "--format", "points"];
    let workflow = ["workflow", "create", "w"];
    let of_workflow = ["--workflow", "w", "--schema", "a long"];
    let first = [&["repo", "create", "first"][..], &of_workflow].concat();
    let second = [&["repo", "create", "second"][..], &of_workflow].concat();
    for (flag, value, before, refused, code) in [
        ("--max-fields", "1", &[][..], &repo[..], "E18134"),
        (
            "--max-repos",
            "1",
            &[&workflow[..], &first],
            &second,
            "E18652",
        ),
        ("--max-description", "3", &[], &described, "E18136"),
        (
            "--destination-delay",
            "1h",
            &[&repo[..], &transform],
            &get,
            "E18124",
        ),
        (
            "--schema-delay",
            "1h",
            &[&repo[..], &update],
            &push,
            "E18111",
        ),
    ] {
        let running = Running::new(pipeline(&format!("emulator {flag} {value}")));
        let (access_key, secret_key) = (running.text("access_key"), running.text("secret_key"));
        for arguments in before {
            running.run(*arguments, access_key, secret_key).ok();
        }
        let refused = [refused, &["--retries", "0"]].concat();
        let said = running.run(&refused, access_key, secret_key).stderr;
        assert!(said.contains(code), "{flag}: {said}");
    }
}

#[test]
fn a_polite_signal_ends_it_with_0() {
    let names = ["INT", "TERM"].into_iter();
    for name in names.filter(|name| !crate::support::is_ignored(name)) {
        let mut running = Running::new(pipeline("emulator --log"));
        running.run("workflow list", "x", "y").failed(4);
        crate::support::signal(&running.child, name);
        assert_eq!(running.child.wait().unwrap().code(), Some(0), "{name}");
        let (mut more, mut log) = (String::new(), String::new());
        running.stdout.read_to_string(&mut more).unwrap();
        running
            .child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut log)
            .unwrap();
        assert_eq!(more, "", "stdout has the one line only");
        assert!(log.contains("401  GET /v2/workflows"), "{log}");
    }
}

#[test]
fn a_port_that_is_taken_is_said() {
    let running = Running::new(pipeline("emulator"));
    let address = running.text("url").strip_prefix("http://").unwrap();
    run(&format!("emulator --listen {address}")).fails(2, [&format!("cannot listen on {address}")]);
}

#[test]
fn the_demonstration_needs_nothing_and_shows_everything() {
    let mut command = pipeline("demo");
    command
        .env("PANDORA_ENDPOINT", "http://127.0.0.1:1")
        .env("PANDORA_ACCESS_KEY", "half a pair")
        .env("HTTP_PROXY", "http://127.0.0.1:1")
        .env("ALL_PROXY", "http://127.0.0.1:1");
    let shown = command.ran().ok();
    for part in [
        "POST /v2/workflows/demo_blocking ",
        "GET /v2/workflows ",
        "PUT /v2/workflows/demo_async ",
        "POST /v2/workflows/demo_async/start ",
        "Starting → Started after",
        "Stopping → Stopped after",
        "DELETE /v2/workflows/demo_async ",
        "export PANDORA_SECRET_KEY=",
        "pipeline workflow list",
    ] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
    // The second client finds a queue without the data of the first: it went with its workflow.
    for (request, result) in [
        ("POST /v2/repos/clicks/data", "3 points accepted"),
        ("GET /v2/repos/clicks/data", "3 records: /, /basket, /admin"),
    ] {
        let line = format!(" {request:<42} {result}\n");
        assert_eq!(shown.matches(&line).count(), 2, "{line:?} in {shown}");
    }
}

#[test]
fn a_state_file_outlives_a_kill_and_goes_before_the_seed() {
    let seed = TemporaryFile::new(
        "seeded.yaml",
        "name: seeded\nregion: nb\nnodes:\n  clicks-repo:\n    data: {schema: [{key: url, valtype: string}]}\n",
    );
    let state = format!("{}.state", seed.path());
    let arguments = format!(
        "emulator --auth off --seed {} --state {state} --admin",
        seed.path()
    );
    let run = |running: &Running, line| running.run(line, "ak", "sk").ok();
    let list = |running: &Running| run(running, "workflow list -o name");
    let running = Running::new(pipeline(&arguments));
    assert!(
        running.text("admin_url").ends_with("/_emulator"),
        "{}",
        running.ready
    );
    assert_eq!(list(&running), "seeded\n");
    run(&running, "workflow delete seeded --yes");
    // Killed, not stopped.
    drop(running);
    assert_eq!(list(&Running::new(pipeline(&arguments))), "");
    let _ = std::fs::remove_file(&state);
    let _ = std::fs::remove_file(format!("{state}.lock"));
}

#[test]
fn a_seed_without_a_name_holds_resources_without_a_workflow() {
    let seed = TemporaryFile::new(
        "seed.yaml",
        "nodes:\n  clicks-repo: {data: {schema: [{key: url, valtype: string}]}}\n  save-export: {parents: [clicks-repo], data: {type: http, spec: {host: h, uri: /u}}}\n",
    );
    let running = Running::new(pipeline(&[
        "emulator",
        "--auth",
        "off",
        "--seed",
        seed.path(),
    ]));
    let run = |line: &str| running.run(line, "ak", "sk").ok();
    assert_eq!(run("workflow list -o name"), "");
    assert_eq!(run("repo list -o name"), "clicks\n");
    run("export get clicks save");
}

#[test]
fn a_damaged_state_file_is_reported_and_left_alone() {
    let file = TemporaryFile::new("damaged.state", "rubbish");
    run(&format!("emulator --state {}", file.path())).fails(1, [file.path()]);
    assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "rubbish");
}

/// What a process says on stderr until it ends.
fn last_words(mut running: Running) -> String {
    let _ = running.child.kill();
    let mut said = String::new();
    let mut stderr = running.child.stderr.take().unwrap();
    stderr.read_to_string(&mut said).unwrap();
    said
}

#[test]
fn what_others_on_the_network_may_do_is_said() {
    for (arguments, expected) in [
        (&["--listen", "0.0.0.0:0"][..], &[][..]),
        (&["--listen", "0.0.0.0:0", "--admin"], &["--admin"]),
        (&["--listen", "[::]:0", "--auth", "off"], &["--auth off"]),
        (
            &["--listen", "0.0.0.0:0", "--auth", "off", "--admin"],
            &["--admin", "--auth off"],
        ),
        (
            &["--listen", "127.0.0.2:0", "--admin", "--auth", "off"],
            &[],
        ),
    ] {
        if arguments[1] == "[::]:0" && std::net::TcpListener::bind("[::]:0").is_err() {
            continue;
        }
        let said = last_words(Running::new(pipeline(&[&["emulator"], arguments].concat())));
        let warnings: Vec<_> = said
            .lines()
            .filter(|line| line.contains("warning: "))
            .collect();
        assert_eq!(warnings.len(), expected.len(), "{arguments:?}: {said}");
        for (line, option) in warnings.iter().zip(expected) {
            assert!(line.contains(option), "{line}");
        }
    }
}

#[test]
fn an_origin_that_no_browser_sends_is_refused() {
    run("emulator --cors localhost").fails(2, ["--cors localhost"]);
}
