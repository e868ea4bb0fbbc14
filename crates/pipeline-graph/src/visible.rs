//! Text from outside, before it meets a terminal, an editor or a picture.

use std::{borrow::Cow, fmt::Write as _};

/// Whether a character can be shown as it is: no control character, no line separator, nothing
/// that is invisible or reorders what stands around it.
#[must_use]
pub fn is_visible(c: char) -> bool {
    let hidden = matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{fffe}'..='\u{ffff}'
            | '\u{e0000}'..='\u{e0fff}'
    );
    !hidden && !c.is_control()
}

/// The text with everything else written as an escape, so that a name cannot steer a terminal.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_visible) {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    for c in text.chars() {
        if is_visible(c) {
            out.push(c);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_escaped() {
        assert_eq!(visible("clicks 点击 é"), "clicks 点击 é");
        assert_eq!(
            visible("a\u{1b}[2Jb\u{202e}\n"),
            "a\\u{1b}[2Jb\\u{202e}\\u{a}"
        );
    }
}
