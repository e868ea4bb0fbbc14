use std::{
    error::Error as StdError,
    fmt,
    panic::{RefUnwindSafe, UnwindSafe},
    sync::Arc,
};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header::CONTENT_TYPE};

use super::{body::excerpt, write_foreign};
use crate::header::request_id;

/// The response reports success, but is not what the operation expects.
///
/// ```
/// use bytes::Bytes;
/// use http::Response;
/// use pipeline_proto::{operation::Operation, resource::workflow::ListWorkflows};
///
/// let portal = Response::new(Bytes::from_static(b"<h1>Please log in</h1>"));
/// let error = ListWorkflows::new().decode(&portal).unwrap_err();
/// assert!(error.to_string().contains("JSON"), "{error}");
/// ```
#[derive(Debug, Clone)]
pub struct DecodeError {
    reason: Reason,
    response: Option<Received>,
}

#[derive(Debug, Clone)]
enum Reason {
    Empty,
    NotUtf8(std::str::Utf8Error),
    Json(Arc<serde_json::Error>),
    /// The content coding, and whether it is one that can be read.
    Packed(Box<str>, bool),
    TooManyValues,
    Custom(String),
    Refused(StatusCode, String),
}

#[derive(Debug, Clone)]
struct Received {
    status: StatusCode,
    request_id: Option<Box<str>>,
    media_type: Option<Box<str>>,
    body: Box<str>,
}

// The parser's own error is only looked at.
impl UnwindSafe for DecodeError {}
impl RefUnwindSafe for DecodeError {}

impl DecodeError {
    /// An error of an operation that is defined elsewhere.
    pub fn custom(message: impl Into<String>) -> Self {
        Self::new(Reason::Custom(message.into()))
    }

    /// The response is an error of the service in spite of its HTTP status, as when a body says
    /// `{"code":404,"message":"E18102: …"}` under 200. The call then ends, or is tried again, as if
    /// the response had come with this status and message.
    pub fn refused(status: StatusCode, message: impl Into<String>) -> Self {
        Self::new(Reason::Refused(status, message.into()))
    }

    pub(crate) fn as_refused(&self) -> Option<(StatusCode, &str)> {
        match &self.reason {
            Reason::Refused(status, message) => Some((*status, message)),
            _ => None,
        }
    }

    pub(crate) fn empty() -> Self {
        Self::new(Reason::Empty)
    }

    pub(crate) fn not_utf8(error: std::str::Utf8Error) -> Self {
        Self::new(Reason::NotUtf8(error))
    }

    pub(crate) fn json(error: serde_json::Error) -> Self {
        Self::new(Reason::Json(Arc::new(error)))
    }

    /// A body that is compressed, and damaged or in a way that was not asked for.
    pub(crate) fn packed(coding: &str, known: bool) -> Self {
        Self::new(Reason::Packed(coding.into(), known))
    }

    pub(crate) fn too_many_values() -> Self {
        Self::new(Reason::TooManyValues)
    }

    /// Whether the text is no JSON, and not JSON of another shape.
    pub(crate) fn is_syntax(&self) -> bool {
        matches!(&self.reason, Reason::Json(error) if error.is_syntax())
    }

    fn new(reason: Reason) -> Self {
        Self {
            reason,
            response: None,
        }
    }

    /// Adds what is known of the response, for whoever has to find out what sent it.
    pub(crate) fn of(mut self, response: &Response<Bytes>) -> Self {
        self.response = Some(Received {
            status: response.status(),
            request_id: request_id(response.headers()),
            media_type: media_type(response.headers()),
            body: excerpt(response.body()),
        });
        self
    }

    pub(crate) fn status(&self) -> Option<StatusCode> {
        self.response.as_ref().map(|response| response.status)
    }

    pub(crate) fn request_id(&self) -> Option<&str> {
        self.response.as_ref()?.request_id.as_deref()
    }

    pub(crate) fn body(&self) -> &str {
        self.response.as_ref().map_or("", |response| &response.body)
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the response cannot be read: ")?;
        match &self.reason {
            Reason::Empty => f.write_str("it has no body"),
            Reason::NotUtf8(_) => f.write_str("its body is not UTF-8"),
            Reason::Json(error) if error.is_data() => {
                f.write_str("its JSON has another shape than expected")
            }
            Reason::Json(error) if error.is_eof() => f.write_str("its JSON is cut short"),
            Reason::Json(_) => f.write_str("its body is not JSON"),
            Reason::Packed(coding, known) => {
                f.write_str("its body is compressed as ")?;
                write_foreign(f, coding, 32)?;
                f.write_str(if *known {
                    ", and damaged"
                } else {
                    ", which was not asked for"
                })
            }
            Reason::TooManyValues => f.write_str(
                "it has so many small values that reading it would take more than ten times its size",
            ),
            Reason::Custom(message) | Reason::Refused(_, message) => write_foreign(f, message, 200),
        }?;
        if let Some(response) = &self.response {
            if matches!(self.reason, Reason::Json(_) | Reason::NotUtf8(_)) {
                response.write_beginning(f)?;
            }
            write!(f, " (HTTP {}", response.status.as_u16())?;
            if let Some(id) = &response.request_id {
                f.write_str(", request ")?;
                write_foreign(f, id, 64)?;
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl StdError for DecodeError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.reason {
            Reason::NotUtf8(error) => Some(error),
            Reason::Json(error) => Some(&**error),
            Reason::Empty
            | Reason::Packed(..)
            | Reason::TooManyValues
            | Reason::Custom(_)
            | Reason::Refused(..) => None,
        }
    }
}

impl Received {
    /// The media type and the first words, so that the page of a portal can be recognised.
    fn write_beginning(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_json = |media_type: &&str| media_type.ends_with("json");
        match self.media_type.as_deref().filter(|it| !is_json(it)) {
            Some(media_type) => {
                f.write_str(", but ")?;
                write_foreign(f, media_type, 64)?;
            }
            None if self.body.trim_start().starts_with('<') => f.write_str(", but HTML or XML")?,
            None => return Ok(()),
        }
        let words = first_words(&self.body);
        if words.is_empty() {
            return Ok(());
        }
        f.write_str(" that begins with \"")?;
        write_foreign(f, &words, 60)?;
        f.write_str("\"")
    }
}

/// The type in `Content-Type`, without its parameters.
fn media_type(headers: &HeaderMap) -> Option<Box<str>> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let media_type = value.split(';').next()?.trim();
    (!media_type.is_empty()).then(|| media_type.to_ascii_lowercase().into())
}

/// The text that a person would see first: without tags, comments and styles, blanks run together.
fn first_words(page: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        let end = ["!--", "style", "script"].into_iter().find_map(|name| {
            let found = tag.get(..name.len())?.eq_ignore_ascii_case(name);
            found.then_some(if name == "!--" { "-->" } else { "</" })
        });
        rest = match end {
            Some("</") => tag.split_once("</").map_or("", |(_, rest)| rest),
            Some(end) => tag.split_once(end).map_or("", |(_, rest)| rest),
            None => tag,
        };
        if end != Some("-->") {
            rest = rest.split_once('>').map_or("", |(_, rest)| rest);
        }
    }
    text.push_str(rest);
    text.split_whitespace()
        .take(12)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_words_of_a_page_are_those_that_a_person_sees() {
        for (page, words) in [
            ("Please  log\n in", "Please log in"),
            (
                "<!DOCTYPE html><html><head><title>Sign in</title>",
                "Sign in",
            ),
            (
                "<style>a > b {}</style><!-- <b> --><h1>Log<br>in</h1>",
                "Log in",
            ),
            ("<script>if (a < b) {}</script>ok", "ok"),
            ("<SCRIPT>no end", ""),
            ("<", ""),
            ("a<b", "a"),
            (
                "1 2 3 4 5 6 7 8 9 10 11 12 13",
                "1 2 3 4 5 6 7 8 9 10 11 12",
            ),
        ] {
            assert_eq!(first_words(page), words, "{page}");
        }
    }
}
