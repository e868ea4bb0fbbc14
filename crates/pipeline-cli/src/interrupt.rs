//! Ctrl-C, SIGTERM and SIGHUP: the command says what it was doing, and ends with 128 and the number of
//! the signal. A second signal ends it at once.

use std::{
    io::{self, Write as _},
    process,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{exit::Exit, failure::Failure, terminal};

/// What an interruption now would leave behind.
static DOING: Mutex<Doing> = Mutex::new(Doing {
    next: 0,
    under_way: Vec::new(),
    done: Vec::new(),
    task: String::new(),
    quiet: false,
    watched: false,
});

struct Doing {
    next: u64,
    /// Calls and waits, by number.
    under_way: Vec<(u64, String)>,
    /// Changes that were made.
    done: Vec<String>,
    /// What all of it is a part of.
    task: String,
    /// Nothing is said.
    quiet: bool,
    /// Signals are listened for already.
    watched: bool,
}

fn with<T>(change: impl FnOnce(&mut Doing) -> T) -> T {
    change(&mut DOING.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Says what was done so far and what was not begun, in place of the single changes; nothing if empty.
pub(crate) fn task(text: impl Into<String>) {
    with(|doing| doing.task = text.into());
}

/// Something that is under way until the value is dropped.
#[must_use = "it is over when the value is dropped"]
pub(crate) struct UnderWay(u64);

/// Says what is under way, as in "the start of w may have taken effect".
pub(crate) fn under_way(text: impl Into<String>) -> UnderWay {
    with(|doing| {
        let number = doing.next;
        doing.next += 1;
        doing.under_way.push((number, text.into()));
        UnderWay(number)
    })
}

impl UnderWay {
    /// Something better is known about it.
    pub(crate) fn update(&self, text: impl Into<String>) {
        with(|doing| {
            let mut entries = doing.under_way.iter_mut();
            if let Some((_, known)) = entries.find(|(number, _)| *number == self.0) {
                *known = text.into();
            }
        });
    }

    /// It changed something, and has come to its end.
    pub(crate) fn done(self, text: impl Into<String>) {
        with(|doing| doing.done.push(text.into()));
        drop(self);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        with(|doing| doing.under_way.retain(|(number, _)| *number != self.0));
    }
}

/// Whether this run has changed anything at the service.
pub(crate) fn has_changed_something() -> bool {
    with(|doing| !doing.done.is_empty())
}

/// Held while a file is half written: an interruption waits for it.
static WHOLE: Mutex<()> = Mutex::new(());

/// Lets an interruption wait until the value is dropped, so that nothing is left behind.
pub(crate) fn hold() -> MutexGuard<'static, ()> {
    WHOLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An interruption ends the command without a word, as nothing was asked for in so many words.
pub(crate) fn quietly() {
    with(|doing| doing.quiet = true);
}

/// Whether nothing is to be said beyond what was asked for.
pub(crate) fn is_quiet() -> bool {
    with(|doing| doing.quiet)
}

/// From now on the signals end the command in this way.
///
/// A thread of its own, because the main one may be in the middle of a request that blocks.
pub(crate) fn watch() -> Result<(), Failure> {
    if with(|doing| std::mem::replace(&mut doing.watched, true)) {
        return Ok(());
    }
    let failed = |error: io::Error| Failure::io("cannot listen for interruptions", &error);
    let ended = signals::listen().map_err(failed)?;
    std::thread::Builder::new()
        .name("interrupt".to_owned())
        .spawn(move || end(ended()))
        .map_err(failed)?;
    Ok(())
}

fn end(exit: Exit) -> ! {
    let code = exit.code().into();
    let _held = hold();
    if with(|doing| doing.quiet) {
        process::exit(code);
    }
    let detail = with(|doing| {
        let under_way = doing.under_way.iter().map(|(_, text)| text.clone());
        let mut parts: Vec<String> = under_way.collect();
        if !doing.task.is_empty() {
            parts.push(doing.task.clone());
        } else if !doing.done.is_empty() {
            parts.push(format!("done: {}", doing.done.join(", ")));
        }
        parts.join("; ")
    });
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
mod signals {
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
mod signals {
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
