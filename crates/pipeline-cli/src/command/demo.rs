mod graph;
mod transport;

use std::{io, time::Duration};

use clap::Args;
use http::Method;
use pipeline_emulator::{
    DEVELOPMENT_ACCESS_KEY, DEVELOPMENT_SECRET_KEY, Emulator, Transition, server::Server,
};
use pipeline_graph::draw::{Charset, Picture};
use pipeline_proto::{
    Credentials, Endpoint, Error, Operation, RepoName, WorkflowName,
    model::{Status, Workflow},
    resource::{
        push::PushPoints,
        repo::{Record, SampleRepo},
        workflow::{
            CreateWorkflow, DeleteWorkflow, GetWorkflow, ListWorkflows, StartWorkflow,
            StopWorkflow, UpdateWorkflow,
        },
    },
    wait::{Goal, Observation},
};

use crate::{
    duration::Short,
    exit::Exit,
    failure::Failure,
    options::Global,
    output::{self, status},
    remote::By,
    signals,
};
use transport::{Blocking, Hyper, Transport};

/// See it all work in a few seconds, without an account
///
/// Starts an emulator of the service inside this program, and then creates, lists, shows, changes,
/// starts, stops and deletes a workflow over real HTTP with signed requests, and pushes data into its
/// queue while it runs: once through the blocking client, once through the async one. Touches nothing
/// else; credentials, endpoint and proxies of the environment are not used.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  pipeline demo")]
pub(crate) struct Demo {}

impl Demo {
    pub(crate) fn run(self, _: &Global) -> Result<Exit, Failure> {
        let Self {} = self;
        signals::watch()?;
        let failed = |error: io::Error| Failure::io("the emulator cannot be started", &error);
        let emulator = Emulator::builder()
            .transitions(Transition::After(Duration::from_millis(500)))
            .build();
        let server = Server::on_loopback(emulator).map_err(failed)?;
        let endpoint: Endpoint = server.url().parse().map_err(Failure::usage)?;
        let keys = Credentials::new(DEVELOPMENT_ACCESS_KEY, DEVELOPMENT_SECRET_KEY)
            .map_err(Failure::usage)?;
        output::text(&format!(
            "An emulator of the service listens on {endpoint} and checks every signature.\n"
        ))?;

        let blocking = Blocking::new(&endpoint, &keys)?;
        Tour::new(&endpoint, &blocking).run("demo_blocking", "the blocking client (no runtime)")?;
        let hyper = Hyper::new(&endpoint, &keys)?;
        Tour::new(&endpoint, &hyper).run("demo_async", "the async client (hyper on tokio)")?;

        output::text(GOING_ON)?;
        Ok(Exit::Done)
    }
}

const GOING_ON: &str = "
That was everything. Against the real service, with your own keys:

  export PANDORA_ACCESS_KEY=<your access key>
  export PANDORA_SECRET_KEY=<your secret key>
  pipeline workflow list

To go on playing without an account: pipeline emulator
";

/// The steps, through one client.
struct Tour<'a, T> {
    endpoint: &'a Endpoint,
    client: &'a T,
    step: u32,
}

impl<'a, T: Transport> Tour<'a, T> {
    fn new(endpoint: &'a Endpoint, client: &'a T) -> Self {
        Self {
            endpoint,
            client,
            step: 0,
        }
    }

    fn run(mut self, name: &'static str, client: &str) -> Result<(), Failure> {
        let name = WorkflowName::from_static(name);
        output::text(&format!("\nThrough {client}:\n\n"))?;

        let create = CreateWorkflow::new(name.clone()).comment("点击日志 → 对象存储");
        self.send(&Method::POST, create, |()| "created".to_owned())?;
        self.send(&Method::GET, ListWorkflows::new(), |list| {
            match list.as_slice() {
                [one] => format!("one workflow: {} is {}", one.name, coloured(&one.status)),
                more => format!("{} workflows", more.len()),
            }
        })?;
        let nodes = graph::nodes()?;
        let update = UpdateWorkflow::new(name.clone(), nodes);
        self.send(&Method::PUT, update, |()| "given its nodes".to_owned())?;
        let workflow = self.send(&Method::GET, GetWorkflow::new(name.clone()), |workflow| {
            let count = workflow
                .nodes
                .as_ref()
                .map_or(0, std::collections::BTreeMap::len);
            format!("{count} nodes, and it can be started now")
        })?;
        output::text(&picture(&workflow))?;
        self.send(&Method::POST, StartWorkflow::new(name.clone()), |()| {
            "accepted".to_owned()
        })?;
        self.wait(&name, Goal::Started)?;
        let queue = RepoName::from_static("clicks");
        let (count, clicks) = graph::clicks()?;
        let push = PushPoints::new(queue.clone(), clicks.into());
        self.send(&Method::POST, push, |()| format!("{count} points accepted"))?;
        self.send(&Method::GET, SampleRepo::new(queue), |records| {
            format!("{} records: {}", records.len(), urls(records))
        })?;
        self.send(&Method::POST, StopWorkflow::new(name.clone()), |()| {
            "accepted".to_owned()
        })?;
        self.wait(&name, Goal::Stopped)?;
        self.send(&Method::DELETE, DeleteWorkflow::new(name.clone()), |()| {
            "deleted".to_owned()
        })?;
        Ok(())
    }

    fn send<O: Operation>(
        &mut self,
        method: &Method,
        operation: O,
        describe: impl FnOnce(&O::Output) -> String,
    ) -> Result<O::Output, Failure> {
        let target = operation
            .template()
            .map_err(|error| self.failure(&Error::build(O::NAME, error)))?
            .target()
            .to_owned();
        let result = self
            .client
            .send(operation)
            .map_err(|error| self.failure(&error))?;
        self.show(&format!("{method} {target}"), &describe(&result))?;
        Ok(result)
    }

    fn wait(&mut self, name: &WorkflowName, goal: Goal) -> Result<(), Failure> {
        let mut seen: Vec<String> = Vec::new();
        let mut watch = |observation: &Observation| {
            if let Some(state) = &observation.state {
                let shown = coloured(&state.status);
                if seen.last() != Some(&shown) {
                    seen.push(shown);
                }
            }
        };
        let observation = self
            .client
            .wait(name, goal, &mut watch)
            .map_err(|error| Failure::of_wait(&error, name, By::Looking, self.endpoint))?;
        let line = format!("{} after {}", seen.join(" → "), Short(observation.elapsed));
        self.show(&format!("wait until {goal}"), &line)
    }

    fn show(&mut self, what: &str, result: &str) -> Result<(), Failure> {
        self.step += 1;
        output::text(&format!("  {:>2}. {what:<42} {result}\n", self.step))
    }

    fn failure(&self, error: &Error) -> Failure {
        Failure::of_call(error, self.endpoint, None, None)
    }
}

fn urls(records: &[Record]) -> String {
    let urls = records
        .iter()
        .filter_map(|record| record.get("url")?.as_str());
    urls.collect::<Vec<_>>().join(", ")
}

fn coloured(value: &Status) -> String {
    let style = status(value);
    format!("{style}{value}{style:#}")
}

/// The workflow as a picture, indented.
fn picture(workflow: &Workflow) -> String {
    let nodes = workflow.nodes.clone().unwrap_or_default();
    let tree = Picture::new(&nodes).tree(Charset::Unicode);
    let lines: Vec<String> = tree
        .lines()
        .map(|line| format!("        {line}\n"))
        .collect();
    format!("\n{}\n", lines.concat())
}
