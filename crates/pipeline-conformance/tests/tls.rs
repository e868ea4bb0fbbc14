//! TLS: whom the clients trust, and whom not.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::Arc,
    thread::{self, JoinHandle},
};

use pipeline_conformance::{BlockingDriver, Driver, HyperDriver};
use pipeline_proto::{
    Cause, Effect, FaultKind, RetryPolicy, WorkflowName, operation::StartWorkflow,
};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::PrivatePkcs8KeyDer;

/// Answers one request over TLS, with a certificate for `localhost` that nobody knows.
struct TlsServer {
    url: String,
    certificate: String,
    thread: JoinHandle<Option<String>>,
}

impl TlsServer {
    fn start() -> Self {
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
        let config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![certified.cert.der().clone()], key.into())
                .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!(
            "https://localhost:{}",
            listener.local_addr().unwrap().port()
        );
        let thread = thread::spawn(move || answer_one(&listener, config));
        Self {
            url,
            certificate: certified.cert.pem(),
            thread,
        }
    }
}

/// The head of the request, if the handshake got that far.
fn answer_one(listener: &TcpListener, config: ServerConfig) -> Option<String> {
    let (socket, _) = listener.accept().ok()?;
    let mut stream = StreamOwned::new(ServerConnection::new(Arc::new(config)).ok()?, socket);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    stream
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        .ok()?;
    stream.conn.send_close_notify();
    stream.flush().ok()?;
    String::from_utf8(head).ok()
}

fn start() -> StartWorkflow {
    StartWorkflow::new(WorkflowName::from_static("wf"))
}

fn an_extra_root_is_trusted<D: Driver>() {
    let server = TlsServer::start();
    let client = D::new(&server.url, |mut settings| {
        settings.extra_roots = Some(server.certificate.clone());
        settings
    });
    client.send(start()).unwrap();
    let head = server
        .thread
        .join()
        .unwrap()
        .expect("a request came over TLS");
    assert!(
        head.starts_with("POST /v2/workflows/wf/start HTTP/1.1\r\n"),
        "{head}"
    );
}

fn a_stranger_is_refused_before_anything_is_sent<D: Driver>() {
    let server = TlsServer::start();
    let client = D::new(&server.url, |mut settings| {
        settings.retry = RetryPolicy::none();
        settings
    });
    let error = client.send(start()).unwrap_err();
    assert!(
        matches!(error.cause(), Cause::Fault(fault) if fault.kind() == FaultKind::NotSent),
        "{error:?}"
    );
    assert_eq!(error.effect(), Effect::None);
    assert_eq!(server.thread.join().unwrap(), None);
}

#[test]
fn blocking_trusts_an_extra_root() {
    an_extra_root_is_trusted::<BlockingDriver>();
}

#[test]
fn hyper_trusts_an_extra_root() {
    an_extra_root_is_trusted::<HyperDriver>();
}

#[test]
fn blocking_refuses_a_stranger() {
    a_stranger_is_refused_before_anything_is_sent::<BlockingDriver>();
}

#[test]
fn hyper_refuses_a_stranger() {
    a_stranger_is_refused_before_anything_is_sent::<HyperDriver>();
}

#[test]
fn what_is_no_certificate_is_refused() {
    for pem in [
        "",
        "rubbish",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let blocking = pipeline_blocking::Client::builder()
            .extra_root_certificates(pem)
            .build();
        let hyper = pipeline_hyper::Client::builder()
            .extra_root_certificates(pem)
            .build();
        let message = blocking.unwrap_err().to_string();
        assert_eq!(message, hyper.unwrap_err().to_string());
        assert!(message.contains("PEM"), "{message}");
    }
}
