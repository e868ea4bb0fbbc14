//! Bytes of a request that take one allocation to share.

use std::{fmt, io};

use bytes::Bytes;

/// Room for the paths of this API, for the body of a create call and for the values that are made
/// anew for each attempt.
const SHORT: usize = 192;

/// Bytes that are written once and then shared: a path, a short body, the dated header values.
///
/// A `Vec` that is shared takes two allocations, one for its bytes and one for the count of its
/// owners. Here few bytes stay in place, and [`share`](Text::share) puts them beside the count: one
/// allocation in place of two for the path and for the body, one in place of four for the values.
#[derive(Clone)]
#[allow(
    clippy::large_enum_variant,
    reason = "the room is the point; a text is moved a few times in its life"
)]
pub(crate) enum Text {
    Short { length: usize, bytes: [u8; SHORT] },
    Long(Vec<u8>),
}

impl Text {
    pub(crate) const fn new() -> Self {
        Self::Short {
            length: 0,
            bytes: [0; SHORT],
        }
    }

    // Inlined, because most pieces are constants, whose copies then are single instructions: JSON
    // comes in pieces of one byte.
    #[inline]
    pub(crate) fn push(&mut self, piece: &[u8]) {
        if let Self::Short { length, bytes } = self
            && let Some(room) = bytes.get_mut(*length..*length + piece.len())
        {
            room.copy_from_slice(piece);
            *length += piece.len();
        } else {
            self.push_long(piece);
        }
    }

    #[inline(never)]
    fn push_long(&mut self, piece: &[u8]) {
        if let Self::Short { .. } = self {
            let mut bytes = Vec::with_capacity(2 * self.len() + piece.len());
            bytes.extend_from_slice(self.as_ref());
            *self = Self::Long(bytes);
        }
        if let Self::Long(bytes) = self {
            bytes.extend_from_slice(piece);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.as_ref().len()
    }

    /// The text, of which only whole strings were written.
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_ref()).unwrap_or_default()
    }

    /// Turns it into bytes whose clones and slices allocate nothing.
    pub(crate) fn share(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Short { length, bytes } => &bytes[..*length],
            Self::Long(bytes) => bytes,
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl Eq for Text {}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.as_ref().escape_ascii())
    }
}

impl io::Write for Text {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.push(piece);
        Ok(piece.len())
    }

    fn write_all(&mut self, piece: &[u8]) -> io::Result<()> {
        self.push(piece);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_what_was_written_short_or_long() {
        for pieces in [0, 1, SHORT / 8, SHORT / 8 + 1, 1000] {
            let mut text = Text::new();
            for _ in 0..pieces {
                text.push(b"8 bytes.");
            }
            assert_eq!(text.len(), 8 * pieces);
            assert_eq!(text.share(), b"8 bytes.".repeat(pieces));
        }
    }

    #[test]
    fn the_room_is_used_to_its_last_byte() {
        let mut text = Text::new();
        text.push(&[b'a'; SHORT]);
        assert!(matches!(text, Text::Short { .. }));
        text.push(b"");
        assert!(matches!(text, Text::Short { .. }));
        text.push(b"b");
        assert!(matches!(text, Text::Long(_)));
        assert_eq!(text.len(), SHORT + 1);
    }

    #[test]
    fn the_writer_takes_all_that_it_is_given() {
        let mut text = Text::new();
        assert_eq!(io::Write::write(&mut text, b"ab").ok(), Some(2));
        assert_eq!(text.as_ref(), b"ab");
    }

    #[test]
    fn texts_are_equal_by_what_was_written() {
        let of = |bytes: &[u8]| {
            let mut text = Text::new();
            text.push(bytes);
            text
        };
        let long = [b'a'; SHORT + 1];
        let mut shorter = of(&long);
        if let Text::Long(bytes) = &mut shorter {
            bytes.truncate(1);
        }
        assert_eq!(of(b"a"), shorter);
        assert_ne!(of(b"a"), of(b"b"));
        assert_eq!(format!("{:?}", of(b"a\"\n")), r#""a\"\n""#);
    }
}
