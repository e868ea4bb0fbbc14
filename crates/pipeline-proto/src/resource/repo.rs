//! Message queues, which the service calls repos.

use super::{data::spec, schema::SchemaEntry};

spec! {
    /// A message queue.
    ///
    /// ```
    /// use pipeline_proto::resource::{repo::RepoSpec, schema::{SchemaEntry, ValType}};
    ///
    /// let mut spec = RepoSpec::default();
    /// spec.schema.push(SchemaEntry::new("url", ValType::String));
    /// assert_eq!(serde_json::to_string(&spec)?, r#"{"schema":[{"key":"url","valtype":"string"}]}"#);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub struct RepoSpec {
        /// Where it is. In a workflow that is where the workflow is.
        "region" => region: Option<String>,
        /// The fields of a record.
        "schema" => schema: Vec<SchemaEntry>,
        /// What is added to records and changed in them.
        "options" => options: Option<RepoOptions>,
        /// The shared resource pool that it runs in.
        "group" => group: Option<String> [Form(Form::NAME)],
        /// The workflow it belongs to.
        "workflow" => workflow: Option<String> [Form(Form::NAME)],
        /// Parse rules for raw text, at most five; later ones overwrite fields of earlier ones.
        "ruleNames" => rule_names: Option<Vec<String>> [AtMostElements(5)],
        /// Free text.
        "description" => description: Option<String>,
        /// The transform that fills it.
        "derivedFrom" => derived_from: Option<String> [OnReading],
        /// Whether a workflow made it.
        "fromDag" => from_dag: Option<bool> [OnReading],
    }
}

spec! {
    /// What a message queue adds to records, and changes in them.
    pub struct RepoOptions {
        /// Name of a field for the sender's address; empty for none.
        "withIP" => with_ip: Option<String> [Form(Form::NAME)],
        /// Name of a field for the time of receipt; empty for none.
        "withTimestamp" => with_timestamp: Option<String> [Form(Form::NAME)],
        /// Whether backslash-t and backslash-n in values become tab and newline.
        "unescapeLine" => unescape_line: Option<bool>,
    }
}
