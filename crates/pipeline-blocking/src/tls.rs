//! TLS on a connection, where it is built in.

#[cfg(feature = "tls")]
mod on {
    use std::{
        io::{self, Read, Write},
        sync::Arc,
    };

    use pipeline_transport::{
        ConfigError, Settings,
        rustls::{ClientConfig, ClientConnection, pki_types::ServerName},
    };

    use crate::stream::Stream;

    /// Speaks TLS on a connection.
    #[derive(Debug)]
    pub(crate) struct Tls(Arc<ClientConfig>);

    impl Tls {
        pub(crate) fn new(settings: &Settings) -> Result<Self, ConfigError> {
            let config = settings.trust.config();
            Ok(Self(config.map_err(ConfigError::new)?))
        }

        pub(crate) fn connect(&self, host: &str, below: Stream) -> io::Result<Stream> {
            let server = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
            let session = ClientConnection::new(Arc::clone(&self.0), server);
            let session = session.map_err(io::Error::other)?;
            let mut tls = Session { session, below };
            while tls.session.is_handshaking() {
                match tls.session.complete_io(&mut tls.below) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    result => drop(result?),
                }
            }
            Ok(Stream::Tls(Box::new(tls)))
        }
    }

    /// Reads also while what was written waits for the peer, which `rustls::Stream` does not.
    #[derive(Debug)]
    pub(crate) struct Session {
        session: ClientConnection,
        pub(crate) below: Stream,
    }

    impl Session {
        fn send(&mut self) -> io::Result<()> {
            while self.session.wants_write() {
                if self.session.write_tls(&mut self.below)? == 0 {
                    return Err(io::ErrorKind::WriteZero.into());
                }
            }
            Ok(())
        }
    }

    impl Read for Session {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            loop {
                match self.session.reader().read(buffer) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    result => return result,
                }
                self.session.read_tls(&mut self.below)?;
                if let Err(error) = self.session.process_new_packets() {
                    // The peer is told why; if it cannot be, the reason is the same.
                    let _ = self.send();
                    return Err(io::Error::new(io::ErrorKind::InvalidData, error));
                }
            }
        }
    }

    impl Write for Session {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.send()?;
            let taken = self.session.writer().write(bytes)?;
            match self.send() {
                // The rest goes with the next write, or with the flush.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(taken),
                Err(error) => Err(error),
                Ok(()) => Ok(taken),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            self.send()
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
    use std::io;

    use pipeline_transport::{ConfigError, Settings};

    use crate::stream::Stream;

    /// There is none in this build.
    #[derive(Debug)]
    pub(crate) struct Tls;

    impl Tls {
        pub(crate) fn new(_: &Settings) -> Result<Self, ConfigError> {
            Ok(Self)
        }

        pub(crate) fn connect(&self, _: &str, _: Stream) -> io::Result<Stream> {
            Err(io::Error::other("this build of the client speaks no TLS"))
        }
    }
}

#[cfg(not(feature = "tls"))]
pub(crate) use off::Tls;
#[cfg(feature = "tls")]
pub(crate) use on::{Session, Tls};
