//! JSON with the position of every value.

use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::value::RawValue;
use unicode_width::UnicodeWidthStr as _;

use super::{MAX_DEPTH, Member, Position, Tree, Value, number};
use crate::visible::is_visible;

/// Why and where a text is not what it should be.
pub(crate) struct SyntaxError {
    pub(crate) at: Position,
    pub(crate) message: String,
}

pub(crate) type Result<T> = std::result::Result<T, SyntaxError>;

/// Reads one JSON value that fills the text. Repeated members are kept; half a surrogate pair
/// becomes U+FFFD, as in the service's language.
pub(crate) fn read(text: &str) -> Result<Tree> {
    read_inside(text, 0)
}

/// Reads a value that is to stand inside of this many lists and objects.
pub(crate) fn read_inside(text: &str, levels: usize) -> Result<Tree> {
    let mut cursor = Cursor {
        rest: text.strip_prefix('\u{feff}').unwrap_or(text),
        line: 1,
        column: 1,
    };
    let tree = cursor.value(levels)?;
    cursor.skip_blanks();
    match cursor.rest.chars().next() {
        None => Ok(tree),
        Some(c) => Err(cursor.unexpected(c, "the end of the text")),
    }
}

struct Cursor<'a> {
    rest: &'a str,
    line: usize,
    column: usize,
}

impl Cursor<'_> {
    fn at(&self) -> Position {
        Position::new(self.line, self.column)
    }

    fn error<T>(&self, message: impl Into<String>) -> Result<T> {
        Err(SyntaxError {
            at: self.at(),
            message: message.into(),
        })
    }

    fn unexpected(&self, c: char, wanted: &str) -> SyntaxError {
        SyntaxError {
            at: self.at(),
            message: format!("found {c:?} instead of {wanted}"),
        }
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = &self.rest[c.len_utf8()..];
        if c == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(c)
    }

    fn take(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        if there {
            self.next();
        }
        there
    }

    fn skip_blanks(&mut self) {
        while let Some(' ' | '\t' | '\n' | '\r') = self.peek() {
            self.next();
        }
    }

    /// The next character after blanks; the end of the text is an error.
    fn must_peek(&mut self, wanted: &str) -> Result<char> {
        self.skip_blanks();
        match self.peek() {
            Some(c) => Ok(c),
            None => self.error(format!("the text ends where {wanted} should be")),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Tree> {
        let c = self.must_peek("a value")?;
        let at = self.at();
        if matches!(c, '{' | '[') && depth == MAX_DEPTH {
            return self.error(format!("nested deeper than {MAX_DEPTH} levels"));
        }
        let value = match c {
            '{' => Value::Map(self.members(depth)?),
            '[' => Value::List(self.elements(depth)?),
            '"' => Value::Text(self.string()?.into()),
            '-' | '0'..='9' => self.number()?,
            'a'..='z' => self.word()?,
            c => return Err(self.unexpected(c, "a value")),
        };
        Ok(Tree { at, value })
    }

    fn members(&mut self, depth: usize) -> Result<Vec<Member>> {
        self.next();
        let mut members = Vec::new();
        if self.must_peek("'}'")? == '}' {
            self.next();
            return Ok(members);
        }
        loop {
            let c = self.must_peek("the name of a member")?;
            if c != '"' {
                return Err(self.unexpected(c, "the name of a member in double quotes"));
            }
            let at = self.at();
            let name = self.string()?.into();
            let c = self.must_peek("':'")?;
            if !self.take(':') {
                return Err(self.unexpected(c, "':'"));
            }
            let tree = self.value(depth + 1)?;
            members.push(Member { name, at, tree });
            let c = self.must_peek("',' or '}'")?;
            if self.take('}') {
                return Ok(members);
            }
            if !self.take(',') {
                return Err(self.unexpected(c, "',' or '}'"));
            }
        }
    }

    fn elements(&mut self, depth: usize) -> Result<Vec<Tree>> {
        self.next();
        let mut elements = Vec::new();
        if self.must_peek("']'")? == ']' {
            self.next();
            return Ok(elements);
        }
        loop {
            elements.push(self.value(depth + 1)?);
            let c = self.must_peek("',' or ']'")?;
            if self.take(']') {
                return Ok(elements);
            }
            if !self.take(',') {
                return Err(self.unexpected(c, "',' or ']'"));
            }
        }
    }

    fn number(&mut self) -> Result<Value> {
        let part = |c: char| matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E');
        let length = self.rest.find(|c| !part(c)).unwrap_or(self.rest.len());
        let text = &self.rest[..length];
        if !number::is_json(text) {
            return self.error(format!("{text:?} is not a number in JSON"));
        }
        self.rest = &self.rest[length..];
        self.column += length;
        Ok(Value::Number(text.into()))
    }

    fn word(&mut self) -> Result<Value> {
        let ends = |c: char| !c.is_ascii_alphanumeric();
        let length = self.rest.find(ends).unwrap_or(self.rest.len());
        let value = match &self.rest[..length] {
            "null" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => return self.error("only true, false and null may stand without quotes"),
        };
        self.rest = &self.rest[length..];
        self.column += length;
        Ok(value)
    }

    fn string(&mut self) -> Result<String> {
        self.next();
        let mut text = String::new();
        loop {
            match self.peek() {
                None => return self.error("the text ends within a string"),
                Some('"') => {
                    self.next();
                    return Ok(text);
                }
                Some('\\') => text.push(self.escape()?),
                Some(c) if c < ' ' => {
                    return self.error("a control character in a string must be escaped");
                }
                Some(c) => {
                    self.next();
                    text.push(c);
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char> {
        self.next();
        let c = match self.peek() {
            Some(c @ ('"' | '\\' | '/')) => c,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => return self.unicode_escape(),
            _ => return self.error("an unknown escape in a string"),
        };
        self.next();
        Ok(c)
    }

    fn unicode_escape(&mut self) -> Result<char> {
        let first = self.hex4()?;
        if (0xd800..0xdc00).contains(&first) && self.rest.starts_with("\\u") {
            let (rest, column) = (self.rest, self.column);
            self.next();
            let second = self.hex4()?;
            if (0xdc00..0xe000).contains(&second) {
                let pair = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(pair).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            // The second one stands for itself.
            (self.rest, self.column) = (rest, column);
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex4(&mut self) -> Result<u32> {
        self.next();
        let mut number = 0;
        for _ in 0..4 {
            let Some(digit) = self.peek().and_then(|c| c.to_digit(16)) else {
                return self.error("\\u needs four hexadecimal digits");
            };
            number = number * 16 + digit;
            self.next();
        }
        Ok(number)
    }
}

/// Writes a value over several lines, with what cannot be seen escaped, so that no text steers a terminal.
pub(crate) fn write_pretty(tree: &Tree) -> String {
    let json = lines(tree, 0).join("\n");
    let is_plain = |c| is_visible(c) || c == '\n';
    if json.chars().all(is_plain) {
        return json;
    }
    // Outside of strings JSON has nothing but what is plain.
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_plain(c) {
            out.push(c);
        } else {
            let units = c.encode_utf16(&mut [0; 2]).to_vec();
            out.extend(units.iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    out
}

/// A value with as much on a line as there is room for: most often an element of a list. Without any, each member
/// and each element has a line of its own.
pub(crate) fn lines(tree: &Tree, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    lay_out(&mut lines, tree, "", "", room);
    lines
}

fn lay_out(lines: &mut Vec<String>, tree: &Tree, start: &str, end: &str, room: usize) {
    let indent = start.len() - start.trim_start().len();
    let is_one_line = match &tree.value {
        Value::List(list) if list.is_empty() => true,
        Value::Map(members) if members.is_empty() => true,
        Value::List(_) | Value::Map(_) if room == 0 => false,
        Value::List(_) | Value::Map(_) => {
            start.width() + tree.to_json().width() + end.len() <= room
        }
        _ => true,
    };
    let (open, parts, close): (_, Vec<(String, &Tree)>, _) = match &tree.value {
        Value::List(list) if !is_one_line => {
            let parts = list.iter().map(|part| (String::new(), part));
            ('[', parts.collect(), ']')
        }
        Value::Map(members) if !is_one_line => {
            let name = |name: &str| Tree::text(name).to_json() + ": ";
            let parts = members.iter().map(|it| (name(&it.name), &it.tree));
            ('{', parts.collect(), '}')
        }
        _ => return lines.push(format!("{start}{}{end}", tree.to_json())),
    };
    lines.push(format!("{start}{open}"));
    let last = parts.len().saturating_sub(1);
    for (at, (name, part)) in parts.into_iter().enumerate() {
        let start = format!("{:1$}{name}", "", indent + 2);
        let end = if at == last { "" } else { "," };
        lay_out(lines, part, &start, end, room);
    }
    lines.push(format!("{:1$}{close}{end}", "", indent));
}

/// Numbers keep their digits.
impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match &self.value {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Number(digits) => RawValue::from_string(digits.to_string())
                .map_err(S::Error::custom)?
                .serialize(serializer),
            Value::Text(text) => serializer.serialize_str(text),
            Value::List(list) => serializer.collect_seq(list),
            Value::Map(members) => {
                serializer.collect_map(members.iter().map(|member| (&member.name, &member.tree)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_again(text: &str) -> String {
        match read(text) {
            Ok(tree) => tree.to_json(),
            Err(error) => format!("{}: {}", error.at, error.message),
        }
    }

    #[test]
    fn json_is_read_and_written() {
        let cases = [
            (" [ ] ", "[]"),
            (
                "{ \"b\" : 1e400, \"a\":[true,null], \"b\":{} }",
                r#"{"b":1e400,"a":[true,null],"b":{}}"#,
            ),
            (
                r#""\u0041\ud83d\ude00\ud800\ud800\u0041\/\n\"\\""#,
                "\"A😀\u{fffd}\u{fffd}A/\\n\\\"\\\\\"",
            ),
            ("\u{feff}-1.50", "-1.50"),
        ];
        for (text, again) in cases {
            assert_eq!(read_again(text), again);
        }
    }

    #[test]
    fn what_cannot_be_seen_is_escaped_where_people_read() {
        let Ok(tree) = read("[\"a\u{7f}\u{9b}\u{202e}\u{e0001}\\u001b\u{e9}\"]") else {
            panic!()
        };
        let expected = "[\n  \"a\\u007f\\u009b\\u202e\\udb40\\udc01\\u001b\u{e9}\"\n]";
        assert_eq!(write_pretty(&tree), expected);
    }

    #[test]
    fn errors_say_where_and_what() {
        let cases = [
            ("", "1:1: the text ends where a value should be"),
            (
                "{\"a\":1,\n  }",
                "2:3: found '}' instead of the name of a member in double quotes",
            ),
            ("[1 2]", "1:4: found '2' instead of ',' or ']'"),
            ("{\"工\" 1}", "1:6: found '1' instead of ':'"),
            ("[01]", "1:2: \"01\" is not a number in JSON"),
            ("[True]", "1:2: found 'T' instead of a value"),
            (
                "[yes]",
                "1:2: only true, false and null may stand without quotes",
            ),
            (
                "\"a\tb\"",
                "1:3: a control character in a string must be escaped",
            ),
            ("\"\\x\"", "1:3: an unknown escape in a string"),
            ("\"\\u12g4\"", "1:6: \\u needs four hexadecimal digits"),
            ("\"abc", "1:5: the text ends within a string"),
            ("1 1", "1:3: found '1' instead of the end of the text"),
        ];
        for (text, message) in cases {
            assert_eq!(read_again(text), message, "{text}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(read_again(&nested(MAX_DEPTH)), nested(MAX_DEPTH));
        assert!(read_again(&nested(100_000)).contains("nested deeper than 125 levels"));
    }

    #[test]
    fn positions_count_characters() {
        let Ok(tree) = read("{\"工作\": [1,\n \"x\"]}") else {
            panic!()
        };
        let member = &tree.as_map().unwrap()[0];
        assert_eq!(
            (member.at, member.tree.at),
            (Position::new(1, 2), Position::new(1, 8))
        );
        assert_eq!(member.tree.as_list().unwrap()[1].at, Position::new(2, 2));
    }
}
