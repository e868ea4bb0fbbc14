//! What the clients' hands do: calls, one attempt after the other, and waits, one call after the
//! other.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request};
use pipeline_proto::{
    CallOptions, Error, RetryReason, Token, TokenDescriptor, UnixTime,
    resource::workflow::PollBy,
    wait::{Ask, Observation, Pause, Step as Advice, WaitError, Waiter},
};

use super::{Doing, Event, Hand, Learned, Then, World, note, number};
use crate::{
    check::{self, Violation},
    history::{Asked, CallLog, Outcome, WaitLog},
    machine::{Output, Step},
    network::Date,
    rng::Rng,
    scenario::{Item, Part, Pass},
    summary::Group,
    trouble::Trouble,
    verifier::Keys,
    work::{Intent, Task, workflow},
};

/// The headers that some calls have, and that are signed: not in their order, and with blanks that
/// do not count.
const SIGNED_HEADERS: [(&str, &str); 2] = [("x-qiniu-run", "one"), ("x-qiniu-by", "  two\t ")];

impl World {
    pub(super) fn who(&self, hand: usize) -> String {
        let Hand { client, number, .. } = &self.hands[hand];
        format!("c{client}.{number}")
    }

    /// The next thing to do, when its time comes.
    pub(super) fn rest(&mut self, hand: usize) {
        self.hands[hand].doing = Doing::Nothing;
        self.hands[hand].wait = None;
        if let Some(item) = self.hands[hand].items.front() {
            self.after(item.idle, Event::Wake(hand));
        }
    }

    pub(super) fn wake(&mut self, hand: usize) -> Result<(), Violation> {
        let state = &mut self.hands[hand];
        state.wakes += 1;
        match std::mem::replace(&mut state.doing, Doing::Nothing) {
            Doing::Nothing => match state.items.pop_front() {
                Some(item) => self.take_up(hand, item),
                None => Ok(()),
            },
            Doing::Backing(call, retry) => {
                let now = self.clients[state.client].clock.now(self.now);
                match retry.resume(now) {
                    Ok(sent) => self.sent(hand, call, sent),
                    Err(error) => self.ended(hand, call, Err(error)),
                }
            }
            Doing::Pausing(pause) => self.advised(hand, pause.resume()),
            Doing::Flying(..) => unreachable!("who awaits a response is not woken"),
        }
    }

    fn take_up(&mut self, hand: usize, item: Item) -> Result<(), Violation> {
        self.hands[hand].wakes = 0;
        let task = item.task.clone();
        self.hands[hand].item = Some(item);
        let (name, goal, ensure, patience) = match task {
            Task::Call(intent) => return self.begin(hand, intent, Then::Item),
            Task::Wait {
                name,
                goal,
                ensure,
                patience,
                ..
            } => (name, goal, ensure, patience),
        };
        note!(
            self,
            self.who(hand),
            "waits for {name} to be {goal}, ensure: {ensure}, {patience:?}"
        );
        self.hands[hand].wait = Some(WaitLog {
            goal,
            ensure,
            patience,
            started: self.now,
            deadline: self.now + patience.timeout,
            looks: 0,
            paused: Duration::ZERO,
            late: Duration::ZERO,
            call: None,
            seen: None,
            settled: 0,
            asked: Asked::Nothing,
        });
        let now = self.clients[self.hands[hand].client].clock.now(self.now);
        let (name, options) = (workflow(name), patience.options());
        let first = if ensure {
            Waiter::ensure(name, goal, options, now)
        } else {
            Waiter::until(name, goal, options, now)
        };
        self.advised(hand, first)
    }

    fn begin(&mut self, hand: usize, intent: Intent, then: Then) -> Result<(), Violation> {
        let call = self.calls.len();
        let state = &mut self.hands[hand];
        state.then = then;
        state.late = Duration::ZERO;
        if let Some(wait) = &mut state.wait {
            check::begins(wait, self.now)?;
            wait.call = Some(call);
        }
        let Some(item) = state.item.clone() else {
            unreachable!("a hand that begins a call has something to do");
        };
        let client = &self.clients[state.client];
        let limits = item.limits.unwrap_or(client.limits);
        let now = client.clock.now(self.now);
        let mut options = item.options(intent.owner).seed(self.seed ^ number(call));
        let expires = self.token_expiry(item.pass);
        let mut fits = false;
        if let (Some(expires), Some(keys)) = (expires, client.keys) {
            // Made for the first request, so a waiter's start or stop will not get through with it.
            let first = self.hands[hand].first_intent(&intent);
            fits = first.request.operation.name == intent.request.operation.name;
            if let Ok(sample) = first.begin(&client.context, options.clone(), now) {
                let token = mint(&sample.request, item.pass, keys, expires);
                options = options.auth(token);
            }
        }
        note!(
            self,
            self.who(hand),
            "call {call}: {} {} {:?}",
            intent.request.operation.name,
            intent.request.names.join("/"),
            item.pass
        );
        self.summary.calls += 1;
        let begun = intent.begin(&client.context, options, now);
        let pass = client.keys.map_or(Pass::Own, |_| item.pass);
        self.calls.push(CallLog {
            token_expires: expires,
            token_fits: fits,
            ..CallLog::new(intent, pass, limits, self.now)
        });
        match begun {
            Ok(sent) => self.sent(hand, call, sent),
            Err(error) => self.ended(hand, call, Err(error)),
        }
    }

    fn token_expiry(&self, pass: Pass) -> Option<u64> {
        let now = self.server.seconds(self.now);
        match pass {
            Pass::Own => None,
            Pass::Token(seconds) => Some(now.saturating_add_signed(seconds)),
            Pass::TokenForAnother | Pass::ForgedToken => Some(now + 3600),
        }
    }

    /// The call knows what follows from a response or a fault.
    pub(super) fn stepped(
        &mut self,
        hand: usize,
        call: usize,
        step: Step,
    ) -> Result<(), Violation> {
        let client = self.hands[hand].client;
        let retry = match step {
            Step::Done(result) => {
                check::resting(&self.calls[call], &self.clients[client], self.now)?;
                return self.ended(hand, call, result);
            }
            Step::Retry(retry) => retry,
        };
        let (delay, reason) = (retry.delay(), retry.reason());
        note!(
            self,
            self.who(hand),
            "call {call}: again in {delay:?}, because of {reason:?}"
        );
        let log = &self.calls[call];
        check::retried(
            log,
            delay,
            reason,
            &retry.printed(),
            &self.clients[client],
            self.now,
        )?;
        self.summary.retried(reason);
        if let RetryReason::Clock(_) = reason {
            let jumps = self.jumps(client);
            self.clients[client].learned = learned(log, jumps, self.now, self.scheduled);
        }
        let log = &mut self.calls[call];
        log.waited += delay;
        log.clock_retries += u32::from(matches!(reason, RetryReason::Clock(_)));
        log.fallbacks += u32::from(matches!(reason, RetryReason::Fallback(_)));
        self.hands[hand].doing = Doing::Backing(call, retry);
        self.sleep(hand, delay);
        Ok(())
    }

    /// Lets time pass, and perhaps more than was asked for.
    fn sleep(&mut self, hand: usize, delay: Duration) {
        let state = &mut self.hands[hand];
        let item = state.item.as_ref().map_or(0, |item| item.number);
        let mut rng = Rng::of(&[
            self.seed,
            Part::Wake as u64,
            number(state.client),
            u64::from(state.number),
            u64::from(item),
            state.wakes,
        ]);
        let mut late = Duration::ZERO;
        if rng.chance(self.weather.rate(Trouble::LateWake)) {
            late = rng.magnitude(Duration::from_secs(120));
            self.summary.met(Trouble::LateWake);
        }
        let state = &mut self.hands[hand];
        state.late += late;
        if let Some(wait) = &mut state.wait {
            wait.late += late;
        }
        if let Some(log) = self.ship_log(hand) {
            log.late += late;
        }
        self.after(delay + late, Event::Wake(hand));
    }

    pub(super) fn ended(
        &mut self,
        hand: usize,
        call: usize,
        result: Result<Output, Error>,
    ) -> Result<(), Violation> {
        match &result {
            Ok(_) => {
                let operation = self.calls[call].intent.request.operation;
                self.summary.tally(Group::Succeeded, operation.name);
                note!(self, self.who(hand), "call {call} succeeds");
            }
            Err(error) => {
                self.calls[call].claimed = Some(error.effect());
                self.summary.failed(error);
                note!(self, self.who(hand), "call {call} fails: {error}");
            }
        }
        check::ended(&self.calls[call], &result, self.now, self.hands[hand].late)?;
        let state = &mut self.hands[hand];
        let now = self.clients[state.client].clock.now(self.now);
        let then = std::mem::replace(&mut state.then, Then::Item);
        match then {
            Then::Ship(ship, push) => return self.pushed(call, (ship, push), result.map(drop)),
            Then::Ask(ship, ask) => return self.replied(call, (ship, ask), result),
            Then::Item | Then::Wait(_) => {}
        }
        let Some(wait) = &mut state.wait else {
            self.rest(hand);
            return Ok(());
        };
        let next = match then {
            Then::Wait(due) => {
                if let Ask::Look(_) = due.operation() {
                    check::looked(wait, &self.calls[call], &result);
                } else {
                    wait.asked = if result.is_ok() {
                        Asked::Accepted
                    } else {
                        Asked::Failed
                    };
                }
                due.on_result(result.map(|output| output.state), now)
            }
            _ => unreachable!("the calls of a wait are steps of it"),
        };
        self.advised(hand, next)
    }

    /// The wait knows what to do next.
    fn advised(&mut self, hand: usize, advice: Advice) -> Result<(), Violation> {
        let due = match advice {
            Advice::Send(due) => due,
            Advice::Pause(pause) => return self.pause(hand, pause),
            Advice::Done(result) => return self.wait_ended(hand, &result),
        };
        let act = match due.operation() {
            Ask::Look(_) => None,
            Ask::Start(_) => Some("start_workflow"),
            Ask::Stop(_) => Some("stop_workflow"),
        };
        let state = &mut self.hands[hand];
        let (Some(wait), Some(item)) = (&mut state.wait, &state.item) else {
            unreachable!("who is advised is waiting");
        };
        if let Some(operation) = act {
            check::acts(wait, operation, self.now)?;
            wait.settled = 0;
        }
        let intent = item.wait_call(act);
        self.begin(hand, intent, Then::Wait(Box::new(due)))
    }

    fn pause(&mut self, hand: usize, pause: Pause) -> Result<(), Violation> {
        let delay = pause.delay();
        note!(
            self,
            self.who(hand),
            "saw: {}; pauses for {delay:?}",
            pause.observation()
        );
        let state = &mut self.hands[hand];
        if let Some(wait) = &mut state.wait {
            check::paused(wait, delay, pause.observation(), self.now)?;
            wait.paused += delay;
        }
        state.doing = Doing::Pausing(Box::new(pause));
        self.sleep(hand, delay);
        Ok(())
    }

    fn wait_ended(
        &mut self,
        hand: usize,
        result: &Result<Observation, WaitError>,
    ) -> Result<(), Violation> {
        match result {
            Ok(observation) => {
                self.summary.tally(Group::Waited, "success");
                note!(self, self.who(hand), "the wait succeeds: {observation}");
            }
            Err(error) => {
                self.summary.wait_failed(error.failure());
                note!(self, self.who(hand), "the wait fails: {error}");
            }
        }
        let wait = self.hands[hand].wait.take();
        if let Some(wait) = &wait
            && let Some(call) = wait.call
        {
            check::wait_ended(wait, &self.calls[call], result, self.now)?;
        }
        self.rest(hand);
        Ok(())
    }
}

impl Hand {
    /// What the first call of the item asks for.
    fn first_intent(&self, intent: &Intent) -> Intent {
        match (&self.wait, &self.item) {
            (Some(_), Some(item)) => item.wait_call(None),
            _ => intent.clone(),
        }
    }
}

impl Item {
    /// What the calls of this item do differently from others of the client.
    fn options(&self, owner: Option<&str>) -> CallOptions {
        let mut options = CallOptions::new();
        if let Some(limits) = self.limits {
            options = options
                .retry(limits.policy())
                .attempt_timeout(limits.attempt_timeout)
                .total_timeout(limits.total_timeout);
        }
        for (name, value) in SIGNED_HEADERS.into_iter().filter(|_| self.signed_headers) {
            let name = HeaderName::from_static(name);
            let with = options.header(name, HeaderValue::from_static(value));
            options = with.expect("no call has this header already");
        }
        if let Some(owner) = owner {
            let owner = owner.parse();
            options = options.resource_owner(owner.expect("our accounts are visible ASCII"));
        }
        options
    }

    /// A call of the wait that this item is: a start or stop, or else a look.
    fn wait_call(&self, act: Option<&str>) -> Intent {
        let Task::Wait {
            name,
            owner,
            patience,
            ..
        } = &self.task
        else {
            unreachable!("only a wait has further calls");
        };
        let operation = act.unwrap_or(match patience.look {
            PollBy::Status => "get_workflow_status",
            PollBy::Get => "get_workflow",
        });
        Intent::of_wait(
            operation,
            name,
            *owner,
            act.is_none().then_some(patience.look),
        )
    }
}

/// What a client knows of the service's time after a 401, unless it was told something wrong.
fn learned(call: &CallLog, jumps: (u32, u32), now: Duration, order: u64) -> Option<Learned> {
    let attempt = call.attempts.last()?;
    let Some(Outcome::Answer(answer)) = &attempt.outcome else {
        return None;
    };
    (answer.date == Date::True && attempt.jumps == jumps).then(|| Learned {
        at: now,
        order,
        jumps,
        error: attempt.round_trip() / 2,
    })
}

fn mint(request: &Request<Bytes>, pass: Pass, keys: Keys, expires: u64) -> Token {
    let expires = UnixTime::from_secs(i64::try_from(expires).unwrap_or(i64::MAX));
    let (parts, _) = request.clone().into_parts();
    let mut descriptor = TokenDescriptor::for_request(&parts, expires)
        .unwrap_or_else(|_| TokenDescriptor::new(&Method::GET, "/", expires));
    if pass == Pass::TokenForAnother {
        descriptor.resource.push_str("_2");
    }
    let secret = match pass {
        Pass::ForgedToken => "canary-of-a-forger",
        _ => keys.secret,
    };
    descriptor.mint(&Keys { secret, ..keys }.credentials())
}
