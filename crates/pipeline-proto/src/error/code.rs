use std::fmt;

use super::table::TABLE;
use crate::word::{serde_as_text, words};

words! {
    /// What an error means to a caller, independent of its number.
    ///
    /// The first nine come from the service: from the table of its codes where the code is known, else
    /// from the HTTP status. The last four are made on this side of the wire.
    ///
    /// ```
    /// use pipeline_proto::{ErrorCode, ErrorKind};
    ///
    /// assert_eq!(ErrorCode::WORKFLOW_NOT_FOUND.kind(), Some(ErrorKind::NotFound));
    /// assert_eq!(ErrorKind::NotFound.to_string(), "not-found");
    /// assert_eq!("not-found".parse(), Ok(ErrorKind::NotFound));
    /// ```
    #[non_exhaustive]
    pub enum ErrorKind: "a kind of error" {
        /// The request says something the service cannot accept; sending it again will not help.
        InvalidArgument = "invalid-argument",
        /// The signature or token was refused: wrong keys, expired token, or a clock that is off.
        Unauthorized = "unauthorized",
        /// The caller is known but may not do this.
        Permission = "permission",
        /// What the request names does not exist.
        NotFound = "not-found",
        /// The request is at odds with what is there: a name taken, a state that forbids it.
        Conflict = "conflict",
        /// Something the request needs is still being made or removed; later it may succeed.
        InProgress = "in-progress",
        /// A size, a count or a rate is above what the service allows.
        Limit = "limit",
        /// The service failed.
        Internal = "internal",
        /// The service, or something behind it, cannot be reached at the moment.
        Unavailable = "unavailable",
        /// The request could not be built; nothing was sent.
        InvalidRequest = "invalid-request",
        /// The response is not one that this service gives: not JSON, not the expected shape, a redirect.
        UnexpectedResponse = "unexpected-response",
        /// The connection could not be made, or broke.
        Network = "network",
        /// A time-out or the deadline of the call passed.
        Timeout = "timeout",
    }
}

impl ErrorKind {
    /// The kind that an HTTP status stands for when the response carries no known code.
    ///
    /// A status below 400 is never a failure that this service describes; only 202 is known
    /// (E18124, still being created).
    pub const fn from_status(status: http::StatusCode) -> Self {
        match status.as_u16() {
            202 => Self::InProgress,
            401 => Self::Unauthorized,
            403 => Self::Permission,
            404 => Self::NotFound,
            409 => Self::Conflict,
            413 | 429 => Self::Limit,
            400..=499 => Self::InvalidArgument,
            502..=504 => Self::Unavailable,
            500..=599 => Self::Internal,
            _ => Self::UnexpectedResponse,
        }
    }
}

/// The number in front of an error message of the service, as in `E18641: no such workflow`.
///
/// A newtype over the number, so that a code nobody has heard of survives. The known ones are
/// associated constants, all from [one table](ErrorCode::known).
///
/// ```
/// use pipeline_proto::ErrorCode;
///
/// let code = ErrorCode::from_message("E18641: no such workflow").unwrap();
/// assert_eq!(code, ErrorCode::WORKFLOW_NOT_FOUND);
/// assert_eq!(code.to_string(), "E18641");
/// assert_eq!(code.info().unwrap().meaning, "the workflow does not exist");
///
/// let unknown: ErrorCode = "E18999".parse().unwrap();
/// assert_eq!(unknown.number(), 18999);
/// assert!(unknown.info().is_none());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorCode(u32);

impl ErrorCode {
    /// For the table only; everybody else parses.
    pub(super) const fn new(number: u32) -> Self {
        Self(number)
    }

    /// Finds the code at the start of a message: optional white space, `E`, four or five digits of
    /// which the first is not zero, and then anything that does not continue the word.
    ///
    /// A colon need not follow, unlike in the vendor's Go SDK, which also cuts a bare `E18641`.
    pub fn from_message(message: &str) -> Option<Self> {
        Self::at_start(message.trim_start()).map(|(code, _)| code)
    }

    /// The code that a message starts with, and the message without it.
    pub(super) fn split(message: &str) -> (Option<Self>, &str) {
        let message = message.trim();
        match Self::at_start(message) {
            Some((code, rest)) => {
                let rest = rest.trim_start();
                (
                    Some(code),
                    rest.strip_prefix(':').unwrap_or(rest).trim_start(),
                )
            }
            None => (None, message),
        }
    }

    fn at_start(message: &str) -> Option<(Self, &str)> {
        let digits = message.strip_prefix('E')?;
        let length = digits.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = digits.split_at(length);
        let continues = rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        if !matches!(length, 4 | 5) || number.starts_with('0') || continues {
            return None;
        }
        Some((Self(number.parse().ok()?), rest))
    }

    /// The number without the `E`.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// What is known of this code, or `None` for one that no source lists.
    pub fn info(self) -> Option<&'static CodeInfo> {
        let at = TABLE.binary_search_by_key(&self, |info| info.code).ok()?;
        Some(&TABLE[at])
    }

    /// The kind that the table gives this code.
    pub fn kind(self) -> Option<ErrorKind> {
        self.info().map(|info| info.kind)
    }

    /// All known codes in ascending order.
    pub fn known() -> &'static [CodeInfo] {
        TABLE
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "E{}", self.0)
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not an error code: `E` and four or five digits.
///
/// ```
/// use pipeline_proto::ErrorCode;
///
/// assert!("E18641".parse::<ErrorCode>().is_ok());
/// assert!("E18".parse::<ErrorCode>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseCodeError;

impl fmt::Display for ParseCodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an error code: write it as E18641, an E and four or five digits")
    }
}

impl std::error::Error for ParseCodeError {}

impl std::str::FromStr for ErrorCode {
    type Err = ParseCodeError;

    /// Reads a whole text; the `E` may be missing or in lower case, as people type it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix(['E', 'e']).unwrap_or(text);
        let plain = matches!(digits.len(), 4 | 5)
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        if !plain {
            return Err(ParseCodeError);
        }
        digits.parse().map(Self).map_err(|_| ParseCodeError)
    }
}

serde_as_text!(ErrorCode);

/// One row of the error table.
///
/// ```
/// use pipeline_proto::ErrorCode;
///
/// let info = ErrorCode::WORKFLOW_EXISTS.info().unwrap();
/// assert_eq!((info.name, info.http_status), ("WORKFLOW_EXISTS", Some(409)));
/// assert!(ErrorCode::known().iter().filter(|info| info.on_api_page).count() > 50);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CodeInfo {
    /// The code.
    pub code: ErrorCode,
    /// Name of the associated constant of [`ErrorCode`].
    pub name: &'static str,
    /// The HTTP status that goes with it; `None` where no source says.
    pub http_status: Option<u16>,
    /// What it means to a caller.
    pub kind: ErrorKind,
    /// Whether the vendor's API page lists it; the others come from the vendor's Go SDK.
    pub on_api_page: bool,
    /// The meaning in English.
    pub meaning: &'static str,
    /// The meaning in Chinese.
    pub meaning_zh: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_complete_sorted_and_without_repeats() {
        assert_eq!(TABLE.len(), 191);
        assert!(TABLE.windows(2).all(|pair| pair[0].code < pair[1].code));
        assert_eq!(TABLE.iter().filter(|row| row.on_api_page).count(), 59);
        // Every status is one that the API page prints; the others are unknown, not guessed.
        for row in TABLE {
            assert_eq!(row.http_status.is_some(), row.on_api_page, "{}", row.code);
            assert!(
                !row.meaning.is_empty() && !row.meaning_zh.is_empty(),
                "{}",
                row.code
            );
        }
    }

    #[test]
    fn kinds_are_distributed_as_in_the_sources() {
        let count = |kind| TABLE.iter().filter(|row| row.kind == kind).count();
        assert_eq!(count(ErrorKind::InvalidArgument), 101);
        assert_eq!(count(ErrorKind::Conflict), 42);
        assert_eq!(count(ErrorKind::NotFound), 31);
        assert_eq!(count(ErrorKind::Limit), 5);
        assert_eq!(count(ErrorKind::Permission), 4);
        assert_eq!(count(ErrorKind::Internal), 3);
        assert_eq!(count(ErrorKind::InProgress), 3);
        assert_eq!(count(ErrorKind::Unavailable), 2);
    }
}
