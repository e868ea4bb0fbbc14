use std::time::Duration;

use pipeline_proto::RefusalCause;

use super::{Rule, Violation, call::offset_is_true, demand};
use crate::{
    clock::unix_seconds,
    history::{AttemptLog, CallLog},
    network::{Answer, Date},
    verifier::Verdict,
};

/// Whether the reason that an error gives for a 401 is the one for which the service refused. What
/// follows from the service's time can be expected only of a response that tells it.
pub(super) fn refusal_is_true(
    call: &CallLog,
    attempt: &AttemptLog,
    answer: &Answer,
    cause: &RefusalCause,
) -> Result<(), Violation> {
    let Some(handled) = &attempt.handled else {
        return Ok(());
    };
    let verdict = handled.verdict;
    // In the time that the response took, a token may have expired.
    let leeway = attempt.round_trip() + Duration::from_secs(1);
    let service_time = unix_seconds(handled.service_time);
    let expires = call.token_expires.unwrap_or(u64::MAX);
    let about_to_expire = expires.abs_diff(service_time) <= leeway.as_secs();
    let right = match cause {
        RefusalCause::NoCredentials => verdict == Verdict::Anonymous,
        RefusalCause::Clock(offset) => return offset_is_true(attempt, answer, *offset),
        RefusalCause::Keys => verdict == Verdict::Keys || answer.date != Date::True,
        RefusalCause::KeysOrClock => answer.date != Date::True,
        RefusalCause::TokenExpired(_) => {
            expires < service_time || about_to_expire || answer.date != Date::True
        }
        RefusalCause::TokenMismatch(_) => {
            matches!(verdict, Verdict::Mismatched | Verdict::Keys)
                || about_to_expire
                || answer.date != Date::True
        }
        RefusalCause::TokenKeys => {
            verdict == Verdict::Keys || about_to_expire || answer.date != Date::True
        }
        _ => false,
    };
    demand!(
        right,
        Rule::Truth,
        "the refusal is explained by {cause:?}, the request was {verdict:?}",
    );
    Ok(())
}
