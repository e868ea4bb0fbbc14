//! YAML from JSON text, with the order of members and the digits of numbers kept.

use std::fmt::Write as _;

use pipeline_graph::is_visible;
use serde_json::value::RawValue;

use super::json;

/// Below this depth, values are written as JSON on one line, which is YAML as well.
const DEEPEST_BLOCK: usize = 64;

pub(crate) fn write(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    if !block(&mut out, text, 0) {
        out.push_str(&flow(text));
    }
    out.push('\n');
    out
}

/// Writes an object or a list that has parts, line by line, without the last line break. False if
/// the value is something else.
fn block(out: &mut String, text: &str, depth: usize) -> bool {
    if depth > DEEPEST_BLOCK {
        return false;
    }
    let mut first = true;
    let mut start_line = |out: &mut String| {
        if !std::mem::take(&mut first) {
            out.push('\n');
            out.extend(std::iter::repeat_n("  ", depth));
        }
    };
    if let Some(members) = json::members(text)
        && !members.is_empty()
    {
        for (name, value) in members {
            start_line(out);
            out.push_str(&scalar(&name));
            out.push(':');
            let length = out.len();
            out.push('\n');
            out.extend(std::iter::repeat_n("  ", depth + 1));
            if !block(out, value.get(), depth + 1) {
                out.truncate(length);
                out.push(' ');
                out.push_str(&flow(value.get()));
            }
        }
        return true;
    }
    if let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(text)
        && !elements.is_empty()
    {
        for element in elements {
            start_line(out);
            out.push_str("- ");
            if !block(out, element.get(), depth + 1) {
                out.push_str(&flow(element.get()));
            }
        }
        return true;
    }
    false
}

/// A value on one line.
fn flow(json: &str) -> String {
    match serde_json::from_str::<String>(json) {
        Ok(text) => scalar(&text),
        Err(_) => json.to_owned(),
    }
}

/// A string, without quotes if nobody can take it for something else.
fn scalar(text: &str) -> String {
    let starts_plain = |c: char| c.is_ascii_alphabetic() || c == '_' || c == '/';
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./ ".contains(c);
    let reserved = [
        "true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf",
    ];
    let plain = text.starts_with(starts_plain)
        && text.chars().all(is_plain)
        && !text.ends_with(' ')
        && !reserved.contains(&text.to_ascii_lowercase().as_str());
    if plain {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if is_visible(c) => quoted.push(c),
            // Writing to a string cannot fail.
            c => {
                let _ = match u32::from(c) {
                    code @ ..=0xffff => write!(quoted, "\\u{code:04x}"),
                    code => write!(quoted, "\\U{code:08x}"),
                };
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_and_lists_become_blocks() {
        let json =
            r#"{"b":[{"x":1,"z":[]},"two words",[true,null]],"a":{"m":1e400,"工":"是"},"e":{}}"#;
        let expected = "\
b:
  - x: 1
    z: []
  - two words
  - - true
    - null
a:
  m: 1e400
  \"工\": \"是\"
e: {}
";
        assert_eq!(write(json), expected);
    }

    #[test]
    fn strings_that_look_like_something_else_are_quoted() {
        for (text, expected) in [
            ("nginx_logs", "nginx_logs"),
            ("/v2/workflows", "/v2/workflows"),
            ("", "\"\""),
            ("yes", "\"yes\""),
            ("NULL", "\"NULL\""),
            ("12", "\"12\""),
            ("2017-06-01", "\"2017-06-01\""),
            ("a: b", "\"a: b\""),
            ("a #b", "\"a #b\""),
            ("- a", "\"- a\""),
            ("a ", "\"a \""),
            (
                "\u{1b}\u{85}\u{2028}\u{e0001}",
                "\"\\u001b\\u0085\\u2028\\U000e0001\"",
            ),
        ] {
            assert_eq!(scalar(text), expected);
        }
    }

    #[test]
    fn depth_does_not_overflow_the_stack() {
        let json = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
        let yaml = write(&json);
        assert!(yaml.starts_with("- - - ") && yaml.contains("[[[["));
    }
}
