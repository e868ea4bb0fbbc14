use std::{fmt, io, net::SocketAddr, sync::Arc, thread};

use pipeline_proto::Now;
use tokio::{sync::watch, task::JoinHandle};

use super::{Ports, shared::Shared};
use crate::emulator::Emulator;

macro_rules! handle {
    ($name:ident) => {
        impl $name {
            /// Where it listens.
            pub fn addr(&self) -> SocketAddr {
                self.ports.service
            }

            /// The endpoint for a client: `http://127.0.0.1:40123`.
            pub fn url(&self) -> String {
                format!("http://{}", self.ports.service)
            }

            /// Where the admin interface is, if it was asked for: `http://127.0.0.1:40123/_emulator`.
            pub fn admin_url(&self) -> Option<String> {
                self.ports.admin_url()
            }

            /// The present moment on the server's clock.
            pub fn now(&self) -> Now {
                self.shared.now()
            }

            /// Does something with the emulator. Requests wait in the meantime. With a state file, it
            /// returns when what has changed is written down; what cannot be is taken back.
            pub fn with<T>(&self, action: impl FnOnce(&mut Emulator) -> T) -> T {
                self.shared.replace_and_block(action)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("addr", &self.ports.service)
                    .finish_non_exhaustive()
            }
        }
    };
}

/// A server on the caller's runtime. Dropping it lets the server stop in its own time.
///
/// ```
/// use pipeline_emulator::{Emulator, server::Server};
///
/// # fn main() -> std::io::Result<()> {
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let server = Server::bind("127.0.0.1:0")?.start(Emulator::builder().build())?;
/// // … a test that is async …
/// server.shutdown().await
/// # })
/// # }
/// ```
pub struct RunningServer {
    pub(super) ports: Ports,
    pub(super) shared: Arc<Shared>,
    pub(super) stop: watch::Sender<bool>,
    pub(super) task: JoinHandle<()>,
}

handle!(RunningServer);

impl RunningServer {
    /// Stops accepting, lets requests under way come to their end within
    /// [`shutdown_time`](super::Limits::shutdown_time), and returns when every connection is closed.
    ///
    /// # Errors
    ///
    /// If there is a [state file](super::Server::state), and not everything is in it.
    pub async fn shutdown(self) -> io::Result<()> {
        self.stop.send_replace(true);
        // An error would mean that the task was cancelled with its runtime: stopped all the same.
        let _ = self.task.await;
        self.shared.finish()
    }
}

/// A server on a thread of its own. Dropping it stops the server and waits for that.
///
/// ```
/// use pipeline_emulator::{Emulator, Transition, server::Server};
///
/// let server = Server::on_loopback(Emulator::builder().build())?;
/// server.with(|emulator| emulator.set_start_transition(Transition::Immediate));
/// assert!(server.url().starts_with("http://127.0.0.1:"));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct ServerThread {
    pub(super) ports: Ports,
    pub(super) shared: Arc<Shared>,
    pub(super) stop: watch::Sender<bool>,
    pub(super) thread: Option<thread::JoinHandle<()>>,
}

handle!(ServerThread);

impl Drop for ServerThread {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // A panic of the server has been reported by its own thread.
            let _ = thread.join();
        }
        // There is nobody to tell; the watcher has heard of it.
        let _ = self.shared.finish();
    }
}
