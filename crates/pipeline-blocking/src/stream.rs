//! A connection as a stack: a socket, and TLS on it where that is spoken; twice for a service with
//! TLS behind a proxy with TLS.

#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::Duration,
};

use crate::deadline::Deadline;
#[cfg(feature = "tls")]
use crate::tls::Session;

/// How long a write waits for a peer that does not read, before the caller can look whether it has
/// sent something instead.
const WRITE_WAIT: Duration = Duration::from_millis(50);

/// A connected socket, of the network or of the machine.
///
/// ```no_run
/// use pipeline_blocking::Socket;
/// use std::net::TcpStream;
///
/// let socket = Socket::from(TcpStream::connect("127.0.0.1:8080")?);
/// # let _ = socket;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Socket(Kind);

#[derive(Debug)]
enum Kind {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl From<TcpStream> for Socket {
    fn from(socket: TcpStream) -> Self {
        Self(Kind::Tcp(socket))
    }
}

#[cfg(unix)]
impl From<UnixStream> for Socket {
    fn from(socket: UnixStream) -> Self {
        Self(Kind::Unix(socket))
    }
}

macro_rules! either {
    ($socket:expr, $one:ident => $what:expr) => {
        match &$socket.0 {
            Kind::Tcp($one) => $what,
            #[cfg(unix)]
            Kind::Unix($one) => $what,
        }
    };
}

impl Socket {
    fn set_nodelay(&self) -> io::Result<()> {
        match &self.0 {
            Kind::Tcp(socket) => socket.set_nodelay(true),
            #[cfg(unix)]
            Kind::Unix(_) => Ok(()),
        }
    }

    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        either!(self, socket => socket.set_nonblocking(nonblocking))
    }

    fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        either!(self, socket => socket.set_read_timeout(timeout))
    }

    fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        either!(self, socket => socket.set_write_timeout(timeout))
    }

    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        either!(self, socket => (&mut &*socket).read(buffer))
    }

    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        either!(self, socket => (&mut &*socket).write(bytes))
    }
}

/// Reads and writes end with [`io::ErrorKind::TimedOut`] at its deadline. A write may end earlier,
/// with [`io::ErrorKind::WouldBlock`], and is then to be tried again.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(Plain),
    #[cfg(feature = "tls")]
    Tls(Box<Session>),
}

impl Stream {
    pub(crate) fn new(socket: Socket, deadline: Deadline) -> io::Result<Self> {
        Plain::new(socket, deadline).map(Self::Plain)
    }

    fn plain(&mut self) -> &mut Plain {
        match self {
            Self::Plain(plain) => plain,
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.below.plain(),
        }
    }

    pub(crate) fn set_deadline(&mut self, deadline: Deadline) {
        self.plain().deadline = deadline;
    }

    /// How many bytes the system has taken for sending, ever.
    pub(crate) fn written(&mut self) -> u64 {
        self.plain().written
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
        self.plain().set_waiting(false)?;
        let result = self.read(buffer);
        self.plain().set_waiting(true)?;
        match result {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            result => result.map(Some),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(plain) => plain.read(buffer),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(plain) => plain.write(bytes),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.flush(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Plain {
    socket: Socket,
    deadline: Deadline,
    waiting: bool,
    /// What the socket is set to.
    read_timeout: Duration,
    written: u64,
}

impl Plain {
    fn new(socket: Socket, deadline: Deadline) -> io::Result<Self> {
        socket.set_nonblocking(false)?;
        socket.set_nodelay()?;
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

impl Read for Plain {
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

impl Write for Plain {
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
