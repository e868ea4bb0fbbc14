//! What a 401 means, and whether another attempt with the service's time is worth it.

use http::{HeaderName, header::CONTENT_TYPE};

use super::State;
use crate::{
    call::{auth::Auth, clock::differ},
    error::RefusalCause,
    time::{ClockOffset, Uncorrected},
};

impl State {
    /// The headers beside `Date` that are part of the signature.
    pub(super) fn signed_headers(&self) -> impl Iterator<Item = HeaderName> {
        let request = self.request();
        let signed = |name: &HeaderName| {
            [CONTENT_TYPE.as_str(), "content-md5"].contains(&name.as_str())
                || name.as_str().starts_with("x-qiniu-")
        };
        let (parts, _) = request.into_parts();
        parts
            .headers
            .into_iter()
            .filter_map(move |(name, _)| name.filter(signed))
    }

    /// Why the request was refused. If the clock is the reason and was not corrected yet, also the
    /// offset to try again with, or why not.
    pub(super) fn explain_refusal(
        &self,
        measured: Option<ClockOffset>,
    ) -> (RefusalCause, Option<Result<ClockOffset, Uncorrected>>) {
        match self.auth() {
            Auth::Anonymous => (RefusalCause::NoCredentials, None),
            Auth::Token(token) => {
                let time = measured
                    .unwrap_or(self.progress.offset)
                    .apply(self.progress.sent.wall);
                let Ok(descriptor) = token.decode() else {
                    return (RefusalCause::TokenUnreadable, None);
                };
                if descriptor.is_expired(time) {
                    let expired = descriptor.expires.to_system_time();
                    let ago = expired
                        .and_then(|at| time.duration_since(at).ok())
                        .unwrap_or_default();
                    return (RefusalCause::TokenExpired(ago), None);
                }
                let sent = self.request();
                let mismatch = descriptor.mismatch(&sent.into_parts().0);
                (
                    mismatch.map_or(RefusalCause::TokenKeys, RefusalCause::TokenMismatch),
                    None,
                )
            }
            Auth::Credentials(_) | Auth::Provider(_) => match measured {
                Some(measured) if differ(measured, self.progress.offset) => {
                    let settings = self.context.settings();
                    let due =
                        settings.correct_clock != Some(false) && !self.progress.clock_corrected;
                    let correction =
                        due.then(|| settings.forbids(measured).map_or(Ok(measured), Err));
                    (RefusalCause::Clock(measured), correction)
                }
                Some(_) => (RefusalCause::Keys, None),
                None => (RefusalCause::KeysOrClock, None),
            },
        }
    }
}
