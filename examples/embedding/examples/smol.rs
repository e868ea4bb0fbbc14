//! The core on smol: sockets and time of its own, no other crate of this workspace.
//!
//! `cargo run -p pipeline-embedding-example --example smol`, with `PANDORA_ENDPOINT`, `PANDORA_ACCESS_KEY` and
//! `PANDORA_SECRET_KEY`, shows the status of all workflows.

use std::{
    env,
    error::Error,
    io,
    net::TcpStream,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use http::{Request, Response};
use pipeline_embedding_example::http1;
use pipeline_proto::{
    Call, CallOptions, Context, Credentials, Fault, FaultKind, Next, Now, Operation,
    resource::workflow::{GetWorkflowStatus, ListWorkflows},
};
use smol::{
    Async, Timer,
    future::FutureExt as _,
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::resolve,
};

struct Client {
    context: Context,
    started: Instant,
    calls: AtomicU64,
}

impl Client {
    fn new(context: Context) -> Self {
        Self {
            context,
            started: Instant::now(),
            calls: AtomicU64::new(0),
        }
    }

    fn now(&self) -> Now {
        Now::new(SystemTime::now(), self.started.elapsed())
    }

    async fn send<O: Operation>(&self, operation: O) -> Result<O::Output, pipeline_proto::Error> {
        // Anything that differs between calls and machines will do.
        let seed = self.calls.fetch_add(1, Ordering::Relaxed) ^ u64::from(std::process::id());
        let options = CallOptions::new().seed(seed);
        let mut attempt = Call::new(&self.context, operation, options)?.start(self.now());
        loop {
            let (request, in_flight) = attempt.send();
            let late = async {
                Timer::after(in_flight.timeout()).await;
                // The request may have left.
                Err(Fault::new(FaultKind::TimedOut))
            };
            let next = match exchange(&request).or(late).await {
                Ok(response) => in_flight.on_response(response, self.now()),
                Err(fault) => in_flight.on_fault(fault, self.now()),
            };
            match next {
                Next::Done(result) => return result,
                Next::Retry(backoff) => {
                    Timer::after(backoff.delay()).await;
                    attempt = backoff.resume(self.now())?;
                }
            }
        }
    }
}

/// One request and its response on a connection of their own.
async fn exchange(request: &Request<Bytes>) -> Result<Response<Bytes>, Fault> {
    let connected = connect(request).await;
    let mut stream =
        connected.map_err(|error| Fault::new(FaultKind::NotSent).with_source(error))?;
    let broken = |error: io::Error| Fault::new(FaultKind::Interrupted).with_source(error);
    let sent = stream.write_all(&http1::encode(request)).await;
    sent.map_err(broken)?;
    let (mut came, mut piece) = (Vec::new(), [0; 8192]);
    loop {
        let read = stream.read(&mut piece).await.map_err(broken)?;
        came.extend_from_slice(&piece[..read]);
        let response = http1::decode(&came, read == 0);
        if let Some(response) = response.map_err(|error| broken(io::Error::other(error)))? {
            return Ok(response);
        }
    }
}

async fn connect(request: &Request<Bytes>) -> io::Result<Async<TcpStream>> {
    let uri = request.uri();
    let host = uri.host().unwrap_or_default().to_owned();
    let mut failure = io::Error::other("the host has no address");
    for address in resolve((host, uri.port_u16().unwrap_or(80))).await? {
        match Async::<TcpStream>::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

async fn show(context: Context) -> Result<Vec<String>, Box<dyn Error>> {
    let client = Client::new(context);
    let mut lines = Vec::new();
    for workflow in client.send(ListWorkflows::new()).await? {
        let status = GetWorkflowStatus::new((&workflow.name).try_into()?);
        let state = client.send(status).await?;
        lines.push(format!("{:16} {}", workflow.name, state.status));
    }
    Ok(lines)
}

fn main() -> Result<(), Box<dyn Error>> {
    let keys = Credentials::new(
        env::var("PANDORA_ACCESS_KEY")?,
        env::var("PANDORA_SECRET_KEY")?,
    )?;
    let context = Context::builder().endpoint(env::var("PANDORA_ENDPOINT")?.parse()?);
    let context = context
        .credentials(keys)
        .total_timeout(Duration::from_secs(30));
    for line in smol::block_on(show(context.build()))? {
        println!("{line}");
    }
    Ok(())
}

#[test]
fn it_runs_against_the_emulator() {
    use pipeline_emulator::{
        DEVELOPMENT_ACCESS_KEY, DEVELOPMENT_SECRET_KEY, Emulator, server::Server,
    };
    use pipeline_proto::{WorkflowName, resource::workflow::CreateWorkflow};

    let server = Server::on_loopback(Emulator::builder().build()).unwrap();
    let keys = Credentials::new(DEVELOPMENT_ACCESS_KEY, DEVELOPMENT_SECRET_KEY).unwrap();
    let context = Context::builder()
        .endpoint(server.url().parse().unwrap())
        .credentials(keys);
    let context = context.build();
    let create = CreateWorkflow::new(WorkflowName::from_static("clicks"));
    smol::block_on(Client::new(context.clone()).send(create)).unwrap();
    assert_eq!(
        smol::block_on(show(context)).unwrap(),
        ["clicks           Ready"]
    );
}
