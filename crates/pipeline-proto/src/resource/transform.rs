//! Stream computations, which the service calls transforms.

use super::{
    data::{Whence, shown, spec},
    schema::SchemaEntry,
};
use crate::name::{RepoName, ShownName, TransformName, kind};
use crate::operation::{
    read::{json, member, named, nothing},
    table::operations,
};

operations! { transform transform_operations;
    /// Adds a transform between two message queues. The destination is made if it is not there, and
    /// must not be the source (E18204).
    CreateTransform create_transform(source: RepoName, name: TransformName, destination: RepoName; json spec: TransformSpec)
        = POST "/v2/repos/{source}/transforms/{name}/to/{destination}" Never Page -> () = nothing;

    /// Changes parts of a transform. SQL and the output of a plugin may only add fields.
    UpdateTransform update_transform(source: RepoName, name: TransformName; json spec: TransformSpec)
        = PUT "/v2/repos/{source}/transforms/{name}" Idempotent Page -> () = nothing;

    /// Lists the transforms that read from a message queue.
    ListTransforms list_transforms(source: RepoName) = GET "/v2/repos/{source}/transforms" Safe Page
        -> Vec<Transform> = member("transforms");

    /// Shows one transform.
    GetTransform get_transform(source: RepoName, name: TransformName)
        = GET "/v2/repos/{source}/transforms/{name}" Safe Page -> Transform = json, then |get, transform| named(&get.name, &mut transform.name), none on TRANSFORM_NOT_FOUND;

    /// Says whether there is such a transform.
    TransformExists transform_exists(source: RepoName, name: TransformName)
        = GET "/v2/repos/{source}/transforms/{name}/exists" Safe Sdk -> bool = member("exist");

    /// Deletes a transform.
    DeleteTransform delete_transform(source: RepoName, name: TransformName)
        = DELETE "/v2/repos/{source}/transforms/{name}" Idempotent Page -> () = nothing, done on TRANSFORM_NOT_FOUND;
}

shown! {
    /// A transform as the service shows it.
    pub struct Transform {
        /// Its name.
        "name" => name: ShownName<kind::Transform>,
        /// The message queue that it fills.
        "to" => to: ShownName<kind::Repo>,
        /// What it does.
        "spec" => spec: Option<TransformSpec>,
        /// The workflow it belongs to.
        "workflow" => workflow: Option<ShownName<kind::Workflow>>,
    }
}

spec! {
    /// A stream computation: a plugin, SQL, or the one behind the other.
    pub struct TransformSpec {
        /// A plugin that parses records; it comes before the SQL.
        "plugin" => plugin: Option<Plugin>,
        /// The language of the code.
        "mode" => mode: Option<String> [OneOf(&["sql"])],
        /// The SQL text, which reads from `stream`.
        "code" => code: Option<String>,
        /// How often it runs.
        "interval" => interval: Option<String>
            [OneOf(&["5s", "10s", "20s", "30s", "1m", "5m", "10m"]), Default("1m")],
        /// What it runs in.
        "container" => container: Option<Container>,
        /// Where in the source it begins. The default is not that of exports.
        "whence" => whence: Option<Whence> [Default("newest")],
        /// The fields of the destination.
        "destrepo" => destrepo: Option<Vec<SchemaEntry>>,
        /// Its name.
        "name" => name: Option<ShownName<kind::Transform>> [OnReading],
        /// The message queue that it fills.
        "to" => to: Option<ShownName<kind::Repo>> [OnReading],
        /// The workflow it belongs to.
        "workflow" => workflow: Option<ShownName<kind::Workflow>> [OnReading, OfWorkflow(Head::Name)],
    }
}

spec! {
    /// The plugin of a stream computation.
    pub struct Plugin {
        /// Full name of the parser class.
        "name" => name: String,
        /// The fields that it makes.
        "output" => output: Option<Vec<PluginField>>,
    }
}

spec! {
    /// A field that a plugin makes.
    pub struct PluginField {
        /// Its name.
        "name" => name: String [Unique, Form(Form::NAME)],
        /// What it holds; times are `long`.
        "type" => r#type: Option<String> [OneOf(&["string", "long", "float"]), Default("string")],
    }
}

spec! {
    /// What a stream computation runs in.
    pub struct Container {
        /// Cores and memory in gigabytes. `M16C4` is an old name, from an example of the vendor's.
        "type" => r#type: String [OneOf(&["1U2G", "1U4G", "2U4G", "4U8G", "4U16G", "8U16G", "M16C4"])],
        /// How many. The documents name no limit, the vendor's Go SDK has 128.
        "count" => count: Option<i64> [Required, AtLeast(1), UsuallyAtMost(128)],
        /// Whether it is there.
        "status" => status: Option<String> [OnReading],
    }
    new(r#type: impl Into<String>, count: i64)
}

impl TransformSpec {
    /// SQL, which reads from `stream`.
    pub fn sql(code: impl Into<String>) -> Self {
        Self {
            mode: Some("sql".into()),
            code: Some(code.into()),
            ..Self::default()
        }
    }
}

impl From<&str> for TransformSpec {
    /// Takes SQL.
    fn from(code: &str) -> Self {
        Self::sql(code)
    }
}
