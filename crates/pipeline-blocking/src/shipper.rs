#[cfg(feature = "buffer")]
pub(crate) mod buffered;

use std::{
    fmt,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use pipeline_proto::BuildError;
use pipeline_shipper::{
    Books, NotTaken, SendError, Step, Verdict, WhyNot,
    desk::{Desk, Worker},
};
use serde::Serialize;

use crate::Client;

/// Ships records into a message queue in the background: see [`Client::shipper`]. Clones are handles of the same
/// shipper.
///
/// ```
/// use pipeline_blocking::{Client, shipping::Verdict};
/// use std::time::Duration;
///
/// #[derive(serde::Serialize)]
/// struct Click { url: String, bytes: u64 }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = pipeline_emulator::server::Server::on_loopback(pipeline_emulator::Emulator::builder().build())?;
/// # let keys = pipeline_blocking::proto::Credentials::new(pipeline_emulator::DEVELOPMENT_ACCESS_KEY, pipeline_emulator::DEVELOPMENT_SECRET_KEY)?;
/// # let client = Client::builder().endpoint(server.url().parse()?).credentials(keys).no_proxy().build()?;
/// # let schema: pipeline_blocking::proto::resource::schema::Schema = "url string, bytes long".parse()?;
/// # client.create_repo("clicks", schema).send()?;
/// let clicks = client.shipper("clicks").start(|verdict: Verdict| {
///     if let Some(reason) = verdict.reason() {
///         eprintln!("a click was lost: {reason}");
///     }
/// })?;
/// for bytes in 0..1000 {
///     clicks.send(&Click { url: "/".into(), bytes })?;
/// }
/// let books = clicks.close(Duration::from_secs(5));
/// assert_eq!(books.accepted.records, 1000);
/// # Ok(())
/// # }
/// ```
///
/// When the last handle is dropped without [`close`](Self::close), what has no verdict yet is given up, and told so,
/// before `drop` returns.
pub struct Shipper<I = ()>(Arc<Handle<I>>);

struct Handle<I> {
    desk: Arc<Desk<I>>,
    bell: Arc<Bell>,
}

pipeline_shipper::client_builder!();
pipeline_shipper::client_shipper!();

/// Counts changes, for threads that wait for one.
#[derive(Default)]
struct Bell {
    rung: Mutex<u64>,
    changed: Condvar,
}

impl Bell {
    fn ring(&self) {
        *self.lock() += 1;
        self.changed.notify_all();
    }

    /// How often it has rung, asked before one looks at what may have changed.
    fn rung(&self) -> u64 {
        *self.lock()
    }

    /// Waits until it rings once more, or for this long.
    fn wait(&self, seen: u64, time: Option<Duration>) {
        let rung = self.lock();
        let unchanged = |rung: &mut u64| *rung == seen;
        let time = time.unwrap_or(Duration::MAX);
        // A poisoned lock of a number is as good as any.
        drop(self.changed.wait_timeout_while(rung, time, unchanged));
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ShipperBuilder {
    /// Begins, with a thread of its own for each request that may be in flight. The function is told what became of
    /// each record, by those threads, several at a time; it should be quick, must neither panic
    /// nor wait for the shipper, and may send what has room.
    ///
    /// # Errors
    ///
    /// If the name of the queue is not legal, or the system has no thread to give.
    pub fn start<I: Send + 'static>(
        self,
        tell: impl Fn(Verdict<I>) + Send + Sync + 'static,
    ) -> Result<Shipper<I>, BuildError> {
        self.begin(tell, || {})
    }

    /// Begins, and wakes somebody else whenever there is news.
    fn begin<I: Send + 'static>(
        self,
        tell: impl Fn(Verdict<I>) + Send + Sync + 'static,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Result<Shipper<I>, BuildError> {
        let bell = Arc::new(Bell::default());
        let ringer = Arc::clone(&bell);
        let ring = move || {
            ringer.ring();
            wake();
        };
        let (clients, workers, desk) = self.open(tell, ring)?;
        // Dropped on the way out, it ends the threads that there are.
        let shipper = Shipper(Arc::new(Handle { desk, bell }));
        for _ in 0..workers {
            let (clients, desk) = (clients.clone(), shipper.0.desk.worker());
            let bell = Arc::clone(&shipper.0.bell);
            thread::Builder::new()
                .name("pipeline-shipper".to_owned())
                .spawn(move || work(&clients, &desk, &bell))
                .map_err(|error| BuildError::custom(format!("no thread to ship with: {error}")))?;
        }
        Ok(shipper)
    }
}

fn work<I>(clients: &Clients, desk: &Worker<I>, bell: &Bell) {
    loop {
        let seen = bell.rung();
        match desk.step() {
            Step::Push(push) => {
                let result = clients.main.send_with(push.operation(), push.options());
                desk.on_result(push, result);
            }
            Step::Ask(ask) => {
                let client = clients.of(ask.service());
                let result = client.send_with(ask.operation(), ask.options());
                desk.on_reply(ask, result);
            }
            Step::Wait(time) => bell.wait(seen, time),
            Step::Settled(_) | Step::Done => return,
        }
    }
}

impl<I> Shipper<I> {
    /// Takes a record, any struct or map, as soon as there is room. The id comes back with its verdict.
    ///
    /// # Errors
    ///
    /// If it cannot be written as a [point](pipeline_proto::points) or as JSON, or the shipper is closed.
    pub fn send_with<T: Serialize + ?Sized>(&self, id: I, record: &T) -> Result<(), SendError> {
        self.send_line(id, &self.line(record)?)
    }

    /// As [`send_with`](Self::send_with), with a record that is a point already, or a JSON object without a schema.
    ///
    /// # Errors
    ///
    /// If the shipper is closed.
    pub fn send_line(&self, id: I, line: &[u8]) -> Result<(), SendError> {
        self.send_lines([(id, line)])
    }

    /// As [`send_line`](Self::send_line), with several records, which cost less together.
    ///
    /// # Errors
    ///
    /// If the shipper is closed. Then the record that was asked of the iterator last was not taken, nor were those
    /// behind it.
    pub fn send_lines<'l>(
        &self,
        lines: impl IntoIterator<Item = (I, &'l [u8])>,
    ) -> Result<(), SendError> {
        let (mut lines, mut first) = (lines.into_iter(), None);
        loop {
            let seen = self.0.bell.rung();
            let all = first.take().into_iter().chain(lines.by_ref());
            let Err((NotTaken { id, why }, line)) = self.0.desk.try_push_all(all) else {
                return Ok(());
            };
            if why == WhyNot::Closed {
                return Err(SendError::NotTaken(why));
            }
            first = Some((id, line));
            self.0.bell.wait(seen, None);
        }
    }

    /// Sends what gathers, and waits until every record that was taken before has its verdict, and was told of.
    pub fn flush(&self) {
        let flush = self.0.desk.flush();
        self.wait(None, |desk| desk.is_flushed(flush));
    }

    /// Takes no further records, and sends what is there; what has no verdict after this time is given up. Of several
    /// times the shortest counts.
    pub fn close(&self, time: Duration) -> Books {
        self.0.desk.close(time);
        let end = Instant::now().checked_add(time);
        self.wait(end, Desk::is_done);
        // All threads may be busy with requests that take longer, or gone.
        self.0.desk.abandon();
        self.books()
    }

    fn wait(&self, end: Option<Instant>, is_over: impl Fn(&Desk<I>) -> bool) {
        loop {
            let seen = self.0.bell.rung();
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if is_over(&self.0.desk) || left == Some(Duration::ZERO) {
                return;
            }
            self.0.bell.wait(seen, left);
        }
    }
}

impl Shipper {
    /// As [`send_with`](Self::send_with), for who needs no ids.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn send<T: Serialize + ?Sized>(&self, record: &T) -> Result<(), SendError> {
        self.send_with((), record)
    }
}
