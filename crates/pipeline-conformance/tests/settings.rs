//! What a transport can be told: the same of both.

use std::{
    future, io, iter,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{Request, Response};
use pipeline_conformance::{Reply, Script, is_like, words};
use pipeline_emulator::{Authentication, Emulator, Transition};
use pipeline_proto::{
    Context, Error, Now, RetryPolicy, WorkflowName,
    model::{Node, NodeType, Nodes},
    wait::Goal,
};

/// Lists workflows, with a time for it, and says what came of it.
type Send = Box<dyn Fn(Duration) -> String + Sync>;

const LONG: Duration = Duration::from_secs(60);

fn context(url: &str) -> Context {
    let context = Context::builder().endpoint(url.parse().unwrap());
    context.retry(RetryPolicy::none()).build()
}

fn told<T>(result: Result<T, Error>) -> String {
    result.map_or_else(|error| words(&error), |_| "done".to_owned())
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().unwrap()
}

/// Tries a case with a client of each kind, over a transport to a URL that is set up alike.
macro_rules! both {
    (|$builder:ident| $set:expr, $case:expr) => {
        $case(&|url: &str| -> Send {
            let $builder = pipeline_blocking::Transport::builder(url.parse().unwrap()).no_proxy();
            let client = pipeline_blocking::Client::new(context(url), $set.build().unwrap());
            Box::new(move |time| told(client.list_workflows().attempt_timeout(time).send()))
        });
        $case(&|url: &str| -> Send {
            let $builder = pipeline_hyper::Transport::builder(url.parse().unwrap()).no_proxy();
            let client = pipeline_hyper::Client::new(context(url), $set.build().unwrap());
            let runtime = runtime();
            Box::new(move |time| {
                let list = client.list_workflows().attempt_timeout(time);
                told(runtime.block_on(list.into_future()))
            })
        });
    };
}

#[test]
fn a_request_waits_for_its_turn_where_connections_are_limited() {
    for most in [1, 2] {
        both!(
            |builder| builder.max_connections(most),
            |client: &dyn Fn(&str) -> Send| {
                let script = Script::play(vec![Reply::Stall(Vec::new()); 2]);
                let send = client(script.url());
                thread::scope(|scope| {
                    let first = scope.spawn(|| send(LONG));
                    while script.requests().is_empty() {
                        thread::yield_now();
                    }
                    let second = send(Duration::from_millis(50));
                    let waited = "no connection: timed out while connecting*nothing changed*";
                    assert_eq!(is_like(&second, waited), most == 1, "{second}");
                    assert_eq!(script.connections(), most);
                    drop(script);
                    assert_ne!(first.join().unwrap(), "done");
                });
            }
        );
    }
}

#[test]
fn a_connection_is_kept_for_the_next_request_as_long_as_was_said() {
    for (kept, connections) in [(LONG, 1), (Duration::ZERO, 3)] {
        both!(
            |builder| builder.idle_timeout(kept),
            |client: &dyn Fn(&str) -> Send| {
                let script = Script::play(vec![Reply::json("200 OK", "[]"); 3]);
                let send = client(script.url());
                for _ in 0..3 {
                    assert_eq!(send(LONG), "done");
                }
                assert_eq!(script.connections(), connections);
            }
        );
    }
}

#[test]
fn hosts_are_looked_up_by_the_function_that_was_given() {
    let script = Script::play(vec![Reply::json("200 OK", "[]"); 2]);
    let address = script.url()["http://".len()..].parse().unwrap();
    let blocking = pipeline_blocking::Client::builder()
        .endpoint("http://pipeline.invalid:81".parse().unwrap())
        .no_proxy()
        .resolver(move |host, port, _| {
            assert_eq!((host, port), ("pipeline.invalid", 81));
            Ok(vec![address])
        });
    told(blocking.build().unwrap().list_workflows().send());
    let hyper = pipeline_hyper::Client::builder()
        .endpoint("http://pipeline.invalid:81".parse().unwrap())
        .no_proxy()
        .resolver(move |host, port| {
            assert_eq!((&*host, port), ("pipeline.invalid", 81));
            future::ready(Ok(vec![address]))
        });
    let list = hyper.build().unwrap().list_workflows();
    assert_eq!(told(runtime().block_on(list.into_future())), "done");
    for request in script.requests() {
        assert_eq!(request.header("host"), Some("pipeline.invalid:81"));
    }
    assert_eq!(script.requests().len(), 2);
}

#[cfg(unix)]
#[test]
fn connections_are_made_by_the_function_that_was_given() {
    use std::{
        io::{Read as _, Write as _},
        os::unix::net::{UnixListener, UnixStream},
    };

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("service");
    let listener = UnixListener::bind(&path).unwrap();
    let server = thread::spawn(move || -> io::Result<()> {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept()?;
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut buffer = [0; 512];
                let read = stream.read(&mut buffer)?;
                request.extend_from_slice(&buffer[..read]);
            }
            assert!(request.starts_with(b"GET /v2/workflows HTTP/1.1\r\n"));
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]")?;
        }
        Ok(())
    });
    let url = "http://pipeline.invalid";
    let to = path.clone();
    let transport = pipeline_blocking::Transport::builder(url.parse().unwrap())
        .connector(move |_, _, _| Ok(UnixStream::connect(&to)?.into()))
        .no_proxy();
    let client = pipeline_blocking::Client::new(context(url), transport.build().unwrap());
    assert_eq!(told(client.list_workflows().send()), "done");
    drop(client);
    let transport = pipeline_hyper::Transport::builder(url.parse().unwrap())
        .connector(move |_, _| tokio::net::UnixStream::connect(path.clone()))
        .no_proxy();
    let client = pipeline_hyper::Client::new(context(url), transport.build().unwrap());
    let list = client.list_workflows().into_future();
    assert_eq!(told(runtime().block_on(list)), "done");
    server.join().unwrap().unwrap();
}

#[test]
fn a_request_for_another_endpoint_is_not_sent() {
    let script = Script::play([]);
    let url = script.url();
    let port = &url[url.rfind(':').unwrap()..];
    for other in [
        "http://evil.test/v2/workflows".to_owned(),
        format!("https://127.0.0.1{port}/v2/workflows"),
        "http://127.0.0.1:1/v2/workflows".to_owned(),
    ] {
        let request = || Request::get(&other).body(Bytes::new()).unwrap();
        let transport = pipeline_blocking::Transport::builder(url.parse().unwrap());
        let blocking = transport.build().unwrap().exchange(&request(), LONG);
        let transport = pipeline_hyper::Transport::builder(url.parse().unwrap());
        let transport = transport.build().unwrap();
        let hyper = runtime().block_on(transport.exchange(request(), LONG));
        for fault in [blocking.unwrap_err(), hyper.unwrap_err()] {
            let source = std::error::Error::source(&fault).unwrap().to_string();
            assert!(source.starts_with("the request is for "), "{source}");
            assert!(fault.is_permanent());
        }
    }
    assert_eq!(script.connections(), 0);
}

fn emulator() -> Arc<Mutex<Emulator>> {
    let emulator = Emulator::builder().authentication(Authentication::Off);
    let minute = Transition::After(Duration::from_secs(60));
    Arc::new(Mutex::new(emulator.transitions(minute).build()))
}

/// A queue and its export.
fn nodes() -> Nodes {
    let queue = r#"{"region":"nb","schema":[{"key":"url","valtype":"string"}]}"#;
    let archive = r##"{"type":"kodo","spec":{"bucket":"b","fields":{"url":"#url"}}}"##;
    let made = |name: &str, kind, data: &str| {
        Node::new(name.parse().unwrap(), kind, data.parse().unwrap())
    };
    let mut queue = made("queue", NodeType::Repo, queue);
    let mut archive = made("archive", NodeType::Export, archive);
    queue.children.push(archive.to_ref());
    archive.parents.push(queue.to_ref());
    [queue, archive].map(|node| (node.id(), node)).into()
}

#[tokio::test(start_paused = true)]
async fn time_that_is_paused_passes_in_waits_for_an_emulator_in_the_same_process() {
    let (emulator, started) = (emulator(), tokio::time::Instant::now());
    let context = Context::builder().build();
    let client = pipeline_hyper::Client::with_transport(context, move |request, _| {
        let now = Now::new(SystemTime::UNIX_EPOCH, started.elapsed());
        future::ready(Ok(emulator.lock().unwrap().handle(request, now)))
    });
    client.create_workflow("w").await.unwrap();
    client.update_workflow("w", nodes()).await.unwrap();
    let seen = client.ensure_started("w").await.unwrap();
    assert!(seen.elapsed >= Duration::from_secs(60), "{seen:?}");
    let name = client.ensure_started("no name").await.unwrap_err();
    assert!(name.to_string().contains("contains ' '"), "{name}");
}

#[tokio::test]
async fn what_was_read_is_used_as_it_is_and_updated_where_it_is() {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let service = {
        let sent = Arc::clone(&sent);
        move |request: Request<Bytes>| {
            let body = String::from_utf8_lossy(request.body());
            let target = request.uri().path();
            sent.lock()
                .unwrap()
                .push(format!("{} {target} {body}", request.method()));
            let shown = r#"[{"name":"w","region":"z2","nodes":{}},{"name":"my w","region":"z 2"}]"#;
            Response::new(Bytes::from(if target == "/v2/workflows" {
                shown
            } else {
                "{}"
            }))
        }
    };
    let (there, here) = (service.clone(), service);
    let context = || Context::builder().build();
    let hyper = pipeline_hyper::Client::with_transport(context(), move |request, _| {
        future::ready(Ok(there(request)))
    });
    let blocking = pipeline_blocking::Client::with_transport(context(), move |request, _| {
        Ok(here(request.clone()))
    });
    let read = hyper.list_workflows().await.unwrap();
    // One that is not legal spoils nothing, and is refused where it is used.
    let [read, odd] = &read[..] else {
        panic!("{read:?}")
    };
    hyper.stop_workflow(&read.name).await.unwrap();
    hyper.update_workflow_of(read, Nodes::new()).await.unwrap();
    blocking
        .update_workflow_of(read, Nodes::new())
        .send()
        .unwrap();
    let update = r#"PUT /v2/workflows/w {"name":"w","region":"z2","nodes":{}}"#;
    assert_eq!(
        sent.lock().unwrap()[1..],
        ["POST /v2/workflows/w/stop ", update, update]
    );
    for error in [
        hyper.stop_workflow(&odd.name).await.unwrap_err(),
        hyper
            .update_workflow_of(odd, Nodes::new())
            .await
            .unwrap_err(),
        blocking
            .update_workflow_of(odd, Nodes::new())
            .send()
            .unwrap_err(),
    ] {
        assert!(
            error.to_string().contains("the workflow name contains ' '"),
            "{error}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_transport_that_does_not_end_is_left_when_its_time_is_over() {
    let context = Context::builder().retry(RetryPolicy::none()).build();
    let client = pipeline_hyper::Client::with_transport(context, |_, _| future::pending());
    let error = client.list_workflows().await.unwrap_err();
    assert!(
        words(&error).starts_with("no response in time"),
        "{}",
        words(&error)
    );
}

#[test]
fn a_client_over_a_function_of_ones_own_needs_no_socket() {
    let (emulator, mut clock) = (emulator(), iter::successors(Some(0), |n| Some(n + 30)));
    let (service, clock) = (
        Arc::clone(&emulator),
        Mutex::new(move || clock.next().unwrap()),
    );
    let context = Context::builder().build();
    let client = pipeline_blocking::Client::with_transport(context, move |request, _| {
        let now = Duration::from_secs((clock.lock().unwrap())());
        let now = Now::new(SystemTime::UNIX_EPOCH, now);
        Ok(service.lock().unwrap().handle(request.clone(), now))
    });
    client.create_workflow("w").send().unwrap();
    client.update_workflow("w", nodes()).send().unwrap();
    let wait = client.ensure(WorkflowName::from_static("w"), Goal::Started);
    let mut looks = Vec::new();
    let wait = wait
        .interval(Duration::from_millis(1))
        .max_interval(Duration::from_millis(1));
    wait.on_look(|look| looks.push(look.to_string()))
        .wait()
        .unwrap();
    assert_eq!(
        looks.last().map(String::as_str),
        Some("Started"),
        "{looks:?}"
    );
    assert!(looks.len() > 2, "{looks:?}");
}
