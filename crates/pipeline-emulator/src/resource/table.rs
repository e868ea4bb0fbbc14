//! What is to be known of each kind of resource, a row for each.

use pipeline_proto::{ErrorCode, NameError};

use super::{
    Datasource, Export, Group, Job, JobExport, Plugin, Repo, Transform, Udf, UdfJar, Variable,
};
use crate::{call::Call, id::Kind, refusal::Refusal};

/// Whether what something belongs to is there; nothing where it belongs to nothing.
pub(crate) type Outer = Option<fn(&Call<'_, '_>) -> Result<(), Refusal>>;

/// What a name must be, and the code of one that is not.
pub(crate) type NameRule = (fn(&str) -> Result<(), NameError>, ErrorCode);

/// What a row says.
pub(crate) trait Row {
    const KIND: Kind;
    const OUTER: Outer;
    /// How many names of a path say which one it is; those before the last say where it belongs.
    const NAMES: usize = if Self::OUTER.is_some() { 2 } else { 1 };
    const NAME: NameRule;
    const EXISTS: ErrorCode;
    const NOT_FOUND: ErrorCode;
    /// The code of a body that is no JSON object.
    const MALFORMED: ErrorCode;
    /// The member of a list that holds them; empty where the list is an array of them.
    const LIST: &'static str;
}

/// A kind, what it belongs to, the type of its name or the code of what is none; the codes of one that is there
/// already, of one that is not there, and of a body that is no JSON object; the member of a list.
macro_rules! rows {
    ($(
        $kind:ident $(in $outer:ident)?, named $name:ident or $bad_name:ident:
        $exists:ident, $not_found:ident, $malformed:ident, $list:literal;
    )*) => {$(
        impl $crate::resource::table::Row for $kind {
            const KIND: $crate::id::Kind = $crate::id::Kind::$kind;
            const OUTER: $crate::resource::table::Outer =
                [$(Some($crate::resource::check_parent::<$outer> as _),)? None][0];
            const NAME: $crate::resource::table::NameRule = (
                |name| pipeline_proto::name::$name::new(name).map(drop),
                pipeline_proto::ErrorCode::$bad_name,
            );
            const EXISTS: pipeline_proto::ErrorCode = pipeline_proto::ErrorCode::$exists;
            const NOT_FOUND: pipeline_proto::ErrorCode = pipeline_proto::ErrorCode::$not_found;
            const MALFORMED: pipeline_proto::ErrorCode = pipeline_proto::ErrorCode::$malformed;
            const LIST: &'static str = $list;
        }
    )*};
}

rows! {
    Repo, named RepoName or INVALID_REPO_NAME:
        REPO_EXISTS, REPO_NOT_FOUND, INVALID_REPO_MODE, "repos";
    Transform in Repo, named TransformName or MALFORMED_TRANSFORM:
        TRANSFORM_EXISTS, TRANSFORM_NOT_FOUND, MALFORMED_TRANSFORM, "transforms";
    Export in Repo, named ExportName or INVALID_EXPORT:
        EXPORT_EXISTS, EXPORT_NOT_FOUND, INVALID_EXPORT, "exports";
    Datasource, named DatasourceName or INVALID_DATASOURCE_NAME:
        DATASOURCE_EXISTS, DATASOURCE_NOT_FOUND, MALFORMED_BATCH, "datasources";
    Job, named JobName or INVALID_JOB_NAME:
        JOB_EXISTS, JOB_NOT_FOUND, MALFORMED_BATCH, "jobs";
    JobExport in Job, named JobExportName or INVALID_JOB_EXPORT_NAME:
        JOB_EXPORT_EXISTS, JOB_EXPORT_NOT_FOUND, INVALID_JOB_EXPORT, "exports";
    Plugin, named PluginName or INVALID_PLUGIN_NAME:
        PLUGIN_EXISTS, PLUGIN_NOT_FOUND, MALFORMED_ENTITY, "plugins";
    Group, named GroupName or INVALID_GROUP_NAME:
        GROUP_EXISTS, GROUP_NOT_FOUND, MALFORMED_ENTITY, "groups";
    UdfJar, named JarName or INVALID_UDF_JAR_NAME:
        UDF_JAR_EXISTS, UDF_JAR_NOT_FOUND, MALFORMED_ENTITY, "result";
    Udf, named FunctionName or INVALID_UDF_NAME:
        UDF_EXISTS, UDF_NOT_FOUND, MALFORMED_ENTITY, "result";
    Variable, named VariableName or INVALID_VARIABLE_NAME:
        VARIABLE_EXISTS, VARIABLE_NOT_FOUND, MALFORMED_ENTITY, "variables";
}

pub(crate) use rows;
