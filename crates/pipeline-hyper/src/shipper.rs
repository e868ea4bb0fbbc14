#[cfg(feature = "buffer")]
pub(crate) mod buffered;

use std::{fmt, pin::pin, sync::Arc, time::Duration};

use pipeline_proto::{BuildError, Error};
use pipeline_shipper::{
    Books, NotTaken, Push, SendError, Step, Verdict, WhyNot,
    desk::{Desk, Worker},
};
use serde::Serialize;
use tokio::{sync::Notify, task, time::timeout};

use crate::Client;

/// Ships records into a message queue in the background: see [`Client::shipper`]. Clones are handles of the same
/// shipper.
///
/// A handler of axum that keeps what it is sent, without waiting for the service:
///
/// ```
/// use pipeline_hyper::{Client, Shipper, shipping::Verdict};
/// # /// Those of axum, as far as they are used here.
/// # mod axum { pub struct State<T>(pub T); pub struct Json<T>(pub T); pub struct StatusCode(pub u16); }
/// # use axum::{Json, State, StatusCode};
/// # impl StatusCode { const ACCEPTED: Self = Self(202); const SERVICE_UNAVAILABLE: Self = Self(503); }
///
/// #[derive(serde::Serialize)]
/// struct Click { url: String, bytes: u64 }
///
/// async fn click(State(clicks): State<Shipper>, Json(click): Json<Click>) -> StatusCode {
///     match clicks.try_send(&click) {
///         Ok(()) => StatusCode::ACCEPTED,
///         Err(_) => StatusCode::SERVICE_UNAVAILABLE,
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = pipeline_emulator::server::Server::on_loopback(pipeline_emulator::Emulator::builder().build())?;
/// # let keys = pipeline_hyper::proto::Credentials::new(pipeline_emulator::DEVELOPMENT_ACCESS_KEY, pipeline_emulator::DEVELOPMENT_SECRET_KEY)?;
/// # let client = Client::builder().endpoint(server.url().parse()?).credentials(keys).no_proxy().build()?;
/// # let schema: pipeline_hyper::proto::resource::schema::Schema = "url string, bytes long".parse()?;
/// # client.create_repo("clicks", schema).await?;
/// let clicks = client.shipper("clicks").start(|verdict: Verdict| {
///     if let Some(reason) = verdict.reason() {
///         eprintln!("a click was lost: {reason}");
///     }
/// })?;
/// // let app = Router::new().route("/click", post(click)).with_state(clicks.clone());
/// # let sent = click(State(clicks.clone()), Json(Click { url: "/".into(), bytes: 7 })).await;
/// # assert_eq!(sent.0, 202);
/// // And when the server has stopped:
/// let books = clicks.close(std::time::Duration::from_secs(5)).await;
/// # assert_eq!(books.accepted.records, 1);
/// # Ok(())
/// # }
/// ```
///
/// When the last handle is dropped without [`close`](Self::close), what has no verdict yet is given up, and told so,
/// before `drop` returns.
pub struct Shipper<I = ()>(Arc<Handle<I>>);

struct Handle<I> {
    desk: Arc<Desk<I>>,
    changed: Arc<Notify>,
}

pipeline_shipper::client_builder!();
pipeline_shipper::client_shipper!();

impl ShipperBuilder {
    /// Begins, with tasks of its own on the present runtime. The function is told what became of each record, by
    /// those tasks, several at a time; it should be quick, must neither panic nor
    /// wait for the shipper, and may send what has room.
    ///
    /// # Errors
    ///
    /// If the name of the queue is not legal.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
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
        let changed = Arc::new(Notify::new());
        let bell = Arc::clone(&changed);
        let ring = move || {
            bell.notify_waiters();
            wake();
        };
        let (clients, workers, desk) = self.open(tell, ring)?;
        for _ in 0..workers {
            task::spawn(work(clients.clone(), desk.worker(), Arc::clone(&changed)));
        }
        Ok(Shipper(Arc::new(Handle { desk, changed })))
    }
}

async fn work<I: Send + 'static>(clients: Clients, desk: Worker<I>, changed: Arc<Notify>) {
    loop {
        let mut change = pin!(changed.notified());
        // From here on, no change is missed.
        change.as_mut().enable();
        match desk.step() {
            Step::Push(push) => {
                let Some((push, result)) = send(&clients.main, push).await else {
                    return;
                };
                desk.on_result(push, result);
            }
            Step::Ask(ask) => {
                let client = clients.of(ask.service());
                let result = client.send_with(ask.operation(), ask.options()).await;
                desk.on_reply(ask, result);
            }
            Step::Wait(Some(delay)) => {
                // Either is a reason to look again.
                let _ = timeout(delay, change).await;
            }
            Step::Wait(None) => change.await,
            Step::Settled(_) | Step::Done => return,
        }
    }
}

/// Nothing comes of it when the runtime is shut down.
async fn send(client: &Client, push: Push) -> Option<(Push, Result<(), Error>)> {
    let (push, operation) = if push.takes_time() {
        let compressed = task::spawn_blocking(move || {
            let operation = push.operation();
            (push, operation)
        });
        compressed.await.ok()?
    } else {
        let operation = push.operation();
        (push, operation)
    };
    let result = client.send_with(operation, push.options()).await;
    Some((push, result))
}

impl<I> Shipper<I> {
    /// Takes a record, any struct or map, as soon as there is room. The id comes back with its verdict. If the future
    /// is dropped before it is ready, the record is not taken.
    ///
    /// # Errors
    ///
    /// If it cannot be written as a [point](pipeline_proto::points) or as JSON, or the shipper is closed.
    pub async fn send_with<T: Serialize + ?Sized>(
        &self,
        id: I,
        record: &T,
    ) -> Result<(), SendError> {
        let line = self.line(record)?;
        self.send_line(id, &line).await
    }

    /// As [`send_with`](Self::send_with), with a record that is a point already, or a JSON object without a schema.
    ///
    /// # Errors
    ///
    /// If the shipper is closed.
    pub async fn send_line(&self, id: I, line: &[u8]) -> Result<(), SendError> {
        self.send_lines([(id, line)]).await
    }

    /// As [`send_line`](Self::send_line), with several records, which cost less together.
    ///
    /// # Errors
    ///
    /// If the shipper is closed. Then the record that was asked of the iterator last was not taken, nor were those
    /// behind it.
    pub async fn send_lines<'l>(
        &self,
        lines: impl IntoIterator<Item = (I, &'l [u8])>,
    ) -> Result<(), SendError> {
        let mut lines = lines.into_iter();
        let Err(mut refused) = self.0.desk.try_push_all(lines.by_ref()) else {
            return Ok(());
        };
        loop {
            let (NotTaken { id, why }, line) = refused;
            if why == WhyNot::Closed {
                return Err(SendError::NotTaken(why));
            }
            let mut change = pin!(self.0.changed.notified());
            change.as_mut().enable();
            let rest = [(id, line)].into_iter().chain(lines.by_ref());
            match self.0.desk.try_push_all(rest) {
                Ok(()) => return Ok(()),
                Err(again) => refused = again,
            }
            if matches!(refused.0.why, WhyNot::Full(_)) {
                change.await;
            }
        }
    }

    /// Sends what gathers, and waits until every record that was taken before has its verdict, and was told of.
    pub async fn flush(&self) {
        let flush = self.0.desk.flush();
        self.wait(|desk| desk.is_flushed(flush)).await;
    }

    /// Takes no further records, and sends what is there; what has no verdict after this time is given up. Of several
    /// times the shortest counts.
    pub async fn close(&self, time: Duration) -> Books {
        self.0.desk.close(time);
        // All tasks may be busy with requests that take longer, or gone.
        let _ = timeout(time, self.wait(Desk::is_done)).await;
        self.0.desk.abandon();
        self.books()
    }

    async fn wait(&self, is_over: impl Fn(&Desk<I>) -> bool) {
        loop {
            let mut change = pin!(self.0.changed.notified());
            change.as_mut().enable();
            if is_over(&self.0.desk) {
                return;
            }
            change.await;
        }
    }
}

impl Shipper {
    /// As [`send_with`](Self::send_with), for who needs no ids.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn send<T: Serialize + ?Sized>(&self, record: &T) -> Result<(), SendError> {
        self.send_with((), record).await
    }
}
