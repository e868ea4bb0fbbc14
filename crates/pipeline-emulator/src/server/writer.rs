//! Writes changes down on a thread of its own, many with one commit.

use std::{
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
};

use super::{StateError, StateFile, shared::Service};
use crate::state::Change;

/// Something that happened to a state file while it was in use.
///
/// `Display` is a line for the person who runs the emulator.
#[derive(Debug)]
#[non_exhaustive]
pub enum StateEvent {
    /// Changes cannot be kept. Each is taken back and answered with 503, until they can be kept again.
    Refusing(String),
    /// Changes are kept again, and everything is in the file.
    Keeping,
    /// The file had become unusable and was written anew: nothing is lost.
    Renewed(String),
}

impl fmt::Display for StateEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refusing(why) => write!(f, "changes are refused until they can be kept: {why}"),
            Self::Keeping => f.write_str("changes are kept again"),
            Self::Renewed(why) => write!(f, "{why}; everything was written to it anew"),
        }
    }
}

/// Hears of events.
pub(super) type Watcher = dyn Fn(&StateEvent) + Send + Sync;

/// What becomes of changes: kept, or taken back for this reason.
pub(super) type Outcome = Result<(), Arc<str>>;

pub(super) struct Writer {
    /// Gone only while the writer is being dropped.
    jobs: Option<mpsc::Sender<Job>>,
    progress: Arc<Progress>,
    thread: Option<thread::JoinHandle<()>>,
}

struct Job {
    changes: Vec<Change>,
    /// Whether to see to the file even if nothing has changed.
    checks: bool,
    done: Box<dyn FnOnce(Outcome) + Send>,
}

#[derive(Default)]
struct Progress {
    submitted: AtomicU64,
    done: AtomicU64,
}

/// The thread's own.
struct Keeper {
    file: StateFile,
    service: Arc<Service>,
    watcher: Box<Watcher>,
    /// Why changes are being refused.
    failure: Option<Arc<str>>,
}

impl Writer {
    pub(super) fn start(
        file: StateFile,
        service: Arc<Service>,
        watcher: Box<Watcher>,
    ) -> io::Result<Self> {
        let (sender, jobs) = mpsc::channel::<Job>();
        let progress = Arc::new(Progress::default());
        let of_thread = progress.clone();
        let mut keeper = Keeper {
            file,
            service,
            watcher,
            failure: None,
        };
        let thread = thread::Builder::new()
            .name("pipeline-emulator-state".to_owned())
            .spawn(move || {
                while let Ok(job) = jobs.recv() {
                    // All that wait share one commit.
                    let batch: Vec<Job> = std::iter::once(job).chain(jobs.try_iter()).collect();
                    let ended = keeper.carry_out(batch, &jobs);
                    of_thread.done.fetch_add(ended, Ordering::AcqRel);
                }
            })?;
        Ok(Self {
            jobs: Some(sender),
            progress,
            thread: Some(thread),
        })
    }

    /// Whether all that was submitted has come to its end.
    pub(super) fn is_idle(&self) -> bool {
        let Progress { submitted, done } = &*self.progress;
        done.load(Ordering::Acquire) == submitted.load(Ordering::Acquire)
    }

    /// Says when changes, and everything that was submitted before, are written. To be called under the
    /// emulator's lock, so that changes are submitted in their order.
    pub(super) fn submit(
        &self,
        changes: Vec<Change>,
        checks: bool,
        done: impl FnOnce(Outcome) + Send + 'static,
    ) {
        self.progress.submitted.fetch_add(1, Ordering::AcqRel);
        if let Some(jobs) = &self.jobs {
            // Were the thread gone, `done` would be dropped, which tells whoever waits.
            let _ = jobs.send(Job {
                changes,
                checks,
                done: Box::new(done),
            });
        }
    }
}

impl Keeper {
    /// Gives how many jobs have come to their end.
    fn carry_out(&mut self, batch: Vec<Job>, jobs: &mpsc::Receiver<Job>) -> u64 {
        let is_needed = batch
            .iter()
            .any(|job| job.checks || !job.changes.is_empty());
        let kept = if is_needed { self.keep(&batch) } else { Ok(()) };
        let batch = match kept {
            Ok(()) => batch,
            Err(_) => self.take_back(batch, jobs),
        };
        let ended = batch.len() as u64;
        for job in batch {
            (job.done)(kept.clone());
        }
        ended
    }

    fn keep(&mut self, batch: &[Job]) -> Outcome {
        if self.failure.is_none() {
            let mut changes = batch.iter().flat_map(|job| &job.changes).peekable();
            let written = match changes.peek() {
                Some(_) => self.file.write(changes),
                None => self.file.check(),
            };
            let Err(first) = written else { return Ok(()) };
            if self.write_all().is_ok() {
                (self.watcher)(&StateEvent::Renewed(first.to_string()));
                return Ok(());
            }
        }
        match self.write_all() {
            Ok(()) => {
                if self.failure.take().is_some() {
                    (self.watcher)(&StateEvent::Keeping);
                }
                Ok(())
            }
            Err(error) => {
                let why: Arc<str> = error.to_string().into();
                if self.failure.replace(why.clone()).is_none() {
                    (self.watcher)(&StateEvent::Refusing(why.to_string()));
                }
                Err(why)
            }
        }
    }

    /// What is in the file after an error is not known for certain, so everything is written.
    fn write_all(&mut self) -> Result<(), StateError> {
        let (image, now) = {
            let emulator = self.service.lock();
            (emulator.state.image(), self.service.now())
        };
        self.file.write_all(&image, now)
    }

    /// Takes back what cannot be kept, and what came on top of it meanwhile.
    fn take_back(&self, mut batch: Vec<Job>, jobs: &mpsc::Receiver<Job>) -> Vec<Job> {
        let mut emulator = self.service.lock();
        batch.extend(jobs.try_iter());
        let changes: Vec<Change> = batch
            .iter_mut()
            .flat_map(|job| std::mem::take(&mut job.changes))
            .collect();
        emulator.state.undo(changes.into_iter());
        batch
    }
}

impl Drop for Writer {
    /// Waits until everything that was submitted is written.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic has been reported by the thread itself.
            let _ = thread.join();
        }
    }
}
