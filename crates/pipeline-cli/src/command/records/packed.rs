//! Compressed inputs, known by how they begin and not by their names.

use std::{
    error::Error,
    fmt,
    io::{self, BufRead, Chain, Cursor, Read, Seek},
};

use flate2::bufread::GzDecoder;
use ruzstd::decoding::{
    BlockDecodingStrategy, FrameDecoder,
    errors::{FrameDecoderError, ReadFrameHeaderError},
};

use crate::size::Short;

/// What is to be kept of a zstd frame while it is unpacked: as much as levels up to 19 want without `--long`, and
/// all that RFC 8878 asks of decoders.
const WINDOW: u64 = 8 << 20;

/// No record in any form begins with one of these. A frame of zstd that is to be skipped may stand before the others.
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const ZSTD_SKIPPED: &[u8] = &[0x50, 0x2a, 0x4d, 0x18];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::command) enum Packing {
    Gzip,
    Zstd,
}

/// A name without what compression puts behind it.
pub(in crate::command) fn unpacked_name(name: &str) -> &str {
    let mut endings = [".gz", ".zst"].into_iter();
    endings
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(name)
}

impl Packing {
    /// How an input is compressed, and the input as it was.
    pub(super) fn find(mut input: Box<dyn BufRead>) -> io::Result<(Option<Self>, impl BufRead)> {
        let mut begin = Vec::new();
        // Of a pipe no more is read than is needed: nothing else may come for a long time.
        while is_part(&begin) {
            let Some(byte) = input.by_ref().bytes().next().transpose()? else {
                break;
            };
            begin.push(byte);
        }
        let found = Self::of(&begin);
        Ok((found, Cursor::new(begin).chain(input)))
    }

    /// How a file that can be read again is compressed.
    pub(in crate::command) fn of_file(mut file: impl Read + Seek) -> io::Result<Option<Self>> {
        let mut begin = Vec::new();
        file.rewind()?;
        file.by_ref().take(4).read_to_end(&mut begin)?;
        file.rewind()?;
        Ok(Self::of(&begin))
    }

    fn of(begin: &[u8]) -> Option<Self> {
        let begins = begins();
        let mut found = begins.iter().filter(|(_, with)| is_like(begin, with));
        let (packing, _) = found.find(|(_, with)| begin.len() >= with.len())?;
        Some(*packing)
    }

    pub(in crate::command) fn unpack<'r>(self, input: impl BufRead + 'r) -> Box<dyn Read + 'r> {
        match self {
            Self::Gzip => Box::new(Ended::new(Gzip::new(input))),
            Self::Zstd => Box::new(Ended::new(Zstd::new(input))),
        }
    }
}

fn begins() -> [(Packing, &'static [u8]); 3] {
    [
        (Packing::Gzip, GZIP),
        (Packing::Zstd, ZSTD),
        (Packing::Zstd, ZSTD_SKIPPED),
    ]
}

/// Whether more has to be read to know.
fn is_part(begin: &[u8]) -> bool {
    let mut begins = begins().into_iter();
    begins.any(|(_, with)| begin.len() < with.len() && is_like(begin, with))
}

/// Whether they are the same as far as both go. Of a skipped frame's first byte, the lower half is free.
fn is_like(begin: &[u8], with: &[u8]) -> bool {
    let mut pairs = begin.iter().zip(with).enumerate();
    pairs.all(|(at, (byte, wanted))| {
        let is_free = with == ZSTD_SKIPPED && at == 0;
        *byte == *wanted || (is_free && byte & 0xf0 == *wanted)
    })
}

/// What stands behind the last part of a compressed input and is no further part.
#[derive(Debug)]
struct Behind;

impl fmt::Display for Behind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("something that is not compressed stands behind what is, and is not read")
    }
}

impl Error for Behind {}

/// Passes over the zeros with which tapes and some disks fill the last block; anything else is an error.
fn nothing_behind(begin: &[u8], rest: impl BufRead) -> io::Result<()> {
    let mut all = begin.chain(rest);
    loop {
        let bytes = all.fill_buf()?;
        if bytes.iter().any(|byte| *byte != 0) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, Behind));
        }
        let length = bytes.len();
        if length == 0 {
            return Ok(());
        }
        all.consume(length);
    }
}

/// Ends the last line before it says that something else stands behind it: the line is whole.
struct Ended<R> {
    input: R,
    is_in_line: bool,
    error: Option<io::Error>,
}

impl<R> Ended<R> {
    fn new(input: R) -> Self {
        Self {
            input,
            is_in_line: false,
            error: None,
        }
    }
}

impl<R: Read> Read for Ended<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        match self.input.read(out) {
            Err(error) if self.is_in_line && !out.is_empty() && is_behind(&error) => {
                self.is_in_line = false;
                self.error = Some(error);
                out[0] = b'\n';
                Ok(1)
            }
            Ok(length) => {
                if let Some(last) = out[..length].last() {
                    self.is_in_line = *last != b'\n';
                }
                Ok(length)
            }
            error => error,
        }
    }
}

fn is_behind(error: &io::Error) -> bool {
    error
        .get_ref()
        .is_some_and(<dyn Error + Send + Sync>::is::<Behind>)
}

/// Unpacks members of gzip one after the other.
struct Gzip<R> {
    /// None at the end.
    member: Option<GzDecoder<Chain<Cursor<Vec<u8>>, R>>>,
}

impl<R: BufRead> Gzip<R> {
    fn new(input: R) -> Self {
        Self {
            member: Some(GzDecoder::new(Cursor::new(Vec::new()).chain(input))),
        }
    }
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let length = member.read(out)?;
            if length > 0 || out.is_empty() {
                return Ok(length);
            }
            let input = self.member.take().map(GzDecoder::into_inner);
            // A member is longer than what is put before it.
            let Some((_, mut input)) = input.map(Chain::into_inner) else {
                break;
            };
            let mut begin = Vec::new();
            let two = GZIP.len() as u64;
            input.by_ref().take(two).read_to_end(&mut begin)?;
            if begin == GZIP {
                self.member = Some(GzDecoder::new(Cursor::new(begin).chain(input)));
            } else {
                nothing_behind(&begin, input)?;
            }
        }
        Ok(0)
    }
}

/// Unpacks frames of zstd one after the other.
struct Zstd<R> {
    input: R,
    frame: FrameDecoder,
    is_open: bool,
    is_first: bool,
}

impl<R: BufRead> Zstd<R> {
    fn new(input: R) -> Self {
        let mut frame = FrameDecoder::new();
        frame.set_max_window_size(WINDOW);
        Self {
            input,
            frame,
            is_open: false,
            is_first: true,
        }
    }

    /// Begins the next frame; false at the end.
    fn open(&mut self) -> io::Result<bool> {
        while !self.input.fill_buf()?.is_empty() {
            match self.frame.reset(&mut self.input) {
                Ok(()) => {
                    self.is_first = false;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(
                    ReadFrameHeaderError::BadMagicNumber(begin),
                )) if !self.is_first => {
                    nothing_behind(&begin.to_le_bytes(), &mut self.input)?;
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let mut skipped = self.input.by_ref().take(length.into());
                    if io::copy(&mut skipped, &mut io::sink())? < length.into() {
                        return Err(cut());
                    }
                }
                Err(FrameDecoderError::WindowSizeTooBig { requested, max }) => {
                    return Err(wrong(format!(
                        "zstd with a window of {}, and {} are allowed: unpack it with `zstd -dc --long=31`",
                        Short(requested),
                        Short(max)
                    )));
                }
                Err(error) => return Err(failed(&error)),
            }
        }
        Ok(false)
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.is_open {
                self.is_open = self.open()?;
                if !self.is_open {
                    return Ok(0);
                }
            }
            while self.frame.can_collect() == 0 && !self.frame.is_finished() {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                let decoded = self.frame.decode_blocks(&mut self.input, one);
                decoded.map_err(|error| failed(&error))?;
            }
            let length = self.frame.read(out)?;
            if length > 0 {
                return Ok(length);
            }
            self.is_open = false;
            let sum = self.frame.get_checksum_from_data();
            if sum.is_some() && sum != self.frame.get_calculated_checksum() {
                return Err(wrong("no valid zstd: its checksum is another one"));
            }
        }
    }
}

fn failed(error: &FrameDecoderError) -> io::Error {
    let mut source: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(inner) = source {
        let io = inner.downcast_ref::<io::Error>();
        if io.is_some_and(|io| io.kind() == io::ErrorKind::UnexpectedEof) {
            return cut();
        }
        source = inner.source();
    }
    wrong(format!("no valid zstd: {error}"))
}

fn cut() -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "it ends in the middle of a zstd frame",
    )
}

fn wrong(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn unpacked(bytes: Vec<u8>) -> Result<(Option<Packing>, String), String> {
        // A byte at a time, as a pipe may give them.
        let input = BufReader::with_capacity(1, Cursor::new(bytes));
        let (packing, mut input) = Packing::find(Box::new(input)).unwrap();
        let mut text = String::new();
        let read = match packing {
            Some(packing) => packing.unpack(input).read_to_string(&mut text),
            None => input.read_to_string(&mut text),
        };
        read.map_err(|error| error.to_string())?;
        Ok((packing, text))
    }

    #[test]
    fn frames_of_zstd_follow_one_another_and_what_is_wrong_with_them_is_told() {
        let frame = |text: &str| compress_to_vec(text.as_bytes(), CompressionLevel::Fastest);
        let skipped = [&[0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
        let (a, b) = (frame("a\n"), frame(&"b\n".repeat(100_000)));
        let both = format!("a\n{}", "b\n".repeat(100_000));
        let all = [&skipped[..], &a, &skipped, &b].concat();
        let zstd = Some(Packing::Zstd);
        assert_eq!(unpacked(all.clone()), Ok((zstd, both)));
        for cut in [
            4,
            skipped.len() + 5,
            skipped.len() + a.len() + 9,
            all.len() - 1,
        ] {
            let error = unpacked(all[..cut].to_vec()).unwrap_err();
            assert!(error.contains("in the middle"), "{cut}: {error}");
        }
        let mut other = a.clone();
        *other.last_mut().unwrap() ^= 1;
        assert!(unpacked(other).unwrap_err().contains("checksum"));
        // A header without a size, whose window is 2^31.
        let large = [ZSTD, &[0x00, 21 << 3, 0, 0, 0]].concat();
        assert!(unpacked(large).unwrap_err().contains("window of 2.1 GB"));
        for text in ["", "(", "P*\n", "(\u{b5}", "n=1\n"] {
            assert_eq!(unpacked(text.into()), Ok((None, text.to_owned())));
        }
    }
}
