use std::{borrow::Cow, env, fmt, sync::Arc, time::Duration};

use pipeline_proto::{
    Context, ContextBuilder,
    proxy::{ProxyError, ProxySetting},
};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};

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
    max_response_size: usize,
    extra_roots: Vec<u8>,
    proxy: ProxySetting,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        let user_agent = concat!("pipeline-blocking/", env!("CARGO_PKG_VERSION"));
        Self {
            context: Context::builder().user_agent(http::HeaderValue::from_static(user_agent)),
            connect_timeout: Duration::from_secs(10),
            max_response_size: 64 << 20,
            extra_roots: Vec::new(),
            proxy: ProxySetting::Environment,
        }
    }
}

impl ClientBuilder {
    pipeline_proto::context_setters!();

    /// How long to wait for a connection, with its TLS handshake. Default: 10 s.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// The largest answer that is taken in, in bytes. Default: 64 MiB.
    #[must_use]
    pub fn max_response_size(mut self, bytes: usize) -> Self {
        self.max_response_size = bytes;
        self
    }

    /// Trusts the certificates of this PEM text as well as the ones that come with the client.
    #[must_use]
    pub fn extra_root_certificates(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.extra_roots.extend_from_slice(pem.as_ref());
        self.extra_roots.push(b'\n');
        self
    }

    /// Goes through this proxy, `http://[user:password@]host:port`, whatever the environment says.
    #[must_use]
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = ProxySetting::Url(url.into());
        self
    }

    /// Goes through no proxy. By default the environment decides: `ALL_PROXY`, `HTTPS_PROXY`,
    /// `HTTP_PROXY` and `NO_PROXY`.
    #[must_use]
    pub fn no_proxy(mut self) -> Self {
        self.proxy = ProxySetting::Off;
        self
    }

    /// Makes the client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// If a certificate or the address of the proxy cannot be read.
    pub fn build(self) -> Result<Client, ConfigError> {
        let tls = tls_config(&self.extra_roots)?;
        let context = self.context;
        #[cfg(feature = "tracing")]
        let context = context.observer(pipeline_trace::observer());
        let context = context.build();
        let endpoint = context.endpoint();
        let route = self.proxy.route(endpoint, |name| env::var_os(name))?;
        let proxy = route.proxy().cloned();
        let exchange = Exchange {
            connector: Connector::new(endpoint, proxy, tls, self.connect_timeout),
            idle: Idle::default(),
            max_response_size: self.max_response_size,
        };
        Ok(Client::new(context, exchange))
    }
}

/// Trusts the bundled roots and the extra ones; `ring` does the arithmetic.
fn tls_config(extra_roots: &[u8]) -> Result<ClientConfig, ConfigError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
    let bundled = roots.len();
    for extra in CertificateDer::pem_slice_iter(extra_roots) {
        let der = extra.map_err(|_| ConfigError::certificate())?;
        roots.add(der).map_err(|_| ConfigError::certificate())?;
    }
    if roots.len() == bundled && !extra_roots.is_empty() {
        return Err(ConfigError::certificate());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| ConfigError::tls())?
        .with_root_certificates(roots)
        .with_no_client_auth())
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
pub struct ConfigError(Cow<'static, str>);

impl ConfigError {
    fn certificate() -> Self {
        Self("the extra root certificates are not certificates in PEM form".into())
    }

    fn tls() -> Self {
        Self("the TLS library offers no usable version of the protocol".into())
    }
}

impl From<ProxyError> for ConfigError {
    fn from(error: ProxyError) -> Self {
        Self(error.to_string().into())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}
