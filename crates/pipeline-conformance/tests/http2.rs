//! The asynchronous client over HTTP/2, against a server that plays frames, byte for byte.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use bytes::Bytes;
use http::Response;
use pipeline_conformance::{Identity, Special, cases, is_like, words};
use pipeline_hyper::{Client, ClientBuilder};
use pipeline_proto::{
    Credentials, Error, RetryPolicy, WorkflowName,
    operation::{Detailed, Details},
    resource::workflow::{CreateWorkflow, ListWorkflows},
};
use rustls::{ServerConnection, StreamOwned};
use tokio::{runtime::Runtime, task::JoinSet};
use tokio_rustls::TlsAcceptor;

use Frame::{Continuation, Data, GoAway, Headers, Ping, Reset, Settings};

/// Those that are used here (RFC 9113, section 6).
#[derive(Clone, Copy)]
enum Frame {
    Data = 0,
    Headers = 1,
    Reset = 3,
    Settings = 4,
    Ping = 6,
    GoAway = 7,
    Continuation = 9,
}

const END_STREAM: u8 = 1;
const ACKNOWLEDGED: u8 = 1;
const END_HEADERS: u8 = 4;
/// `:status: 200`, in the static table (RFC 7541, appendix A).
const STATUS_200: u8 = 0x88;

fn frame(kind: Frame, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind as u8, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// What the server does with a request.
#[derive(Clone, Copy)]
enum Does {
    Answers(&'static str),
    /// Leaves it waiting.
    Waits,
    /// Answers it and all that wait.
    AnswersAll,
    /// Resets its stream with this code.
    Resets(u32),
    /// Goes away, and has not looked at this stream.
    GoesAway,
    Closes,
    /// Begins a response, and stops in its body; closes the connection or not.
    Stops {
        closes: bool,
    },
    /// Has this many bytes in a header.
    SaysMuch(usize),
    /// Sends what is no frame.
    Talks,
}

const REFUSED_STREAM: u32 = 7;
const INTERNAL_ERROR: u32 = 2;

struct Server {
    url: String,
    pem: String,
    requests: Arc<AtomicUsize>,
    /// What each connection agreed to speak.
    spoken: Arc<Mutex<Vec<Option<Vec<u8>>>>>,
}

impl Server {
    /// Plays one of these after another, over as many connections as it takes.
    fn play(script: impl IntoIterator<Item = Does>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let identity = Identity::new("localhost", Special::None);
        let config = Arc::new(identity.server(&["h2", "http/1.1"]));
        let server = Self {
            url: format!(
                "https://localhost:{}",
                listener.local_addr().unwrap().port()
            ),
            pem: identity.pem,
            requests: Arc::default(),
            spoken: Arc::default(),
        };
        let script = Arc::new(Mutex::new(
            script.into_iter().collect::<Vec<_>>().into_iter(),
        ));
        let (requests, spoken) = (Arc::clone(&server.requests), Arc::clone(&server.spoken));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut stream = stream;
                let (script, requests) = (Arc::clone(&script), Arc::clone(&requests));
                if connection.complete_io(&mut stream).is_err() {
                    continue;
                }
                let protocol = connection.alpn_protocol().map(<[u8]>::to_vec);
                spoken.lock().unwrap().push(protocol);
                let next = move || {
                    requests.fetch_add(1, SeqCst);
                    script.lock().unwrap().next().expect("the script goes on")
                };
                // It ends with the client, or as the script says.
                thread::spawn(move || serve(StreamOwned::new(connection, stream), next));
            }
        });
        server
    }

    fn client(&self, build: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
        let builder = Client::builder()
            .endpoint(self.url.parse().unwrap())
            .credentials(Credentials::new("ak", "sk").unwrap())
            .retry(RetryPolicy::default().base_delay(Duration::from_millis(1)))
            .extra_root_certificates(&self.pem)
            .no_proxy();
        build(builder).build().unwrap()
    }

    fn connections(&self) -> usize {
        self.spoken.lock().unwrap().len()
    }
}

fn serve(mut io: impl Read + Write, mut next: impl FnMut() -> Does) -> Option<()> {
    let mut preface = [0; 24];
    io.read_exact(&mut preface).ok()?;
    if !preface.starts_with(b"PRI * HTTP/2.0") {
        return io
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]")
            .ok();
    }
    io.write_all(&frame(Settings, 0, 0, &[])).ok()?;
    let mut waiting = Vec::new();
    loop {
        let mut head = [0; 9];
        io.read_exact(&mut head).ok()?;
        let [_, a, b, kind, flags, stream @ ..] = head;
        let mut payload = vec![0; usize::from(u16::from_be_bytes([a, b]))];
        io.read_exact(&mut payload).ok()?;
        let stream = u32::from_be_bytes(stream);
        let is = |other: Frame| kind == other as u8;
        if is(Settings) && flags != ACKNOWLEDGED {
            io.write_all(&frame(Settings, ACKNOWLEDGED, 0, &[])).ok()?;
        } else if is(Ping) && flags != ACKNOWLEDGED {
            io.write_all(&frame(Ping, ACKNOWLEDGED, 0, &payload)).ok()?;
        } else if (is(Headers) || is(Data)) && flags & END_STREAM != 0 {
            let mut closes = false;
            let response = match next() {
                Does::Answers(body) => ok(stream, body),
                Does::Waits => {
                    waiting.push(stream);
                    Vec::new()
                }
                Does::AnswersAll => {
                    waiting.push(stream);
                    waiting
                        .drain(..)
                        .flat_map(|stream| ok(stream, "[]"))
                        .collect()
                }
                Does::Resets(code) => frame(Reset, 0, stream, &code.to_be_bytes()),
                Does::GoesAway => {
                    let before = stream.saturating_sub(2).to_be_bytes();
                    frame(GoAway, 0, 0, &[before, [0; 4]].concat())
                }
                Does::Closes => return None,
                Does::Stops { closes: at_once } => {
                    closes = at_once;
                    let body = frame(Data, 0, stream, b"[");
                    [headers(stream, &[STATUS_200]), body].concat()
                }
                Does::SaysMuch(length) => {
                    // A literal that is not indexed, its length with a prefix of seven bits.
                    let mut block = vec![STATUS_200, 0, 1, b'x', 0x7f];
                    let mut rest = length - 0x7f;
                    while rest >= 0x80 {
                        block.push(u8::try_from(rest % 0x80).unwrap() | 0x80);
                        rest /= 0x80;
                    }
                    block.push(u8::try_from(rest).unwrap());
                    block.extend(vec![b'v'; length]);
                    [
                        headers(stream, &block),
                        frame(Data, END_STREAM, stream, b"[]"),
                    ]
                    .concat()
                }
                Does::Talks => b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec(),
            };
            io.write_all(&response).ok()?;
            if closes {
                return None;
            }
        }
    }
}

fn headers(stream: u32, block: &[u8]) -> Vec<u8> {
    let pieces: Vec<_> = block.chunks(16_384).collect();
    let last = pieces.len() - 1;
    let framed = pieces.iter().enumerate().flat_map(|(at, piece)| {
        let kind = if at == 0 { Headers } else { Continuation };
        frame(
            kind,
            if at == last { END_HEADERS } else { 0 },
            stream,
            piece,
        )
    });
    framed.collect()
}

fn ok(stream: u32, body: &str) -> Vec<u8> {
    let body = frame(Data, END_STREAM, stream, body.as_bytes());
    [headers(stream, &[STATUS_200]), body].concat()
}

fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

/// Lists this many times at once.
async fn together(client: &Client, times: usize) -> usize {
    let mut calls = JoinSet::new();
    for _ in 0..times {
        let client = client.clone();
        calls.spawn(async move { client.list_workflows().await });
    }
    let results = calls.join_all().await;
    results.iter().filter(|result| result.is_ok()).count()
}

#[test]
fn requests_at_a_time_share_one_connection() {
    let mut script = vec![Does::Waits; 49];
    script.push(Does::AnswersAll);
    let server = Server::play(script);
    let client = server.client(|builder| builder);
    assert_eq!(runtime().block_on(together(&client, 50)), 50);
    assert_eq!(
        (server.requests.load(SeqCst), server.connections()),
        (50, 1)
    );
}

#[test]
fn what_a_server_does_with_a_create_decides_whether_it_is_sent_again() {
    use Does::{Answers, Closes, GoesAway, Resets, SaysMuch, Stops, Talks};
    let create = || Detailed(CreateWorkflow::new(WorkflowName::from_static("wf")));
    let told = |result: Result<Details<()>, Error>| match result {
        Ok(details) => format!("done after {}", details.attempts),
        Err(error) => words(&error),
    };
    // After a warming, on the connection that it left.
    for (expected, script, connections) in cases! {
        "done after 1" => vec![Answers("{}")], 1;
        // Another connection takes it, without a further attempt.
        "done after 1" => vec![GoesAway, Answers("{}")], 2;
        "done after 3" => vec![Resets(REFUSED_STREAM), Resets(REFUSED_STREAM), Answers("{}")], 1;
        "no connection (*refused*); nothing changed after 3" => vec![Resets(REFUSED_STREAM); 3], 1;
        // The first went over the old connection, and cost no attempt.
        "no connection (*); nothing changed after 3" => vec![GoesAway; 4], 4;
        "the connection broke*(*internal error*); may have changed after 1" => vec![Resets(INTERNAL_ERROR)], 1;
        "the connection broke*(the connection was closed without a response); may have changed after 1" => vec![Closes], 1;
        "the connection broke*(the connection was closed within the response body); may have changed after 1"
            => vec![Stops { closes: true }], 1;
        "no response in time: timed out while reading the response*; may have changed after 1"
            => vec![Stops { closes: false }], 1;
        "no response in time: timed out while waiting for the response*; may have changed after 1" => vec![Does::Waits], 1;
        "the response is larger than allowed*header*; may have changed after 1" => vec![SaysMuch(300_000)], 1;
        "the connection broke*; may have changed after 1" => vec![SaysMuch(600_000)], 1;
        "the connection broke*; may have changed after 1" => vec![Talks], 1;
    } {
        let warming = [Answers("[]")];
        let last = [Answers("[]")];
        let server = Server::play(warming.into_iter().chain(script).chain(last));
        let client = server.client(|builder| builder.attempt_timeout(Duration::from_millis(500)));
        let outcome = runtime().block_on(async {
            client.list_workflows().await.unwrap();
            let outcome = told(client.send(create()).await);
            assert_eq!(server.connections(), connections, "{expected}");
            // Whatever it was, the next one is served.
            client.list_workflows().await.unwrap();
            outcome
        });
        assert!(
            is_like(&outcome, expected),
            "{outcome}\n but expected {expected}"
        );
    }
}

#[test]
fn a_body_beyond_the_limit_is_refused() {
    let long: &'static str = "[                                                ]";
    let server = Server::play([Does::Answers(long)]);
    let client = server.client(|builder| builder.max_response_size(10));
    let error = runtime()
        .block_on(client.send(ListWorkflows::new()))
        .unwrap_err();
    assert!(
        words(&error).starts_with("the response is larger than allowed"),
        "{error}"
    );
}

#[test]
fn a_connection_that_nobody_uses_is_closed_in_time() {
    let server = Server::play([Does::Answers("[]"), Does::Answers("[]")]);
    let client = server.client(|builder| builder.idle_timeout(Duration::ZERO));
    runtime().block_on(async {
        client.list_workflows().await.unwrap();
        client.list_workflows().await.unwrap();
    });
    assert_eq!(server.connections(), 2);
}

#[test]
fn http1_alone_is_spoken_where_it_is_wanted_or_the_server_knows_no_other() {
    let server = Server::play([]);
    let client = server.client(ClientBuilder::http1_only);
    runtime()
        .block_on(client.send(ListWorkflows::new()))
        .unwrap();
    assert_eq!(*server.spoken.lock().unwrap(), [None]);

    let script =
        pipeline_conformance::Script::play(vec![
            pipeline_conformance::Reply::json("200 OK", "[]");
            20
        ]);
    let identity = Identity::new("localhost", Special::None);
    let speaks = pipeline_conformance::Speaks::Nothing;
    let relay = pipeline_conformance::Relay::start(speaks, Some(&identity), script.url());
    let old = Server {
        url: format!("https://localhost:{}", relay.address().port()),
        pem: identity.pem,
        requests: Arc::default(),
        spoken: Arc::default(),
    };
    let client = old.client(|builder| builder);
    // Those that waited for the first connection do not share it.
    assert_eq!(runtime().block_on(together(&client, 20)), 20);
}

#[test]
fn a_request_says_the_same_as_over_http1() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let identity = Identity::new("localhost", Special::None);
    let acceptor = TlsAcceptor::from(Arc::new(identity.server(&["h2"])));
    let url = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    let (pem, requests, spoken) = (identity.pem, Arc::default(), Arc::default());
    let server = Server {
        url,
        pem,
        requests,
        spoken,
    };
    let client = server.client(|builder| builder);
    let create = CreateWorkflow::new(WorkflowName::from_static("wf")).comment("c");
    let (parts, body) = runtime().block_on(async {
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let serving = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let stream = acceptor.accept(stream).await.unwrap();
            let mut connection = h2::server::handshake(stream).await.unwrap();
            let (request, mut respond) = connection.accept().await.unwrap().unwrap();
            let (parts, mut body) = request.into_parts();
            let reading = tokio::spawn(async move { body.data().await.unwrap().unwrap() });
            let done = respond.send_response(Response::new(()), false);
            done.unwrap()
                .send_data(Bytes::from_static(b"{}"), true)
                .unwrap();
            // Until the client has gone.
            while connection.accept().await.is_some() {}
            (parts, reading.await.unwrap())
        });
        client.send(create).await.unwrap();
        drop(client);
        serving.await.unwrap()
    });
    assert_eq!(parts.method, "POST");
    assert_eq!(
        parts.uri.to_string(),
        format!("{}/v2/workflows/wf", server.url)
    );
    let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap());
    assert_eq!(header("host"), None);
    assert_eq!(header("content-type"), Some("application/json"));
    assert_eq!(
        header("content-length"),
        Some(body.len().to_string().as_str())
    );
    assert!(header("authorization").unwrap().starts_with("Pandora ak:"));
    assert_eq!(body, r#"{"region":"nb","comment":"c"}"#);
}
