//! Attempts, waits and deadlines stay within the policy, whatever happens.

use std::{ops::RangeInclusive, time::Duration};

use bytes::Bytes;
use http::Response;
use pipeline_proto::{
    Call, CallOptions, Context, Effect, Error, Fault, FaultKind, Idempotency, Next, Now, Operation,
    RetryPolicy, RetryReason, UnixTime,
    operation::Visitor,
    strategies::{self, Event},
};
use proptest::prelude::*;

use super::support::{millis, secs, signature::signed_at};

/// The numbers of a policy, which are the bounds of what may happen.
#[derive(Debug, Clone)]
struct Limits {
    attempts: u32,
    base: Duration,
    longest: Duration,
    retry_after: Duration,
    budget: Duration,
    attempt: Duration,
    total: Duration,
}

fn limits() -> impl Strategy<Value = Limits> {
    let span = |range: RangeInclusive<u64>| {
        prop_oneof![range.prop_map(millis), Just(Duration::ZERO), Just(secs(30))]
    };
    let delays = (
        span(0..=500),
        span(0..=5000),
        span(0..=60_000),
        span(0..=90_000),
    );
    (1..=6_u32, delays, span(1..=60_000), span(1..=300_000)).prop_map(
        |(attempts, (base, longest, retry_after, budget), attempt, total)| Limits {
            attempts,
            base,
            longest,
            retry_after,
            budget,
            attempt,
            total,
        },
    )
}

impl Limits {
    fn options(&self) -> CallOptions {
        let policy = RetryPolicy::default()
            .max_attempts(self.attempts)
            .base_delay(self.base)
            .max_delay(self.longest)
            .max_retry_after(self.retry_after)
            .budget(self.budget);
        CallOptions::new()
            .retry(policy)
            .attempt_timeout(self.attempt)
            .total_timeout(self.total)
    }
}

/// Whether the service cannot have acted on a request that ended so: it never got there, it was
/// refused, or it was turned away with a time to come back.
fn is_harmless(outcome: &Result<Response<Bytes>, FaultKind>) -> bool {
    match outcome {
        Err(kind) => *kind == FaultKind::NotSent,
        Ok(response) => match response.status().as_u16() {
            401 => true,
            429 | 503 => response.headers().contains_key("retry-after"),
            _ => false,
        },
    }
}

/// Whether the service may well have acted on it: not told it is the caller's mistake or that the
/// operation does not exist (E9001), and not harmless either.
fn may_have_acted(outcome: &Result<Response<Bytes>, FaultKind>) -> bool {
    let refused = |response: &Response<Bytes>| {
        (300..500).contains(&response.status().as_u16())
            || response.body().windows(5).any(|text| text == b"E9001")
    };
    !is_harmless(outcome) && !outcome.as_ref().is_ok_and(refused)
}

/// One call from its start to its end, with every rule checked on the way.
struct Run<'a> {
    keys: &'a strategies::KeyPair,
    context: &'a Context,
    limits: &'a Limits,
    options: CallOptions,
    start: Now,
    script: &'a [Event],
}

/// Twice, so that the second call begins with what the first has learned.
impl Visitor for Run<'_> {
    type Output = Result<(), TestCaseError>;

    fn visit<O: Operation + Clone>(self, operation: O) -> Self::Output {
        let call = |operation| Call::new(self.context, operation, self.options.clone()).unwrap();
        self.check(call(operation.clone()))?;
        self.check(call(operation))
    }
}

impl Run<'_> {
    fn check<O: Operation>(&self, call: Call<O>) -> Result<(), TestCaseError> {
        let deadline = self.start.mono + self.limits.total;
        let mut now = self.start;
        let mut waited = Duration::ZERO;
        let (mut corrections, mut acted) = (0, false);
        let mut sent = 0;
        let mut attempt = call.start(now);
        let result = loop {
            sent += 1;
            prop_assert_eq!(attempt.number(), sent);
            prop_assert!(sent <= self.limits.attempts + corrections);
            self.check_signature(&attempt, now)?;
            let timeout = attempt.timeout();
            prop_assert!(timeout <= self.limits.attempt);
            prop_assert!(
                now.mono + timeout <= deadline,
                "an attempt may outlast the call"
            );
            prop_assert!(sent == 1 || now.mono < deadline, "a late attempt");

            let (_, in_flight) = attempt.send();
            let index = usize::try_from(sent - 1)
                .unwrap()
                .min(self.script.len() - 1);
            let event = &self.script[index];
            let outcome = if event.latency < timeout {
                now = now + event.latency;
                event.response.clone()
            } else {
                now = now + timeout;
                Err(FaultKind::TimedOut)
            };
            acted |= may_have_acted(&outcome);
            let next = match outcome.clone() {
                Ok(response) => in_flight.on_response(response, now),
                Err(kind) => in_flight.on_fault(Fault::new(kind), now),
            };
            let backoff = match next {
                Next::Done(result) => break result,
                Next::Retry(backoff) => backoff,
            };
            prop_assert!(
                O::IDEMPOTENCY != Idempotency::Never || is_harmless(&outcome),
                "{} is sent again after {:?}",
                O::NAME,
                outcome
            );
            if let RetryReason::Clock(_) | RetryReason::Fallback(_) = backoff.reason() {
                corrections += 1;
                prop_assert!(
                    corrections <= 2,
                    "one more for a wrong clock, one for a fallback"
                );
                prop_assert_eq!(backoff.delay(), Duration::ZERO);
            }
            waited += backoff.delay();
            prop_assert!(waited <= self.limits.budget);
            prop_assert!(backoff.delay() <= self.limits.longest.max(self.limits.retry_after));
            prop_assert!((now + backoff.delay()).mono < deadline || backoff.delay().is_zero());
            now = now + backoff.delay();
            attempt = match backoff.resume(now) {
                Ok(attempt) => attempt,
                Err(error) => break Err(error),
            };
        };
        prop_assert!(now.mono <= deadline, "the call outlasts its deadline");
        match result {
            Ok(_) => Ok(()),
            Err(error) => Self::check_error::<O>(&error, sent, acted),
        }
    }

    fn check_signature<O: Operation>(
        &self,
        attempt: &pipeline_proto::Attempt<O>,
        now: Now,
    ) -> Result<(), TestCaseError> {
        let request = attempt.request();
        let signed = signed_at(request, self.keys.access_key(), self.keys.secret_key());
        let expected = self.context.clock_offset().apply(now.wall);
        // The format has whole seconds, and years from 1970 to 9999.
        let seconds = UnixTime::from(expected).as_secs().clamp(0, 253_402_300_799);
        prop_assert_eq!(UnixTime::from(signed).as_secs(), seconds);
        Ok(())
    }

    fn check_error<O: Operation>(
        error: &Error,
        sent: u32,
        acted: bool,
    ) -> Result<(), TestCaseError> {
        prop_assert_eq!(error.attempts(), sent);
        prop_assert_eq!(error.operation(), O::NAME);
        if O::IDEMPOTENCY == Idempotency::Safe {
            prop_assert_eq!(error.effect(), Effect::None);
        } else if acted {
            prop_assert_eq!(error.effect(), Effect::Possible);
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn a_call_stays_within_its_policy_for_any_script(
        operation in strategies::any_operation(),
        keys in strategies::credentials(),
        limits in limits(),
        start in strategies::now(),
        script in strategies::response_script(),
        seed: u64,
    ) {
        let context = Context::builder().credentials(keys.credentials()).build();
        let options = limits.options().seed(seed);
        let run = Run { keys: &keys, context: &context, limits: &limits, options, start, script: &script };
        operation.visit(run)?;
    }

    #[test]
    fn a_delay_stays_within_its_policy(
        policy in strategies::retry_policy(),
        attempts: u32,
        seed: u64,
        asked in proptest::option::of(any::<Duration>()),
    ) {
        // Nothing overflows, and the same seed gives the same.
        let delay = policy.delay(attempts, seed, asked);
        prop_assert_eq!(delay, policy.delay(attempts, seed, asked));
        prop_assert!(delay >= policy.delay(attempts, seed, None));
        prop_assert!(delay <= secs(120), "{:?}", delay);
    }
}
