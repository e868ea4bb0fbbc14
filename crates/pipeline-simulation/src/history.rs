//! What happened in a run, as somebody sees it who sees everything.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Request;
use pipeline_proto::{Effect, FaultKind, wait::Goal};

use super::{
    network::{Answer, Fate, Gateway, RetryAfter},
    scenario::{Limits, Pass},
    server::Handled,
    work::{Intent, Patience},
};

/// A call and what became of it.
#[derive(Debug)]
pub(super) struct CallLog {
    pub(super) intent: Intent,
    pub(super) pass: Pass,
    /// When the call's token expires, if it has one, in seconds since 1970.
    pub(super) token_expires: Option<u64>,
    /// Whether the call is the one that the token was made for.
    pub(super) token_fits: bool,
    pub(super) limits: Limits,
    pub(super) deadline: Duration,
    pub(super) attempts: Vec<AttemptLog>,
    /// Sum of the waits that were asked for.
    pub(super) waited: Duration,
    /// Attempts that were made because of the clock.
    pub(super) clock_retries: u32,
    /// Attempts with another request, because the first was not known.
    pub(super) fallbacks: u32,
    /// The effect that its failure claims, if it failed.
    pub(super) claimed: Option<Effect>,
}

#[derive(Debug)]
pub(super) struct AttemptLog {
    pub(super) sent: Duration,
    /// How many events had been scheduled then: of two things at one moment, it tells which was
    /// first.
    pub(super) order: u64,
    /// What the client's wall clock showed then.
    pub(super) sent_wall: SystemTime,
    pub(super) timeout: Duration,
    /// How often the client's clock and the service's were set before.
    pub(super) jumps: (u32, u32),
    pub(super) request: Request<Bytes>,
    pub(super) fate: Fate,
    /// What answers in front of the service, if anything does.
    pub(super) gateway: Option<Gateway>,
    /// It has not arrived yet, but will.
    pub(super) on_its_way: bool,
    /// What the service made of it. Of copies that the network made, only the model knows.
    pub(super) handled: Option<Handled>,
    /// What the client was told.
    pub(super) outcome: Option<Outcome>,
    pub(super) received: Duration,
}

#[derive(Debug)]
pub(super) enum Outcome {
    Answer(Answer),
    Fault(FaultKind),
}

/// A wait and what became of it.
#[derive(Debug)]
pub(super) struct WaitLog {
    pub(super) goal: Goal,
    pub(super) ensure: bool,
    pub(super) patience: Patience,
    pub(super) started: Duration,
    pub(super) deadline: Duration,
    pub(super) looks: u32,
    pub(super) paused: Duration,
    /// By how much the client was woken too late.
    pub(super) late: Duration,
    /// The last call.
    pub(super) call: Option<usize>,
    /// What the last look showed, if it succeeded.
    pub(super) seen: Option<String>,
    /// Looks in a row at a settled status that was not the goal, since the last start or stop.
    pub(super) settled: u32,
    pub(super) asked: Asked,
}

/// What became of the last start or stop of a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Nothing,
    Accepted,
    SeenUnderWay,
    Failed,
}

impl CallLog {
    /// One that begins now, with what the call itself shows.
    pub(super) fn new(intent: Intent, pass: Pass, limits: Limits, now: Duration) -> Self {
        Self {
            intent,
            pass,
            token_expires: None,
            token_fits: false,
            limits,
            deadline: now + limits.total_timeout,
            attempts: Vec::new(),
            waited: Duration::ZERO,
            clock_retries: 0,
            fallbacks: 0,
            claimed: None,
        }
    }

    /// The attempts that count against the policy: not the one that a clock was worth, and not the one
    /// with another request.
    pub(super) fn counted(&self) -> u32 {
        let made = u32::try_from(self.attempts.len()).unwrap_or(u32::MAX);
        made - self.clock_retries - self.fallbacks
    }

    /// How many attempts had an effect, copies left out.
    pub(super) fn effects(&self) -> usize {
        self.attempts
            .iter()
            .filter(|attempt| attempt.had_effect())
            .count()
    }

    pub(super) fn outcome(&self) -> Option<&Outcome> {
        self.attempts.last()?.outcome.as_ref()
    }
}

impl AttemptLog {
    pub(super) fn had_effect(&self) -> bool {
        let handled = self.handled.as_ref();
        handled.is_some_and(|handled| handled.expected.effect)
    }

    pub(super) fn round_trip(&self) -> Duration {
        self.received.saturating_sub(self.sent)
    }
}

impl Outcome {
    /// Whether the client can know from this that the attempt had no effect.
    pub(super) fn rules_out_effect(&self) -> bool {
        match self {
            Self::Fault(kind) => *kind == FaultKind::NotSent,
            Self::Answer(answer) => (400..500).contains(&answer.status) || answer.is_put_off(),
        }
    }

    /// Whether the same request may succeed later.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Fault(kind) => *kind != FaultKind::BodyTooLarge,
            Self::Answer(answer) => match answer.status {
                202 | 429 | 500 | 502 | 503 | 504 => true,
                200 => matches!(answer.code, Some(9000 | 18124)),
                _ => false,
            },
        }
    }

    /// Whether an operation that must not be repeated may be sent again after this.
    pub(super) fn was_not_acted_on(&self) -> bool {
        match self {
            Self::Fault(kind) => *kind == FaultKind::NotSent,
            Self::Answer(answer) => answer.is_put_off(),
        }
    }
}

impl Answer {
    /// Whether the request was turned away at the door, and asked to come back later.
    fn is_put_off(&self) -> bool {
        let later = matches!(
            self.retry_after,
            Some(RetryAfter::Seconds(_) | RetryAfter::Date(_))
        );
        later && matches!(self.status, 429 | 503)
    }
}
