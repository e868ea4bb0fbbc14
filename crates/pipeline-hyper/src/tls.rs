use std::io;

use pipeline_transport::{ConfigError, Settings};

use crate::connector::Stream;

#[cfg(feature = "tls")]
mod on {
    use pipeline_transport::rustls::pki_types::ServerName;
    use tokio_rustls::TlsConnector;

    use super::{ConfigError, Settings, Stream, io};

    /// Speaks TLS on a connection.
    #[derive(Clone)]
    pub(crate) struct Tls {
        plain: TlsConnector,
        /// Offers HTTP/2.
        #[cfg(feature = "http2")]
        offering: TlsConnector,
    }

    impl Tls {
        pub(crate) fn new(settings: &Settings) -> Result<Self, ConfigError> {
            let config = settings.trust.config().map_err(ConfigError::new)?;
            #[cfg(feature = "http2")]
            let offering = {
                let mut config = (*config).clone();
                // One that says itself what is spoken has its reasons.
                if config.alpn_protocols.is_empty() {
                    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
                }
                std::sync::Arc::new(config).into()
            };
            Ok(Self {
                plain: config.into(),
                #[cfg(feature = "http2")]
                offering,
            })
        }

        /// Whether this host can stand in a certificate.
        pub(crate) fn check(host: &str) -> Result<(), ConfigError> {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let name = ServerName::try_from(host);
            name.map(drop)
                .map_err(|_| ConfigError::new("the host of the endpoint is not valid"))
        }

        pub(crate) async fn connect(
            &self,
            host: String,
            stream: Box<dyn Stream>,
            offers_http2: bool,
        ) -> io::Result<(Box<dyn Stream>, bool)> {
            let name = ServerName::try_from(host).map_err(|_| {
                io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "its host cannot stand in a certificate",
                )
            })?;
            let connector = match offers_http2 {
                #[cfg(feature = "http2")]
                true => &self.offering,
                _ => &self.plain,
            };
            let stream = connector.connect(name, stream).await?;
            let agreed = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            Ok((Box::new(stream), offers_http2 && agreed))
        }
    }
}

#[cfg(not(feature = "tls"))]
#[allow(
    clippy::unnecessary_wraps,
    clippy::unused_self,
    clippy::unused_async,
    reason = "the same to its callers as the one that speaks TLS"
)]
mod off {
    use super::{ConfigError, Settings, Stream, io};

    /// There is none in this build.
    #[derive(Clone)]
    pub(crate) struct Tls;

    impl Tls {
        pub(crate) fn new(_: &Settings) -> Result<Self, ConfigError> {
            Ok(Self)
        }

        pub(crate) fn check(_: &str) -> Result<(), ConfigError> {
            Ok(())
        }

        pub(crate) async fn connect(
            &self,
            _: String,
            _: Box<dyn Stream>,
            _: bool,
        ) -> io::Result<(Box<dyn Stream>, bool)> {
            Err(io::Error::other("this build of the client speaks no TLS"))
        }
    }
}

#[cfg(not(feature = "tls"))]
pub(crate) use off::Tls;
#[cfg(feature = "tls")]
pub(crate) use on::Tls;
