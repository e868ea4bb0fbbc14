use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use http::{Request, Response};

use pipeline_proto::{Call, CallOptions, Context, Error, Fault, Next, Now, Operation};

use crate::transport::Transport;

/// A client of the service that blocks the calling thread.
///
/// ```no_run
/// use pipeline_blocking::Client;
/// use std::thread;
///
/// let client = Client::builder().build()?;
/// // Clones share connections and what was learned of the service's clock.
/// let other = client.clone();
/// let clicks = thread::spawn(move || other.get_workflow("clicks"));
/// println!("{}", client.get_workflow("logs").send()?.status);
/// # let _ = clicks.join();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    context: Context,
    exchange: Exchange,
    /// Where the monotonic clock starts.
    origin: Instant,
}

type Function = dyn Fn(&Request<Bytes>, Duration) -> Result<Response<Bytes>, Fault> + Send + Sync;

enum Exchange {
    Ours(Transport),
    Other(Box<Function>),
}

impl Client {
    /// Of its two parts. The transport goes to the endpoint of the context.
    pub fn new(context: Context, transport: Transport) -> Self {
        Self::over(context, Exchange::Ours(transport))
    }

    /// Sends requests by a function of yours: over another HTTP library, or to an emulator in the same
    /// process. It must end within the time that comes with the request.
    ///
    /// ```
    /// use pipeline_blocking::{Client, proto::{Context, Now}};
    /// use pipeline_emulator::{Authentication, Emulator};
    /// use std::{sync::Mutex, time::{Instant, SystemTime}};
    ///
    /// let emulator = Mutex::new(Emulator::builder().authentication(Authentication::Off).build());
    /// let started = Instant::now();
    /// let client = Client::with_transport(Context::builder().build(), move |request, _timeout| {
    ///     let now = Now::new(SystemTime::now(), started.elapsed());
    ///     Ok(emulator.lock().unwrap().handle(request.clone(), now))
    /// });
    /// client.create_workflow("clicks").send()?;
    /// assert_eq!(client.list_workflows().send()?.len(), 1);
    /// # Ok::<(), pipeline_blocking::proto::Error>(())
    /// ```
    pub fn with_transport(
        context: Context,
        exchange: impl Fn(&Request<Bytes>, Duration) -> Result<Response<Bytes>, Fault>
        + Send
        + Sync
        + 'static,
    ) -> Self {
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
    pub fn send<O: Operation>(&self, operation: O) -> Result<O::Output, Error> {
        self.send_with(operation, CallOptions::new())
    }

    /// As [`send`](Self::send), with other options for this call.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_with<O: Operation>(
        &self,
        operation: O,
        options: CallOptions,
    ) -> Result<O::Output, Error> {
        let options = options.or_seed(|| fastrand::u64(..));
        let call = Call::new(&self.0.context, operation, options)?;
        let mut attempt = call.start(self.now());
        loop {
            let (request, in_flight) = attempt.send();
            let next = match self.exchange(&request, in_flight.timeout()) {
                Ok(response) => in_flight.on_response(response, self.now()),
                Err(fault) => in_flight.on_fault(fault, self.now()),
            };
            match next {
                Next::Done(result) => return result,
                Next::Retry(backoff) => {
                    thread::sleep(backoff.delay());
                    attempt = backoff.resume(self.now())?;
                }
            }
        }
    }

    fn exchange(&self, request: &Request<Bytes>, time: Duration) -> Result<Response<Bytes>, Fault> {
        match &self.0.exchange {
            Exchange::Ours(transport) => transport.exchange(request, time),
            Exchange::Other(exchange) => exchange(request, time),
        }
    }

    pub(crate) fn now(&self) -> Now {
        Now::new(SystemTime::now(), self.0.origin.elapsed())
    }
}
