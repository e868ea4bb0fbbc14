//! JSON as text: broken into lines, taken apart.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// The members of an object, in their order and with their values as text. None of anything else.
pub(crate) fn members(json: &str) -> Option<Vec<(String, &RawValue)>> {
    let members: Result<Members<'_>, _> = serde_json::from_str(json);
    members.ok().map(|Members(members)| members)
}

struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

/// Breaks compact or oddly spaced JSON text into lines. The text of names, strings and numbers is
/// not touched, so nothing is lost that a value in memory could not hold.
pub(crate) fn pretty(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut rest = json.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        match c {
            '"' => {
                let mut escaped = false;
                let mut end = json.len();
                for (next, c) in rest.by_ref() {
                    if c == '"' && !escaped {
                        end = next + 1;
                        break;
                    }
                    escaped = c == '\\' && !escaped;
                }
                out.push_str(&json[at..end]);
            }
            '{' | '[' => {
                out.push(c);
                while rest.next_if(|(_, c)| c.is_ascii_whitespace()).is_some() {}
                if let Some((_, close)) = rest.next_if(|(_, c)| matches!(c, '}' | ']')) {
                    out.push(close);
                } else {
                    depth += 1;
                    line_break(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line_break(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line_break(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => out.push(c),
        }
    }
    out.push('\n');
    out
}

fn line_break(out: &mut String, depth: usize) {
    out.push('\n');
    // Deeper than anything meant for eyes; the text would grow with the square of its depth.
    out.extend(std::iter::repeat_n("  ", depth.min(100)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_and_nothing_else() {
        let json = r#"{"a":[],"b":{ },"c":[1,2.50, 1e400],"d":"x:{,\"\\","e":{"f":null}}"#;
        let expected = r#"{
  "a": [],
  "b": {},
  "c": [
    1,
    2.50,
    1e400
  ],
  "d": "x:{,\"\\",
  "e": {
    "f": null
  }
}
"#;
        assert_eq!(pretty(json), expected);
        assert_eq!(pretty(expected), expected);
        assert_eq!(pretty("\"工\""), "\"工\"\n");
    }
}
