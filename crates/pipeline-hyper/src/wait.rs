use std::{
    future::{Future, IntoFuture},
    pin::Pin,
};

use pipeline_proto::{
    BuildError, CallOptions, WorkflowName,
    wait::{Goal, Observation, Step, WaitError, WaitOptions, Watch},
};

use crate::Client;

/// A wait that has not begun: await it. Dropped, it sends nothing.
///
/// ```no_run
/// use pipeline_hyper::Client;
/// use std::time::Duration;
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::builder().build()?;
/// client.ensure_stopped("clicks").await?;
/// let seen = client
///     .ensure_started("clicks")
///     .timeout(Duration::from_secs(60))
///     .on_look(|look| println!("{look}"))
///     .await?;
/// # let _ = seen;
/// # Ok(())
/// # }
/// ```
///
/// It ends with what was seen last, or with a [`WaitError`].
#[must_use = "await it"]
pub struct Wait<'w, W: Watch = WorkflowName> {
    client: Client,
    watched: Result<W, BuildError>,
    goal: Goal,
    acts: bool,
    options: WaitOptions,
    calls: CallOptions,
    on_look: OnLook<'w, W>,
}

pipeline_proto::waits!();

type OnLook<'w, W> = Box<dyn FnMut(&Observation<W>) + Send + 'w>;

impl<'w, W: Watch> Wait<'w, W> {
    /// Tells this function what each look showed.
    pub fn on_look<'f>(self, tell: impl FnMut(&Observation<W>) + Send + 'f) -> Wait<'f, W>
    where
        'w: 'f,
    {
        Wait {
            on_look: Box::new(tell),
            ..self
        }
    }

    /// In a span of its own, where there are spans.
    async fn run(self) -> Result<Observation<W>, WaitError> {
        #[cfg(feature = "tracing")]
        {
            let watched = self.watched.as_ref().map_or(String::new(), W::to_string);
            pipeline_trace::waiting_async(&watched, self.goal, self.drive()).await
        }
        #[cfg(not(feature = "tracing"))]
        self.drive().await
    }

    async fn drive(mut self) -> Result<Observation<W>, WaitError> {
        let mut step = self.first()?;
        loop {
            step = match step {
                Step::Send(due) => {
                    let result = self
                        .client
                        .send_with(due.operation(), self.calls.clone())
                        .await;
                    due.on_result(result, self.client.now())
                }
                Step::Pause(pause) => {
                    (self.on_look)(pause.observation());
                    tokio::time::sleep(pause.delay()).await;
                    pause.resume()
                }
                Step::Done(result) => {
                    if let Ok(observation) = &result {
                        (self.on_look)(observation);
                    }
                    return result;
                }
            };
        }
    }
}

impl<'w, W: Watch> IntoFuture for Wait<'w, W> {
    type Output = Result<Observation<W>, WaitError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'w>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
