//! What is different when a person watches: questions, and what is painted over.

mod frame;

use std::io::{self, IsTerminal as _, Write as _};

use crate::{exit::Exit, failure::Failure, lang::pick, output};

pub(crate) use frame::Row;

/// Asks before something is lost: every question of the command is asked here. Without a terminal
/// there is nobody to ask, so it is refused. A no, and the end of the input, is [`Exit::Declined`].
pub(crate) fn confirm(question: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        let rest = pick(
            " There is no terminal to ask on: repeat the command with --yes",
            "没有终端可以询问：请加上 --yes 重新运行",
        );
        return Err(Failure::usage(format!("{question}{rest}")));
    }
    let mut stderr = io::stderr().lock();
    let asked = write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush());
    drop(stderr);
    let mut answer = String::new();
    asked
        .and_then(|()| io::stdin().read_line(&mut answer))
        .map_err(|error| Failure::io("the terminal", &error))?;
    if matches!(answer.trim(), "y" | "Y" | "yes" | "Yes") {
        Ok(())
    } else {
        Err(Failure::new(
            Exit::Declined,
            pick("nothing was done", "未做任何更改"),
        ))
    }
}

/// Whether a person reads what is written.
pub(crate) fn is_watched() -> bool {
    io::stdout().is_terminal() && io::stderr().is_terminal()
}

/// Whether lines on stderr can be painted over.
pub(crate) fn can_repaint() -> bool {
    io::stderr().is_terminal() && !is_dumb()
}

fn is_dumb() -> bool {
    crate::variables::own_variable("TERM").is_some_and(|term| term == "dumb")
}

/// Says on stderr what is going on, on a line that is painted over. Says nothing where there is no
/// terminal, so that the one line of an error stays the only one.
#[derive(Debug)]
pub(crate) struct StatusLine {
    repaint: bool,
    shown: bool,
}

impl StatusLine {
    pub(crate) fn new() -> Self {
        Self {
            repaint: can_repaint(),
            shown: false,
        }
    }

    pub(crate) fn show(&mut self, text: impl std::fmt::Display) {
        if self.repaint {
            // Nothing can be done about a stderr that cannot be written to.
            let line = frame::shorten(&text.to_string(), size().0.saturating_sub(1));
            let _ = write!(io::stderr(), "\r\x1b[2K{line}");
            self.shown = true;
        }
    }

    /// Takes the line away.
    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(io::stderr(), "\r\x1b[2K");
        }
    }
}

impl Drop for StatusLine {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A part of the terminal that is painted again and again. The cursor rests on the line below it.
#[derive(Debug, Default)]
pub(crate) struct Screen {
    painted: Vec<String>,
    size: (usize, usize),
}

impl Screen {
    /// None if stdout is no terminal that can be painted on.
    pub(crate) fn new() -> Option<Self> {
        let can = io::stdout().is_terminal() && !is_dumb();
        can.then(Self::default)
    }

    /// Whether the terminal has another size than the one that was painted for.
    pub(crate) fn is_resized(&self) -> bool {
        self.size != size()
    }

    /// Paints rows over those before, if anything is different.
    pub(crate) fn paint(&mut self, rows: &[Row]) -> Result<(), Failure> {
        let size = size();
        let lines = frame::frame(rows, size.0, size.1);
        if lines == self.painted && size == self.size {
            return Ok(());
        }
        let mut text = frame::erase(&self.painted, size.0);
        for line in &lines {
            text.push_str(line);
            text.push('\n');
        }
        (self.painted, self.size) = (lines, size);
        output::raw(text.as_bytes())
    }

    /// Takes everything away, to make room for lines of others.
    pub(crate) fn wipe(&mut self) -> Result<(), Failure> {
        let painted = std::mem::take(&mut self.painted);
        output::raw(frame::erase(&painted, size().0).as_bytes())
    }
}

/// How wide text on stdout may be: as the terminal is, or what is readable elsewhere.
pub(crate) fn columns() -> usize {
    if io::stdout().is_terminal() {
        size().0
    } else {
        100
    }
}

/// Columns and rows of the terminal.
fn size() -> (usize, usize) {
    let size = terminal_size::terminal_size();
    size.map_or((80, 24), |(width, height)| {
        (width.0.into(), height.0.into())
    })
}
