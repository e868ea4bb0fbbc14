//! A connection as a stack: a socket, and TLS on it where that is spoken; twice for a service with
//! TLS behind a proxy with TLS.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use rustls::{ClientConfig, ClientConnection, pki_types::ServerName};

use crate::deadline::Deadline;

/// How long a write waits for a peer that does not read, before the caller can look whether it has
/// sent something instead.
const WRITE_WAIT: Duration = Duration::from_millis(50);

/// Reads and writes end with [`io::ErrorKind::TimedOut`] at its deadline. A write may end earlier,
/// with [`io::ErrorKind::WouldBlock`], and is then to be tried again.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(Tcp),
    Tls(Box<Tls>),
}

impl Stream {
    pub(crate) fn new(socket: TcpStream, deadline: Deadline) -> io::Result<Self> {
        Tcp::new(socket, deadline).map(Self::Tcp)
    }

    /// Speaks TLS from here on.
    pub(crate) fn with_tls(
        self,
        config: Arc<ClientConfig>,
        server: ServerName<'static>,
    ) -> io::Result<Self> {
        let session = ClientConnection::new(config, server).map_err(io::Error::other)?;
        let mut tls = Tls {
            session,
            below: self,
        };
        while tls.session.is_handshaking() {
            match tls.session.complete_io(&mut tls.below) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => drop(result?),
            }
        }
        Ok(Self::Tls(Box::new(tls)))
    }

    fn tcp(&mut self) -> &mut Tcp {
        match self {
            Self::Tcp(tcp) => tcp,
            Self::Tls(tls) => tls.below.tcp(),
        }
    }

    pub(crate) fn set_deadline(&mut self, deadline: Deadline) {
        self.tcp().deadline = deadline;
    }

    /// How many bytes the system has taken for sending, ever.
    pub(crate) fn written(&mut self) -> u64 {
        self.tcp().written
    }

    /// Sends all of it.
    pub(crate) fn send(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => bytes = &bytes[written?..],
            }
        }
        loop {
            match self.flush() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                flushed => return flushed,
            }
        }
    }

    /// Reads what is there; nothing if that is nothing yet.
    pub(crate) fn read_now(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        self.tcp().set_waiting(false)?;
        let result = self.read(buffer);
        self.tcp().set_waiting(true)?;
        match result {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            result => result.map(Some),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(tcp) => tcp.read(buffer),
            Self::Tls(tls) => tls.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(tcp) => tcp.write(bytes),
            Self::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Tcp(_) => Ok(()),
            Self::Tls(tls) => tls.flush(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Tcp {
    socket: TcpStream,
    deadline: Deadline,
    waiting: bool,
    /// What the socket is set to.
    read_timeout: Duration,
    written: u64,
}

impl Tcp {
    fn new(socket: TcpStream, deadline: Deadline) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        socket.set_write_timeout(Some(WRITE_WAIT))?;
        Ok(Self {
            socket,
            deadline,
            waiting: true,
            read_timeout: Duration::MAX,
            written: 0,
        })
    }

    fn set_waiting(&mut self, waiting: bool) -> io::Result<()> {
        self.waiting = waiting;
        self.socket.set_nonblocking(!waiting)
    }

    fn left(&self) -> io::Result<Duration> {
        self.deadline
            .left()
            .ok_or_else(|| io::ErrorKind::TimedOut.into())
    }

    /// Sees to it that a read ends in time. One that ends a little early is as good, as it is
    /// repeated: so a time-out that is the same for each request costs no system call for each.
    fn limit_read(&mut self) -> io::Result<()> {
        let left = self.left()?;
        if !(left / 8 * 7..=left).contains(&self.read_timeout) {
            self.read_timeout = (left / 16 * 15).max(Duration::from_millis(1));
            self.socket.set_read_timeout(Some(self.read_timeout))?;
        }
        Ok(())
    }
}

/// What a socket returns when its time-out has passed, by system.
fn has_waited(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

impl Read for Tcp {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.waiting {
                self.limit_read()?;
            }
            match self.socket.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if self.waiting && has_waited(&error) => {}
                result => return result,
            }
        }
    }
}

impl Write for Tcp {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            self.left()?;
            match self.socket.write(bytes) {
                Ok(written) => {
                    self.written += written as u64;
                    return Ok(written);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if has_waited(&error) => return Err(io::ErrorKind::WouldBlock.into()),
                Err(error) => return Err(error),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads also while what was written waits for the peer, which `rustls::Stream` does not.
#[derive(Debug)]
pub(crate) struct Tls {
    session: ClientConnection,
    below: Stream,
}

impl Tls {
    fn send(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            if self.session.write_tls(&mut self.below)? == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
        }
        Ok(())
    }
}

impl Read for Tls {
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

impl Write for Tls {
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
