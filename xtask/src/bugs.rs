//! `cargo xtask bugs`: puts deliberate bugs into a copy of the checkout, one at a time, to see
//! whether the simulation finds them.
//!
//! Each bug breaks another promise. For small mistakes in every line there is `cargo xtask mutants`.

use std::{
    fs, io,
    path::Path,
    process::{Command, Output, Stdio},
};

use crate::{Result, cargo, sim};

/// A bug that stays hidden for so many runs is one that the simulation does not see.
const SEEDS: u64 = 20_000;

struct Bug {
    name: &'static str,
    file: &'static str,
    /// Stands in the file exactly once, which `cargo xtask tidy` checks.
    from: &'static str,
    to: &'static str,
}

const BUGS: &[Bug] = &[
    Bug {
        name: "an error in the body of a 200 is taken for a success",
        file: "crates/pipeline-proto/src/call/machine/judge.rs",
        from: " || is_error_object(response.body())",
        to: "",
    },
    Bug {
        name: "a create whose response was lost is sent again",
        file: "crates/pipeline-proto/src/resource/workflow.rs",
        from: r#"POST "/v2/workflows/{name}" Never"#,
        to: r#"POST "/v2/workflows/{name}" Idempotent"#,
    },
    Bug {
        name: "a failure after a broken connection says that there was no effect",
        file: "crates/pipeline-proto/src/call/machine/judge.rs",
        from: "effect_if(kind != FaultKind::NotSent)",
        to: "effect_if(kind == FaultKind::TimedOut)",
    },
    Bug {
        name: "one more attempt is made than the policy allows",
        file: "crates/pipeline-proto/src/call/machine/judge.rs",
        from: "counted >= policy.attempts()",
        to: "counted > policy.attempts()",
    },
    Bug {
        name: "the time-out of an attempt does not mind the deadline of the call",
        file: "crates/pipeline-proto/src/call/machine/state.rs",
        from: "self.attempt_timeout().min(remaining)",
        to: "self.attempt_timeout().max(remaining)",
    },
    // This one and the next two stood in the code until the simulation or a property test met them.
    Bug {
        name: "a `Retry-After` that is a date is compared with a clock that was set in the meantime",
        file: "crates/pipeline-proto/src/call/machine/judge.rs",
        from: ".apply(received.wall)",
        to: ".apply(now.wall)",
    },
    Bug {
        name: "what is left of a code that was cut short is taken for a code",
        file: "crates/pipeline-proto/src/error/body.rs",
        from: ".is_none_or(whole)",
        to: ".is_none_or(|code| whole(code) || true)",
    },
    Bug {
        name: "a wait for a workflow to be gone is content with any 404",
        file: "crates/pipeline-proto/src/wait/watch.rs",
        from: "error.code() == Some(ErrorCode::WORKFLOW_NOT_FOUND)",
        to: "error.kind() == crate::error::ErrorKind::NotFound",
    },
    Bug {
        name: "the status `Unknown` is taken for the wanted one",
        file: "crates/pipeline-proto/src/wait/watch.rs",
        from: "(*status == Status::Started,",
        to: "(matches!(status, Status::Started | Status::Unknown),",
    },
    Bug {
        name: "the offset of the clock is measured at the end of the round trip, not in the middle",
        file: "crates/pipeline-proto/src/call/clock.rs",
        from: "checked_add(round_trip / 2)",
        to: "checked_add(round_trip)",
    },
    Bug {
        name: "the signature leaves the content type out",
        file: "crates/pipeline-proto/src/sign.rs",
        from: "put(header::trimmed(self.content_type));",
        to: "",
    },
    Bug {
        name: "`Authorization` is not marked as sensitive, so that `Debug` shows it",
        file: "crates/pipeline-proto/src/sign.rs",
        from: "value.set_sensitive(true)",
        to: "value.set_sensitive(false)",
    },
    Bug {
        name: "the emulator accepts any `Date` that is ahead of its clock",
        file: "crates/pipeline-emulator/src/auth/signature.rs",
        from: "date.abs_diff(server_time)",
        to: "server_time.saturating_sub(date)",
    },
    Bug {
        name: "the emulator starts a workflow in which nothing can run",
        file: "crates/pipeline-emulator/src/resource/workflow.rs",
        from: "if !workflow.can_start()",
        to: "if false",
    },
    Bug {
        name: "the emulator keeps the good points of a push with a bad one",
        file: "crates/pipeline-emulator/src/data.rs",
        from: "let tagged = line.check(repo, tags.as_deref())?;",
        to: "let Ok(tagged) = line.check(repo, tags.as_deref()) else { continue };",
    },
    Bug {
        name: "the emulator leaves the points of a queue that is deleted to the next of its name",
        file: "crates/pipeline-emulator/src/state.rs",
        from: "self.remove(&Id::new(Kind::Data, &id.path));",
        to: "",
    },
    Bug {
        name: "halves of a batch lose the record in the middle",
        file: "crates/pipeline-shipper/src/batch.rs",
        from: "let records = self.records.split_off(self.records.len() / 2);",
        to: "let mut records = self.records.split_off(self.records.len() / 2);\n        records.remove(0);",
    },
    Bug {
        name: "a push whose connection broke counts as accepted",
        file: "crates/pipeline-shipper/src/shipper.rs",
        from: "let Err(error) = result else {",
        to: "let Err(error) = result.or_else(|error| match error.cause() {\n            pipeline_proto::Cause::Fault(_) => Ok(()),\n            _ => Err(error),\n        }) else {",
    },
    Bug {
        name: "all records of a batch are dead when one of them is",
        file: "crates/pipeline-shipper/src/shipper.rs",
        from: "if batch.records.len() < 2 {",
        to: "if batch.records.len() < 200 {",
    },
    Bug {
        name: "`Retry-After` is not obeyed when shipping",
        file: "crates/pipeline-shipper/src/shipper.rs",
        from: "ApiError::asked_delay);",
        to: "|_: &ApiError| None);",
    },
    // This one and the next stood in the code until the simulation met them.
    Bug {
        name: "a shipper compares a `Retry-After` that is a date with the clock of the machine",
        file: "crates/pipeline-shipper/src/shipper.rs",
        from: ".and_then(ApiError::asked_delay);",
        to: ".and_then(|api: &ApiError| api.retry_delay(now.wall));",
    },
    Bug {
        name: "a response that is too large makes records dead",
        file: "crates/pipeline-shipper/src/judge.rs",
        from: "FaultKind::BodyTooLarge => true",
        to: "FaultKind::BodyTooLarge => false",
    },
    Bug {
        name: "a batch that failed goes behind the others, although order is asked for",
        file: "crates/pipeline-shipper/src/shipper.rs",
        from: "if self.settings.ordered || is_doubted {",
        to: "if is_doubted {",
    },
    Bug {
        name: "a batch is given up at the deadline of its first record",
        file: "crates/pipeline-shipper/src/shipper.rs",
        from: "batch.taken.1.saturating_add",
        to: "batch.taken.0.saturating_add",
    },
    Bug {
        name: "one request more is in flight than is allowed",
        file: "crates/pipeline-shipper/src/shipper.rs",
        from: "self.in_flight.len() < most",
        to: "self.in_flight.len() <= most",
    },
    Bug {
        name: "the limit of bytes in a second is not kept",
        file: "crates/pipeline-shipper/src/pace.rs",
        from: ".max(pause(count.bytes, settings.bytes_per_second))",
        to: ".max(pause(0, settings.bytes_per_second))",
    },
    Bug {
        name: "the memory of accepted records stays counted",
        file: "crates/pipeline-shipper/src/shipper.rs",
        from: "self.books.memory -= batch.text.len() - text;",
        to: "let _ = text;",
    },
    Bug {
        name: "records are dead that were to be held while pushes are refused",
        file: "crates/pipeline-shipper/src/shipper.rs",
        from: "Judgement::Refuse if !self.settings.hold_refused =>",
        to: "Judgement::Refuse =>",
    },
    Bug {
        name: "a closed shipper goes on when its time is up",
        file: "crates/pipeline-shipper/src/shipper.rs",
        from: "if now >= end {",
        to: "if false {",
    },
    // So did this one, until the simulation met it.
    Bug {
        name: "who waits for room in a shipper without a schema wakes itself without end",
        file: "crates/pipeline-shipper/src/shipper/free.rs",
        from: "self.has_news |= is_hurried && !front.is_hurried;",
        to: "self.has_news |= is_hurried;",
    },
    Bug {
        name: "records that wait for new fields are overtaken, although order is asked for",
        file: "crates/pipeline-shipper/src/shipper/free.rs",
        from: "let is_behind = self.settings.ordered && !front.waiting.is_empty();",
        to: "let is_behind = false;",
    },
    Bug {
        name: "a buffer forgets what is done before the next request",
        file: "crates/pipeline-shipper/src/buffer.rs",
        from: "saturating_sub(bytes);\n        inner.has_marks = true;",
        to: "saturating_sub(bytes);",
    },
    Bug {
        name: "a record that a full shipper gives back to the buffer is left out",
        file: "crates/pipeline-shipper/src/buffer/feed.rs",
        from: "chunk.next = id.number;",
        to: "chunk.next = id.number + 1;",
    },
    Bug {
        name: "a buffer buries records that were not welcome",
        file: "crates/pipeline-shipper/src/buffer.rs",
        from: " | Outcome::Dead(Why::NotWelcome(_)) => {",
        to: " => {",
    },
];

/// Bugs in what the simulation does not run, and the tests that find them.
const BUGS_OF_TESTS: &[(&str, Bug)] = &[
    (
        "-p pipeline-conformance --test shipping",
        Bug {
            name: "nobody tells what was left when the last handle goes",
            file: "crates/pipeline-shipper/src/desk.rs",
            from: "while let Step::Settled(verdicts) = shipper.poll(now)",
            to: "if let Step::Settled(verdicts) = shipper.poll(now)",
        },
    ),
    (
        "-p pipeline-shipper --test follow --features follow",
        Bug {
            name: "a file that was cut and has grown again is taken for the same",
            file: "crates/pipeline-shipper/src/follow.rs",
            from: "None => return self.lose(),",
            to: "None => bytes,",
        },
    ),
    (
        "-p pipeline-shipper --test follow --features follow",
        Bug {
            name: "the last line of a file that was replaced is left out",
            file: "crates/pipeline-shipper/src/follow.rs",
            from: "    fn leave(&mut self, found: &mut dyn FnMut(Found<'_>)) -> Step {\n        self.lines.finish(found);",
            to: "    fn leave(&mut self, _: &mut dyn FnMut(Found<'_>)) -> Step {",
        },
    ),
    (
        "-p pipeline-shipper --test follow --features follow",
        Bug {
            name: "a line that came in two reads loses its beginning",
            file: "crates/pipeline-shipper/src/follow/lines.rs",
            from: "self.hold(&line[..at]);",
            to: "self.held.clear();\n                self.hold(&line[..at]);",
        },
    ),
    (
        "-p pipeline-shipper --lib --features buffer buffer::",
        Bug {
            name: "a buffer acknowledges what is not on the disk",
            file: "crates/pipeline-shipper/src/buffer/write.rs",
            from: "if self.lock().durable > number {",
            to: "if self.lock().state.next > number {",
        },
    ),
    (
        "-p pipeline-shipper --lib --features buffer buffer::",
        Bug {
            name: "a buffer goes on after the disk has failed",
            file: "crates/pipeline-shipper/src/buffer/write.rs",
            from: "self.failed = Some(why);",
            to: "let _ = why;",
        },
    ),
    (
        "-p pipeline-shipper --lib --features buffer buffer::",
        Bug {
            name: "a buffer says that it has what it could not write",
            file: "crates/pipeline-shipper/src/buffer/write.rs",
            from: "self.not_kept.add(work, self.durable);",
            to: "let _ = (work, self.durable);",
        },
    ),
    // Others wait for room for ever with this one.
    (
        "-p pipeline-shipper --lib --features buffer buffer::power::",
        Bug {
            name: "a buffer drops the newest in place of the oldest",
            file: "crates/pipeline-shipper/src/buffer/store.rs",
            from: "for row in chunks.range((queue, from)..=(queue, u64::MAX))? {",
            to: "for row in chunks.range((queue, from)..=(queue, u64::MAX))?.rev() {",
        },
    ),
    (
        "-p pipeline-shipper --lib --features buffer buffer::",
        Bug {
            name: "the limit of a buffer leaves out what gathers",
            file: "crates/pipeline-shipper/src/buffer/put.rs",
            from: "(inner.state.held + inner.gathered + bytes as u64)",
            to: "(inner.state.held + bytes as u64)",
        },
    ),
    (
        "-p pipeline-shipper --lib --features buffer buffer::",
        Bug {
            name: "a chunk is removed from a buffer when its first record is done",
            file: "crates/pipeline-shipper/src/buffer/store.rs",
            from: "if ends > mark {",
            to: "if first > mark || ends == 0 {",
        },
    ),
];

/// The bugs that do not fit the code as it is, with the reason.
pub(crate) fn stale() -> impl Iterator<Item = String> {
    let of_tests = BUGS_OF_TESTS.iter().map(|(_, bug)| bug);
    BUGS.iter()
        .chain(of_tests)
        .filter_map(|bug| bug.put_into(&cargo::root()).err())
}

/// Prints the table of docs/testing.md, or its rows with one of these words in the name.
pub(crate) fn run(words: &[String]) -> Result {
    let root = cargo::root();
    let copy = root.join("target/bugs/checkout");
    copy_checkout(&root, &copy)?;
    if words.is_empty()
        && let Some((seed, rule)) = simulate(&copy)?
    {
        return Err(format!(
            "there is a bug already: seed {seed} shows that {rule} does not hold"
        ));
    }
    println!("| bug | seed | rule that it breaks |\n|---|---|---|");
    let mut hidden = Vec::new();
    let is_chosen =
        |bug: &Bug| words.is_empty() || words.iter().any(|word| bug.name.contains(word));
    let of_tests = BUGS_OF_TESTS.iter().map(|(tests, bug)| (bug, Some(tests)));
    let bugs = BUGS.iter().map(|bug| (bug, None)).chain(of_tests);
    for (bug, tests) in bugs.filter(|(bug, _)| is_chosen(bug)) {
        let file = copy.join(bug.file);
        write_changed(&file, bug.put_into(&root)?.as_bytes())?;
        let found = match tests {
            None => simulate(&copy),
            Some(tests) => test(&copy, tests),
        };
        let found = found.map_err(|error| format!("{}: {error}", bug.name))?;
        copy_file(&root, &copy, bug.file)?;
        match found {
            Some((seed, rule)) => println!("| {} | {seed} | {rule} |", bug.name),
            None => hidden.push(bug.name),
        }
    }
    if hidden.is_empty() {
        return Ok(());
    }
    Err(format!("nothing finds that {}", hidden.join(", nor that ")))
}

impl Bug {
    /// The file with the bug in it.
    fn put_into(&self, root: &Path) -> Result<String> {
        let text = fs::read_to_string(root.join(self.file))
            .map_err(|error| format!("{}: {error}", self.file))?;
        match text.matches(self.from).count() {
            1 => Ok(text.replace(self.from, self.to)),
            times => Err(format!(
                "{}: `{}`, which a bug in xtask/src/bugs.rs replaces, stands here {times} times",
                self.file, self.from
            )),
        }
    }
}

/// The seed that fails, and the rule that does not hold.
fn simulate(checkout: &Path) -> Result<Option<(String, String)>> {
    let build = output(checkout, "build", &[])?;
    if !build.status.success() {
        let complaints = String::from_utf8_lossy(&build.stderr);
        return Err(format!("it does not build\n{complaints}"));
    }
    let run = output(checkout, "run", &["--", "0", &SEEDS.to_string()])?;
    if run.status.success() {
        return Ok(None);
    }
    let failure = read_failure(&String::from_utf8_lossy(&run.stdout));
    failure.map(Some).ok_or_else(|| {
        let complaints = String::from_utf8_lossy(&run.stderr);
        let status = run.status;
        format!("the simulation broke off ({status})\n{complaints}")
    })
}

/// The first test that fails, in the place of a seed.
fn test(checkout: &Path, tests: &str) -> Result<Option<(String, String)>> {
    let test = |line: &str| {
        let mut command = cargo::cargo(&format!("test --quiet {tests} {line}"));
        quietly(checkout, command.current_dir(checkout))
    };
    let build = test("--no-run")?;
    if !build.status.success() {
        let complaints = String::from_utf8_lossy(&build.stderr);
        return Err(format!("it does not build\n{complaints}"));
    }
    let run = test("")?;
    let report = String::from_utf8_lossy(&run.stdout);
    let failed = report
        .rsplit_once("failures:\n")
        .map_or("", |(_, list)| list);
    let failed = failed.lines().next().unwrap_or_default().trim().to_owned();
    Ok((!run.status.success()).then(|| ("-".to_owned(), failed)))
}

fn output(checkout: &Path, what: &str, arguments: &[&str]) -> Result<Output> {
    let mut command = sim::command(checkout, what, SEEDS);
    quietly(checkout, command.args(arguments))
}

fn quietly(checkout: &Path, command: &mut Command) -> Result<Output> {
    command
        .env("CARGO_TARGET_DIR", checkout.with_file_name("target"))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("`{}`: {error}", cargo::typed(command)))
}

/// The seed and the rule in the first line of what the simulation prints when it fails.
fn read_failure(text: &str) -> Option<(String, String)> {
    let line = text.lines().next()?.strip_prefix("seed ")?;
    let (seed, rule) = line.split_once(": it does not hold that ")?;
    Some((seed.to_owned(), rule.to_owned()))
}

/// Copies what git knows or would take. Files that are the same already are left alone, so that
/// they are not built again.
fn copy_checkout(root: &Path, copy: &Path) -> Result {
    let mut git = Command::new("git");
    git.args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let files = cargo::output(git.current_dir(root))?;
    // What was deleted and is still known to git is not there.
    let files = files.split_terminator('\0');
    files
        .filter(|file| root.join(file).is_file())
        .try_for_each(|file| copy_file(root, copy, file))
}

fn copy_file(root: &Path, copy: &Path, file: &str) -> Result {
    let content = fs::read(root.join(file)).map_err(|error| format!("{file}: {error}"))?;
    write_changed(&copy.join(file), &content)
}

fn write_changed(path: &Path, content: &[u8]) -> Result {
    let write = || -> io::Result<()> {
        if fs::read(path).is_ok_and(|known| known == content) {
            return Ok(());
        }
        fs::create_dir_all(path.parent().unwrap_or(path))?;
        fs::write(path, content)
    };
    write().map_err(|error| format!("{}: {error}", path.display()))
}

#[test]
fn the_first_line_of_a_failure_names_seed_and_rule() {
    let text = "seed 7: it does not hold that a call keeps to its policy\nthe smallest run";
    let (seed, rule) = read_failure(text).unwrap();
    assert_eq!((&*seed, &*rule), ("7", "a call keeps to its policy"));
    assert!(read_failure("thread main panicked").is_none());
}
