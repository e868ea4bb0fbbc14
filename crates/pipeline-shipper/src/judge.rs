//! What a failed push means for its records.

use http::StatusCode;
use pipeline_proto::{Cause, Error, ErrorCode, FaultKind};

/// What follows from an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// Something is wrong with a record, or the batch is too large: each half is worth a try.
    Halve,
    /// It may pass.
    Retry,
    /// It will not pass by itself, whatever the push holds.
    Refuse,
}

/// The codes that a single record brings about. The vendor's agent halves on all but the last two, with which
/// the service refuses a field that is there twice, and a line that is no point.
const OF_RECORDS: &[ErrorCode] = &[
    ErrorCode::ENTITY_TOO_LARGE,
    ErrorCode::INVALID_FIELD_FORMAT,
    ErrorCode::FIELD_NOT_FOUND,
    ErrorCode::DATA_SCHEMA_MISMATCH,
    ErrorCode::UNREADABLE_GZIP_BODY,
    ErrorCode::INVALID_DATE_OR_DUPLICATE_FIELD,
    ErrorCode::MALFORMED_ENTITY,
];

/// Whether a change of a schema was refused for some of its fields, so that others may be taken without them: for a name,
/// a type or their number.
pub(crate) fn is_about_fields(error: &Error) -> bool {
    let of_fields = [
        ErrorCode::FIELD_TOO_LONG,
        ErrorCode::INVALID_DATE_OR_DUPLICATE_FIELD,
        ErrorCode::INVALID_FIELD_NAME,
        ErrorCode::UNKNOWN_FIELD_TYPE,
        ErrorCode::INVALID_REPO_MODE,
        ErrorCode::INCOMPATIBLE_SCHEMA,
        ErrorCode::TOO_MANY_FIELDS,
        ErrorCode::FIELD_LIMIT_TOO_LOW,
    ];
    let has_no_code = error.status() == Some(StatusCode::BAD_REQUEST) && error.code().is_none();
    is_too_large(error) || has_no_code || error.code().is_some_and(|code| of_fields.contains(&code))
}

/// Whether the request was larger than the service, or somebody on the way, takes.
pub(crate) fn is_too_large(error: &Error) -> bool {
    error.code() == Some(ErrorCode::ENTITY_TOO_LARGE)
        || error.status() == Some(StatusCode::PAYLOAD_TOO_LARGE)
}

pub(crate) fn judge(error: &Error) -> Judgement {
    let code = error.code();
    if is_too_large(error) || code.is_some_and(|code| OF_RECORDS.contains(&code)) {
        return Judgement::Halve;
    }
    let passes = match error.cause() {
        // A page of whoever stands in the way, where the service would have said nothing.
        Cause::Decode(_) => true,
        Cause::Fault(fault) if fault.kind() == FaultKind::BodyTooLarge => true,
        // Proxies have more statuses for a service that is away than the service itself; and 408 is a
        // time-out (RFC 9110, section 15.5.9).
        Cause::Api(api) if code.is_none() => {
            let status = api.status();
            api.is_retryable()
                || status == StatusCode::REQUEST_TIMEOUT
                || (status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED)
        }
        _ => error.is_retryable(),
    };
    if passes {
        Judgement::Retry
    } else {
        Judgement::Refuse
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Response;
    use pipeline_proto::{ApiError, BuildError, DecodeError, Fault};

    use super::{Judgement::*, *};

    #[test]
    fn an_error_halves_or_is_tried_again_or_ends_in_a_verdict() {
        let of = |cause| Error::of("push_points", cause);
        let api = |status: u16, message: &str| {
            let body = format!(r#"{{"error":"{message}"}}"#);
            let response = Response::builder().status(status).body(Bytes::from(body));
            of(Cause::Api(ApiError::from_response(&response.unwrap())))
        };
        let fault = |kind| of(Cause::Fault(Fault::new(kind)));
        for (error, expected) in [
            (api(413, "E18005: too large"), Halve),
            (api(400, "E18005: too large"), Halve),
            (api(413, "<h1>too large</h1>"), Halve),
            (api(400, "E18110: no long"), Halve),
            (api(404, "E18111: no such field"), Halve),
            (api(400, "E18123: does not fit"), Halve),
            (api(400, "E18125: no gzip"), Halve),
            (api(400, "E18104: twice"), Halve),
            (api(400, "E18007: no point"), Halve),
            (api(202, "E18124: being created"), Retry),
            (api(409, "E18113: being deleted"), Retry),
            (api(500, "E9000: failed"), Retry),
            (api(500, "failed"), Retry),
            (api(503, "busy"), Retry),
            (api(429, "slow down"), Retry),
            (api(408, "too slow"), Retry),
            (api(522, "no route"), Retry),
            (fault(FaultKind::NotSent), Retry),
            (fault(FaultKind::Interrupted), Retry),
            (fault(FaultKind::TimedOut), Retry),
            (of(Cause::Decode(DecodeError::custom("a page"))), Retry),
            (fault(FaultKind::BodyTooLarge), Retry),
            (api(401, "bad token"), Refuse),
            (api(403, "not yours"), Refuse),
            (api(404, "E18102: no such repo"), Refuse),
            (api(404, "page not found"), Refuse),
            (api(400, "E18223: filled by a transform"), Refuse),
            (api(400, "E18138: tags"), Refuse),
            (api(400, "bad request"), Refuse),
            (api(501, "E9001: not built"), Refuse),
            (api(501, "not built"), Refuse),
            (api(302, "elsewhere"), Refuse),
            (of(Cause::Build(BuildError::custom("no path"))), Refuse),
            (
                of(Cause::Fault(Fault::new(FaultKind::NotSent).permanent())),
                Refuse,
            ),
        ] {
            assert_eq!(judge(&error), expected, "{error}");
        }
    }
}
