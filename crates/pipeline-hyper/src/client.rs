use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{Request, Response};

use pipeline_proto::{Call, CallOptions, Context, Error, Fault, FaultKind, Next, Now, Operation};
use tokio::time::{Instant, timeout};

use crate::transport::Transport;

/// A client of the service for tokio.
///
/// ```no_run
/// use pipeline_hyper::Client;
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::builder().build()?;
/// // Clones share connections and what was learned of the service's clock.
/// let other = client.clone();
/// let (logs, clicks) = tokio::join!(client.get_workflow("logs"), other.get_workflow("clicks"));
/// println!("{} {}", logs?.status, clicks?.status);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    context: Context,
    exchange: Exchange,
    /// Where the monotonic clock starts: the runtime's, which tests can pause.
    origin: Instant,
}

enum Exchange {
    Ours(Transport),
    Other(Box<dyn Fn(Request<Bytes>, Duration) -> Pending + Send + Sync>),
}

type Pending = Pin<Box<dyn Future<Output = Result<Response<Bytes>, Fault>> + Send>>;

impl Client {
    /// Of its two parts. The transport goes to the endpoint of the context.
    pub fn new(context: Context, transport: Transport) -> Self {
        Self::over(context, Exchange::Ours(transport))
    }

    /// Sends requests by a function of yours: over another HTTP library, or to an emulator in the same
    /// process. It has the time that comes with the request, and is dropped when that is over.
    ///
    /// ```
    /// use pipeline_hyper::{Client, proto::{Context, Now}};
    /// use pipeline_emulator::{Authentication, Emulator};
    /// use std::{future, sync::Mutex, time::{Duration, SystemTime}};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), pipeline_hyper::proto::Error> {
    /// let emulator = Mutex::new(Emulator::builder().authentication(Authentication::Off).build());
    /// let started = tokio::time::Instant::now();
    /// let client = Client::with_transport(Context::builder().build(), move |request, _timeout| {
    ///     let now = Now::new(SystemTime::now(), started.elapsed());
    ///     future::ready(Ok(emulator.lock().unwrap().handle(request, now)))
    /// });
    /// client.create_workflow("clicks").await?;
    /// assert_eq!(client.list_workflows().await?.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_transport<F>(
        context: Context,
        exchange: impl Fn(Request<Bytes>, Duration) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Response<Bytes>, Fault>> + Send + 'static,
    {
        let exchange = move |request, timeout| Box::pin(exchange(request, timeout)) as Pending;
        Self::over(context, Exchange::Other(Box::new(exchange)))
    }

    fn over(context: Context, exchange: Exchange) -> Self {
        Self(Arc::new(Inner {
            context,
            exchange,
            origin: Instant::now(),
        }))
    }

    /// What the calls of this client have in common.
    pub fn context(&self) -> &Context {
        &self.0.context
    }

    /// Sends an operation and waits for its result, with as many attempts as the retry policy allows.
    ///
    /// # Errors
    ///
    /// See [`Error`]; [`Error::effect`] says whether a failed call may have changed something.
    pub async fn send<O: Operation>(&self, operation: O) -> Result<O::Output, Error> {
        self.send_with(operation, CallOptions::new()).await
    }

    /// As [`send`](Self::send), with other options for this call.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn send_with<O: Operation>(
        &self,
        operation: O,
        options: CallOptions,
    ) -> Result<O::Output, Error> {
        let options = options.or_seed(|| fastrand::u64(..));
        let call = Call::new(&self.0.context, operation, options)?;
        let mut attempt = call.start(self.now());
        loop {
            let (request, in_flight) = attempt.send();
            let next = match self.exchange(request, in_flight.timeout()).await {
                Ok(response) => in_flight.on_response(response, self.now()),
                Err(fault) => in_flight.on_fault(fault, self.now()),
            };
            match next {
                Next::Done(result) => return result,
                Next::Retry(backoff) => {
                    tokio::time::sleep(backoff.delay()).await;
                    attempt = backoff.resume(self.now())?;
                }
            }
        }
    }

    async fn exchange(
        &self,
        request: Request<Bytes>,
        time: Duration,
    ) -> Result<Response<Bytes>, Fault> {
        match &self.0.exchange {
            Exchange::Ours(transport) => transport.exchange(request, time).await,
            Exchange::Other(exchange) => timeout(time, exchange(request, time))
                .await
                .unwrap_or_else(|_| Err(Fault::new(FaultKind::TimedOut))),
        }
    }

    pub(crate) fn now(&self) -> Now {
        Now::new(SystemTime::now(), self.0.origin.elapsed())
    }
}
