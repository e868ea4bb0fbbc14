use std::{env, fmt, net::SocketAddr, time::Duration};

use pipeline_proto::{
    Context, ContextBuilder,
    proxy::{ProxyError, ProxySetting},
};
use pipeline_tls::TrustError;

use crate::{client::Client, connect::Connector, exchange::Exchange, idle::Idle};

/// Makes a [`Client`].
///
/// ```
/// use pipeline_blocking::Client;
/// use std::time::Duration;
///
/// let client = Client::builder()
///     .endpoint("http://127.0.0.1:8080".parse()?)
///     .connect_timeout(Duration::from_secs(2))
///     .no_proxy()
///     .build()?;
/// # let _ = client;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct ClientBuilder {
    context: ContextBuilder,
    connect_timeout: Duration,
    extra_roots: Vec<Vec<u8>>,
    proxy: ProxySetting,
    addresses: Vec<SocketAddr>,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        let user_agent = concat!("pipeline-blocking/", env!("CARGO_PKG_VERSION"));
        Self {
            context: Context::builder().user_agent(http::HeaderValue::from_static(user_agent)),
            connect_timeout: Duration::from_secs(10),
            extra_roots: Vec::new(),
            proxy: ProxySetting::Environment,
            addresses: Vec::new(),
        }
    }
}

impl ClientBuilder {
    pipeline_proto::context_setters!();

    /// How long to wait for a connection: looking the host up, a proxy and the TLS handshake included.
    /// Zero and no limit as in [`attempt_timeout`](Self::attempt_timeout). Default: 10 s.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Trusts these certificates as well as the roots that come with the client: PEM, with one certificate
    /// or several, or DER, with one. One of an authority is trusted for the servers that it signed for,
    /// one of a server itself for that server, self-signed or not.
    #[must_use]
    pub fn extra_root_certificates(mut self, certificates: impl AsRef<[u8]>) -> Self {
        self.extra_roots.push(certificates.as_ref().to_vec());
        self
    }

    /// Goes through this proxy, `[scheme://][user:password@]host[:port]`, whatever the environment says;
    /// see [`proxy`](pipeline_proto::proxy).
    #[must_use]
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = ProxySetting::Url(url.into());
        self
    }

    /// Goes through no proxy. By default the environment decides when the client is made, by
    /// `https_proxy`, `http_proxy`, `all_proxy` and `no_proxy`; see [`proxy`](pipeline_proto::proxy).
    #[must_use]
    pub fn no_proxy(mut self) -> Self {
        self.proxy = ProxySetting::Off;
        self
    }

    /// Connects to these addresses in place of those that the endpoint's host has. For tests, which
    /// cannot make a host that has several.
    #[doc(hidden)]
    #[must_use]
    pub fn addresses(mut self, addresses: Vec<SocketAddr>) -> Self {
        self.addresses = addresses;
        self
    }

    /// Makes the client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// If a certificate cannot be read, or a proxy that is named cannot be used.
    pub fn build(self) -> Result<Client, ConfigError> {
        let tls = pipeline_tls::client_config(&self.extra_roots)?;
        let context = self.context;
        #[cfg(feature = "tracing")]
        let context = context.observer(pipeline_trace::observer());
        let context = context.build();
        let endpoint = context.endpoint();
        let route = self.proxy.route(endpoint, |name| env::var_os(name))?;
        let proxy = route.proxy().cloned();
        let exchange = Exchange {
            connector: Connector::new(endpoint, proxy, tls, self.connect_timeout, self.addresses),
            idle: Idle::default(),
            max_response_size: context.max_response_size(),
        };
        Ok(Client::new(context, exchange))
    }
}

/// Why a client cannot be made.
///
/// ```
/// let error = pipeline_blocking::Client::builder()
///     .extra_root_certificates("no certificate")
///     .build()
///     .unwrap_err();
/// assert!(error.to_string().contains("PEM"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(String);

impl From<TrustError> for ConfigError {
    fn from(error: TrustError) -> Self {
        Self(error.to_string())
    }
}

impl From<ProxyError> for ConfigError {
    fn from(error: ProxyError) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}
