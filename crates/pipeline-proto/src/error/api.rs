use std::{
    fmt,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{HeaderName, Response, StatusCode, header::RETRY_AFTER};

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
/// let response = Response::builder().status(502).body(Bytes::from_static(b"<h1>Bad Gateway</h1>"))?;
/// let error = ApiError::from_response(&response);
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
    asked_delay: Option<Duration>,
    redirect: Option<Box<str>>,
    body: Box<str>,
    refusal: Option<RefusalCause>,
    uncorrected: Option<Uncorrected>,
    signed: Box<[HeaderName]>,
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
            asked_delay: None,
            redirect: redirect(response),
            body,
            refusal: None,
            uncorrected: None,
            signed: Box::default(),
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

    /// How long the service asks to wait before a further attempt, at this moment by its clock.
    pub fn retry_delay(&self, moment: SystemTime) -> Option<Duration> {
        header::retry_after(self.retry_after()?, moment)
    }

    /// How long the service asked the call that ended with this to wait, from the response on. Of a date it is
    /// reckoned by the clock of the service, however wrong that of the caller is.
    pub fn asked_delay(&self) -> Option<Duration> {
        self.asked_delay
    }

    pub(crate) fn set_asked_delay(&mut self, delay: Option<Duration>) {
        self.asked_delay = delay;
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

    pub(crate) fn set_refusal(
        &mut self,
        cause: RefusalCause,
        uncorrected: Option<Uncorrected>,
        signed: impl Iterator<Item = HeaderName>,
    ) {
        if matches!(cause, RefusalCause::Keys | RefusalCause::KeysOrClock) {
            self.signed = signed.collect();
        }
        self.refusal = Some(cause);
        self.uncorrected = uncorrected;
    }

    /// The headers beside `Date` that the request was signed with, of one whose signature was refused for no better
    /// reason than its keys. Where something on the way drops or changes one of them, the keys are not to blame.
    pub fn signed_headers(&self) -> &[HeaderName] {
        &self.signed
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
        for (at, name) in self.signed.iter().take(5).enumerate() {
            let before = if at == 0 {
                ", and that nothing on the way drops or changes what is signed: "
            } else {
                ", "
            };
            f.write_str(before)?;
            write_foreign(f, name.as_str(), 64)?;
        }
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
