//! Records as points, and as JSON.

use std::hint::black_box;

use pipeline_proto::points::{self, Encoder};
use serde_json::Value;

use crate::{
    cases::{AnyCase, of_bytes},
    logs::{Line, Lines},
};

/// How many records one run writes, into one buffer.
const RECORDS: usize = 1000;

fn records() -> Vec<Line> {
    Lines::new().take(RECORDS).collect()
}

fn values() -> Vec<Value> {
    let value = |line: &Line| serde_json::to_value(line).expect("it is JSON");
    records().iter().map(value).collect()
}

fn lines() -> Vec<String> {
    values().iter().map(Value::to_string).collect()
}

/// Speed is given by the bytes that are written.
fn each<T: 'static>(records: Vec<T>, mut write: impl FnMut(&mut Vec<u8>, &T) + 'static) -> AnyCase {
    let mut out = Vec::with_capacity(512 * RECORDS);
    let mut all = move || {
        out.clear();
        for record in &records {
            write(&mut out, record);
        }
        black_box(&out).len()
    };
    of_bytes(all(), move || {
        all();
    })
}

pub(crate) fn typed() -> AnyCase {
    each(records(), |out, record| {
        points::write(out, record).expect("it is a record");
    })
}

pub(crate) fn typed_serde() -> AnyCase {
    each(records(), |out, record| {
        serde_json::to_writer(out, record).expect("it is JSON");
    })
}

pub(crate) fn value() -> AnyCase {
    each(values(), |out, record| {
        points::write(out, record).expect("it is a record");
    })
}

pub(crate) fn value_serde() -> AnyCase {
    each(values(), |out, record| {
        serde_json::to_writer(out, record).expect("it is JSON");
    })
}

pub(crate) fn json() -> AnyCase {
    let mut encoder = Encoder::new();
    each(lines(), move |out, line| {
        encoder.write_json(out, line).expect("it is a record");
    })
}

/// What there is without points: a value in between.
pub(crate) fn json_value() -> AnyCase {
    each(lines(), |out, line| {
        let value: Value = serde_json::from_str(line).expect("it is JSON");
        points::write(out, &value).expect("it is a record");
    })
}
