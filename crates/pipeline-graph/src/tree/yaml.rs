//! YAML with the position of every value: the part of YAML 1.2 that JSON can express.
//!
//! Built on the events of `granit-parser` instead of on a serde deserializer, because only events
//! tell a quoted `"1"` from a plain one, keep the digits of numbers, and show repeated keys.

use std::collections::HashMap;

use granit_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag};

use super::{
    json::{Result, SyntaxError},
    number,
};
use crate::tree::{MAX_DEPTH, Member, Position, Tree, Value};

/// How many values aliases may add, so that a few lines cannot grow into gigabytes.
const MAX_ALIASED: usize = 100_000;

/// Reads the one document of a text. An empty text is `null`.
#[cfg(test)]
pub(crate) fn read(text: &str) -> Result<Tree> {
    read_noting(text).map(|(tree, _)| tree)
}

/// Numbers as they were written, by their places.
pub(crate) type Numbers = HashMap<Position, Box<str>>;

/// The same, with the numbers that lose zeros at their beginning: JSON has none there.
pub(crate) fn read_noting(text: &str) -> Result<(Tree, Numbers)> {
    let options = granit_parser::options! {
        emit_comments: false,
        // The default is YAML's limit of 1024 characters for a key; names in JSON have none.
        simple_key_max_lookahead: text.len().max(1024),
        flow_nesting_limit: MAX_DEPTH + 1,
        block_nesting_limit: MAX_DEPTH + 1,
    };
    let mut builder = Builder::default();
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| SyntaxError {
            at: Position::new(error.marker().line(), error.marker().col() + 1),
            message: error.info(),
        })?;
        builder.take(event, span)?;
    }
    let root = builder.root.unwrap_or(Tree {
        at: Position::START,
        value: Value::Null,
    });
    Ok((root, builder.with_zeros))
}

#[derive(Default)]
struct Builder {
    /// Lists and objects that are not complete, from the outermost to the innermost.
    open: Vec<Open>,
    root: Option<Tree>,
    /// Complete values that an alias may repeat.
    anchored: HashMap<usize, Tree>,
    aliased: usize,
    /// Numbers that begin with zeros.
    with_zeros: Numbers,
}

struct Open {
    tree: Tree,
    /// The name of the member whose value comes next.
    name: Option<(Box<str>, Position)>,
    anchor: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<()> {
        let place = |mark: Marker| Position::new(mark.line(), mark.col() + 1);
        let at = place(span.start);
        let tag_at = span.tag_start().map_or(at, place);
        match event {
            Event::DocumentStart(..) if self.root.is_some() => {
                return error(at, "a workflow file holds one document; start another file");
            }
            Event::Scalar(text, style, anchor, tag) => {
                check_tag(tag_at, tag.as_deref(), &["str"])?;
                if self.awaits_name() {
                    if anchor != 0 {
                        return error(at, "an anchor on the name of a member is not supported");
                    }
                    if text == "<<" && style == ScalarStyle::Plain {
                        return error(
                            at,
                            "merge keys (<<) are not supported; write the members out",
                        );
                    }
                    self.name(text.into(), at);
                    return Ok(());
                }
                let number = text.trim_start_matches(['+', '-']).as_bytes();
                if matches!(number, [b'0', b'0'..=b'9', ..]) && style == ScalarStyle::Plain {
                    self.with_zeros.insert(at, (&*text).into());
                }
                let value = match plain(&text) {
                    _ if tag.is_some() || style != ScalarStyle::Plain => Value::Text(text.into()),
                    Ok(value) => value,
                    Err(message) => return error(at, message),
                };
                self.complete(Tree { at, value }, anchor)?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                check_tag(tag_at, tag.as_deref(), &["seq"])?;
                self.start(at, Value::List(Vec::new()), anchor)?;
            }
            Event::MappingStart(_, anchor, tag) => {
                check_tag(tag_at, tag.as_deref(), &["map"])?;
                self.start(at, Value::Map(Vec::new()), anchor)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(done) = self.open.pop() {
                    self.complete(done.tree, done.anchor)?;
                }
            }
            Event::Alias(anchor) => {
                let tree = self.aliased(at, anchor)?;
                match tree.value {
                    Value::Text(text) if self.awaits_name() => self.name(text, at),
                    _ => self.complete(tree, 0)?,
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn awaits_name(&self) -> bool {
        let innermost = self.open.last();
        innermost
            .is_some_and(|open| matches!(open.tree.value, Value::Map(_)) && open.name.is_none())
    }

    fn name(&mut self, name: Box<str>, at: Position) {
        if let Some(open) = self.open.last_mut() {
            open.name = Some((name, at));
        }
    }

    fn start(&mut self, at: Position, value: Value, anchor: usize) -> Result<()> {
        if self.awaits_name() {
            return error(at, "the name of a member must be a plain text");
        }
        if self.open.len() == MAX_DEPTH {
            return error(at, format!("nested deeper than {MAX_DEPTH} levels"));
        }
        self.open.push(Open {
            tree: Tree { at, value },
            name: None,
            anchor,
        });
        Ok(())
    }

    fn complete(&mut self, tree: Tree, anchor: usize) -> Result<()> {
        if self.awaits_name() {
            return error(tree.at, "the name of a member must be a plain text");
        }
        if anchor != 0 {
            self.anchored.insert(anchor, tree.clone());
        }
        match self.open.last_mut() {
            None => self.root = Some(tree),
            Some(open) => match (&mut open.tree.value, open.name.take()) {
                (Value::Map(members), Some((name, at))) => members.push(Member { name, at, tree }),
                (Value::List(list), _) => list.push(tree),
                _ => {}
            },
        }
        Ok(())
    }

    fn aliased(&mut self, at: Position, anchor: usize) -> Result<Tree> {
        let Some(tree) = self.anchored.get(&anchor) else {
            return error(at, "an alias cannot stand inside the value that it repeats");
        };
        let (size, depth) = extent(tree);
        self.aliased += size;
        if self.aliased > MAX_ALIASED {
            return error(at, format!("aliases repeat more than {MAX_ALIASED} values"));
        }
        if self.open.len() + depth > MAX_DEPTH {
            return error(at, format!("nested deeper than {MAX_DEPTH} levels"));
        }
        Ok(tree.clone())
    }
}

fn error<T>(at: Position, message: impl Into<String>) -> Result<T> {
    Err(SyntaxError {
        at,
        message: message.into(),
    })
}

/// How many values a value consists of, and how many lists and objects enclose the innermost one.
fn extent(tree: &Tree) -> (usize, usize) {
    let parts: Vec<&Tree> = match &tree.value {
        Value::List(list) => list.iter().collect(),
        Value::Map(members) => members.iter().map(|member| &member.tree).collect(),
        _ => return (1, 0),
    };
    parts
        .into_iter()
        .map(extent)
        .fold((1, 1), |all, part| (all.0 + part.0, all.1.max(part.1 + 1)))
}

/// Tags other than the expected ones would change the meaning of a value behind its notation.
fn check_tag(at: Position, tag: Option<&Tag>, expected: &[&str]) -> Result<()> {
    match tag {
        None => Ok(()),
        Some(tag) if is_core(tag) && expected.contains(&tag.suffix()) => Ok(()),
        Some(tag) => {
            let name = format!("{}{}", tag.original_handle(), tag.suffix());
            error(
                at,
                format!("the tag {name:?} has no meaning here; remove it"),
            )
        }
    }
}

fn is_core(tag: &Tag) -> bool {
    tag.handle() == "tag:yaml.org,2002:"
}

/// What a text without quotes stands for, by YAML's core schema.
pub(super) fn plain(text: &str) -> std::result::Result<Value, String> {
    let number = |text: String| Ok(Value::Number(text.into()));
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.chars().all(|c| c.is_digit(radix))
        {
            return match u128::from_str_radix(digits, radix) {
                Ok(value) => number(value.to_string()),
                Err(_) => Err(format!("the number {text} is too large")),
            };
        }
    }
    let (sign, unsigned) = match text.as_bytes() {
        [b'-', ..] => ("-", &text[1..]),
        [b'+', ..] => ("", &text[1..]),
        _ => ("", text),
    };
    match unsigned {
        ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN" => {
            return Err(format!("JSON has no number {text}; put it in quotes"));
        }
        _ => {}
    }
    // YAML also allows `.5`, `5.` and leading zeros.
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => unsigned.split_at(at),
        None => (unsigned, ""),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let json = if whole.is_empty() && fraction.is_empty() {
        return Ok(Value::Text(text.into()));
    } else {
        let whole = match whole.trim_start_matches('0') {
            "" => "0",
            digits => digits,
        };
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{sign}{whole}{point}{fraction}{exponent}")
    };
    if number::is_json(&json) {
        number(json)
    } else {
        Ok(Value::Text(text.into()))
    }
}

pub(crate) use super::yaml_out::write;

#[cfg(test)]
mod tests {
    use super::*;

    fn read_as_json(text: &str) -> String {
        match read(text) {
            Ok(tree) => tree.to_json(),
            Err(error) => format!("{}: {}", error.at, error.message),
        }
    }

    #[test]
    fn yaml_is_read_as_the_json_that_it_stands_for() {
        let cases = [
            ("", "null"),
            ("# only a comment\n", "null"),
            (
                "a: 1\nb: [x, \"1\", ~, yes]\n",
                r#"{"a":1,"b":["x","1",null,"yes"]}"#,
            ),
            (
                "- 1.50\n- +007\n- .5\n- 5.\n- 1e400\n- 0x1F\n- 0o17\n",
                "[1.50,7,0.5,5,1e400,31,15]",
            ),
            (
                "- 1_000\n- 12:30\n- 2017-06-01\n- '1'\n- !!str 1\n- -\n",
                r#"["1_000","12:30","2017-06-01","1","1",[null]]"#,
            ),
            ("- -\n- .\n- e5\n- 0x\n", r#"[[null],".","e5","0x"]"#),
            (
                "code: |\n  select\n    1\n",
                "{\"code\":\"select\\n  1\\n\"}",
            ),
            ("a: &x {k: 1}\nb: *x\n", r#"{"a":{"k":1},"b":{"k":1}}"#),
            ("1: a\ntrue: b\n? c\n", r#"{"1":"a","true":"b","c":null}"#),
            ("a: 1\na: 2\n", r#"{"a":1,"a":2}"#),
            ("{\"a\": [1, true, \"\\u0041\"]}", r#"{"a":[1,true,"A"]}"#),
            ("\u{feff}a: b\r\nc: d\r\n", r#"{"a":"b","c":"d"}"#),
        ];
        for (yaml, json) in cases {
            assert_eq!(read_as_json(yaml), json, "{yaml}");
        }
    }

    #[test]
    fn what_json_cannot_express_is_refused() {
        let cases = [
            ("a: .inf", "1:4: JSON has no number .inf; put it in quotes"),
            (
                "a: 0xfffffffffffffffffffffffffffffffff",
                "1:4: the number 0xfffffffffffffffffffffffffffffffff is too large",
            ),
            (
                "a: !env X",
                "1:4: the tag \"!env\" has no meaning here; remove it",
            ),
            (
                "a: !!binary eA==",
                "1:4: the tag \"!!binary\" has no meaning here; remove it",
            ),
            (
                "a: 1\n--- \nb: 2",
                "2:1: a workflow file holds one document; start another file",
            ),
            (
                "? [a]\n: 1",
                "1:3: the name of a member must be a plain text",
            ),
            (
                "a: &a [*a]",
                "1:8: an alias cannot stand inside the value that it repeats",
            ),
            (
                "b: &b {x: 1}\na:\n  <<: *b",
                "3:3: merge keys (<<) are not supported; write the members out",
            ),
        ];
        for (yaml, message) in cases {
            assert_eq!(read_as_json(yaml), message, "{yaml}");
        }
    }

    #[test]
    fn syntax_errors_have_a_position() {
        assert!(read_as_json("a: [1, 2").starts_with("1:"));
        assert!(read_as_json("a: 1\n b: 2\n").starts_with("2:"));
        assert!(read_as_json("a:\n\t- 1\n").starts_with("2:"));
    }

    #[test]
    fn depth_and_aliases_are_bounded() {
        let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(read_as_json(&nested(MAX_DEPTH)), nested(MAX_DEPTH));
        assert!(read_as_json(&nested(MAX_DEPTH + 1)).contains("nested deeper"));
        assert!(read_as_json(&nested(10_000)).starts_with("1:"));
        let deep = format!(
            "a: &a {}\nb: [{}*a{}]",
            nested(100),
            "[".repeat(50),
            "]".repeat(50)
        );
        assert!(read_as_json(&deep).contains("nested deeper"));

        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let list = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb = format!("{bomb}a{level}: &a{level} [{list}]\n");
        }
        assert!(read_as_json(&bomb).contains("aliases repeat more than"));
    }

    #[test]
    fn positions_count_characters_from_one() {
        let Ok(tree) = read("工作: [1,\n  x]\nb:\n  - k: v\n") else {
            panic!()
        };
        let members = tree.as_map().unwrap();
        assert_eq!(
            (members[0].at, members[0].tree.at),
            (Position::new(1, 1), Position::new(1, 5))
        );
        assert_eq!(
            members[0].tree.as_list().unwrap()[1].at,
            Position::new(2, 3)
        );
        let list = members[1].tree.as_list().unwrap();
        let inner = &list[0].as_map().unwrap()[0];
        assert_eq!(
            (inner.at, inner.tree.at),
            (Position::new(4, 5), Position::new(4, 8))
        );
    }
}
