//! A client made of nothing but the standard library, and a signer of its own.

#![allow(dead_code, reason = "each test file uses its part")]

use std::{
    fmt::Write as _,
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use hmac::{Hmac, KeyInit as _, Mac as _};
use pipeline_emulator::{
    Authentication, DEVELOPMENT_ACCESS_KEY, DEVELOPMENT_SECRET_KEY, Emulator, EmulatorBuilder,
    server::{Limits, Server, ServerThread},
};
use pipeline_proto::{ErrorCode, Now};
use serde_json::Value;
use sha1::Sha1;

/// The moment at which every test begins, and the date with which every request is signed.
pub(crate) const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

/// A clock that only a test moves.
#[derive(Clone, Default)]
pub(crate) struct Clock(Arc<AtomicU64>);

impl Clock {
    pub(crate) fn advance(&self, time: Duration) {
        self.0
            .fetch_add(u64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> Now {
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        Now::new(start, Duration::ZERO) + Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// An emulator that wants no signatures.
pub(crate) fn open() -> EmulatorBuilder {
    Emulator::builder().authentication(Authentication::Off)
}

/// A port that the system chooses.
pub(crate) fn bind() -> Server {
    Server::bind("127.0.0.1:0").unwrap()
}

/// A request without a signature, as it is written to a socket.
pub(crate) fn unsigned(method: &str, target: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// The list of workflows, asked for on a connection that stays open.
pub(crate) const LIST: &[u8] = b"GET /v2/workflows HTTP/1.1\r\nHost: h\r\n\r\n";

/// The same on a connection of its own, head and body.
pub(crate) fn list(addr: SocketAddr) -> String {
    exchange(addr, b"GET /v2/workflows HTTP/1.0\r\n\r\n")
}

/// Serves an emulator whose clock stands still until the test moves it.
pub(crate) fn serve(builder: EmulatorBuilder, limits: Limits) -> (ServerThread, Clock) {
    let clock = Clock::default();
    let of_server = clock.clone();
    let server = bind().limits(limits).clock(move || of_server.now());
    (server.start_on_thread(builder.build()).unwrap(), clock)
}

/// The signature of a request without X-Qiniu headers.
pub(crate) fn authorization(
    method: &str,
    [content_md5, content_type]: [&str; 2],
    path: &str,
) -> String {
    let text = format!("{method}\n{content_md5}\n{content_type}\n{DATE}\n{path}");
    let mut mac = Hmac::<Sha1>::new_from_slice(DEVELOPMENT_SECRET_KEY.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    let signature = URL_SAFE.encode(mac.finalize().into_bytes());
    format!("Pandora {DEVELOPMENT_ACCESS_KEY}:{signature}")
}

/// Request line and headers of a signed request, without the empty line that ends them.
pub(crate) fn head(method: &str, target: &str, headers: &[(&str, &str)]) -> String {
    let path = target.split('?').next().unwrap();
    let signed = ["Content-Md5", "Content-Type"].map(|name| {
        let header = headers.iter().find(|(found, _)| *found == name);
        header.map_or("", |(_, value)| value)
    });
    let authorization = authorization(method, signed, path);
    let mut head = format!(
        "{method} {target} HTTP/1.1\r\nHost: emulator\r\nDate: {DATE}\r\nAuthorization: {authorization}\r\n"
    );
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    head
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// All values of a header.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        let lines = self
            .head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "));
        lines
            .filter(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .collect()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn code(&self) -> Option<String> {
        let json = self.json();
        let message = json.get("error")?.as_str()?;
        Some(ErrorCode::from_message(message)?.to_string())
    }
}

/// A connection that fails a test instead of holding it up.
pub(crate) fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).unwrap();
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).unwrap();
    stream.set_write_timeout(patience).unwrap();
    stream
}

/// Reads one response, interim ones (1xx) left out.
pub(crate) fn read_answer(stream: &mut impl Read) -> io::Result<Answer> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut answer = Answer {
        status,
        head,
        body: String::new(),
    };
    let length = answer
        .header("content-length")
        .first()
        .map_or(0, |text| text.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    answer.body = String::from_utf8(body).unwrap();
    Ok(answer)
}

/// Sends these bytes on a new connection and reads what comes until it is closed.
pub(crate) fn exchange(addr: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = connect(addr);
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends a signed request with a body on a connection of its own.
pub(crate) fn send(
    addr: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &(impl AsRef<[u8]> + ?Sized),
) -> Answer {
    let mut stream = connect(addr);
    send_on(&mut stream, method, target, headers, body)
}

/// Sends a signed request with a body on a connection that is there.
pub(crate) fn send_on(
    stream: &mut TcpStream,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &(impl AsRef<[u8]> + ?Sized),
) -> Answer {
    let mut request = head(method, target, headers);
    let body = body.as_ref();
    if !body.is_empty() || matches!(method, "POST" | "PUT") {
        write!(request, "Content-Length: {}\r\n", body.len()).unwrap();
    }
    request += "\r\n";
    // A body that is too long is refused before all of it is sent.
    let sent = stream.write_all(&[request.as_bytes(), body].concat());
    read_answer(stream).unwrap_or_else(|error| panic!("{error} after {sent:?}"))
}
