//! What an interruption would leave behind, kept up to date by whatever is under way.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What an interruption now would leave behind.
static DOING: Mutex<Doing> = Mutex::new(Doing {
    next: 0,
    under_way: Vec::new(),
    done: Vec::new(),
    task: String::new(),
    quiet: false,
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

/// What an interruption now has to say.
pub(crate) fn detail() -> String {
    with(|doing| {
        let under_way = doing.under_way.iter().map(|(_, text)| text.clone());
        let mut parts: Vec<String> = under_way.collect();
        if !doing.task.is_empty() {
            parts.push(doing.task.clone());
        } else if !doing.done.is_empty() {
            parts.push(format!("done: {}", doing.done.join(", ")));
        }
        parts.join("; ")
    })
}
