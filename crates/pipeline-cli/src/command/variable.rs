//! `pipeline variable …`: what stands as `$(name)` in SQL, paths and filters of files.

use pipeline_proto::resource::variable::VariableSpec;

use super::resource::{Column, Key, Operations, Resource};

pub(super) static RESOURCE: Resource = Resource {
    word: "variable",
    one: "a variable",
    many: "variables",
    chinese: "变量",
    body: Some(VariableSpec::description),
    operations: Operations {
        list: "list_variables",
        get: "get_variable",
        create: "create_variable",
        update: "update_variable",
        delete: "delete_variable",
        ..Resource::BASE.operations
    },
    columns: &[
        Column::new("TYPE", "type"),
        Column::new("VALUE", "value"),
        Column::new("FORMAT", "format"),
    ],
    keys: &[Key::NAME, Key::of("type")],
    examples: (
        "yesterday --type time --value '$(now)-1d' --format yyyy-MM-dd",
        "--value '$(now)-2d'",
    ),
    ..Resource::BASE
};
