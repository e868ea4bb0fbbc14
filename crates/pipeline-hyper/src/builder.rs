use std::{env, future::Future, io, net::SocketAddr};

use http::HeaderValue;
use pipeline_proto::{Context, ContextBuilder, Endpoint};
use pipeline_transport::ConfigError;

use crate::{
    client::Client,
    transport::{Transport, TransportBuilder},
};

/// Makes a [`Client`].
///
/// ```
/// use pipeline_hyper::Client;
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
    /// To the endpoint of the context, once that is known.
    transport: TransportBuilder,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        let user_agent = concat!("pipeline-hyper/", env!("CARGO_PKG_VERSION"));
        Self {
            context: Context::builder().user_agent(HeaderValue::from_static(user_agent)),
            transport: Transport::builder(Endpoint::default()),
        }
    }
}

impl ClientBuilder {
    pipeline_proto::context_setters!();
    pipeline_transport::transport_setters!(transport.settings);

    /// As [`TransportBuilder::resolver`].
    #[must_use]
    pub fn resolver<F>(mut self, resolve: impl Fn(String, u16) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
    {
        self.transport = self.transport.resolver(resolve);
        self
    }

    /// As [`TransportBuilder::http1_only`].
    #[cfg(feature = "http2")]
    #[must_use]
    pub fn http1_only(mut self) -> Self {
        self.transport = self.transport.http1_only();
        self
    }

    /// Takes the endpoint and the keys from `PANDORA_ENDPOINT`, `PANDORA_ACCESS_KEY` and
    /// `PANDORA_SECRET_KEY`; without the first the endpoint stays.
    ///
    /// # Errors
    ///
    /// If a key is missing, or something cannot be used.
    pub fn from_env(mut self) -> Result<Self, ConfigError> {
        self.context = pipeline_transport::from_env(self.context, |name| env::var_os(name))?;
        Ok(self)
    }

    /// Makes the client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// As [`TransportBuilder::build`].
    pub fn build(self) -> Result<Client, ConfigError> {
        let context = self.context;
        #[cfg(feature = "tracing")]
        let context = context.observer(pipeline_trace::observer());
        let context = context.build();
        let transport = TransportBuilder {
            endpoint: context.endpoint().clone(),
            max_response_size: context.max_response_size(),
            ..self.transport
        };
        Ok(Client::new(context, transport.build()?))
    }
}
