//! Telling code, comments and literals of a Rust source apart: as much of a lexer as the text
//! checks need.

/// The same source twice. In each, what is not shown is blank, so that lines stay where they are.
pub(super) struct Views {
    /// Without comments and without the content of literals.
    pub(super) code: String,
    /// Comments only.
    pub(super) comments: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Code,
    Comment,
    Literal,
}

pub(super) fn views(source: &str) -> Views {
    let chars: Vec<char> = source.chars().collect();
    let mut views = Views {
        code: String::with_capacity(source.len()),
        comments: String::new(),
    };
    let mut at = 0;
    while at < chars.len() {
        let (part, length) = token(&chars, at);
        for &c in &chars[at..at + length] {
            let shown = |visible| if visible || c == '\n' { c } else { ' ' };
            views.code.push(shown(part == Part::Code));
            views.comments.push(shown(part == Part::Comment));
        }
        at += length;
    }
    views
}

/// What starts at `at`, and how many characters it has. At least one, and none behind the end.
fn token(chars: &[char], at: usize) -> (Part, usize) {
    let rest = &chars[at..];
    let after_name = at > 0 && is_name(chars[at - 1]);
    match rest {
        ['/', '/', ..] => (Part::Comment, until_newline(rest)),
        ['/', '*', ..] => (Part::Comment, block_comment(rest)),
        ['"', ..] => (Part::Literal, quoted(rest, '"')),
        ['\'', '\\', ..] => (Part::Literal, quoted(rest, '\'')),
        ['\'', _, '\'', ..] => (Part::Literal, 3),
        ['r', '"' | '#', ..] if !after_name => raw_string(rest, 1),
        ['b' | 'c', 'r', '"' | '#', ..] if !after_name => raw_string(rest, 2),
        _ => (Part::Code, 1),
    }
}

pub(super) fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn until_newline(rest: &[char]) -> usize {
    rest.iter().position(|c| *c == '\n').unwrap_or(rest.len())
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match &rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn quoted(rest: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            c if c == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// A raw string after its prefix, or a raw name such as `r#type`.
fn raw_string(rest: &[char], prefix: usize) -> (Part, usize) {
    let hashes = rest[prefix..].iter().take_while(|c| **c == '#').count();
    let begin = prefix + hashes + 1;
    if rest.get(begin - 1) != Some(&'"') {
        return (Part::Code, prefix);
    }
    let ends = |at: &usize| {
        rest[*at] == '"' && rest[at + 1..].iter().take_while(|c| **c == '#').count() >= hashes
    };
    let end = (begin..rest.len()).find(ends);
    (Part::Literal, end.map_or(rest.len(), |at| at + 1 + hashes))
}

/// Where `text` stands in the code as words of its own: `println!` is not found in `eprintln!`.
pub(super) fn find<'a>(code: &'a str, text: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(text)
        .map(|(at, _)| at)
        .filter(move |at| {
            let before = code[..*at].chars().next_back();
            let after = code[at + text.len()..].chars().next();
            let joined = |inside: Option<char>, outside: Option<char>| {
                inside.is_some_and(is_name) && outside.is_some_and(is_name)
            };
            !joined(text.chars().next(), before) && !joined(text.chars().next_back(), after)
        })
}

/// The modules of the standard library that the code names, as `std::net` or inside of
/// `use std::{net, …}`, each with where.
pub(super) fn std_modules(code: &str) -> Vec<(usize, &str)> {
    let mut modules = Vec::new();
    for at in find(code, "std::") {
        let at = at + "std::".len();
        if code[at..].starts_with('{') {
            modules.extend(group(code, at));
        } else {
            modules.push((at, name_at(code, at)));
        }
    }
    modules
}

/// The first name of each item of the group that opens at `open`.
fn group(code: &str, open: usize) -> Vec<(usize, &str)> {
    let mut names = Vec::new();
    let (mut depth, mut fresh) = (0_usize, false);
    for (offset, c) in code[open..].char_indices() {
        let at = open + offset;
        match c {
            '{' => (depth, fresh) = (depth + 1, depth == 0),
            '}' if depth == 1 => break,
            '}' => depth -= 1,
            ',' => fresh = depth == 1,
            c if fresh && is_name(c) => {
                names.push((at, name_at(code, at)));
                fresh = false;
            }
            _ => {}
        }
    }
    names
}

fn name_at(code: &str, at: usize) -> &str {
    let rest = &code[at..];
    &rest[..rest.find(|c| !is_name(c)).unwrap_or(rest.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_comments_and_literals_are_told_apart() {
        let cases = [
            ("let a = 1; // now()", "let a = 1;", "// now()"),
            (
                "a /* x /* y */ z */ b",
                "a                   b",
                "/* x /* y */ z */",
            ),
            (r#"f("http://x", 'a') // c"#, "f(          ,    )", "// c"),
            (r#""a \" // b" + c"#, "            + c", ""),
            (r##"r#"a " // b"# + c"##, "              + c", ""),
            (r#"br"\" + c"#, "      + c", ""),
            ("let r#type = 'x';", "let r#type =    ;", ""),
            (r"let q = '\''; // q", "let q =     ;", "// q"),
            ("fn f<'a>(x: &'a str) // y", "fn f<'a>(x: &'a str)", "// y"),
            ("for 'x' in \"", "for     in", ""),
            ("/* never closed", "", "/* never closed"),
        ];
        for (source, code, comments) in cases {
            let views = views(source);
            assert_eq!(views.code.trim_end(), code, "{source}");
            assert_eq!(views.comments.trim(), comments, "{source}");
        }
    }

    #[test]
    fn lines_stay_where_they_are() {
        let views = views("/* a\nb */ c\n\"d\ne\" f // 日\n");
        assert_eq!(views.code, "    \n     c\n  \n   f     \n");
        assert_eq!(views.comments.lines().count(), 4);
    }

    #[test]
    fn words_are_found_whole() {
        let count = |code, text| find(code, text).count();
        assert_eq!(count("eprintln!(); println!()", "println!"), 1);
        assert_eq!(count("Instant::now() MyInstant::now()", "Instant::now"), 1);
        assert_eq!(count("std::time::Instant::nowish", "Instant::now"), 0);
        assert_eq!(count(".unwrap() x.unwrap()", ".unwrap()"), 2);
    }

    #[test]
    fn modules_of_std_are_found_one_by_one_and_in_groups() {
        let names = |code| {
            std_modules(code)
                .into_iter()
                .map(|(_, name)| name)
                .collect::<Vec<_>>()
        };
        assert_eq!(names("use std::net::TcpStream; nostd::fs"), ["net"]);
        assert_eq!(names("let x = ::std::env::var(a);"), ["env"]);
        assert_eq!(
            names("use std::{fmt, io::{self, Read}, net::{IpAddr, fs}};"),
            ["fmt", "io", "net"]
        );
        assert_eq!(
            names("use std::{\n    sync::Arc,\n    thread,\n};"),
            ["sync", "thread"]
        );
        assert!(names("use std::{").is_empty());
    }
}
