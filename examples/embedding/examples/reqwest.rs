//! The async client over reqwest in place of its own transport, for a program that has reqwest set up already.
//!
//! `cargo run -p pipeline-embedding-example --example reqwest`, with `PANDORA_ENDPOINT`, `PANDORA_ACCESS_KEY` and
//! `PANDORA_SECRET_KEY`, shows the status of all workflows.

use std::{env, error::Error, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use pipeline_hyper::Client;
use pipeline_proto::{Context, Credentials, Fault, FaultKind};

fn client(context: Context) -> Result<Client, reqwest::Error> {
    let http = reqwest::Client::builder()
        // The signature would go along.
        .redirect(reqwest::redirect::Policy::none())
        // Whether a request may go out twice is for the core to say.
        .retry(reqwest::retry::never())
        .connect_timeout(Duration::from_secs(10))
        .build()?;
    Ok(Client::with_transport(context, move |request, timeout| {
        exchange(http.clone(), request, timeout)
    }))
}

async fn exchange(
    http: reqwest::Client,
    request: Request<Bytes>,
    timeout: Duration,
) -> Result<Response<Bytes>, Fault> {
    let mut request = reqwest::Request::try_from(request).map_err(fault)?;
    *request.timeout_mut() = Some(timeout);
    let response = http.execute(request).await.map_err(fault)?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut whole = Response::new(response.bytes().await.map_err(fault)?);
    *whole.status_mut() = status;
    *whole.headers_mut() = headers;
    Ok(whole)
}

fn fault(error: reqwest::Error) -> Fault {
    let kind = if error.is_connect() || error.is_builder() {
        FaultKind::NotSent
    } else if error.is_timeout() {
        FaultKind::TimedOut
    } else {
        FaultKind::Interrupted
    };
    Fault::new(kind).with_source(error)
}

async fn show(client: &Client) -> Result<Vec<String>, pipeline_proto::Error> {
    let mut lines = Vec::new();
    for workflow in client.list_workflows().await? {
        let state = client.get_workflow_status(workflow.name.as_str()).await?;
        lines.push(format!("{:16} {}", workflow.name, state.status));
    }
    Ok(lines)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let keys = Credentials::new(
        env::var("PANDORA_ACCESS_KEY")?,
        env::var("PANDORA_SECRET_KEY")?,
    )?;
    let context = Context::builder().endpoint(env::var("PANDORA_ENDPOINT")?.parse()?);
    for line in show(&client(context.credentials(keys).build())?).await? {
        println!("{line}");
    }
    Ok(())
}

#[tokio::test]
async fn it_runs_against_the_emulator() {
    use pipeline_emulator::{
        DEVELOPMENT_ACCESS_KEY, DEVELOPMENT_SECRET_KEY, Emulator, server::Server,
    };
    use pipeline_proto::Effect;

    let server = Server::on_loopback(Emulator::builder().build()).unwrap();
    let keys = Credentials::new(DEVELOPMENT_ACCESS_KEY, DEVELOPMENT_SECRET_KEY).unwrap();
    let context = |url: &str| {
        Context::builder()
            .endpoint(url.parse().unwrap())
            .credentials(keys.clone())
    };
    let to_emulator = client(context(&server.url()).build()).unwrap();
    to_emulator.create_workflow("clicks").await.unwrap();
    assert_eq!(
        show(&to_emulator).await.unwrap(),
        ["clicks           Ready"]
    );
    // Nobody listens on this port, and so nothing was created.
    let retry = pipeline_proto::RetryPolicy::none();
    let to_nobody = client(context("http://127.0.0.1:1").retry(retry).build()).unwrap();
    let error = to_nobody.create_workflow("clicks").await.unwrap_err();
    assert_eq!(error.effect(), Effect::None);
}
