use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    time::Duration,
};

use pipeline_proto::Now;
use tokio::{
    sync::{oneshot, watch},
    time,
};

use super::{Clock, Limits, StateFile, stop_asked, writer::Writer};
use crate::{Emulator, refusal::Refusal};

/// How much of a transition may have to be gone through again after the process was killed.
const TICK: Duration = Duration::from_secs(1);

/// What the server's tasks and its handle share.
pub(super) struct Shared {
    emulator: Mutex<Emulator>,
    clock: Box<Clock>,
    pub(super) limits: Limits,
    writer: Option<Writer>,
}

impl Shared {
    /// With a state file, the emulator has what is in the file, or a new file what is in the emulator.
    pub(super) fn new(
        mut emulator: Emulator,
        clock: Box<Clock>,
        limits: Limits,
        state: Option<StateFile>,
    ) -> io::Result<Arc<Self>> {
        let mut writer = None;
        if let Some(mut file) = state {
            let now = clock();
            if file.is_new() {
                let everything = emulator.state.take_changes(now, || true);
                file.log.write(everything)?;
            } else {
                emulator.restore(&file.contents, now);
                emulator.state.forget_changes();
            }
            writer = Some(Writer::start(file.log)?);
        }
        Ok(Arc::new(Self {
            emulator: Mutex::new(emulator),
            clock,
            limits,
            writer,
        }))
    }

    pub(super) fn now(&self) -> Now {
        (self.clock)()
    }

    /// A user's assertion may panic while it holds the lock; the emulator is none the worse for it.
    fn lock(&self) -> MutexGuard<'_, Emulator> {
        self.emulator.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks something up that no state depends on.
    pub(super) fn look<T>(&self, action: impl FnOnce(&Emulator) -> T) -> T {
        action(&self.lock())
    }

    /// Lets the emulator do something, and returns when all that can have been seen of it is written
    /// down, where it is to be: the changes made here and those made before.
    pub(super) async fn ask<T>(
        &self,
        action: impl FnOnce(&mut Emulator, Now) -> T,
    ) -> Result<T, Refusal> {
        let (sender, written) = oneshot::channel();
        let (result, waits) = self.act(action, move || {
            // Nobody is listening any more if the client has gone.
            let _ = sender.send(());
        });
        if waits {
            self.outcome(written.await.is_ok())?;
        }
        Ok(result)
    }

    /// The same for callers that are not asynchronous. They get their result even if it cannot be
    /// written down; clients will hear of that.
    pub(super) fn ask_and_block<T>(&self, action: impl FnOnce(&mut Emulator, Now) -> T) -> T {
        let (sender, written) = mpsc::channel();
        let (result, waits) = self.act(action, move || {
            let _ = sender.send(());
        });
        if waits {
            let _ = written.recv();
        }
        result
    }

    /// Gives what the emulator gave, and whether there is something to wait for.
    fn act<T>(
        &self,
        action: impl FnOnce(&mut Emulator, Now) -> T,
        written: impl FnOnce() + Send + 'static,
    ) -> (T, bool) {
        let mut emulator = self.lock();
        // Under the lock, so that the emulator never sees time run backwards.
        let now = self.now();
        let result = action(&mut emulator, now);
        let waits = self.submit(&mut emulator, now, written);
        (result, waits)
    }

    /// Under the emulator's lock, so that changes are submitted in their order.
    fn submit(
        &self,
        emulator: &mut Emulator,
        now: Now,
        written: impl FnOnce() + Send + 'static,
    ) -> bool {
        let Some(writer) = &self.writer else {
            return false;
        };
        let change = emulator
            .state
            .take_changes(now, || writer.wants_everything());
        if change.is_none() && writer.is_idle() && writer.failure().is_none() {
            return false;
        }
        writer.submit(change, written);
        true
    }

    fn outcome(&self, answered: bool) -> Result<(), Refusal> {
        let failure = self.writer.as_ref().and_then(Writer::failure);
        let reason = match failure {
            Some(reason) => reason,
            None if answered => return Ok(()),
            None => "its writer is gone",
        };
        Err(Refusal::plain(
            http::StatusCode::INTERNAL_SERVER_ERROR,
            format!("changes cannot be kept any more, restart the emulator: {reason}"),
        ))
    }

    /// Writes down how far transitions have come, again and again and at the end.
    pub(super) async fn follow_time(&self, mut stopped: watch::Receiver<bool>) {
        if self.writer.is_none() {
            return;
        }
        loop {
            let stop = tokio::select! {
                () = time::sleep(TICK) => false,
                () = stop_asked(&mut stopped) => true,
            };
            let note = |emulator: &mut Emulator, now| {
                let manual_run = emulator.rules.manual_run;
                emulator.state.mark_under_way(now, manual_run);
            };
            self.act(note, || {});
            if stop {
                return;
            }
        }
    }
}
