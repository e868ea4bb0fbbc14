//! Compressed responses. Requests ask for none, but a proxy on the way may not care.

use std::io::{self, Read};

use bytes::Bytes;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::{
    Response,
    header::{CONTENT_ENCODING, CONTENT_LENGTH},
};

use crate::error::DecodeError;

/// How often a body may be compressed with gzip: a server and those on the way may each have done it.
const MOST_LAYERS: usize = 5;

/// Why a compressed body stays as it is.
#[derive(Debug)]
pub(super) enum Packed {
    /// It is larger than the limit.
    TooLarge,
    /// It is damaged, or of another kind.
    Unreadable(DecodeError),
}

/// Replaces a compressed body by what is in it, up to this many bytes.
///
/// gzip is recognised by how it begins: a header may be lost on the way, or stay when somebody has
/// decompressed the body already. JSON never begins so.
pub(super) fn unpack(response: &mut Response<Bytes>, limit: usize) -> Result<(), Packed> {
    let body = response.body();
    let coding = response.headers().get(CONTENT_ENCODING);
    let coding = coding.map_or(String::new(), |value| {
        String::from_utf8_lossy(value.as_bytes())
            .trim()
            .to_ascii_lowercase()
    });
    let is_gzip = is_gzip(body);
    let unpacked = match &*coding {
        _ if body.is_empty() => return Ok(()),
        _ if is_gzip => gunzip(body, limit),
        "" | "identity" | "gzip" | "x-gzip" => return Ok(()),
        "deflate" if is_zlib(body) => take(ZlibDecoder::new(&body[..]), limit),
        "deflate" if std::str::from_utf8(body).is_ok() => return Ok(()),
        // Some leave the frame of zlib away.
        "deflate" => take(DeflateDecoder::new(&body[..]), limit),
        _ => return Err(Packed::Unreadable(DecodeError::packed(&coding, false))),
    };
    let coding = if is_gzip { "gzip" } else { &coding };
    let unpacked = unpacked.map_err(|_| Packed::Unreadable(DecodeError::packed(coding, true)))?;
    *response.body_mut() = unpacked.ok_or(Packed::TooLarge)?;
    response.headers_mut().remove(CONTENT_ENCODING);
    response.headers_mut().remove(CONTENT_LENGTH);
    Ok(())
}

fn is_gzip(body: &[u8]) -> bool {
    body.starts_with(&[0x1f, 0x8b, 8])
}

fn gunzip(body: &[u8], limit: usize) -> io::Result<Option<Bytes>> {
    let mut unpacked = take(MultiGzDecoder::new(body), limit)?;
    for _ in 1..MOST_LAYERS {
        match &unpacked {
            Some(body) if is_gzip(body) => {
                unpacked = take(MultiGzDecoder::new(&body[..]), limit)?;
            }
            _ => break,
        }
    }
    Ok(unpacked)
}

/// Whether the two bytes are a header of zlib (RFC 1950, section 2.2).
fn is_zlib(body: &[u8]) -> bool {
    match body {
        [method, flags, ..] => {
            method & 15 == 8 && u16::from_be_bytes([*method, *flags]).is_multiple_of(31)
        }
        _ => false,
    }
}

/// `None` if there is more than the limit.
fn take(decoder: impl Read, limit: usize) -> io::Result<Option<Bytes>> {
    let mut unpacked = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    decoder.take(most).read_to_end(&mut unpacked)?;
    Ok((unpacked.len() <= limit).then(|| unpacked.into()))
}
