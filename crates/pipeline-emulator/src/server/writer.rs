//! Writes changes down on a thread of its own, many with one sync.

use std::{
    io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread,
};

use super::state_file::Log;
use crate::state::Change;

pub(super) struct Writer {
    /// Gone only while the writer is being dropped.
    jobs: Option<mpsc::Sender<Job>>,
    progress: Arc<Progress>,
    thread: Option<thread::JoinHandle<()>>,
}

struct Job {
    change: Option<Change>,
    done: Box<dyn FnOnce() + Send>,
}

#[derive(Default)]
struct Progress {
    submitted: AtomicU64,
    done: AtomicU64,
    has_grown: AtomicBool,
    failure: OnceLock<String>,
}

impl Writer {
    pub(super) fn start(mut log: Log) -> io::Result<Self> {
        let (sender, jobs) = mpsc::channel::<Job>();
        let progress = Arc::new(Progress::default());
        let of_thread = progress.clone();
        let thread = thread::Builder::new()
            .name("pipeline-emulator-state".to_owned())
            .spawn(move || {
                while let Ok(job) = jobs.recv() {
                    // All that wait share one sync.
                    let batch = std::iter::once(job).chain(jobs.try_iter()).collect();
                    of_thread.carry_out(&mut log, batch);
                }
            })?;
        Ok(Self {
            jobs: Some(sender),
            progress,
            thread: Some(thread),
        })
    }

    /// Why nothing can be written any more, if that is so.
    pub(super) fn failure(&self) -> Option<&str> {
        self.progress.failure.get().map(String::as_str)
    }

    /// Whether the next change should bring everything. Whoever asks has to see to that.
    pub(super) fn wants_everything(&self) -> bool {
        self.progress.has_grown.swap(false, Ordering::Relaxed)
    }

    /// Whether all that was submitted is written, or never will be.
    pub(super) fn is_idle(&self) -> bool {
        let Progress {
            submitted, done, ..
        } = &*self.progress;
        done.load(Ordering::Acquire) == submitted.load(Ordering::Acquire)
    }

    /// Says when a change, and everything that was submitted before, is written. Changes are written
    /// in the order of these calls.
    pub(super) fn submit(&self, change: Option<Change>, done: impl FnOnce() + Send + 'static) {
        self.progress.submitted.fetch_add(1, Ordering::AcqRel);
        let done = Box::new(done);
        if let Some(jobs) = &self.jobs {
            // Were the thread gone, `done` would be dropped, which tells whoever waits.
            let _ = jobs.send(Job { change, done });
        }
    }
}

impl Progress {
    fn carry_out(&self, log: &mut Log, batch: Vec<Job>) {
        let count = batch.len() as u64;
        let (changes, waiting): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|job| (job.change, job.done)).unzip();
        if self.failure.get().is_none() {
            match log.write(changes.into_iter().flatten()) {
                Ok(()) => self.has_grown.store(log.has_grown(), Ordering::Relaxed),
                Err(error) => {
                    let path = log.path().display();
                    let _ = self.failure.set(format!("the state file {path}: {error}"));
                }
            }
        }
        self.done.fetch_add(count, Ordering::AcqRel);
        for done in waiting {
            done();
        }
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
