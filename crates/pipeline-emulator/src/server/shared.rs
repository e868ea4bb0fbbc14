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

use super::{
    Clock, Courier, Limits, RequestLog, StateFile, stop_asked,
    writer::{Outcome, Watcher, Writer},
};
use crate::{
    delivery::{Delivery, Fate},
    emulator::Emulator,
    refusal::Refusal,
    state::Change,
};

/// How much of a transition may have to be gone through again after the process was killed, and how
/// long it may take until a state file that was removed is noticed.
const TICK: Duration = Duration::from_secs(1);

/// The emulator and its clock.
pub(super) struct Service {
    emulator: Mutex<Emulator>,
    clock: Box<Clock>,
}

impl Service {
    pub(super) fn now(&self) -> Now {
        (self.clock)()
    }

    /// A user's assertion may panic while it holds the lock; the emulator is none the worse for it.
    pub(super) fn lock(&self) -> MutexGuard<'_, Emulator> {
        self.emulator.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the server's tasks and its handle share.
pub(super) struct Shared {
    service: Arc<Service>,
    pub(super) limits: Limits,
    writer: Option<Writer>,
    pub(super) log: Option<Box<RequestLog>>,
    courier: Courier,
}

impl Shared {
    /// With a state file, the emulator has what is in the file, or a new file what is in the emulator.
    pub(super) fn new(
        mut emulator: Emulator,
        clock: Box<Clock>,
        limits: Limits,
        state: Option<(StateFile, Box<Watcher>)>,
        log: Option<Box<RequestLog>>,
        courier: Courier,
    ) -> io::Result<Arc<Self>> {
        let mut state = state;
        if let Some((file, _)) = &mut state {
            let now = clock();
            match file.contents.take() {
                Some(contents) => emulator.restore(&contents, now),
                None => file
                    .write_all(&emulator.state.image(), now)
                    .map_err(io::Error::other)?,
            }
            emulator.state.take_changes(now);
        }
        let service = Arc::new(Service {
            emulator: Mutex::new(emulator),
            clock,
        });
        let writer = state.map(|(file, watcher)| Writer::start(file, service.clone(), watcher));
        Ok(Arc::new(Self {
            service,
            limits,
            writer: writer.transpose()?,
            log,
            courier,
        }))
    }

    /// Lets what a push has brought about be delivered sometime.
    pub(super) fn send(&self, deliveries: Vec<Delivery>) {
        for delivery in deliveries {
            if let Some(delivery) = self.courier.send(delivery) {
                self.note_delivery(&delivery, Fate::Dropped);
            }
        }
    }

    pub(super) fn note_delivery(&self, delivery: &Delivery, fate: Fate) {
        let deliveries = &mut self.service.lock().deliveries;
        deliveries.report(&delivery.owner, &delivery.export, fate);
    }

    pub(super) fn now(&self) -> Now {
        self.service.now()
    }

    /// Looks something up that no state depends on.
    pub(super) fn look<T>(&self, action: impl FnOnce(&Emulator) -> T) -> T {
        action(&self.service.lock())
    }

    /// Lets the emulator do something, and returns when all that can have been seen of it is written
    /// down, where it is to be: the changes made here and those made before. What cannot be written is
    /// taken back.
    pub(super) async fn ask<T>(
        &self,
        action: impl FnOnce(&mut Emulator, Now) -> T,
    ) -> Result<T, Refusal> {
        if self.writer.is_none() {
            return Ok(self.act(action, drop).0);
        }
        let (sender, written) = oneshot::channel();
        let (result, waits) = self.act(action, move |outcome| {
            // Nobody is listening any more if the client has gone.
            let _ = sender.send(outcome);
        });
        if waits {
            let outcome = written.await.unwrap_or_else(|_| gone());
            outcome.map_err(|why| refusal(&why))?;
        }
        Ok(result)
    }

    /// The same for what a user does to the emulator, who may put another one in its place.
    pub(super) fn replace_and_block<T>(&self, action: impl FnOnce(&mut Emulator) -> T) -> T {
        let mut emulator = self.service.lock();
        let Some(writer) = &self.writer else {
            return action(&mut emulator);
        };
        let image = emulator.state.image();
        let result = action(&mut emulator);
        let changes = emulator.state.take_difference(image, self.now());
        let (sender, written) = mpsc::channel();
        let waits = submit(writer, changes, false, move |_| {
            let _ = sender.send(());
        });
        drop(emulator);
        if waits {
            let _ = written.recv();
        }
        result
    }

    /// Gives what the emulator gave, and whether there is something to wait for.
    fn act<T>(
        &self,
        action: impl FnOnce(&mut Emulator, Now) -> T,
        written: impl FnOnce(Outcome) + Send + 'static,
    ) -> (T, bool) {
        let mut emulator = self.service.lock();
        // Under the lock, so that the emulator never sees time run backwards.
        let now = self.now();
        let result = action(&mut emulator, now);
        let waits = self.writer.as_ref().is_some_and(|writer| {
            let changes = emulator.state.take_changes(now);
            submit(writer, changes, false, written)
        });
        (result, waits)
    }

    /// Writes down how far transitions have come, and sees to the file.
    fn note_time(&self, written: impl FnOnce(Outcome) + Send + 'static) -> bool {
        self.writer.as_ref().is_some_and(|writer| {
            let mut emulator = self.service.lock();
            let (now, manual_run) = (self.now(), emulator.rules.manual_run);
            emulator.state.touch_under_way(now, manual_run);
            let changes = emulator.state.take_changes(now);
            submit(writer, changes, true, written)
        })
    }

    /// Does so again and again.
    pub(super) async fn follow_time(&self, mut stopped: watch::Receiver<bool>) {
        if self.writer.is_none() {
            return;
        }
        loop {
            let stop = tokio::select! {
                () = time::sleep(TICK) => false,
                () = stop_asked(&mut stopped) => true,
            };
            self.note_time(drop);
            if stop {
                return;
            }
        }
    }

    /// Does so for the last time. Fails if not everything is in the file.
    pub(super) fn finish(&self) -> io::Result<()> {
        let (sender, written) = mpsc::channel();
        let waits = self.note_time(move |outcome| {
            let _ = sender.send(outcome);
        });
        if !waits {
            return Ok(());
        }
        let outcome = written.recv().unwrap_or_else(|_| gone());
        outcome.map_err(|why| io::Error::other(format!("not everything was kept: {why}")))
    }
}

/// Gives whether there is something to wait for. To be called under the emulator's lock.
fn submit(
    writer: &Writer,
    changes: Vec<Change>,
    checks: bool,
    written: impl FnOnce(Outcome) + Send + 'static,
) -> bool {
    if changes.is_empty() && !checks && writer.is_idle() {
        return false;
    }
    writer.submit(changes, checks, written);
    true
}

fn gone() -> Outcome {
    Err("the thread that writes is gone".into())
}

fn refusal(why: &str) -> Refusal {
    Refusal::plain(
        http::StatusCode::SERVICE_UNAVAILABLE,
        format!("the change could not be kept and was taken back: {why}"),
    )
}
