//! YAML for people: blocks, short lists on one line, long texts as they are.

use std::fmt::Write as _;

use super::yaml::plain;
use crate::{
    tree::{Tree, Value},
    visible::is_visible,
};

/// How long a list or an object on one line may become.
const FLOW_WIDTH: usize = 76;

/// Writes a value as a document.
pub(crate) fn write(tree: &Tree) -> String {
    let mut out = String::new();
    match &tree.value {
        Value::Map(members) if !members.is_empty() => write_block(&mut out, tree, 0),
        Value::List(list) if !list.is_empty() => write_block(&mut out, tree, 0),
        _ => out = scalar(tree) + "\n",
    }
    out
}

/// Writes a list or an object that is not empty, line by line.
fn write_block(out: &mut String, tree: &Tree, indent: usize) {
    match &tree.value {
        Value::Map(members) => {
            for (index, member) in members.iter().enumerate() {
                // The first line stands behind a dash when the object is an element of a list.
                if index > 0 || !out.ends_with("- ") {
                    start_line(out, indent);
                }
                out.push_str(&text(&member.name));
                out.push(':');
                write_value(out, &member.tree, indent);
            }
        }
        Value::List(list) => {
            let on_one_line: Option<Vec<String>> = list.iter().map(flow).collect();
            for (index, element) in list.iter().enumerate() {
                start_line(out, indent);
                out.push('-');
                match (&on_one_line, &element.value) {
                    (Some(lines), _) => {
                        out.push(' ');
                        out.push_str(&lines[index]);
                        out.push('\n');
                    }
                    (None, Value::Map(members)) if !members.is_empty() => {
                        out.push(' ');
                        write_block(out, element, indent + 2);
                    }
                    _ => write_value(out, element, indent),
                }
            }
        }
        _ => {}
    }
}

/// Writes what follows a colon or a dash.
fn write_value(out: &mut String, tree: &Tree, indent: usize) {
    let parts = match &tree.value {
        Value::Map(members) => members.len(),
        Value::List(list) => list.len(),
        Value::Text(text) if is_literal(text) => return write_literal(out, text, indent + 2),
        _ => 0,
    };
    let list_of_scalars = match &tree.value {
        Value::List(list) => list.iter().all(|part| !has_parts(part)),
        _ => false,
    };
    match flow(tree) {
        Some(line) if parts == 0 || list_of_scalars => {
            out.push(' ');
            out.push_str(&line);
            out.push('\n');
        }
        _ if parts == 0 => {
            out.push(' ');
            out.push_str(&scalar(tree));
            out.push('\n');
        }
        _ => {
            out.push('\n');
            write_block(out, tree, indent + 2);
        }
    }
}

fn start_line(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

fn has_parts(tree: &Tree) -> bool {
    matches!(&tree.value, Value::Map(_) | Value::List(_))
}

/// A value on one line, if it consists of scalars and is short.
fn flow(tree: &Tree) -> Option<String> {
    let line = match &tree.value {
        Value::Map(members) if members.iter().any(|member| has_parts(&member.tree)) => return None,
        Value::List(list) if list.iter().any(has_parts) => return None,
        Value::Map(members) => {
            let write = |member: &crate::tree::Member| {
                format!("{}: {}", text(&member.name), scalar(&member.tree))
            };
            let members: Vec<_> = members.iter().map(write).collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::List(list) => {
            let elements: Vec<_> = list.iter().map(scalar).collect();
            format!("[{}]", elements.join(", "))
        }
        _ => scalar(tree),
    };
    let multiline = matches!(&tree.value, Value::Text(text) if is_literal(text));
    (line.len() <= FLOW_WIDTH && !multiline).then_some(line)
}

/// A value that is neither a list nor an object, except for empty ones.
fn scalar(tree: &Tree) -> String {
    match &tree.value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(digits) => digits.to_string(),
        Value::Text(content) => text(content),
        Value::List(_) => "[]".to_owned(),
        Value::Map(_) => "{}".to_owned(),
    }
}

/// A text, in quotes unless every reader of YAML takes it for a text without them.
fn text(content: &str) -> String {
    if is_plain(content) {
        return content.to_owned();
    }
    let mut out = String::from("\"");
    for c in content.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_visible(c) => out.push(c),
            // Writing to a string cannot fail.
            c => {
                let _ = match u32::from(c) {
                    code @ ..=0xffff => write!(out, "\\u{code:04x}"),
                    code => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push('"');
    out
}

fn is_plain(content: &str) -> bool {
    let letter = |c: char| c.is_alphanumeric() || "_./-+()@$%".contains(c);
    let starts = |c: char| c.is_alphanumeric() || c == '_' || c == '/' || c == '$';
    // Dates and the numbers of older readers start with a digit and have none of these letters.
    let unlike_a_number = |text: &str| {
        !text.starts_with(|c: char| c.is_numeric())
            || text
                .contains(|c: char| matches!(c, 'g'..='w' | 'G'..='W') && !matches!(c, 'o' | 'O'))
    };
    // Older readers take these for booleans, on one side of a colon or the other.
    let boolean = ["y", "n", "yes", "no", "on", "off"];
    content.starts_with(starts)
        && !content.ends_with(' ')
        && !content.contains("  ")
        && content.chars().all(|c| letter(c) || c == ' ')
        && unlike_a_number(content)
        && !boolean.contains(&content.to_ascii_lowercase().as_str())
        && matches!(plain(content), Ok(Value::Text(_)))
}

/// Whether a text of several lines can stand as it is, and be edited without surprises.
fn is_literal(content: &str) -> bool {
    content.contains('\n')
        && !content.starts_with(['\n', ' ', '\t'])
        && !content.ends_with("\n\n")
        && content
            .chars()
            .all(|c| is_visible(c) || c == '\n' || c == '\t')
        && !content.lines().any(|line| line.ends_with([' ', '\t']))
}

fn write_literal(out: &mut String, content: &str, indent: usize) {
    out.push_str(if content.ends_with('\n') {
        " |\n"
    } else {
        " |-\n"
    });
    for line in content.lines() {
        if !line.is_empty() {
            start_line(out, indent);
            out.push_str(line);
        }
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::super::{json, yaml};
    use super::*;
    use proptest::prelude::*;

    fn as_yaml(json: &str) -> String {
        let Ok(tree) = json::read(json) else {
            panic!("{json}")
        };
        write(&tree)
    }

    #[test]
    fn yaml_is_written_for_people() {
        let json = r#"{"name":"w","empty":{"a":[],"b":{}},"schema":[{"key":"ip","required":true},{"key":"size","valtype":null}],
            "code":"select\n  1\n","last":"a\nb","mixed":[1,{"a":{"b":1},"c":2},[1,[2]],[]],"parents":["a-repo","b-repo"]}"#;
        let expected = "\
name: w
empty:
  a: []
  b: {}
schema:
  - {key: ip, required: true}
  - {key: size, valtype: null}
code: |
  select
    1
last: |-
  a
  b
mixed:
  - 1
  - a:
      b: 1
    c: 2
  -
    - 1
    - [2]
  - []
parents: [a-repo, b-repo]
";
        assert_eq!(as_yaml(json), expected);
    }

    #[test]
    fn texts_are_quoted_when_in_doubt() {
        for plain in [
            "nb", "a b", "5m", "1U2G", "/v2/x", "点击", "$(year)", "a-repo",
        ] {
            assert_eq!(text(plain), plain);
        }
        let doubtful = "a: b|a #b|#ip|1|1.5|-1|1e3|0x1F|1_000|2017-06-01|10.0.0.1|yes|No|null|~|true|*|&a|!x|[a]|{a}|\
            a, b|'|@x|-|?|http://h|=|<<|.inf|${X}|a  b|y|0b1|12:30";
        for doubtful in doubtful.split('|').chain(["", " ", "a "]) {
            assert_eq!(text(doubtful), format!("\"{doubtful}\""));
        }
        assert_eq!(
            text("a\u{1b}\u{202e}\u{85}\"\\\u{e0001}"),
            r#""a\u001b\u202e\u0085\"\\\U000e0001""#
        );
    }

    fn any_text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-zA-Z0-9_. :#\\-\n\t,\\[\\]{}\"'|>&*!%@`~?$=<]{0,12}",
            any::<String>(),
            proptest::sample::select(vec![
                "true",
                "null",
                "1",
                "~",
                "---",
                "...",
                "- a",
                "a\n\nb\n",
                "\n",
                "%YAML 1.2"
            ])
            .prop_map(str::to_owned),
        ]
    }

    fn any_tree() -> impl Strategy<Value = Tree> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,9})?([eE][+-]?[0-9]{1,4})?"
                .prop_map(|digits| Value::Number(digits.into())),
            any_text().prop_map(|text| Value::Text(text.into())),
        ]
        .prop_map(Tree::unplaced);
        leaf.prop_recursive(5, 40, 6, |part| {
            let member = (any_text(), part.clone()).prop_map(|(name, tree)| crate::tree::Member {
                name: name.into(),
                at: crate::tree::Position::START,
                tree,
            });
            prop_oneof![
                proptest::collection::vec(part, 0..6).prop_map(Value::List),
                proptest::collection::vec(member, 0..6).prop_map(Value::Map),
            ]
            .prop_map(Tree::unplaced)
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(tree in any_tree()) {
            let out = write(&tree);
            match yaml::read(&out) {
                Ok(again) => prop_assert_eq!(again.to_json(), tree.to_json(), "{}", out),
                Err(error) => prop_assert!(false, "{}: {}\n{}", error.at, error.message, out),
            }
            let out = json::write_pretty(&tree);
            let Ok(again) = json::read(&out) else { panic!("{out}") };
            prop_assert_eq!(again.to_json(), tree.to_json());
            let raw = tree.to_raw();
            prop_assert_eq!(raw.get(), tree.to_json());
        }

        #[test]
        fn no_text_makes_a_reader_panic(text in "[-a:\\[\\]{}&*!|>'\"#%@`?, \n\t\r\\\\u0-9]{0,60}") {
            let _ = yaml::read(&text);
            let _ = json::read(&text);
        }

        #[test]
        fn json_is_yaml_too(tree in any_tree()) {
            let json = json::write_pretty(&tree);
            // YAML has no numbers and texts of its own in here: everything is in quotes or JSON.
            if let Ok(again) = yaml::read(&json) {
                prop_assert_eq!(again.to_json(), tree.to_json());
            }
        }
    }
}
