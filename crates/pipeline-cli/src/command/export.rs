//! `pipeline export …`: from a message queue to somewhere else.

use pipeline_proto::resource::export::ExportSpec;

use super::{
    repo,
    resource::{Column, Key, Operations, Resource},
};

pub(super) static RESOURCE: Resource = Resource {
    word: "export",
    one: "an export",
    many: "exports",
    chinese: "导出任务",
    body: Some(ExportSpec::description),
    parent: Some(&repo::RESOURCE),
    operations: Operations {
        list: "list_exports",
        get: "get_export",
        create: "create_export",
        update: "update_export",
        delete: "delete_export",
        exists: "export_exists",
        ..Resource::BASE.operations
    },
    // Neither its type nor where it begins can be changed.
    changes: &["spec"],
    columns: COLUMNS,
    keys: KEYS,
    renamed: &[("type", "to")],
    examples: (
        "clicks save --to kodo --bucket clicks --fields ip=#ip --fields at=#at --format json",
        "--rotate-interval 3600",
    ),
    ..Resource::BASE
};

pub(super) const COLUMNS: &[Column] = &[
    Column::new("TO", "type"),
    Column::new("WORKFLOW", "workflow"),
];

pub(super) const KEYS: &[Key] = &[
    Key::NAME,
    Key::of("type").in_any_case(),
    Key::of("workflow"),
];
