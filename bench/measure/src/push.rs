//! A whole push of records, and each of its parts: about what one request takes, 2 MiB of text.

use std::hint::black_box;

use pipeline_proto::{
    Call, CallOptions, RepoName, points,
    resource::push::{Payload, PushPoints},
};

use crate::{
    Failure,
    cases::{AnyCase, of_bytes},
    fixtures::{context, now},
    logs::{Line, Lines},
    transports,
};

/// Just below the 2 MiB that one push may take.
const RECORDS: usize = 6000;

fn records() -> Vec<Line> {
    Lines::new().take(RECORDS).collect()
}

fn encoded(records: &[Line]) -> Vec<u8> {
    let mut out = Vec::with_capacity(400 * RECORDS);
    for record in records {
        points::write(&mut out, record).expect("it is a record");
    }
    out
}

/// How many bytes of text there are, and how many are left of them at this level.
pub(crate) fn lengths(level: u32) -> (usize, usize) {
    let text = encoded(&records());
    (text.len(), Payload::gzip_level(&text, level).bytes().len())
}

fn operation(payload: Payload) -> PushPoints {
    PushPoints::new(RepoName::from_static("clicks"), payload)
}

/// Into new memory each time, as a batch that is handed on needs it.
pub(crate) fn encode() -> AnyCase {
    let records = records();
    of_bytes(encoded(&records).len(), move || {
        black_box(encoded(&records));
    })
}

pub(crate) fn compress(level: usize) -> AnyCase {
    let (text, level) = (encoded(&records()), to_level(level));
    of_bytes(text.len(), move || {
        black_box(Payload::gzip_level(&text, level));
    })
}

fn to_level(level: usize) -> u32 {
    u32::try_from(level).unwrap_or(u32::MAX)
}

pub(crate) fn sign(level: usize) -> AnyCase {
    let (text, context) = (encoded(&records()), context());
    let payload = Payload::gzip_level(&text, to_level(level));
    of_bytes(text.len(), move || {
        let call = Call::new(&context, operation(payload.clone()), CallOptions::new());
        black_box(&call.expect("a legal operation").start(now()).send());
    })
}

/// What is compressed already, through a client.
pub(crate) fn send(level: usize, url: &str) -> Result<AnyCase, Failure> {
    let (text, client) = (encoded(&records()), transports::blocking_client(url)?);
    let payload = Payload::gzip_level(&text, to_level(level));
    Ok(of_bytes(text.len(), move || {
        client.send(operation(payload.clone())).expect("a success");
    }))
}

/// All of it.
pub(crate) fn whole(level: usize, url: &str) -> Result<AnyCase, Failure> {
    let (records, client) = (records(), transports::blocking_client(url)?);
    let level = to_level(level);
    Ok(of_bytes(encoded(&records).len(), move || {
        let payload = Payload::gzip_level(&encoded(&records), level);
        client.send(operation(payload)).expect("a success");
    }))
}
