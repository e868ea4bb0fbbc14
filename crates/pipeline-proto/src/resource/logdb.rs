//! Repos of LogDB, the search engine that exports write to. It is a service of its own: these operations are for a
//! client whose endpoint is [`ENDPOINT`], or wherever else LogDB is.

use super::data::spec;
use crate::{
    error::BuildError,
    name::{LogdbRepoName, Region, ShownName, kind},
    operation::{
        RequestTemplate,
        read::{json, nothing},
        table::operations,
    },
};

/// Where LogDB is.
pub const ENDPOINT: &str = "https://nb-insight.qiniuapi.com";

operations! { logdb logdb_operations;
    /// Creates a repo in LogDB, in region `nb` unless the spec has another.
    CreateLogdbRepo create_logdb_repo(name: LogdbRepoName; json spec: LogdbRepo)
        = POST "/v5/repos/{name}" Never Sdk, json by hand -> () = nothing;

    /// Replaces fields and retention of a repo in LogDB, as a whole.
    UpdateLogdbRepo update_logdb_repo(name: LogdbRepoName; json spec: LogdbRepo)
        = PUT "/v5/repos/{name}" Idempotent Sdk -> () = nothing;

    /// Shows a repo of LogDB.
    GetLogdbRepo get_logdb_repo(name: LogdbRepoName) = GET "/v5/repos/{name}" Safe Sdk
        -> LogdbRepo = json, none on LOGDB_REPO_NOT_FOUND;
}

impl CreateLogdbRepo {
    fn by_hand(&self) -> Result<RequestTemplate, BuildError> {
        let mut spec = self.spec.clone();
        spec.region.get_or_insert_with(|| Region::default().into());
        self.target().json(&spec)
    }
}

/// How texts are cut into what can be searched for.
pub const ANALYZERS: &[&str] = &[
    "standard",
    "simple",
    "whitespace",
    "stop",
    "index_ansj",
    "dic_ansj",
    "search_ansj",
    "to_ansj",
    "user_ansj",
    "keyword",
    "path",
];

spec! {
    /// A repo of LogDB.
    pub struct LogdbRepo {
        /// Where it is.
        "region" => region: Option<ShownName<kind::Region>>,
        /// How long records stay: days, as `30d`; `-1` or `0d` for ever.
        "retention" => retention: Option<String>,
        /// How much longer they stay where they are slow to search.
        "coldRetention" => cold_retention: Option<String>,
        /// Its fields.
        "schema" => schema: Vec<LogdbField>,
        /// Whether everything can be searched at once.
        "fullText" => full_text: Option<FullText>,
        /// Free text.
        "description" => description: Option<String>,
        /// The field that tells records apart.
        "primaryField" => primary_field: Option<String>,
        /// The field with the time.
        "dateIndexField" => date_index_field: Option<String>,
        /// When it was made.
        "createTime" => create_time: Option<String> [OnReading],
        /// When it was changed.
        "updateTime" => update_time: Option<String> [OnReading],
    }
}

spec! {
    /// A field of a repo of LogDB.
    pub struct LogdbField {
        /// Its name.
        "key" => key: String,
        /// What it holds: `long`, `float`, `boolean`, `date`, `ip`, `string` or `object`.
        "valtype" => valtype: String,
        /// How its text is cut into what can be searched for.
        "analyzer" => analyzer: Option<String> [OneOf(ANALYZERS)],
        /// The fields of an object, as far as they are declared.
        "nested" => nested: Option<Vec<LogdbField>>,
        /// Free text.
        "description" => description: Option<String>,
    }
    new(key: impl Into<String>, valtype: impl Into<String>)
}

spec! {
    /// Whether everything can be searched at once.
    pub struct FullText {
        /// Whether it can.
        "enabled" => enabled: Option<bool>,
        /// How texts are cut for it.
        "analyzer" => analyzer: Option<String>,
    }
}
