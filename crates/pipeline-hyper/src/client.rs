use std::{
    fmt,
    sync::Arc,
    time::{Instant, SystemTime},
};

use pipeline_proto::{Call, CallOptions, Context, Error, Next, Now, Operation};

use crate::{builder::ClientBuilder, exchange::Exchange};

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
            let next = match self.0.exchange.run(request, in_flight.timeout()).await {
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
