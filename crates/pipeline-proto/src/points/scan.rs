//! Where the values of a JSON text are, without making anything of them.
//!
//! As strict as `serde_json`, which says what is wrong where this says only that something is, and which is the
//! oracle of the tests.

#![allow(
    clippy::inline_always,
    reason = "results of several words would go through memory, at a third of the speed"
)]

use super::{
    Kind,
    text::{self, Writing},
};

/// How many arrays and maps may enclose a value: as many as `serde_json` allows.
const MOST_DEPTH: u8 = 127;

/// A place in a text. What finds no JSON there gives nothing.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

/// A value as it is written, a text without its quotes.
#[derive(Clone, Copy)]
pub(super) struct Raw<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    has_escapes: bool,
}

impl<'a> Raw<'a> {
    /// The only value of a text.
    pub(super) fn of(text: &'a str) -> Option<Self> {
        let mut scanner = Scanner { text, at: 0 };
        let value = scanner.value(MOST_DEPTH)?;
        scanner.end().then_some(value)
    }

    /// Writes what stands in a point for it.
    #[inline]
    pub(super) fn push(self, out: &mut Vec<u8>, writing: Writing) {
        match self.kind {
            Kind::Nothing => {}
            Kind::Array | Kind::Object => text::push(out, self.text, Writing::Blank),
            Kind::Text if self.has_escapes => self.push_unescaped(out, writing),
            // What would have to be escaped in a point, has to be in JSON.
            _ => out.extend_from_slice(self.text.as_bytes()),
        }
    }

    /// Writes it as it is written.
    pub(super) fn push_json(self, out: &mut Vec<u8>) {
        let quote = if self.kind == Kind::Text { "\"" } else { "" };
        for part in [quote, self.text, quote] {
            out.extend_from_slice(part.as_bytes());
        }
    }

    #[inline]
    pub(super) fn with_text<T>(self, take: impl FnOnce(&str) -> T) -> T {
        if !self.has_escapes {
            return take(self.text);
        }
        let mut plain = Vec::with_capacity(self.text.len());
        self.push_unescaped(&mut plain, Writing::Plain);
        take(&String::from_utf8_lossy(&plain))
    }

    fn push_unescaped(self, out: &mut Vec<u8>, writing: Writing) {
        let mut rest = self.text;
        while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
            let (run, escape) = rest.split_at(at);
            let (char, len) = meaning(escape.as_bytes()).unwrap_or(('\\', 1));
            out.extend_from_slice(run.as_bytes());
            text::push(out, char.encode_utf8(&mut [0; 4]), writing);
            rest = &escape[len..];
        }
        out.extend_from_slice(rest.as_bytes());
    }
}

/// Gives the members of a text that is an object to `take`, until that gives nothing.
#[inline]
pub(super) fn members<'a>(
    text: &'a str,
    mut take: impl FnMut(Raw<'a>, Raw<'a>) -> Option<()>,
) -> Option<()> {
    let mut scanner = Scanner { text, at: 0 };
    if scanner.peek() != Some(b'{') {
        return None;
    }
    scanner.parts(b'}', |scanner| {
        let key = scanner.key()?;
        take(key, scanner.value(MOST_DEPTH - 1)?)
    })?;
    scanner.end().then_some(())
}

/// Gives the elements of a text that is an array to `take`.
pub(super) fn elements<'a>(text: &'a str, mut take: impl FnMut(Raw<'a>)) -> Option<()> {
    let mut scanner = Scanner { text, at: 0 };
    scanner.parts(b']', |scanner| {
        take(scanner.value(MOST_DEPTH - 1)?);
        Some(())
    })
}

impl<'a> Scanner<'a> {
    #[inline]
    fn here(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no blank.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.here() {
            self.at += 1;
        }
        self.here()
    }

    /// Passes over this byte, if it is the next one that is no blank.
    #[inline]
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn end(&mut self) -> bool {
        self.peek().is_none()
    }

    /// Passes over what has parts with commas between.
    #[inline]
    fn parts(&mut self, end: u8, mut part: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.at += 1;
        if self.take(end) {
            return Some(());
        }
        loop {
            part(self)?;
            if !self.take(b',') {
                return self.take(end).then_some(());
            }
        }
    }

    #[inline(always)]
    fn key(&mut self) -> Option<Raw<'a>> {
        let key = if self.peek() == Some(b'"') {
            self.string()
        } else {
            None
        };
        key.filter(|_| self.take(b':'))
    }

    /// A value in which so many arrays and maps may enclose each other.
    #[inline(always)]
    fn value(&mut self, depth: u8) -> Option<Raw<'a>> {
        let first = self.peek()?;
        if first == b'"' {
            return self.string();
        }
        let start = self.at;
        let kind = match first {
            b'{' | b'[' => self.compound(first, depth.checked_sub(1)?)?,
            b't' => self.word("true", Kind::Boolean)?,
            b'f' => self.word("false", Kind::Boolean)?,
            b'n' => self.word("null", Kind::Nothing)?,
            _ => self.number()?,
        };
        Some(Raw {
            kind,
            text: self.text.get(start..self.at)?,
            has_escapes: false,
        })
    }

    fn compound(&mut self, first: u8, depth: u8) -> Option<Kind> {
        if first == b'[' {
            self.parts(b']', |it| it.value(depth).map(drop))?;
            return Some(Kind::Array);
        }
        self.parts(b'}', |it| {
            it.key()?;
            it.value(depth).map(drop)
        })?;
        Some(Kind::Object)
    }

    fn word(&mut self, word: &str, kind: Kind) -> Option<Kind> {
        let found = self.text.as_bytes()[self.at..].starts_with(word.as_bytes());
        self.at += word.len();
        found.then_some(kind)
    }

    #[inline(always)]
    fn string(&mut self) -> Option<Raw<'a>> {
        let start = self.at + 1;
        self.at = start;
        let mut has_escapes = false;
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let run = run(rest);
            self.at += run;
            match rest.get(run)? {
                b'"' => break,
                b'\\' => self.at += meaning(&rest[run..])?.1,
                _ => return None,
            }
            has_escapes = true;
        }
        let text = self.text.get(start..self.at)?;
        self.at += 1;
        Some(Raw {
            kind: Kind::Text,
            text,
            has_escapes,
        })
    }

    #[inline]
    fn number(&mut self) -> Option<Kind> {
        let mut kind = Kind::Integer;
        self.at += usize::from(self.here() == Some(b'-'));
        if self.here() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.here() == Some(b'.') {
            self.at += 1;
            self.digits()?;
            kind = Kind::Float;
        }
        if let Some(b'e' | b'E') = self.here() {
            self.at += 1;
            self.at += usize::from(matches!(self.here(), Some(b'+' | b'-')));
            self.digits()?;
            kind = Kind::Float;
        }
        Some(kind)
    }

    /// Passes over at least one digit.
    #[inline]
    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.here().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }
}

/// How many bytes there are before one that ends a string, is an escape, or may not be in it. Eight are looked at in
/// one step: in the difference of two bytes the highest bit is set if the first is smaller. A byte lends to the next
/// one then, so that only the first one that is found is certain.
#[inline]
fn run(text: &[u8]) -> usize {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    let below = |word: u64, least: u8| word.wrapping_sub(EACH * u64::from(least)) & !word;
    let is = |word: u64, byte: u8| below(word ^ (EACH * u64::from(byte)), 1);
    let (blocks, rest) = text.as_chunks::<8>();
    for (index, block) in blocks.iter().enumerate() {
        let word = u64::from_le_bytes(*block);
        let found = (below(word, b' ') | is(word, b'"') | is(word, b'\\')) & (EACH << 7);
        if found != 0 {
            return 8 * index + found.trailing_zeros() as usize / 8;
        }
    }
    let ends = |byte: &u8| matches!(byte, 0..b' ' | b'"' | b'\\');
    8 * blocks.len() + rest.iter().position(ends).unwrap_or(rest.len())
}

/// What the escape is that a text begins with, and how long.
fn meaning(text: &[u8]) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 4)?.iter();
        digits.copied().try_fold(0_u16, |unit, digit| {
            let digit = char::from(digit).to_digit(16)?;
            Some(16 * unit + u16::try_from(digit).ok()?)
        })
    };
    let char = match text.get(1)? {
        char @ (b'"' | b'\\' | b'/') => char::from(*char),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let first = unit(2)?;
            if let Some(char) = char::from_u32(first.into()) {
                return Some((char, 6));
            }
            let second = unit(8).filter(|_| text.get(6..8) == Some(b"\\u"))?;
            let pair = char::decode_utf16([first, second]).next()?;
            return Some((pair.ok()?, 12));
        }
        _ => return None,
    };
    Some((char, 2))
}
