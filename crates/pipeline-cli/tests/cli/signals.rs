//! Signals in the middle of what a command does: it says what was done, what was under way and what was
//! not begun, and ends with 128 and the number of the signal.
//!
//! A further case is a row of [`CASES`]: a command, the request whose response is held back so that the
//! signal comes in the middle, and what the error says.

use std::{
    cell::RefCell,
    io::{BufRead as _, BufReader, Write as _},
    os::{fd::OwnedFd, unix::net::UnixStream},
    process::{Child, Command, Stdio},
};

use pipeline_emulator::{InjectedFault, RecordedRequest};

use crate::support::{NODES, Ran, Run as _, Service, TemporaryFile, pipeline, signal, until};

/// Name for `kill`, exit code, first word of the error.
const SIGNALS: [(&str, i32, &str); 3] = [
    ("INT", 130, "interrupted"),
    ("TERM", 143, "terminated"),
    ("HUP", 129, "hung up"),
];

/// The command, the response that is held back, and what is said. `FILE` is a workflow file of `a`.
type Case = (
    &'static [&'static str],
    (&'static str, &'static str),
    &'static str,
);

/// At the beginning `a` is started, and `b`, `c` and `d` are ready.
const CASES: &[Case] = &[
    (
        &["create", "x"],
        ("create_workflow", "x"),
        "the creation of x may have taken effect",
    ),
    (
        &["update", "b", "-f", "FILE"],
        ("update_workflow", "b"),
        "the update of b may have taken effect",
    ),
    (
        &["delete", "b", "--yes"],
        ("delete_workflow", "b"),
        "the deletion of b may have taken effect",
    ),
    (
        &["start", "b"],
        ("start_workflow", "b"),
        "the start of b may have taken effect",
    ),
    (
        &["start", "b", "--wait"],
        ("start_workflow", "b"),
        "the start of b may have taken effect",
    ),
    (
        &["stop", "a", "--wait"],
        ("stop_workflow", "a"),
        "the stop of a may have taken effect",
    ),
    (
        &["wait", "b", "--for", "deleted"],
        ("get_workflow_status", "b"),
        "waiting for b to be deleted",
    ),
    (
        &["watch", "b", "--for", "deleted"],
        ("get_workflow_status", "b"),
        "waiting for b to be deleted",
    ),
    (&["watch", "b"], ("get_workflow_status", "b"), ""),
    (&["get", "b"], ("get_workflow", "b"), ""),
    (
        &["start", "b", "c", "d", "--parallel", "1"],
        ("start_workflow", "c"),
        "the start of c may have taken effect; starting: b; under way: c; not begun: d",
    ),
    (
        &["start", "b", "c", "d", "--parallel", "1", "--wait"],
        ("start_workflow", "c"),
        "the start of c may have taken effect; started: b; under way: c; not begun: d",
    ),
    (
        &["delete", "d", "c", "b", "--parallel", "1", "--yes"],
        ("delete_workflow", "c"),
        "the deletion of c may have taken effect; deleted: d; under way: c; not begun: b",
    ),
    (
        &["restart", "a"],
        ("stop_workflow", "a"),
        "a may be stopping and is not started again; the stop of a may have taken effect",
    ),
    (
        &["restart", "a"],
        ("start_workflow", "a"),
        "a was stopped and may not be started again; the start of a may have taken effect; done: the stop of a",
    ),
    (
        &["restart", "a", "c", "d", "--parallel", "1"],
        ("start_workflow", "c"),
        "c was stopped and may not be started again; the start of c may have taken effect; restarted: a; \
         under way: c; not begun: d",
    ),
    (
        &["wait", "a", "b", "c", "--for", "started", "--parallel", "1"],
        ("get_workflow_status", "b"),
        "waiting for b to be started; started: a; under way: b; not begun: c",
    ),
    (
        &["apply", "FILE", "--restart", "--yes"],
        ("update_workflow", "a"),
        "the update of a may have taken effect; the update was under way; of the plan for a, done: stop; \
         not finished: update, start; the same command again, with --start, does the rest",
    ),
];

fn service() -> Service {
    let names = ["a", "b", "c", "d"];
    let service = names
        .iter()
        .fold(Service::new(), |service, name| service.with_workflow(name));
    service.run("workflow start a").ok();
    service.forget();
    service
}

/// The command, once it waits for the response that is held back.
fn in_the_middle(
    service: &Service,
    mut command: Command,
    (kind, name): (&'static str, &str),
) -> Child {
    let held = InjectedFault::pass().stall_at(0).on(kind).on_workflow(name);
    service.inject(held.always());
    let child = command.begun();
    let arrived = || {
        service.server.with(|emulator| {
            let is = |request: &RecordedRequest| {
                request.operation == Some(kind) && request.workflow.as_deref() == Some(name)
            };
            emulator.requests().any(is)
        })
    };
    until(arrived);
    child
}

#[test]
fn a_signal_in_the_middle_says_what_was_done_and_what_was_not() {
    let nodes = NODES.replace("example.com", "example.org");
    let file = TemporaryFile::new("a.json", &nodes.replacen('{', "{\"name\": \"a\",", 1));
    let update = TemporaryFile::new("nodes.json", &nodes.replace("clicks", "click1"));
    for (arguments, held, says) in CASES {
        for (name, code, word) in SIGNALS
            .into_iter()
            .filter(|(name, ..)| !crate::support::is_ignored(name))
        {
            let service = service();
            let path = if arguments[0] == "apply" {
                &file
            } else {
                &update
            };
            let arguments = arguments
                .iter()
                .map(|it| if *it == "FILE" { path.path() } else { it });
            let arguments: Vec<&str> = ["workflow"].into_iter().chain(arguments).collect();
            let child = in_the_middle(&service, service.command(&arguments), *held);
            signal(&child, name);
            let ran = Ran::of(child.wait_with_output().unwrap());
            let colon = if says.is_empty() { "" } else { ": " };
            let context = format!("{arguments:?} {name}: {ran:?}");
            assert_eq!(ran.code, Some(code), "{context}");
            assert_eq!(
                ran.stderr,
                format!("error: {word}{colon}{says}\n"),
                "{context}"
            );
        }
    }
}

#[test]
fn a_change_that_was_made_is_said_even_if_its_report_is_not_written_yet() {
    let service = service();
    let (_reader, full) = full_stream();
    let mut child = service
        .command("workflow start b -o json")
        .stdout(full)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert_eq!(line, "starting b\n");
    signal(&child, "TERM");
    line.clear();
    stderr.read_line(&mut line).unwrap();
    assert_eq!(line, "error: terminated: done: the start of b\n");
    assert_eq!(child.wait().unwrap().code(), Some(143));
}

#[test]
fn a_second_signal_ends_it_at_once() {
    if crate::support::is_ignored("INT") {
        return;
    }
    let service = service();
    // The first signal cannot get its line out.
    let (_reader, full) = full_stream();
    let mut command = service.command("workflow start b");
    let held = InjectedFault::pass()
        .stall_at(0)
        .on("start_workflow")
        .always();
    service.inject(held);
    let child = command.stderr(full).spawn().unwrap();
    service.when_asked(1);
    let child = RefCell::new(child);
    until(|| {
        signal(&child.borrow(), "INT");
        child.borrow_mut().try_wait().unwrap().is_some()
    });
    let code = child.borrow_mut().wait().unwrap().code();
    assert_eq!(code, Some(130));
}

#[cfg(target_os = "linux")]
#[test]
fn what_nohup_ignores_stays_ignored() {
    let service = service();
    let plain = service.command("workflow start b");
    let mut command = Command::new("sh");
    let ignoring = "trap '' HUP; exec \"$0\" \"$@\"";
    command.args(["-c", ignoring]).arg(plain.get_program());
    command.args(plain.get_args()).env_clear();
    command.envs(
        plain
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let child = in_the_middle(&service, command, ("start_workflow", "b"));
    signal(&child, "HUP");
    signal(&child, "TERM");
    let ran = Ran::of(child.wait_with_output().unwrap());
    let line = ran.failed(143);
    assert!(line.starts_with("terminated: "), "{line}");
}

#[test]
fn what_has_begun_nothing_is_ended_by_the_signal_itself() {
    // Waits for its input.
    let child = pipeline("workflow lint -")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    signal(&child, "TERM");
    let ran = child.wait_with_output().unwrap();
    assert_eq!((ran.status.code(), ran.stderr.as_slice()), (None, &[][..]));
}

/// A stream that takes nothing more, and its other end, which nobody reads.
fn full_stream() -> (UnixStream, OwnedFd) {
    let (reader, mut writer) = UnixStream::pair().unwrap();
    writer.set_nonblocking(true).unwrap();
    while writer.write(&[b'.'; 4096]).is_ok() {}
    writer.set_nonblocking(false).unwrap();
    (reader, writer.into())
}
