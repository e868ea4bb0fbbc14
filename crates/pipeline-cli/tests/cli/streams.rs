//! Streams that cannot be written to: a full disk, a reader that has left, a stream that is closed. The
//! exit code tells the truth about what was done.

use std::{
    fs::File,
    process::{Command, Stdio},
};

use crate::{
    matrix::{FILE, LINES},
    support::{Ran, Run as _, Service, TemporaryFile, pipeline},
};

/// Commands that need no service.
const OFFLINE: &[&str] = &[
    "--help",
    "--version",
    "help",
    "help exit-codes",
    "help workflow start",
    "workflow start --help",
    "completions bash",
    "explain E18641",
    "explain --all -o json",
    "config explain",
];

/// A command of another place, run by a shell that changes its streams first.
#[cfg(unix)]
fn by_shell(script: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{script}; exec \"$0\" \"$@\"")]);
    shell.arg(command.get_program()).args(command.get_args());
    shell.env_clear().stdin(Stdio::null());
    let variables = command.get_envs();
    shell.envs(variables.filter_map(|(name, value)| Some((name, value?))));
    shell
}

/// The command with a stdout on which nothing finds room.
#[cfg(unix)]
fn on_a_full_disk(command: &Command) -> Ran {
    let file = TemporaryFile::new("full", "");
    let mut shell = by_shell("ulimit -f 0; trap '' XFSZ", command);
    shell.stdout(File::create(file.path()).unwrap());
    shell.stderr(Stdio::piped()).ran()
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_said_and_what_was_done_as_well() {
    for line in OFFLINE {
        let said = on_a_full_disk(&pipeline(*line)).failed(11);
        assert!(
            said.starts_with("the output could not be written: "),
            "{line}: {said}"
        );
    }
    let file = TemporaryFile::new("w.json", FILE);
    for case in LINES {
        let service = case.service();
        let ran = on_a_full_disk(&service.command(&case.typed("json", &file)));
        let context = format!("{}: {ran:?}", case.words);
        assert_eq!(ran.code, Some(11), "{context}");
        let line = ran.stderr.lines().last().unwrap_or_default();
        let changed = !service.changes().is_empty();
        let says = if changed {
            "error: done, but the output could not be written: "
        } else {
            "error: the output could not be written: "
        };
        assert!(line.starts_with(says), "{context}");
    }
}

#[cfg(unix)]
#[test]
fn a_plan_that_cannot_be_shown_is_not_carried_out() {
    let file = TemporaryFile::new("w.json", FILE);
    let service = Service::new().with_workflow("w");
    let apply = service.command(&format!("workflow apply -f {} --yes", file.path()));
    let line = on_a_full_disk(&apply).failed(11);
    assert!(
        line.starts_with("the output could not be written: "),
        "{line}"
    );
    assert_eq!(service.changes(), [""; 0]);
}

#[cfg(unix)]
#[test]
fn of_several_the_failures_count_more_than_the_output() {
    let service = Service::new().with_workflow("w");
    let start = service.command("workflow start w v -o json");
    let ran = on_a_full_disk(&start);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    for says in [
        "error: v: ",
        "starting 1 of 2; 1 failed",
        "error: done, but the output",
    ] {
        assert!(ran.stderr.contains(says), "{ran:?}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let unread = |mut command: Command| {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command.stdout(writer).stderr(Stdio::piped()).output();
        Ran::of(output.unwrap())
    };
    for line in OFFLINE {
        let ran = unread(pipeline(*line));
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{line}");
    }
    let file = TemporaryFile::new("w.json", FILE);
    for case in LINES {
        let service = case.service();
        let ran = unread(service.command(&case.typed("json", &file)));
        assert_eq!(ran.code, Some(0), "{}: {ran:?}", case.words);
        assert!(!ran.stderr.contains("error"), "{}: {ran:?}", case.words);
    }
}

#[cfg(unix)]
#[test]
fn closed_streams_change_nothing_and_get_into_no_file() {
    let service = Service::new().with_workflow("w");
    for (script, code, name) in [
        ("exec >&-", 0, "w"),
        ("exec 2>&-", 0, "w"),
        ("exec <&- >&- 2>&-", 0, "w"),
        ("exec 2>&-", 3, "v"),
    ] {
        let record = TemporaryFile::new("record", "");
        std::fs::remove_file(record.path()).unwrap();
        let get = format!("workflow get {name} -o json --record {}", record.path());
        let ran = by_shell(script, &service.command(&get)).ran();
        assert_eq!(ran.code, Some(code), "{script}: {ran:?}");
        let recorded = std::fs::read_to_string(record.path()).unwrap();
        let lines = recorded.lines();
        let whole = |line: &str| serde_json::from_str::<serde_json::Value>(line).is_ok();
        assert!(
            recorded.lines().count() > 0 && lines.into_iter().all(whole),
            "{script}: {recorded}"
        );
    }
}
