//! The lines of `requests.jsonl`, for the test of the core and that of the emulator.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// When the record with signatures was made, and by whom.
pub(crate) const MOMENT: u64 = 1_795_825_247;
pub(crate) const KEYS: [&str; 2] = ["exampleAccessKey0", "exampleSecretKey0"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vector {
    pub(crate) operation: String,
    #[serde(default)]
    pub(crate) case: String,
    pub(crate) method: String,
    pub(crate) target: String,
    #[serde(rename = "type")]
    pub(crate) content_type: Option<String>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) signature: Option<String>,
    pub(crate) token: Option<String>,
    /// JSON, or the text of another type; before it was compressed, if `gzip` has what was sent, in base64.
    pub(crate) body: Option<Value>,
    pub(crate) gzip: Option<String>,
    #[serde(default)]
    pub(crate) leaks: Vec<String>,
    pub(crate) response: Option<Value>,
    #[serde(default)]
    pub(crate) ignored: Vec<String>,
}

pub(crate) fn vectors() -> Vec<Vector> {
    of(include_str!("requests.jsonl"))
}

pub(crate) fn of(lines: &str) -> Vec<Vector> {
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}
