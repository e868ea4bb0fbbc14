//! Batch data sources: files that batch computations read.

use super::data::{spec, targets};
use crate::model::RawJson;

const FILE_TYPES: &[&str] = &["json", "csv", "text", "parquet"];

spec! {
    /// A batch data source.
    pub struct DatasourceSpec {
        /// Where it is. In a workflow that is where the workflow is.
        "region" => region: Option<String> [OfWorkflow(Head::Region)],
        /// What it reads from.
        "type" => r#type: String [OneOf(DatasourceTarget::TYPES)],
        /// Which files it reads; depends on the type.
        "spec" => spec: Option<RawJson> [Required, ByType(DatasourceTarget::SPECS)],
        /// The fields of a record.
        "schema" => schema: Vec<DatasourceField>,
        /// Whether the schema is taken as it is given instead of inferred from the files.
        "noVerifySchema" => no_verify_schema: Option<bool>,
        /// The workflow it belongs to.
        "workflow" => workflow: Option<String> [Form(Form::NAME), OfWorkflow(Head::Name)],
        /// Whether a workflow made it.
        "fromDag" => from_dag: Option<bool> [OnReading],
    }
}

spec! {
    /// A field of a batch data source. Fields do not nest.
    pub struct DatasourceField {
        /// Its name.
        "key" => key: String [Unique, Form(Form::NAME)],
        /// What it holds.
        "valtype" => valtype: String [OneOf(&["boolean", "long", "date", "float", "string"])],
        /// Whether a record must have it.
        "required" => required: Option<bool>,
        /// Free text.
        "description" => description: Option<String>,
    }
}

targets! {
    /// What a batch data source reads from.
    pub enum DatasourceTarget for DatasourceSpec {
        /// The object store Kodo.
        "kodo" => Kodo(KodoFiles),
        /// The Hadoop file system.
        "hdfs" => Hdfs(HdfsFiles),
        /// Logs of the content delivery network Fusion.
        "fusion" => Fusion(FusionLogs),
    }
}

spec! {
    /// Files in the object store Kodo.
    pub struct KodoFiles {
        /// The bucket. The documents have 4 characters at least, Kodo itself has 3.
        "bucket" => bucket: String
            [Form(Form::new("^[a-zA-Z0-9-]{3,63}$", "3 to 63 letters, digits and '-'"))],
        /// What the names of files begin with.
        "keyPrefixes" => key_prefixes: Option<Vec<String>> [Form(super::data::FILE_PATH)],
        /// What files hold.
        "fileType" => file_type: String [OneOf(FILE_TYPES)],
        /// What separates the columns of csv.
        "delimiter" => delimiter: Option<String> [RequiredWith("fileType", "csv")],
        /// Whether the first line of csv names the columns.
        "containsHeader" => contains_header: Option<bool>,
    }
}

spec! {
    /// Files in a Hadoop file system.
    pub struct HdfsFiles {
        /// Files and folders, as `hdfs://host:9000/folder`.
        "paths" => paths: Vec<String>,
        /// What files hold.
        "fileType" => file_type: String [OneOf(FILE_TYPES)],
        /// What separates the columns of csv.
        "delimiter" => delimiter: Option<String> [RequiredWith("fileType", "csv")],
        /// Whether the first line of csv names the columns.
        "containsHeader" => contains_header: Option<bool>,
    }
}

spec! {
    /// Logs of the content delivery network Fusion.
    pub struct FusionLogs {
        /// The domain; exactly one.
        "domains" => domains: Vec<String> [AtMostElements(1)],
        /// From when to when, as `2017-06-01 05:00 ~ 2017-07-01 05:00`.
        "fileFilter" => file_filter: Option<String> [AtMostChars(64)],
    }
}
