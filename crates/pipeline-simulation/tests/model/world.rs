//! The emulator and its model, side by side.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Request, header};
use pipeline_emulator::{Account, ClockSkew, Emulator, Snapshot, Transition};
use pipeline_proto::{Credentials, ErrorCode, Now, sign};
use pipeline_simulation::model::{Answer, Kept, Model, REGIONS, Request as Asked, moment, shows};
use serde_json::{Value, json};

use crate::steps::{ACCOUNTS, Ask, Flaw, Step};

/// How long a workflow of manual jobs runs before it ends by itself.
const MANUAL_RUN: Duration = Duration::from_millis(700);

/// With room for a comment that is too long.
const MAX_BODY: usize = 32 * 1024;

pub(crate) struct World {
    pub(crate) emulator: Emulator,
    model: Model,
    now: Now,
    snapshot: Option<(Snapshot, Kept)>,
}

impl World {
    pub(crate) fn new() -> Self {
        let now = Now::new(
            UNIX_EPOCH + Duration::from_secs(784_111_777),
            Duration::from_secs(1_000),
        );
        let stop = Transition::After(Duration::from_millis(100));
        let model = Model::new(&ACCOUNTS, Transition::Immediate, stop, MANUAL_RUN);
        Self {
            emulator: emulator(&model),
            model,
            now,
            snapshot: None,
        }
    }

    pub(crate) fn now(&self) -> Now {
        self.now
    }

    /// An emulator without workflows and with the present settings.
    pub(crate) fn new_emulator(&self) -> Emulator {
        emulator(&self.model)
    }

    /// What becomes of the model when the emulator's process ends and another one takes over from a
    /// state file.
    pub(crate) fn restart(&mut self, away: Duration) {
        let kept = self.model.kept(self.now);
        self.now = elsewhere(self.now, away);
        self.model.restore(&kept, self.now);
    }

    /// Lets something happen, gives the response of a request, and looks around.
    ///
    /// # Errors
    ///
    /// Where emulator and model part.
    pub(crate) fn step(&mut self, step: &Step) -> Result<Option<Answer>, String> {
        let Self {
            emulator,
            model,
            now,
            snapshot,
        } = self;
        let mut answer = None;
        match step {
            Step::Ask(request) => answer = Some(ask(emulator, model, request, *now)?),
            Step::Pass(time) => *now = *now + *time,
            Step::SetWall(seconds) => now.wall = shifted(now.wall, *seconds),
            Step::SetOffset(seconds) => {
                model.ahead = *seconds * 1_000;
                emulator.set_clock_offset(offset(*seconds));
            }
            Step::Starts(how) => {
                model.start = *how;
                emulator.set_start_transition(*how);
            }
            Step::Stops(how) => {
                model.stop = *how;
                emulator.set_stop_transition(*how);
            }
            Step::Forget => {
                model.forget();
                emulator.reset();
            }
            Step::Keep => *snapshot = Some((emulator.snapshot(*now), model.snapshot(*now))),
            Step::Restore => {
                if let Some((snapshot, kept)) = snapshot {
                    emulator.restore(snapshot, *now);
                    model.restore(kept, *now);
                }
            }
            Step::RestoreElsewhere(away) => {
                if let Some((snapshot, kept)) = snapshot {
                    *now = elsewhere(*now, *away);
                    *emulator = self::emulator(model);
                    emulator.restore(&written_and_read(snapshot)?, *now);
                    model.restore(kept, *now);
                }
            }
        }
        self.look_around()
            .map_err(|difference| format!("afterwards, {difference}"))?;
        Ok(answer)
    }

    /// Compares all that can be read, and leaves no trace: it looks at copies.
    pub(crate) fn look_around(&self) -> Result<(), String> {
        let (mut emulator, mut model) = (self.emulator.clone(), self.model.clone());
        for (account, request) in self.model.looks() {
            ask(
                &mut emulator,
                &mut model,
                &Ask::new(account, request),
                self.now,
            )?;
        }
        Ok(())
    }
}

fn emulator(model: &Model) -> Emulator {
    let account = |name| Account::new(name).key(name, secret_key(name));
    Emulator::builder()
        .account(account(ACCOUNTS[0]))
        .account(account(ACCOUNTS[1]))
        .regions(REGIONS)
        .start_transition(model.start)
        .stop_transition(model.stop)
        .manual_run(MANUAL_RUN)
        .clock_offset(offset(model.ahead / 1_000))
        .max_body(MAX_BODY)
        .request_log(0)
        .build()
}

/// A moment as another process sees it: its monotonic clock has begun anew.
fn elsewhere(now: Now, away: Duration) -> Now {
    Now::new(now.wall + away, Duration::ZERO)
}

fn shifted(time: SystemTime, seconds: i64) -> SystemTime {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 {
        time - distance
    } else {
        time + distance
    }
}

fn offset(seconds: i64) -> ClockSkew {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 {
        ClockSkew::Behind(distance)
    } else {
        ClockSkew::Ahead(distance)
    }
}

fn written_and_read(snapshot: &Snapshot) -> Result<Snapshot, String> {
    let text = serde_json::to_string(snapshot).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))
}

/// Asks both, and compares their answers; what the emulator says.
fn ask(emulator: &mut Emulator, model: &mut Model, ask: &Ask, now: Now) -> Result<Answer, String> {
    let expected = expected(model, ask, now);
    let response = emulator.handle(request(ask, now), now);
    let date = response.headers().get(header::DATE);
    let date = date.and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
    let second = date.map(|date| moment(date, 0) / 1_000);
    let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
    let code = body["error"].as_str().and_then(ErrorCode::from_message);
    let (status, code) = (response.status().as_u16(), code.map(ErrorCode::number));
    let as_expected = (status, code) == (expected.status, expected.code)
        && (status != 200 || shows(&body, &expected.body))
        && second == Some(moment(now.wall, model.ahead) / 1_000);
    if as_expected {
        return Ok(expected);
    }
    Err(format!(
        "{ask:?}\n  must be answered {expected:?}\n  and is answered  {status} {code:?} {body} at {second:?}"
    ))
}

/// What must be answered. What is wrong with the request is told in the order of the table in the
/// documentation.
fn expected(model: &mut Model, ask: &Ask, now: Now) -> Answer {
    let refused = |flaws: &[(Flaw, u16, u32)]| {
        let found = flaws.iter().find(|(flaw, ..)| ask.has(*flaw));
        found.map(|(_, status, code)| Answer::refused(*status, *code))
    };
    let outside = || {
        refused(&[
            (Flaw::Method, 405, 0),
            (Flaw::Chunked, 411, 18003),
            (Flaw::Length, 400, 18004),
            (Flaw::TooLarge, 413, 18005),
            (Flaw::Unsigned, 401, 0),
            (Flaw::Stranger, 401, 0),
            (Flaw::Forged, 401, 0),
        ])
    };
    let late = || (model.ahead.abs() > 15 * 60_000).then(|| Answer::refused(401, 0));
    if let Some(refusal) = outside().or_else(late) {
        return refusal;
    }
    let account = match model.account(ask.caller, ask.owner) {
        Ok(account) => account,
        Err(refusal) => return refusal,
    };
    let inside = || {
        let body = match ask.request.operation.name {
            "create_workflow" | "update_workflow" | "search_logs" => true,
            "start_workflow" | "stop_workflow" => !ask.has(Flaw::Empty),
            _ => return None,
        };
        let shape = ask.flaws.iter().any(|flaw| matches!(flaw, Flaw::Shape(_)));
        let shape = || shape.then(|| Answer::refused(400, 18642));
        // To a search the name in the body is that of a node.
        let name =
            || refused(&[(Flaw::OtherName, 400, 18642)]).filter(|_| !ask.request.is("search_logs"));
        let text = || refused(&[(Flaw::Empty, 400, 18006), (Flaw::Broken, 400, 18007)]);
        body.then(text)
            .and_then(|refusal| refusal.or_else(shape).or_else(name))
    };
    let refusal = refused(&[(Flaw::Digest, 400, 18220)]);
    let refusal = refusal
        .or_else(|| model.illegal(&ask.request))
        .or_else(inside);
    refusal.unwrap_or_else(|| model.perform(account, &with_flaws(ask), now))
}

/// The request with what is wrong in the JSON of its body.
fn with_flaws(ask: &Ask) -> Asked {
    let mut request = ask.request.clone();
    let has_name = request.operation.resource == "workflow" && !request.is("search_logs");
    if ask.has(Flaw::OtherName) && request.body.is_object() && has_name {
        request.body["name"] = json!("gamma");
    }
    if ask.has(Flaw::LongComment) && request.is("create_workflow") {
        request.body["comment"] = json!("字".repeat(10_001));
    }
    request
}

fn secret_key(name: &str) -> String {
    format!("the secret key of {name}")
}

/// The request as a client sends it that signs for this moment.
fn request(ask: &Ask, now: Now) -> Request<Bytes> {
    let body = body(ask);
    let operation = ask.request.operation;
    let method = if ask.has(Flaw::Method) {
        "PATCH"
    } else {
        operation.method.as_str()
    };
    let names = operation.names.iter().zip(&ask.request.names);
    let path = names.fold(operation.path.to_owned(), |path, (info, name)| {
        path.replace(&format!("{{{}}}", info.key), name)
    });
    let mut request = Request::builder().method(method).uri(path);
    request = request.header(header::DATE, httpdate::fmt_http_date(now.wall));
    if ask.has(Flaw::Chunked) {
        request = request.header(header::TRANSFER_ENCODING, "chunked");
    } else {
        let surplus = usize::from(ask.has(Flaw::Length));
        request = request.header(header::CONTENT_LENGTH, body.len() + surplus);
    }
    if ask.has(Flaw::Digest) {
        request = request.header("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==");
    }
    if let Some(owner) = ask.owner {
        request = request.header("x-resource-owner", owner);
    }
    let request = request
        .body(Bytes::from(body))
        .expect("all parts are legal");
    signed(request, ask)
}

fn signed(request: Request<Bytes>, ask: &Ask) -> Request<Bytes> {
    if ask.has(Flaw::Unsigned) {
        return request;
    }
    let access_key = if ask.has(Flaw::Stranger) {
        "mallory"
    } else {
        ask.caller
    };
    let owner_of_secret = if ask.has(Flaw::Forged) {
        "mallory"
    } else {
        ask.caller
    };
    let credentials = Credentials::new(access_key, secret_key(owner_of_secret));
    let credentials = credentials.expect("keys are not empty");
    let (mut parts, body) = request.into_parts();
    let authorization = sign::authorization(&parts, &credentials).expect("the path has no escapes");
    parts.headers.insert(header::AUTHORIZATION, authorization);
    Request::from_parts(parts, body)
}

fn body(ask: &Ask) -> String {
    let body = with_flaws(ask).body;
    let shape = ask.flaws.iter().find_map(|flaw| match flaw {
        Flaw::Shape(text) => Some((*text).to_owned()),
        _ => None,
    });
    let mut text = if body.is_null() || ask.has(Flaw::Empty) {
        String::new()
    } else if ask.has(Flaw::Broken) {
        "{\"region\": \"nb\",}".to_owned()
    } else {
        let written = || {
            body.as_str()
                .map_or_else(|| body.to_string(), str::to_owned)
        };
        shape.unwrap_or_else(written)
    };
    if ask.has(Flaw::TooLarge) {
        text.push_str(&" ".repeat(MAX_BODY + 1));
    }
    text
}
