//! `pipeline transform …`: computations from one message queue to another.

use pipeline_proto::resource::transform::TransformSpec;
use serde_json::{Value, json};

use super::{
    repo,
    resource::{Column, How, Key, Operations, Resource, Short, as_it_is},
};
use crate::failure::Failure;

pub(super) static RESOURCE: Resource = Resource {
    word: "transform",
    one: "a transform",
    many: "transforms",
    chinese: "计算任务",
    body: Some(TransformSpec::description),
    parent: Some(&repo::RESOURCE),
    operations: Operations {
        list: "list_transforms",
        get: "get_transform",
        create: "create_transform",
        update: "update_transform",
        delete: "delete_transform",
        exists: "transform_exists",
        ..Resource::BASE.operations
    },
    columns: &[
        Column::new("TO", "to"),
        Column::new("INTERVAL", "spec.interval"),
        Column::new("CONTAINER", "spec.container"),
        Column::new("WORKFLOW", "workflow"),
    ],
    keys: &[Key::NAME, Key::of("to"), Key::of("workflow")],
    shorts: &[
        Short {
            flag: "sql",
            member: "code",
            value: "SQL",
            help: "What it computes, reading from `stream`",
            read: as_it_is,
            how: How::SetWith("mode", "sql"),
        },
        CONTAINER,
        Short {
            flag: "destrepo",
            member: "destrepo",
            value: "FIELDS",
            help: "The fields of the queue that it fills, as for `repo create --schema`",
            read: repo::schema,
            how: How::Set,
        },
    ],
    examples: (
        "clicks clean clean_clicks --sql 'select ip, at from stream' --interval 1m --container 1U2G",
        "--interval 5m",
    ),
    ..Resource::BASE
};

pub(super) const CONTAINER: Short = Short {
    flag: "container",
    member: "container",
    value: "TYPE[xN]",
    help: "Cores and gigabytes that it runs in, and how many such: 1U2G, 2U4Gx3",
    read: container,
    how: How::Set,
};

fn container(text: &str) -> Result<Value, Failure> {
    let (kind, count) = text.split_once(['x', '*']).unwrap_or((text, "1"));
    let count: i64 = count.parse().map_err(|_| {
        Failure::usage(format!(
            "--container: {count:?} is no number; write 1U2G, or 2U4Gx3"
        ))
    })?;
    Ok(json!({"type": kind, "count": count}))
}
