//! What is allocated, not only what is counted.

use std::time::{Duration, UNIX_EPOCH};

use allocation_counter::measure;
use bytes::Bytes;
use http::Response;
use pipeline_proto::{ApiError, Cause, Error, Fault, FaultKind, Now};
use pipeline_shipper::{Settings, Shipper, Step, WhyNot};

/// The service is away, then takes everything, and then refuses everything.
#[test]
fn what_is_held_is_no_more_than_the_limit_and_the_batches_that_are_made_or_halved() {
    const LIMIT: usize = 8 << 20;
    let away = || Cause::Fault(Fault::new(FaultKind::NotSent));
    let refused = || {
        let response = Response::builder().status(413).body(Bytes::new());
        Cause::Api(ApiError::from_response(&response.unwrap()))
    };
    let line = "x".repeat(999);
    let line = format!("text={line}");
    let mut now = Now::new(UNIX_EPOCH, Duration::ZERO);
    let (mut read, mut told) = (0, 0);
    let allocated = measure(|| {
        let mut shipper = Shipper::new("clicks".parse().unwrap(), Settings::new().memory(LIMIT));
        for round in 0..60 {
            loop {
                match shipper.try_push(read, line.as_bytes(), now) {
                    Ok(()) => read += 1,
                    Err(refused) => break assert!(matches!(refused.why, WhyNot::Full(_))),
                }
            }
            loop {
                match shipper.poll(now) {
                    Step::Push(push) => {
                        let result = match round {
                            0..10 => Err(away()),
                            10..58 => Ok(()),
                            _ => Err(refused()),
                        };
                        let result = result.map_err(|cause| Error::of("push_points", cause));
                        shipper.on_result(push, result, now);
                    }
                    Step::Ask(ask) => panic!("{ask:?}"),
                    Step::Settled(mut verdicts) => {
                        told += verdicts.by_ref().count();
                        shipper.on_told(verdicts);
                    }
                    Step::Wait(_) | Step::Done => break,
                }
            }
            now = now + Duration::from_secs(40);
        }
    });
    assert!(read > 300_000, "{read} records of 1 KB");
    assert!(told > 300_000);
    // One batch gathers, in a buffer that may have grown to twice its size, or is halved.
    let most = u64::try_from(LIMIT + 2 * (2 << 20)).unwrap();
    assert!(allocated.bytes_max <= most, "{} bytes", allocated.bytes_max);
    assert!(allocated.bytes_max >= most / 2, "it was made use of");
}
