//! The same, with restarts of a server that keeps its workflows in a file.

use std::{
    fmt, mem,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use pipeline_emulator::server::{Server, ServerThread, StateFile};
use pipeline_proto::Now;
use proptest::{collection::vec, prelude::*};

use crate::{
    steps::{Step, about, beginning, step},
    world::World,
};

#[derive(Clone)]
enum Event {
    Step(Step),
    /// The server ends, and begins anew so much later.
    Restart(Duration),
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(step) => write!(f, "{step:?}"),
            Self::Restart(away) => write!(f, "the server is restarted, {away:?} later"),
        }
    }
}

/// Shorter than where nothing has to reach a disk.
fn events() -> impl Strategy<Value = Vec<Event>> {
    about(|subject| {
        let event = prop_oneof![
            5 => step(subject).prop_map(Event::Step),
            1 => (0..2_000_u64).prop_map(|millis| Event::Restart(Duration::from_millis(millis))),
        ];
        (beginning(subject), vec(event, 0..10)).prop_map(|(beginning, events)| {
            let beginning = beginning.into_iter().map(Event::Step);
            beginning.chain(events).collect::<Vec<_>>()
        })
    })
}

/// What a server serves is the world's emulator; the clock is the world's as well.
struct Served {
    world: World,
    clock: Arc<Mutex<Now>>,
    path: PathBuf,
    server: Option<ServerThread>,
}

impl Served {
    fn new(path: PathBuf) -> Self {
        let world = World::new();
        let clock = Arc::new(Mutex::new(world.now()));
        let mut served = Self {
            world,
            clock,
            path,
            server: None,
        };
        served.start();
        served
    }

    fn start(&mut self) {
        self.set_clock();
        let clock = Arc::clone(&self.clock);
        let state = StateFile::open(&self.path).unwrap();
        let server = Server::bind("127.0.0.1:0").unwrap().state(state);
        let server = server.clock(move || *clock.lock().unwrap_or_else(PoisonError::into_inner));
        let emulator = self.world.new_emulator();
        self.server = Some(server.start_on_thread(emulator).unwrap());
    }

    fn set_clock(&self) {
        *self.clock.lock().unwrap_or_else(PoisonError::into_inner) = self.world.now();
    }

    fn happen(&mut self, event: &Event) -> Result<(), String> {
        match event {
            Event::Step(step) => {
                self.with_emulator(|world| world.step(step).map(drop))?;
                self.set_clock();
                Ok(())
            }
            Event::Restart(away) => {
                self.server = None;
                self.world.restart(*away);
                self.start();
                self.with_emulator(|world| world.look_around())
            }
        }
    }

    fn with_emulator<T>(&mut self, action: impl FnOnce(&mut World) -> T) -> T {
        let world = &mut self.world;
        let server = self.server.as_ref().expect("it was started");
        server.with(|emulator| {
            mem::swap(emulator, &mut world.emulator);
            let result = action(world);
            mem::swap(emulator, &mut world.emulator);
            result
        })
    }
}

proptest! {
    #[test]
    fn what_is_in_the_file_is_what_the_model_is(events in events()) {
        let folder = tempfile::tempdir().unwrap();
        let mut served = Served::new(folder.path().join("workflows.state"));
        for event in &events {
            served.happen(event).map_err(TestCaseError::fail)?;
        }
    }
}
