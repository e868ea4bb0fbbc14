use std::{future::Future, io, net::SocketAddr};

use pipeline_proto::ContextBuilder;

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

pipeline_transport::client_builder!("pipeline-hyper");

impl ClientBuilder {
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
}
