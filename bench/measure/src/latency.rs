//! How long calls take that come at fixed moments, whether or not those before them have ended: a call that
//! starts late because of others is late.

use std::{
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use http::Uri;

use crate::{Failure, transports as t};

/// Calls through each of the two.
const PER_SECOND: u32 = 1000;

/// How many threads make the blocking calls.
const THREADS: usize = 8;

/// What is to be done, and when: first the client's call, then the bare one's, and so on.
type Due = (Which, Instant);

#[derive(Clone, Copy)]
enum Which {
    Ours,
    Bare,
}

/// Nanoseconds of the calls through each of the two.
#[derive(Clone, Default)]
struct Taken(Arc<Mutex<[Vec<u64>; 2]>>);

impl Taken {
    fn add(&self, (which, due): Due) {
        let took = u64::try_from(due.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken[which as usize].push(took);
    }

    /// A line for each of the two with three percentiles.
    fn print(&self) {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, taken) in ["ours", "bare"].iter().zip(taken.iter_mut()) {
            taken.sort_unstable();
            let at = |of_thousand: usize| taken[taken.len() * of_thousand / 1000];
            println!("{name} 0 {} {} {}", at(500), at(990), at(999));
        }
    }
}

/// Calls the function at each of the moments, in a thread of its own.
fn at_each_moment(seconds: u32, call: impl Fn(Due) + Send + 'static) {
    thread::spawn(move || {
        let start = Instant::now() + Duration::from_millis(50);
        let pause = Duration::from_secs(1) / (2 * PER_SECOND);
        for n in 0..2 * PER_SECOND * seconds {
            let due = start + pause * n;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let which = if n % 2 == 0 { Which::Ours } else { Which::Bare };
            call((which, due));
        }
    });
}

pub(crate) fn run(transport: &str, seconds: &str, url: &str) -> Result<(), Failure> {
    let seconds = seconds.parse()?;
    match transport {
        "hyper" => hyper(seconds, url)?,
        "blocking" => blocking(seconds, url)?,
        _ => return Err("there are the transports hyper and blocking".into()),
    }
    .print();
    Ok(())
}

/// All on one thread but the clock.
fn hyper(seconds: u32, url: &str) -> Result<Taken, Failure> {
    let (client, bare, operation) = (t::hyper_client(url)?, t::bare_client(), t::get_operation());
    let address: Uri = t::address(url).parse()?;
    let (send, mut receive) = tokio::sync::mpsc::unbounded_channel();
    at_each_moment(seconds, move |due| {
        let _ = send.send(due);
    });
    let taken = Taken::default();
    t::runtime()?.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        while let Some(due) = receive.recv().await {
            let taken = taken.clone();
            match due.0 {
                Which::Ours => {
                    let call = t::hyper_get(client.clone(), operation.clone());
                    tasks.spawn(async move {
                        call.await;
                        taken.add(due);
                    });
                }
                Which::Bare => {
                    let call = t::bare_get(bare.clone(), address.clone());
                    tasks.spawn(async move {
                        call.await;
                        taken.add(due);
                    });
                }
            }
            while tasks.try_join_next().is_some() {}
        }
        tasks.join_all().await;
    });
    Ok(taken)
}

fn blocking(seconds: u32, url: &str) -> Result<Taken, Failure> {
    let (client, agent) = (t::blocking_client(url)?, t::ureq_agent());
    let (operation, address) = (t::get_operation(), t::address(url));
    let (send, receive) = mpsc::channel::<Due>();
    at_each_moment(seconds, move |due| {
        let _ = send.send(due);
    });
    let (receive, taken) = (Mutex::new(receive), Taken::default());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let next = || {
                    let receive = receive.lock().unwrap_or_else(PoisonError::into_inner);
                    receive.recv()
                };
                while let Ok(due) = next() {
                    match due.0 {
                        Which::Ours => t::blocking_get(&client, &operation),
                        Which::Bare => t::ureq_get(&agent, &address),
                    }
                    taken.add(due);
                }
            });
        }
    });
    Ok(taken)
}
