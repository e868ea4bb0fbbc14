//! A text, read as a line of JSON that becomes a point, and as points.

use pipeline_proto::points::{self, Encoder, Escapes};
use serde_json::{Map, Value};

/// # Panics
///
/// If a line is taken that `serde_json` does not take, or the other way round, or a point is read otherwise than
/// it was written.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    for escapes in [Escapes::Clients, Escapes::Documented] {
        check_line(text, escapes);
    }
    for point in points::read(text) {
        let Ok(fields) = point.fields().collect::<Result<Vec<_>, _>>() else {
            continue;
        };
        let fields: Vec<String> = fields
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        assert_eq!(fields.join("\t"), point.text());
    }
}

fn check_line(line: &str, escapes: Escapes) {
    let mut out = Vec::new();
    let written = Encoder::new().escapes(escapes).write_json(&mut out, line);
    let oracle = serde_json::from_str::<Map<String, Value>>(line);
    match (written, oracle) {
        (Ok(()), _) => {
            let text = std::str::from_utf8(&out).expect("text stays text");
            assert_eq!(text.find('\n'), Some(text.len() - 1));
            let point = points::read(text).next().expect("it is a point");
            let mut json = Vec::new();
            let read = point.write_json(&mut json, &[], Some(escapes));
            assert_eq!(read, Ok(()), "{text}");
            serde_json::from_slice::<Map<String, Value>>(&json).expect("it is an object");
        }
        (Err(error), Ok(value)) => assert!(
            !error.member().is_empty() || error.is_empty_record() || value.contains_key(""),
            "{error}"
        ),
        (Err(_), Err(_)) => assert!(out.is_empty()),
    }
}
