//! The way of an attempt: to the service, through it, and back.

use bytes::Bytes;
use http::Response;
use pipeline_proto::{Fault, FaultKind, Phase};

use super::{Delivery, Doing, Event, Sending, Which, World, note, number};
use crate::{
    check::{self, Violation},
    history::{AttemptLog, Outcome},
    machine::Sent,
    network::{Answer, Fate, Gateway, Way, WayBack},
    rng::Rng,
    scenario::Part,
    server::Handled,
    summary::Group,
    trouble::Trouble,
    verifier::Verdict,
};

impl World {
    /// An attempt is on the wire.
    pub(super) fn sent(&mut self, hand: usize, call: usize, sent: Sent) -> Result<(), Violation> {
        let state = &self.hands[hand];
        let client = state.client;
        let attempt = self.calls[call].attempts.len();
        let which = Which {
            hand,
            call,
            attempt,
        };
        let item = state.item.as_ref().map_or(0, |item| item.number);
        let coordinates = [
            self.seed,
            Part::Attempt as u64,
            number(client),
            u64::from(state.number),
            u64::from(item),
            state.wakes,
            number(attempt),
        ];
        let mut fate = Fate::draw(Rng::of(&coordinates), &self.weather);
        let (way, troubles) = fate.way(sent.timeout);
        let gateway = match way {
            Way::Arrives(..) if sent.request.body().len() > self.weather.longest => {
                Some(Gateway::TOO_LARGE)
            }
            Way::Arrives(..) => fate.before(),
            _ => None,
        };
        let jumps = self.jumps(client);
        self.calls[call].attempts.push(AttemptLog {
            sent: self.now,
            order: self.scheduled,
            sent_wall: self.clients[client].clock.wall(self.now),
            timeout: sent.timeout,
            jumps,
            request: sent.request,
            fate,
            gateway,
            on_its_way: matches!(way, Way::Arrives(..)) && gateway.is_none(),
            handled: None,
            outcome: None,
            received: self.now,
        });
        self.summary.attempts += 1;
        note!(
            self,
            self.who(hand),
            "{which}: sent, may take {:?}",
            sent.timeout
        );
        let offset = self.clients[client].context.clock_offset();
        check::sent(&self.calls[call], sent.number, &sent.printed, offset)?;
        for trouble in troubles {
            self.meet(which, trouble);
        }
        let gives_up = Delivery::Fault(FaultKind::TimedOut, Some(Phase::Response));
        self.after(sent.timeout, Event::Deliver(which, Box::new(gives_up)));
        match way {
            Way::Lost => {}
            Way::Fails(after, kind, phase) => {
                let delivery = Delivery::Fault(kind, phase);
                self.after(after, Event::Deliver(which, Box::new(delivery)));
            }
            Way::Arrives(after, again) => {
                self.after(after, Event::Arrive(which, Sending::Original));
                if let Some(again) = again.filter(|_| gateway.is_none()) {
                    self.after(again, Event::Arrive(which, Sending::Copy));
                }
            }
        }
        self.hands[hand].doing = Doing::Flying(sent.flight);
        Ok(())
    }

    fn meet(&mut self, which: Which, trouble: Trouble) {
        self.summary.met(trouble);
        note!(self, "network", "{which}: {trouble}");
    }

    fn log(&mut self, which: Which) -> &mut AttemptLog {
        &mut self.calls[which.call].attempts[which.attempt]
    }

    /// A request reaches the service, or something in front of it.
    pub(super) fn arrive(&mut self, which: Which, sending: Sending) -> Result<(), Violation> {
        let (response, answer) = if let Some(gateway) = self.log(which).gateway {
            self.intercept(which, gateway)
        } else {
            let (response, answer, handled) = self.serve(which, sending)?;
            if sending == Sending::Copy {
                return Ok(());
            }
            let log = self.log(which);
            log.on_its_way = false;
            log.handled = Some(handled);
            match log.fate.after() {
                None => (response, answer),
                Some(gateway) => self.intercept(which, gateway),
            }
        };
        self.send_back(which, response, answer);
        Ok(())
    }

    /// Something on the way answers.
    fn intercept(&mut self, which: Which, gateway: Gateway) -> (Response<Bytes>, Answer) {
        self.meet(which, gateway.trouble);
        let service_time = self.server.clock.wall(self.now);
        self.log(which).fate.answer(gateway, service_time)
    }

    /// The service answers.
    fn serve(
        &mut self,
        which: Which,
        sending: Sending,
    ) -> Result<(Response<Bytes>, Answer, Handled), Violation> {
        let call = &self.calls[which.call];
        let attempt = &call.attempts[which.attempt];
        let (intent, request) = (&call.intent, attempt.request.clone());
        let (response, answer, handled) = self.server.handle(request, intent, self.now)?;
        let verdict = handled.verdict;
        let has_effect = handled.expected.effect;
        self.summary.handled += 1;
        self.summary.tally(Group::Judged, verdict_name(verdict));
        let copied = if sending == Sending::Copy {
            "copied, "
        } else {
            ""
        };
        note!(
            self,
            "service",
            "{which}: {copied}{} {} of {verdict:?}: {answer}",
            intent.request.operation.name,
            intent.request.names.join("/"),
        );
        let client = &self.clients[self.hands[which.hand].client];
        check::arrived(call, attempt, verdict, client, &self.server.clock, self.now)?;
        if has_effect {
            self.unload(which.hand, which.call);
        }
        Ok((response, answer, handled))
    }

    fn send_back(&mut self, which: Which, mut response: Response<Bytes>, mut answer: Answer) {
        let log = self.log(which);
        let mut troubles = log.fate.spoil(&mut response, &mut answer);
        let (way, trouble) = log.fate.way_back(log.timeout);
        troubles.extend(trouble);
        for trouble in troubles {
            self.meet(which, trouble);
        }
        let (after, delivery) = match way {
            WayBack::Lost => return,
            WayBack::Fails(after, kind) => (after, Delivery::Fault(kind, None)),
            WayBack::Arrives(after) => (after, Delivery::Answer(response, answer)),
        };
        self.after(after, Event::Deliver(which, Box::new(delivery)));
    }

    /// A client is told what became of an attempt, if it still wants to know.
    pub(super) fn deliver(&mut self, which: Which, delivery: Delivery) -> Result<(), Violation> {
        let now = self.now;
        let log = self.log(which);
        if log.outcome.is_some() {
            return Ok(());
        }
        log.received = now;
        let state = &mut self.hands[which.hand];
        let doing = std::mem::replace(&mut state.doing, Doing::Nothing);
        let Doing::Flying(flight) = doing else {
            // An attempt without an outcome is what its hand waits for, unless its program was killed.
            return Ok(());
        };
        let now = self.clients[state.client].clock.now(now);
        let who = self.who(which.hand);
        let step = match delivery {
            Delivery::Answer(response, answer) => {
                note!(self, who, "{which}: is told {answer}");
                self.log(which).outcome = Some(Outcome::Answer(answer));
                flight.on_response(response, now)
            }
            Delivery::Fault(kind, phase) => {
                note!(self, who, "{which}: is told {kind:?} {phase:?}");
                self.log(which).outcome = Some(Outcome::Fault(kind));
                let fault = phase.into_iter().fold(Fault::new(kind), Fault::timed_out);
                flight.on_fault(fault, now)
            }
        };
        self.stepped(which.hand, which.call, step)
    }
}

fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Valid(_) => "valid",
        Verdict::Anonymous => "missing",
        Verdict::Keys => "of wrong keys",
        Verdict::Skewed => "of a wrong clock",
        Verdict::Expired => "expired",
        Verdict::Mismatched => "for another request",
    }
}
