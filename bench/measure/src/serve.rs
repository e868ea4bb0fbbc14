//! Servers in a process of their own, so that what they do is not counted.

use std::{
    convert::Infallible,
    io::{self, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use pipeline_emulator::{Account, Emulator, server::Server};

use crate::{
    Failure,
    fixtures::{self, ACCESS_KEY, GET_ANSWER, SECRET_KEY},
};

pub(crate) fn run(what: &str) -> Result<(), Failure> {
    match what {
        "constant" => constant()?,
        "hyper" => hyper()?,
        "emulator" => {
            let account = Account::new("developer").key(ACCESS_KEY, SECRET_KEY);
            let server = Server::on_loopback(Emulator::builder().account(account).build())?;
            announce(&server.url());
            wait_for_the_end()?;
        }
        _ => return Err("there are the servers constant, hyper and emulator".into()),
    }
    Ok(())
}

fn announce(url: &str) {
    println!("{url}");
}

/// Whoever started the server holds the other end of its input.
fn wait_for_the_end() -> io::Result<()> {
    io::stdin().read_to_end(&mut Vec::new()).map(drop)
}

/// Says the same to everybody: the list to whoever asks for it, and one workflow to all others.
fn constant() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    announce(&format!("http://{}", listener.local_addr()?));
    let one: Arc<[u8]> = answer(GET_ANSWER).into();
    let list: Arc<[u8]> = answer(&fixtures::list(10_000)).into();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (one, list) = (one.clone(), list.clone());
            thread::spawn(move || talk(stream, &one, &list));
        }
    });
    wait_for_the_end()
}

fn answer(body: &str) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         date: Sun, 06 Nov 1994 08:49:37 GMT\r\nx-reqid: 0123456789abcdef\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body.as_bytes()].concat()
}

/// Answers requests without a body, each after its empty line.
fn talk(mut stream: TcpStream, one: &[u8], list: &[u8]) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = [0; 4096];
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..])?;
        if read == 0 {
            return Ok(());
        }
        filled += read;
        if buffer[..filled].ends_with(b"\r\n\r\n") {
            let wants_list = buffer.starts_with(b"GET /v2/workflows HTTP");
            stream.write_all(if wants_list { list } else { one })?;
            filled = 0;
        }
    }
}

/// The least that a hyper server does: the floor for the emulator.
fn hyper() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        announce(&format!("http://{}", listener.local_addr()?));
        thread::spawn(|| {
            let _ = wait_for_the_end();
            std::process::exit(0);
        });
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let service = service_fn(async |_| {
                let body = Bytes::from_static(GET_ANSWER.as_bytes());
                Ok::<_, Infallible>(Response::new(Full::new(body)))
            });
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::spawn(connection);
        }
    })
}
