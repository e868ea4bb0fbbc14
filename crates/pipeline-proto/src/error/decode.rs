use std::{error::Error as StdError, fmt, sync::Arc};

use bytes::Bytes;
use http::{Response, StatusCode};

use super::{
    api::{excerpt, request_id},
    write_foreign,
};

/// The answer reports success, but is not what the operation expects.
///
/// ```
/// use bytes::Bytes;
/// use http::Response;
/// use pipeline_proto::operation::{ListWorkflows, Operation};
///
/// let portal = Response::new(Bytes::from_static(b"<h1>Please log in</h1>"));
/// let error = ListWorkflows::new().decode(&portal).unwrap_err();
/// assert!(error.to_string().contains("JSON"), "{error}");
/// ```
#[derive(Debug, Clone)]
pub struct DecodeError {
    reason: Reason,
    answer: Option<Answer>,
}

#[derive(Debug, Clone)]
enum Reason {
    Empty,
    NotUtf8(std::str::Utf8Error),
    Json(Arc<serde_json::Error>),
    Custom(String),
    Refused(StatusCode, String),
}

#[derive(Debug, Clone)]
struct Answer {
    status: StatusCode,
    request_id: Option<Box<str>>,
    body: Box<str>,
}

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

    fn new(reason: Reason) -> Self {
        Self {
            reason,
            answer: None,
        }
    }

    /// Adds what is known of the answer, for whoever has to find out what sent it.
    pub(crate) fn of(mut self, response: &Response<Bytes>) -> Self {
        self.answer = Some(Answer {
            status: response.status(),
            request_id: request_id(response.headers()),
            body: excerpt(response.body()),
        });
        self
    }

    pub(crate) fn status(&self) -> Option<StatusCode> {
        self.answer.as_ref().map(|answer| answer.status)
    }

    pub(crate) fn request_id(&self) -> Option<&str> {
        self.answer.as_ref()?.request_id.as_deref()
    }

    pub(crate) fn body(&self) -> &str {
        self.answer.as_ref().map_or("", |answer| &answer.body)
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer cannot be read: ")?;
        match &self.reason {
            Reason::Empty => f.write_str("it has no body"),
            Reason::NotUtf8(_) => f.write_str("its body is not UTF-8"),
            Reason::Json(error) if error.is_data() => {
                f.write_str("its JSON has another shape than expected")
            }
            Reason::Json(error) if error.is_eof() => f.write_str("its JSON is cut short"),
            Reason::Json(_) => f.write_str("its body is not JSON"),
            Reason::Custom(message) | Reason::Refused(_, message) => write_foreign(f, message, 200),
        }?;
        if let Some(answer) = &self.answer {
            write!(f, " (HTTP {}", answer.status.as_u16())?;
            if let Some(id) = &answer.request_id {
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
            Reason::Empty | Reason::Custom(_) | Reason::Refused(..) => None,
        }
    }
}
