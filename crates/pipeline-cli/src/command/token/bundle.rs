use clap::Args;
use pipeline_proto::{
    Operation as _, UnixTime,
    resource::workflow::{GetWorkflow, GetWorkflowStatus, StartWorkflow, StopWorkflow},
};
use serde::Serialize;

use super::{
    operation::{Named, NamedParser, OperationName, Permit},
    validity::{self, Validity},
};
use crate::{
    exit::Exit,
    failure::Failure,
    options::{EVERYWHERE, Global, Output},
    output::{Cell, Show, Table},
};

/// Make all the tokens that a device needs, for one workflow or anything else, as one JSON document
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline token bundle nginx_logs > device.json
  pipeline token bundle nginx_logs --operation get_workflow_status,stop_workflow --ttl 30m
  pipeline token bundle --operation 'push_points clicks' --operation 'push_points errors'
  pipeline token bundle nginx_logs --operation get_workflow_status,'push_points clicks'
  jq -r '.tokens[] | select(.operation == \"start_workflow\").token' device.json

An operation has the names behind it that `token mint` takes; one without is about NAME. Each entry has the method, path and content type of the request that its token permits; all end at \
the same time. Whoever has the document may send these requests until then. It is JSON unless -o says \
yaml; the forms for people, table and name, do not show the tokens.")]
pub(crate) struct Bundle {
    /// Name of the workflow, or of whatever the operations without names of their own are about
    #[arg(required_unless_present = "operations")]
    name: Option<String>,

    /// Operation to permit, with what it is about; may be repeated, or several with commas
    #[arg(
        long = "operation",
        value_parser = NamedParser,
        value_name = "OPERATION",
        value_delimiter = ',',
        default_values = LOOK_AND_RUN
    )]
    operations: Vec<Named>,

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
        let mut made: Vec<(&str, Vec<String>)> = Vec::new();
        let mut workflow = None;
        for mut named in self.operations {
            let OperationName(info) = named.operation;
            if named.names.is_empty() && !info.names.is_empty() {
                let Some(name) = &self.name else {
                    let line = format!("say what {0} is about: --operation '{0} NAME'", info.name);
                    return Err(Failure::usage(line));
                };
                // What has several names has to be told each of them.
                named.names.push(name.clone());
                if info.resource == "workflow" {
                    workflow = Some(name.clone());
                }
            }
            let key = (info.name, named.names.clone());
            if made.contains(&key) {
                continue;
            }
            made.push(key);
            let names: Vec<&str> = named.names.iter().map(String::as_str).collect();
            let descriptor = named.operation.permission(&endpoint, &names, "", expires)?;
            tokens.push(Permit::mint(
                Some(named.operation),
                descriptor,
                &credentials,
            ));
        }
        global.format().write(&Document {
            workflow,
            expires,
            expires_at: validity::rfc3339(expires),
            tokens,
        })?;
        Ok(Exit::Done)
    }
}

#[derive(Serialize)]
struct Document {
    /// What the operations on workflows are about that have no name of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow: Option<String>,
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
        if let Some(workflow) = &self.workflow {
            facts.pair("Workflow", Cell::from(workflow));
        }
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
