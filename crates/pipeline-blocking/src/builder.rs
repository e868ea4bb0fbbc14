use std::{fmt, sync::Arc, time::Duration};

use pipeline_proto::{Context, ContextBuilder};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};

use crate::{
    client::Client,
    exchange::{Exchange, PhaseConnector},
    resolver::CachingResolver,
};

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

#[derive(Clone)]
enum ProxySetting {
    Environment,
    None,
    /// May hold a password.
    Url(String),
}

impl fmt::Debug for ProxySetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment => "Environment",
            Self::None => "None",
            Self::Url(_) => "Url([hidden])",
        })
    }
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
        self.proxy = ProxySetting::None;
        self
    }

    /// Makes the client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// If a certificate or the address of the proxy cannot be read.
    pub fn build(self) -> Result<Client, ConfigError> {
        let proxy = match self.proxy {
            ProxySetting::Environment => ureq::Proxy::try_from_env(),
            ProxySetting::None => None,
            ProxySetting::Url(url) => {
                Some(ureq::Proxy::new(&url).map_err(|_| ConfigError::proxy())?)
            }
        };
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent("")
            .accept("")
            .accept_encoding("")
            .proxy(proxy)
            .timeout_connect(Some(self.connect_timeout))
            // Never waited for: requests do not ask for it. Finite all the same.
            .timeout_await_100(Some(Duration::from_secs(1)))
            .tls_config(tls_config(&self.extra_roots)?)
            .max_idle_connections(64)
            .max_idle_connections_per_host(64)
            .max_idle_age(Duration::from_secs(60))
            .input_buffer_size(16 << 10)
            .output_buffer_size(16 << 10)
            .build();
        let resolver = CachingResolver::default();
        let agent = ureq::Agent::with_parts(config, PhaseConnector::default(), resolver.clone());
        let exchange = Exchange {
            agent,
            resolver,
            max_response_size: self.max_response_size,
        };
        let context = self.context;
        #[cfg(feature = "tracing")]
        let context = context.observer(pipeline_trace::observer());
        Ok(Client::new(context.build(), exchange))
    }
}

/// Trusts the bundled roots and the extra ones; `ring` does the arithmetic.
fn tls_config(extra_roots: &[u8]) -> Result<TlsConfig, ConfigError> {
    let mut roots: Vec<Certificate<'static>> = webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .map(|der| Certificate::from_der(der.as_ref()))
        .collect();
    let bundled = roots.len();
    for extra in CertificateDer::pem_slice_iter(extra_roots) {
        let der = extra.map_err(|_| ConfigError::certificate())?;
        let mut checked = rustls::RootCertStore::empty();
        checked
            .add(der.clone())
            .map_err(|_| ConfigError::certificate())?;
        roots.push(Certificate::from_der(&der).to_owned());
    }
    if roots.len() == bundled && !extra_roots.is_empty() {
        return Err(ConfigError::certificate());
    }
    Ok(TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::new_with_certs(&roots))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build())
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
pub struct ConfigError(&'static str);

impl ConfigError {
    fn certificate() -> Self {
        Self("the extra root certificates are not certificates in PEM form")
    }

    fn proxy() -> Self {
        Self("the proxy is not valid: write it as http://[user:password@]host:port")
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for ConfigError {}
