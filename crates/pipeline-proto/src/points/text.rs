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

/// Whether a text has neither a control character nor this other one, as nearly all of them. Looks at whole blocks, of
/// which the last overlaps the one before it: a loop over single bytes costs more than all the rest of a point.
#[allow(
    clippy::inline_always,
    reason = "of the keys of structs, which are constants, nothing is left to be looked at"
)]
#[inline(always)]
pub(super) fn is_plain<const OTHER: u8>(text: &[u8]) -> bool {
    fn block<const N: usize, const OTHER: u8>(block: &[u8; N]) -> bool {
        let plain = |byte: u8| byte >= b' ' && byte != OTHER;
        block.iter().fold(true, |all, byte| all & plain(*byte))
    }
    if let Some(last) = text.last_chunk::<16>() {
        let (blocks, _) = text.as_chunks::<16>();
        blocks.iter().all(block::<_, OTHER>) && block::<_, OTHER>(last)
    } else if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        block::<_, OTHER>(first) & block::<_, OTHER>(last)
    } else if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        block::<_, OTHER>(first) & block::<_, OTHER>(last)
    } else {
        text.iter().all(|byte| block::<_, OTHER>(&[*byte]))
    }
}

/// Whether a text can be the key of a field.
#[allow(
    clippy::inline_always,
    reason = "of the keys of structs, which are constants, nothing is left to be looked at"
)]
#[inline(always)]
pub(super) fn is_key(text: &str) -> bool {
    let text = text.as_bytes();
    let ends = |byte: &u8| matches!(byte, b'=' | b'\t' | b'\n');
    !text.is_empty() && (is_plain::<b'='>(text) || !text.iter().any(ends))
}

/// Writes a text.
#[inline]
pub(super) fn push(out: &mut Vec<u8>, text: &str, writing: Writing) {
    let is_plain = match writing {
        Writing::Escaped(Escapes::Documented) => is_plain::<b'\\'>(text.as_bytes()),
        _ => is_plain::<b'\n'>(text.as_bytes()),
    };
    if is_plain {
        out.extend_from_slice(text.as_bytes());
    } else {
        push_special(out, text.as_bytes(), writing);
    }
}

#[cold]
fn push_special(out: &mut Vec<u8>, mut text: &[u8], writing: Writing) {
    let special = |byte: &u8| instead(*byte, writing).is_some();
    while let Some(at) = text.iter().position(special) {
        out.extend_from_slice(&text[..at]);
        out.extend_from_slice(instead(text[at], writing).unwrap_or_default());
        text = &text[at + 1..];
    }
    out.extend_from_slice(text);
}

/// What is written instead of a byte.
fn instead(byte: u8, writing: Writing) -> Option<&'static [u8]> {
    Some(match (byte, writing) {
        (b'\t' | b'\n' | b'\r', Writing::Blank) => b" ",
        (b'\t', Writing::Escaped(_)) => b"\\t",
        (b'\n', Writing::Escaped(_)) => b"\\n",
        (b'\r', Writing::Escaped(Escapes::Documented)) => b"\\r",
        (b'\\', Writing::Escaped(Escapes::Documented)) => b"\\\\",
        _ => return None,
    })
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
        push_special(out, &json, Writing::Escaped(Escapes::Documented));
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
