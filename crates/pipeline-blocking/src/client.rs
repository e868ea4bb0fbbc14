use std::{
    fmt,
    sync::Arc,
    thread,
    time::{Instant, SystemTime},
};

use pipeline_proto::{Call, CallOptions, Context, Error, Next, Now, Operation};

use crate::{builder::ClientBuilder, exchange::Exchange};

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

impl Client {
    /// Starts with the defaults of [`ClientBuilder`].
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    pub(crate) fn new(context: Context, exchange: Exchange) -> Self {
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
            let next = match self.0.exchange.run(&request, in_flight.timeout()) {
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

    pub(crate) fn now(&self) -> Now {
        Now::new(SystemTime::now(), self.0.origin.elapsed())
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("context", &self.0.context)
            .finish_non_exhaustive()
    }
}
