//! `${NAME}` in the texts of a workflow file: a value that the environment has.

use std::borrow::Cow;

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Stands for itself.
    Literal(&'a str),
    /// Stands for the value of this variable.
    Variable(&'a str),
    /// `${` without a name and a closing brace behind it.
    Malformed,
}

/// Takes a text apart. `$${` stands for `${` itself.
pub(crate) fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some(after) = rest.strip_prefix("$${") {
            rest = after;
            return Some(Piece::Literal("${"));
        }
        if let Some(after) = rest.strip_prefix("${") {
            let name = after.split_once('}').filter(|(name, _)| is_name(name));
            rest = name.map_or(after, |(_, rest)| rest);
            return Some(name.map_or(Piece::Malformed, |(name, _)| Piece::Variable(name)));
        }
        let next = ["$${", "${"]
            .iter()
            .filter_map(|mark| rest.find(mark))
            .min();
        let (literal, after) = rest.split_at(next.unwrap_or(rest.len()));
        rest = after;
        Some(Piece::Literal(literal))
    })
}

/// Whether the text depends on the environment.
pub(crate) fn has_variable(text: &str) -> bool {
    pieces(text).any(|piece| matches!(piece, Piece::Variable(_)))
}

/// The text as it must be written so that it stands for itself.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if text.contains("${") {
        Cow::Owned(text.replace("${", "$${"))
    } else {
        Cow::Borrowed(text)
    }
}

fn is_name(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !text.is_empty() && text.chars().all(letter) && !text.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_is_taken_apart() {
        use Piece::{Literal, Malformed, Variable};
        let cases = [
            ("", vec![]),
            ("a $(year) $b", vec![Literal("a $(year) $b")]),
            ("${A}", vec![Variable("A")]),
            (
                "x${A_1}y${b}",
                vec![Literal("x"), Variable("A_1"), Literal("y"), Variable("b")],
            ),
            ("$${A}", vec![Literal("${"), Literal("A}")]),
            ("$$${A}", vec![Literal("$"), Literal("${"), Literal("A}")]),
            ("${a-b}", vec![Malformed, Literal("a-b}")]),
            ("${}", vec![Malformed, Literal("}")]),
            ("${1}", vec![Malformed, Literal("1}")]),
            ("${A", vec![Malformed, Literal("A")]),
        ];
        for (text, expected) in cases {
            assert_eq!(pieces(text).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_escaped_text_stands_for_itself(text in "[${}A]{0,12}") {
            let escaped = escape(&text);
            let mut again = String::new();
            for piece in pieces(&escaped) {
                let Piece::Literal(literal) = piece else { panic!("{escaped}") };
                again.push_str(literal);
            }
            prop_assert_eq!(again, text);
        }
    }
}
