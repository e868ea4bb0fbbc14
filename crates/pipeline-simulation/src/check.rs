//! The invariants. Each is stated over what happened, as the simulation knows it, and not over what
//! the machines think has happened.

mod call;
mod end;
mod refusal;
mod ship;
mod wait;

use std::fmt;

pub(super) use call::{arrived, resting, retried, sent};
pub(super) use end::{ended, settled};
pub(super) use ship::{BufferLog, ShipLog};
pub(super) use wait::{acts, begins, looked, paused, wait_ended};

use super::scenario::CANARY;

/// What must hold on every run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Rule {
    /// A reported success took effect, and did so once where it must not happen twice.
    Success,
    /// A failure that claims to have had no effect had none, and has none later.
    Effect,
    /// An operation that must not be repeated is not sent while an earlier sending may still work.
    Repetition,
    /// Attempts, waits, time-outs and the end of a call keep to the policy.
    Policy,
    /// A failure says what happened, and why it was not tried again.
    Truth,
    /// The service accepts valid signatures and tokens, and no others.
    Authentication,
    /// Requests are dated for the moment of sending, and a clock that is off is made up for.
    Clock,
    /// The service answers as the model does, and reads show what is there.
    Model,
    /// A wait ends in time, and with what is true.
    Wait,
    /// Each record that a shipper took gets one verdict, which is true, and the books balance.
    Verdict,
    /// A record that a buffer acknowledged is accepted, a dead letter, dropped, or still there.
    Kept,
    /// Where order is asked for, accepted records arrive in it.
    Order,
    /// Memory, rates, waits, deadlines and the number of requests keep to a shipper's settings.
    Limits,
    /// No secret appears in anything printed.
    Secret,
    /// A run comes to its end.
    Progress,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Success => "a success must have taken effect",
            Self::Effect => "a failure without effect must have had none",
            Self::Repetition => "what must not be repeated is not sent twice",
            Self::Policy => "a call keeps to its policy",
            Self::Truth => "an error says what happened",
            Self::Authentication => "valid signatures are accepted, others are not",
            Self::Clock => "a wrong clock is made up for",
            Self::Model => "the service answers as the model does",
            Self::Wait => "a wait ends in time, with what is true",
            Self::Verdict => "each record gets the one verdict that is true",
            Self::Kept => "a buffer loses nothing that it acknowledged",
            Self::Order => "accepted records arrive in order",
            Self::Limits => "a shipper keeps to its limits",
            Self::Secret => "no secret is printed",
            Self::Progress => "a run comes to its end",
        })
    }
}

/// An invariant that does not hold, and how.
#[derive(Debug)]
pub(super) struct Violation {
    pub(super) rule: Rule,
    pub(super) what: String,
}

/// Returns a [`Violation`] of the rule unless the condition holds.
macro_rules! demand {
    ($condition:expr, $rule:expr, $($what:tt)+) => {
        if !$condition {
            return Err($crate::check::Violation {
                rule: $rule,
                what: format!($($what)+),
            });
        }
    };
}
pub(super) use demand;

/// Looks for secrets in a text that was printed: secret keys, and the signature of a request.
pub(super) fn no_secret(text: &str, signature: &str) -> Result<(), Violation> {
    let secret = text.contains(CANARY) || (!signature.is_empty() && text.contains(signature));
    // The text itself is not repeated: it would be a leak of its own.
    demand!(
        !secret,
        Rule::Secret,
        "a secret is in a text of {} bytes",
        text.len()
    );
    Ok(())
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it does not hold that {}: {}", self.rule, self.what)
    }
}
