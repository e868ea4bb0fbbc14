//! Brings three workflows up side by side, whatever state they are in, and takes them down again.
//!
//! ```console
//! $ cargo run -p pipeline-hyper --example deploy
//! ```
//!
//! It acts on an emulator in its own process; with `PANDORA_ENDPOINT`, `PANDORA_ACCESS_KEY` and
//! `PANDORA_SECRET_KEY`, on the service there.

use std::{env, error::Error, future::Future, time::Duration};

use pipeline_emulator::{DEVELOPMENT_ACCESS_KEY, DEVELOPMENT_SECRET_KEY, Emulator, server::Server};
use pipeline_hyper::{
    Client,
    proto::{
        Credentials, Effect, ErrorCode, WorkflowName,
        model::{Node, NodeType, Nodes},
    },
};
use tokio::{task::JoinSet, time::timeout};

type Failure = Box<dyn Error + Send + Sync>;

const NAMES: [&str; 3] = ["example_clicks", "example_orders", "example_visits"];

/// What is not done by then is cancelled.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let done = match env::var("PANDORA_ENDPOINT") {
        Ok(endpoint) => {
            let keys = Credentials::new(
                env::var("PANDORA_ACCESS_KEY")?,
                env::var("PANDORA_SECRET_KEY")?,
            )?;
            run(Client::builder()
                .endpoint(endpoint.parse()?)
                .credentials(keys)
                .build()?)
            .await?
        }
        Err(_) => on_emulator().await?,
    };
    for line in done {
        println!("{line}");
    }
    Ok(())
}

async fn on_emulator() -> Result<Vec<String>, Failure> {
    let server = Server::on_loopback(Emulator::builder().build())?;
    let keys = Credentials::new(DEVELOPMENT_ACCESS_KEY, DEVELOPMENT_SECRET_KEY)?;
    let client = Client::builder()
        .endpoint(server.url().parse()?)
        .credentials(keys);
    run(client.no_proxy().build()?).await
}

async fn run(client: Client) -> Result<Vec<String>, Failure> {
    let mut done = Vec::new();
    done.extend(each(&client, up).await?);
    done.extend(each(&client, down).await?);
    Ok(done)
}

/// Does something with every workflow, all at once. The first failure cancels the rest: what is
/// dropped with the set stops where it is.
async fn each<F>(
    client: &Client,
    act: fn(Client, WorkflowName) -> F,
) -> Result<Vec<String>, Failure>
where
    F: Future<Output = Result<String, Failure>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for name in NAMES {
        tasks.spawn(timeout(
            PATIENCE,
            act(client.clone(), WorkflowName::from_static(name)),
        ));
    }
    let mut done = Vec::new();
    while let Some(joined) = tasks.join_next().await {
        done.push(joined???);
    }
    done.sort();
    Ok(done)
}

async fn up(client: Client, name: WorkflowName) -> Result<String, Failure> {
    match client.create_workflow(name.clone()).await {
        Ok(()) => {}
        Err(error) if error.code() == Some(ErrorCode::WORKFLOW_EXISTS) => {}
        // The response was lost, so look whether it has worked.
        Err(error) if error.effect() == Effect::Possible => {
            client.get_workflow(name.clone()).await?;
        }
        Err(error) => return Err(error.into()),
    }
    // A graph cannot be replaced while it runs.
    client.ensure_stopped(&name).await?;
    client.update_workflow(name.clone(), nodes(&name)?).await?;
    let seen = client.ensure_started(&name).await?;
    Ok(format!("{name}: {seen}"))
}

async fn down(client: Client, name: WorkflowName) -> Result<String, Failure> {
    client.ensure_stopped(&name).await?;
    client.delete_workflow(name.clone()).await?;
    Ok(format!("{name}: deleted"))
}

/// A message queue, and its export to the object storage. No two workflows can have a queue of one name.
fn nodes(name: &WorkflowName) -> Result<Nodes, Failure> {
    let queue = r#"{"region":"nb","schema":[{"key":"url","valtype":"string"}]}"#;
    let archive = r##"{"type":"kodo","spec":{"bucket":"b","fields":{"url":"#url"}}}"##;
    let mut queue = Node::new(
        format!("{name}_queue").parse()?,
        NodeType::Repo,
        queue.parse()?,
    );
    let mut archive = Node::new("archive".parse()?, NodeType::Export, archive.parse()?);
    queue.children.push(archive.to_ref());
    archive.parents.push(queue.to_ref());
    Ok([queue, archive].map(|node| (node.id(), node)).into())
}

#[tokio::test]
async fn it_runs_against_the_emulator() {
    let done = on_emulator().await.unwrap();
    assert_eq!(done.len(), 6);
    assert!(
        done[0].starts_with("example_clicks: ") && done[0].contains("Started"),
        "{done:?}"
    );
    assert_eq!(done[5], "example_visits: deleted");
}
