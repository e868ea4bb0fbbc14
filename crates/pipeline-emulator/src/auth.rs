//! Who is calling: the service's rules for signatures and tokens, stated on their own.
//!
//! Nothing here is shared with the client's signer. If both sides were made from one piece, they
//! would agree with each other and could both be wrong.

mod signature;
mod token;

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use hmac::Mac as _;
use http::{HeaderMap, HeaderName, Uri, header};

use crate::account::{Accounts, KeyedMac};

const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");

/// Whether callers must prove who they are.
///
/// ```
/// use pipeline_emulator::{Authentication, Emulator};
///
/// // For a client under test that cannot sign.
/// let emulator = Emulator::builder().authentication(Authentication::Off).build();
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Authentication {
    /// As the service does: a valid signature or token, a `Date` within 15 minutes for a signature.
    #[default]
    Strict,
    /// Nothing is checked. A request whose access key is known acts for that key's account, any
    /// other for the account declared first.
    Off,
}

/// A request as far as signatures and tokens bind it.
#[derive(Clone, Copy)]
pub(crate) struct Presented<'a> {
    pub(crate) method: &'a str,
    /// Where it goes, as it was sent.
    pub(crate) uri: &'a Uri,
    /// The path of `uri`, decoded.
    pub(crate) path: &'a [u8],
    pub(crate) headers: &'a HeaderMap,
}

impl Presented<'_> {
    /// The value of a header, empty when there is none; of a repeated one the first.
    fn header(&self, name: &HeaderName) -> &[u8] {
        self.headers.get(name).map_or(&[], |value| value.as_bytes())
    }

    /// The canonical headers: each `X-Qiniu-…` as a newline, the name in lower case, a colon and the
    /// trimmed value, in the order of the names.
    fn canonical_headers(&self) -> Vec<u8> {
        const PREFIX: &str = "x-qiniu-";
        // `http` keeps names in lower case.
        let signed = |name: &str| name.starts_with(PREFIX) && name.len() > PREFIX.len();
        let mut names: Vec<&str> = self.headers.keys().map(HeaderName::as_str).collect();
        names.retain(|name| signed(name));
        names.sort_unstable();
        let mut canonical = Vec::new();
        for name in names {
            let value = self
                .headers
                .get(name)
                .map_or(&b""[..], |value| value.as_bytes());
            canonical.push(b'\n');
            canonical.extend_from_slice(name.as_bytes());
            canonical.push(b':');
            canonical.extend_from_slice(trim_blanks(value));
        }
        canonical
    }
}

fn trim_blanks(value: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let Some(start) = value.iter().position(|byte| !blank(byte)) else {
        return &[];
    };
    let end = value.iter().rposition(|byte| !blank(byte)).unwrap_or(start);
    &value[start..=end]
}

/// Why a request is refused with 401. The service says no more than `bad token`; a test double may
/// say why, as long as it says nothing of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadToken(String);

impl fmt::Display for BadToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bad token: {}", self.0)
    }
}

impl From<&str> for BadToken {
    fn from(reason: &str) -> Self {
        Self(reason.to_owned())
    }
}

impl From<String> for BadToken {
    fn from(reason: String) -> Self {
        Self(reason)
    }
}

/// The parts of an `Authorization` header.
struct Credential<'a> {
    access_key: &'a str,
    signature: &'a str,
    /// The encoded descriptor, of a token.
    descriptor: Option<&'a str>,
}

impl<'a> Credential<'a> {
    fn of(headers: &'a HeaderMap) -> Result<Self, BadToken> {
        let value = headers
            .get(header::AUTHORIZATION)
            .ok_or("there is no Authorization header")?;
        let malformed = || {
            BadToken::from(
                "the Authorization header must be 'Pandora <access key>:<signature>' or 'Pandora <access key>:<signature>:<descriptor>'",
            )
        };
        let text = value.to_str().map_err(|_| malformed())?;
        let mut parts = text
            .strip_prefix("Pandora ")
            .ok_or_else(malformed)?
            .split(':');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(access_key), Some(signature), descriptor, None) => Ok(Self {
                access_key,
                signature,
                descriptor,
            }),
            _ => Err(malformed()),
        }
    }
}

/// Finds out for which account a request speaks.
///
/// # Errors
///
/// The reason why its signature or token is refused at this moment, in seconds since 1970 on the
/// service's clock.
pub(crate) fn authenticate<'a>(
    accounts: &'a Accounts,
    request: Presented<'_>,
    server_time: u64,
) -> Result<&'a str, BadToken> {
    let credential = Credential::of(request.headers)?;
    let (account, mac) = accounts
        .by_access_key(credential.access_key)
        .ok_or("the access key is not known here")?;
    match credential.descriptor {
        None => signature::verify(mac, credential.signature, request, server_time)?,
        Some(descriptor) => {
            token::verify(mac, credential.signature, descriptor, request, server_time)?;
        }
    }
    Ok(account)
}

/// For whom a request speaks when nothing is checked.
pub(crate) fn presume<'a>(accounts: &'a Accounts, headers: &HeaderMap) -> &'a str {
    let known = Credential::of(headers)
        .ok()
        .and_then(|credential| accounts.by_access_key(credential.access_key));
    known.map_or(accounts.default_id(), |(account, _)| account)
}

/// Whether the signature is that of the message. The comparison takes the same time wherever the
/// two differ.
fn is_mac_of(mac: &KeyedMac, message: &[u8], signature: &str) -> bool {
    // Strict about padding and unused bits: one signature has one text.
    let Ok(signature) = URL_SAFE.decode(signature) else {
        return false;
    };
    let mut mac = mac.clone();
    mac.update(message);
    mac.verify_slice(&signature).is_ok()
}

#[cfg(test)]
mod tests;
