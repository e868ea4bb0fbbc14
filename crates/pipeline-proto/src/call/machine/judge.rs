//! What follows from a response or a fault: done, or once more.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};

use super::{Backoff, Call, InFlight, Next};
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
        self,
        response: &Response<Bytes>,
        unreadable: Option<DecodeError>,
        now: Now,
    ) -> Next<O> {
        let operation = &self.call.operation;
        if !operation.is_success(response.status()) || is_error_object(response.body()) {
            return self.judge_error(ApiError::from_response(response), response, now);
        }
        // An error has told enough by its status.
        let result = unreadable.map_or_else(|| operation.decode(response), Err);
        let error = match result {
            Ok(output) => {
                if self.progress.fell_back {
                    self.call.context.learn_unknown(self.call.operation.name());
                }
                return self.done(output);
            }
            Err(error) => error,
        };
        if let Some((status, message)) = error.as_refused() {
            let error = ApiError::refused(response, status, message);
            return self.judge_error(error, response, now);
        }
        let effect = self.effect_if(true);
        Next::Done(Err(Error::new(
            self.call.operation.name(),
            Cause::Decode(error.of(response)),
            self.progress.attempts,
            effect,
            StopReason::NotRetryable,
        )))
    }

    fn judge_error(mut self, mut error: ApiError, response: &Response<Bytes>, now: Now) -> Next<O> {
        let operation = &self.call.operation;
        let done_before = || match self.progress.effect {
            Effect::Possible => operation.done_before(&error),
            Effect::None => None,
        };
        if let Some(output) = operation.accepts(&error).or_else(done_before) {
            return self.done(output);
        }
        self.progress.effect = self.effect_if(!error.rules_out_effect());
        if let Some(call) = self.fallback(&error, now) {
            self.progress.fell_back = true;
            return Next::Retry(Backoff {
                call,
                progress: self.progress,
                delay: Duration::ZERO,
                reason: RetryReason::Fallback(error.status()),
                cause: Cause::Api(error),
            });
        }
        let measured = measure(response, self.sent, now);
        if error.status() == StatusCode::UNAUTHORIZED {
            let (cause, correction) = self.explain_refusal(measured);
            let signed = self.signed_headers();
            error.set_refusal(cause, correction.and_then(Result::err), signed);
            if let Some(Ok(offset)) = correction
                && now.mono < self.progress.deadline
            {
                self.call.context.learn_offset(offset);
                self.progress.clock_corrected = true;
                return Next::Retry(Backoff {
                    call: self.call,
                    progress: self.progress,
                    delay: Duration::ZERO,
                    reason: RetryReason::Clock(offset),
                    cause: Cause::Api(error),
                });
            }
        }
        let permission = if !error.is_retryable() {
            Err(StopReason::NotRetryable)
        } else if self.call.idempotency() == Idempotency::Never && !error.is_put_off() {
            Err(StopReason::NotRepeatable)
        } else {
            Ok(())
        };
        // From the wall clock at sending, as the offset was measured: it may have been set since.
        let received = self.sent + now.since(self.sent);
        let reference = measured.unwrap_or(self.offset).apply(received.wall);
        let retry_after = error.retry_delay(reference);
        error.set_asked_delay(retry_after);
        let reason = RetryReason::Status(error.status());
        self.retry_or_stop(permission, retry_after, reason, Cause::Api(error), now)
    }

    fn done(&self, mut output: O::Output) -> Next<O> {
        O::took(&mut output, self.progress.attempts);
        Next::Done(Ok(output))
    }

    pub(super) fn judge_fault(mut self, fault: Fault, now: Now) -> Next<O> {
        let kind = fault.kind();
        self.progress.effect = self.effect_if(kind != FaultKind::NotSent);
        let permission = match kind {
            _ if fault.is_permanent() => Err(StopReason::NotRetryable),
            FaultKind::BodyTooLarge => Err(StopReason::NotRetryable),
            FaultKind::NotSent => Ok(()),
            FaultKind::Interrupted | FaultKind::TimedOut => match self.call.idempotency() {
                Idempotency::Never => Err(StopReason::NotRepeatable),
                Idempotency::Safe | Idempotency::Idempotent | Idempotency::AtLeastOnce => Ok(()),
            },
        };
        let cause = Cause::Fault(fault);
        if now.mono >= self.progress.deadline {
            return Next::Done(Err(self.call.deadline_error(&self.progress, Some(cause))));
        }
        self.retry_or_stop(permission, None, RetryReason::Fault(kind), cause, now)
    }

    /// The call with another request, if the error says that the service does not know this one.
    fn fallback(&self, error: &ApiError, now: Now) -> Option<Call<O>> {
        let token = matches!(self.call.auth(), Auth::Token(_));
        if self.progress.fell_back
            || token
            || !error.is_unknown_request()
            || now.mono >= self.progress.deadline
        {
            return None;
        }
        let operation = self.call.operation.fallback()?;
        Call::new(&self.call.context, operation, self.call.options.clone()).ok()
    }

    /// The effect of the call so far, if this attempt may have had one or not.
    fn effect_if(&self, possible: bool) -> Effect {
        if possible && self.call.idempotency() != Idempotency::Safe {
            Effect::Possible
        } else {
            self.progress.effect
        }
    }

    fn retry_or_stop(
        mut self,
        permission: Result<(), StopReason>,
        retry_after: Option<Duration>,
        reason: RetryReason,
        cause: Cause,
        now: Now,
    ) -> Next<O> {
        let policy = self.call.retry();
        // The attempts that a wrong clock and an unknown request are worth are not counted.
        let counted = self.progress.attempts
            - u32::from(self.progress.clock_corrected)
            - u32::from(self.progress.fell_back);
        let delay = policy.delay(
            counted,
            self.call.options.seed.unwrap_or_default(),
            retry_after,
        );
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
            return Next::Retry(Backoff {
                call: self.call,
                progress: self.progress,
                delay,
                reason,
                cause,
            });
        };
        Next::Done(Err(Error::new(
            self.call.operation.name(),
            cause,
            self.progress.attempts,
            self.progress.effect,
            stop,
        )))
    }
}
