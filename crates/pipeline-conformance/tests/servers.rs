//! What servers do to a request, well or badly, and what a client makes of it: one table for both.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Method, Response};
use pipeline_conformance::{
    BlackHole, Driver, Identity, Relay, Reply, Script, Settings, Speaks, Special, cases, is_like,
    words,
};
use pipeline_proto::{
    BuildError, CallOptions, DecodeError, RetryPolicy,
    operation::{Idempotency, Operation, RequestTemplate},
};

/// What is sent: so many bytes, which must not be sent twice.
#[derive(Debug, Clone, Copy)]
struct Upload(usize);

const SMALL: Upload = Upload(10);
/// More than the buffers of both sides take in.
const LARGE: Upload = Upload(32 << 20);

impl Operation for Upload {
    type Output = ();
    const NAME: &'static str = "upload";
    const IDEMPOTENCY: Idempotency = Idempotency::Never;

    fn template(&self) -> Result<RequestTemplate, BuildError> {
        let body = vec![b' '; self.0];
        let text = HeaderValue::from_static("text/plain");
        Ok(RequestTemplate::new(Method::POST, &["upload"])?.body(text, body))
    }

    fn decode(&self, _: &Response<Bytes>) -> Result<(), DecodeError> {
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tls {
    No,
    Yes,
    /// The server takes connections and says nothing.
    Silent,
}

/// One server and what becomes of the last of the requests.
#[derive(Clone)]
struct Case {
    replies: Vec<Reply>,
    uploads: Vec<Upload>,
    /// How many connections the server closes before the last of them.
    closed: usize,
    tls: Tls,
    settings: Settings,
}

impl Case {
    fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        let mut settings = Settings::default();
        // Ends what should have ended long before; no case waits for it.
        settings.attempt_timeout = Duration::from_secs(60);
        settings.connect_timeout = Duration::from_secs(60);
        Self {
            replies: replies.into_iter().collect(),
            uploads: vec![SMALL],
            closed: 0,
            tls: Tls::No,
            settings,
        }
    }

    /// Sends these, one after the other.
    fn sending(mut self, uploads: impl IntoIterator<Item = Upload>) -> Self {
        self.uploads = uploads.into_iter().collect();
        self
    }

    /// Sends two, and the second one when the server has closed the connection of the first.
    fn sending_again_after_the_close(mut self) -> Self {
        self.closed = 1;
        self.sending([SMALL, SMALL])
    }

    fn over(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.settings.attempt_timeout = timeout;
        self
    }

    fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.connect_timeout = timeout;
        self
    }

    fn one_attempt(mut self) -> Self {
        self.settings.retry = RetryPolicy::none();
        self
    }

    /// The outcome of the last request in words, and how often requests and connections were made.
    fn play<D: Driver>(self) -> String {
        let script = Script::play(self.replies);
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut settings = self.settings;
        let identity = Identity::new("localhost", Special::None);
        let relay = Relay::start(Speaks::Nothing, Some(&identity), script.url());
        let url = match self.tls {
            Tls::No => script.url().to_owned(),
            Tls::Yes => format!("https://localhost:{}", relay.address().port()),
            Tls::Silent => format!("https://{}", silent.local_addr().unwrap()),
        };
        settings.extra_roots = Some(identity.pem);
        let client = D::new(&url, |_| settings);
        // The time of a call is not what is tried here.
        let options = CallOptions::new().total_timeout(Duration::MAX);
        let mut outcome = String::new();
        for (number, upload) in self.uploads.into_iter().enumerate() {
            if number > 0 {
                script.wait_for_closed(self.closed);
            }
            outcome = match client.send_with(upload, options.clone()) {
                Ok(()) => "done".to_owned(),
                Err(error) => words(&error),
            };
        }
        let (requests, connections) = (script.requests().len(), script.connections());
        format!("{outcome}; {requests} requests, {connections} connections")
    }
}

fn response(status: &str, header: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{header}\r\n").into_bytes()
}

/// What a case is called, the case, and its outcome, in which `*` stands for anything.
fn check<D: Driver>(cases: Vec<(&str, Case, &str)>) {
    let mut wrong = Vec::new();
    for (name, case, expected) in cases {
        let outcome = case.play::<D>();
        if !is_like(&outcome, expected) {
            wrong.push(format!(
                "{name}:\n expected {expected}\n but      {outcome}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn a_response_counts_however_early<D: Driver>() {
    let early = |status| response(status, "content-length: 0\r\n");
    let to_the_end = |status| response(status, "");
    let cases = Vec::from(cases! {
        "too large, closed" => Case::new([Reply::EarlyClose(early("413 Too Large"))]).sending([LARGE]),
            "HTTP 413; nothing changed after 1; 1 requests, 1 connections";
        "no permission, body to the end of the connection" =>
            Case::new([Reply::EarlyClose(to_the_end("403 Forbidden"))]).sending([LARGE]),
            "HTTP 403; nothing changed after 1; 1 requests, 1 connections";
        "too many requests, and neither read nor closed" =>
            Case::new([Reply::EarlyStall(early("429 Too Many Requests"))]).one_attempt().sending([LARGE]),
            "HTTP 429; nothing changed after 1; 1 requests, 1 connections";
        "an interim response first" =>
            Case::new([Reply::EarlyStall([response("103 Early Hints", "a: b\r\n"), early("413 Too Large")].concat())]).sending([LARGE]),
            "HTTP 413; nothing changed after 1; 1 requests, 1 connections";
        "a small body that is not read either" => Case::new([Reply::EarlyClose(early("413 Too Large"))]),
            "HTTP 413; nothing changed after 1; 1 requests, 1 connections";
        "closed without a word" => Case::new([Reply::EarlyClose(Vec::new())]).sending([LARGE]),
            "the connection broke*; may have changed after 1; 1 requests, 1 connections";
        "another request after a refused one" =>
            Case::new([Reply::EarlyClose(early("413 Too Large")), Reply::json("200 OK", "{}")]).sending([LARGE, SMALL]),
            "done; 2 requests, 2 connections";
    });
    let over_tls =
        |(name, case, expected): &(_, Case, _)| (*name, case.clone().over(Tls::Yes), *expected);
    check::<D>(cases.iter().map(over_tls).collect());
    check::<D>(cases);
}

fn a_response_header_may_be_large_but_not_without_end<D: Driver>() {
    let one = |size| {
        let field = format!("x: {}\r\ncontent-length: 2\r\n", "a".repeat(size));
        [response("200 OK", &field), b"{}".to_vec()].concat()
    };
    let many = |count| {
        let fields = "x-some-field: some value\r\n".repeat(count);
        let fields = format!("{fields}content-length: 2\r\n");
        [response("200 OK", &fields), b"{}".to_vec()].concat()
    };
    let too_large = "the response header is too large: more than 256 KiB or 1024 fields); \
                     may have changed after 1; 1 requests";
    check::<D>(Vec::from(cases! {
        "16 KiB" => Case::new([Reply::Bytes(one(16 << 10))]), "done; 1";
        "60 KiB" => Case::new([Reply::Bytes(one(60 << 10))]), "done; 1";
        "250 KiB" => Case::new([Reply::Bytes(one(250 << 10))]), "done; 1";
        "1023 fields" => Case::new([Reply::Bytes(many(1022))]), "done; 1";
        "1026 fields" => Case::new([Reply::Bytes(many(1025))]), too_large;
        "300 KiB" => Case::new([Reply::Bytes(one(300 << 10))]), too_large;
        "2 MiB" => Case::new([Reply::Stall(one(2 << 20))]), too_large;
        "100,000 fields" => Case::new([Reply::Stall(many(100_000))]), too_large;
    }));
}

fn a_fault_says_what_was_waited_for_and_whether_the_request_left<D: Driver>() {
    const SHORT: Duration = Duration::from_millis(200);
    let stall = |bytes: &[u8]| Case::new([Reply::Stall(bytes.to_vec())]).attempt_timeout(SHORT);
    let no_connection =
        "no connection: timed out while connecting*; nothing changed after 1; 0 requests";
    check::<D>(Vec::from(cases! {
        "no response" => stall(b""), "timed out while waiting for the response*; may have changed after 1; 1";
        "half a header" => stall(b"HTTP/1.1 200 OK\r\ncontent-le"),
            "timed out while waiting for the response*; may have changed after 1; 1";
        "a header and no body" => stall(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"),
            "timed out while reading the response*; may have changed after 1; 1";
        "half a chunk" => stall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\n{"),
            "timed out while reading the response*; may have changed after 1; 1";
        "nobody reads the body" => Case::new([Reply::EarlyStall(Vec::new())]).attempt_timeout(SHORT).sending([LARGE]),
            "timed out while sending the request*; may have changed after 1; 1";
        "no time for an attempt" => Case::new([]).attempt_timeout(Duration::ZERO).one_attempt(), no_connection;
        "next to no time for an attempt" =>
            Case::new([]).attempt_timeout(Duration::from_nanos(1)).one_attempt(), no_connection;
        "no time to connect" => Case::new([]).connect_timeout(Duration::ZERO).one_attempt(), no_connection;
        "next to no time to connect" =>
            Case::new([]).connect_timeout(Duration::from_nanos(1)).one_attempt(), no_connection;
        "no word of TLS in the time to connect" =>
            Case::new([]).over(Tls::Silent).connect_timeout(SHORT).one_attempt(),
            "no connection: timed out while agreeing on TLS*; nothing changed after 1; 0 requests";
        "no word of TLS in the time of the attempt" =>
            Case::new([]).over(Tls::Silent).attempt_timeout(SHORT).one_attempt(),
            "no connection: timed out while agreeing on TLS*; nothing changed after 1; 0 requests";
        "all the time in the world" =>
            Case::new([Reply::json("200 OK", "{}")]).attempt_timeout(Duration::MAX).connect_timeout(Duration::MAX),
            "done; 1 requests";
    }));
}

fn a_connection_that_was_given_up_is_replaced_only_where_that_is_safe<D: Driver>() {
    let done = response("200 OK", "content-length: 0\r\n");
    let gave_up = response(
        "408 Request Timeout",
        "content-length: 0\r\nconnection: close\r\n",
    );
    let then = |reply| {
        Case::new([
            Reply::Bytes(done.clone()),
            reply,
            Reply::Bytes(done.clone()),
        ])
        .sending([SMALL, SMALL])
    };
    check::<D>(Vec::from(cases! {
        "closed in between" =>
            Case::new([Reply::Close(done.clone()), Reply::Bytes(done.clone())]).sending_again_after_the_close(),
            "done; 2 requests, 2 connections";
        "a response that nobody asked for in between" =>
            Case::new([Reply::Close([&done[..], &gave_up].concat()), Reply::Bytes(done.clone())]).sending_again_after_the_close(),
            "done; 2 requests, 2 connections";
        "given up when the request came" => then(Reply::Close(gave_up.clone())), "done; 3 requests, 2 connections";
        "given up when the first request came" =>
            Case::new([Reply::Close(gave_up.clone())]).one_attempt(), "HTTP 408; * after 1; 1 requests";
        "closed after the request was read" => then(Reply::Close(Vec::new())),
            "the connection broke*; may have changed after 1; 2 requests, 1 connections";
    }));
}

/// Hosts with several addresses, of which some are dead.
fn a_live_address_is_found_beside_dead_ones<D: Driver>() {
    let unused = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let refusing = unused().unwrap();
    let hole = BlackHole::new(Ipv4Addr::LOCALHOST.into()).unwrap();
    // Where there is no IPv6, connecting to it fails at once.
    let hole_of_ipv6 = BlackHole::new(Ipv6Addr::LOCALHOST.into());
    let dead_of_ipv6 = hole_of_ipv6.as_ref().map_or(
        SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 9),
        BlackHole::address,
    );
    let dead = hole.address();
    let time_out = "no connection: timed out while connecting*; nothing changed";
    let refused = "no connection (*refused*; nothing changed";
    for (name, addresses, expected) in cases! {
        "one" => &[None][..], "done";
        "refused, live" => &[Some(refusing), None], "done";
        "dead, live" => &[Some(dead), None], "done";
        "dead IPv6, live" => &[Some(dead_of_ipv6), None], "done";
        "live in the middle" => &[Some(dead), Some(refusing), Some(dead), None, Some(dead)], "done";
        "live and dead" => &[None, Some(dead)], "done";
        "dead" => &[Some(dead)], time_out;
        "all dead" => &[Some(dead); 3], time_out;
        "refused" => &[Some(refusing)], refused;
        "all refused" => &[Some(refusing); 3], refused;
        "refused and dead" => &[Some(refusing), Some(dead)], time_out;
    } {
        let reply = Reply::Close(response("200 OK", "content-length: 0\r\n"));
        let script = Script::play(vec![reply; 2]);
        let live: SocketAddr = script.url().replace("http://", "").parse().unwrap();
        let client = D::new("http://pipeline.invalid", |mut settings| {
            // Whoever waits for a dead one beside a live one waits for long, and fails.
            settings.connect_timeout = match expected {
                "done" => Duration::from_secs(60),
                _ => Duration::from_millis(300),
            };
            settings.attempt_timeout = settings.connect_timeout;
            settings.retry = RetryPolicy::none();
            settings.addresses = addresses.iter().map(|dead| dead.unwrap_or(live)).collect();
            settings
        });
        // The second one may begin with the address that worked.
        let calls = if expected == "done" { 2 } else { 1 };
        for connections in 1..=calls {
            let outcome = match client.send(SMALL) {
                Ok(()) => "done".to_owned(),
                Err(error) => words(&error),
            };
            assert!(is_like(&outcome, expected), "{name}: {outcome}");
            if expected == "done" {
                script.wait_for_closed(connections);
            }
        }
    }
}

pipeline_conformance::suite! {
    a_response_counts_however_early
    a_response_header_may_be_large_but_not_without_end
    a_fault_says_what_was_waited_for_and_whether_the_request_left
    a_connection_that_was_given_up_is_replaced_only_where_that_is_safe
    a_live_address_is_found_beside_dead_ones
}
