//! Restarts every workflow that runs, one after the other, and says what it sees.
//!
//! ```console
//! $ cargo run -p pipeline-blocking --example restart
//! ```
//!
//! It acts on an emulator in its own process; with `PANDORA_ENDPOINT`, `PANDORA_ACCESS_KEY` and
//! `PANDORA_SECRET_KEY`, on the service there.

use std::{
    env,
    error::Error,
    io::{self, Write},
    time::{Duration, SystemTime},
};

use pipeline_blocking::{
    Client,
    proto::{Credentials, Now, WorkflowName, model::Status, wait::Goal},
};
use pipeline_emulator::{
    DEVELOPMENT_ACCESS_KEY, DEVELOPMENT_ACCOUNT, DEVELOPMENT_SECRET_KEY, Emulator, server::Server,
};
use pipeline_graph::file::{Format, WorkflowFile};

/// What the emulator begins with.
const WORKFLOW: &str = "
name: clicks
nodes:
  raw-repo:
    data: {schema: [{key: ip, valtype: string}]}
  save-export:
    parents: [raw-repo]
    data: {type: kodo, spec: {bucket: clicks, fields: {ip: '#ip'}}}
";

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = io::stdout();
    let Ok(endpoint) = env::var("PANDORA_ENDPOINT") else {
        return on_emulator(&mut out);
    };
    let keys = Credentials::new(
        env::var("PANDORA_ACCESS_KEY")?,
        env::var("PANDORA_SECRET_KEY")?,
    )?;
    let client = Client::builder()
        .endpoint(endpoint.parse()?)
        .credentials(keys);
    restart(&client.build()?, &mut out)
}

fn on_emulator(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let workflow = WorkflowFile::parse(WORKFLOW, Format::Yaml)?.resolve(|_| None)?;
    let mut emulator = Emulator::builder().build();
    let now = Now::new(SystemTime::now(), Duration::ZERO);
    emulator.add_workflow(DEVELOPMENT_ACCOUNT, &workflow, now)?;
    let server = Server::on_loopback(emulator)?;
    let keys = Credentials::new(DEVELOPMENT_ACCESS_KEY, DEVELOPMENT_SECRET_KEY)?;
    let client = Client::builder()
        .endpoint(server.url().parse()?)
        .credentials(keys);
    let client = client.no_proxy().build()?;
    client.ensure_started("clicks").wait()?;
    restart(&client, out)
}

fn restart(client: &Client, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let running = client.list_workflows().send()?.into_iter();
    for workflow in running.filter(|workflow| workflow.status == Status::Started) {
        let name = WorkflowName::try_from(workflow.name)?;
        for goal in [Goal::Stopped, Goal::Started] {
            writeln!(out, "{name} is to be {goal}")?;
            let mut seen = Vec::new();
            let wait = client
                .ensure(name.clone(), goal)
                .timeout(Duration::from_secs(120));
            let wait = wait.interval(Duration::from_millis(200));
            let end = wait.on_look(|look| seen.push(format!("  {look}"))).wait();
            for line in seen {
                writeln!(out, "{line}")?;
            }
            end?;
        }
    }
    Ok(())
}

#[test]
fn it_runs_against_the_emulator() {
    let mut out = Vec::new();
    on_emulator(&mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    for line in [
        "clicks is to be stopped\n",
        "Stopped",
        "clicks is to be started\n",
        "Started",
    ] {
        assert!(out.contains(line), "{line:?} is missing in\n{out}");
    }
    assert!(out.find("stopped") < out.find("started"), "{out}");
}
