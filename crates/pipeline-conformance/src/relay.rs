//! TLS servers and proxies in front of another server.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use tokio::{
    io::{
        AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _,
        BufStream,
    },
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};
use tokio_rustls::TlsAcceptor;

/// A self-signed certificate and its key.
pub struct Identity {
    /// The certificate, in PEM form.
    pub pem: String,
    /// The certificate, in DER form.
    pub der: Vec<u8>,
    key: Vec<u8>,
}

/// What is special about a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Special {
    /// Nothing.
    None,
    /// It says that it is one of an authority, as `openssl req -x509` makes it.
    Authority,
    /// It has expired.
    Old,
    /// It is not valid yet.
    New,
}

impl Identity {
    /// For this host.
    ///
    /// # Panics
    ///
    /// If the host cannot stand in a certificate; this is for tests.
    pub fn new(host: &str, special: Special) -> Self {
        let key = KeyPair::generate().expect("a key can be made");
        let mut params = CertificateParams::new([host.to_owned()]).expect("the host is valid");
        match special {
            Special::None => {}
            Special::Authority => params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
            Special::Old => params.not_after = date_time_ymd(2000, 1, 1),
            Special::New => params.not_before = date_time_ymd(3000, 1, 1),
        }
        let certificate = params.self_signed(&key).expect("the key signs");
        Self {
            pem: certificate.pem(),
            der: certificate.der().to_vec(),
            key: key.serialize_der(),
        }
    }

    fn acceptor(&self) -> TlsAcceptor {
        Arc::new(self.server(&[])).into()
    }

    /// What a server needs that has it and speaks one of these protocols.
    ///
    /// # Panics
    ///
    /// If the certificate does not fit the key; this is for tests.
    pub fn server(&self, protocols: &[&str]) -> ServerConfig {
        let key = PrivateKeyDer::try_from(self.key.clone()).expect("the key is one");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|config| {
                let chain = vec![self.der.clone().into()];
                config.with_no_client_auth().with_single_cert(chain, key)
            });
        let mut config = config.expect("the certificate fits the key");
        config.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        config
    }
}

/// What a relay speaks before it passes bytes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Speaks {
    /// Nothing: it is the server.
    Nothing,
    /// `CONNECT`.
    Connect,
    /// SOCKS 5.
    Socks,
}

/// A server on loopback that passes everything on to another, wherever it is asked to go. Stops when
/// dropped.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    /// Ends its tasks when dropped.
    _runtime: Runtime,
}

impl Relay {
    /// Starts it, with TLS if it has an identity, in front of `http://` this address or that of a relay.
    ///
    /// # Panics
    ///
    /// If loopback has no port left; this is for tests.
    pub fn start(speaks: Speaks, identity: Option<&Identity>, to: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a test can have a runtime");
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("loopback has a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let acceptor = identity.map(Identity::acceptor);
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (to, told) = (to.replace("http://", ""), Arc::clone(&asked));
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (acceptor, to, told) = (acceptor.clone(), to.clone(), Arc::clone(&told));
                // Whatever goes wrong shows in what the client makes of it.
                tokio::spawn(async move {
                    match acceptor {
                        None => pass(client, speaks, &to, &told).await,
                        Some(tls) => pass(tls.accept(client).await?, speaks, &to, &told).await,
                    }
                });
            }
        });
        Self {
            address,
            asked,
            _runtime: runtime,
        }
    }

    /// The address with its port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it was asked to go, each with what showed who asks.
    pub fn asked(&self) -> Vec<String> {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

async fn pass(
    client: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    speaks: Speaks,
    to: &str,
    told: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let mut client = BufStream::new(client);
    let asked = match speaks {
        Speaks::Nothing => None,
        Speaks::Connect => Some(connect(&mut client).await?),
        Speaks::Socks => Some(socks(&mut client).await?),
    };
    told.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .extend(asked);
    let (mut from_server, mut to_server) = TcpStream::connect(to).await?.into_split();
    let (mut from_client, mut to_client) = tokio::io::split(client);
    // A server that has said what it had to say may go before it has read everything.
    let up = tokio::spawn(async move {
        tokio::io::copy(&mut from_client, &mut to_server).await?;
        to_server.shutdown().await
    });
    let said = tokio::io::copy(&mut from_server, &mut to_client).await;
    let ended = to_client.shutdown().await;
    up.abort();
    said.and(ended)
}

async fn connect(
    client: &mut BufStream<impl AsyncRead + AsyncWrite + Unpin>,
) -> io::Result<String> {
    let (mut target, mut who) = (String::new(), String::new());
    loop {
        let mut line = String::new();
        client.read_line(&mut line).await?;
        let line = line.trim_end();
        if let Some(rest) = line.strip_prefix("CONNECT ") {
            target = rest.split(' ').next().unwrap_or_default().to_owned();
        } else if let Some(value) = line.strip_prefix("Proxy-Authorization: ") {
            who = format!(" {value}");
        } else if line.is_empty() {
            break;
        }
    }
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    client.flush().await?;
    Ok(target + &who)
}

/// RFC 1928 and 1929, as far as clients need it.
async fn socks(client: &mut BufStream<impl AsyncRead + AsyncWrite + Unpin>) -> io::Result<String> {
    let mut who = String::new();
    let _version = client.read_u8().await?;
    let methods = block(client).await?;
    let method = if methods.contains(&2) { 2 } else { 0 };
    client.write_all(&[5, method]).await?;
    client.flush().await?;
    if method == 2 {
        let _version = client.read_u8().await?;
        let (user, password) = (block(client).await?, block(client).await?);
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        who = format!(" {} {}", text(&user), text(&password));
        client.write_all(&[1, 0]).await?;
        client.flush().await?;
    }
    let mut head = [0; 4];
    client.read_exact(&mut head).await?;
    let host = match head[3] {
        1 => std::net::Ipv4Addr::from_bits(client.read_u32().await?).to_string(),
        4 => std::net::Ipv6Addr::from_bits(client.read_u128().await?).to_string(),
        _ => String::from_utf8_lossy(&block(client).await?).into_owned(),
    };
    let port = client.read_u16().await?;
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    client.flush().await?;
    Ok(format!("{host}:{port}{who}"))
}

/// Bytes behind their number.
async fn block(client: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::from(client.read_u8().await?)];
    client.read_exact(&mut bytes).await?;
    Ok(bytes)
}
