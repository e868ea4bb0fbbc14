//! What follows from a response or a fault: done, or once more.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};

use super::{Backoff, Call, InFlight, Next, State, Wait};
use crate::{
    call::{auth::Auth, clock::measure},
    error::{
        ApiError, Cause, DecodeError, Effect, Error, Fault, FaultKind, RetryReason, StopReason,
        is_error_object,
    },
    operation::{Idempotency, Operation},
    time::Now,
};

impl<O: Operation> InFlight<O> {
    pub(super) fn judge_response(
        mut self,
        response: &Response<Bytes>,
        unreadable: Option<DecodeError>,
        now: Now,
    ) -> Next<O> {
        let Call { operation, state } = &mut self.0;
        if !operation.is_success(response.status()) || is_error_object(response.body()) {
            return self.judge_error(ApiError::from_response(response), response, now);
        }
        // An error has told enough by its status.
        let result = unreadable.map_or_else(|| operation.decode(response), Err);
        let error = match result {
            Ok(output) => {
                if state.progress.fell_back {
                    state.context.learn_unknown(state.name);
                }
                return self.done(output);
            }
            Err(error) => error,
        };
        if let Some((status, message)) = error.as_refused() {
            let error = ApiError::refused(response, status, message);
            return self.judge_error(error, response, now);
        }
        state.progress.effect = state.effect_if(true);
        let cause = Cause::Decode(error.of(response));
        Next::Done(Err(state.error(cause, StopReason::NotRetryable)))
    }

    fn judge_error(mut self, error: ApiError, response: &Response<Bytes>, now: Now) -> Next<O> {
        let Call { operation, state } = &mut self.0;
        let done_before = || match state.progress.effect {
            Effect::Possible => operation.done_before(&error),
            Effect::None => None,
        };
        if let Some(output) = operation.accepts(&error).or_else(done_before) {
            return self.done(output);
        }
        state.progress.effect = state.effect_if(!error.rules_out_effect());
        if state.may_fall_back(&error, now)
            && let Some(operation) = operation.fallback()
            && let Ok(mut call) = Call::new(&state.context, operation, state.options.clone())
        {
            call.state.progress = state.progress;
            call.state.progress.fell_back = true;
            let wait = Wait {
                delay: Duration::ZERO,
                reason: RetryReason::Fallback(error.status()),
                cause: Cause::Api(error),
            };
            return Next::Retry(Backoff { call, wait });
        }
        let verdict = state.judge_error(error, response, now);
        self.follow(verdict)
    }

    fn done(&self, mut output: O::Output) -> Next<O> {
        O::took(&mut output, self.attempt());
        Next::Done(Ok(output))
    }

    pub(super) fn follow(self, verdict: Result<Wait, Error>) -> Next<O> {
        match verdict {
            Ok(wait) => Next::Retry(Backoff { call: self.0, wait }),
            Err(error) => Next::Done(Err(error)),
        }
    }
}

impl State {
    fn judge_error(
        &mut self,
        mut error: ApiError,
        response: &Response<Bytes>,
        now: Now,
    ) -> Result<Wait, Error> {
        let sent = self.progress.sent;
        let measured = measure(response, sent, now);
        if error.status() == StatusCode::UNAUTHORIZED {
            let (cause, correction) = self.explain_refusal(measured);
            let signed = self.signed_headers();
            error.set_refusal(cause, correction.and_then(Result::err), signed);
            if let Some(Ok(offset)) = correction
                && !self.is_over(now)
            {
                self.context.learn_offset(offset);
                self.progress.clock_corrected = true;
                return Ok(Wait {
                    delay: Duration::ZERO,
                    reason: RetryReason::Clock(offset),
                    cause: Cause::Api(error),
                });
            }
        }
        let permission = if !error.is_retryable() {
            Err(StopReason::NotRetryable)
        } else if self.idempotency() == Idempotency::Never && !error.is_put_off() {
            Err(StopReason::NotRepeatable)
        } else {
            Ok(())
        };
        // From the wall clock at sending, as the offset was measured: it may have been set since.
        let received = sent + now.since(sent);
        let reference = measured
            .unwrap_or(self.progress.offset)
            .apply(received.wall);
        let retry_after = error.retry_delay(reference);
        error.set_asked_delay(retry_after);
        let reason = RetryReason::Status(error.status());
        self.retry_or_stop(permission, retry_after, reason, Cause::Api(error), now)
    }

    pub(super) fn judge_fault(&mut self, fault: Fault, now: Now) -> Result<Wait, Error> {
        let kind = fault.kind();
        self.progress.effect = self.effect_if(kind != FaultKind::NotSent);
        let permission = match kind {
            _ if fault.is_permanent() => Err(StopReason::NotRetryable),
            FaultKind::BodyTooLarge => Err(StopReason::NotRetryable),
            FaultKind::NotSent => Ok(()),
            FaultKind::Interrupted | FaultKind::TimedOut => match self.idempotency() {
                Idempotency::Never => Err(StopReason::NotRepeatable),
                Idempotency::Safe | Idempotency::Idempotent | Idempotency::AtLeastOnce => Ok(()),
            },
        };
        let cause = Cause::Fault(fault);
        if self.is_over(now) {
            return Err(self.deadline_error(Some(cause)));
        }
        self.retry_or_stop(permission, None, RetryReason::Fault(kind), cause, now)
    }

    /// Whether another request is worth an attempt: the error says that the service does not know this one.
    fn may_fall_back(&self, error: &ApiError, now: Now) -> bool {
        let token = matches!(self.auth(), Auth::Token(_));
        !self.progress.fell_back && !token && error.is_unknown_request() && !self.is_over(now)
    }

    /// The effect of the call so far, if this attempt may have had one or not.
    fn effect_if(&self, possible: bool) -> Effect {
        if possible && self.idempotency() != Idempotency::Safe {
            Effect::Possible
        } else {
            self.progress.effect
        }
    }

    fn retry_or_stop(
        &mut self,
        permission: Result<(), StopReason>,
        retry_after: Option<Duration>,
        reason: RetryReason,
        cause: Cause,
        now: Now,
    ) -> Result<Wait, Error> {
        let policy = self.retry();
        // The attempts that a wrong clock and an unknown request are worth are not counted.
        let counted = self.progress.attempts
            - u32::from(self.progress.clock_corrected)
            - u32::from(self.progress.fell_back);
        let seed = self.options.seed.unwrap_or_default();
        let delay = policy.delay(counted, seed, retry_after);
        let waited = self.progress.waited.saturating_add(delay);
        let stop = if let Err(stop) = permission {
            stop
        } else if counted >= policy.attempts() {
            StopReason::AttemptsExhausted
        } else if waited > policy.total_delay() {
            StopReason::BudgetExhausted
        } else if now.mono.saturating_add(delay) >= self.progress.deadline {
            StopReason::DeadlineNear
        } else {
            self.progress.waited = waited;
            return Ok(Wait {
                delay,
                reason,
                cause,
            });
        };
        Err(self.error(cause, stop))
    }
}
