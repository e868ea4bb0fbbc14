//! Commands that look again and again.

use http::{HeaderValue, StatusCode};
use pipeline_emulator::{InjectedFault, Transition};
use serde_json::{Value, json};

use crate::support::{NODES, Ran, Run as _, Service, signal, until};

fn service() -> Service {
    Service::with(|builder| builder.transitions(Transition::AfterReads(2))).with_workflow("w")
}

#[test]
fn restart_stops_and_starts() {
    let service = service();
    service.run("workflow start w --wait").ok();
    service.forget();
    let report = service.run("workflow restart w -o json").json();
    assert_eq!(
        (&report["action"], &report["status"]),
        (&json!("restarted"), &json!("Started"))
    );
    let asked = service.asked();
    let acts: Vec<_> = asked
        .iter()
        .filter(|kind| **kind != "get_workflow_status")
        .collect();
    assert_eq!(acts, [&"stop_workflow", &"start_workflow"]);
}

#[test]
fn a_restart_that_fails_says_in_which_state_the_workflow_is() {
    let service = service();
    service.run("workflow start w --wait").ok();
    service
        .server
        .with(|emulator| emulator.set_start_transition(Transition::Stuck));
    let line = service.run("workflow restart w --timeout 900ms").failed(6);
    assert!(
        line.contains("; w was stopped before; see: pipeline workflow search w"),
        "{line}"
    );
    let service = self::service();
    service.run("workflow start w --wait").ok();
    service
        .server
        .with(|emulator| emulator.set_stop_transition(Transition::Stuck));
    service
        .run("workflow restart w --timeout 100ms")
        .fails(6, ["w was not started again"]);
}

#[test]
fn watch_writes_each_change_once() {
    let service = service();
    service.run("workflow start w").ok();
    let lines = service.run("workflow watch w --for started").ok();
    let expected = "\
w  Starting
w/clicks-repo  Starting
w/save-export  Starting
w  Started
w/clicks-repo  Started
w/save-export  Started
";
    assert_eq!(lines, expected);
    service.run("workflow stop w").ok();
    let lines = service.run("workflow watch w --for stopped -o json").ok();
    let changes: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        changes[0],
        json!({"schema_version": 1, "name": "w", "node": null, "status": "Stopping"})
    );
    assert_eq!(
        changes[5],
        json!({"schema_version": 1, "name": "w", "node": "save-export", "status": "Stopped"})
    );
}

#[test]
fn watch_ends_as_wait_does() {
    let service = service();
    service.run("workflow watch v").failed(3);
    let ran = service.run("workflow watch w --for started");
    assert_eq!(ran.code, Some(7));
    assert_eq!(
        ran.stderr,
        "error: w: will not be started by itself: its status is Ready; see: pipeline workflow start w\n"
    );
}

#[cfg(unix)]
#[test]
fn watch_goes_on_until_it_is_interrupted() {
    if crate::support::is_ignored("INT") {
        return;
    }
    let service = service();
    let child = service.command("workflow watch w --interval 1ms").begun();
    service.when_asked(5);
    signal(&child, "INT");
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (Some(130), "error: interrupted\n")
    );
    assert_eq!(
        ran.stdout,
        "w  Ready\nw/clicks-repo  Ready\nw/save-export  Ready\n"
    );
}

#[test]
fn an_installation_without_status_is_waited_for_by_get() {
    for status in [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED] {
        let service = service();
        let missing = InjectedFault::status(status)
            .body(HeaderValue::from_static("text/plain"), "no such page")
            .on("get_workflow_status")
            .always();
        service.inject(missing);
        service.run("workflow start w --wait").ok();
        let asked = service.asked();
        let looks = asked.iter().filter(|kind| **kind == "get_workflow_status");
        assert_eq!(looks.count(), 1, "{asked:?}");
        service.run("workflow restart w").ok();
        let lines = service.run("workflow watch w --for started").ok();
        assert_eq!(lines, "w  Started\n");
        let shown = service.run("workflow status w -o json").json();
        assert_eq!(shown["status"], "Started");
        service.run("workflow watch v --for started").failed(3);
    }
}

fn several(names: &[&str]) -> Service {
    let fill = |service: Service, name: &&str| service.with_workflow(name);
    names.iter().fold(Service::new(), fill)
}

#[test]
fn several_that_are_watched_end_as_a_wait_for_several_does() {
    let service = several(&["on", "off", "up"]);
    for name in ["on", "up"] {
        service.run(&format!("workflow start {name}")).ok();
    }
    let watch = |arguments: &[&str]| {
        let ran = service.run(&[&["workflow", "watch", "--parallel", "1"], arguments].concat());
        let mut lines: Vec<String> = ran.stdout.lines().map(str::to_owned).collect();
        lines.retain(|line| !line.contains('/'));
        lines.sort_unstable();
        (ran.code, lines.join(", "), ran.stderr)
    };
    for (arguments, code, lines, says) in [
        (
            &["on", "up", "--for", "started"][..],
            0,
            "on  Started, up  Started",
            "started 2 of 2",
        ),
        (
            &["-l", "name=o*", "--for", "started"],
            7,
            "on  Started",
            "started 1 of 2; 1 failed: off",
        ),
        (
            &["on", "nix", "--for", "started"],
            3,
            "on  Started",
            "started 1 of 2; 1 failed: nix",
        ),
        (
            &["on", "nix", "off", "--for", "started"],
            1,
            "on  Started",
            "started 1 of 3; 2 failed: nix, off",
        ),
        (&["nix", "nil"], 3, "", "watched 0 of 2; 2 failed: nix, nil"),
        (&["nix", "nil", "--for", "deleted"], 0, "", "deleted 2 of 2"),
    ] {
        let (ended, shown, said) = watch(arguments);
        assert_eq!(
            (ended, shown.as_str()),
            (Some(code), lines),
            "{arguments:?}: {said}"
        );
        assert!(
            said.ends_with(&format!("{says}\n")),
            "{arguments:?}: {said}"
        );
        for name in ["nix", "nil"] {
            let told = said.matches(&format!("error: {name}: ")).count();
            let fails = arguments.contains(&name) && code != 0;
            assert_eq!(told, usize::from(fails), "{arguments:?}: {said}");
        }
    }
}

/// All are watched though one request is made at a time. Then the reader leaves while nothing changes, or
/// while a request hangs.
#[cfg(unix)]
#[test]
fn a_reader_that_leaves_ends_the_watch_of_all() {
    use std::{
        cell::RefCell,
        io::{BufRead as _, BufReader, Read as _},
    };

    for (arguments, hangs, shown) in [
        (&[][..], None, &["a  Ready", "b  Ready", "c  Ready"][..]),
        (
            &["--for", "deleted"],
            None,
            &["a  Ready", "b  Ready", "c  Ready"],
        ),
        (&[], Some("b"), &["a  Ready"]),
        (&["--for", "deleted"], Some("c"), &["a  Ready", "b  Ready"]),
    ] {
        let service = several(&["a", "b", "c"]);
        if let Some(name) = hangs {
            let hang = InjectedFault::pass().stall_at(0).on("get_workflow_status");
            let hang = hang.on_workflow(name).always();
            service.inject(hang);
        }
        let watch = [
            "workflow",
            "watch",
            "--all",
            "--parallel",
            "1",
            "--interval",
            "1h",
        ];
        let mut command = service.command(&[&watch[..], arguments].concat());
        let mut child = command.begun();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let lines = lines.take(3 * shown.len()).map(Result::unwrap);
        let workflows: Vec<String> = lines.filter(|line| !line.contains('/')).collect();
        assert_eq!(workflows, shown);
        let child = RefCell::new(child);
        until(|| child.borrow_mut().try_wait().unwrap().is_some());
        let mut child = child.into_inner();
        let mut said = String::new();
        let mut stderr = child.stderr.take().unwrap();
        stderr.read_to_string(&mut said).unwrap();
        assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
    }
}

/// Whether its status was asked for between the last two lists.
#[cfg(unix)]
fn is_looked_at(service: &Service, name: &str) -> bool {
    service.server.with(|emulator| {
        let requests: Vec<_> = emulator.requests().collect();
        let mut rounds = requests.rsplit(|it| it.operation == Some("list_workflows"));
        let round = rounds.nth(1).unwrap_or_default();
        round.iter().any(|it| it.workflow.as_deref() == Some(name))
    })
}

#[cfg(unix)]
#[test]
fn a_selector_is_looked_up_again_at_each_look() {
    use std::io::{BufRead as _, BufReader};

    let service = several(&["a", "other"]);
    let watch = ["workflow", "watch", "--interval", "5ms", "-l"];
    let mut child = service
        .command(&[&watch[..], &["name!=other,status=Ready"]].concat())
        .begun();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut lines = lines.map(Result::unwrap).filter(|it| !it.contains('/'));
    let mut next = || lines.next().unwrap();
    assert_eq!(next(), "a  Ready");
    service.run("workflow create b").ok();
    assert_eq!(next(), "b  Ready");
    // The last look shows why it does not fit any more.
    service.run("workflow start a").ok();
    assert_eq!(next(), "a  Started");
    until(|| !is_looked_at(&service, "a"));
    service.run("workflow stop a").ok();
    service.run("workflow delete a --yes").ok();
    service.run("workflow create a").ok();
    assert_eq!(next(), "a  Ready");
    service.run("workflow create c").ok();
    assert_eq!(next(), "c  Ready");
    for name in ["a", "b", "c"] {
        service.run(&format!("workflow delete {name} --yes")).ok();
        assert_eq!(next(), format!("{name}  gone"));
    }
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(
        ran.stderr.ends_with("watched 0 of 3; 3 failed: a, b, c\n"),
        "{ran:?}"
    );
}

#[cfg(unix)]
#[test]
fn what_comes_and_goes_is_a_line() {
    use std::io::{BufRead as _, BufReader};

    let service = several(&["a", "b"]);
    let mut child = service
        .command("workflow watch a b --interval 5ms -o json")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut lines = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    let mut next = |count: usize| -> Vec<(Value, Value, Value)> {
        let lines = lines.by_ref().take(count);
        let mut lines: Vec<_> = lines
            .map(|mut line| {
                (
                    line["name"].take(),
                    line["node"].take(),
                    line["status"].take(),
                )
            })
            .collect();
        lines.sort_unstable_by_key(|line| format!("{line:?}"));
        lines
    };
    next(6);
    let nodes = NODES.replace("save", "keep");
    let update = "workflow update a -f - --yes";
    service.run_with_input(update, &nodes).ok();
    let came = (json!("a"), json!("keep-export"), json!("Ready"));
    let went = (json!("a"), json!("save-export"), json!(null));
    assert_eq!(next(2), [came, went]);
    service.run("workflow delete b --yes").ok();
    assert_eq!(next(1), [(json!("b"), json!(null), json!(null))]);
    service.run("workflow create b").ok();
    assert_eq!(next(1), [(json!("b"), json!(null), json!("Ready"))]);
    service.run("workflow delete a --yes").ok();
    service.run("workflow delete b --yes").ok();
    assert_eq!(next(2).len(), 2);
    assert_eq!(child.wait().unwrap().code(), Some(3));
}

#[cfg(unix)]
#[test]
fn a_terminal_shows_several_through_changes_trouble_and_a_resize() {
    let service = several(&["clicks", "logs"]);
    let terminal = crate::support::Terminal::new();
    terminal.resize(80, 24);
    let watch = "workflow watch clicks logs nix --interval 5ms --retries 0";
    let (mut child, painted) = terminal.spawn(service.command(watch));
    let shows = |expected: &str| until(|| painted.frame().ends_with(expected));
    let logs = "\
logs                      ◌ Ready
  click1   repo           ◌ Ready
  └─ save  export · http  ◌ Ready
";
    let clicks = logs.replace("logs  ", "clicks").replace("click1", "clicks");
    let nix = "nix                       gone\n";
    shows(&[&clicks, logs, nix].concat());
    assert_eq!(painted.text().matches("error: nix: ").count(), 1);

    // Nodes come and go.
    let nodes = NODES.replace("save", "keep");
    let update = "workflow update clicks -f - --yes";
    service.run_with_input(update, &nodes).ok();
    let clicks = clicks.replace("save", "keep");
    shows(&[&clicks, logs, nix].concat());

    // What was painted takes two rows for each line by now.
    terminal.resize(20, 24);
    shows(
        "\
clicks     ◌ Ready
  clicks   ◌ Ready
  └─ keep  ◌ Ready
logs       ◌ Ready
  click1   ◌ Ready
  └─ save  ◌ Ready
nix        gone
",
    );
    assert!(
        painted.text().contains("\x1b[14A\r\x1b[J"),
        "{:?}",
        painted.text()
    );

    // Workflows come and go; of what has no room, the number is shown.
    service.run("workflow delete logs --yes").ok();
    service.run("workflow create nix").ok();
    terminal.resize(20, 5);
    shows("clicks     ◌ Ready\nlogs       gone\nnix        ◌ Ready\n… 2 more\n");

    // Trouble is a line of the frame.
    let busy = InjectedFault::status(StatusCode::SERVICE_UNAVAILABLE)
        .on("get_workflow_status")
        .on_workflow("nix")
        .always();
    service.inject(busy);
    terminal.resize(20, 24);
    until(|| painted.frame().contains("\nnix        ◌ Ready\n! "));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[cfg(unix)]
#[test]
fn what_is_gone_or_interrupted_is_said_in_chinese() {
    if crate::support::is_ignored("INT") {
        return;
    }
    let service = Service::new().with_workflow("w");
    let watch = "workflow watch w --interval 5ms --lang zh";
    let mut watch = service.command(&watch.split(' ').collect::<Vec<_>>());
    let start = |command: &mut std::process::Command| {
        let piped = std::process::Stdio::piped;
        command.stdout(piped()).stderr(piped()).spawn().unwrap()
    };
    let child = start(&mut watch);
    service.when_asked(2);
    service.run("workflow delete w --yes").ok();
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert!(ran.stdout.ends_with("\nw  已不存在\n"), "{ran:?}");
    let service = Service::new().with_workflow("w");
    let child = start(watch.env("PANDORA_ENDPOINT", service.server.url()));
    service.when_asked(2);
    signal(&child, "INT");
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.stderr, "错误：已中断\n");
}

#[test]
fn what_is_deleted_between_two_looks_is_called_deleted() {
    let service = service();
    let child = service
        .command("workflow wait w --for deleted")
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    service.when_asked(1);
    service.run("workflow delete w --yes").ok();
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert!(ran.stderr.starts_with("w is deleted (waited "), "{ran:?}");
}
