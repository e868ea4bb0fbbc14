//! What is said to a proxy, and what it says back, until the tunnel is open.

use core::net::IpAddr;
use std::fmt;

use zeroize::Zeroizing;

use super::{Proxy, ProxyScheme, exempt::without_brackets};
use crate::error::{Fault, FaultKind};

/// The longest head of a response to `CONNECT`.
const LONGEST_HEAD: usize = 64 << 10;

/// The way from a connection to a proxy (with TLS, if that is its scheme) to a tunnel to a host.
///
/// ```
/// use pipeline_proto::proxy::{Handshake, ProxySetting};
///
/// let setting = ProxySetting::Url("http://proxy.test:3128".to_owned());
/// let route = setting.route(&"https://x.test".parse()?, |_| None)?;
/// let mut handshake = Handshake::new(route.proxy().unwrap(), "x.test", 443)?;
/// // In a loop: send what there is to send, then hand over what was read.
/// assert!(handshake.output().starts_with(b"CONNECT x.test:443 HTTP/1.1\r\n"));
/// assert!(!handshake.input(b"HTTP/1.1 200 Connection ")?);
/// assert!(handshake.output().is_empty());
/// assert!(handshake.input(b"established\r\n\r\n")?, "the tunnel is open");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Handshake {
    proxy: Proxy,
    /// As errors name it.
    target: String,
    step: Step,
    output: Output,
    input: Vec<u8>,
}

/// May hold a password.
struct Output(Zeroizing<Vec<u8>>);

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// What is awaited.
#[derive(Debug)]
enum Step {
    /// The response to `CONNECT`.
    Head,
    /// The choice of a method; then this request is sent (RFC 1928).
    Method(Vec<u8>),
    /// Whether user and password are taken (RFC 1929); likewise.
    Login(Vec<u8>),
    /// Whether the host was reached.
    Reply,
    Open,
}

/// What part of the response there is.
enum Seen {
    Partial,
    /// This many bytes made a whole one.
    Whole(usize),
}

impl Handshake {
    /// Asks for a tunnel to this host, or to this address where the proxy
    /// [wants one](Proxy::wants_address).
    ///
    /// # Errors
    ///
    /// If the proxy's protocol has no room for the host.
    pub fn new(proxy: &Proxy, host: &str, port: u16) -> Result<Self, ProxyFailure> {
        let target = format!("{host}:{port}");
        let (step, output) = match proxy.scheme {
            ProxyScheme::Http | ProxyScheme::Https => (Step::Head, connect(proxy, &target)),
            ProxyScheme::Socks5 | ProxyScheme::Socks5h => {
                let request = socks_request(without_brackets(host), port).ok_or_else(|| {
                    proxy
                        .failure("SOCKS 5 takes hosts of 255 bytes at most")
                        .permanent()
                })?;
                // Version 5; one method: none, or user and password.
                let method = if proxy.credentials.is_some() { 2 } else { 0 };
                (Step::Method(request), vec![5, 1, method])
            }
        };
        Ok(Self {
            proxy: proxy.clone(),
            target,
            step,
            output: Output(Zeroizing::new(output)),
            input: Vec::new(),
        })
    }

    /// Takes what is to be sent now; may be empty.
    pub fn output(&mut self) -> Zeroizing<Vec<u8>> {
        std::mem::take(&mut self.output.0)
    }

    /// Takes what the proxy sent, nothing at all if it closed the connection, and says whether the
    /// tunnel is open.
    ///
    /// # Errors
    ///
    /// If the proxy refuses, or sends what it should not.
    pub fn input(&mut self, bytes: &[u8]) -> Result<bool, ProxyFailure> {
        if bytes.is_empty() {
            return Err(self
                .proxy
                .failure("it closed the connection without a response"));
        }
        self.input.extend_from_slice(bytes);
        loop {
            let seen = match &self.step {
                Step::Open if self.input.is_empty() => return Ok(true),
                // Behind the tunnel it is our turn, whether with TLS or without.
                Step::Open => {
                    let what = "it sent more than the response that was due";
                    return Err(self.proxy.failure(what));
                }
                _ if self.input.is_empty() => return Ok(false),
                Step::Head => self.head()?,
                Step::Method(_) => self.method()?,
                Step::Login(_) => self.login()?,
                Step::Reply => self.reply()?,
            };
            let Seen::Whole(length) = seen else {
                return Ok(false);
            };
            self.input.drain(..length);
            self.advance();
        }
    }

    /// Goes on to what is awaited after the response that was taken.
    fn advance(&mut self) {
        self.step = match std::mem::replace(&mut self.step, Step::Open) {
            Step::Head | Step::Reply | Step::Open => Step::Open,
            Step::Method(request) => match &self.proxy.credentials {
                Some(credentials) => {
                    let part = |bytes: &[u8]| {
                        (u8::try_from(bytes.len()).unwrap_or(u8::MAX), bytes.to_vec())
                    };
                    let mut login = vec![1];
                    for (length, bytes) in [part(credentials.user()), part(credentials.password())]
                    {
                        login.push(length);
                        login.extend(Zeroizing::new(bytes).iter());
                    }
                    self.output = Output(Zeroizing::new(login));
                    Step::Login(request)
                }
                None => self.ask(request),
            },
            Step::Login(request) => self.ask(request),
        };
    }

    fn ask(&mut self, request: Vec<u8>) -> Step {
        self.output = Output(Zeroizing::new(request));
        Step::Reply
    }

    fn head(&mut self) -> Result<Seen, ProxyFailure> {
        loop {
            let no_http = || {
                self.proxy
                    .failure("what answers there is no HTTP proxy")
                    .permanent()
            };
            let start = &self.input[..self.input.len().min(5)];
            if !b"HTTP/".starts_with(start) {
                return Err(no_http());
            }
            let Some(length) = head_length(&self.input) else {
                if self.input.len() > LONGEST_HEAD {
                    return Err(self.proxy.failure("the head of its response has no end"));
                }
                return Ok(Seen::Partial);
            };
            let status = self.input.split(|b| *b == b' ').nth(1);
            let status = status
                .and_then(|digits| std::str::from_utf8(digits.get(..3)?).ok()?.parse().ok())
                .ok_or_else(no_http)?;
            match status {
                100..200 => drop(self.input.drain(..length)),
                200..300 => return Ok(Seen::Whole(length)),
                status => return Err(self.refused(status)),
            }
        }
    }

    fn refused(&self, status: u16) -> ProxyFailure {
        let Self { proxy, target, .. } = self;
        let what = match (status, &proxy.credentials) {
            (407, None) => "it wants a user and a password".to_owned(),
            (407, Some(_)) => "it does not take this user and password".to_owned(),
            (400..500, _) => format!("it does not allow a tunnel to {target}"),
            _ => format!("it made no tunnel to {target}"),
        };
        let failure = proxy.failure(format_args!("HTTP {status}, {what}"));
        if matches!(status, 408 | 425 | 429 | 500..) {
            failure
        } else {
            failure.permanent()
        }
    }

    fn method(&self) -> Result<Seen, ProxyFailure> {
        let wanted = if self.proxy.credentials.is_some() {
            2
        } else {
            0
        };
        match self.input[..] {
            [5] => Ok(Seen::Partial),
            [5, method, ..] if method == wanted => Ok(Seen::Whole(2)),
            [5, ..] if wanted == 0 => Err(self
                .proxy
                .failure("it wants a user and a password")
                .permanent()),
            [5, ..] => Err(self
                .proxy
                .failure("it takes no user and password")
                .permanent()),
            _ => Err(self.no_socks()),
        }
    }

    fn login(&self) -> Result<Seen, ProxyFailure> {
        match self.input[..] {
            [_] => Ok(Seen::Partial),
            [1, 0, ..] => Ok(Seen::Whole(2)),
            [1, ..] => Err(self
                .proxy
                .failure("it does not take this user and password")
                .permanent()),
            _ => Err(self.no_socks()),
        }
    }

    fn reply(&self) -> Result<Seen, ProxyFailure> {
        let target = &self.target;
        let reason = match self.input[..] {
            [5] => return Ok(Seen::Partial),
            [5, 0, ..] => return self.bound_address(),
            [5, 2, ..] => {
                let what = format_args!("it does not allow a tunnel to {target}");
                return Err(self.proxy.failure(what).permanent());
            }
            [5, 3, ..] => "the network cannot be reached",
            [5, 4, ..] => "the host cannot be reached",
            [5, 5, ..] => "the connection was refused",
            [5, 6, ..] => "the host did not answer in time",
            [5, 8, ..] => "it does not take this kind of address",
            [5, ..] => "it gives no reason",
            _ => return Err(self.no_socks()),
        };
        let what = format_args!("it made no tunnel to {target}: {reason}");
        Err(self.proxy.failure(what))
    }

    /// The end of a reply that grants the tunnel; what the proxy bound does not matter.
    fn bound_address(&self) -> Result<Seen, ProxyFailure> {
        let length = match self.input.get(3..5) {
            None => return Ok(Seen::Partial),
            Some([1, _]) => 4 + 4 + 2,
            Some([4, _]) => 4 + 16 + 2,
            Some([3, length]) => 5 + usize::from(*length) + 2,
            Some(_) => return Err(self.no_socks()),
        };
        Ok(if self.input.len() < length {
            Seen::Partial
        } else {
            Seen::Whole(length)
        })
    }

    fn no_socks(&self) -> ProxyFailure {
        self.proxy
            .failure("what answers there is no SOCKS 5 proxy")
            .permanent()
    }
}

fn connect(proxy: &Proxy, target: &str) -> Vec<u8> {
    let mut head = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes();
    if let Some(credentials) = &proxy.credentials {
        head.extend_from_slice(b"Proxy-Authorization: Basic ");
        head.extend_from_slice(credentials.basic().as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// Version 5, connect, reserved, the kind of address, the address, the port.
fn socks_request(host: &str, port: u16) -> Option<Vec<u8>> {
    let mut request = vec![5, 1, 0];
    match host.parse() {
        Ok(IpAddr::V4(address)) => {
            request.push(1);
            request.extend(address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            request.push(4);
            request.extend(address.octets());
        }
        Err(_) => {
            request.extend([3, u8::try_from(host.len()).ok()?]);
            request.extend(host.bytes());
        }
    }
    request.extend(port.to_be_bytes());
    Some(request)
}

/// How many bytes the head has, if it is whole.
fn head_length(bytes: &[u8]) -> Option<usize> {
    let mut line = 0;
    for (at, _) in bytes.iter().enumerate().filter(|(_, b)| **b == b'\n') {
        if matches!(bytes[line..at], [] | [b'\r']) {
            return Some(at + 1);
        }
        line = at + 1;
    }
    None
}

/// What went wrong with a proxy: it cannot be reached, or it refuses. Names the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyFailure {
    proxy: Proxy,
    reason: String,
    permanent: bool,
}

impl Proxy {
    /// Whether a tunnel is to be asked for by an address that was looked up on this side.
    pub fn wants_address(&self) -> bool {
        self.scheme == ProxyScheme::Socks5
    }

    /// A failure with this reason, as in "it cannot be reached: connection refused".
    pub fn failure(&self, reason: impl fmt::Display) -> ProxyFailure {
        ProxyFailure {
            proxy: self.clone(),
            reason: reason.to_string(),
            permanent: false,
        }
    }
}

impl ProxyFailure {
    /// Says that a further attempt would end the same way.
    #[must_use]
    pub fn permanent(mut self) -> Self {
        self.permanent = true;
        self
    }

    /// The proxy.
    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// As a transport reports it: nothing of the request was sent.
    pub fn into_fault(self) -> Fault {
        let permanent = self.permanent;
        let fault = Fault::new(FaultKind::NotSent).with_source(self);
        if permanent { fault.permanent() } else { fault }
    }
}

impl fmt::Display for ProxyFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { proxy, reason, .. } = self;
        match proxy.variable() {
            Some(variable) => write!(f, "the proxy {proxy} (from {variable}): {reason}"),
            None => write!(f, "the proxy {proxy}: {reason}"),
        }
    }
}

impl std::error::Error for ProxyFailure {}
