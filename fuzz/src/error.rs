//! An answer with any status, headers and body, read as an error.

use pipeline_proto::{ApiError, ErrorCode, ErrorKind};

use super::http_text;

/// # Panics
///
/// If the error does not say what it must, or says more than it may.
pub fn run(data: &[u8]) {
    let response = http_text::response(data);
    let error = ApiError::from_response(&response);
    assert_eq!(error.status(), response.status());
    assert!(ErrorKind::ALL.contains(&error.kind()));
    let _ = error.is_retryable();

    let line = error.to_string();
    assert!(!line.contains(char::is_control), "{line:?}");
    assert!(line.chars().count() < 2500, "{line}");
    assert!(
        line.contains(&format!("(HTTP {}", response.status().as_u16())),
        "{line}"
    );

    // An invalid byte becomes a replacement character of three bytes.
    assert!(error.body().len() <= 3 * 4096);
    assert!(error.message().chars().count() <= 4096);
    assert_eq!(error.message(), error.message().trim());
    assert!(
        error
            .request_id()
            .is_none_or(|id| !id.is_empty() && id.len() <= 3 * 256)
    );

    if let Some(code) = error.code() {
        let text = code.to_string();
        assert_eq!(text.parse::<ErrorCode>().ok(), Some(code), "{text}");
        assert!(line.starts_with(&text), "{line}");
        if let Some(kind) = code.kind() {
            assert_eq!(error.kind(), kind);
        }
    } else {
        assert_eq!(error.kind(), ErrorKind::from_status(error.status()));
    }
}
