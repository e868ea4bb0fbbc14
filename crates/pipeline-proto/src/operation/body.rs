use std::fmt;

use bytes::Bytes;
use serde::Deserialize;

use super::decode::{self, List};
use crate::error::DecodeError;

/// The body of a success, to be read into types of one's own. They may borrow from it: of a long list, a struct of
/// `Cow`s that names the members which are needed takes about half the time and little memory of its own.
///
/// ```
/// use bytes::Bytes;
/// use http::Response;
/// use pipeline_proto::{operation::{Operation, Unread}, resource::workflow::ListWorkflows};
/// use std::borrow::Cow;
///
/// #[derive(serde::Deserialize)]
/// struct Row<'a> {
///     #[serde(borrow)]
///     name: Cow<'a, str>,
///     #[serde(borrow)]
///     status: Cow<'a, str>,
/// }
///
/// let response = Response::new(Bytes::from(r#"[{"name":"logs","region":"nb","status":"Started"}]"#));
/// let body = Unread(ListWorkflows::new()).decode(&response)?;
/// let rows: Vec<Row<'_>> = body.list()?;
/// assert!(matches!(rows[0].name, Cow::Borrowed("logs")));
/// assert_eq!(rows[0].status, "Started");
/// # Ok::<(), pipeline_proto::DecodeError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Body(Bytes);

impl Body {
    pub(super) fn of(body: &Bytes) -> Self {
        Self(decode::mended(body))
    }

    /// The text, in which what cannot be text is replaced as by [`decode_json`](super::decode_json).
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Reads it as one value, within the bounds of [`decode_json`](super::decode_json).
    ///
    /// # Errors
    ///
    /// As those of [`decode_json`](super::decode_json).
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, DecodeError> {
        decode::read_text(self.as_str())
    }

    /// Reads it as a list: an array, or an object with exactly one array in it, as the service has them.
    ///
    /// # Errors
    ///
    /// As those of [`decode_json`](super::decode_json).
    pub fn list<'a, T: Deserialize<'a>>(&'a self) -> Result<Vec<T>, DecodeError> {
        self.json().map(|List(list)| list)
    }
}

/// Bodies may hold secrets.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}
