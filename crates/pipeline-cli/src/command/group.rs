//! `pipeline group …`: shared resource pools.

use pipeline_proto::resource::group::GroupSpec;

use super::{
    resource::{Column, Key, Operations, Resource, Verb},
    transform::CONTAINER,
};

pub(super) static RESOURCE: Resource = Resource {
    word: "group",
    one: "a shared resource pool",
    many: "shared resource pools",
    chinese: "共享资源池",
    body: Some(GroupSpec::description),
    operations: Operations {
        list: "list_groups",
        get: "get_group",
        create: "create_group",
        update: "update_group",
        delete: "delete_group",
        ..Resource::BASE.operations
    },
    changes: &["container"],
    columns: &[
        Column::new("CONTAINER", "container"),
        Column::new("STATUS", "container.status"),
        Column::new("REGION", "region"),
    ],
    keys: &[Key::NAME, Key::of("region").in_any_case()],
    shorts: &[CONTAINER],
    verbs: &[
        Verb::act("start", &["start_group"]),
        Verb::act("stop", &["stop_group"]),
    ],
    examples: ("shared --container 2U4Gx3", "--container 2U4Gx5"),
    ..Resource::BASE
};
