//! Data that goes into message queues.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header::CONTENT_ENCODING};
use serde::Deserialize;

use crate::{
    error::{BuildError, DecodeError},
    name::RepoName,
    operation::{RequestTemplate, decode_json, read::nothing, table::operations},
};

operations! { push push_operations;
    /// Pushes points into a message queue: records, one a line, which fit its schema. All of them or, if
    /// one does not fit (E18110, E18111), none.
    ///
    /// Sent again when it is unknown whether they have arrived, so that they may be there twice. At most 2 MiB
    /// before compression go into one push.
    PushPoints push_points(name: RepoName; points points: Payload) {
        /// Tags that all of the points get.
        tags "tags": Tags,
    } = POST "/v2/repos/{name}/data" AtLeastOnce Page -> () = nothing;

    /// Pushes lines of text into a message queue, for its parse rules.
    ///
    /// Sent again when it is unknown whether they have arrived, so that they may be there twice.
    PushLines push_lines(name: RepoName; text lines: Bytes) {
        /// Tags that all of the records get.
        tags: Tags,
        /// Parse rules in place of those of the queue. Later ones overwrite fields of earlier ones.
        rules: Vec<String>,
    } = POST "/v2/streams/{name}/data" AtLeastOnce Sdk, text by hand -> () = nothing;

    /// Pushes any text into a message queue, for its parse rules; without any it has to be points.
    ///
    /// Sent again when it is unknown whether it has arrived, so that it may be there twice. The service reports
    /// errors of this call in bodies of status 200: they become errors like all others.
    PushRaw push_raw(name: RepoName; text text: Bytes) {
        /// Tags that all of the records get.
        tags: Tags,
        /// Parse rules in place of those of the queue. Later ones overwrite fields of earlier ones.
        rules: Vec<String>,
    } = POST "/v2/stream/{name}/data" AtLeastOnce Page, text by hand -> () = outcome;
}

impl RequestTemplate {
    /// Sets the body to points, compressed or not.
    fn points(mut self, points: &Payload) -> Result<Self, BuildError> {
        if points.is_gzip() {
            let gzip = HeaderValue::from_static("gzip");
            self.headers.insert(CONTENT_ENCODING, gzip);
        }
        self.text(points.bytes())
    }
}

impl PushLines {
    fn by_hand(&self) -> Result<RequestTemplate, BuildError> {
        for_rules(self.target(), self.tags.as_ref(), self.rules.as_ref())?.text(&self.lines)
    }
}

impl PushRaw {
    fn by_hand(&self) -> Result<RequestTemplate, BuildError> {
        for_rules(self.target(), self.tags.as_ref(), self.rules.as_ref())?.text(&self.text)
    }
}

/// The vendor's client sends both or none.
fn for_rules(
    template: RequestTemplate,
    tags: Option<&Tags>,
    rules: Option<&Vec<String>>,
) -> Result<RequestTemplate, BuildError> {
    if tags.is_none() && rules.is_none() {
        return Ok(template);
    }
    let rules = rules.map_or(&[][..], Vec::as_slice);
    if let Some(rule) = rules
        .iter()
        .find(|rule| rule.is_empty() || rule.contains(','))
    {
        let detail = format!("{rule:?} cannot be the name of a parse rule in a list with commas");
        return Err(BuildError::custom(detail));
    }
    let tags = tags.map(Tags::to_string).unwrap_or_default();
    Ok(template
        .query("tags", &tags)
        .query("rules", &rules.join(",")))
}

/// Reads `{"code":200,"message":""}`. The code is a status of HTTP; the message begins with the code of the
/// error.
fn outcome<O>(_: &O, response: &Response<Bytes>) -> Result<(), DecodeError> {
    #[derive(Deserialize)]
    struct Outcome {
        code: i64,
        #[serde(default)]
        message: Option<String>,
    }
    let Outcome { code, message } = decode_json(response)?;
    let message = message.unwrap_or_default();
    match u16::try_from(code).map(StatusCode::from_u16) {
        Ok(Ok(StatusCode::OK)) => Ok(()),
        Ok(Ok(status)) => Err(DecodeError::refused(status, message)),
        _ => Err(DecodeError::custom(format!(
            "it has the code {code}: {message}"
        ))),
    }
}

/// What is pushed: points as they are, or compressed.
///
/// ```
/// use pipeline_proto::resource::push::Payload;
///
/// let plain = Payload::from("host=h1\tbytes=7\n");
/// assert!(!plain.is_gzip());
/// # #[cfg(feature = "gzip")] {
/// let text = "host=h1\tbytes=7\n".repeat(1000);
/// let compressed = Payload::gzip(text.as_bytes());
/// assert!(compressed.bytes().len() < text.len() / 100);
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Payload {
    bytes: Bytes,
    is_gzip: bool,
}

impl Payload {
    /// Compresses points with gzip at level 3, which is where more time stops to pay off in size.
    #[cfg(feature = "gzip")]
    pub fn gzip(points: &[u8]) -> Self {
        Self::gzip_level(points, 3)
    }

    /// Compresses points with gzip, from level 1, the fastest, to level 9, the smallest. Level 0 packs them
    /// without compression.
    #[allow(clippy::missing_panics_doc, reason = "writing to a vector cannot fail")]
    #[cfg(feature = "gzip")]
    pub fn gzip_level(points: &[u8], level: u32) -> Self {
        use std::io::Write as _;

        let level = flate2::Compression::new(level.min(9));
        // Half of what log data shrink to at level 1 is room enough to begin with.
        let room = Vec::with_capacity(points.len() / 8 + 64);
        let mut encoder = flate2::write::GzEncoder::new(room, level);
        let packed = encoder.write_all(points).and_then(|()| encoder.finish());
        Self::gzipped(packed.expect("a vector takes everything"))
    }

    /// What was compressed with gzip elsewhere.
    pub fn gzipped(bytes: impl Into<Bytes>) -> Self {
        Self {
            bytes: bytes.into(),
            is_gzip: true,
        }
    }

    /// Whether it is compressed.
    pub fn is_gzip(&self) -> bool {
        self.is_gzip
    }

    /// The bytes that are sent.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let packed = if self.is_gzip { " of gzip" } else { "" };
        write!(f, "Payload([{} bytes{packed}])", self.bytes.len())
    }
}

impl<T: Into<Bytes>> From<T> for Payload {
    fn from(points: T) -> Self {
        Self {
            bytes: points.into(),
            is_gzip: false,
        }
    }
}

/// Tags for everything in one push: keys and values, sent as one point in base64.
///
/// ```
/// use pipeline_proto::resource::push::Tags;
///
/// assert_eq!(Tags::new([("k", "v w")])?.to_string(), "az12IHc=");
/// # Ok::<(), pipeline_proto::BuildError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tags(String);

impl Tags {
    /// Takes keys and their values, in the order in which they are sent.
    ///
    /// # Errors
    ///
    /// If there are none, or a key is empty, or has what ends a key: `=`, a tab or a line feed.
    pub fn new<K: AsRef<str>, V: AsRef<str>>(
        tags: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, BuildError> {
        let mut line = String::new();
        for (key, value) in tags {
            let key = key.as_ref();
            if key.is_empty() || key.contains(['=', '\t', '\n']) {
                return Err(BuildError::custom(format!(
                    "{key:?} cannot be the key of a tag"
                )));
            }
            if !line.is_empty() {
                line.push('\t');
            }
            line.push_str(key);
            line.push('=');
            line.push_str(&value.as_ref().replace('\t', "\\t").replace('\n', "\\n"));
        }
        if line.is_empty() {
            return Err(BuildError::custom("no tags are given"));
        }
        Ok(Self(line))
    }

    /// Whether one of them has this key, so that records need not have a value for the field.
    pub fn has(&self, key: &str) -> bool {
        let mut tags = self.0.split('\t');
        tags.any(|tag| tag.split_once('=').is_some_and(|(tag, _)| tag == key))
    }
}

impl fmt::Display for Tags {
    /// As they stand in the query.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE.encode(&self.0))
    }
}
