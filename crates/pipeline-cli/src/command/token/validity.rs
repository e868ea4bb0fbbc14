//! How long a token is good.

use std::time::{Duration, SystemTime};

use clap::Args;
use pipeline_proto::UnixTime;

use crate::{
    duration::{self, Short},
    failure::Failure,
    output,
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

/// The time, where a calendar with years of four digits has it.
fn on_calendar(time: UnixTime) -> Option<SystemTime> {
    time.to_system_time()
        .filter(|_| (0..253_402_300_800).contains(&time.as_secs()))
}

/// The time as RFC 3339 writes it, in UTC.
pub(super) fn rfc3339(time: UnixTime) -> Option<String> {
    // The date of HTTP has all the parts: `Sun, 06 Nov 1994 08:49:37 GMT`.
    let date = httpdate::fmt_http_date(on_calendar(time)?);
    let parts: Vec<&str> = date.split(' ').collect();
    let &[_, day, month, year, clock, _] = parts.as_slice() else {
        return None;
    };
    let month = 1 + "JanFebMarAprMayJunJulAugSepOctNovDec".find(month)? / 3;
    Some(format!("{year}-{month:02}-{day}T{clock}Z"))
}

/// The time for people, with its distance from now.
pub(super) fn described(time: UnixTime) -> String {
    let date =
        on_calendar(time).map_or_else(|| time.as_secs().to_string(), httpdate::fmt_http_date);
    format!("{date}, {}", distance(time))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_rfc_3339_demands() {
        let written = |seconds| rfc3339(UnixTime::from_secs(seconds));
        // By `date -u -d @… +%FT%TZ`.
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (784_111_777, "1994-11-06T08:49:37Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_609_459_199, "2020-12-31T23:59:59Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(written(seconds).as_deref(), Some(expected));
        }
        for seconds in [-1, 253_402_300_800, i64::MAX, i64::MIN] {
            assert_eq!(written(seconds), None);
        }
    }
}
