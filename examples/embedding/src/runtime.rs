//! The loop that all calls take turns in.

use std::{
    hash::{BuildHasher as _, RandomState},
    io,
    net::{SocketAddr, ToSocketAddrs as _},
    thread,
    time::{Duration, Instant, SystemTime},
};

use http::Uri;
use pipeline_proto::{Call, CallOptions, Context, Error, Now, Operation};

use crate::task::{Handle, Running, Task};

/// How long to rest between two looks at all sockets. With `epoll` or the like, this would be a wait
/// for the first socket that is ready, or for the first moment that a call waits for.
const REST: Duration = Duration::from_millis(1);

/// Calls that are under way together, in one thread.
pub struct Runtime {
    context: Context,
    address: SocketAddr,
    clock: Clock,
    tasks: Vec<Box<dyn Task>>,
}

/// Both clocks, as the core wants them.
pub(crate) struct Clock {
    /// Where the monotonic clock starts.
    origin: Instant,
}

impl Clock {
    pub(crate) fn now(&self) -> Now {
        Now::new(SystemTime::now(), self.origin.elapsed())
    }
}

impl Runtime {
    /// A runtime for the service at the endpoint of this context, which must be `http://`.
    ///
    /// # Errors
    ///
    /// If the endpoint wants TLS, or its host has no address.
    pub fn new(context: Context) -> io::Result<Self> {
        Ok(Self {
            address: resolve(&context)?,
            context,
            clock: Clock {
                origin: Instant::now(),
            },
            tasks: Vec::new(),
        })
    }

    /// Begins a call. It gets somewhere when [`run`](Self::run) is called.
    ///
    /// # Errors
    ///
    /// If the operation cannot be said on the wire.
    pub fn spawn<O: Operation + 'static>(
        &mut self,
        operation: O,
        options: CallOptions,
    ) -> Result<Handle<O::Output>, Error> {
        // The core rolls no dice, so the seed of the waits comes from here. These keys are random.
        let options = options.or_seed(|| RandomState::new().hash_one(self.tasks.len()));
        let call = Call::new(&self.context, operation, options)?;
        let (task, handle) = Running::new(call);
        self.tasks.push(Box::new(task));
        Ok(handle)
    }

    /// Drives all calls to their ends.
    pub fn run(&mut self) {
        while !self.tasks.is_empty() {
            self.tasks
                .retain_mut(|task| !task.advance(self.address, &self.clock));
            thread::sleep(REST);
        }
    }
}

/// Where the service of this context is, which must be `http://`.
///
/// # Errors
///
/// If the endpoint wants TLS, or its host has no address.
pub fn resolve(context: &Context) -> io::Result<SocketAddr> {
    let endpoint: Uri = context
        .endpoint()
        .to_string()
        .parse()
        .map_err(io::Error::other)?;
    let (Some("http"), Some(authority)) = (endpoint.scheme_str(), endpoint.authority()) else {
        return Err(io::Error::other("this example speaks no TLS"));
    };
    let port = authority.port_u16().unwrap_or(80);
    // An IPv6 address stands in brackets there.
    let host = authority.host().trim_matches(['[', ']']);
    let address = (host, port).to_socket_addrs()?.next();
    address.ok_or_else(|| io::Error::other("the host has no address"))
}
