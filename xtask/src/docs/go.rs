//! The calls of the vendor's Go SDK, by our operations.

use pipeline_proto::operation::OperationInfo;

/// Methods of the SDK that are not called as the type of their operation is; none where only the documents of
/// the service have the call.
const GO: &[(&str, &[&str])] = &[
    ("search_logs", &["SearchWorkflow"]),
    ("create_repo", &["CreateRepo", "CreateRepoFromDSL"]),
    ("repo_exists", &["RepoExist"]),
    ("sample_repo", &["GetSampleData"]),
    (
        "push_points",
        &[
            "PostData",
            "PostDataFromBytes",
            "PostDataFromBytesWithDeadline",
            "PostDataFromReader",
            "PostDataFromFile",
            "PostLargeData",
        ],
    ),
    ("push_lines", &["PostTextData"]),
    ("push_raw", &["PostRawtextData"]),
    ("transform_exists", &["TransformExist"]),
    ("export_exists", &["ExportExist"]),
    ("datasource_exists", &["DatasourceExist"]),
    ("update_datasource", &[]),
    ("update_job", &[]),
    ("job_exists", &["JobExist"]),
    ("list_batches", &["GetJobHistory"]),
    ("stop_batch", &["StopJobBatch"]),
    ("rerun_batch", &["RerunJobBatch"]),
    ("update_job_export", &[]),
    ("job_export_exists", &["JobExportExist"]),
    ("upload_plugin", &["UploadPlugin", "UploadPluginFromFile"]),
    ("start_group", &["StartGroupTask"]),
    ("stop_group", &["StopGroupTask"]),
    ("upload_udf_jar", &["UploadUdf", "UploadUdfFromFile"]),
    ("describe_udf_jar", &["PutUdfMeta"]),
    ("delete_udf_jar", &["DeleteUdf"]),
    ("list_udf_jars", &["ListUdfs"]),
    ("register_udf", &["RegisterUdfFunction"]),
    ("deregister_udf", &["DeRegisterUdfFunction"]),
    ("list_udfs", &["ListUdfFunctions"]),
    ("list_builtins", &["ListBuiltinUdfFunctions"]),
    ("debug_udf", &[]),
    (
        "list_variables",
        &["ListUserVariables", "ListSystemVariables"],
    ),
];

/// Those that an operation takes the place of.
pub(super) fn methods(info: &OperationInfo) -> String {
    let other = GO.iter().find(|(name, _)| *name == info.name);
    let same = [info.type_name];
    let go = other.map_or(&same[..], |(_, methods)| methods);
    let go: Vec<String> = go.iter().map(|method| format!("`{method}`")).collect();
    go.join(", ")
}

#[cfg(test)]
mod tests {
    use pipeline_proto::resource::OPERATIONS;

    use super::*;

    /// As the interface of the SDK has them, and those of its methods that the interface has not.
    const METHODS: &str = "
        CreateGroup UpdateGroup StartGroupTask StopGroupTask ListGroups GetGroup DeleteGroup CreateRepo
        CreateRepoFromDSL UpdateRepo GetRepo GetSampleData ListRepos DeleteRepo PostData PostRawtextData
        PostTextData PostLargeData PostDataFromFile PostDataFromReader PostDataFromBytes
        PostDataFromBytesWithDeadline UploadPlugin UploadPluginFromFile VerifyPlugin ListPlugins GetPlugin
        DeletePlugin CreateTransform UpdateTransform GetTransform ListTransforms DeleteTransform CreateExport
        UpdateExport GetExport ListExports DeleteExport CreateDatasource GetDatasource ListDatasources
        DeleteDatasource CreateJob GetJob ListJobs DeleteJob StartJob StopJob GetJobHistory StopJobBatch
        RerunJobBatch CreateJobExport GetJobExport ListJobExports DeleteJobExport RetrieveSchema UploadUdf
        UploadUdfFromFile PutUdfMeta DeleteUdf ListUdfs RegisterUdfFunction DeRegisterUdfFunction
        ListUdfFunctions ListBuiltinUdfFunctions CreateWorkflow UpdateWorkflow GetWorkflow GetWorkflowStatus
        DeleteWorkflow StartWorkflow StopWorkflow ListWorkflows SearchWorkflow RepoExist TransformExist
        ExportExist DatasourceExist JobExist JobExportExist CreateVariable UpdateVariable DeleteVariable
        GetVariable ListUserVariables ListSystemVariables";

    #[test]
    fn every_method_of_the_sdk_belongs_to_one_operation() {
        for (name, _) in GO {
            assert!(OPERATIONS.iter().any(|info| info.name == *name), "{name}");
        }
        let shown: Vec<String> = OPERATIONS.iter().map(methods).collect();
        let shown = shown.iter().flat_map(|cell| cell.split(", "));
        let mut shown: Vec<&str> = shown.map(|method| method.trim_matches('`')).collect();
        shown.retain(|method| !method.is_empty());
        let mut methods: Vec<&str> = METHODS.split_whitespace().collect();
        methods.sort_unstable();
        shown.sort_unstable();
        assert_eq!(shown, methods);
    }
}
