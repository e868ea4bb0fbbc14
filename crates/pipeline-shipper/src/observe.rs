use std::{fmt, sync::Arc, time::Duration};

use pipeline_proto::{Error, wait::WaitError};

use crate::{books::Count, exports::ExportError};

/// What happens to batches. The calls themselves are told to the observers of their
/// [context](pipeline_proto::observe).
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A batch was accepted.
    #[non_exhaustive]
    Accepted {
        /// What was in it.
        count: Count,
        /// How many times it was sent.
        attempts: u32,
    },
    /// A batch was refused for what is in it, and is sent in two halves.
    #[non_exhaustive]
    Halved {
        /// What was in it.
        count: Count,
        /// Why.
        error: &'a Error,
    },
    /// A batch failed, and no request is made before this delay has passed.
    #[non_exhaustive]
    BackOff {
        /// What was in it.
        count: Count,
        /// Why.
        error: &'a Error,
        /// How long.
        delay: Duration,
    },
    /// The schema of the queue is another than before.
    #[non_exhaustive]
    SchemaChanged {
        /// How many fields it has.
        fields: usize,
        /// Whether it was changed here.
        is_ours: bool,
    },
    /// A workflow was stopped for a change, and does not start again, or there was no time left for it.
    #[non_exhaustive]
    LeftStopped {
        /// Its name.
        workflow: &'a str,
        /// Why.
        error: Option<&'a WaitError>,
    },
    /// An export of the queue was made.
    #[non_exhaustive]
    ExportMade {
        /// Its name.
        export: &'a str,
    },
    /// An export of the queue writes fields that it did not write before.
    #[non_exhaustive]
    ExportGrown {
        /// Its name.
        export: &'a str,
    },
    /// An export of the queue is not there, or not as asked for. It is told once, and tried again: after a while if it
    /// may pass, else when the schema changes.
    #[non_exhaustive]
    ExportFailed {
        /// Why.
        error: &'a ExportError,
    },
    /// Records are dead: a single one, or, when the service refuses the push whatever is in it, a batch.
    #[non_exhaustive]
    Dead {
        /// What was in it.
        count: Count,
        /// Why.
        error: &'a Error,
    },
}

/// Who is told.
#[derive(Clone, Default)]
pub(crate) struct Observers(Vec<Arc<Function>>);

type Function = dyn Fn(&Event<'_>) + Send + Sync;

impl Observers {
    pub(crate) fn add(&mut self, observe: impl Fn(&Event<'_>) + Send + Sync + 'static) {
        self.0.push(Arc::new(observe));
    }

    pub(crate) fn tell(&self, event: &Event<'_>) {
        for observe in &self.0 {
            observe(event);
        }
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} observers]", self.0.len())
    }
}
