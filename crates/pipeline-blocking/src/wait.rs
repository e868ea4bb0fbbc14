use std::{fmt, thread};

use pipeline_proto::{
    BuildError, CallOptions, Error, WorkflowName,
    wait::{Goal, Observation, Step, WaitError, WaitOptions, Waiter, Watch},
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

type OnLook<'w, W> = Box<dyn FnMut(&Observation<W>) + 'w>;

impl<'w, W: Watch> Wait<'w, W> {
    pipeline_proto::wait_options!();

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

    fn drive(self) -> Result<Observation<W>, WaitError> {
        let Self {
            client,
            watched,
            goal,
            acts,
            options,
            calls,
            mut on_look,
        } = self;
        let watched =
            watched.map_err(|error| WaitError::unnamed(goal, Error::build("wait", error)))?;
        let mut step = if acts {
            Waiter::ensure(watched, goal, options, client.now())
        } else {
            Waiter::until(watched, goal, options, client.now())
        };
        loop {
            step = match step {
                Step::Send(due) => {
                    let result = client.send_with(due.operation(), calls.clone());
                    due.on_result(result, client.now())
                }
                Step::Pause(pause) => {
                    on_look(pause.observation());
                    thread::sleep(pause.delay());
                    pause.resume()
                }
                Step::Done(result) => {
                    if let Ok(observation) = &result {
                        on_look(observation);
                    }
                    return result;
                }
            };
        }
    }
}

impl<W: Watch> fmt::Debug for Wait<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("watched", &self.watched)
            .field("goal", &self.goal)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Waits until a workflow is started, stopped or gone. Only looks.
    pub fn wait_until(
        &self,
        name: impl TryInto<WorkflowName, Error: Into<BuildError>>,
        goal: Goal,
    ) -> Wait<'static> {
        self.begin(named(name), goal, false)
    }

    /// Starts a workflow if need be, from whatever state it is in, and waits until it is started.
    pub fn ensure_started(
        &self,
        name: impl TryInto<WorkflowName, Error: Into<BuildError>>,
    ) -> Wait<'static> {
        self.begin(named(name), Goal::Started, true)
    }

    /// Stops a workflow if need be, from whatever state it is in, and waits until it is stopped.
    pub fn ensure_stopped(
        &self,
        name: impl TryInto<WorkflowName, Error: Into<BuildError>>,
    ) -> Wait<'static> {
        self.begin(named(name), Goal::Stopped, true)
    }

    /// As [`wait_until`](Self::wait_until), for whatever can be watched.
    pub fn wait<W: Watch>(&self, watched: W, goal: Goal) -> Wait<'static, W> {
        self.begin(Ok(watched), goal, false)
    }

    /// Starts or stops whatever can be watched, if need be, and waits for the goal. Nothing is deleted.
    pub fn ensure<W: Watch>(&self, watched: W, goal: Goal) -> Wait<'static, W> {
        self.begin(Ok(watched), goal, true)
    }

    fn begin<W: Watch>(
        &self,
        watched: Result<W, BuildError>,
        goal: Goal,
        acts: bool,
    ) -> Wait<'static, W> {
        Wait {
            client: self.clone(),
            watched,
            goal,
            acts,
            options: WaitOptions::default(),
            calls: CallOptions::new(),
            on_look: Box::new(|_| {}),
        }
    }
}

fn named(
    name: impl TryInto<WorkflowName, Error: Into<BuildError>>,
) -> Result<WorkflowName, BuildError> {
    name.try_into().map_err(Into::into)
}
