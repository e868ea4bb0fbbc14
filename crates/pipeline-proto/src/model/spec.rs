//! Typed views of node data: the node's `Spec`, which the API page names and never shows.
//!
//! The members are those of the calls that create and read each kind of resource (the vendor's Go
//! SDK and documents). A view is made on demand from the raw JSON and never replaces it: members it
//! does not know stay in [`Node::data`](crate::model::Node::data). Every member may be missing, and
//! a spec may be bare or wrapped as `{"name": …, "spec": {…}}`, as the *get* calls of some
//! resources answer.
//!
//! ```
//! use pipeline_proto::model::{Node, NodeType, RawJson, spec::{NodeSpec, TransformSpec}};
//!
//! let data: RawJson = r#"{"name":"t","to":"out","spec":{"mode":"sql","code":"select 1"}}"#.parse()?;
//! let mut node = Node::default();
//! node.node_type = NodeType::Transform;
//! node.data = Some(data);
//! let NodeSpec::Transform(spec) = node.spec()? else { panic!() };
//! assert_eq!(spec.code.as_deref(), Some("select 1"));
//! assert_eq!(spec.to.as_deref(), Some("out"));
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::fmt;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    json::RawJson,
    node::{Node, NodeType},
};

/// The data of a node, read according to the node's type.
///
/// ```
/// use pipeline_proto::model::{Node, NodeType, spec::NodeSpec};
///
/// let mut node = Node::default();
/// node.node_type = NodeType::Export;
/// node.data = Some(r#"{"type":"kodo","spec":{"bucket":"b"}}"#.parse()?);
/// let NodeSpec::Export(export) = node.spec()? else { panic!("it is an export") };
/// assert_eq!(export.r#type.as_deref(), Some("kodo"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum NodeSpec {
    /// Data of a `repo`.
    Repo(RepoSpec),
    /// Data of a `transform`.
    Transform(TransformSpec),
    /// Data of an `export`.
    Export(ExportSpec),
    /// Data of a `datasource`.
    Datasource(DatasourceSpec),
    /// Data of a `job`.
    Job(JobSpec),
    /// Data of an `exportBatch`.
    ExportBatch(ExportBatchSpec),
    /// The node has no data, or its type is not known.
    None,
}

impl Node {
    /// Reads [`data`](Node::data) according to the node's type.
    ///
    /// # Errors
    ///
    /// When the data is not an object, or a known member has another JSON type than the sources
    /// give it. A missing or unknown member is no error.
    pub fn spec(&self) -> Result<NodeSpec, serde_json::Error> {
        let Some(data) = &self.data else {
            return Ok(NodeSpec::None);
        };
        Ok(match self.node_type {
            NodeType::Repo => NodeSpec::Repo(unwrap_spec(data, &["schema"])?),
            NodeType::Transform => {
                NodeSpec::Transform(unwrap_spec(data, &["plugin", "mode", "code"])?)
            }
            NodeType::Export => NodeSpec::Export(unwrap_spec(data, &["type"])?),
            NodeType::Datasource => NodeSpec::Datasource(unwrap_spec(data, &["type"])?),
            NodeType::Job => {
                NodeSpec::Job(unwrap_spec(data, &["srcs", "computation", "scheduler"])?)
            }
            NodeType::ExportBatch => NodeSpec::ExportBatch(unwrap_spec(data, &["type"])?),
            NodeType::Other(_) => NodeSpec::None,
        })
    }
}

/// Reads a spec that may stand inside a member `spec`. It does so when none of the members that
/// mark a bare spec is there; the envelope's own members then fill what the spec leaves open.
fn unwrap_spec<T: DeserializeOwned>(
    data: &RawJson,
    marks: &[&str],
) -> Result<T, serde_json::Error> {
    let mut outer: serde_json::Map<String, serde_json::Value> = data.parse()?;
    let bare = marks.iter().any(|mark| outer.contains_key(*mark));
    if !bare
        && matches!(outer.get("spec"), Some(serde_json::Value::Object(_)))
        && let Some(serde_json::Value::Object(inner)) = outer.remove("spec")
    {
        outer.extend(inner);
    }
    serde_json::from_value(serde_json::Value::Object(outer))
}

macro_rules! spec {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $( $(#[$field_meta:meta])* $field:ident: $type:ty, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[non_exhaustive]
        pub struct $name {
            $(
                $(#[$field_meta])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $field: Option<$type>,
            )*
        }

        impl fmt::Debug for $name {
            /// Names the members that are there, and not what is in them: it may be secret.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut shown = f.debug_struct(stringify!($name));
                $( if self.$field.is_some() {
                    shown.field(stringify!($field), &format_args!("…"));
                } )*
                shown.finish()
            }
        }
    };
}

spec! {
    /// A message queue.
    ///
    /// ```
    /// use pipeline_proto::model::{RawJson, spec::{RepoSpec, SchemaEntry}};
    ///
    /// let mut url = SchemaEntry::default();
    /// url.key = Some("url".into());
    /// url.valtype = Some("string".into());
    /// let mut spec = RepoSpec::default();
    /// spec.schema = Some(vec![url]);
    /// let data = RawJson::from_value(&spec)?;
    /// assert_eq!(data.get(), r#"{"schema":[{"key":"url","valtype":"string"}]}"#);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub struct RepoSpec {
        /// Region, `nb`.
        region: String,
        /// The fields of a record.
        schema: Vec<SchemaEntry>,
        /// What the service adds to records.
        options: RepoOptions,
        /// The shared resource pool.
        group: String,
        /// The workflow it belongs to.
        workflow: String,
        /// Parse rules bound to the queue, at most five.
        rule_names: Vec<String>,
        /// Free text.
        description: String,
        /// On reading: the transform that fills it.
        derived_from: String,
        /// On reading: whether a workflow made it.
        from_dag: bool,
    }
}

spec! {
    /// One field of a schema.
    pub struct SchemaEntry {
        /// Name of the field; the rule is that of a [`NodeName`](crate::NodeName).
        key: String,
        /// `string`, `long`, `float`, `date`, `boolean`, `array`, `map`, `jsonstring` or `ip`.
        valtype: String,
        /// Whether a record must have it.
        required: bool,
        /// Type of the elements of an `array`: `long`, `float` or `string`.
        elemtype: String,
        /// Fields of a `map`; at most five levels deep.
        schema: Vec<SchemaEntry>,
        /// Free text.
        description: String,
    }
}

spec! {
    /// What a message queue adds to each record.
    pub struct RepoOptions {
        /// Name of a field for the sender's address; empty for none.
        #[serde(rename = "withIP")]
        with_ip: String,
        /// Name of a field for the time of receipt; empty for none.
        with_timestamp: String,
        /// Whether backslash-t and backslash-n in values become tab and newline.
        unescape_line: bool,
    }
}

spec! {
    /// A stream computation.
    pub struct TransformSpec {
        /// A plugin that parses records.
        plugin: Plugin,
        /// `sql`.
        mode: String,
        /// The SQL text.
        code: String,
        /// How often it runs: `5s`, `10s`, `20s`, `30s`, `1m`, `5m` or `10m`.
        interval: String,
        /// What it runs in.
        container: Container,
        /// Where it starts to read: `oldest` or `newest`.
        whence: String,
        /// Schema of the destination.
        destrepo: Vec<SchemaEntry>,
        /// On reading: its destination.
        to: String,
        /// On reading: the workflow it belongs to.
        workflow: String,
    }
}

spec! {
    /// The plugin of a stream computation.
    pub struct Plugin {
        /// Full name of the parser class.
        name: String,
        /// The fields it makes.
        output: Vec<PluginField>,
    }
}

spec! {
    /// A field that a plugin makes.
    pub struct PluginField {
        /// Name of the field.
        name: String,
        /// `string`, `long` or `float`.
        r#type: String,
    }
}

spec! {
    /// The container of a computation.
    pub struct Container {
        /// Cores and memory, as in `1U2G`.
        r#type: String,
        /// How many of them.
        count: i64,
        /// On reading: its status.
        status: String,
    }
}

spec! {
    /// The export of a message queue.
    pub struct ExportSpec {
        /// `http`, `logdb`, `tsdb`, `mongo`, `kodo`, `hdfs` or `report`.
        r#type: String,
        /// Where to, and which fields; its members depend on the type.
        spec: serde_json::Map<String, serde_json::Value>,
        /// Where it starts to read: `oldest` or `newest`.
        whence: String,
        /// On reading: its name.
        name: String,
        /// On reading: the workflow it belongs to.
        workflow: String,
    }
}

spec! {
    /// A batch data source.
    pub struct DatasourceSpec {
        /// Region, `nb`.
        region: String,
        /// `kodo`, `hdfs` or `fusion`.
        r#type: String,
        /// Where the files are; its members depend on the type.
        spec: serde_json::Map<String, serde_json::Value>,
        /// The fields of a record.
        schema: Vec<SchemaEntry>,
        /// Whether the schema is taken as given instead of inferred from the files.
        no_verify_schema: bool,
        /// The workflow it belongs to.
        workflow: String,
        /// On reading: whether a workflow made it.
        from_dag: bool,
    }
}

spec! {
    /// A batch computation.
    pub struct JobSpec {
        /// What it reads.
        srcs: Vec<JobSource>,
        /// What it computes.
        computation: Computation,
        /// What it runs in.
        container: Container,
        /// When it runs.
        scheduler: Scheduler,
        /// Its parameters.
        params: Vec<JobParam>,
        /// On reading: the workflow it belongs to.
        workflow: String,
        /// On reading: the fields of its result.
        schema: Vec<SchemaEntry>,
    }
}

spec! {
    /// A source of a batch computation.
    pub struct JobSource {
        /// Name of a data source or of another job.
        name: String,
        /// `datasource` or `job`.
        r#type: String,
        /// The name of the table in the SQL text.
        table_name: String,
        /// Which files; may use variables.
        file_filter: String,
    }
}

spec! {
    /// What a batch computation computes.
    pub struct Computation {
        /// The SQL text.
        code: String,
        /// `sql`.
        r#type: String,
    }
}

spec! {
    /// When a batch computation runs.
    pub struct Scheduler {
        /// `crontab`, `loop`, `manual` or `depend`.
        r#type: String,
        /// The plan, for the first two.
        spec: SchedulerSpec,
    }
}

spec! {
    /// The plan of a scheduler.
    pub struct SchedulerSpec {
        /// Cron text, for `crontab`.
        crontab: String,
        /// Pause between runs, as in `5m`, for `loop`.
        r#loop: String,
    }
}

spec! {
    /// A parameter of a batch computation.
    pub struct JobParam {
        /// Its name.
        name: String,
        /// The value it has unless another is given.
        default: String,
        /// The value of a run.
        value: String,
    }
}

spec! {
    /// The export of a batch computation.
    pub struct ExportBatchSpec {
        /// `kodo`, `hdfs`, `http`, `logdb`, `tsdb` or `report`.
        r#type: String,
        /// Where to; its members depend on the type.
        spec: serde_json::Map<String, serde_json::Value>,
        /// On reading: its name.
        name: String,
        /// On reading: the workflow it belongs to.
        workflow: String,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(node_type: NodeType, data: &str) -> NodeSpec {
        let data = Some(data.parse().unwrap());
        Node {
            node_type,
            data,
            ..Node::default()
        }
        .spec()
        .unwrap()
    }

    #[test]
    fn an_export_is_read_bare_and_wrapped() {
        let NodeSpec::Export(bare) = read(
            NodeType::Export,
            r#"{"type":"kodo","spec":{"bucket":"b"},"whence":"oldest"}"#,
        ) else {
            panic!()
        };
        let NodeSpec::Export(wrapped) = read(
            NodeType::Export,
            r#"{"name":"e","spec":{"type":"kodo","spec":{"bucket":"b"}}}"#,
        ) else {
            panic!()
        };
        assert_eq!(bare.spec, wrapped.spec);
        assert_eq!(wrapped.name.as_deref(), Some("e"));
    }

    #[test]
    fn nulls_unknown_members_and_unknown_types_are_no_errors() {
        let NodeSpec::Repo(repo) = read(
            NodeType::Repo,
            r#"{"schema":[{"key":"m","valtype":"map","schema":[{"key":"x","valtype":"ip","description":null}]}],
                "options":null,"ruleNames":null,"colour":"red"}"#,
        ) else {
            panic!()
        };
        assert_eq!(
            repo.schema.unwrap()[0].schema.as_ref().unwrap()[0]
                .valtype
                .as_deref(),
            Some("ip")
        );
        assert_eq!(repo.options, None);
        assert_eq!(read(NodeType::from("lake"), "[1]"), NodeSpec::None);
        assert_eq!(Node::default().spec().unwrap(), NodeSpec::None);
    }

    #[test]
    fn a_job_is_read_with_its_plan() {
        let NodeSpec::Job(job) = read(
            NodeType::Job,
            r#"{"srcs":[{"name":"d","type":"datasource","tableName":"t"}],"scheduler":{"type":"loop","spec":{"loop":"5m"}}}"#,
        ) else {
            panic!()
        };
        assert_eq!(job.srcs.unwrap()[0].table_name.as_deref(), Some("t"));
        assert_eq!(
            job.scheduler.unwrap().spec.unwrap().r#loop.as_deref(),
            Some("5m")
        );
    }

    #[test]
    fn a_spec_is_written_without_what_it_lacks() {
        let spec = RepoSpec {
            region: Some("nb".into()),
            ..RepoSpec::default()
        };
        assert_eq!(serde_json::to_string(&spec).unwrap(), r#"{"region":"nb"}"#);
    }
}
