//! The emulator behind a port: HTTP/1.1 on the loopback, or wherever it is told to listen.
//!
//! In async code, [`Server::start`] runs it on the runtime that is there. Anywhere else,
//! [`Server::start_on_thread`] gives it a thread and a runtime of its own, which end with the handle:
//!
//! ```
//! use pipeline_emulator::{Emulator, server::Server};
//! use std::{io::{Read, Write}, net::TcpStream};
//!
//! let server = Server::on_loopback(Emulator::builder().build())?;
//! let mut stream = TcpStream::connect(server.addr())?;
//! stream.write_all(b"GET /v2/workflows HTTP/1.0\r\n\r\n")?;
//! let mut answer = String::new();
//! stream.read_to_string(&mut answer)?;
//! assert!(answer.starts_with("HTTP/1.0 401 "));
//! server.with(|emulator| assert_eq!(emulator.requests().count(), 1));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! [`Server::admin`] lets other processes do what [`ServerThread::with`] does, and [`Server::state`]
//! keeps the workflows in a file.

mod connection;
mod courier;
mod handle;
mod interrupted;
mod limits;
mod shared;
mod state_file;
mod store;
mod stream;
mod writer;

use std::{
    fmt, io,
    net::{SocketAddr, TcpListener, ToSocketAddrs},
    sync::Arc,
    thread,
    time::{Duration, Instant, SystemTime},
};

use pipeline_proto::Now;
use tokio::{
    runtime,
    sync::{Semaphore, watch},
    task::JoinSet,
    time,
};

use crate::{emulator::Emulator, request_log::RecordedRequest};
use connection::Serves;
use courier::Courier;
pub use handle::{RunningServer, ServerThread};
pub use limits::Limits;
use shared::Shared;
pub use state_file::{StateError, StateErrorKind, StateFile};
pub use writer::StateEvent;
use writer::Watcher;

/// Is told of requests.
type RequestLog = dyn Fn(&RecordedRequest) + Send + Sync;

type Clock = dyn Fn() -> Now + Send + Sync;

/// A port that was opened and is not served yet.
///
/// ```
/// use pipeline_emulator::{Emulator, server::Server};
///
/// let server = Server::bind("127.0.0.1:0")?.admin().start_on_thread(Emulator::builder().build())?;
/// assert!(server.admin_url().unwrap().starts_with(&server.url()));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Server {
    listener: TcpListener,
    admin: Option<TcpListener>,
    ports: Ports,
    limits: Limits,
    clock: Box<Clock>,
    state: Option<StateFile>,
    watcher: Box<Watcher>,
    log: Option<Box<RequestLog>>,
}

/// Where a server listens.
#[derive(Debug, Clone, Copy)]
struct Ports {
    service: SocketAddr,
    admin: Option<SocketAddr>,
}

impl Ports {
    fn admin_url(self) -> Option<String> {
        Some(format!("http://{}/_emulator", self.admin?))
    }
}

impl Server {
    /// Opens a port. With port 0 the system chooses one; [`addr`](Self::addr) tells which.
    pub fn bind(addr: impl ToSocketAddrs) -> io::Result<Self> {
        let listener = listen(addr)?;
        Ok(Self {
            ports: Ports {
                service: listener.local_addr()?,
                admin: None,
            },
            listener,
            admin: None,
            limits: Limits::default(),
            clock: Box::new(system_clock()),
            state: None,
            watcher: Box::new(|_| {}),
            log: None,
        })
    }

    /// Serves an emulator on a free port of the loopback, on a thread of its own.
    pub fn on_loopback(emulator: Emulator) -> io::Result<ServerThread> {
        Self::bind("127.0.0.1:0")?.start_on_thread(emulator)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.ports.service
    }

    /// Serves the [admin interface](Emulator::handle_admin) on the same port, for paths that begin
    /// with `/_emulator/`. Whoever can connect may use it: keep the port to the loopback.
    #[must_use]
    pub fn admin(mut self) -> Self {
        self.ports.admin = Some(self.ports.service);
        self.admin = None;
        self
    }

    /// Opens a port of its own for the admin interface, so that the service's has no path but its
    /// own. Whoever can connect may use it: keep it to the loopback.
    pub fn admin_on(mut self, addr: impl ToSocketAddrs) -> io::Result<Self> {
        let listener = listen(addr)?;
        self.ports.admin = Some(listener.local_addr()?);
        self.admin = Some(listener);
        Ok(self)
    }

    /// Where the admin interface is, if it was asked for: `http://127.0.0.1:40123/_emulator`.
    pub fn admin_url(&self) -> Option<String> {
        self.ports.admin_url()
    }

    /// Keeps the workflows in a file: every change is there before it is answered. A file that is
    /// there already takes the place of the emulator's workflows; a new one begins with them.
    /// Settings, faults and the log of requests are not kept.
    ///
    /// Transitions go on where they were when the emulator was stopped, and where they were at most a
    /// second before when it was killed. What was seen to be over stays so.
    ///
    /// A change that cannot be written down is taken back and answered with 503. As soon as the file can
    /// be written again, everything is, and changes are accepted.
    #[must_use]
    pub fn state(mut self, file: StateFile) -> Self {
        self.state = Some(file);
        self
    }

    /// Hears of what happens to the state file while it is in use, on the thread that writes it. Without
    /// this, only the clients whose changes are refused do.
    #[must_use]
    pub fn on_state_event(mut self, watcher: impl Fn(&StateEvent) + Send + Sync + 'static) -> Self {
        self.watcher = Box::new(watcher);
        self
    }

    /// Is told of each request to the service when its response is certain, as long as the emulator keeps a
    /// [log](crate::EmulatorBuilder::request_log). Answers wait until this returns.
    #[must_use]
    pub fn on_request(mut self, log: impl Fn(&RecordedRequest) + Send + Sync + 'static) -> Self {
        self.log = Some(Box::new(log));
        self
    }

    /// Sets what a client may ask of the server.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Replaces the system's clocks, so that a test can let time pass. Transitions and signatures
    /// follow this clock; the limits of connections do not.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> Now + Send + Sync + 'static) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Serves the emulator on the present tokio runtime.
    ///
    /// # Errors
    ///
    /// If there is no runtime, it has no IO driver, or a state file cannot be written.
    pub fn start(self, emulator: Emulator) -> io::Result<RunningServer> {
        let runtime = runtime::Handle::try_current().map_err(|error| {
            io::Error::other(format!(
                "{error}; call start_on_thread outside of a tokio runtime"
            ))
        })?;
        let ports = self.ports;
        let (stop, stopped) = watch::channel(false);
        let (shared, serving) = self.serve(emulator, stopped)?;
        let task = runtime.spawn(serving);
        Ok(RunningServer {
            ports,
            shared,
            stop,
            task,
        })
    }

    /// Serves the emulator on a thread of its own.
    ///
    /// # Errors
    ///
    /// If the system gives no thread, or not what a runtime needs, or a state file cannot be written.
    pub fn start_on_thread(self, emulator: Emulator) -> io::Result<ServerThread> {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let ports = self.ports;
        let (stop, stopped) = watch::channel(false);
        let (shared, serving) = {
            let _entered = runtime.enter();
            self.serve(emulator, stopped)?
        };
        let thread = thread::Builder::new()
            .name("pipeline-emulator".to_owned())
            .spawn(move || runtime.block_on(serving))?;
        Ok(ServerThread {
            ports,
            shared,
            stop,
            thread: Some(thread),
        })
    }

    /// What has to run, and what it shares with its handle. To be called within a runtime.
    fn serve(
        self,
        emulator: Emulator,
        stopped: watch::Receiver<bool>,
    ) -> io::Result<(Arc<Shared>, impl Future<Output = ()> + Send)> {
        let on_service = match (&self.admin, self.ports.admin) {
            (None, Some(_)) => Serves::Both,
            _ => Serves::Service,
        };
        let service = tokio::net::TcpListener::from_std(self.listener)?;
        let admin = self.admin.map(tokio::net::TcpListener::from_std);
        let admin = admin.transpose()?;
        let kept = self.state.map(|file| (file, self.watcher));
        let (courier, parcels) = Courier::new();
        let ports = self.ports;
        let shared = Shared::new(emulator, self.clock, self.limits, kept, self.log, courier)?;
        let of_task = shared.clone();
        let serving = async move {
            let on_admin = async {
                if let Some(listener) = admin {
                    accept(listener, Serves::Admin, &of_task, stopped.clone()).await;
                }
            };
            tokio::join!(
                accept(service, on_service, &of_task, stopped.clone()),
                on_admin,
                of_task.follow_time(stopped.clone()),
                courier::deliver_all(parcels, ports, stopped.clone(), |delivery, fate| {
                    of_task.note_delivery(delivery, fate);
                })
            );
        };
        Ok((shared, serving))
    }
}

fn listen(addr: impl ToSocketAddrs) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(addr)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The one place in this crate that fetches the time.
#[allow(
    clippy::disallowed_methods,
    reason = "a server that was given no clock uses the system's"
)]
fn system_clock() -> impl Fn() -> Now {
    let start = Instant::now();
    move || Now::new(SystemTime::now(), start.elapsed())
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("addr", &self.ports.service)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Returns as soon as the handle has asked for an end, or is gone.
async fn stop_asked(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// Accepts connections until told to stop, then waits for those that are open, within limits.
async fn accept(
    listener: tokio::net::TcpListener,
    serves: Serves,
    shared: &Arc<Shared>,
    mut stopped: watch::Receiver<bool>,
) {
    let limits = shared.limits.clone();
    let room = Arc::new(Semaphore::new(
        limits.connections.min(Semaphore::MAX_PERMITS),
    ));
    let mut connections = JoinSet::new();
    loop {
        // Clients beyond the limit wait in the system's backlog until there is room.
        let accept = async {
            let room = room.clone().acquire_owned().await;
            (room, listener.accept().await)
        };
        let (room, accepted) = tokio::select! {
            accepted = accept => accepted,
            () = stop_asked(&mut stopped) => break,
        };
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, or the client has gone already. Trying again at once would
            // spin in the first case.
            time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let serving = connection::serve(stream, serves, shared.clone(), stopped.clone());
        connections.spawn(async move {
            serving.await;
            drop(room);
        });
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    let _ = time::timeout(limits.shutdown_time, all).await;
    connections.shutdown().await;
}
