//! Stream exports: from a message queue to somewhere else.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::data::{Whence, spec, targets};
use crate::name::{ExportName, RepoName, ShownName, kind};
use crate::{
    error::BuildError,
    model::RawJson,
    operation::{
        RequestTemplate,
        read::{json, member, named, nothing},
        table::operations,
    },
};

operations! { export export_operations;
    /// Adds an export to a message queue. Where it begins is always said: `oldest`, unless the spec
    /// has another, because the documents disagree on what the service does otherwise.
    CreateExport create_export(source: RepoName, name: ExportName; json spec: ExportSpec)
        = POST "/v2/repos/{source}/exports/{name}" Never Page, json by hand -> () = nothing;

    /// Replaces where an export writes. Its type cannot be changed: leave it out.
    UpdateExport update_export(source: RepoName, name: ExportName; json spec: ExportSpec)
        = PUT "/v2/repos/{source}/exports/{name}" Idempotent Page -> () = nothing;

    /// Lists the exports of a message queue.
    ListExports list_exports(source: RepoName) = GET "/v2/repos/{source}/exports" Safe Page
        -> Vec<ExportSpec> = member("exports");

    /// Shows one export.
    GetExport get_export(source: RepoName, name: ExportName)
        = GET "/v2/repos/{source}/exports/{name}" Safe Page -> ExportSpec = json,
        then |get, export| named(&get.name, export.name.get_or_insert_default()), none on EXPORT_NOT_FOUND;

    /// Says whether there is such an export.
    ExportExists export_exists(source: RepoName, name: ExportName)
        = GET "/v2/repos/{source}/exports/{name}/exists" Safe Sdk -> bool = member("exist");

    /// Deletes an export.
    DeleteExport delete_export(source: RepoName, name: ExportName)
        = DELETE "/v2/repos/{source}/exports/{name}" Idempotent Page -> () = nothing, done on EXPORT_NOT_FOUND;
}

impl CreateExport {
    fn by_hand(&self) -> Result<RequestTemplate, BuildError> {
        let mut spec = self.spec.clone();
        spec.whence.get_or_insert(Whence::Oldest);
        self.target().json(&spec)
    }
}

/// How files are begun anew.
const ROTATION: &[&str] = &["size", "interval", "both"];
const FORMATS: &[&str] = &["json", "text", "parquet", "csv"];

spec! {
    /// The export of a message queue.
    ///
    /// ```
    /// use pipeline_proto::resource::export::{ExportSpec, ExportTarget, HttpTarget};
    ///
    /// let http = HttpTarget::new("https://logs.example.com", "/clicks");
    /// let spec = ExportSpec::from(http.clone());
    /// assert_eq!(spec.r#type, "http");
    /// assert_eq!(spec.target()?, ExportTarget::Http(http));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub struct ExportSpec {
        /// What it writes to.
        "type" => r#type: String [OneOf(ExportTarget::TYPES)],
        /// Where it writes, and which fields; depends on the type.
        "spec" => spec: Option<RawJson> [Required, ByType(ExportTarget::SPECS)],
        /// Where in the source it begins. The API page has this default, the console another.
        "whence" => whence: Option<Whence> [Default("oldest")],
        /// Its name.
        "name" => name: Option<ShownName<kind::Export>> [OnReading],
        /// The workflow it belongs to.
        "workflow" => workflow: Option<ShownName<kind::Workflow>> [OnReading, OfWorkflow(Head::Name)],
    }
}

targets! {
    /// What the export of a message queue writes to.
    pub enum ExportTarget for ExportSpec {
        /// An HTTP server.
        "http" => Http(HttpTarget),
        /// The search engine LogDB.
        "logdb" => Logdb(LogdbTarget),
        /// The time series database TSDB.
        "tsdb" => Tsdb(TsdbTarget),
        /// MongoDB.
        "mongo" => Mongo(MongoTarget),
        /// The object store Kodo.
        "kodo" => Kodo(KodoTarget),
        /// The Hadoop file system.
        "hdfs" => Hdfs(HdfsTarget),
        /// The service's report studio.
        "report" => Report(ReportTarget),
    }
}

spec! {
    /// An HTTP server.
    pub struct HttpTarget {
        /// The server, with or without `http://` or `https://`.
        "host" => host: String,
        /// The path, as in `/logs`.
        "uri" => uri: String,
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
        /// Where each field goes, as `target: "#source"`; may nest.
        "doc" => doc: Map<String, Value> [Fields],
        /// Whether bad records are skipped.
        "omitInvalid" => omit_invalid: Option<bool>,
        /// Whether records are skipped that have no value at all.
        "omitEmpty" => omit_empty: Option<bool>,
        /// Which addresses are looked up. Known from the vendor's Go SDK only.
        "locateIPConfig" => locate_ip_config: Option<LocateIp>,
    }
    new(dest_repo_name: impl Into<String>, doc: Map<String, Value>)
}

spec! {
    /// Which addresses are looked up.
    pub struct LocateIp {
        /// Whether any is.
        "shouldLocateIP" => should_locate_ip: Option<bool>,
        /// What is done, by the name of the field with the address.
        "mappings" => mappings: Option<BTreeMap<String, LocateField>>,
    }
}

spec! {
    /// What is looked up for an address.
    pub struct LocateField {
        /// Whether it is looked up.
        "shouldLocateField" => should_locate_field: Option<bool>,
        /// What is wanted.
        "wantedFields" => wanted_fields: Option<WantedFields>,
        /// Where it is written.
        "fieldNames" => field_names: Option<LocatedNames>,
    }
}

spec! {
    /// What is wanted of an address.
    pub struct WantedFields {
        /// The country.
        "wantCountry" => country: Option<bool>,
        /// The region.
        "wantRegion" => region: Option<bool>,
        /// The city.
        "wantCity" => city: Option<bool>,
        /// The provider.
        "wantIsp" => isp: Option<bool>,
    }
}

spec! {
    /// The fields to which is written what was found of an address.
    pub struct LocatedNames {
        /// The country.
        "ipCountryFieldName" => country: Option<String>,
        /// The region.
        "ipRegionFieldName" => region: Option<String>,
        /// The city.
        "ipCityFieldName" => city: Option<String>,
        /// The provider.
        "ipIspFieldName" => isp: Option<String>,
    }
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
        /// Whether bad records are skipped.
        "omitInvalid" => omit_invalid: Option<bool>,
        /// Whether records are skipped that have no value at all.
        "omitEmpty" => omit_empty: Option<bool>,
        /// The field with the time, as `#source`; the time of the export if it is not there.
        "timestamp" => timestamp: Option<String> [Fields],
    }
    new(dest_repo_name: impl Into<String>, series: impl Into<String>)
}

spec! {
    /// MongoDB. Known from the vendor's Go SDK only.
    pub struct MongoTarget {
        /// The server, as `host:port`.
        "host" => host: String,
        /// The database.
        "dbName" => db_name: String,
        /// The collection.
        "collName" => coll_name: String,
        /// What is done with a record.
        "mode" => mode: String [OneOf(&["UPSERT", "INSERT", "UPDATE"])],
        /// The fields that name the document to be changed.
        "updateKey" => update_key: Option<Vec<String>> [
            FieldNames(Some("doc")),
            NotEmptyWith("mode", "UPSERT"),
            NotEmptyWith("mode", "UPDATE"),
        ],
        /// Where each field goes, as `target: "#source"`; may nest.
        "doc" => doc: Map<String, Value> [Fields],
        /// The version of the server.
        "version" => version: Option<String>,
    }
    new(host: impl Into<String>, db_name: impl Into<String>, coll_name: impl Into<String>, mode: impl Into<String>, doc: Map<String, Value>)
}

spec! {
    /// The object store Kodo.
    pub struct KodoTarget {
        /// The bucket.
        "bucket" => bucket: String,
        /// What the names of files begin with; `$(year)` and the like stand for parts of the time.
        "keyPrefix" => key_prefix: Option<String>,
        /// Account of the bucket's owner.
        "email" => email: Option<String>,
        /// Access key of the bucket's owner.
        "accessKey" => access_key: Option<String>,
        /// Where each field goes, as `target: "#source"`.
        "fields" => fields: BTreeMap<String, String> [Fields],
        /// When a new file is begun.
        "rotateStrategy" => rotate_strategy: Option<String> [OneOf(ROTATION), Default("interval")],
        /// Bytes of a file. The documents have 5 MiB as default, the vendor's Go SDK 128 MiB.
        "rotateSize" => rotate_size: Option<i64> [AtLeast(0), AtMost(1_073_741_824)],
        /// Seconds of a file. The documents have 600 as default, the vendor's Go SDK 3600.
        "rotateInterval" => rotate_interval: Option<i64> [AtLeast(0)],
        /// Size of a file in the unit beside it. Known from the vendor's Go SDK only.
        "rotateNumber" => rotate_number: Option<i64> [AtLeast(0)],
        /// The unit of `rotateNumber`.
        "rotateSizeType" => rotate_size_type: Option<String> [OneOf(&["B", "KB"])],
        /// What files hold.
        "format" => format: Option<String> [OneOf(FORMATS), Default("json")],
        /// What separates the columns of csv.
        "delimiter" => delimiter: Option<String> [RequiredWith("format", "csv")],
        /// Whether files are compressed with gzip; parquet never is.
        "compress" => compress: Option<bool>,
        /// Days that files are kept; for ever if zero, negative or not there.
        "retention" => retention: Option<i64>,
        /// 1 for low-frequency storage, else 0. Known from the vendor's Go SDK only.
        "kodo_file_type" => kodo_file_type: Option<i64> [AtLeast(0), AtMost(1)],
        /// Zone of another account's bucket. Known from the vendor's Go SDK only.
        "exportZone" => export_zone: Option<String>,
        /// Access key of another account. Known from the vendor's Go SDK only.
        "exportAccessKey" => export_access_key: Option<String>,
        /// Secret key of another account. Known from the vendor's Go SDK only.
        "exportSecretKey" => export_secret_key: Option<String>,
    }
    new(bucket: impl Into<String>, fields: BTreeMap<String, String>)
}

spec! {
    /// The Hadoop file system. Known from the vendor's Go SDK only.
    pub struct HdfsTarget {
        /// The folder.
        "path" => path: String,
        /// The user.
        "user" => user: String,
        /// Where each field goes, as `target: "#source"`.
        "fields" => fields: BTreeMap<String, String> [Fields],
        /// When a new file is begun.
        "rotateStrategy" => rotate_strategy: Option<String> [OneOf(ROTATION)],
        /// Bytes of a file.
        "rotateSize" => rotate_size: Option<i64> [AtLeast(0)],
        /// Seconds of a file.
        "rotateInterval" => rotate_interval: Option<i64> [AtLeast(0)],
        /// What files hold.
        "format" => format: Option<String> [OneOf(FORMATS)],
        /// What separates the columns of csv.
        "delimiter" => delimiter: Option<String> [RequiredWith("format", "csv")],
        /// Whether files are compressed.
        "compress" => compress: Option<bool>,
    }
    new(path: impl Into<String>, user: impl Into<String>, fields: BTreeMap<String, String>)
}

spec! {
    /// The service's report studio. Its page was withdrawn, the API page has it still.
    pub struct ReportTarget {
        /// The database.
        "dbName" => db_name: String,
        /// The table.
        "tableName" => table_name: String,
        /// Where each field goes, as `column: "#source"`.
        "columns" => columns: BTreeMap<String, String> [Fields],
    }
    new(db_name: impl Into<String>, table_name: impl Into<String>, columns: BTreeMap<String, String>)
}
