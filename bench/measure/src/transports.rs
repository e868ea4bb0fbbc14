//! A GET through each transport, beside the same without a signature over the bare transport.

use std::{
    hint::black_box,
    thread,
    time::{Duration, SystemTime},
};

use http::{Request, Uri};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use pipeline_proto::{
    WorkflowName,
    operation::{Operation, RequestTemplate},
    resource::workflow::GetWorkflow,
};
use tokio::{runtime::Runtime, task::JoinSet};

use crate::{
    Failure,
    cases::AnyCase,
    decoding::ByHand,
    fixtures::{NAME, credentials},
    naive,
    serve::HELD,
};

/// What one run of the saturated cases does: connections or threads, and calls on each connection.
const CONCURRENT: usize = 64;
const THREADS: usize = 4;
const EACH: usize = 20;

pub(crate) type Bare = Client<HttpConnector, Empty<bytes::Bytes>>;

pub(crate) fn runtime() -> Result<Runtime, Failure> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    Ok(builder.enable_all().build()?)
}

pub(crate) fn get_operation() -> GetWorkflow {
    GetWorkflow::new(WorkflowName::from_static(NAME))
}

/// Takes the whole list in, and makes nothing of it.
#[derive(Clone)]
struct TakeIn;

impl Operation for TakeIn {
    type Output = bytes::Bytes;
    const NAME: &'static str = "take_in";
    const IDEMPOTENCY: pipeline_proto::Idempotency = pipeline_proto::Idempotency::Safe;

    fn template(&self) -> Result<RequestTemplate, pipeline_proto::BuildError> {
        RequestTemplate::new(http::Method::GET, &["v2", "workflows"])
    }

    fn decode(
        &self,
        response: &http::Response<bytes::Bytes>,
    ) -> Result<bytes::Bytes, pipeline_proto::DecodeError> {
        Ok(response.body().clone())
    }
}

pub(crate) fn hyper_client(url: &str) -> Result<pipeline_hyper::Client, Failure> {
    let builder = pipeline_hyper::Client::builder().endpoint(url.parse()?);
    Ok(builder.credentials(credentials()).no_proxy().build()?)
}

pub(crate) fn blocking_client(url: &str) -> Result<pipeline_blocking::Client, Failure> {
    let builder = pipeline_blocking::Client::builder().endpoint(url.parse()?);
    Ok(builder.credentials(credentials()).no_proxy().build()?)
}

pub(crate) fn bare_client() -> Bare {
    Client::builder(TokioExecutor::new()).build_http()
}

fn reqwest_client() -> Result<reqwest::Client, Failure> {
    Ok(reqwest::Client::builder().no_proxy().build()?)
}

fn path() -> String {
    format!("/v2/workflows/{NAME}")
}

pub(crate) fn address(url: &str) -> String {
    format!("{url}{}", path())
}

pub(crate) async fn hyper_get(client: pipeline_hyper::Client, operation: GetWorkflow) {
    black_box(client.send(operation).await.expect("a response"));
}

pub(crate) async fn bare_get(client: Bare, address: Uri) {
    let request = Request::get(address).body(Empty::new());
    let answer = client.request(request.expect("a legal request")).await;
    let body = answer.expect("a response").into_body().collect().await;
    black_box(body.expect("a body").to_bytes());
}

async fn reqwest_get(client: reqwest::Client, address: String) {
    let answer = client.get(address).send().await.expect("a response");
    black_box(answer.bytes().await.expect("a body"));
}

/// What one writes without this project: signed as in [`naive`], and decoded by serde.
async fn reqwest_signed_get(client: reqwest::Client, address: String) {
    let date = httpdate::fmt_http_date(SystemTime::now());
    let authorization = naive::authorization("GET", "", &date, &path());
    let request = client
        .get(address)
        .header("Date", date)
        .header("Authorization", authorization);
    let answer = request.send().await.expect("a response");
    let answer = answer.error_for_status().expect("a success");
    let body = answer.bytes().await.expect("a body");
    black_box(serde_json::from_slice::<ByHand>(&body).expect("a workflow"));
}

/// One call after the other on one connection. What a transport does with the connection after the response, in a task
/// of its own, is done before the next call: otherwise that would make another connection.
fn one_by_one<F: Future<Output = ()>>(call: impl Fn() -> F + 'static) -> Result<AnyCase, Failure> {
    let runtime = runtime()?;
    Ok(Box::new(move || {
        runtime.block_on(async {
            call().await;
            tokio::task::yield_now().await;
        });
    }))
}

pub(crate) fn hyper(url: &str) -> Result<AnyCase, Failure> {
    let (client, operation) = (hyper_client(url)?, get_operation());
    one_by_one(move || hyper_get(client.clone(), operation.clone()))
}

pub(crate) fn hyper_bare(url: &str) -> Result<AnyCase, Failure> {
    let (client, address) = (bare_client(), address(url).parse::<Uri>()?);
    one_by_one(move || bare_get(client.clone(), address.clone()))
}

pub(crate) fn reqwest_signed(url: &str) -> Result<AnyCase, Failure> {
    let (client, address) = (reqwest_client()?, address(url));
    one_by_one(move || reqwest_signed_get(client.clone(), address.clone()))
}

/// Many calls at once on one thread, each on a connection of its own, one after the other there.
fn saturated<F: Future<Output = ()> + Send + 'static>(
    call: impl Fn() -> F + Send + Sync + Clone + 'static,
) -> Result<AnyCase, Failure> {
    let runtime = runtime()?;
    Ok(Box::new(move || {
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for _ in 0..CONCURRENT {
                let call = call.clone();
                tasks.spawn(async move {
                    for _ in 0..EACH {
                        call().await;
                    }
                });
            }
            tasks.join_all().await;
        });
    }))
}

pub(crate) fn hyper_64(url: &str) -> Result<AnyCase, Failure> {
    let (client, operation) = (hyper_client(url)?, get_operation());
    saturated(move || hyper_get(client.clone(), operation.clone()))
}

pub(crate) fn hyper_bare_64(url: &str) -> Result<AnyCase, Failure> {
    let (client, address) = (bare_client(), address(url).parse::<Uri>()?);
    saturated(move || bare_get(client.clone(), address.clone()))
}

pub(crate) fn reqwest_signed_64(url: &str) -> Result<AnyCase, Failure> {
    let (client, address) = (reqwest_client()?, address(url));
    saturated(move || reqwest_signed_get(client.clone(), address.clone()))
}

/// So many calls at once, which the server holds until all are there. What they need is the largest heap, and what
/// is there at the end is what the connections need that the client keeps.
fn held<F: Future<Output = ()> + Send + 'static>(
    count: usize,
    call: impl Fn() -> F + 'static,
) -> Result<AnyCase, Failure> {
    let runtime = runtime()?;
    Ok(Box::new(move || {
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for _ in 0..count {
                tasks.spawn(call());
            }
            tasks.join_all().await;
            // Connections that are not kept end in tasks of their own.
            tokio::time::sleep(Duration::from_secs(1)).await;
        });
    }))
}

/// Whose calls the server holds.
fn held_name(count: usize) -> String {
    format!("{HELD}{count}")
}

pub(crate) fn hyper_held(count: usize, url: &str) -> Result<AnyCase, Failure> {
    let (client, name) = (hyper_client(url)?, WorkflowName::new(held_name(count))?);
    held(count, move || {
        hyper_get(client.clone(), GetWorkflow::new(name.clone()))
    })
}

pub(crate) fn reqwest_held(count: usize, url: &str) -> Result<AnyCase, Failure> {
    let (client, address) = (
        reqwest_client()?,
        format!("{url}/v2/workflows/{}", held_name(count)),
    );
    held(count, move || reqwest_get(client.clone(), address.clone()))
}

pub(crate) fn blocking_get(client: &pipeline_blocking::Client, operation: &GetWorkflow) {
    black_box(client.send(operation.clone()).expect("a response"));
}

pub(crate) fn ureq_get(agent: &ureq::Agent, address: &str) {
    let answer = agent.get(address).call().expect("a response");
    let body = answer.into_body().read_to_vec();
    black_box(body.expect("a body"));
}

pub(crate) fn blocking(url: &str) -> Result<AnyCase, Failure> {
    let (client, operation) = (blocking_client(url)?, get_operation());
    Ok(Box::new(move || blocking_get(&client, &operation)))
}

pub(crate) fn ureq(url: &str) -> Result<AnyCase, Failure> {
    let (agent, address) = (ureq_agent(), address(url));
    Ok(Box::new(move || ureq_get(&agent, &address)))
}

/// Room for one idle connection per thread; ureq keeps three of a host otherwise.
pub(crate) fn ureq_agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().max_idle_connections_per_host(64);
    config.proxy(None).build().into()
}

fn threads(call: impl Fn() + Send + Sync) {
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| (0..CONCURRENT / THREADS * EACH).for_each(|_| call()));
        }
    });
}

pub(crate) fn blocking_4(url: &str) -> Result<AnyCase, Failure> {
    let (client, operation) = (blocking_client(url)?, get_operation());
    Ok(Box::new(move || {
        threads(|| blocking_get(&client, &operation));
    }))
}

pub(crate) fn ureq_4(url: &str) -> Result<AnyCase, Failure> {
    let (agent, address) = (ureq_agent(), address(url));
    Ok(Box::new(move || threads(|| ureq_get(&agent, &address))))
}

/// The whole list as bytes. A short answer comes first, so that the connection and its buffers are
/// there before.
pub(crate) fn hyper_body(url: &str) -> Result<AnyCase, Failure> {
    let (runtime, client) = (runtime()?, hyper_client(url)?);
    runtime.block_on(hyper_get(client.clone(), get_operation()));
    Ok(Box::new(move || {
        black_box(runtime.block_on(client.send(TakeIn)).expect("a body"));
    }))
}

/// The whole list as models.
pub(crate) fn hyper_list(url: &str) -> Result<AnyCase, Failure> {
    let (runtime, client) = (runtime()?, hyper_client(url)?);
    runtime.block_on(hyper_get(client.clone(), get_operation()));
    Ok(Box::new(move || {
        black_box(
            runtime
                .block_on(client.list_workflows().into_future())
                .expect("a list"),
        );
    }))
}

pub(crate) fn blocking_body(url: &str) -> Result<AnyCase, Failure> {
    let client = blocking_client(url)?;
    client.send(get_operation())?;
    Ok(Box::new(move || {
        black_box(client.send(TakeIn).expect("a body"));
    }))
}

pub(crate) fn blocking_list(url: &str) -> Result<AnyCase, Failure> {
    let client = blocking_client(url)?;
    client.send(get_operation())?;
    Ok(Box::new(move || {
        black_box(client.list_workflows().send().expect("a list"));
    }))
}
