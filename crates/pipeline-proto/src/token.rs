//! Tokens: a permission for one kind of request until a moment in time, so that a device needs no
//! secret key.
//!
//! ```
//! use http::Method;
//! use pipeline_proto::{Credentials, Token, TokenDescriptor, UnixTime};
//!
//! let credentials = Credentials::new("ak", "sk")?;
//! let token = TokenDescriptor::new(&Method::POST, "/v2/workflows/w/start", UnixTime::from_secs(4_102_444_800))
//!     .mint(&credentials);
//!
//! // What a device receives, with or without the word `Pandora` in front.
//! let token: Token = token.as_str().parse()?;
//! let descriptor = token.verify(&credentials)?;
//! assert_eq!(descriptor.resource, "/v2/workflows/w/start");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::{
    fmt::{self, Write as _},
    str::FromStr,
    time::SystemTime,
};

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::URL_SAFE},
};
use hmac::Mac as _;
use http::{HeaderMap, HeaderName, Method, header::CONTENT_TYPE, request::Parts};
use serde::{Deserialize, Serialize};

use crate::{
    credentials::{Credentials, encode_signature},
    header::{self, CONTENT_MD5},
    sign::{SCHEME, canonical_headers, canonical_resource},
    time::UnixTime,
};

/// Reads with or without padding; everything that is written has it.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a token permits. Each member must equal that of the request; an absent header is `""`.
///
/// ```
/// use http::Method;
/// use pipeline_proto::{TokenDescriptor, UnixTime};
///
/// let descriptor = TokenDescriptor::new(&Method::PUT, "/v2/workflows/w", UnixTime::from_secs(4_102_444_800))
///     .content_type("application/json");
/// assert_eq!(
///     descriptor.to_json(),
///     r#"{"resource":"/v2/workflows/w","expires":4102444800,"contentMD5":"","contentType":"application/json","headers":"","method":"PUT"}"#,
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TokenDescriptor {
    /// The path, with or without the query, taken verbatim. The vendor's sources show tokens of both
    /// kinds; whether the service looks at the query of a request whose token has none is not known.
    pub resource: String,
    /// When the permission ends.
    pub expires: UnixTime,
    /// Value of `Content-MD5`.
    #[serde(rename = "contentMD5", default)]
    pub content_md5: String,
    /// Value of `Content-Type`. Empty for start, stop and all requests without a body.
    #[serde(rename = "contentType", default)]
    pub content_type: String,
    /// The [canonical headers](crate::sign::canonical_headers), beginning with a newline.
    #[serde(default)]
    pub headers: String,
    /// The method, in upper case.
    pub method: String,
}

impl TokenDescriptor {
    /// A permission for requests without content type, digest and signed headers.
    pub fn new(method: &Method, resource: impl Into<String>, expires: impl Into<UnixTime>) -> Self {
        Self {
            resource: resource.into(),
            expires: expires.into(),
            content_md5: String::new(),
            content_type: String::new(),
            headers: String::new(),
            method: method.as_str().to_owned(),
        }
    }

    /// A permission for requests like this one, however often it is sent: with the same query, if it
    /// has one, as the service was seen to compare. For any query at all, set
    /// [`resource`](Self::resource) to the path.
    ///
    /// # Errors
    ///
    /// If the path or a signed header is not UTF-8 text once decoded.
    pub fn for_request(parts: &Parts, expires: impl Into<UnixTime>) -> Result<Self, TokenError> {
        let not_text = |_| TokenError(Reason::NotText);
        let resource = match parts.uri.path_and_query() {
            // The vendor's clients copy it as it is sent.
            Some(target) if target.query().is_some() => target.as_str().to_owned(),
            _ => {
                let path = canonical_resource(parts.uri.path())
                    .map_err(|_| TokenError(Reason::NotText))?;
                String::from_utf8(path.into_owned()).map_err(not_text)?
            }
        };
        let mut descriptor = Self::new(&parts.method, resource, expires);
        descriptor.content_md5 = value(&parts.headers, &CONTENT_MD5);
        descriptor.content_type = value(&parts.headers, &CONTENT_TYPE);
        descriptor.headers =
            String::from_utf8(canonical_headers(&parts.headers)).map_err(not_text)?;
        Ok(descriptor)
    }

    /// Binds the token to a content type.
    #[must_use]
    pub fn content_type(mut self, value: impl Into<String>) -> Self {
        self.content_type = value.into();
        self
    }

    /// Binds the token to the digest of a body: standard base64 of its MD5.
    #[must_use]
    pub fn content_md5(mut self, value: impl Into<String>) -> Self {
        self.content_md5 = value.into();
        self
    }

    /// Binds the token to the `X-Qiniu-` headers among these.
    ///
    /// # Errors
    ///
    /// If such a value is not UTF-8.
    pub fn signed_headers(mut self, headers: &HeaderMap) -> Result<Self, TokenError> {
        self.headers = String::from_utf8(canonical_headers(headers))
            .map_err(|_| TokenError(Reason::NotText))?;
        Ok(self)
    }

    /// Whether the permission has ended at this moment.
    pub fn is_expired(&self, at: SystemTime) -> bool {
        self.expires < UnixTime::from(at)
    }

    /// Names the first member that a request does not match: `method`, `resource`, `contentType`,
    /// `contentMD5` or `headers`.
    pub fn mismatch(&self, parts: &Parts) -> Option<&'static str> {
        // With or without the query, as sent or decoded.
        let target = parts
            .uri
            .path_and_query()
            .map_or("", |target| target.as_str());
        let resource_fits = [parts.uri.path(), target].into_iter().any(|sent| {
            let decoded = canonical_resource(sent);
            sent == self.resource || decoded.is_ok_and(|text| *text == *self.resource.as_bytes())
        });
        if self.method != parts.method.as_str() {
            Some("method")
        } else if !resource_fits {
            Some("resource")
        } else if self.content_type != value(&parts.headers, &CONTENT_TYPE) {
            Some("contentType")
        } else if self.content_md5 != value(&parts.headers, &CONTENT_MD5) {
            Some("contentMD5")
        } else if self.headers.as_bytes() != canonical_headers(&parts.headers) {
            Some("headers")
        } else {
            None
        }
    }

    /// The JSON text in the very form of the vendor's Go SDK: its order of members, no white space,
    /// and `<`, `>`, `&`, U+2028 and U+2029 escaped.
    pub fn to_json(&self) -> String {
        let mut json = String::with_capacity(128);
        json.push_str("{\"resource\":");
        push_go_string(&mut json, &self.resource);
        json.push_str(",\"expires\":");
        json.push_str(&self.expires.as_secs().to_string());
        for (name, value) in [
            (",\"contentMD5\":", &self.content_md5),
            (",\"contentType\":", &self.content_type),
            (",\"headers\":", &self.headers),
            (",\"method\":", &self.method),
        ] {
            json.push_str(name);
            push_go_string(&mut json, value);
        }
        json.push('}');
        json
    }

    /// Makes the token. What is signed is the encoded text, not the JSON.
    pub fn mint(&self, credentials: &Credentials) -> Token {
        let descriptor = URL_SAFE.encode(self.to_json());
        let mut mac = credentials.mac();
        mac.update(descriptor.as_bytes());
        let signature = encode_signature(mac);
        let access_key = credentials.access_key();
        let mut text = String::with_capacity(
            SCHEME.len() + access_key.len() + signature.len() + descriptor.len() + 2,
        );
        text.push_str(SCHEME);
        text.push_str(access_key);
        text.push(':');
        text.extend(signature.iter().copied().map(char::from));
        text.push(':');
        text.push_str(&descriptor);
        Token { text }
    }
}

/// The trimmed value of a header, or nothing.
fn value(headers: &HeaderMap, name: &HeaderName) -> String {
    String::from_utf8_lossy(header::value(headers, name)).into_owned()
}

/// Writes a JSON string as Go's `encoding/json` does (of the supported releases, which write
/// backspace and form feed as `\b` and `\f`).
fn push_go_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A ready-made token: `Pandora <access key>:<signature>:<descriptor>`.
///
/// Whoever has it may use it, so `Debug` hides the signature.
///
/// ```
/// use http::Method;
/// use pipeline_proto::{Credentials, Token, TokenDescriptor, UnixTime};
///
/// let keys = Credentials::new("ak", "sk")?;
/// let token = TokenDescriptor::new(&Method::GET, "/v2/workflows", UnixTime::from_secs(4_102_444_800)).mint(&keys);
/// // Anybody can read it, and whoever has the keys can tell who made it.
/// assert_eq!(token.decode()?, token.verify(&keys)?);
/// assert!(token.verify(&Credentials::new("ak", "another")?).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// With the scheme word.
    text: String,
}

impl Token {
    /// The whole value for the `Authorization` header. A secret until it expires.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn parts(&self) -> (&str, &str, &str) {
        let text = &self.text[SCHEME.len()..];
        let mut parts = text.splitn(3, ':');
        let mut next = || parts.next().unwrap_or_default();
        (next(), next(), next())
    }

    /// The access key of whoever made it.
    pub fn access_key(&self) -> &str {
        self.parts().0
    }

    /// Reads what the token says, without checking the signature.
    ///
    /// # Errors
    ///
    /// If the descriptor is not base64 of a JSON object with the members of a descriptor. Their
    /// order does not matter: the vendor's SDKs disagree on it.
    pub fn decode(&self) -> Result<TokenDescriptor, TokenError> {
        let json = LENIENT
            .decode(self.parts().2)
            .map_err(|_| TokenError(Reason::Encoding))?;
        // Serde would read an array as well, its elements in the order of the members.
        if !json.trim_ascii_start().starts_with(b"{") {
            return Err(TokenError(Reason::Descriptor));
        }
        serde_json::from_slice(&json).map_err(|_| TokenError(Reason::Descriptor))
    }

    /// Checks who made the token, in constant time, and reads what it says. Whether it has
    /// [expired](TokenDescriptor::is_expired) is another question.
    ///
    /// # Errors
    ///
    /// If the access key is another one, the signature does not fit, or as [`decode`](Self::decode).
    pub fn verify(&self, credentials: &Credentials) -> Result<TokenDescriptor, TokenError> {
        let (access_key, signature, descriptor) = self.parts();
        if access_key != credentials.access_key() {
            return Err(TokenError(Reason::AccessKey));
        }
        let signature = LENIENT
            .decode(signature)
            .map_err(|_| TokenError(Reason::Signature))?;
        let mut mac = credentials.mac();
        mac.update(descriptor.as_bytes());
        mac.verify_slice(&signature)
            .map_err(|_| TokenError(Reason::Signature))?;
        self.decode()
    }
}

impl FromStr for Token {
    type Err = TokenError;

    /// Takes a token with or without the scheme word, which the vendor's SDKs put in front.
    fn from_str(text: &str) -> Result<Self, TokenError> {
        let bare = text.trim();
        let bare = bare.strip_prefix(SCHEME).unwrap_or(bare);
        let parts: Vec<&str> = bare.split(':').collect();
        let plain = bare.bytes().all(|b| b.is_ascii_graphic());
        if parts.len() != 3 || !plain || parts.iter().any(|part| part.is_empty()) {
            return Err(TokenError(Reason::Shape));
        }
        Ok(Self {
            text: format!("{SCHEME}{bare}"),
        })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (access_key, _, descriptor) = self.parts();
        f.debug_struct("Token")
            .field("access_key", &access_key)
            .field("signature", &format_args!("[hidden]"))
            .field("descriptor", &descriptor)
            .finish()
    }
}

/// What is wrong with a token. Never repeats the token.
///
/// ```
/// let error = "no token".parse::<pipeline_proto::Token>().unwrap_err();
/// assert!(error.to_string().contains("not a token"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenError(Reason);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Reason {
    Shape,
    Encoding,
    Descriptor,
    AccessKey,
    Signature,
    NotText,
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Reason::Shape => "not a token: it must be <access key>:<signature>:<descriptor>, with or without \"Pandora \" in front",
            Reason::Encoding => "the descriptor of the token is not URL-safe base64",
            Reason::Descriptor => "the descriptor of the token is not a JSON object with resource, expires and method",
            Reason::AccessKey => "the token was made with another access key",
            Reason::Signature => "the signature of the token does not fit: it was made with another secret key, or changed",
            Reason::NotText => "a token cannot hold a path or header that is not UTF-8 text",
        })
    }
}

impl std::error::Error for TokenError {}
