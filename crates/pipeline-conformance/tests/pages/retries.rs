//! `docs/retries-and-cancellation.md`: its tables, as the real machine makes them.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use pipeline_proto::{
    Backoff, Call, CallOptions, Context, Credentials, Effect, Error, ErrorKind, Fault, FaultKind,
    Next, Now, Operation,
};

use crate::{
    operations::{self, COLUMNS, Visitor},
    read,
};

const TOTAL: Duration = Duration::from_secs(120);

/// What happens to an attempt, or instead of one.
#[derive(Clone)]
enum Event {
    Fault(FaultKind),
    Answer {
        status: u16,
        headers: HeaderMap,
        body: &'static str,
    },
    /// Nothing came until the deadline of the call.
    Deadline,
    /// The wait for the next attempt takes until after the deadline.
    DeadlineInWait,
}

/// What a caller sees of it.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Success,
    SentAgain {
        kind: ErrorKind,
        effect: Effect,
    },
    Reported {
        kind: ErrorKind,
        effect: Effect,
    },
    /// What goes before has ended the call already.
    CannotCome,
}

impl Seen {
    fn reported(error: &Error) -> Self {
        let (kind, effect) = (error.kind(), error.effect());
        Self::Reported { kind, effect }
    }

    fn kind(&self) -> Option<ErrorKind> {
        match self {
            Self::SentAgain { kind, .. } | Self::Reported { kind, .. } => Some(*kind),
            Self::Success | Self::CannotCome => None,
        }
    }

    /// As the page says it.
    fn cell(&self) -> String {
        match self {
            Self::Success => "success".to_owned(),
            Self::SentAgain { effect, .. } => format!("sent again; {}", effect_text(*effect)),
            Self::Reported { effect, .. } => format!("reported; {}", effect_text(*effect)),
            Self::CannotCome => "cannot come: nothing was sent again".to_owned(),
        }
    }
}

fn effect_text(effect: Effect) -> &'static str {
    match effect {
        Effect::None => "nothing changed",
        Effect::Possible => "may have worked",
    }
}

fn context() -> Context {
    let keys = Credentials::new("ak", "sk").unwrap();
    Context::builder()
        .credentials(keys)
        .total_timeout(TOTAL)
        .build()
}

fn begin() -> Now {
    let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    Now::new(wall, Duration::ZERO)
}

fn answer(status: u16, body: &'static str) -> Event {
    let headers = HeaderMap::new();
    Event::Answer {
        status,
        headers,
        body,
    }
}

fn answer_with(status: u16, name: header::HeaderName, value: &str) -> Event {
    let headers = HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())]);
    Event::Answer {
        status,
        headers,
        body: r#"{"error":"bad token"}"#,
    }
}

/// The rows of the table: one or more ways in which it can happen, each with what goes before it.
fn failures() -> Vec<(&'static str, Vec<Vec<Event>>)> {
    let date = |ahead| {
        let date = httpdate::fmt_http_date(begin().wall + Duration::from_secs(ahead));
        answer_with(401, header::DATE, &date)
    };
    let one = |events: Vec<Event>| events.into_iter().map(|event| vec![event]).collect();
    let broken = Event::Fault(FaultKind::Interrupted);
    let gone = answer(404, r#"{"error":"E18641: no such workflow"}"#);
    vec![
        (
            "no connection, nothing was sent",
            one(vec![Event::Fault(FaultKind::NotSent)]),
        ),
        (
            "the connection breaks after the request or a part of it was sent",
            one(vec![broken.clone()]),
        ),
        ("no whole response within the time of the attempt", {
            one(vec![Event::Fault(FaultKind::TimedOut)])
        }),
        ("the response is larger than the limit of this side", {
            one(vec![Event::Fault(FaultKind::BodyTooLarge)])
        }),
        (
            "429 or 503 with `Retry-After`",
            one(vec![
                answer_with(429, header::RETRY_AFTER, "1"),
                answer_with(503, header::RETRY_AFTER, "Sun, 06 Nov 1994 08:49:38 GMT"),
            ]),
        ),
        ("429 without it", one(vec![answer(429, "")])),
        (
            "503 without it",
            one(vec![answer(503, ""), answer(503, r#"{"error":"down"}"#)]),
        ),
        (
            "500, 502, 504, or E9000",
            one(vec![
                answer(500, ""),
                answer(502, "<h1>Bad Gateway</h1>"),
                answer(504, ""),
                answer(500, r#"{"error":"E9000: internal"}"#),
                answer(400, r#"{"error":"E9000: internal"}"#),
            ]),
        ),
        ("202 with E18124, something is still being made", {
            one(vec![answer(202, r#"{"error":"E18124: creating"}"#)])
        }),
        (
            "401, and the clocks differ by more than four minutes",
            one(vec![date(1200), date(241)]),
        ),
        (
            "401 otherwise",
            one(vec![date(0), date(239), answer(401, "")]),
        ),
        (
            "4xx with a code that says that it will pass, such as E18113",
            { one(vec![answer(409, r#"{"error":"E18113: being deleted"}"#)]) },
        ),
        (
            "any other 4xx",
            one(vec![
                answer(400, r#"{"error":"E18007: not JSON"}"#),
                answer(403, ""),
                answer(410, ""),
                answer(404, r#"{"error":"E18641: no such workflow"}"#),
                answer(400, r#"{"error":"E18644: not now"}"#),
                answer(409, r#"{"error":"E18640: there is one"}"#),
                answer(413, r#"{"error":"E18005: too large"}"#),
            ]),
        ),
        (
            "404 with E18641, after an attempt that may have worked",
            vec![vec![broken, gone]],
        ),
        (
            "E9001, the service does not have the call",
            one(vec![
                answer(500, r#"{"error":"E9001: not implemented"}"#),
                answer(400, r#"{"error":"E9001: not implemented"}"#),
            ]),
        ),
        (
            "a redirect other than 303",
            one(vec![answer_with(302, header::LOCATION, "/elsewhere")]),
        ),
        (
            "303, which leads to the result of a request",
            one(vec![answer_with(303, header::LOCATION, "/elsewhere")]),
        ),
        (
            "200 with a body that cannot be read",
            one(vec![answer(200, "<h1>Welcome</h1>")]),
        ),
        (
            "the deadline of the call passes before a response",
            one(vec![Event::Deadline]),
        ),
        (
            "the deadline of the call passes in a wait, after attempts that found no connection",
            {
                vec![vec![
                    Event::Fault(FaultKind::NotSent),
                    Event::DeadlineInWait,
                ]]
            },
        ),
    ]
}

/// A call, driven by events.
struct Drive<'a>(&'a [Event]);

impl Visitor for Drive<'_> {
    type Result = Seen;

    fn visit<O: Operation + Clone>(&self, operation: O) -> Seen {
        let (last, before) = self.0.split_last().unwrap();
        let call = Call::new(&context(), operation, CallOptions::new()).unwrap();
        let mut now = begin();
        let mut attempt = call.start(now);
        for event in before {
            let Next::Retry(backoff) = happen(attempt, event, now) else {
                return Seen::CannotCome;
            };
            if matches!(last, Event::DeadlineInWait) {
                return Seen::reported(&resume_too_late(backoff));
            }
            now = now + backoff.delay();
            attempt = backoff.resume(now).unwrap();
        }
        let mut again = false;
        loop {
            match happen(attempt, last, now) {
                Next::Done(Ok(_)) => return Seen::Success,
                Next::Done(Err(error)) if again => {
                    let (kind, effect) = (error.kind(), error.effect());
                    return Seen::SentAgain { kind, effect };
                }
                Next::Done(Err(error)) => return Seen::reported(&error),
                Next::Retry(backoff) => {
                    again = true;
                    now = now + backoff.delay();
                    attempt = backoff.resume(now).unwrap();
                }
            }
        }
    }
}

fn happen<O: Operation>(attempt: pipeline_proto::Attempt<O>, event: &Event, now: Now) -> Next<O> {
    let (_, in_flight) = attempt.send();
    match event {
        Event::Fault(kind) => in_flight.on_fault(Fault::new(*kind), now),
        Event::Deadline | Event::DeadlineInWait => {
            in_flight.on_fault(Fault::new(FaultKind::TimedOut), now + TOTAL)
        }
        Event::Answer {
            status,
            headers,
            body,
        } => {
            let mut response = Response::new(Bytes::from_static(body.as_bytes()));
            *response.status_mut() = StatusCode::from_u16(*status).unwrap();
            *response.headers_mut() = headers.clone();
            in_flight.on_response(response, now)
        }
    }
}

fn resume_too_late<O: Operation>(backoff: Backoff<O>) -> Error {
    match backoff.resume(begin() + TOTAL) {
        Ok(_) => panic!("an attempt after the deadline"),
        Err(error) => error,
    }
}

/// The table with a row for each of these, as it has to stand in the page.
fn assert_table(head: &str, rows: impl IntoIterator<Item = Vec<String>>) {
    let titles = COLUMNS.map(|column| column.join(", ")).join(" | ");
    let dashes = "|---".repeat(head.split(" | ").count() + COLUMNS.len());
    let head = format!("| {head} | {titles} |\n{dashes}|\n");
    let rows = rows
        .into_iter()
        .map(|row| format!("| {} |\n", row.join(" | ")));
    let table = head + &rows.collect::<String>();
    let page = read("docs/retries-and-cancellation.md");
    assert!(page.contains(&table), "the table should be\n{table}");
}

/// What holds for each operation of a column, and in each way.
fn the_one<T: PartialEq + std::fmt::Debug>(cells: impl IntoIterator<Item = T>, row: &str) -> T {
    let mut cells = cells.into_iter();
    let first = cells.next().unwrap();
    cells.for_each(|cell| assert_eq!(cell, first, "a cell cannot say both: {row}"));
    first
}

#[test]
fn the_table_of_failures_is_what_a_call_does() {
    let rows = failures().into_iter().map(|(row, scripts)| {
        let columns = COLUMNS.map(|column| {
            let each = column.iter().flat_map(|name| {
                let drive = |script: &Vec<Event>| operations::with(name, &Drive(script));
                scripts.iter().map(drive)
            });
            each.collect::<Vec<Seen>>()
        });
        let seen = |kind: &ErrorKind| columns.iter().flatten().any(|it| it.kind() == Some(*kind));
        let kinds = ErrorKind::ALL.into_iter().filter(seen);
        let kinds: Vec<&str> = kinds.map(ErrorKind::as_str).collect();
        let cells = columns
            .iter()
            .map(|it| the_one(it.iter().map(Seen::cell), row));
        [row.to_owned(), kinds.join(", ")]
            .into_iter()
            .chain(cells)
            .collect()
    });
    assert_table("what happens | `kind()`", rows);
}

const DROPPED: [&str; 4] = [
    "before the first poll",
    "while an attempt is under way",
    "in the wait after an attempt that found no connection",
    "in the wait after an attempt that broke off",
];

/// What is known of a call whose state is dropped. A dropped `InFlight` is as good as a broken
/// connection, a dropped `Backoff` as good as one that is resumed too late.
struct Dropped<'a>(&'a str);

impl Visitor for Dropped<'_> {
    type Result = String;

    fn visit<O: Operation + Clone>(&self, operation: O) -> String {
        let call = Call::new(&context(), operation, CallOptions::new()).unwrap();
        let broken = Event::Fault(FaultKind::Interrupted);
        let effect = match self.0 {
            "before the first poll" => {
                drop(call);
                Effect::None
            }
            "while an attempt is under way" => {
                match happen(call.start(begin()), &broken, begin()) {
                    Next::Done(result) => result.err().unwrap().effect(),
                    Next::Retry(backoff) => resume_too_late(backoff).effect(),
                }
            }
            "in the wait after an attempt that found no connection" => {
                let refused = Event::Fault(FaultKind::NotSent);
                let Next::Retry(backoff) = happen(call.start(begin()), &refused, begin()) else {
                    panic!("what was not sent is sent again");
                };
                resume_too_late(backoff).effect()
            }
            "in the wait after an attempt that broke off" => {
                match happen(call.start(begin()), &broken, begin()) {
                    Next::Done(_) => return "cannot come: there is no such wait".to_owned(),
                    Next::Retry(backoff) => resume_too_late(backoff).effect(),
                }
            }
            other => panic!("{other}"),
        };
        effect_text(effect).to_owned()
    }
}

#[test]
fn the_table_of_dropped_calls_is_what_the_states_say() {
    let rows = DROPPED.map(|row| {
        let cells = COLUMNS.map(|column| {
            let each = column
                .iter()
                .map(|name| operations::with(name, &Dropped(row)));
            the_one(each, row)
        });
        [row.to_owned()].into_iter().chain(cells).collect()
    });
    assert_table("dropped", rows);
}
