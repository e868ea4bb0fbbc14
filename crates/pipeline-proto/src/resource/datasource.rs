//! Batch data sources: files that batch computations read.

use super::{
    data::{spec, targets},
    schema::SchemaEntry,
};
use crate::name::{DatasourceName, Region, ShownName, kind};
use crate::{
    error::BuildError,
    model::RawJson,
    operation::{
        RequestTemplate,
        read::{json, member, named, nothing},
        table::operations,
    },
};

operations! { datasource datasource_operations;
    /// Creates a batch data source, in region `nb` unless the spec has another.
    CreateDatasource create_datasource(name: DatasourceName; json spec: DatasourceSpec)
        = POST "/v2/datasources/{name}" Never Page, json by hand -> () = nothing;

    /// Changes which files a batch data source reads and what they hold. Fields may be added, but
    /// neither removed nor given another type.
    UpdateDatasource update_datasource(name: DatasourceName; json spec: DatasourceSpec)
        = PUT "/v2/datasources/{name}" Idempotent Page -> () = nothing;

    /// Lists the batch data sources of the account.
    ListDatasources list_datasources() = GET "/v2/datasources" Safe Page
        -> Vec<DatasourceSpec> = member("datasources");

    /// Shows one batch data source.
    GetDatasource get_datasource(name: DatasourceName) = GET "/v2/datasources/{name}" Safe Page
        -> DatasourceSpec = json,
        then |get, datasource| named(&get.name, datasource.name.get_or_insert_default()), none on DATASOURCE_NOT_FOUND;

    /// Says whether there is such a batch data source.
    DatasourceExists datasource_exists(name: DatasourceName) = GET "/v2/datasources/{name}/exists" Safe Sdk
        -> bool = member("exist");

    /// Deletes a batch data source. E18603 while a job reads from it.
    DeleteDatasource delete_datasource(name: DatasourceName) = DELETE "/v2/datasources/{name}" Idempotent Page
        -> () = nothing, done on DATASOURCE_NOT_FOUND;

    /// Infers a schema from files, without making a data source of them: of the spec, only `type` and
    /// `spec` count. Files of text have one field, `text`.
    RetrieveSchema retrieve_schema(; json files: DatasourceSpec) = POST "/v2/schemas" Safe Page
        -> Vec<SchemaEntry> = member("schema");
}

impl CreateDatasource {
    fn by_hand(&self) -> Result<RequestTemplate, BuildError> {
        let mut spec = self.spec.clone();
        spec.region.get_or_insert_with(|| Region::default().into());
        self.target().json(&spec)
    }
}

const FILE_TYPES: &[&str] = &["json", "csv", "text", "parquet"];

spec! {
    /// A batch data source.
    pub struct DatasourceSpec {
        /// Where it is. In a workflow that is where the workflow is.
        "region" => region: Option<ShownName<kind::Region>> [OfWorkflow(Head::Region)],
        /// What it reads from.
        "type" => r#type: String [OneOf(DatasourceTarget::TYPES)],
        /// Which files it reads; depends on the type.
        "spec" => spec: Option<RawJson> [Required, ByType(DatasourceTarget::SPECS)],
        /// The fields of a record.
        "schema" => schema: Vec<DatasourceField>,
        /// Whether the schema is taken as it is given instead of inferred from the files.
        "noVerifySchema" => no_verify_schema: Option<bool>,
        /// The workflow it belongs to.
        "workflow" => workflow: Option<ShownName<kind::Workflow>> [Form(Form::NAME), OfWorkflow(Head::Name)],
        /// Whether a workflow made it.
        "fromDag" => from_dag: Option<bool> [OnReading],
        /// Its name.
        "name" => name: Option<ShownName<kind::Datasource>> [OnReading],
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
    new(bucket: impl Into<String>, file_type: impl Into<String>)
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
    new(paths: Vec<String>, file_type: impl Into<String>)
}

spec! {
    /// Logs of the content delivery network Fusion.
    pub struct FusionLogs {
        /// The domain; exactly one.
        "domains" => domains: Vec<String> [AtMostElements(1)],
        /// From when to when, as `2017-06-01 05:00 ~ 2017-07-01 05:00`.
        "fileFilter" => file_filter: Option<String> [AtMostChars(64)],
    }
    new(domains: Vec<String>)
}
