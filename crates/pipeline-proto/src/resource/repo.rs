//! Message queues, which the service calls repos.

use std::collections::BTreeMap;

use super::{
    data::spec,
    schema::{ParseSchemaError, Schema, SchemaEntry},
};
use crate::name::{Region, RepoName, ShownName, kind};
use crate::{
    error::BuildError,
    operation::{
        RequestTemplate,
        read::{json, member, named, nothing},
        table::operations,
    },
};

operations! { repo repo_operations;
    /// Creates a message queue, in region `nb` unless the spec has another. The types of its fields
    /// cannot be changed later (E18128).
    CreateRepo create_repo(name: RepoName; json spec: RepoSpec) = POST "/v2/repos/{name}" Never Page, json by hand
        -> () = nothing;

    /// Replaces the schema of a message queue, as a whole: keep the old fields in it, in their order.
    ///
    /// Takes about six seconds to reach the servers that accept data: until then they may refuse the
    /// new fields (E18111). E18643 while the workflow of the queue does not allow it.
    UpdateRepo update_repo(name: RepoName; json spec: RepoSpec) = PUT "/v2/repos/{name}" Idempotent Page -> () = nothing;

    /// Lists the message queues of the account. Only their names, where they are and what fills them.
    ListRepos list_repos() {
        /// Whether to show those of workflows as well.
        with_dag "withDag": bool,
        /// `authorized`: those of others that the account may use. Only together with `with_dag`.
        source_type "sourceType": String,
    } = GET "/v2/repos" Safe Page -> Vec<RepoSpec> = member("repos");

    /// Shows one message queue.
    GetRepo get_repo(name: RepoName) = GET "/v2/repos/{name}" Safe Page
        -> RepoSpec = json, then |get, repo| named(&get.name, repo.name.get_or_insert_default()), none on REPO_NOT_FOUND;

    /// Says whether there is such a message queue.
    RepoExists repo_exists(name: RepoName) = GET "/v2/repos/{name}/exists" Safe Sdk -> bool = member("exist");

    /// Shows some records of a message queue.
    SampleRepo sample_repo(name: RepoName) {
        /// How many, at most 10.
        count "count": u32,
    } = GET "/v2/repos/{name}/data" Safe Sdk -> Vec<Record> = member("records");

    /// Deletes a message queue. E18112 while a transform or an export reads from it.
    DeleteRepo delete_repo(name: RepoName) = DELETE "/v2/repos/{name}" Idempotent Page
        -> () = nothing, done on REPO_NOT_FOUND;
}

/// A record of a message queue, by field.
pub type Record = BTreeMap<String, serde_json::Value>;

impl CreateRepo {
    fn by_hand(&self) -> Result<RequestTemplate, BuildError> {
        let mut spec = self.spec.clone();
        spec.region.get_or_insert_with(|| Region::default().into());
        self.target().json(&spec)
    }
}

spec! {
    /// A message queue.
    ///
    /// ```
    /// use pipeline_proto::resource::repo::RepoSpec;
    ///
    /// let spec = RepoSpec::try_from("url string")?;
    /// assert_eq!(serde_json::to_string(&spec)?, r#"{"schema":[{"key":"url","valtype":"string"}]}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub struct RepoSpec {
        /// Where it is. In a workflow that is where the workflow is.
        "region" => region: Option<ShownName<kind::Region>> [OfWorkflow(Head::Region)],
        /// The fields of a record.
        "schema" => schema: Vec<SchemaEntry>,
        /// What is added to records and changed in them.
        "options" => options: Option<RepoOptions>,
        /// The shared resource pool that it runs in.
        "group" => group: Option<ShownName<kind::Group>> [Form(Form::NAME)],
        /// The workflow it belongs to.
        "workflow" => workflow: Option<ShownName<kind::Workflow>> [Form(Form::NAME), OfWorkflow(Head::Name)],
        /// Parse rules for raw text, at most five; later ones overwrite fields of earlier ones.
        "ruleNames" => rule_names: Option<Vec<String>> [AtMostElements(5)],
        /// Free text.
        "description" => description: Option<String>,
        /// The transform that fills it.
        "derivedFrom" => derived_from: Option<ShownName<kind::Transform>> [OnReading],
        /// Whether a workflow made it.
        "fromDag" => from_dag: Option<bool> [OnReading],
        /// What another account permits with this queue of its own: `read`, `write`.
        "perms" => perms: Option<Vec<String>> [OnReading],
        /// Its name.
        "name" => name: Option<ShownName<kind::Repo>> [OnReading],
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

impl From<Schema> for RepoSpec {
    fn from(Schema(schema): Schema) -> Self {
        Self {
            schema,
            ..Self::default()
        }
    }
}

impl TryFrom<&str> for RepoSpec {
    type Error = ParseSchemaError;

    /// Reads the short form of a [`Schema`].
    fn try_from(schema: &str) -> Result<Self, ParseSchemaError> {
        schema.parse().map(Schema::into)
    }
}
