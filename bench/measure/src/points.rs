//! Records as points, and as JSON: a log line of some 250 bytes.

use std::hint::black_box;

use pipeline_proto::points::{self, Encoder};
use serde::Serialize;
use serde_json::Value;

use crate::cases::Case;

/// How many records one run writes, into one buffer.
const RECORDS: usize = 1000;

#[derive(Clone, Serialize)]
struct Request {
    time: String,
    host: String,
    method: &'static str,
    path: String,
    status: u16,
    bytes: u64,
    seconds: f64,
    agent: String,
    referrer: Option<String>,
    cached: bool,
}

fn requests() -> Vec<Request> {
    let request = |n: usize| Request {
        time: format!("2026-11-28T00:{:02}:{:02}.123+08:00", n / 60 % 60, n % 60),
        host: format!("web{}.example.com", n % 8),
        method: "GET",
        path: format!("/articles/{n}/comments?page={}&sort=newest", n % 10),
        status: 200,
        bytes: 1234 + 17 * n as u64,
        seconds: 0.001 * n as f64 + 0.0123,
        agent: "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0".to_owned(),
        referrer: (n % 3 == 0).then(|| "https://www.example.com/".to_owned()),
        cached: n % 2 == 0,
    };
    (0..RECORDS).map(request).collect()
}

fn values() -> Vec<Value> {
    let value = |request: &Request| serde_json::to_value(request).expect("it is JSON");
    requests().iter().map(value).collect()
}

fn lines() -> Vec<String> {
    values().iter().map(Value::to_string).collect()
}

fn each<T: 'static>(records: Vec<T>, mut write: impl FnMut(&mut Vec<u8>, &T) + 'static) -> Case {
    let mut out = Vec::with_capacity(512 * RECORDS);
    Box::new(move || {
        out.clear();
        for record in &records {
            write(&mut out, record);
        }
        black_box(&out);
    })
}

pub(crate) fn typed() -> Case {
    each(requests(), |out, record| {
        points::write(out, record).expect("it is a record")
    })
}

pub(crate) fn typed_serde() -> Case {
    each(requests(), |out, record| {
        serde_json::to_writer(out, record).expect("it is JSON")
    })
}

pub(crate) fn value() -> Case {
    each(values(), |out, record| {
        points::write(out, record).expect("it is a record")
    })
}

pub(crate) fn value_serde() -> Case {
    each(values(), |out, record| {
        serde_json::to_writer(out, record).expect("it is JSON")
    })
}

pub(crate) fn json() -> Case {
    let mut encoder = Encoder::new();
    each(lines(), move |out, line| {
        encoder.write_json(out, line).expect("it is a record")
    })
}

/// What there is without points: a value in between.
pub(crate) fn json_value() -> Case {
    each(lines(), |out, line| {
        let value: Value = serde_json::from_str(line).expect("it is JSON");
        points::write(out, &value).expect("it is a record");
    })
}
