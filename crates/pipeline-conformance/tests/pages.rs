//! What the pages in `docs` say of the code is true: their Rust is compiled or taken from an example, and the
//! tables on retries say what a call does, for every operation that there is. With `UPDATE_PAGES=1` the tables
//! are written into the page.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::Response;
use pipeline_graph::{file::Format, lint::lint_text};
use pipeline_proto::{
    Backoff, Call, CallOptions, Context, Credentials, Effect, Error, ErrorCode, ErrorKind, Fault,
    FaultKind, Idempotency, Next, Now, Operation,
    operation::{OperationInfo, Visitor},
    resource::{AnyOperation, OPERATIONS},
    strategies::any_operation,
};
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};
use regex_lite::Regex;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    let text = fs::read_to_string(root().join(path));
    text.unwrap_or_else(|error| panic!("{path}: {error}"))
        .replace("\r\n", "\n")
}

/// Fenced blocks of all pages: the page, what stands behind the ticks, and the text.
fn blocks() -> Vec<(String, String, String)> {
    let fence = Regex::new(r"(?ms)^```(.*?)$\n(.*?)^```").unwrap();
    let names = fs::read_dir(root().join("docs")).unwrap();
    let names = names.map(|file| format!("docs/{}", file.unwrap().file_name().to_string_lossy()));
    let mut pages = vec!["README.md".to_owned(), "README.zh-CN.md".to_owned()];
    pages.extend(names.filter(|name| name.contains(".md")));
    let blocks = pages.iter().flat_map(|page| {
        let text = read(page);
        let blocks = fence.captures_iter(&text);
        blocks
            .map(|it| (page.clone(), it[1].to_owned(), it[2].to_owned()))
            .collect::<Vec<_>>()
    });
    blocks.collect()
}

#[test]
fn rust_in_the_pages_is_a_doctest_or_part_of_an_example() {
    let lists = ["conformance", "emulator"]
        .map(|krate| read(&format!("crates/pipeline-{krate}/src/lib.rs")));
    let mut examples = String::new();
    let mut folders = vec![root().join("examples"), root().join("crates")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
        {
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().contains("/examples/") {
                // A block that was cut out of two files is in neither.
                examples += &fs::read_to_string(path)
                    .unwrap_or_default()
                    .replace("\r\n", "\n");
                examples.push('\0');
            }
        }
    }
    let (mut doctests, mut parts) = (0, 0);
    for (page, info, text) in blocks()
        .iter()
        .filter(|(_, info, _)| info.starts_with("rust"))
    {
        if info.contains("ignore") {
            parts += 1;
            assert!(
                examples.contains(text),
                "{page} shows what is in no example:\n{text}"
            );
        } else {
            doctests += 1;
            let included = lists
                .iter()
                .any(|list| list.contains(&format!("../../../{page}\"")));
            assert!(
                included,
                "{page} is no doctest of pipeline-conformance nor of pipeline-emulator"
            );
        }
    }
    assert!(doctests > 10 && parts > 0);
}

#[test]
fn workflow_files_in_the_pages_are_in_order() {
    // Parts of a file, as the page on the format shows them, have tests of their own.
    let files = blocks()
        .into_iter()
        .filter(|(page, info, _)| info == "yaml" && page != "docs/workflow-file.md");
    let checked =
        files.map(|(page, _, text)| assert_eq!(lint_text(&text, Format::Yaml), [], "{page}"));
    assert!(checked.count() > 0);
}

/// Operations that behave alike share a column of the tables.
const COLUMNS: [&str; 4] = ["safe", "idempotent, at least once", "deletes", "never"];

fn column(info: &OperationInfo) -> &'static str {
    match info.idempotency {
        Idempotency::Safe => COLUMNS[0],
        Idempotency::Idempotent if info.done_on.is_some() => COLUMNS[2],
        Idempotency::Never => COLUMNS[3],
        _ => COLUMNS[1],
    }
}

/// Each tabled operation once, with input of any kind.
fn operations() -> Vec<(&'static OperationInfo, AnyOperation)> {
    struct Name;
    impl Visitor for Name {
        type Output = &'static str;
        fn visit<O: Operation>(self, operation: O) -> &'static str {
            operation.name()
        }
    }
    let (strategy, mut runner) = (any_operation(), TestRunner::deterministic());
    let mut drawn = BTreeMap::new();
    while drawn.len() < OPERATIONS.len() {
        let operation = strategy.new_tree(&mut runner).unwrap().current();
        drawn
            .entry(operation.clone().visit(Name))
            .or_insert(operation);
    }
    OPERATIONS
        .iter()
        .map(|info| (info, drawn[info.name].clone()))
        .collect()
}

/// What happens to an attempt, or instead of one.
#[derive(Clone, Copy)]
enum Event {
    Fault(FaultKind),
    Response(u16, &'static str),
    With(u16, &'static str, &'static str),
    /// A 401 with a date that is so many seconds ahead.
    Date(u64),
    /// The 404 that says that what is to be deleted is not there.
    Gone,
    /// Nothing came until the deadline of the call.
    Deadline,
    /// The wait for the next attempt takes until after the deadline.
    DeadlineInWait,
}

use Event::{Date, Deadline, DeadlineInWait, Fault as F, Gone, Response as R, With};
use FaultKind::{BodyTooLarge, Interrupted, NotSent, TimedOut};

/// The rows of a table: what happens, and the ways in which it can, each with what goes before it.
type Rows = &'static [(&'static str, &'static [&'static [Event]])];

macro_rules! rows {
    ($($name:literal: $([$($event:expr),+])+;)+) => { &[$(($name, &[$(&[$($event),+]),+])),+] };
}

const FAILURES: Rows = rows! {
    "no connection, nothing was sent": [F(NotSent)];
    "the connection breaks after the request or a part of it was sent": [F(Interrupted)];
    "no whole response within the time of the attempt": [F(TimedOut)];
    "the response is larger than the limit of this side": [F(BodyTooLarge)];
    "429 or 503 with `Retry-After`":
        [With(429, "retry-after", "1")] [With(503, "retry-after", "Sun, 06 Nov 1994 08:49:38 GMT")];
    "429 without it": [R(429, "")];
    "503 without it": [R(503, "")] [R(503, "down")];
    "500, 502, 504, or E9000":
        [R(500, "")] [R(502, "<h1>Bad Gateway</h1>")] [R(504, "")] [R(500, "E9000: no")] [R(400, "E9000: no")];
    "202 with E18124, something is still being made": [R(202, "E18124: creating")];
    "401, and the clocks differ by more than four minutes": [Date(1200)] [Date(241)];
    "401 otherwise": [Date(0)] [Date(239)] [R(401, "")];
    "4xx with a code that says that it will pass, such as E18113": [R(409, "E18113: being deleted")];
    "any other 4xx":
        [R(400, "E18007: not JSON")] [R(403, "")] [R(410, "")] [Gone] [R(400, "E18644: not now")]
        [R(409, "E18640: there is one")] [R(413, "E18005: too large")];
    "404 with the code for \"it does not exist\", after an attempt that may have worked": [F(Interrupted), Gone];
    "E9001, the service does not have the call": [R(500, "E9001: no")] [R(400, "E9001: no")];
    "a redirect other than 303": [With(302, "location", "/elsewhere")];
    "303, which leads to the result of a request": [With(303, "location", "/elsewhere")];
    "200 with a body that cannot be read": [R(200, "<h1>Welcome</h1>")];
    "the deadline of the call passes before a response": [Deadline];
    "the deadline of the call passes in a wait, after attempts that found no connection": [F(NotSent), DeadlineInWait];
};

/// A dropped `InFlight` is as good as a broken connection, a dropped `Backoff` as good as one that is resumed
/// too late.
const DROPPED: Rows = rows! {
    "while an attempt is under way": [F(Interrupted)];
    "in the wait after an attempt that found no connection": [F(NotSent), DeadlineInWait];
    "in the wait after an attempt that broke off": [F(Interrupted), DeadlineInWait];
};

const TOTAL: Duration = Duration::from_secs(120);

/// Drives a call by events, the last one again and again: what a caller sees, and the kind of the error.
struct Drive<'a>(&'a OperationInfo, &'a [Event]);

impl Visitor for Drive<'_> {
    type Output = (String, Option<ErrorKind>);

    fn visit<O: Operation>(self, operation: O) -> Self::Output {
        let Self(info, events) = self;
        let keys = Credentials::new("ak", "sk").unwrap();
        let context = Context::builder()
            .credentials(keys)
            .total_timeout(TOTAL)
            .build();
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let mut now = Now::new(wall, Duration::ZERO);
        let mut attempt = Call::new(&context, operation, CallOptions::new())
            .unwrap()
            .start(now);
        let mut verb = "reported";
        let (last, before) = events.split_last().unwrap();
        for event in before.iter().chain(std::iter::repeat(last)) {
            let (_, in_flight) = attempt.send();
            let next = match event {
                F(kind) => in_flight.on_fault(Fault::new(*kind), now),
                Deadline | DeadlineInWait => in_flight.on_fault(Fault::new(TimedOut), now + TOTAL),
                event => in_flight.on_response(event.response(info, wall), now),
            };
            let backoff = match next {
                Next::Done(Ok(_)) => return ("success".to_owned(), None),
                // What goes before has ended the call already.
                Next::Done(Err(error)) if !before.is_empty() && error.attempts() == 1 => {
                    return ("cannot come: nothing was sent again".to_owned(), None);
                }
                Next::Done(Err(error)) => return seen(verb, &error),
                Next::Retry(backoff) => backoff,
            };
            if matches!(last, DeadlineInWait) {
                return seen("reported", &too_late(backoff));
            }
            verb = if before.is_empty() {
                "sent again"
            } else {
                verb
            };
            now = now + backoff.delay();
            attempt = backoff.resume(now).unwrap();
        }
        unreachable!("a policy has an end")
    }
}

fn too_late<O: Operation>(backoff: Backoff<O>) -> Error {
    let late = Now::new(SystemTime::UNIX_EPOCH, TOTAL);
    backoff.resume(late).err().unwrap()
}

fn seen(verb: &str, error: &Error) -> (String, Option<ErrorKind>) {
    let effect = match error.effect() {
        Effect::None => "nothing changed",
        Effect::Possible => "may have worked",
    };
    (format!("{verb}; {effect}"), Some(error.kind()))
}

impl Event {
    fn response(&self, info: &OperationInfo, wall: SystemTime) -> Response<Bytes> {
        let gone = info.done_on.unwrap_or(ErrorCode::WORKFLOW_NOT_FOUND);
        let (status, field, text) = match self {
            R(status, text) => (*status, None, (*text).to_owned()),
            With(status, name, value) => {
                (*status, Some((*name, (*value).to_owned())), "x".to_owned())
            }
            Date(ahead) => {
                let date = httpdate::fmt_http_date(wall + Duration::from_secs(*ahead));
                (401, Some(("date", date)), "bad token".to_owned())
            }
            Gone => (404, None, format!("{gone}: no such thing")),
            F(_) | Deadline | DeadlineInWait => unreachable!("no response came"),
        };
        // What is marked up comes from something on the way, and what is empty has no reason.
        let is_object = !text.is_empty() && !text.starts_with('<');
        let body = if is_object {
            format!(r#"{{"error":"{text}"}}"#)
        } else {
            text
        };
        let mut response = Response::builder().status(status);
        if let Some((name, value)) = field {
            response = response.header(name, value);
        }
        response.body(body.into()).unwrap()
    }
}

/// Compares a table of the page with what calls do. `cell` says how a column shows it.
fn check(head: &str, rows: Rows, with_kinds: bool, cell: impl Fn(String) -> String) {
    let operations = operations();
    let titles = COLUMNS.join(" | ");
    let dashes = "|---".repeat(head.split(" | ").count() + COLUMNS.len());
    let mut table = format!("| {head} | {titles} |\n{dashes}|\n");
    for (row, scripts) in rows {
        let (mut cells, mut kinds) = ([const { None::<String> }; COLUMNS.len()], Vec::new());
        for (info, operation) in &operations {
            let at = COLUMNS
                .iter()
                .position(|name| *name == column(info))
                .unwrap();
            for script in *scripts {
                let (seen, kind) = operation.clone().visit(Drive(info, script));
                kinds.extend(kind);
                let seen = cell(seen);
                let known = cells[at].get_or_insert_with(|| seen.clone());
                assert_eq!(*known, seen, "a cell cannot say both: {row}, {}", info.name);
            }
        }
        let kinds: Vec<_> = ErrorKind::ALL
            .iter()
            .filter(|kind| kinds.contains(kind))
            .map(|it| it.as_str())
            .collect();
        let kinds = if with_kinds {
            format!(" {} |", kinds.join(", "))
        } else {
            String::new()
        };
        let cells: Vec<String> = cells.into_iter().map(Option::unwrap).collect();
        table.extend(["| ", row, " |", &kinds, " ", &cells.join(" | "), " |\n"]);
    }
    let path = "docs/retries-and-cancellation.md";
    let page = read(path);
    let start = page
        .find(&format!("\n| {head} |"))
        .expect("the page has this table")
        + 1;
    let end = start + page[start..].find("\n\n").unwrap() + 1;
    if std::env::var_os("UPDATE_PAGES").is_some() {
        fs::write(
            root().join(path),
            format!("{}{table}{}", &page[..start], &page[end..]),
        )
        .unwrap();
    } else {
        assert_eq!(&page[start..end], table, "UPDATE_PAGES=1 writes it");
    }
}

#[test]
fn the_tables_on_retries_are_what_calls_do() {
    check("what happens | `kind()`", FAILURES, true, |seen| seen);
    // Nobody is there to be told; what is left is what may have happened.
    check("dropped", DROPPED, false, |seen| {
        match seen.split_once("; ") {
            Some((_, effect)) => effect.to_owned(),
            None => "cannot come: there is no such wait".to_owned(),
        }
    });
}
