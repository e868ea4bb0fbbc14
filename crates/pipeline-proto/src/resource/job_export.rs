//! Batch exports: the result of a batch computation to somewhere else. As a node its type is
//! `exportBatch`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::data::{spec, targets};
use crate::name::{JobExportName, JobName, ShownName, kind};
use crate::{
    model::RawJson,
    operation::{
        read::{json, member, named, nothing},
        table::operations,
    },
};

operations! { job_export job_export_operations;
    /// Adds an export to a job.
    CreateJobExport create_job_export(job: JobName, name: JobExportName; json spec: JobExportSpec)
        = POST "/v2/jobs/{job}/exports/{name}" Never Page -> () = nothing;

    /// Replaces where an export of a job writes. Its type cannot be changed: leave it out.
    UpdateJobExport update_job_export(job: JobName, name: JobExportName; json spec: JobExportSpec)
        = PUT "/v2/jobs/{job}/exports/{name}" Idempotent Page -> () = nothing;

    /// Lists the exports of a job.
    ListJobExports list_job_exports(job: JobName) = GET "/v2/jobs/{job}/exports" Safe Page
        -> Vec<JobExportSpec> = member("exports");

    /// Shows one export of a job.
    GetJobExport get_job_export(job: JobName, name: JobExportName)
        = GET "/v2/jobs/{job}/exports/{name}" Safe Page -> JobExportSpec = json,
        then |get, export| named(&get.name, export.name.get_or_insert_default()), none on JOB_EXPORT_NOT_FOUND;

    /// Says whether a job has such an export.
    JobExportExists job_export_exists(job: JobName, name: JobExportName)
        = GET "/v2/jobs/{job}/exports/{name}/exists" Safe Sdk -> bool = member("exist");

    /// Deletes an export of a job.
    DeleteJobExport delete_job_export(job: JobName, name: JobExportName)
        = DELETE "/v2/jobs/{job}/exports/{name}" Idempotent Page -> () = nothing, done on JOB_EXPORT_NOT_FOUND;
}

const SAVE_MODES: &[&str] = &["overwrite", "append", "errorIfExists", "ignore"];
const FORMATS: &[&str] = &["json", "csv", "text", "orc", "parquet"];
const COMPRESSIONS: &[&str] = &[
    "none", "bzip2", "gzip", "lz4", "snappy", "deflate", "zlib", "lzo",
];
const OF_TEXT: &[&str] = &["none", "bzip2", "gzip", "lz4", "snappy", "deflate"];
const OF_ORC: &[&str] = &["none", "snappy", "zlib", "lzo"];
const OF_PARQUET: &[&str] = &["none", "snappy", "gzip", "lzo"];

spec! {
    /// The export of a batch computation.
    pub struct JobExportSpec {
        /// What it writes to.
        "type" => r#type: String [OneOf(JobExportTarget::TYPES)],
        /// Where it writes, and which fields; depends on the type.
        "spec" => spec: Option<RawJson> [Required, ByType(JobExportTarget::SPECS)],
        /// Its name.
        "name" => name: Option<ShownName<kind::JobExport>> [OnReading],
        /// The workflow it belongs to.
        "workflow" => workflow: Option<ShownName<kind::Workflow>> [OnReading, OfWorkflow(Head::Name)],
    }
}

targets! {
    /// What the export of a batch computation writes to.
    pub enum JobExportTarget for JobExportSpec {
        /// The object store Kodo.
        "kodo" => Kodo(KodoTarget),
        /// The Hadoop file system.
        "hdfs" => Hdfs(HdfsTarget),
        /// An HTTP server.
        "http" => Http(HttpTarget),
        /// The search engine LogDB.
        "logdb" => Logdb(LogdbTarget),
        /// The time series database TSDB.
        "tsdb" => Tsdb(TsdbTarget),
        /// The service's report studio.
        "report" => Report(ReportTarget),
    }
}

spec! {
    /// The object store Kodo.
    pub struct KodoTarget {
        /// The bucket.
        "bucket" => bucket: String,
        /// What the names of files begin with; of a manual computation, the name of the file.
        "keyPrefix" => key_prefix: Option<String> [Form(Form::new(
            r"^[^:\\<>]{0,128}$",
            r"at most 128 characters without ':', '\', '<' and '>'",
        ))],
        /// What files hold. The vendor's Go SDK insists on it.
        "format" => format: Option<String> [OneOf(FORMATS)],
        /// What separates the columns of csv.
        "delimiter" => delimiter: Option<String> [RequiredWith("format", "csv")],
        /// Whether the first line of csv names the columns.
        "containsHeader" => contains_header: Option<bool>,
        /// How files are compressed.
        "compression" => compression: Option<String> [
            OneOf(COMPRESSIONS),
            OneOfWith("format", "json", OF_TEXT),
            OneOfWith("format", "csv", OF_TEXT),
            OneOfWith("format", "text", OF_TEXT),
            OneOfWith("format", "orc", OF_ORC),
            OneOfWith("format", "parquet", OF_PARQUET),
        ],
        /// Days that files are kept.
        "retention" => retention: Option<i64>,
        /// Fields by whose values files are put into folders.
        "partitionBy" => partition_by: Option<Vec<String>> [FieldNames(None)],
        /// How many files.
        "fileCount" => file_count: Option<i64> [AtLeast(1), AtMost(1000)],
        /// What happens to files that are there.
        "saveMode" => save_mode: Option<String> [OneOf(SAVE_MODES), Default("overwrite")],
    }
    new(bucket: impl Into<String>)
}

spec! {
    /// The Hadoop file system.
    pub struct HdfsTarget {
        /// The folder.
        "path" => path: String [Form(super::data::FILE_PATH)],
        /// What files hold.
        "format" => format: Option<String> [OneOf(FORMATS)],
        /// What separates the columns of csv.
        "delimiter" => delimiter: Option<String> [RequiredWith("format", "csv")],
        /// Whether the first line of csv names the columns.
        "containsHeader" => contains_header: Option<bool>,
        /// How files are compressed.
        "compression" => compression: Option<String> [
            OneOf(COMPRESSIONS),
            OneOfWith("format", "json", OF_TEXT),
            OneOfWith("format", "csv", OF_TEXT),
            OneOfWith("format", "text", OF_TEXT),
            OneOfWith("format", "orc", OF_ORC),
            OneOfWith("format", "parquet", OF_PARQUET),
        ],
        /// Fields by whose values files are put into folders.
        "partitionBy" => partition_by: Option<Vec<String>> [FieldNames(None)],
        /// How many files.
        "fileCount" => file_count: Option<i64> [AtLeast(1), AtMost(1000)],
        /// What happens to files that are there.
        "saveMode" => save_mode: Option<String> [OneOf(SAVE_MODES), Default("overwrite")],
    }
    new(path: impl Into<String>)
}

spec! {
    /// An HTTP server.
    pub struct HttpTarget {
        /// The server, with or without `http://` or `https://`.
        "host" => host: String,
        /// The path.
        "uri" => uri: String [UsuallyForm(Form::new("^/", "a path that begins with '/'"))],
        /// `text` sends points as they are pushed, `json` sends objects.
        "format" => format: Option<String> [OneOf(&["text", "json"]), Default("text")],
    }
    new(host: impl Into<String>, uri: impl Into<String>)
}

spec! {
    /// The search engine LogDB.
    pub struct LogdbTarget {
        /// The LogDB repo.
        "destRepoName" => dest_repo_name: String [UsuallyForm(super::data::LOGDB_NAME)],
        /// Where each field goes, as `target: "#source"`.
        "doc" => doc: Map<String, Value> [Fields],
        /// Whether bad records are skipped.
        "omitInvalid" => omit_invalid: Option<bool>,
    }
    new(dest_repo_name: impl Into<String>, doc: Map<String, Value>)
}

spec! {
    /// The time series database TSDB.
    pub struct TsdbTarget {
        /// The TSDB repo.
        "destRepoName" => dest_repo_name: String,
        /// The series.
        "series" => series: String,
        /// Where fields go that are searched by, as `target: "#source"`.
        "tags" => tags: Option<BTreeMap<String, String>> [Fields],
        /// Where fields go that are measured, as `target: "#source"`.
        "fields" => fields: Option<BTreeMap<String, String>> [Fields],
        /// The field with the time, as `#source`.
        "timestamp" => timestamp: Option<String> [Fields],
        /// Whether bad records are skipped.
        "omitInvalid" => omit_invalid: Option<bool>,
    }
    new(dest_repo_name: impl Into<String>, series: impl Into<String>)
}

spec! {
    /// The service's report studio.
    pub struct ReportTarget {
        /// The database.
        "dbName" => db_name: String,
        /// The table.
        "tableName" => table_name: String,
        /// Where each field goes, as `column: "#source"`.
        "columns" => columns: BTreeMap<String, String> [Fields],
        /// What happens to rows that are there. The documents name both as the default.
        "saveMode" => save_mode: Option<String> [OneOf(&["overwrite", "append"])],
    }
    new(db_name: impl Into<String>, table_name: impl Into<String>, columns: BTreeMap<String, String>)
}
