//! How long a token is good.

use std::time::{Duration, SystemTime};

use clap::Args;
use pipeline_proto::UnixTime;

use crate::{
    duration::{self, Short},
    failure::Failure,
    output, time,
};

/// Until when a token is good unless the options say so.
pub(super) const DEFAULT: Duration = Duration::from_secs(3600);

#[derive(Debug, Args)]
pub(super) struct Validity {
    /// How long it is good, from now [default: 1h, for named operations]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, conflicts_with = "expires")]
    ttl: Option<Duration>,

    /// When it ends, in seconds since 1970
    #[arg(long, value_name = "UNIX")]
    expires: Option<i64>,
}

impl Validity {
    /// When the token ends. Says so if that has been already.
    pub(super) fn end(&self, default: Option<Duration>) -> Result<UnixTime, Failure> {
        let now = SystemTime::now();
        let expires = match (self.expires, self.ttl.or(default)) {
            (Some(expires), _) => UnixTime::from_secs(expires),
            (None, Some(ttl)) => now
                .checked_add(ttl)
                .map(UnixTime::from)
                .ok_or_else(|| Failure::usage("--ttl is too long"))?,
            (None, None) => return Err(Failure::usage("--ttl or --expires is needed")),
        };
        if expires < UnixTime::from(now) {
            output::note("the token has expired already");
        }
        Ok(expires)
    }
}

/// The time as RFC 3339 writes it, in UTC.
pub(super) fn rfc3339(time: UnixTime) -> Option<String> {
    time::of_unix(time.as_secs()).map(|at| at.to_string())
}

/// The time for people, with its distance from now.
pub(super) fn described(time: UnixTime) -> String {
    let shown = time::of_unix(time.as_secs());
    let shown = shown.map_or_else(|| time.as_secs().to_string(), time::local);
    format!("{shown}, {}", distance(time))
}

/// `good for another 59 min 58 s`, or `expired 3 s ago`.
pub(super) fn distance(time: UnixTime) -> String {
    let seconds = seconds_left(time);
    let distance = Short(Duration::from_secs(seconds.unsigned_abs()));
    if seconds < 0 {
        format!("expired {distance} ago")
    } else {
        format!("good for another {distance}")
    }
}

/// Negative if the time has passed.
pub(super) fn seconds_left(time: UnixTime) -> i64 {
    let now = UnixTime::from(SystemTime::now());
    time.as_secs().saturating_sub(now.as_secs())
}
