mod builder;
mod control;

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header, request};
use pipeline_proto::{ErrorCode, Now};

pub use builder::EmulatorBuilder;
pub use control::{PushedData, SeedError};

use crate::{
    account::Accounts,
    auth::{Authentication, Presented, authenticate, presume},
    body,
    call::Call,
    date::{imf_fixdate, unix_time},
    delivery::Deliveries,
    fault::Faults,
    id::Kind,
    refusal::{Refusal, json_response},
    request_log::{Outcome, RequestLog},
    route::{Route, Target},
    rules::Rules,
    state::State,
    web::Trust,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-reqid");
const RESOURCE_OWNER: HeaderName = HeaderName::from_static("x-resource-owner");

/// The service as a state machine: a request and a moment in, a response out.
///
/// It reads no clock, opens no socket and starts no thread. Two emulators that are built alike and
/// given the same requests at the same moments give the same responses, byte for byte. A clone is a
/// snapshot.
///
/// ```
/// use bytes::Bytes;
/// use http::Request;
/// use pipeline_emulator::{Authentication, Emulator};
/// use pipeline_proto::Now;
/// use std::time::{Duration, SystemTime};
///
/// let mut emulator = Emulator::builder().authentication(Authentication::Off).build();
/// let now = Now::new(SystemTime::UNIX_EPOCH, Duration::ZERO);
/// let create = Request::post("/v2/workflows/logs").body(Bytes::from(r#"{"region":"nb"}"#))?;
/// let answer = emulator.handle(create, now);
/// assert_eq!(answer.status(), 200);
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone)]
pub struct Emulator {
    pub(crate) accounts: Accounts,
    pub(crate) any_owner: bool,
    pub(crate) trust: Trust,
    pub(crate) authentication: Authentication,
    pub(crate) rules: Rules,
    pub(crate) max_body: usize,
    pub(crate) request_ids: RequestIds,
    pub(crate) state: State,
    pub(crate) faults: Faults,
    pub(crate) deliveries: Deliveries,
    pub(crate) request_log: RequestLog,
}

/// What is known of a request while it is being answered.
#[derive(Default)]
struct Context {
    operation: Option<&'static str>,
    resource: Option<(Kind, Option<String>)>,
    owner: Option<String>,
}

impl Emulator {
    /// An emulator with defaults for everything.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::default()
    }

    /// Answers a request.
    ///
    /// POST and PUT need a `Content-Length`, as on the wire, unless they have a body: the HTTP library
    /// that would add the header there, and leave it out of an empty one, is not in between here.
    pub fn handle(&mut self, request: Request<Bytes>, now: Now) -> Response<Bytes> {
        let (parts, body) = request.into_parts();
        if let Some(answer) = self.trust.preflight(&parts) {
            return self.finish(Context::default(), answer, parts, &body, now);
        }
        let target = Target::of(&parts.method, &parts.uri);
        let mut context = Context::of(&target.route);
        let resource = context.resource.as_ref();
        let resource = resource.and_then(|(kind, name)| Some((*kind, name.as_deref()?)));
        let fault = self.faults.serve(context.operation, resource);
        let mut answer = match &fault {
            Some(fault) if !fault.after_effect => Response::default(),
            _ => self
                .serve(&mut context, target, &parts, &body, now)
                .map_or_else(Refusal::into_response, |body| {
                    json_response(StatusCode::OK, body)
                }),
        };
        if let Some(fault) = &fault {
            answer = fault.spoil(answer, self.rules.clock_offset.apply(now.wall));
        }
        self.finish(context, answer, parts, &body, now)
    }

    /// Refuses a request whose body could not be read to its end.
    #[cfg(feature = "server")]
    pub(crate) fn refuse(
        &mut self,
        parts: request::Parts,
        refusal: Refusal,
        now: Now,
    ) -> Response<Bytes> {
        let route = Target::of(&parts.method, &parts.uri).route;
        let refusal = match &route {
            Route::Operation(operation, _) => operation.recoded(refusal),
            _ => refusal,
        };
        let context = Context::of(&route);
        self.finish(context, refusal.into_last_response(), parts, &[], now)
    }

    /// The body of a success, or why there is none. Whether the path exists comes first, then what can
    /// be told without the keys, then who is calling, then what they want.
    fn serve(
        &mut self,
        context: &mut Context,
        target: Target<'_>,
        parts: &request::Parts,
        body: &[u8],
        now: Now,
    ) -> Result<Bytes, Refusal> {
        let (operation, names) = match target.route {
            Route::Operation(operation, names) => (operation, names),
            Route::WrongMethod { allow } => return Err(Refusal::wrong_method(allow)),
            Route::Unknown => {
                return Err(Refusal::not_implemented("the emulator has no such path"));
            }
            Route::Malformed => {
                let message = "the path has a malformed percent escape";
                return Err(Refusal::plain(StatusCode::BAD_REQUEST, message));
            }
        };
        let max_body = operation.max_body(self.max_body);
        body::check_length(&parts.method, &parts.headers, body, max_body)
            .map_err(|refusal| operation.recoded(refusal))?;
        let caller = match self.authentication {
            Authentication::Off => presume(&self.accounts, &parts.headers),
            Authentication::Strict => {
                let presented = Presented {
                    method: parts.method.as_str(),
                    uri: &parts.uri,
                    path: &target.path,
                    headers: &parts.headers,
                };
                let server_time = unix_time(self.rules.clock_offset.apply(now.wall)).as_secs();
                authenticate(&self.accounts, presented, server_time)?
            }
        };
        let owner = self.owner(caller, &parts.headers)?.to_owned();
        context.owner = Some(owner.clone());
        body::check_digest(&parts.headers, body)?;
        let mut call = Call {
            rules: &self.rules,
            space: &mut self.state.of(&owner),
            names: &names,
            query: parts.uri.query().unwrap_or_default(),
            headers: &parts.headers,
            body,
            max_body: self.max_body,
            now,
            pushed: Vec::new(),
        };
        let outcome = (operation.perform)(&mut call);
        let (pushed, space) = (call.pushed, &*call.space);
        if let (false, [repo]) = (pushed.is_empty(), &names[..]) {
            self.deliveries.add(&owner, space, repo, &pushed);
        }
        outcome
    }

    /// Whose workflows a request is about: the caller's, or those of the account that
    /// `X-Resource-Owner` names. Any account may act for any other.
    fn owner<'a>(&self, caller: &'a str, headers: &'a HeaderMap) -> Result<&'a str, Refusal> {
        let Some(value) = headers
            .get(RESOURCE_OWNER)
            .filter(|value| !value.is_empty())
        else {
            return Ok(caller);
        };
        std::str::from_utf8(value.as_bytes())
            .ok()
            .filter(|owner| self.accounts.contains(owner))
            .or(self.any_owner.then_some(caller))
            .ok_or_else(|| {
                let named = String::from_utf8_lossy(value.as_bytes());
                Refusal::code(ErrorCode::RESOURCE_OWNER_NOT_FOUND, format!("{named:?}"))
            })
    }

    /// Adds what every response has, and records the request.
    fn finish(
        &mut self,
        context: Context,
        mut answer: Response<Bytes>,
        parts: request::Parts,
        body: &[u8],
        now: Now,
    ) -> Response<Bytes> {
        let status = answer.status();
        let headers = answer.headers_mut();
        let date = imf_fixdate(self.rules.clock_offset.apply(now.wall));
        for (name, text) in [(header::DATE, date), (REQUEST_ID, self.request_ids.next())] {
            let value = HeaderValue::try_from(text).expect("dates and request ids are ASCII");
            headers.entry(name).or_insert(value);
        }
        self.trust.share(&parts.headers, headers);
        let request_id = headers
            .get(REQUEST_ID)
            .map_or(&b""[..], |value| value.as_bytes());
        let outcome = Outcome {
            operation: context.operation,
            resource: context.resource,
            owner: context.owner,
            status,
            request_id: String::from_utf8_lossy(request_id).into_owned(),
        };
        self.request_log.record(parts, body, now, outcome);
        answer
    }
}

impl Context {
    fn of(route: &Route) -> Self {
        match route {
            Route::Operation(operation, names) => Self {
                operation: Some(operation.name),
                resource: operation.resource(names),
                owner: None,
            },
            _ => Self::default(),
        }
    }
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resources = self.state.counts();
        f.debug_struct("Emulator")
            .field("accounts", &self.accounts)
            .field("authentication", &self.authentication)
            .field("rules", &self.rules)
            .field("max_body", &self.max_body)
            .field("resources", &resources)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

/// Request ids: 16 characters each, the same sequence for the same seed.
#[derive(Debug, Clone)]
pub(crate) struct RequestIds(fastrand::Rng);

impl RequestIds {
    pub(crate) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// Ids need to look different, not to be unforeseeable.
    fn next(&mut self) -> String {
        let mut bytes = [0; 12];
        self.0.fill(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

#[cfg(test)]
mod tests;
