//! `workflow apply`: what it sends, what it refuses, and what is left when it is cut short.

use std::process::Command;

use pipeline_emulator::{Emulator, InjectedFault, Transition};
use serde_json::Value;

use crate::{
    breaker::{Breaker, Lost},
    support::{Ran, Run as _, Service, TemporaryFile, signal},
};

const FILE: &str = r#"
name: clicks
region: nb
comment: from a file
nodes:
  raw-repo:
    data: {region: nb, schema: [{key: ip, valtype: string}]}
  save-export:
    parents: [raw-repo]
    data: {type: http, spec: {host: "http://example.com", uri: /u, token: "${UPLOAD_TOKEN}"}}
"#;

const TOKEN: &str = "canary-token-91d2";

fn command(service: &Service, arguments: &[&str]) -> Command {
    let mut command = service.command(&[&["workflow", "apply"], arguments].concat());
    command.env("UPLOAD_TOKEN", TOKEN);
    command
}

fn apply(service: &Service, arguments: &[&str]) -> Ran {
    let ran = command(service, arguments).ran();
    assert!(
        !ran.stdout.contains(TOKEN) && !ran.stderr.contains(TOKEN),
        "{ran:?}"
    );
    ran
}

fn get(service: &Service) -> Value {
    service
        .run("workflow get clicks -o json --with-secrets")
        .json()
}

fn changed(text: &str) -> TemporaryFile {
    TemporaryFile::new("changed.yaml", &text.replace("example.com", "example.org"))
}

#[test]
fn what_apply_removes_is_asked_about_first() {
    let service = Service::new();
    let file = TemporaryFile::new("clicks.yaml", FILE);
    apply(&service, &["-f", file.path()]).ok();
    service.changes();
    let alone = FILE[..FILE.find("  save-export").unwrap()].to_owned();
    let apart = FILE.replace("    parents: [raw-repo]\n", "")
        + "  other-repo:\n    data: {region: nb, schema: [{key: ip, valtype: string}]}\n";
    let moved = apart.replace(
        "  save-export:\n",
        "  save-export:\n    parents: [other-repo]\n",
    );
    for (text, what) in [
        (&alone, "Remove node save-export from clicks?"),
        (&moved, "Remove edge raw-repo -> save-export from clicks?"),
    ] {
        let fewer = TemporaryFile::new("fewer.yaml", text);
        apply(&service, &["-f", fewer.path(), "-o", "json"]).fails(2, [what, "--yes"]);
        let shown = apply(&service, &["-f", fewer.path(), "--dry-run"]);
        assert!(shown.stdout.contains("- "), "{shown:?}");
        #[cfg(unix)]
        {
            let command = command(&service, &["-f", fewer.path()]);
            let declined = crate::support::Terminal::new().run(command, "n\n");
            assert_eq!(declined.code, Some(9), "{declined:?}");
            assert!(declined.stderr.contains(what), "{declined:?}");
        }
        assert_eq!(service.changes(), [""; 0]);
        apply(&service, &["-f", fewer.path(), "--yes"]).ok();
        assert_eq!(service.changes(), ["update_workflow"]);
        apply(&service, &["-f", file.path(), "--yes"]).ok();
        service.changes();
    }
}

#[test]
fn only_the_services_own_word_makes_a_workflow_missing() {
    let service = Service::new();
    let file = TemporaryFile::new("clicks.yaml", FILE);
    for (body, says) in [
        ("<h1>Not Found</h1>", "the path of the endpoint"),
        (r#"{"error":"E18664: no such account"}"#, "--resource-owner"),
        (r#"{"error":"E18102: no such repo"}"#, "E18102"),
    ] {
        let kind = http::HeaderValue::from_static("application/json");
        let fault = InjectedFault::status(http::StatusCode::NOT_FOUND).body(kind, body);
        service.inject(fault.always());
        let ran = apply(&service, &["-f", file.path(), "-o", "json"]);
        assert!(ran.code != Some(0) && ran.stderr.contains(says), "{ran:?}");
        assert_eq!(service.changes(), [""; 0], "{body}");
        service.server.with(Emulator::clear_faults);
    }
}

#[test]
fn a_workflow_that_is_stopping_is_waited_for_if_asked() {
    let service = Service::with(|builder| builder.stop_transition(Transition::AfterReads(2)));
    let file = TemporaryFile::new("clicks.yaml", FILE);
    apply(&service, &["-f", file.path()]).ok();
    service.run("workflow start clicks --wait").ok();
    service.run("workflow stop clicks").ok();
    service.changes();
    let changed = changed(FILE);
    apply(&service, &["-f", changed.path(), "-o", "json"])
        .fails(5, ["clicks is Stopping", "--wait"]);
    apply(&service, &["-f", changed.path(), "--wait"]).ok();
    assert_eq!(service.changes(), ["update_workflow"]);
    assert_eq!(get(&service)["status"], "Stopped");
}

/// One way of being cut short: what goes wrong is said, and the same command again does the rest.
fn cut_short(
    prepare: impl Fn() -> Service,
    file: &str,
    options: &[&str],
    at: usize,
    lost: Lost,
) -> usize {
    let what = format!("{lost:?} {at} was lost");
    let service = prepare();
    let breaker = Breaker::new(service.server.addr(), at, lost);
    let arguments = [&["-f", file, "-o", "json", "--retries", "0"], options].concat();
    let ran = command(&service, &arguments)
        .env("PANDORA_ENDPOINT", &breaker.url)
        .ran();
    let changed = service.changes();
    if ran.code != Some(0) {
        let line = ran.failed(8);
        let said = line.contains("the same command again");
        assert!(said || changed.is_empty(), "{what}: {line}");
        if said {
            // What is called done was done.
            let done = line.split("done: ").nth(1).unwrap();
            let done = done.split(';').next().unwrap();
            for kind in [
                "create_workflow",
                "stop_workflow",
                "update_workflow",
                "start_workflow",
            ] {
                assert!(
                    !done.contains(kind.split('_').next().unwrap()) || changed.contains(&kind),
                    "{what}: {line}, but {changed:?}"
                );
            }
        }
    }
    let requests = breaker.requests();
    // With --start, because it may be stopped by now; without, a new one stays as it is.
    let start: &[&str] = if options.contains(&"--restart") {
        &["--start"]
    } else {
        &[]
    };
    let arguments = [&arguments, start].concat();
    apply(&service, &arguments).ok();
    assert_eq!(
        get(&service)["nodes"]["save-export"]["data"]["spec"]["host"],
        "http://example.org",
        "{what}"
    );
    if options.contains(&"--restart") {
        assert_eq!(get(&service)["status"], "Started", "{what}");
    }
    service.changes();
    apply(&service, &arguments).ok();
    assert_eq!(service.changes(), [""; 0], "{what}");
    requests
}

fn cut_short_everywhere(prepare: impl Fn() -> Service + Sync, options: &[&str], least: usize) {
    let file = changed(FILE);
    std::thread::scope(|scope| {
        for lost in [Lost::Request, Lost::Answer] {
            let (prepare, file) = (&prepare, file.path());
            scope.spawn(move || {
                // One beyond the last request, so that the undisturbed way is gone once.
                let mut at = 1;
                while cut_short(prepare, file, options, at, lost) >= at {
                    at += 1;
                }
                assert!(at > least, "only {} requests were broken", at - 1);
            });
        }
    });
}

#[test]
fn a_creation_that_is_cut_short_anywhere_can_be_repeated() {
    cut_short_everywhere(Service::new, &[], 3);
}

#[test]
fn a_restart_that_is_cut_short_anywhere_can_be_repeated() {
    let running = || {
        let service = Service::new();
        let file = TemporaryFile::new("clicks.yaml", FILE);
        apply(&service, &["-f", file.path()]).ok();
        service.run("workflow start clicks").ok();
        service.changes();
        service
    };
    cut_short_everywhere(running, &["--restart", "--wait"], 8);
}

#[cfg(unix)]
#[test]
fn an_interruption_says_what_is_left() {
    if crate::support::is_ignored("INT") {
        return;
    }
    let service = Service::new();
    let file = TemporaryFile::new("clicks.yaml", FILE);
    apply(&service, &["-f", file.path()]).ok();
    service.run("workflow start clicks").ok();
    service
        .server
        .with(|emulator| emulator.set_stop_transition(Transition::Stuck));
    service.changes();
    let changed = changed(FILE);
    let child = command(&service, &["-f", changed.path(), "--restart", "-o", "json"]).begun();
    let looks = || {
        service
            .asked()
            .iter()
            .skip_while(|asked| **asked != "stop_workflow")
            .count()
    };
    crate::support::until(|| looks() > 1);
    signal(&child, "INT");
    let line = Ran::of(child.wait_with_output().unwrap()).failed(130);
    assert!(
        line.contains("done: nothing; not finished: stop, update, start"),
        "{line}"
    );
}
