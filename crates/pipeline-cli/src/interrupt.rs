//! Ctrl-C: the command says what it was doing and ends with 130.

use std::{
    io::{self, Write as _},
    process,
    sync::{Mutex, PoisonError},
    thread::{self, ThreadId},
};

use crate::{exit::Exit, failure::Failure, terminal};

/// What an interruption now would leave behind.
static DOING: Mutex<Doing> = Mutex::new(Doing {
    calls: Vec::new(),
    task: String::new(),
    quiet: false,
});

struct Doing {
    /// Calls that change something, by the thread that makes them.
    calls: Vec<(ThreadId, &'static str)>,
    /// What the calls are a part of.
    task: String,
    /// Nothing is said.
    quiet: bool,
}

fn with<T>(change: impl FnOnce(&mut Doing) -> T) -> T {
    change(&mut DOING.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Says what an interruption from now on would leave behind; nothing if empty.
pub(crate) fn task(text: &str) {
    with(|doing| text.clone_into(&mut doing.task));
}

/// Says that this thread has a call under way that changes something, or that it has none.
pub(crate) fn call(name: Option<&'static str>) {
    let thread = thread::current().id();
    with(|doing| {
        doing.calls.retain(|(of, _)| *of != thread);
        doing.calls.extend(name.map(|name| (thread, name)));
    });
}

/// An interruption ends the command without a word, as nothing was asked for in so many words.
pub(crate) fn quietly() {
    with(|doing| doing.quiet = true);
}

/// From now on Ctrl-C ends the command.
///
/// A thread of its own, because the main one may be in the middle of a request that blocks.
pub(crate) fn watch() -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::io("cannot listen for interruptions", &error);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(failed)?;
    let interrupted = {
        let _entered = runtime.enter();
        // Before the thread starts, so that no interruption is missed.
        Signal::new().map_err(failed)?
    };
    thread::Builder::new()
        .name("interrupt".to_owned())
        .spawn(move || {
            runtime.block_on(interrupted.received());
            end();
        })
        .map_err(failed)?;
    Ok(())
}

fn end() -> ! {
    if with(|doing| doing.quiet) {
        process::exit(Exit::Interrupted.code().into());
    }
    let detail = with(|doing| {
        let mut parts: Vec<String> = Vec::new();
        for (_, name) in &doing.calls {
            let part = format!("{name} may have taken effect");
            // Of many calls of the same kind, the task says which.
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
        parts.extend(Some(doing.task.clone()).filter(|task| !task.is_empty()));
        parts.join("; ")
    });
    let wipe = if terminal::can_repaint() {
        "\r\x1b[2K"
    } else {
        ""
    };
    let colon = if detail.is_empty() { "" } else { ": " };
    let red = anstyle::AnsiColor::Red.on_default().bold();
    // Nothing can be done about a stderr that cannot be written to.
    let _ = writeln!(
        anstream::stderr(),
        "{wipe}{red}error:{red:#} interrupted{colon}{detail}"
    );
    process::exit(Exit::Interrupted.code().into());
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
