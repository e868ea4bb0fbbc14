use std::fmt;

use pipeline_proto::{CallOptions, Error, Operation};

use crate::Client;

/// A call that is not sent yet: [`send`](Self::send) it. Dropped, it sends nothing.
///
/// ```no_run
/// use pipeline_blocking::Client;
/// use std::time::Duration;
///
/// let client = Client::builder().build()?;
/// let logs = client.get_workflow("logs").total_timeout(Duration::from_secs(5)).send()?;
/// client.create_workflow("clicks").comment("all sites").send()?;
/// # let _ = logs;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "call `send`"]
pub struct Request<O> {
    client: Client,
    operation: Result<O, Error>,
    options: CallOptions,
}

pipeline_proto::request_options!();

impl<O: Operation> Request<O> {
    /// Sends it and waits for the result.
    ///
    /// # Errors
    ///
    /// See [`Error`]. A name that is not legal is an error before anything is sent.
    pub fn send(self) -> Result<O::Output, Error> {
        self.client.send_with(self.operation?, self.options)
    }
}

impl<O: fmt::Debug> fmt::Debug for Request<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("operation", &self.operation)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Client {
    fn request<O>(&self, operation: Result<O, Error>) -> Request<O> {
        Request {
            client: self.clone(),
            operation,
            options: CallOptions::new(),
        }
    }
}

pipeline_proto::for_each_table!(pipeline_proto::client_methods);
pipeline_proto::methods_of_read!();
