//! `Pandora <ak>:<sig>`: a signature over one request at one moment.

use http::header;

use super::{BadToken, CONTENT_MD5, Presented, is_mac_of};
use crate::{account::KeyedMac, date::parse_imf_fixdate};

/// How far a request's `Date` may be from the service's clock, either way, in seconds.
const ALLOWED_DEVIATION: u64 = 15 * 60;

pub(super) fn verify(
    mac: &KeyedMac,
    signature: &str,
    request: Presented<'_>,
    server_time: u64,
) -> Result<(), BadToken> {
    if !is_mac_of(mac, &string_to_sign(request), signature) {
        return Err("the signature does not match the request; method, Content-MD5, Content-Type, Date, X-Qiniu- headers and path are signed, with the secret key of the access key".into());
    }
    check_date(request.header(&header::DATE), server_time)
}

/// The bytes that the caller must have signed.
pub(super) fn string_to_sign(request: Presented<'_>) -> Vec<u8> {
    let mut text = Vec::with_capacity(160);
    text.extend_from_slice(request.method.as_bytes());
    for name in [CONTENT_MD5, header::CONTENT_TYPE, header::DATE] {
        text.push(b'\n');
        text.extend_from_slice(request.header(&name));
    }
    text.push(b'\n');
    text.extend_from_slice(&request.canonical_headers());
    text.extend_from_slice(request.path);
    text
}

/// Both clocks count in whole seconds: a header cannot say more, and a request made within the
/// limit must not be refused for the fraction that its header lost.
fn check_date(date: &[u8], server_time: u64) -> Result<(), BadToken> {
    if date.is_empty() {
        return Err("there is no Date header".into());
    }
    let date = std::str::from_utf8(date)
        .ok()
        .and_then(parse_imf_fixdate)
        .ok_or("the Date header is not of the form 'Sun, 06 Nov 1994 08:49:37 GMT'")?;
    let deviation = date.abs_diff(server_time);
    if deviation <= ALLOWED_DEVIATION {
        return Ok(());
    }
    let direction = if date < server_time {
        "behind"
    } else {
        "ahead of"
    };
    Err(BadToken(format!(
        "the Date header is {deviation} s {direction} this server's clock; {ALLOWED_DEVIATION} s are allowed"
    )))
}
