//! Text with and without escapes.

use std::borrow::Cow;

use super::read::Escapes;

/// What becomes of characters that a point cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writing {
    /// They are escaped.
    Escaped(Escapes),
    /// They are blanks: the text is JSON, where they only stand between values.
    Blank,
    /// They stay: the text goes somewhere else than into a point.
    Plain,
}

/// Writes a text. Short ones, which most are, are copied first and looked at after.
#[inline]
pub(super) fn push(out: &mut Vec<u8>, text: &str, writing: Writing) {
    let start = out.len();
    out.extend_from_slice(text.as_bytes());
    match writing {
        Writing::Plain => {}
        Writing::Blank => blank(&mut out[start..]),
        Writing::Escaped(escapes) => {
            let strict = escapes == Escapes::Documented;
            if out[start..]
                .iter()
                .fold(false, |found, byte| found | is_special(*byte, strict))
            {
                out.truncate(start);
                push_escaped(out, text.as_bytes(), strict);
            }
        }
    }
}

/// Turns what would end a field into blanks.
pub(super) fn blank(text: &mut [u8]) {
    for byte in text {
        if matches!(byte, b'\t' | b'\n' | b'\r') {
            *byte = b' ';
        }
    }
}

/// Escapes the backslashes of JSON, which has nothing else left to be escaped.
pub(super) fn double_backslashes(out: &mut Vec<u8>, start: usize) {
    if out[start..].contains(&b'\\') {
        let json = out.split_off(start);
        push_escaped(out, &json, true);
    }
}

#[inline]
fn is_special(byte: u8, strict: bool) -> bool {
    matches!(byte, b'\t' | b'\n') || (strict && matches!(byte, b'\r' | b'\\'))
}

#[cold]
fn push_escaped(out: &mut Vec<u8>, text: &[u8], strict: bool) {
    for byte in text {
        match byte {
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' if strict => out.extend_from_slice(b"\\r"),
            b'\\' if strict => out.extend_from_slice(b"\\\\"),
            byte => out.push(*byte),
        }
    }
}

/// Undoes escapes. A backslash before anything else stays.
pub(super) fn unescaped(text: &str, escapes: Escapes) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        let meant = match (char, chars.as_str().bytes().next(), escapes) {
            ('\\', Some(b't'), _) => '\t',
            ('\\', Some(b'n'), _) => '\n',
            ('\\', Some(b'r'), Escapes::Documented) => '\r',
            ('\\', Some(b'\\'), Escapes::Documented) => '\\',
            (char, ..) => {
                plain.push(char);
                continue;
            }
        };
        plain.push(meant);
        chars.next();
    }
    Cow::Owned(plain)
}
