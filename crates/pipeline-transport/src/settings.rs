use std::{env, ffi::OsString, fmt, time::Duration};

use pipeline_proto::{
    ContextBuilder, Credentials, Endpoint, Fault, FaultKind,
    proxy::{ProxySetting, Route},
};

/// How a transport reaches the service.
///
/// Connections: 10 s to make one, idle ones are closed after 60 s, as many as there are requests at a time.
/// The environment says which proxy. Whom they trust: the roots that come with this crate.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// For making a connection.
    pub connect_timeout: Duration,
    /// How long a connection waits for the next request.
    pub idle_timeout: Duration,
    /// How many there are at most.
    pub max_connections: usize,
    /// Whether to go through a proxy.
    pub proxy: ProxySetting,
    /// Whom to trust.
    #[cfg(feature = "tls")]
    pub trust: crate::Trust,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            max_connections: usize::MAX,
            proxy: ProxySetting::Environment,
            #[cfg(feature = "tls")]
            trust: crate::Trust::default(),
        }
    }
}

impl Settings {
    /// The way to an endpoint.
    ///
    /// # Errors
    ///
    /// If a proxy that is named cannot be used, or the endpoint wants TLS and there is none in this build.
    pub fn route(&self, endpoint: &Endpoint) -> Result<Route, ConfigError> {
        if endpoint.is_https() && !cfg!(feature = "tls") {
            return Err(ConfigError::new(
                "an https endpoint needs the feature `tls` of the client",
            ));
        }
        self.proxy
            .route(endpoint, |name| env::var_os(name))
            .map_err(ConfigError::new)
    }
}

/// The setters of [`Settings`] on a builder that has them in this field. Written once, so that the clients
/// cannot drift; what needs a feature is there with the client's feature of the same name.
#[doc(hidden)]
#[macro_export]
macro_rules! transport_setters {
    ($($field:ident).+) => {
        /// How long to wait for a connection: looking the host up, a proxy and the TLS handshake included.
        /// With zero nothing is sent; [`Duration::MAX`](std::time::Duration::MAX) is no limit. Default: 10 s.
        #[must_use]
        pub fn connect_timeout(mut self, timeout: ::std::time::Duration) -> Self {
            self.$($field).+.connect_timeout = timeout;
            self
        }

        /// How long a connection is kept for the next request. Default: 60 s.
        #[must_use]
        pub fn idle_timeout(mut self, timeout: ::std::time::Duration) -> Self {
            self.$($field).+.idle_timeout = timeout;
            self
        }

        /// How many connections there are at most, and with that how many requests at a time: a further one
        /// waits for its turn, within its time-out. At least one. Default: no limit.
        #[must_use]
        pub fn max_connections(mut self, most: usize) -> Self {
            self.$($field).+.max_connections = most.max(1);
            self
        }

        /// Goes through this proxy, `[scheme://][user:password@]host[:port]`, whatever the environment says;
        /// see [`proxy`](pipeline_proto::proxy).
        #[must_use]
        pub fn proxy(mut self, url: impl Into<String>) -> Self {
            self.$($field).+.proxy = ::pipeline_proto::proxy::ProxySetting::Url(url.into());
            self
        }

        /// Goes through no proxy. By default the environment decides when the client is made, by
        /// `https_proxy`, `http_proxy`, `all_proxy` and `no_proxy`; see [`proxy`](pipeline_proto::proxy).
        #[must_use]
        pub fn no_proxy(mut self) -> Self {
            self.$($field).+.proxy = ::pipeline_proto::proxy::ProxySetting::Off;
            self
        }

        /// Trusts these certificates as well as the roots that come with the client: PEM, with one certificate
        /// or several, or DER, with one. One of an authority is trusted for the servers that it signed for,
        /// one of a server itself for that server, self-signed or not.
        #[cfg(feature = "tls")]
        #[must_use]
        pub fn extra_root_certificates(mut self, certificates: impl AsRef<[u8]>) -> Self {
            self.$($field).+.trust.add(certificates.as_ref());
            self
        }

        /// Trusts only those certificates that [`extra_root_certificates`](Self::extra_root_certificates)
        /// adds.
        #[cfg(feature = "tls")]
        #[must_use]
        pub fn only_extra_root_certificates(mut self) -> Self {
            self.$($field).+.trust.drop_roots();
            self
        }

        /// Trusts whom the operating system trusts, in place of the roots that come with the client.
        #[cfg(feature = "system-roots")]
        #[must_use]
        pub fn system_root_certificates(mut self) -> Self {
            self.$($field).+.trust.take_system_roots();
            self
        }

        /// Shows this certificate to a server that asks for one (mutual TLS): PEM, with the private key and
        /// the certificates from the client's own up, in any order of the two.
        #[cfg(feature = "tls")]
        #[must_use]
        pub fn client_certificate(mut self, pem: impl AsRef<[u8]>) -> Self {
            self.$($field).+.trust.show(pem.as_ref());
            self
        }

        /// Speaks TLS as this configuration says, in place of all that is set here about certificates. Its type
        /// is of rustls 0.23: a later release of this crate may want another.
        #[cfg(feature = "rustls")]
        #[must_use]
        pub fn rustls_config(
            mut self,
            config: ::std::sync::Arc<$crate::rustls::ClientConfig>,
        ) -> Self {
            self.$($field).+.trust.replace(config);
            self
        }
    };
}

/// What a client's builder is but for how it looks hosts up, and how a client is made by it. The builder has
/// the fields `context` and `transport`. Written once, so that the clients cannot drift.
#[doc(hidden)]
#[macro_export]
macro_rules! client_builder {
    ($name:literal) => {
        impl Default for ClientBuilder {
            fn default() -> Self {
                let user_agent = concat!($name, "/", env!("CARGO_PKG_VERSION"));
                let user_agent = ::http::HeaderValue::from_static(user_agent);
                Self {
                    context: ::pipeline_proto::Context::builder().user_agent(user_agent),
                    transport: Transport::builder(::pipeline_proto::Endpoint::default()),
                }
            }
        }

        impl ClientBuilder {
            ::pipeline_proto::context_setters!();
            $crate::transport_setters!(transport.settings);

            /// Takes the endpoint and the keys from `PANDORA_ENDPOINT`, `PANDORA_ACCESS_KEY` and
            /// `PANDORA_SECRET_KEY`; without the first the endpoint stays.
            ///
            /// # Errors
            ///
            /// If a key is missing, or something cannot be used.
            pub fn from_env(mut self) -> Result<Self, $crate::ConfigError> {
                self.context = $crate::from_env(self.context, |name| ::std::env::var_os(name))?;
                Ok(self)
            }

            /// Makes the client. Nothing is sent.
            ///
            /// # Errors
            ///
            /// As [`TransportBuilder::build`].
            pub fn build(self) -> Result<Client, $crate::ConfigError> {
                let context = self.context;
                #[cfg(feature = "tracing")]
                let context = context.observer(::pipeline_trace::observer());
                let context = context.build();
                let transport = TransportBuilder {
                    endpoint: context.endpoint().clone(),
                    max_response_size: context.max_response_size(),
                    ..self.transport
                };
                Ok(Client::new(context, transport.build()?))
            }
        }

        impl Client {
            /// Starts with the defaults of [`ClientBuilder`].
            pub fn builder() -> ClientBuilder {
                ClientBuilder::default()
            }

            /// A client for `PANDORA_ENDPOINT` with the keys `PANDORA_ACCESS_KEY` and `PANDORA_SECRET_KEY`.
            ///
            /// # Errors
            ///
            /// As [`ClientBuilder::from_env`] and [`ClientBuilder::build`].
            pub fn from_env() -> Result<Self, $crate::ConfigError> {
                Self::builder().from_env()?.build()
            }
        }

        // A panic in the middle of a call leaves nothing half done that a later call would meet.
        impl ::std::panic::UnwindSafe for Client {}
        impl ::std::panic::RefUnwindSafe for Client {}

        impl ::std::fmt::Debug for Client {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct("Client")
                    .field("context", self.context())
                    .finish_non_exhaustive()
            }
        }
    };
}

/// What a client's environment says: where the service is, and who asks.
///
/// # Errors
///
/// If a variable cannot be read or used. Values of secrets are not repeated.
#[doc(hidden)]
pub fn from_env(
    context: ContextBuilder,
    read: impl Fn(&str) -> Option<OsString>,
) -> Result<ContextBuilder, ConfigError> {
    let text = |name: &str| {
        let value = read(name).filter(|value| !value.is_empty());
        value
            .map(OsString::into_string)
            .transpose()
            .map_err(|_| ConfigError(format!("{name} is not UTF-8")))
    };
    let mut context = context;
    if let Some(url) = text("PANDORA_ENDPOINT")? {
        let endpoint: Endpoint = url
            .parse()
            .map_err(|error| ConfigError(format!("PANDORA_ENDPOINT: {error}")))?;
        context = context.endpoint(endpoint);
    }
    match (text("PANDORA_ACCESS_KEY")?, text("PANDORA_SECRET_KEY")?) {
        (Some(access), Some(secret)) => {
            let keys = Credentials::new(access, secret).map_err(ConfigError::new)?;
            Ok(context.credentials(keys))
        }
        (None, None) => Err(ConfigError::new(
            "set PANDORA_ACCESS_KEY and PANDORA_SECRET_KEY",
        )),
        (Some(_), None) => Err(ConfigError::new(
            "PANDORA_ACCESS_KEY is set, and PANDORA_SECRET_KEY is not",
        )),
        (None, Some(_)) => Err(ConfigError::new(
            "PANDORA_SECRET_KEY is set, and PANDORA_ACCESS_KEY is not",
        )),
    }
}

/// Why a client cannot be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(String);

impl ConfigError {
    #[doc(hidden)]
    pub fn new(reason: impl fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// Whether a request is for this endpoint; one that says a path alone is.
///
/// # Errors
///
/// If it is for another: its signature would go to whom it is not for.
#[doc(hidden)]
pub fn check_target(endpoint: &Endpoint, uri: &http::Uri) -> Result<(), Fault> {
    let Some(authority) = uri.authority() else {
        return Ok(());
    };
    let is_https = uri.scheme_str() == Some("https");
    // As it is but for requests made elsewhere. Taking both apart costs 1,700 instructions, a twentieth of a GET.
    if is_https == endpoint.is_https() && authority.as_str() == endpoint.authority() {
        return Ok(());
    }
    let host = authority.host();
    let port = authority.port_u16();
    let port = port.unwrap_or(if is_https { 443 } else { 80 });
    if host.eq_ignore_ascii_case(endpoint.host())
        && (is_https, port) == (endpoint.is_https(), endpoint.port())
    {
        return Ok(());
    }
    let reason = format!("the request is for {host}:{port}, and this transport goes to {endpoint}");
    Err(Fault::new(FaultKind::NotSent)
        .permanent()
        .with_source(reason))
}

/// The `Host` header: the host, with its port if that is not the one of the scheme.
#[doc(hidden)]
pub fn host_header(endpoint: &Endpoint) -> Result<http::HeaderValue, ConfigError> {
    let usual = if endpoint.is_https() { 443 } else { 80 };
    let host = match endpoint.port() {
        port if port == usual => endpoint.host().to_owned(),
        port => format!("{}:{port}", endpoint.host()),
    };
    host.try_into()
        .map_err(|_| ConfigError::new("the host of the endpoint is not valid"))
}

#[cfg(test)]
mod tests {
    use pipeline_proto::Context;

    use super::*;

    #[test]
    fn the_environment_says_where_and_who_or_what_is_missing() {
        for (variables, expected) in [
            (
                &[][..],
                Err("set PANDORA_ACCESS_KEY and PANDORA_SECRET_KEY"),
            ),
            (
                &["PANDORA_ACCESS_KEY=ak", "PANDORA_SECRET_KEY="],
                Err("PANDORA_SECRET_KEY is not"),
            ),
            (
                &["PANDORA_SECRET_KEY=canary"],
                Err("PANDORA_ACCESS_KEY is not"),
            ),
            (&["PANDORA_ENDPOINT=nowhere"], Err("PANDORA_ENDPOINT: ")),
            (
                &["PANDORA_ACCESS_KEY=a:k", "PANDORA_SECRET_KEY=canary"],
                Err("without ':'"),
            ),
            (
                &["PANDORA_ACCESS_KEY=ak", "PANDORA_SECRET_KEY=canary"],
                Ok("https://pipeline.qiniu.com"),
            ),
            (
                &[
                    "PANDORA_ACCESS_KEY=ak",
                    "PANDORA_SECRET_KEY=canary",
                    "PANDORA_ENDPOINT=http://localhost:1",
                ],
                Ok("http://localhost:1"),
            ),
        ] {
            let read = |name: &str| {
                let mut values = variables.iter().filter_map(|pair| pair.strip_prefix(name));
                values
                    .find_map(|value| value.strip_prefix('='))
                    .map(OsString::from)
            };
            let context = from_env(Context::builder(), read);
            assert!(!format!("{context:?}").contains("canary"));
            match (context, expected) {
                (Ok(context), Ok(endpoint)) => {
                    assert_eq!(context.build().endpoint().to_string(), endpoint);
                }
                (Err(error), Err(text)) => {
                    assert!(error.to_string().contains(text), "{variables:?}: {error}");
                }
                (result, _) => panic!("{variables:?}: {result:?}"),
            }
        }
    }
}
