//! A way to the service that breaks at a chosen request.

use std::{
    io::{self, BufReader, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// What gets lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    /// The service never sees the request.
    Request,
    /// The service acts, and its response does not arrive.
    Answer,
}

/// Passes requests on, but for one.
pub(crate) struct Breaker {
    pub(crate) url: String,
    count: Arc<AtomicUsize>,
}

impl Breaker {
    /// Breaks at this request, counted from 1.
    pub(crate) fn new(service: SocketAddr, at: usize, lost: Lost) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let count = Arc::new(AtomicUsize::new(0));
        let counter = count.clone();
        // Ends with the test's process.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let counter = counter.clone();
                thread::spawn(move || serve(&client, service, &counter, at, lost));
            }
        });
        Self { url, count }
    }

    /// How many requests came.
    pub(crate) fn requests(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

fn serve(
    client: &TcpStream,
    service: SocketAddr,
    counter: &AtomicUsize,
    at: usize,
    lost: Lost,
) -> io::Result<()> {
    let mut requests = BufReader::new(client.try_clone()?);
    while let Some(request) = message(&mut requests)? {
        let breaks = counter.fetch_add(1, Ordering::SeqCst) + 1 == at;
        if breaks && lost == Lost::Request {
            return client.shutdown(Shutdown::Both);
        }
        let mut server = TcpStream::connect(service)?;
        server.write_all(&request)?;
        let answer = message(&mut BufReader::new(server))?;
        if breaks {
            return client.shutdown(Shutdown::Both);
        }
        { client }.write_all(&answer.unwrap_or_default())?;
    }
    Ok(())
}

/// A request or an answer with its body; none if the other side has gone.
fn message(from: &mut impl io::BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let mut length = 0;
    loop {
        let start = bytes.len();
        if from.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&bytes[start..]).to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line == "\r\n" {
            break;
        }
    }
    from.take(length).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}
