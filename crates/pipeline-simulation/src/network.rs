//! What becomes of one attempt on its way to the service and back.

use std::{
    collections::BTreeSet,
    fmt,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use pipeline_proto::{FaultKind, Phase};

use super::{rng::Rng, scenario::Weather, trouble::Trouble};

/// Content types that no response of the service has.
const WRONG_TYPES: &[&str] = &["text/html; charset=utf-8", "application/octet-stream", "\""];

/// How old a `Date` may be that something on the way kept.
const LONGEST_AGO: Duration = Duration::from_secs(7200);

/// The fate of an attempt, drawn before it is sent.
#[derive(Debug, Clone)]
pub(super) struct Fate {
    rng: Rng,
    /// The troubles that will be met, if the attempt gets as far as that.
    met: BTreeSet<Trouble>,
    to: Duration,
    back: Duration,
}

/// The way of a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    /// It arrives after this time, and perhaps a second time after that one.
    Arrives(Duration, Option<Duration>),
    /// Nobody hears of it.
    Lost,
    /// The client learns after this time that it did not get through.
    Fails(Duration, FaultKind, Option<Phase>),
}

/// The way of a response.
#[derive(Debug, Clone, Copy)]
pub(super) enum WayBack {
    Arrives(Duration),
    Lost,
    Fails(Duration, FaultKind),
}

/// What a response says in truth, beside what arrives.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) code: Option<u32>,
    pub(super) request_id: Option<String>,
    pub(super) retry_after: Option<RetryAfter>,
    pub(super) origin: Origin,
    pub(super) date: Date,
    /// Whether a part of the body is missing.
    pub(super) cut: bool,
    /// Whether every status was replaced by `Unknown`.
    pub(super) status_unknown: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The service said it.
    Service,
    /// Something on the way said it.
    Gateway,
}

/// What is to be thought of the `Date` of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Date {
    True,
    Missing,
    /// Of long ago, which `Age` tells.
    Aged,
    /// Of long ago, which nothing tells.
    Wrong,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum RetryAfter {
    Seconds(u64),
    /// As a date, so many seconds after the service's time.
    Date(u64),
    Nonsense,
}

/// The response of something on the way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gateway {
    status: u16,
    code: Option<u32>,
    retry_after: Option<RetryAfter>,
    pub(super) trouble: Trouble,
}

impl Gateway {
    /// What refuses a request for its size.
    pub(super) const TOO_LARGE: Self = Self {
        status: 413,
        code: None,
        retry_after: None,
        trouble: Trouble::BodyLimit,
    };
}

impl Fate {
    pub(super) fn draw(mut rng: Rng, weather: &Weather) -> Self {
        let met = Trouble::ALL
            .iter()
            .copied()
            .filter(|trouble| rng.chance(weather.rate(*trouble)))
            .collect();
        let (least, most) = weather.latency;
        Self {
            met,
            to: rng.between(least, most),
            back: rng.between(least, most),
            rng,
        }
    }

    fn meets(&self, trouble: Trouble) -> bool {
        self.met.contains(&trouble)
    }

    /// The way of the request, and the troubles that it meets.
    pub(super) fn way(&mut self, timeout: Duration) -> (Way, Vec<Trouble>) {
        use Trouble::{
            ConnectTimeout, Duplicated, Refused, RequestBroken, RequestDelayed, RequestLost,
        };
        if self.meets(Refused) {
            return (Way::Fails(self.to, FaultKind::NotSent, None), vec![Refused]);
        }
        if self.meets(ConnectTimeout) {
            let after = self.rng.between(timeout / 4, timeout);
            let way = Way::Fails(after, FaultKind::NotSent, Some(Phase::Connect));
            return (way, vec![ConnectTimeout]);
        }
        if self.meets(RequestBroken) {
            let way = Way::Fails(self.to, FaultKind::Interrupted, None);
            return (way, vec![RequestBroken]);
        }
        if self.meets(RequestLost) {
            return (Way::Lost, vec![RequestLost]);
        }
        let mut troubles = Vec::new();
        if self.meets(RequestDelayed) {
            troubles.push(RequestDelayed);
            self.to += self.rng.between(Duration::ZERO, timeout * 2);
        }
        let mut again = None;
        if self.meets(Duplicated) {
            troubles.push(Duplicated);
            again = Some(self.rng.between(Duration::ZERO, timeout * 2));
        }
        (Way::Arrives(self.to, again), troubles)
    }

    /// What answers before the service has seen the request, if anything does.
    pub(super) fn before(&mut self) -> Option<Gateway> {
        use Trouble::{ErrorInSuccess, FailedBefore, InProgress, NoSuchPage, PutOff, TurnedAway};
        let trouble = [
            PutOff,
            TurnedAway,
            FailedBefore,
            NoSuchPage,
            InProgress,
            ErrorInSuccess,
        ]
        .into_iter()
        .find(|trouble| self.meets(*trouble))?;
        let rng = &mut self.rng;
        let (status, code, retry_after) = match trouble {
            PutOff => {
                let seconds = rng.below(90);
                let retry_after = match rng.below(8) {
                    0..4 => RetryAfter::Seconds(seconds),
                    4..7 => RetryAfter::Date(seconds),
                    _ => RetryAfter::Nonsense,
                };
                (*rng.pick(&[429, 503]), None, Some(retry_after))
            }
            TurnedAway => (*rng.pick(&[429, 503]), None, None),
            FailedBefore => {
                let seconds = RetryAfter::Seconds(rng.below(20));
                let code = rng.chance(300).then_some(9000);
                (
                    *rng.pick(&[500, 502, 504]),
                    code,
                    rng.chance(200).then_some(seconds),
                )
            }
            NoSuchPage => (404, None, None),
            InProgress => (202, Some(18124), None),
            _ => (200, Some(*rng.pick(&[18124, 9000, 18665])), None),
        };
        Some(Gateway {
            status,
            code,
            retry_after,
            trouble,
        })
    }

    /// What answers in the service's place, after it has done its work.
    pub(super) fn after(&mut self) -> Option<Gateway> {
        self.meets(Trouble::FailedAfter).then(|| Gateway {
            status: *self.rng.pick(&[500, 502, 504]),
            code: None,
            retry_after: None,
            trouble: Trouble::FailedAfter,
        })
    }

    /// The gateway's response. `service_time` is what a right `Date` would say.
    pub(super) fn answer(
        &mut self,
        gateway: Gateway,
        service_time: SystemTime,
    ) -> (Response<Bytes>, Answer) {
        let body = match (gateway.code, self.rng.below(4)) {
            (Some(code), _) => format!(r#"{{"error":"E{code}: something is the matter"}}"#),
            (None, 0) => String::new(),
            (None, 1) => r#"{"error":"something is the matter"}"#.into(),
            (None, 2) => "something is the matter".into(),
            (None, _) => "<html><body><h1>Something is the matter</h1></body></html>".into(),
        };
        let request_id = self
            .rng
            .chance(500)
            .then(|| format!("gateway-{}", self.rng.below(1000)));
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = status(gateway.status);
        let headers = response.headers_mut();
        headers.insert(header::DATE, text(&httpdate::fmt_http_date(service_time)));
        if let Some(id) = &request_id {
            headers.insert("x-reqid", text(id));
        }
        if let Some(retry_after) = gateway.retry_after {
            let value = match retry_after {
                RetryAfter::Seconds(seconds) => seconds.to_string(),
                RetryAfter::Date(seconds) => {
                    httpdate::fmt_http_date(service_time + Duration::from_secs(seconds))
                }
                RetryAfter::Nonsense => "after lunch".into(),
            };
            headers.insert(header::RETRY_AFTER, text(&value));
        }
        let answer = Answer {
            status: gateway.status,
            code: gateway.code,
            request_id,
            retry_after: gateway.retry_after,
            origin: Origin::Gateway,
            date: Date::True,
            cut: false,
            status_unknown: false,
        };
        (response, answer)
    }

    /// Does to a response what happens to it on the way, and says what that was.
    pub(super) fn spoil(
        &mut self,
        response: &mut Response<Bytes>,
        answer: &mut Answer,
    ) -> Vec<Trouble> {
        use Trouble::{ContentType, DateAged, DateMissing, DateWrong, StatusUnknown, Truncated};
        let mut troubles = Vec::new();
        let shows = answer.origin == Origin::Service && answer.status == 200;
        if self.meets(StatusUnknown) && shows && hide_status(response) {
            troubles.push(StatusUnknown);
            answer.status_unknown = true;
        }
        let length = u64::try_from(response.body().len()).unwrap_or(0);
        // An error that looks like a success can be told by its body only, so that is left whole.
        let disguised = answer.origin == Origin::Gateway && answer.status == 200;
        if self.meets(Truncated) && length > 0 && !disguised {
            troubles.push(Truncated);
            answer.cut = true;
            let kept = usize::try_from(self.rng.below(length)).unwrap_or(0);
            response.body_mut().truncate(kept);
        }
        let headers = response.headers_mut();
        if self.meets(ContentType) {
            troubles.push(ContentType);
            let wrong = self.rng.pick(WRONG_TYPES);
            headers.insert(header::CONTENT_TYPE, text(wrong));
        }
        if self.meets(DateMissing) {
            troubles.push(DateMissing);
            answer.date = Date::Missing;
            headers.remove(header::DATE);
        } else if self.meets(DateAged) || self.meets(DateWrong) {
            let date = headers
                .get(header::DATE)
                .and_then(|date| date.to_str().ok());
            let date = date.and_then(|date| httpdate::parse_http_date(date).ok());
            let date = date.unwrap_or(SystemTime::UNIX_EPOCH + LONGEST_AGO);
            let ago = self.rng.between(Duration::ZERO, LONGEST_AGO);
            headers.insert(header::DATE, text(&httpdate::fmt_http_date(date - ago)));
            if self.meets(DateAged) {
                troubles.push(DateAged);
                answer.date = Date::Aged;
                headers.insert(header::AGE, HeaderValue::from(ago.as_secs()));
            } else {
                troubles.push(DateWrong);
                answer.date = Date::Wrong;
            }
        }
        troubles
    }

    /// The way of the response, and the trouble that it meets.
    pub(super) fn way_back(&mut self, timeout: Duration) -> (WayBack, Option<Trouble>) {
        use Trouble::{ResponseBroken, ResponseDelayed, ResponseLost, TooLarge};
        if self.meets(ResponseLost) {
            (WayBack::Lost, Some(ResponseLost))
        } else if self.meets(ResponseBroken) {
            let way = WayBack::Fails(self.back, FaultKind::Interrupted);
            (way, Some(ResponseBroken))
        } else if self.meets(TooLarge) {
            (
                WayBack::Fails(self.back, FaultKind::BodyTooLarge),
                Some(TooLarge),
            )
        } else if self.meets(ResponseDelayed) {
            let more = self.rng.between(Duration::ZERO, timeout * 2);
            (WayBack::Arrives(self.back + more), Some(ResponseDelayed))
        } else {
            (WayBack::Arrives(self.back), None)
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        self.code.map_or(Ok(()), |code| write!(f, " E{code}"))
    }
}

/// Replaces every status in the body by `Unknown`; whether there was one.
fn hide_status(response: &mut Response<Bytes>) -> bool {
    let Ok(body) = std::str::from_utf8(response.body()) else {
        return false;
    };
    let mut hidden = body.to_owned();
    for status in ["Ready", "Starting", "Started", "Stopping", "Stopped"] {
        let member = format!(r#""status":"{status}""#);
        hidden = hidden.replace(&member, r#""status":"Unknown""#);
    }
    let changed = hidden != body;
    *response.body_mut() = hidden.into();
    changed
}

fn status(number: u16) -> StatusCode {
    StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn text(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).expect("what the simulation puts into headers is visible ASCII")
}
