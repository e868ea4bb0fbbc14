use std::{
    collections::VecDeque,
    io::{self, BufRead as _, BufReader, Read, Write},
    iter,
    net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

/// What the server does with one request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Writes these bytes and keeps the connection.
    Bytes(Vec<u8>),
    /// Writes these bytes and closes the connection.
    Close(Vec<u8>),
    /// Writes these bytes and then nothing, until the client goes away.
    Stall(Vec<u8>),
    /// Writes these bytes, each for itself, and keeps the connection.
    Trickle(Vec<u8>),
    /// Writes these bytes and says that no more will come, but goes on reading.
    HalfClose(Vec<u8>),
    /// Writes these bytes and resets the connection.
    Reset(Vec<u8>),
    /// Writes these bytes before it has read the body, and closes the connection.
    EarlyClose(Vec<u8>),
    /// Writes these bytes before it has read the body, and then neither writes nor reads.
    EarlyStall(Vec<u8>),
    /// Writes these bytes as soon as anything came, which need not be HTTP, and keeps the connection.
    Hasty(Vec<u8>),
}

impl Reply {
    /// A complete answer with a JSON body.
    pub fn json(status: &str, body: &str) -> Self {
        Self::with(status, "", body)
    }

    /// A complete answer with further headers, each ending in a line break.
    pub fn with(status: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        Self::Bytes(head.into())
    }
}

/// A request as it came over the wire.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Request {
    /// Request line and headers, as text, without the empty line.
    pub head: String,
    /// The body, by its declared length; empty if the reply came before it.
    pub body: Vec<u8>,
    /// Which connection it came on, from 0.
    pub connection: usize,
}

impl Request {
    /// The method.
    pub fn method(&self) -> &str {
        self.head.split(' ').next().unwrap_or_default()
    }

    /// The request target.
    pub fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The names of all headers in lower case, sorted.
    pub fn header_names(&self) -> Vec<String> {
        let names = self
            .head
            .lines()
            .skip(1)
            .filter_map(|line| Some(line.split_once(':')?.0.to_ascii_lowercase()));
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }
}

/// A server on loopback that answers requests with the replies of a script, in order, whichever
/// connection they come on. Afterwards it closes connections without a response. Stops when dropped.
#[derive(Debug)]
pub struct Script {
    shared: Arc<Shared>,
    url: String,
    address: SocketAddr,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    replies: VecDeque<Reply>,
    requests: Vec<Request>,
    /// `None` for one that was reset.
    connections: Vec<Option<TcpStream>>,
    closed: usize,
    stopped: bool,
}

impl State {
    fn is_open(&self, connection: usize) -> bool {
        // Those of a script that is dropped were taken from it.
        self.connections.get(connection).is_none_or(Option::is_some)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_hasty(&self) -> bool {
        matches!(self.lock().replies.front(), Some(Reply::Hasty(_)))
    }
}

impl Script {
    /// Starts the server.
    ///
    /// # Panics
    ///
    /// If loopback has no port left; this is for tests.
    pub fn play(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let shared = Arc::new(Shared::default());
        shared.lock().replies.extend(replies);
        let acceptor = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || accept(&listener, &shared))
        };
        Self {
            shared,
            url: format!("http://{address}"),
            address,
            acceptor: Some(acceptor),
        }
    }

    /// The address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Everything that was asked so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.lock().requests.clone()
    }

    /// How many connections were made.
    pub fn connections(&self) -> usize {
        self.shared.lock().connections.len()
    }

    /// Waits until the server has closed so many connections.
    pub fn wait_for_closed(&self, connections: usize) {
        let state = self.shared.lock();
        let few = |state: &mut State| state.closed < connections;
        drop(self.shared.changed.wait_while(state, few));
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let connections = {
            let mut state = self.shared.lock();
            state.stopped = true;
            self.shared.changed.notify_all();
            std::mem::take(&mut state.connections)
        };
        for connection in connections.into_iter().flatten() {
            // One that is closed already needs no closing.
            let _ = connection.shutdown(Shutdown::Both);
        }
        // Wakes the acceptor up.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut threads = Vec::new();
    for stream in listener.incoming() {
        let Ok(stream) = stream else { break };
        let number = {
            let mut state = shared.lock();
            if state.stopped {
                break;
            }
            let Ok(clone) = stream.try_clone() else { break };
            state.connections.push(Some(clone));
            state.connections.len() - 1
        };
        let shared = Arc::clone(shared);
        threads.push(thread::spawn(move || serve(&stream, number, &shared)));
    }
    for thread in threads {
        let _ = thread.join();
    }
}

/// Answers the requests of one connection until either side closes it.
fn serve(stream: &TcpStream, connection: usize, shared: &Shared) {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    loop {
        while shared.is_hasty() {
            match reader.fill_buf().map(<[u8]>::len) {
                Ok(come @ 1..) => reader.consume(come),
                _ => break,
            }
            if let Some(Reply::Hasty(bytes)) = shared.lock().replies.pop_front() {
                let _ = writer.write_all(&bytes);
            }
        }
        let Some(mut request) = read_head(&mut reader) else {
            break;
        };
        request.connection = connection;
        let early = matches!(
            shared.lock().replies.front(),
            Some(Reply::EarlyClose(_) | Reply::EarlyStall(_))
        );
        if !early && read_body(&mut reader, &mut request).is_none() {
            break;
        }
        let reply = {
            let mut state = shared.lock();
            state.requests.push(request);
            state.replies.pop_front()
        };
        match reply {
            Some(Reply::Bytes(bytes)) => {
                if writer.write_all(&bytes).is_err() {
                    break;
                }
            }
            Some(Reply::Close(bytes) | Reply::EarlyClose(bytes)) => {
                let _ = writer.write_all(&bytes);
                break;
            }
            Some(Reply::Trickle(bytes)) => {
                let _ = stream.set_nodelay(true);
                if !bytes.iter().all(|byte| writer.write_all(&[*byte]).is_ok()) {
                    break;
                }
            }
            Some(Reply::HalfClose(bytes)) => {
                let _ = writer.write_all(&bytes);
                let _ = stream.shutdown(Shutdown::Write);
                let _ = io::copy(&mut reader, &mut io::sink());
                break;
            }
            Some(Reply::Reset(bytes)) => {
                let _ = writer.write_all(&bytes);
                // Closing without a linger time resets; the script's own handle must be closed as well.
                let _ = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
                shared.lock().connections[connection] = None;
                break;
            }
            Some(Reply::Stall(bytes)) => {
                let _ = writer.write_all(&bytes);
                // Until the client goes away, or the script is dropped.
                let _ = io::copy(&mut reader, &mut io::sink());
                break;
            }
            Some(Reply::EarlyStall(bytes)) => {
                let _ = writer.write_all(&bytes);
                let state = shared.lock();
                drop(shared.changed.wait_while(state, |state| !state.stopped));
                break;
            }
            Some(Reply::Hasty(_)) | None => break,
        }
    }
    if shared.lock().is_open(connection) {
        let _ = stream.shutdown(Shutdown::Both);
    }
    shared.lock().closed += 1;
    shared.changed.notify_all();
}

fn read_head(reader: &mut BufReader<&TcpStream>) -> Option<Request> {
    let mut request = Request::default();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim_end().is_empty() {
            break;
        }
        request.head.push_str(line.trim_end());
        request.head.push('\n');
    }
    Some(request)
}

fn read_body(reader: &mut BufReader<&TcpStream>, request: &mut Request) -> Option<()> {
    let length = request
        .header("content-length")
        .and_then(|value| value.parse().ok())
        .unwrap_or(0);
    request.body = vec![0; length];
    reader.read_exact(&mut request.body).ok()
}

/// An address on loopback where nobody takes connections nor refuses them, as behind a firewall: the
/// queue of those that wait to be taken is full.
#[derive(Debug)]
pub struct BlackHole {
    address: SocketAddr,
    _listener: TcpListener,
    _waiting: Vec<TcpStream>,
}

impl BlackHole {
    /// One at this IP address.
    ///
    /// # Errors
    ///
    /// If the machine has no such address.
    pub fn new(ip: IpAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((ip, 0))?;
        let address = listener.local_addr()?;
        let patience = Duration::from_millis(50);
        let waiting = iter::from_fn(|| TcpStream::connect_timeout(&address, patience).ok());
        Ok(Self {
            address,
            _waiting: waiting.collect(),
            _listener: listener,
        })
    }

    /// The address with its port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
