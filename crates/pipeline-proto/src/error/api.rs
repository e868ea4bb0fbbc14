use std::{
    fmt,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{Response, StatusCode, header::RETRY_AFTER};

use super::{
    body::{excerpt, message_of, redirect},
    code::{ErrorCode, ErrorKind},
    write_foreign,
};
use crate::{
    header,
    time::{ClockOffset, Uncorrected},
};

/// An error that the service, or something in front of it, answered with.
///
/// ```
/// use bytes::Bytes;
/// use http::Response;
/// use pipeline_proto::ApiError;
///
/// // What comes from a proxy is an error like any other.
/// let answer = Response::builder().status(502).body(Bytes::from_static(b"<h1>Bad Gateway</h1>"))?;
/// let error = ApiError::from_response(&answer);
/// assert_eq!((error.code(), error.is_retryable()), (None, true));
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ApiError {
    status: StatusCode,
    code: Option<ErrorCode>,
    /// Without the code.
    message: Box<str>,
    request_id: Option<Box<str>>,
    retry_after: Option<Box<str>>,
    redirect: Option<Box<str>>,
    body: Box<str>,
    refusal: Option<RefusalCause>,
    uncorrected: Option<Uncorrected>,
}

/// The most likely reason for which a signature or token was refused.
///
/// ```
/// use pipeline_proto::{Error, RefusalCause};
///
/// fn advice(error: &Error) -> &'static str {
///     match error.api().and_then(|error| error.refusal()) {
///         Some(RefusalCause::Clock(_)) => "set the clock",
///         Some(RefusalCause::TokenExpired(_)) => "ask for a new token",
///         Some(_) => "look at the keys",
///         None => "it is something else",
///     }
/// }
/// # let error = Error::build("list_workflows", pipeline_proto::BuildError::custom("no"));
/// # assert_eq!(advice(&error), "it is something else");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusalCause {
    /// The clocks differ by more than the service allows.
    Clock(ClockOffset),
    /// The token had expired.
    TokenExpired(Duration),
    /// The token is for another kind of request; the member of it that differs.
    TokenMismatch(&'static str),
    /// The token cannot be read.
    TokenUnreadable,
    /// No credentials were sent.
    NoCredentials,
    /// The token is in order, so it was made with keys that the service does not accept.
    TokenKeys,
    /// The clocks agree, so the access key or the secret key is wrong.
    Keys,
    /// The response does not show the service's time, so it is the keys or the clock.
    KeysOrClock,
}

impl ApiError {
    /// Reads a response as an error, whatever is in it: the service's JSON, with a code or without
    /// one; text or HTML of a proxy; nothing; a body that was cut short. Takes at most twice the size
    /// of the body in memory while it reads, and keeps a few kilobytes.
    pub fn from_response(response: &Response<Bytes>) -> Self {
        let body = excerpt(response.body());
        let message = message_of(response.body(), &body);
        let (code, message) = ErrorCode::split(&message);
        Self {
            status: response.status(),
            code,
            message: message.into(),
            request_id: header::request_id(response.headers()),
            retry_after: response
                .headers()
                .get(RETRY_AFTER)
                .and_then(|value| Some(value.to_str().ok()?.into())),
            redirect: redirect(response),
            body,
            refusal: None,
            uncorrected: None,
        }
    }

    /// An error that came under a status of success.
    pub(crate) fn refused(response: &Response<Bytes>, status: StatusCode, message: &str) -> Self {
        let (code, message) = ErrorCode::split(message);
        Self {
            status,
            code,
            message: message.into(),
            ..Self::from_response(response)
        }
    }

    /// What it means to a caller: by the code if that is known, else by the status.
    pub fn kind(&self) -> ErrorKind {
        self.code
            .and_then(ErrorCode::kind)
            .unwrap_or_else(|| ErrorKind::from_status(self.status))
    }

    /// The code at the start of the message, if there is one.
    pub fn code(&self) -> Option<ErrorCode> {
        self.code
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The message without its code, as it came; it may hold anything.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The service's name for the request.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// The beginning of the body: at most 4 KiB, invalid UTF-8 replaced.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// The `Retry-After` header as it came.
    pub fn retry_after(&self) -> Option<&str> {
        self.retry_after.as_deref()
    }

    /// Where a redirect leads: the target without user name, password, query and fragment, which may
    /// hold secrets.
    pub fn redirect(&self) -> Option<&str> {
        self.redirect.as_deref()
    }

    /// The most likely reason for a refused signature or token; `None` for other errors.
    pub fn refusal(&self) -> Option<&RefusalCause> {
        self.refusal.as_ref()
    }

    /// Why the difference of the clocks was not made up for, where it is the reason of the refusal.
    pub fn uncorrected(&self) -> Option<Uncorrected> {
        self.uncorrected
    }

    pub(crate) fn set_refusal(&mut self, cause: RefusalCause, uncorrected: Option<Uncorrected>) {
        self.refusal = Some(cause);
        self.uncorrected = uncorrected;
    }

    /// Whether the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self.kind() {
            // What is not built will not be there in a minute. Without a code, 500 is the only
            // status that the API page knows; the likes of 501 and 505 do not pass.
            ErrorKind::Internal => match self.code.filter(|code| code.info().is_some()) {
                Some(code) => code != ErrorCode::NOT_IMPLEMENTED,
                None => self.status == StatusCode::INTERNAL_SERVER_ERROR,
            },
            ErrorKind::Unavailable | ErrorKind::InProgress => true,
            ErrorKind::Limit => self.status == StatusCode::TOO_MANY_REQUESTS,
            _ => false,
        }
    }

    /// Whether this is how something answers that does not know the request at all. The service gives
    /// a code where it knows the request but not the workflow.
    pub(crate) fn is_unknown_request(&self) -> bool {
        self.code.is_none()
            && matches!(
                self.status,
                StatusCode::NOT_FOUND
                    | StatusCode::METHOD_NOT_ALLOWED
                    | StatusCode::NOT_IMPLEMENTED
            )
    }

    /// Whether the response shows that the request was not acted upon.
    pub(crate) fn rules_out_effect(&self) -> bool {
        // E9000, an internal error, may come under status 400: the service had begun to work. But it
        // does not begin for a caller it does not know.
        let refused = self.status.is_client_error()
            && (self.kind() != ErrorKind::Internal || self.status == StatusCode::UNAUTHORIZED);
        let not_built = self.code == Some(ErrorCode::NOT_IMPLEMENTED);
        // 303 is how a server shows the result of what it did (RFC 9110, section 15.4.4).
        let redirected = self.status.is_redirection() && self.status != StatusCode::SEE_OTHER;
        refused || not_built || redirected || self.is_put_off()
    }

    /// 429 or 503 that ask to come back later: the request was turned away at the door.
    pub(crate) fn is_put_off(&self) -> bool {
        let status = matches!(
            self.status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
        );
        let readable = self
            .retry_after
            .as_deref()
            .and_then(|value| header::retry_after(value, SystemTime::UNIX_EPOCH));
        status && readable.is_some()
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = false;
        if let Some(code) = self.code {
            write!(f, "{code}")?;
            if let Some(info) = code.info() {
                write!(f, ", {}", info.meaning)?;
            }
            said = true;
        } else if self.status.is_redirection() {
            f.write_str("the service redirects ")?;
            match &self.redirect {
                Some(target) => {
                    f.write_str("to ")?;
                    write_foreign(f, target, 200)?;
                }
                None => f.write_str("elsewhere")?,
            }
            f.write_str(", which is not followed because the signature would leak")?;
            said = true;
        } else if let Some(meaning) = status_meaning(self.status) {
            f.write_str(meaning)?;
            said = true;
        }
        // A message may begin with the meaning that was just written.
        let meaning = self.code.and_then(ErrorCode::info).map(|info| info.meaning);
        let message = meaning
            .and_then(|meaning| self.message.strip_prefix(meaning))
            .map_or(&*self.message, |rest| rest.trim_start_matches([':', ' ']));
        if !message.is_empty() {
            f.write_str(if said { ": " } else { "" })?;
            write_foreign(f, message, 200)?;
        } else if !said {
            f.write_str("no message")?;
        }
        write!(f, " (HTTP {}", self.status.as_u16())?;
        if let Some(id) = &self.request_id {
            f.write_str(", request ")?;
            write_foreign(f, id, 64)?;
        }
        f.write_str(")")?;
        match &self.refusal {
            None => Ok(()),
            Some(cause) => write!(f, "; {cause}"),
        }?;
        match self.uncorrected {
            None => Ok(()),
            Some(why) => write!(f, "; {why}"),
        }
    }
}

/// What a status means that comes without a code.
fn status_meaning(status: StatusCode) -> Option<&'static str> {
    Some(match status.as_u16() {
        401 => "authentication failed",
        403 => "access denied",
        429 => "too many requests",
        500 => "the service failed",
        502..=504 => "the service is not available",
        200..=299 => "a response that this service does not give",
        _ => return None,
    })
}

impl fmt::Display for RefusalCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clock(offset) => write!(
                f,
                "{offset}, and 15 minutes are allowed: set this machine's clock"
            ),
            Self::TokenExpired(ago) => write!(
                f,
                "the token expired {} s ago: ask for a new one",
                ago.as_secs()
            ),
            Self::TokenMismatch(member) => {
                write!(f, "the token is for another request: its {member} differs")
            }
            Self::TokenUnreadable => f.write_str("the token cannot be read: ask for a new one"),
            Self::NoCredentials => f.write_str("the request carried neither keys nor a token"),
            Self::TokenKeys => f.write_str("the token was made with keys that are not accepted"),
            Self::Keys => {
                f.write_str("the clocks agree, so check the access key and the secret key")
            }
            Self::KeysOrClock => {
                f.write_str("check the access key, the secret key and this machine's clock")
            }
        }
    }
}

impl std::error::Error for ApiError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::body::EXCERPT;

    fn error(status: u16, body: &'static [u8]) -> ApiError {
        let response = Response::builder()
            .status(status)
            .header("content-type", "application/json; charset=utf-8")
            .header("x-reqid", " r1 ")
            .body(Bytes::from_static(body))
            .unwrap();
        ApiError::from_response(&response)
    }

    #[test]
    fn the_shapes_of_bodies() {
        type Row = (u16, &'static [u8], Option<u32>, &'static str, ErrorKind);
        let rows: &[Row] = &[
            (
                404,
                br#"{"error":"E18641: no such workflow"}"#,
                Some(18641),
                "no such workflow",
                ErrorKind::NotFound,
            ),
            (
                404,
                br#"{"error":"E18641 no colon"}"#,
                Some(18641),
                "no colon",
                ErrorKind::NotFound,
            ),
            (
                404,
                br#"{"error":"E18641"}"#,
                Some(18641),
                "",
                ErrorKind::NotFound,
            ),
            (
                202,
                br#"{"error":"E18124: creating"}"#,
                Some(18124),
                "creating",
                ErrorKind::InProgress,
            ),
            (
                400,
                br#"{"error":"E9000: internal"}"#,
                Some(9000),
                "internal",
                ErrorKind::Internal,
            ),
            (
                400,
                br#"{"error":"E18999: new"}"#,
                Some(18999),
                "new",
                ErrorKind::InvalidArgument,
            ),
            (
                401,
                br#"{"error":"bad token"}"#,
                None,
                "bad token",
                ErrorKind::Unauthorized,
            ),
            (
                200,
                br#"{"code":404,"message":"E18102: gone"}"#,
                Some(18102),
                "gone",
                ErrorKind::NotFound,
            ),
            (500, b"oops", None, "oops", ErrorKind::Internal),
            (
                502,
                b"<html>Bad Gateway</html>",
                None,
                "<html>Bad Gateway</html>",
                ErrorKind::Unavailable,
            ),
            (503, b"", None, "", ErrorKind::Unavailable),
            (500, br#"{"error":""}"#, None, "", ErrorKind::Internal),
            (
                500,
                br#"{"error":null}"#,
                None,
                r#"{"error":null}"#,
                ErrorKind::Internal,
            ),
            (
                400,
                br#"{"error":{"a":1}}"#,
                None,
                r#"{"error":{"a":1}}"#,
                ErrorKind::InvalidArgument,
            ),
            (
                404,
                br#"{"error": "E18641: no su"#,
                Some(18641),
                "no su",
                ErrorKind::NotFound,
            ),
            (
                404,
                b"\xef\xbb\xbf{\"error\":\"E18641: x\"}",
                Some(18641),
                "x",
                ErrorKind::NotFound,
            ),
            (
                404,
                b"E18641: as text",
                Some(18641),
                "as text",
                ErrorKind::NotFound,
            ),
            (
                409,
                b"\xff\xfe",
                None,
                "\u{fffd}\u{fffd}",
                ErrorKind::Conflict,
            ),
            (302, b"", None, "", ErrorKind::UnexpectedResponse),
        ];
        for (status, body, code, message, kind) in rows {
            let error = error(*status, body);
            let shown = String::from_utf8_lossy(body);
            assert_eq!(error.code().map(ErrorCode::number), *code, "{shown}");
            assert_eq!(error.message(), *message, "{shown}");
            assert_eq!(error.kind(), *kind, "{shown}");
            assert_eq!(error.request_id(), Some("r1"));
        }
    }

    #[test]
    fn one_line_for_a_person() {
        let line = |status, body| error(status, body).to_string();
        assert_eq!(
            line(401, br#"{"error":"bad token"}"#),
            "authentication failed: bad token (HTTP 401, request r1)"
        );
        assert_eq!(line(400, b""), "no message (HTTP 400, request r1)");
        assert_eq!(
            line(404, br#"{"error":"E18641: the workflow does not exist"}"#),
            "E18641, the workflow does not exist (HTTP 404, request r1)"
        );
        let hostile = line(400, b"\x1b[2Jgone\r\n\xe2\x80\xaetxet");
        assert!(!hostile.contains(|c: char| c.is_control()), "{hostile}");
        assert!(
            hostile.contains("\\u{1b}[2Jgone\\r\\n\\u{202e}"),
            "{hostile}"
        );
    }

    #[test]
    fn a_redirect_names_its_target_without_secrets() {
        for (location, target) in [
            (
                "https://sso.example/login?token=t0p#x",
                "https://sso.example/login",
            ),
            (
                "https://user:p@ss@sso.example:8443/a@b",
                "https://sso.example:8443/a@b",
            ),
            ("//user:pass@sso.example", "//sso.example"),
            ("/login?back=%2Fv2", "/login"),
            ("login", "login"),
            ("https:\\\\user:pass@h/", "h/"),
        ] {
            let response = Response::builder()
                .status(302)
                .header("location", location)
                .body(Bytes::new())
                .unwrap();
            let error = ApiError::from_response(&response);
            assert!(
                error.redirect().unwrap().ends_with(target),
                "{location}: {error}"
            );
            let line = error.to_string();
            let leaks = ["t0p", "pass", "p@ss"].iter().any(|it| line.contains(it));
            assert!(!leaks && line.contains(target), "{line}");
        }
        assert!(error(302, b"").to_string().contains("redirects elsewhere"));
    }

    #[test]
    fn a_large_body_is_kept_in_part() {
        let mut body = vec![b'a'; EXCERPT - 1];
        body.extend_from_slice("工".as_bytes());
        assert_eq!(excerpt(&body).len(), EXCERPT - 1);
        let response = Response::builder()
            .status(500)
            .body(Bytes::from(vec![b'x'; 1 << 20]))
            .unwrap();
        let error = ApiError::from_response(&response);
        assert_eq!(error.body().len(), EXCERPT);
        assert!(error.to_string().len() < 300);
    }
}
