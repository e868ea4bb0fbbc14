//! The service: the emulator, with a reference beside it that says what it must answer.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Request, Response};
use pipeline_emulator::{Account, ClockSkew, Emulator, Transition};
use pipeline_proto::{CallOptions, Context, Now};

use super::{
    check::{Rule, Violation, demand},
    clock::{Clock, correct, unix_seconds},
    network::{Answer, Date, Origin},
    scenario::{KEYRING, Service},
    verifier::{Verdict, judge},
    work::Intent,
};
use crate::model::{Answer as Expected, Model, REGIONS, Request as Asked, shows};

/// How long a workflow of manual jobs runs before it ends by itself.
const MANUAL_RUN: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Server {
    emulator: Emulator,
    model: Model,
    pub(super) clock: Clock,
    /// How often queues were changed.
    changes: u32,
}

/// What the service made of a request.
#[derive(Debug, Clone)]
pub(super) struct Handled {
    pub(super) at: Duration,
    /// What the service's clock showed.
    pub(super) service_time: SystemTime,
    pub(super) verdict: Verdict,
    pub(super) expected: Expected,
    /// How often queues had been changed before.
    pub(super) changes: u32,
}

impl Server {
    pub(super) fn new(seed: u64, service: &Service) -> Self {
        let (_, start, stop) = service.transitions[0];
        let builder = Emulator::builder()
            .start_transition(start)
            .stop_transition(stop)
            .manual_run(MANUAL_RUN)
            .regions(REGIONS)
            .request_log(0)
            .seed(seed);
        let accounts = KEYRING.iter();
        let builder = accounts.fold(builder, |builder, keys| {
            builder.account(Account::new(keys.account).key(keys.access, keys.secret))
        });
        let accounts = KEYRING.map(|keys| keys.account);
        Self {
            emulator: builder.build(),
            model: Model::new(&accounts, start, stop, MANUAL_RUN),
            clock: service.clock.clone(),
            changes: 0,
        }
    }

    pub(super) fn set_transitions(&mut self, start: Transition, stop: Transition) {
        self.emulator.set_start_transition(start);
        self.emulator.set_stop_transition(stop);
        (self.model.start, self.model.stop) = (start, stop);
    }

    /// Whole seconds that the service's clock shows.
    pub(super) fn seconds(&self, elapsed: Duration) -> u64 {
        unix_seconds(self.clock.wall(elapsed))
    }

    /// Everything that there is, read by those whose it is: nothing that was acknowledged is lost, and nothing is
    /// there more often than it was taken.
    pub(super) fn look_around(&mut self, elapsed: Duration) -> Result<(), Violation> {
        for (account, request) in self.model.looks() {
            // What nodes have seen shows in no call of a client.
            if request.is("search_logs") {
                continue;
            }
            self.ask(account, request, elapsed)?;
        }
        Ok(())
    }

    /// What somebody does with whose clock and network nothing is wrong.
    pub(super) fn ask(
        &mut self,
        account: &str,
        request: Asked,
        elapsed: Duration,
    ) -> Result<(), Violation> {
        let keys = KEYRING.iter().find(|keys| keys.account == account);
        let keys = keys.expect("each account has its keys");
        let context = Context::builder().auth(keys.credentials()).build();
        let intent = Intent {
            request,
            owner: None,
            look: None,
        };
        let now = self.clock.now(elapsed);
        let sent = intent.begin(&context, CallOptions::new(), now);
        let sent = sent.expect("the names in the model are legal");
        self.handle(sent.request, &intent, elapsed).map(drop)
    }

    /// Has the emulator answer, and compares that with what the verifier and the model say.
    pub(super) fn handle(
        &mut self,
        request: Request<Bytes>,
        intent: &Intent,
        elapsed: Duration,
    ) -> Result<(Response<Bytes>, Answer, Handled), Violation> {
        let wrong = self.clock.error(elapsed);
        let by = Duration::from_millis(wrong.unsigned_abs());
        self.emulator.set_clock_offset(match wrong {
            0.. => ClockSkew::Ahead(by),
            _ => ClockSkew::Behind(by),
        });
        let verdict = judge(&KEYRING, &request, self.seconds(elapsed));
        let now = Now::new(correct(elapsed), elapsed);
        let path = request.uri().path().to_owned();
        let response = self.emulator.handle(request, now);
        let status = response.status().as_u16();
        demand!(
            verdict.is_valid() == (status != 401),
            Rule::Authentication,
            "the service answered {status}, but by the rules the request is {verdict:?}",
        );
        let expected = match verdict {
            Verdict::Valid(account) => {
                self.model.ahead = wrong;
                match self.model.account(account, intent.owner) {
                    Ok(account) => self.model.perform(account, &asked(intent, &path), now),
                    Err(refusal) => refusal,
                }
            }
            _ => Expected::refused(401, 0),
        };
        let code = code_of(response.body());
        demand!(
            (status, code) == (expected.status, expected.code),
            Rule::Model,
            "the service answered {status} {code:?}, the model says {} {:?}",
            expected.status,
            expected.code,
        );
        let shown = serde_json::from_slice(response.body()).unwrap_or_default();
        demand!(
            status != 200 || shows(&shown, &expected.body),
            Rule::Model,
            "the service shows {shown}, the model {}",
            expected.body,
        );
        let about = intent.request.operation.resource;
        let changes = self.changes;
        self.changes += u32::from(expected.effect && matches!(about, "repo" | "transform"));
        let request_id = response.headers().get("x-reqid");
        let answer = Answer {
            status,
            code,
            request_id: request_id
                .and_then(|id| id.to_str().ok())
                .map(str::to_owned),
            retry_after: None,
            origin: Origin::Service,
            date: Date::True,
            cut: false,
            status_unknown: false,
        };
        let handled = Handled {
            at: elapsed,
            service_time: self.clock.wall(elapsed),
            verdict,
            expected,
            changes,
        };
        Ok((response, answer, handled))
    }
}

/// What the request asks for: where a service does not know the status, the client goes on with *get*.
fn asked(intent: &Intent, path: &str) -> Asked {
    match &intent.request {
        request if request.is("get_workflow_status") && !path.ends_with("/status") => {
            Asked::new("get_workflow", &request.names, request.body.clone())
        }
        request => request.clone(),
    }
}

/// The code of an error object as the emulator writes it.
fn code_of(body: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(body).ok()?;
    let (code, _) = text.strip_prefix(r#"{"error":"E"#)?.split_once(':')?;
    code.parse().ok()
}
