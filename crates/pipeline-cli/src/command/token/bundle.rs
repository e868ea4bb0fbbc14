use clap::Args;
use pipeline_proto::{
    Operation as _, UnixTime, WorkflowName,
    resource::workflow::{GetWorkflow, GetWorkflowStatus, StartWorkflow, StopWorkflow},
};
use serde::Serialize;

use super::{
    operation::{OperationName, OperationParser, Permit},
    validity::{self, Validity},
};
use crate::{
    exit::Exit,
    failure::Failure,
    options::{EVERYWHERE, Global, Output},
    output::{Cell, Show, Table},
};

/// Make all the tokens that a device needs for one workflow, as one JSON document
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline token bundle nginx_logs > device.json
  pipeline token bundle nginx_logs --operation get_workflow_status,stop_workflow --ttl 30m
  jq -r '.tokens[] | select(.operation == \"start_workflow\").token' device.json

Each entry has the method, path and content type of the request that its token permits; all end at \
the same time. Whoever has the document may send these requests until then. It is JSON unless -o says \
yaml; the forms for people, table and name, do not show the tokens.")]
pub(crate) struct Bundle {
    /// Name of the workflow
    name: WorkflowName,

    /// Operation to permit; may be repeated, or several with commas
    #[arg(
        long = "operation",
        value_parser = OperationParser,
        value_name = "OPERATION",
        value_delimiter = ',',
        default_values = LOOK_AND_RUN
    )]
    operations: Vec<OperationName>,

    #[command(flatten)]
    validity: Validity,

    /// How data is written to stdout
    // The id is that of the global option, whose default it changes here.
    #[arg(
        id = "output",
        short,
        long = "output",
        value_name = "FORMAT",
        value_parser = Output::parser(),
        default_value = "json",
        help_heading = EVERYWHERE
    )]
    output: Option<Output>,
}

/// What a device does that runs a workflow and watches over it.
const LOOK_AND_RUN: [&str; 4] = [
    GetWorkflow::NAME,
    GetWorkflowStatus::NAME,
    StartWorkflow::NAME,
    StopWorkflow::NAME,
];

impl Bundle {
    pub(super) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let expires = self.validity.end(Some(validity::DEFAULT))?;
        let credentials = global.required_keys()?;
        let endpoint = global.endpoint()?;
        let mut tokens: Vec<Permit> = Vec::new();
        for operation in self.operations {
            let OperationName(info) = operation;
            if tokens.iter().any(|it| it.operation == Some(info.name)) {
                continue;
            }
            let names = vec![self.name.as_str(); info.names.len()];
            let descriptor = operation.permission(&endpoint, &names, expires)?;
            tokens.push(Permit::mint(Some(operation), descriptor, &credentials));
        }
        global.format().write(&Document {
            workflow: self.name,
            expires,
            expires_at: validity::rfc3339(expires),
            tokens,
        })?;
        Ok(Exit::Done)
    }
}

#[derive(Serialize)]
struct Document {
    workflow: WorkflowName,
    /// Seconds since 1970.
    expires: UnixTime,
    /// The same as RFC 3339 writes it; absent beyond its years.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    tokens: Vec<Permit>,
}

impl Show for Document {
    /// The operations: a list of names is no place for secrets.
    fn names(&self) -> Vec<&str> {
        self.tokens.iter().filter_map(|it| it.operation).collect()
    }

    /// Without the tokens, which would stay on the screen and in its history.
    fn table(&self) -> String {
        let mut facts = Table::of_pairs();
        facts.pair("Workflow", Cell::from(self.workflow.as_str()));
        facts.pair("Expires", Cell::from(validity::described(self.expires)));
        facts.pair("Tokens", Cell::from("not shown; they are in -o json"));
        let mut permits = Table::new(&["OPERATION", "METHOD", "PATH", "CONTENT TYPE"]);
        for permit in &self.tokens {
            permits.row([
                Cell::from(permit.operation.unwrap_or_default()),
                Cell::from(&permit.method),
                Cell::from(&permit.path),
                Cell::from(&permit.content_type),
            ]);
        }
        format!("{}\n{}", facts.render(), permits.render())
    }
}
