use std::{borrow::Cow, fmt};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use pipeline_proto::{ErrorCode, ErrorKind};

use crate::auth::BadToken;

/// Why a request is refused: the status and the message of the response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
    /// The methods that the path has, with 405.
    pub(crate) allow: Option<Cow<'static, str>>,
}

impl Refusal {
    /// A refusal with a code of the service: `E18641: <meaning>: <detail>`.
    pub(crate) fn code(code: ErrorCode, detail: impl fmt::Display) -> Self {
        Self::plain(status_of(code), format!("{}: {detail}", message_of(code)))
    }

    /// The same with another code, if it has this one.
    pub(crate) fn recoded(self, from: ErrorCode, to: ErrorCode) -> Self {
        match self
            .message
            .strip_prefix(&format!("{}: ", message_of(from)))
        {
            Some(detail) => Self::code(to, detail),
            None => self,
        }
    }

    pub(crate) fn is(&self, code: ErrorCode) -> bool {
        self.message.starts_with(&format!("{}: ", message_of(code)))
    }

    /// The service has a code for calls that it does not implement, and no source tells its status.
    /// 500 would have clients try again.
    pub(crate) fn not_implemented(detail: &str) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            ..Self::code(ErrorCode::NOT_IMPLEMENTED, detail)
        }
    }

    /// A refusal for which the service has no code.
    pub(crate) fn plain(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            allow: None,
        }
    }

    pub(crate) fn wrong_method(allow: impl Into<Cow<'static, str>>) -> Self {
        let allow = allow.into();
        let message = format!("this path has only the methods {allow}");
        Self {
            allow: Some(allow),
            ..Self::plain(StatusCode::METHOD_NOT_ALLOWED, message)
        }
    }

    /// The service's error object.
    pub(crate) fn into_response(self) -> Response<Bytes> {
        let body = serde_json::json!({ "error": self.message }).to_string();
        let mut response = json_response(self.status, body.into());
        if let Some(value) = self
            .allow
            .and_then(|allow| HeaderValue::from_str(&allow).ok())
        {
            response.headers_mut().insert(header::ALLOW, value);
        }
        response
    }

    /// The same, for a request whose body was not read to its end: what is left of it would be taken
    /// for the next request.
    #[cfg(feature = "server")]
    pub(crate) fn into_last_response(self) -> Response<Bytes> {
        let mut response = self.into_response();
        response
            .headers_mut()
            .insert(header::CONNECTION, HeaderValue::from_static("close"));
        response
    }
}

/// An answer in JSON. The type is without parameters: the vendor's client compares the whole header.
pub(crate) fn json_response(status: StatusCode, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
}

impl From<BadToken> for Refusal {
    fn from(error: BadToken) -> Self {
        Self::plain(StatusCode::UNAUTHORIZED, error.to_string())
    }
}

/// `E18641: <meaning>`. The vendor's clients find the code by the colon after it.
pub(crate) fn message_of(code: ErrorCode) -> String {
    let meaning = code.info().map_or("unknown code", |info| info.meaning);
    format!("{code}: {meaning}")
}

/// The HTTP status of a code: the API page's, else one that suits the kind of error. Codes about the
/// state of a workflow have 400 on that page, so those that are missing there get it too.
pub(crate) fn status_of(code: ErrorCode) -> StatusCode {
    if let Some(status) = code.info().and_then(|info| info.http_status) {
        return StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    }
    match (code, code.kind()) {
        (
            ErrorCode::WORKFLOW_UPDATE_FORBIDDEN
            | ErrorCode::NOTHING_TO_RUN
            | ErrorCode::TSDB_REPO_EXISTS,
            _,
        ) => StatusCode::BAD_REQUEST,
        (_, Some(ErrorKind::NotFound)) => StatusCode::NOT_FOUND,
        (_, Some(ErrorKind::Conflict | ErrorKind::InProgress)) => StatusCode::CONFLICT,
        (_, Some(ErrorKind::Permission)) => StatusCode::FORBIDDEN,
        (_, Some(ErrorKind::Internal)) => StatusCode::INTERNAL_SERVER_ERROR,
        (_, Some(ErrorKind::Unavailable)) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_begins_with_code_and_colon() {
        let refusal = Refusal::code(ErrorCode::WORKFLOW_NOT_FOUND, "'logs'");
        assert_eq!(refusal.status, 404);
        assert_eq!(
            refusal.message,
            "E18641: the workflow does not exist: 'logs'"
        );
        assert_eq!(
            ErrorCode::from_message(&refusal.message),
            Some(ErrorCode::WORKFLOW_NOT_FOUND)
        );
    }

    #[test]
    fn codes_have_the_status_of_the_page_or_a_fitting_one() {
        for (code, status) in [
            (ErrorCode::CONTENT_LENGTH_MISSING, 411),
            (ErrorCode::ENTITY_TOO_LARGE, 413),
            (ErrorCode::REPO_BEING_CREATED, 202),
            (ErrorCode::WORKFLOW_EXISTS, 409),
            (ErrorCode::WORKFLOW_UPDATE_FORBIDDEN, 400),
            (ErrorCode::WORKFLOW_START_FORBIDDEN, 400),
            (ErrorCode::INVALID_WORKFLOW_GRAPH, 400),
            (ErrorCode::NOTHING_TO_RUN, 400),
            (ErrorCode::SCHEDULED_AND_MANUAL_JOBS_MIXED, 400),
            (ErrorCode::WORKFLOW_NAME_TAKEN, 409),
            (ErrorCode::RESOURCE_OWNER_NOT_FOUND, 404),
            (ErrorCode::ACCESS_DENIED, 403),
            (ErrorCode::INTERNAL_ERROR, 500),
            (ErrorCode::NOT_IMPLEMENTED, 500),
        ] {
            assert_eq!(status_of(code), status, "{code}");
        }
    }
}
