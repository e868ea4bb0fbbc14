//! `pipeline datasource …`: files that jobs read.

use clap::Command;
use pipeline_proto::{
    Operation as _,
    resource::datasource::{DatasourceSpec, RetrieveSchema},
};
use serde_json::{Map, Value};

use super::{
    export, repo,
    resource::{Ask, Column, Operations, Resource, Rows, Verb, options},
};
use crate::{exit::Exit, failure::Failure};

pub(super) static RESOURCE: Resource = Resource {
    word: "datasource",
    one: "a data source",
    many: "data sources",
    chinese: "离线数据源",
    body: Some(DatasourceSpec::description),
    operations: Operations {
        list: "list_datasources",
        get: "get_datasource",
        create: "create_datasource",
        update: "update_datasource",
        delete: "delete_datasource",
        exists: "datasource_exists",
        ..Resource::BASE.operations
    },
    changes: &["spec", "schema"],
    columns: &[
        Column::new("TYPE", "type"),
        Column::new("REGION", "region"),
        Column::new("WORKFLOW", "workflow"),
    ],
    keys: export::KEYS,
    shorts: &[repo::ADD, repo::SCHEMA],
    renamed: &[("type", "from")],
    verbs: &[Verb::new(
        "infer",
        &[RetrieveSchema::NAME],
        arguments,
        infer,
    )],
    examples: (
        "logs --from kodo --bucket logs --file-type json --schema 'ip string, *at date'",
        "--key-prefixes 2017/,2018/",
    ),
    ..Resource::BASE
};

fn arguments(resource: &'static Resource, _: &Verb, command: Command) -> Command {
    options(resource, command.about("Infer the fields that files have")).after_help(
        "Examples:\n  pipeline datasource infer --from kodo --bucket logs --file-type json",
    )
}

fn infer(ask: &Ask<'_>) -> Result<Exit, Failure> {
    let mut files = Map::new();
    ask.fill(&mut files)?;
    let files: DatasourceSpec =
        serde_json::from_value(Value::Object(files)).map_err(Failure::usage)?;
    Rows::write(
        &ask.global.remote()?.send(RetrieveSchema::new(files))?,
        ask.global,
    )
}
