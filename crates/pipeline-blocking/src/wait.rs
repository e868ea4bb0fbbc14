use std::thread;

use pipeline_proto::{
    BuildError, CallOptions, WorkflowName,
    wait::{Goal, Observation, Step, WaitError, WaitOptions, Watch},
};

use crate::Client;

/// A wait that has not begun: it does with [`wait`](Self::wait).
///
/// ```no_run
/// use pipeline_blocking::Client;
/// use std::time::Duration;
///
/// let client = Client::builder().build()?;
/// client.ensure_stopped("clicks").wait()?;
/// let seen = client
///     .ensure_started("clicks")
///     .timeout(Duration::from_secs(60))
///     .on_look(|look| println!("{look}"))
///     .wait()?;
/// # let _ = seen;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "call `wait`"]
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

type OnLook<'w, W> = Box<dyn FnMut(&Observation<W>) + 'w>;

impl<'w, W: Watch> Wait<'w, W> {
    /// Tells this function what each look showed.
    pub fn on_look<'f>(self, tell: impl FnMut(&Observation<W>) + 'f) -> Wait<'f, W>
    where
        'w: 'f,
    {
        Wait {
            on_look: Box::new(tell),
            ..self
        }
    }

    /// Waits; what was seen last is its result.
    ///
    /// # Errors
    ///
    /// See [`WaitError`].
    pub fn wait(self) -> Result<Observation<W>, WaitError> {
        // In a span of its own, where there are spans.
        #[cfg(feature = "tracing")]
        {
            let watched = self.watched.as_ref().map_or(String::new(), W::to_string);
            pipeline_trace::waiting(&watched, self.goal, || self.drive())
        }
        #[cfg(not(feature = "tracing"))]
        self.drive()
    }

    fn drive(mut self) -> Result<Observation<W>, WaitError> {
        let mut step = self.first()?;
        loop {
            step = match step {
                Step::Send(due) => {
                    let result = self.client.send_with(due.operation(), self.calls.clone());
                    due.on_result(result, self.client.now())
                }
                Step::Pause(pause) => {
                    (self.on_look)(pause.observation());
                    thread::sleep(pause.delay());
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
