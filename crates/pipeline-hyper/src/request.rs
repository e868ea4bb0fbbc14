use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
};

use pipeline_proto::{CallOptions, Error, Operation};

use crate::Client;

/// A call that is not sent yet: await it. Dropped, it sends nothing.
///
/// ```no_run
/// use pipeline_hyper::Client;
/// use std::time::Duration;
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::builder().build()?;
/// let logs = client.get_workflow("logs").total_timeout(Duration::from_secs(5)).await?;
/// client.create_workflow("clicks").comment("all sites").await?;
/// // Two at once; and in a task of its own, which wants a future.
/// let (a, b) = tokio::join!(client.get_workflow("a"), client.get_workflow_status("b"));
/// tokio::spawn(client.delete_workflow("old").into_future());
/// # let _ = (logs, a, b);
/// # Ok(())
/// # }
/// ```
#[must_use = "await it"]
pub struct Request<O> {
    client: Client,
    operation: Result<O, Error>,
    options: CallOptions,
}

pipeline_proto::request_options!();

impl<O: Operation + Send + 'static> IntoFuture for Request<O>
where
    O::Output: Send,
{
    type Output = Result<O::Output, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.client.send_with(self.operation?, self.options).await })
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
