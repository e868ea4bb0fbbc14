//! Ctrl-C, SIGTERM and SIGHUP: the command says what it was doing, and ends with 128 and the number of
//! the signal. A second signal ends it at once.

use std::{
    io::{self, Write as _},
    process,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::{exit::Exit, failure::Failure, interrupt, terminal};

static WATCHED: AtomicBool = AtomicBool::new(false);

/// From now on the signals end the command in this way.
///
/// A thread of its own, because the main one may be in the middle of a request that blocks.
pub(crate) fn watch() -> Result<(), Failure> {
    if WATCHED.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    let failed = |error: io::Error| Failure::io("cannot listen for interruptions", &error);
    let ended = platform::listen().map_err(failed)?;
    std::thread::Builder::new()
        .name("interrupt".to_owned())
        .spawn(move || end(ended()))
        .map_err(failed)?;
    Ok(())
}

fn end(exit: Exit) -> ! {
    let code = exit.code().into();
    let _held = interrupt::hold();
    if interrupt::is_quiet() {
        process::exit(code);
    }
    let detail = interrupt::detail();
    let what = match exit {
        Exit::HungUp => "hung up",
        Exit::Terminated => "terminated",
        _ => "interrupted",
    };
    let colon = if detail.is_empty() { "" } else { ": " };
    let wipe = if terminal::can_repaint() {
        "\r\x1b[2K"
    } else {
        ""
    };
    let red = anstyle::AnsiColor::Red.on_default().bold();
    // Nothing can be done about a stderr that cannot be written to.
    let _ = writeln!(
        anstream::stderr(),
        "{wipe}{red}error:{red:#} {what}{colon}{detail}"
    );
    process::exit(code);
}

#[cfg(unix)]
mod platform {
    use std::{
        io,
        sync::{Arc, atomic::AtomicBool},
    };

    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM},
        flag,
        iterator::Signals,
    };

    use crate::exit::Exit;

    /// Listens from now on; the function comes back with the first signal.
    pub(super) fn listen() -> io::Result<impl FnOnce() -> Exit + Send + 'static> {
        let ignored = ignored();
        let caught = [
            (SIGHUP, Exit::HungUp),
            (SIGINT, Exit::Interrupted),
            (SIGTERM, Exit::Terminated),
        ];
        let caught = caught.map(|(signal, exit)| (signal, exit, ignored(signal)));
        let caught: Vec<_> = caught
            .into_iter()
            .filter(|(.., ignored)| !ignored)
            .collect();
        let again = Arc::new(AtomicBool::new(false));
        for &(signal, exit, _) in &caught {
            // In the handler itself: whatever the first signal is waiting for does not hold it up.
            flag::register_conditional_shutdown(signal, exit.code().into(), Arc::clone(&again))?;
            flag::register(signal, Arc::clone(&again))?;
        }
        let mut signals = Signals::new(caught.iter().map(|&(signal, ..)| signal))?;
        Ok(move || {
            let first = signals.forever().next();
            let known = caught.iter().find(|&&(signal, ..)| Some(signal) == first);
            known.map_or(Exit::Interrupted, |&(_, exit, _)| exit)
        })
    }

    /// Whether whoever started this program wants a signal to be ignored, as `nohup` does, and a shell
    /// with what it runs in the background.
    ///
    /// Only Linux says so without unsafe code. Elsewhere SIGHUP is left to do what it would do anyway.
    fn ignored() -> impl Fn(i32) -> bool {
        let status = std::fs::read_to_string("/proc/self/status");
        let mask = status.ok().and_then(|status| {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix("SigIgn:"))?;
            u64::from_str_radix(line.trim(), 16).ok()
        });
        move |signal| match mask {
            Some(mask) => mask >> (signal - 1) & 1 == 1,
            None => signal == SIGHUP,
        }
    }
}

#[cfg(windows)]
mod platform {
    use std::io;

    use crate::exit::Exit;

    /// Listens from now on; the function comes back with the first Ctrl-C.
    pub(super) fn listen() -> io::Result<impl FnOnce() -> Exit + Send + 'static> {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let signal = {
            let _entered = runtime.enter();
            super::Signal::new()?
        };
        Ok(move || {
            runtime.block_on(signal.received());
            Exit::Interrupted
        })
    }
}

/// An interruption that is listened for since this value was made.
pub(crate) struct Signal {
    #[cfg(unix)]
    signal: tokio::signal::unix::Signal,
    #[cfg(windows)]
    signal: tokio::signal::windows::CtrlC,
}

impl Signal {
    pub(crate) fn new() -> io::Result<Self> {
        #[cfg(unix)]
        let signal = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
        #[cfg(windows)]
        let signal = tokio::signal::windows::ctrl_c()?;
        Ok(Self { signal })
    }

    pub(crate) async fn received(mut self) {
        self.signal.recv().await;
    }
}
