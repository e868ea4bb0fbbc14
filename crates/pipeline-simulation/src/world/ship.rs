//! Programs that ship records. Each request of a shipper is made by a hand of its own.

use std::{collections::VecDeque, fmt, ops::Range, rc::Rc, time::Duration};

use pipeline_proto::{Error, Operation as _, RepoName};
use pipeline_shipper::{Ask, Push, Reply, Shipper, Step, WhyNot};
use serde_json::Value;

use super::{Doing, Event, Hand, Then, World, buffer::Buffered, note, number};
use crate::{
    check::{Rule, ShipLog, Violation, demand},
    disk::Fate,
    history::CallLog,
    machine::{Output, Sent, start, start_shown},
    model::{self, REGIONS, Request},
    rng::Rng,
    scenario::{HANDS, Part, Pass},
    ship::{Crash, End, Plan, Step as Task},
    summary::Group,
    trouble::Trouble,
    verifier::Keys,
    work::Intent,
};

/// No moment needs so many.
const MOST_STEPS: u32 = 10_000;

/// A program as the run goes on.
pub(super) struct Ship {
    client: usize,
    hands: Range<usize>,
    plan: Plan,
    steps: VecDeque<(Duration, Task)>,
    /// None once the program was killed.
    shipper: Option<Shipper<usize>>,
    /// What waits for room.
    backlog: VecDeque<String>,
    /// What they go through, if they go through a buffer.
    buffered: Option<Buffered>,
    /// The number of the alarm that counts.
    alarm: u64,
    /// When it was asked for.
    due: Duration,
    log: ShipLog,
}

impl World {
    /// A client ships records as well.
    pub(super) fn launch(&mut self, client: usize, plan: Plan, found: Option<Buffered>) {
        let first = self.hands.len();
        // One is for calls about the queue.
        let lanes = plan.terms.at_once() + usize::from(plan.terms.schema_free);
        let lanes = u8::try_from(lanes).unwrap_or(u8::MAX);
        self.hands
            .extend((0..lanes).map(|lane| Hand::new(client, HANDS + lane, VecDeque::new())));
        let queue: RepoName = plan.queue.parse().expect("the names of queues are legal");
        let terms = plan.terms.buffer;
        let buffered = found.or_else(|| terms.map(|terms| Buffered::new(terms, &queue)));
        let mut settings = plan.terms.settings(self.seed ^ number(first));
        if let Some(buffered) = &buffered {
            settings = settings.before(buffered.writes());
        }
        let shipper = Shipper::new(queue, settings);
        note!(
            self,
            format_args!("c{client}"),
            "ships into {}, {:?}",
            plan.queue,
            plan.terms
        );
        self.ships.push(Ship {
            client,
            hands: first..self.hands.len(),
            steps: plan.steps.clone().into(),
            log: ShipLog::new(plan.terms),
            plan,
            shipper: Some(shipper),
            backlog: VecDeque::new(),
            buffered,
            alarm: 0,
            due: Duration::MAX,
        });
        self.sail(self.ships.len() - 1);
    }

    /// Waits for the next thing to do, or the end.
    fn sail(&mut self, ship: usize) {
        let it = &self.ships[ship];
        let idle = it.steps.front().map_or(it.plan.idle, |(idle, _)| *idle);
        self.after(idle, Event::Ship(ship));
    }

    fn captain(&self, ship: usize) -> impl fmt::Display + use<> {
        format!("c{}.{HANDS}", self.ships[ship].client)
    }

    pub(super) fn ship(&mut self, ship: usize) -> Result<(), Violation> {
        let who = self.captain(ship);
        let (at, it) = (self.now, &mut self.ships[ship]);
        let now = self.clients[it.client].clock.now(at);
        let Some(shipper) = &mut it.shipper else {
            return Ok(());
        };
        match (it.steps.pop_front(), it.plan.end) {
            (Some((_, Task::Push(lines))), _) => {
                note!(self, who, "has {} records to ship", lines.len());
                it.backlog.extend(lines);
                let queue = it.plan.queue;
                let keys = self.clients[it.client].keys.filter(Keys::is_known);
                if let (Some(number), Some(keys)) = (it.plan.makes.take(), keys) {
                    let body = model::body("create_repo", &[queue], number, REGIONS[0]);
                    let create = Request::new("create_repo", &[queue], body);
                    self.server.ask(keys.account, create, at)?;
                }
                self.sail(ship);
            }
            (Some((_, Task::Flush)), _) => {
                it.log.flushes(shipper.flush());
                note!(self, who, "flushes");
                self.sail(ship);
            }
            (None, End::Close(time)) => {
                it.backlog.clear();
                shipper.close(time, now);
                it.log.closes(time, at);
                note!(self, who, "closes its shipper, within {time:?}");
            }
            (Some((_, Task::Crash(lines, crash))), _) => {
                let Some(buffered) = self.kill(ship, lines, crash)? else {
                    unreachable!("only a program with a buffer begins anew");
                };
                let Ship {
                    client,
                    plan,
                    steps,
                    ..
                } = &mut self.ships[ship];
                plan.steps = std::mem::take(steps).into();
                let (client, plan, next) = (*client, plan.clone(), self.ships.len());
                self.launch(client, plan, Some(buffered));
                return self.drive(next);
            }
            (None, End::Kill) => {
                let crash = Crash(Fate::AllKept, 0);
                self.ships[ship].buffered = self.kill(ship, Vec::new(), crash)?;
            }
        }
        self.drive(ship)
    }

    /// A program comes to its end without knowing. What was in its buffer is there.
    fn kill(
        &mut self,
        ship: usize,
        lines: Vec<String>,
        crash: Crash,
    ) -> Result<Option<Buffered>, Violation> {
        let (who, it) = (self.captain(ship), &mut self.ships[ship]);
        it.shipper = None;
        let unknown = it.log.unknown();
        for hand in it.hands.clone() {
            self.hands[hand].doing = Doing::Nothing;
        }
        let buffered = it.buffered.take();
        let buffered = buffered.map(|buffered| buffered.fail(lines, crash, it.plan.terms));
        note!(
            self,
            who,
            "is killed, {crash:?}, {unknown} records have no verdict"
        );
        self.summary
            .tally_many(Group::Shipped, "unknown after a kill", number(unknown));
        buffered.transpose()
    }

    pub(super) fn alarmed(&mut self, ship: usize, alarm: u64) -> Result<(), Violation> {
        if self.ships[ship].alarm != alarm {
            return Ok(());
        }
        self.drive(ship)
    }

    /// Lets the shipper do what is due.
    fn drive(&mut self, ship: usize) -> Result<(), Violation> {
        let it = &mut self.ships[ship];
        it.log.late += self.now.saturating_sub(it.due);
        it.due = Duration::MAX;
        let mut steps = 0;
        loop {
            steps += 1;
            demand!(
                steps <= MOST_STEPS,
                Rule::Progress,
                "the shipper has something to do without end",
            );
            let (at, who) = (self.now, self.captain(ship));
            let it = &mut self.ships[ship];
            let now = self.clients[it.client].clock.now(at);
            let Some(shipper) = &mut it.shipper else {
                return Ok(());
            };
            it.log.balances(&shipper.books(now))?;
            match shipper.poll(now) {
                Step::Push(push) => self.push(ship, push)?,
                Step::Ask(ask) => self.ask(ship, ask)?,
                Step::Settled(mut verdicts) => {
                    for verdict in verdicts.by_ref() {
                        let name = it.log.tell(&verdict, &self.calls, at)?;
                        if let Some(buffered) = &mut it.buffered {
                            buffered.settle(&verdict);
                        }
                        self.summary.tally(Group::Shipped, name);
                        note!(self, who, "record {} is {name}", verdict.id);
                    }
                    shipper.on_told(verdicts);
                }
                step => {
                    let books = shipper.books(now);
                    it.log.rests(&books, |flush| shipper.is_flushed(flush))?;
                    let Step::Wait(delay) = step else {
                        return Ok(());
                    };
                    if !self.load(ship)? {
                        self.rests(ship)?;
                        self.set_alarm(ship, delay);
                        return Ok(());
                    }
                }
            }
        }
    }

    /// What holds when there is nothing more to do.
    fn rests(&mut self, ship: usize) -> Result<(), Violation> {
        let it = &mut self.ships[ship];
        let now = self.clients[it.client].clock.now(self.now);
        match (&it.buffered, &mut it.shipper) {
            // A shipper that was closed leaves the rest to the next one.
            (Some(buffered), Some(shipper)) if !it.log.is_closed() => {
                buffered.rests(shipper.books(now).pending.records)
            }
            _ => Ok(()),
        }
    }

    /// Pushes what there is room for. Whether anything may have come up for the shipper.
    fn load(&mut self, ship: usize) -> Result<bool, Violation> {
        let (at, it) = (self.now, &mut self.ships[ship]);
        let now = self.clients[it.client].clock.now(at);
        let Some(shipper) = &mut it.shipper else {
            return Ok(false);
        };
        let (log, backlog) = (&mut it.log, &mut it.backlog);
        let mut checked = Ok(());
        let mut push = |line: &str| {
            let pushed = shipper.try_push(log.next_id(), line.as_bytes(), now);
            let books = shipper.books(now);
            let holds = match &pushed {
                Ok(()) => {
                    log.took(line.to_owned(), at);
                    Ok(())
                }
                // After it was closed, a buffer still has records.
                Err(refused) if refused.why == WhyNot::Closed => Ok(()),
                Err(_) => log.is_full(line, &books),
            };
            let holds = holds.and_then(|()| log.balances(&books));
            checked = std::mem::replace(&mut checked, Ok(())).and(holds);
            pushed
        };
        match &mut it.buffered {
            Some(buffered) => {
                buffered.take(backlog)?;
                buffered.feed(push);
            }
            None => {
                while backlog.front().is_some_and(|line| push(line).is_ok()) {
                    backlog.pop_front();
                }
            }
        }
        checked?;
        Ok(shipper.take_news())
    }

    fn set_alarm(&mut self, ship: usize, delay: Option<Duration>) {
        let it = &mut self.ships[ship];
        it.alarm += 1;
        let Some(delay) = delay else { return };
        it.due = self.now + delay;
        let (client, alarm) = (it.client, it.alarm);
        let coordinates = [
            self.seed,
            Part::Wake as u64,
            number(client),
            u64::from(HANDS),
            alarm,
        ];
        let mut rng = Rng::of(&coordinates);
        let mut late = Duration::ZERO;
        if rng.chance(self.weather.rate(Trouble::LateWake)) {
            late = rng.magnitude(Duration::from_secs(120));
            self.summary.met(Trouble::LateWake);
        }
        self.after(delay + late, Event::Alarm(ship, alarm));
    }

    fn push(&mut self, ship: usize, push: Push) -> Result<(), Violation> {
        let (at, call) = (self.now, self.calls.len());
        let it = &mut self.ships[ship];
        let client = &self.clients[it.client];
        let now = client.clock.now(at);
        let begun = start(&client.context, push.operation(), push.options(), now);
        let sent = begun.expect("a push of a shipper is legal");
        let text = String::from_utf8_lossy(sent.request.body()).into_owned();
        it.log.sends(call, &text, at)?;
        let request = Request::new("push_points", &[it.plan.queue], Value::String(text));
        self.call(ship, Then::Ship(ship, push), request, sent)
    }

    fn ask(&mut self, ship: usize, ask: Ask) -> Result<(), Violation> {
        let (at, it) = (self.now, &mut self.ships[ship]);
        it.log.asks(at)?;
        let client = &self.clients[it.client];
        let now = client.clock.now(at);
        let operation = ask.operation();
        let name = operation.name();
        let show = |reply: &Reply| match reply {
            Reply::Repo(repo) => serde_json::to_value(repo).unwrap_or_default(),
            _ => Value::Null,
        };
        let begun = start_shown(&client.context, operation, ask.options(), now, show);
        let sent = begun.expect("a call of a shipper is legal");
        let body = serde_json::from_slice(sent.request.body()).unwrap_or_default();
        let request = Request::new(name, &[it.plan.queue], body);
        self.call(ship, Then::Ask(ship, ask), request, sent)
    }

    /// An idle hand makes a call.
    fn call(
        &mut self,
        ship: usize,
        then: Then,
        request: Request,
        sent: Sent,
    ) -> Result<(), Violation> {
        let (it, call) = (&self.ships[ship], self.calls.len());
        let is_idle = |hand: &usize| matches!(self.hands[*hand].doing, Doing::Nothing);
        let Some(hand) = it.hands.clone().find(is_idle) else {
            unreachable!("there are as many hands as requests at a time");
        };
        let limits = it.plan.terms.limits;
        let state = &mut self.hands[hand];
        state.wakes += 1;
        state.late = Duration::ZERO;
        state.then = then;
        note!(
            self,
            self.who(hand),
            "call {call}: {} {} {:.80}",
            request.operation.name,
            request.names.join("/"),
            request.body.to_string(),
        );
        self.summary.calls += 1;
        let intent = Intent {
            request,
            owner: None,
            look: None,
        };
        self.calls
            .push(CallLog::new(intent, Pass::Own, limits, self.now));
        self.sent(hand, call, sent)
    }

    /// A call of a shipper about its queue has its result.
    pub(super) fn replied(
        &mut self,
        call: usize,
        (ship, ask): (usize, Ask),
        result: Result<Output, Error>,
    ) -> Result<(), Violation> {
        let (at, it) = (self.now, &mut self.ships[ship]);
        let log = &self.calls[call];
        let is_refused = result.is_err() && log.outcome().is_some_and(|it| !it.may_pass());
        it.log.replied(log, is_refused, at);
        let now = self.clients[it.client].clock.now(at);
        let reply = result.map(|output| {
            let reply = output.whole.downcast::<Reply>().ok();
            let reply = reply.and_then(Rc::into_inner);
            reply.expect("it is what the call brings, and nobody else has it")
        });
        if let Some(shipper) = &mut it.shipper {
            shipper.on_reply(ask, reply, now);
        }
        self.drive(ship)
    }

    /// The records of a call took effect.
    pub(super) fn unload(&mut self, hand: usize, call: usize) {
        if let Some(log) = self.ship_log(hand) {
            log.arrives(call);
        }
    }

    /// That of the program for which a hand makes requests, if it is one of these.
    pub(super) fn ship_log(&mut self, hand: usize) -> Option<&mut ShipLog> {
        let ship = self
            .ships
            .iter_mut()
            .find(|ship| ship.hands.contains(&hand))?;
        Some(&mut ship.log)
    }

    /// A request of a shipper has its result.
    pub(super) fn pushed(
        &mut self,
        call: usize,
        (ship, push): (usize, Push),
        result: Result<(), Error>,
    ) -> Result<(), Violation> {
        let at = self.now;
        let it = &mut self.ships[ship];
        it.log.ends(call, &self.calls[call], at);
        let now = self.clients[it.client].clock.now(at);
        if let Some(shipper) = &mut it.shipper {
            shipper.on_result(push, result, now);
        }
        self.drive(ship)
    }

    /// What holds of programs when a run is over.
    pub(super) fn docked(&mut self) -> Result<(), Violation> {
        for ship in &mut self.ships {
            ship.log.settled(&self.calls, ship.shipper.is_none())?;
            let Some(buffered) = &mut ship.buffered else {
                continue;
            };
            for (name, count) in buffered.ends(ship.plan.terms)? {
                self.summary.tally_many(Group::Shipped, name, count);
            }
        }
        Ok(())
    }
}
