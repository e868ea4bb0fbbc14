//! `pipeline job-export …`: the results of jobs to somewhere else.

use pipeline_proto::resource::job_export::JobExportSpec;

use super::{
    export, job,
    resource::{Operations, Resource},
};

pub(super) static RESOURCE: Resource = Resource {
    word: "job-export",
    one: "an export of a job",
    many: "exports of jobs",
    chinese: "离线计算任务的导出",
    kind: "exportBatch",
    body: Some(JobExportSpec::description),
    parent: Some(&job::RESOURCE),
    operations: Operations {
        list: "list_job_exports",
        get: "get_job_export",
        create: "create_job_export",
        update: "update_job_export",
        delete: "delete_job_export",
        exists: "job_export_exists",
        ..Resource::BASE.operations
    },
    changes: &["spec"],
    columns: export::COLUMNS,
    keys: export::KEYS,
    renamed: &[("type", "to")],
    examples: (
        "daily save --to kodo --bucket results --key-prefix daily/ --format json",
        "--save-mode append",
    ),
    ..Resource::BASE
};
