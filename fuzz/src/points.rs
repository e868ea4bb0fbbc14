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
        (Ok(()), oracle) => {
            let text = std::str::from_utf8(&out).expect("text stays text");
            assert_eq!(text.find('\n'), Some(text.len() - 1));
            let point = points::read(text).next().expect("it is a point");
            let mut json = Vec::new();
            let read = point.write_json(&mut json, &[], Some(escapes));
            assert_eq!(read, Ok(()), "{text}");
            let texts: Map<String, Value> = serde_json::from_slice(&json).expect("it is an object");
            match oracle {
                Ok(object) if escapes == Escapes::Documented => check_texts(&object, &texts),
                Ok(_) => {}
                // Digits are kept, however many there are.
                Err(error) => assert!(error.to_string().contains("out of range"), "{error}"),
            }
        }
        (Err(error), Ok(value)) => assert!(
            !error.member().is_empty() || error.is_empty_record() || value.contains_key(""),
            "{error}"
        ),
        (Err(_), Err(_)) => assert!(out.is_empty()),
    }
}

/// Each value that the oracle has is there, a text as it is.
fn check_texts(object: &Map<String, Value>, texts: &Map<String, Value>) {
    for (key, value) in object {
        match (value, texts.get(key).and_then(Value::as_str)) {
            (Value::Null, _) => {}
            (Value::String(value), text) => assert_eq!(text, Some(&**value), "{key}"),
            (value, text) => {
                let text = text.expect("the field is there");
                assert_eq!(
                    serde_json::from_str::<Value>(text).ok().as_ref(),
                    Some(value)
                );
            }
        }
    }
}
