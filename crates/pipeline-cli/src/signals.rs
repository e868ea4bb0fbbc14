//! Ctrl-C, SIGTERM and SIGHUP: the command says what it was doing, and ends with 128 and the number of
//! the signal. A second signal ends it at once.

use std::{
    io::{self, Write as _},
    process,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};

use crate::{exit::Exit, failure::Failure, interrupt, lang::pick, output, terminal};

static WATCHED: AtomicBool = AtomicBool::new(false);

type Stop = Box<dyn FnOnce(Exit) + Send>;

/// What the first signal does in place of ending the command.
static STOP: Mutex<Option<Stop>> = Mutex::new(None);

/// From now on the first signal is told of, and whoever hears of it ends the command. A second one ends it at once.
pub(crate) fn stop_by(stop: impl FnOnce(Exit) + Send + 'static) -> Result<(), Failure> {
    *STOP.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(stop));
    watch()
}

/// From now on the signals end the command in this way.
///
/// A thread of its own, because the main one may be in the middle of a request that blocks.
pub(crate) fn watch() -> Result<(), Failure> {
    if WATCHED.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    end_by(signals()).map_err(|error| Failure::io("cannot listen for interruptions", &error))
}

fn end_by(signals: Vec<(i32, Exit)>) -> io::Result<()> {
    let again = Arc::new(AtomicBool::new(false));
    for &(signal, exit) in &signals {
        // In the handler itself: whatever the first signal is waiting for does not hold it up.
        flag::register_conditional_shutdown(signal, exit.code().into(), Arc::clone(&again))?;
        flag::register(signal, Arc::clone(&again))?;
    }
    let numbers: Vec<i32> = signals.iter().map(|&(signal, _)| signal).collect();
    let first = listen(&numbers)?;
    std::thread::Builder::new()
        .name("interrupt".to_owned())
        .spawn(move || {
            let first = first();
            let known = signals.iter().find(|&&(signal, _)| signal == first);
            end(known.map_or(Exit::Interrupted, |&(_, exit)| exit));
        })?;
    Ok(())
}

fn end(exit: Exit) {
    let stop = STOP.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(stop) = stop {
        return stop(exit);
    }
    let code = exit.code().into();
    let _held = interrupt::hold();
    if interrupt::is_quiet() {
        process::exit(code);
    }
    let detail = interrupt::detail();
    let what = said(exit);
    let colon = if detail.is_empty() {
        ""
    } else {
        pick(": ", "：")
    };
    let wipe = if terminal::can_repaint() {
        "\r\x1b[2K"
    } else {
        ""
    };
    // Nothing can be done about a stderr that cannot be written to.
    let _ = write!(io::stderr(), "{wipe}");
    output::report(&format_args!("{what}{colon}{detail}"));
    process::exit(code);
}

/// What a signal has done to the command.
pub(crate) fn said(exit: Exit) -> &'static str {
    match exit {
        Exit::HungUp => pick("hung up", "终端已断开"),
        Exit::Terminated => pick("terminated", "已被终止"),
        _ => pick("interrupted", "已中断"),
    }
}

/// The signals that end the command and what it ends with, but those that whoever started it wants to
/// be ignored, as `nohup` does, and a shell with what it runs in the background.
fn signals() -> Vec<(i32, Exit)> {
    let all = [
        #[cfg(unix)]
        (signal_hook::consts::SIGHUP, Exit::HungUp),
        (SIGINT, Exit::Interrupted),
        (SIGTERM, Exit::Terminated),
    ];
    // Only Linux says so without unsafe code. Elsewhere SIGHUP is left to do what it would do anyway.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let counts = |(signal, exit): &(i32, Exit)| match ignored {
        Some(mask) => mask >> (signal - 1) & 1 == 0,
        None => *exit != Exit::HungUp,
    };
    all.into_iter().filter(counts).collect()
}

/// Listens from now on; the function comes back with the first of these signals.
#[cfg(unix)]
pub(crate) fn listen(signals: &[i32]) -> io::Result<impl FnOnce() -> i32 + Send + 'static> {
    let mut signals = signal_hook::iterator::Signals::new(signals)?;
    Ok(move || signals.forever().next().unwrap_or(SIGINT))
}

/// Listens from now on; the function comes back with the first of these signals.
#[cfg(not(unix))]
pub(crate) fn listen(signals: &[i32]) -> io::Result<impl FnOnce() -> i32 + Send + 'static> {
    let flags = signals.iter().map(|&signal| {
        let arrived = Arc::new(AtomicBool::new(false));
        flag::register(signal, Arc::clone(&arrived)).map(|_| (signal, arrived))
    });
    let flags: Vec<_> = flags.collect::<io::Result<_>>()?;
    // Nothing there wakes a thread up.
    Ok(move || {
        loop {
            let first = flags
                .iter()
                .find(|(_, arrived)| arrived.load(Ordering::Relaxed));
            if let Some((signal, _)) = first {
                return *signal;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    })
}
