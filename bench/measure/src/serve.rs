//! Servers in a process of their own, so that what they do is not counted.

use std::{
    collections::HashMap,
    convert::Infallible,
    io::{self, BufRead as _, BufReader, Read, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Barrier, Mutex, PoisonError},
    thread,
};

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;

use crate::{
    Failure,
    fixtures::{self, GET_ANSWER, NAME},
};

pub(crate) fn run(what: &str) -> Result<(), Failure> {
    match what {
        "constant" => constant(10_000)?,
        "short" => constant(20)?,
        "hyper" => hyper()?,
        _ => return Err("there are the servers constant, short and hyper".into()),
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

/// Names of workflows that begin so are answered when as many requests wait as the name goes on to say.
pub(crate) const HELD: &str = "held_";

/// Says the same to everybody: the list, of so many workflows, to whoever asks for it, and one workflow to all others.
/// What is pushed is taken.
fn constant(list: usize) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    announce(&format!("http://{}", listener.local_addr()?));
    let answers = Arc::new(Answers {
        one: answer(GET_ANSWER),
        list: answer(&fixtures::list(list)),
        held: Mutex::default(),
    });
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answers = Arc::clone(&answers);
            // A thousand of them at once, in one of the cases.
            let thread = thread::Builder::new().stack_size(64 * 1024);
            thread.spawn(move || answers.talk(stream)).ok();
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

struct Answers {
    one: Vec<u8>,
    list: Vec<u8>,
    held: Mutex<HashMap<usize, Arc<Barrier>>>,
}

impl Answers {
    /// One request after the other. Those that have a body say how long it is.
    fn talk(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let (mut input, mut output) = (BufReader::new(&stream), &stream);
        let mut line = String::new();
        loop {
            line.clear();
            if input.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let wants_list = line.starts_with("GET /v2/workflows HTTP");
            let held = line.split_once(HELD).and_then(|(_, rest)| {
                let (count, _) = rest.split_once(' ')?;
                count.parse().ok()
            });
            let mut body = 0;
            while line != "\r\n" {
                line.clear();
                input.read_line(&mut line)?;
                if let Some((name, value)) = line.split_once(':')
                    && name.eq_ignore_ascii_case("content-length")
                {
                    body = value.trim().parse().unwrap_or(0);
                }
            }
            io::copy(&mut Read::take(&mut input, body), &mut io::sink())?;
            if let Some(count) = held {
                self.barrier(count).wait();
                let name = format!("{HELD}{count}");
                output.write_all(&answer(&GET_ANSWER.replace(NAME, &name)))?;
                continue;
            }
            output.write_all(if wants_list { &self.list } else { &self.one })?;
        }
    }

    fn barrier(&self, count: usize) -> Arc<Barrier> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let barrier = held.entry(count);
        Arc::clone(barrier.or_insert_with(|| Arc::new(Barrier::new(count))))
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
