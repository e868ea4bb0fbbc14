//! The emulator and its model, side by side.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Request, Response, header};
use pipeline_emulator::{Account, ClockSkew, Emulator, Snapshot};
use pipeline_proto::{Credentials, ErrorCode, Now, model::Timestamp, sign};
use serde_json::{Value, json};

use crate::{
    reference::{Answer, Kept, MANUAL_RUN, Model, millis},
    steps::{ACCOUNTS, Ask, Flaw, How, REGIONS, Step, What},
};

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
        let model = Model::new(How::Immediate, How::After(Duration::from_millis(100)));
        Self {
            emulator: emulator(&model),
            model,
            now,
            snapshot: None,
        }
    }

    #[cfg(feature = "server")]
    pub(crate) fn now(&self) -> Now {
        self.now
    }

    /// An emulator without workflows and with the present settings.
    #[cfg(feature = "server")]
    pub(crate) fn new_emulator(&self) -> Emulator {
        emulator(&self.model)
    }

    /// What becomes of the model when the emulator's process ends and another one takes over from a
    /// state file.
    #[cfg(feature = "server")]
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
                model.offset = *seconds;
                emulator.set_clock_offset(offset(*seconds));
            }
            Step::Starts(how) => {
                model.start = *how;
                emulator.set_start_transition((*how).into());
            }
            Step::Stops(how) => {
                model.stop = *how;
                emulator.set_stop_transition((*how).into());
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
        let mut look = |account, name, what| {
            let look = Ask::new(account, name, what);
            ask(&mut emulator, &mut model, &look, self.now).map(drop)
        };
        for account in ACCOUNTS {
            look(account, "", What::List)?;
        }
        for (account, name) in self.model.keys() {
            look(account, name, What::Get)?;
            look(account, name, What::Search { size: Some(1_000) })?;
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
        .start_transition(model.start.into())
        .stop_transition(model.stop.into())
        .manual_run(MANUAL_RUN)
        .clock_offset(offset(model.offset))
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

/// Asks both, and compares their answers.
fn ask(emulator: &mut Emulator, model: &mut Model, ask: &Ask, now: Now) -> Result<Answer, String> {
    let expected = model.answer(ask, now);
    let response = emulator.handle(request(ask, now), now);
    let date = response.headers().get(header::DATE);
    let date = date.and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
    let second = date.map(|date| millis(date, 0) / 1_000);
    let answer = read(&response);
    if answer == expected && second == Some(millis(now.wall, model.offset) / 1_000) {
        return Ok(answer);
    }
    Err(format!(
        "{ask:?}\n  must be answered {expected:?}\n  and is answered  {answer:?}\n  at {second:?}"
    ))
}

fn secret_key(name: &str) -> String {
    format!("the secret key of {name}")
}

/// The request as a client sends it that signs for this moment.
fn request(ask: &Ask, now: Now) -> Request<Bytes> {
    let body = body(ask);
    let (method, action) = match ask.what {
        What::Create { .. } => ("POST", ""),
        What::Update { .. } => ("PUT", ""),
        What::List | What::Get => ("GET", ""),
        What::Status => ("GET", "/status"),
        What::Start => ("POST", "/start"),
        What::Stop => ("POST", "/stop"),
        What::Delete => ("DELETE", ""),
        What::Search { .. } => ("POST", "/search"),
    };
    let method = if ask.has(Flaw::Method) {
        "PATCH"
    } else {
        method
    };
    let path = match ask.what {
        What::List => "/v2/workflows".to_owned(),
        _ => format!("/v2/workflows/{}{action}", ask.name),
    };
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
    let mut body = match ask.what {
        What::Create { region, comment } => {
            let comment = if ask.has(Flaw::LongComment) {
                "字".repeat(10_001)
            } else {
                comment.to_string()
            };
            json!({"region": region, "comment": comment})
        }
        What::Update { region, graph } => {
            let nodes = graph.map(|(graph, version)| graph.nodes(version));
            json!({"region": region, "nodes": nodes})
        }
        What::Search { size } => json!({ "size": size }),
        What::Start | What::Stop => json!({ "name": ask.name }),
        What::List | What::Get | What::Status | What::Delete => Value::Null,
    };
    if ask.has(Flaw::OtherName) && body.is_object() && !matches!(ask.what, What::Search { .. }) {
        body["name"] = json!("gamma");
    }
    let shape = ask.flaws.iter().find_map(|flaw| match flaw {
        Flaw::Shape(text) => Some((*text).to_owned()),
        _ => None,
    });
    let mut text = if body.is_null() || ask.has(Flaw::Empty) {
        String::new()
    } else if ask.has(Flaw::Broken) {
        "{\"region\": \"nb\",}".to_owned()
    } else {
        shape.unwrap_or_else(|| body.to_string())
    };
    if ask.has(Flaw::TooLarge) {
        text.push_str(&" ".repeat(MAX_BODY + 1));
    }
    text
}

/// A response without what the model does not know: words, and how times are written.
fn read(response: &Response<Bytes>) -> Answer {
    let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
    let status = response.status().as_u16();
    let code = body["error"].as_str().and_then(ErrorCode::from_message);
    Answer {
        status,
        code: code.map(ErrorCode::number),
        body: if status == 200 {
            without_words(body)
        } else {
            Value::Null
        },
    }
}

fn without_words(value: Value) -> Value {
    match value {
        Value::Array(list) => list.into_iter().map(without_words).collect(),
        Value::Object(members) => {
            let members = members.into_iter().filter(|(name, value)| {
                // The log is a list, and has the words of each line under the same name.
                !(value.is_string() && matches!(name.as_str(), "reason" | "log"))
            });
            let members = members.map(|(name, value)| {
                let time = match name.as_str() {
                    "createTime" | "updateTime" | "timestamp" => value.as_str().and_then(moment),
                    _ => None,
                };
                (name, time.map_or_else(|| without_words(value), Value::from))
            });
            Value::Object(members.collect())
        }
        plain => plain,
    }
}

/// `1994-11-06T08:49:37Z`, or with milliseconds.
fn moment(text: &str) -> Option<i64> {
    let second = Timestamp::from(text.to_owned()).to_system_time()?;
    let fraction = match text.split_once('.') {
        Some((_, fraction)) => fraction.strip_suffix('Z')?.parse().ok()?,
        None => 0,
    };
    Some(millis(second, 0) + fraction)
}
