use std::{io, net::SocketAddr, time::Duration};

use pipeline_proto::ContextBuilder;

use crate::{
    client::Client,
    transport::{Transport, TransportBuilder},
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
    /// To the endpoint of the context, once that is known.
    transport: TransportBuilder,
}

pipeline_transport::client_builder!("pipeline-blocking");

impl ClientBuilder {
    /// As [`TransportBuilder::resolver`].
    #[must_use]
    pub fn resolver(
        mut self,
        resolve: impl Fn(&str, u16, Duration) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        self.transport = self.transport.resolver(resolve);
        self
    }
}
