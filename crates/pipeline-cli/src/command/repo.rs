//! `pipeline repo …`: message queues.

mod push;
mod sample;

use pipeline_proto::{
    Operation as _,
    resource::{
        push::{PushLines, PushPoints},
        repo::{RepoSpec, SampleRepo},
        schema::Schema,
    },
};
use serde_json::Value;

use super::resource::{Column, How, Key, Operations, Resource, Short, Verb};
use crate::{failure::Failure, output::note};

pub(super) static RESOURCE: Resource = Resource {
    word: "repo",
    one: "a message queue",
    many: "message queues",
    chinese: "消息队列",
    body: Some(RepoSpec::description),
    operations: Operations {
        list: "list_repos",
        // Those of workflows as well.
        query: &[("withDag", "true")],
        get: "get_repo",
        create: "create_repo",
        update: "update_repo",
        delete: "delete_repo",
        exists: "repo_exists",
        ..Resource::BASE.operations
    },
    changes: &["schema", "options", "ruleNames", "description"],
    columns: &[
        Column::new("REGION", "region"),
        Column::new("WORKFLOW", "workflow"),
        Column::new("FILLED BY", "derivedFrom"),
        Column::new("ABOUT", "description"),
    ],
    keys: &[
        Key::NAME,
        Key::of("region").in_any_case(),
        Key::of("workflow"),
        Key::new("filled-by", "derivedFrom"),
    ],
    shorts: &[ADD, SCHEMA],
    verbs: &[
        Verb::own::<push::Push>("push", &[PushPoints::NAME, PushLines::NAME]),
        Verb::own::<sample::Sample>("sample", &[SampleRepo::NAME]),
    ],
    examples: (
        "clicks --schema 'ip string, *at date, tags array(string), geo map{lat float, lon float}'",
        "--add 'ref string'",
    ),
    ..Resource::BASE
};

pub(super) const SCHEMA: Short = Short {
    flag: "schema",
    member: "schema",
    value: "FIELDS",
    help: "Its fields: 'ip string, *at date, tags array(string), geo map{lat float, lon float}'; \
           a star for those that every record must have",
    read: schema,
    how: How::Set,
};

pub(super) const ADD: Short = Short {
    flag: "add",
    help: "Fields to go behind those that are there, in the same form",
    how: How::Append,
    ..SCHEMA
};

/// A schema in its short form. An error shows its place.
pub(super) fn schema(text: &str) -> Result<Value, Failure> {
    let schema: Schema = text.parse().map_err(
        |error: pipeline_proto::resource::schema::ParseSchemaError| {
            let line = text.lines().nth(error.line() - 1).unwrap_or_default();
            note(format_args!("  {line}\n  {:>1$}", '^', error.column()));
            Failure::usage(error)
        },
    )?;
    serde_json::to_value(schema.0).map_err(Failure::usage)
}
