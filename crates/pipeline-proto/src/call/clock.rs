//! What the service's clock shows, as far as its responses tell.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use bytes::Bytes;
use http::{
    Response,
    header::{AGE, DATE},
};

use crate::time::{ClockOffset, Now};

/// Above this the two clocks are taken to differ. The service allows 15 minutes; what remains is
/// room for a measurement that is itself off.
const TOLERANCE: Duration = Duration::from_secs(4 * 60);

/// A round trip longer than this says nothing about the clocks.
const LONGEST_ROUND_TRIP: Duration = Duration::from_secs(15 * 60);

/// Measures the offset from the `Date` of a response: it was written about half-way between
/// sending and receiving. `None` if the response has no readable date, comes from a cache, or took
/// so long that it says nothing.
pub(super) fn measure(response: &Response<Bytes>, sent: Now, received: Now) -> Option<ClockOffset> {
    let round_trip = received.since(sent);
    if response.headers().contains_key(AGE) || round_trip > LONGEST_ROUND_TRIP {
        return None;
    }
    let date = httpdate::parse_http_date(response.headers().get(DATE)?.to_str().ok()?).ok()?;
    // Counted from the wall clock at sending, because the signature was made with it.
    let middle = sent.wall.checked_add(round_trip / 2)?;
    Some(match date.duration_since(middle) {
        Ok(ahead) => ClockOffset::ahead(ahead),
        Err(error) => ClockOffset::behind(error.duration()),
    })
}

/// Whether two offsets differ so much that signatures made with one fail under the other.
pub(super) fn differ(one: ClockOffset, other: ClockOffset) -> bool {
    let apart = one.millis.abs_diff(other.millis);
    Duration::from_millis(apart) > TOLERANCE
}

/// The offset that the calls of a context share.
#[derive(Debug, Default)]
pub(super) struct SharedOffset(AtomicI64);

impl SharedOffset {
    // Relaxed: the offset stands for itself, no other memory depends on it.
    pub(super) fn get(&self) -> ClockOffset {
        ClockOffset {
            millis: self.0.load(Ordering::Relaxed),
        }
    }

    pub(super) fn set(&self, offset: ClockOffset) {
        self.0.store(offset.millis, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    const START: Duration = Duration::from_secs(784_111_777);

    fn at(seconds: u64) -> Now {
        Now::new(SystemTime::UNIX_EPOCH + START, Duration::ZERO) + Duration::from_secs(seconds)
    }

    fn dated(date: SystemTime) -> Response<Bytes> {
        Response::builder()
            .header("date", httpdate::fmt_http_date(date))
            .body(Bytes::new())
            .unwrap()
    }

    #[test]
    fn the_date_is_compared_with_the_middle_of_the_round_trip() {
        let response = dated(at(1210).wall);
        assert_eq!(
            measure(&response, at(0), at(20)),
            Some(ClockOffset::ahead(Duration::from_secs(1200)))
        );
        assert_eq!(
            measure(&response, at(1800), at(1820)),
            Some(ClockOffset::behind(Duration::from_secs(600)))
        );
    }

    #[test]
    fn caches_slow_answers_and_missing_dates_say_nothing() {
        let mut cached = dated(at(0).wall);
        cached.headers_mut().insert("age", "10".parse().unwrap());
        assert_eq!(measure(&cached, at(0), at(1)), None);
        assert_eq!(measure(&dated(at(0).wall), at(0), at(901)), None);
        assert!(measure(&dated(at(0).wall), at(0), at(900)).is_some());
        assert_eq!(measure(&Response::new(Bytes::new()), at(0), at(1)), None);
    }

    #[test]
    fn four_minutes_are_within_tolerance() {
        let zero = ClockOffset::default();
        assert!(!differ(ClockOffset::ahead(Duration::from_secs(240)), zero));
        assert!(differ(
            ClockOffset::ahead(Duration::from_millis(240_001)),
            zero
        ));
        assert!(differ(
            ClockOffset::behind(Duration::from_millis(240_001)),
            zero
        ));
    }
}
