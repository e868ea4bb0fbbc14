//! What is different when a person watches: questions and a line that is painted over.

use std::io::{self, IsTerminal as _, Write as _};

use unicode_width::UnicodeWidthChar as _;

use crate::{exit::Exit, failure::Failure};

/// Asks before something is lost: every question of the command is asked here. Without a terminal
/// there is nobody to ask, so it is refused. A no, and the end of the input, is [`Exit::Declined`].
pub(crate) fn confirm(question: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Err(Failure::usage(format!(
            "{question} There is no terminal to ask on: repeat the command with --yes"
        )));
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
        Err(Failure::new(Exit::Declined, "nothing was done"))
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
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
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
            let line = fit(&text.to_string(), size().0, 2).concat();
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

/// A part of the terminal that is painted again and again.
#[derive(Debug)]
pub(crate) struct Screen {
    painted: usize,
}

impl Screen {
    /// None if stdout is no terminal that can be painted on.
    pub(crate) fn new() -> Option<Self> {
        let can = io::stdout().is_terminal() && !is_dumb();
        can.then_some(Self { painted: 0 })
    }

    /// Paints the text over the one before.
    pub(crate) fn paint(&mut self, text: &str) -> Result<(), Failure> {
        let (columns, rows) = size();
        let lines = fit(text, columns, rows);
        let mut frame = String::new();
        if self.painted > 0 {
            frame = format!("\x1b[{}A", self.painted);
        }
        frame.push_str("\r\x1b[J");
        for line in &lines {
            frame.push_str(line);
            frame.push('\n');
        }
        self.painted = lines.len();
        crate::output::raw(frame.as_bytes())
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

/// Cuts a text so that no line wraps and none scrolls away; both would be painted over wrongly.
fn fit(text: &str, columns: usize, rows: usize) -> Vec<String> {
    let most = rows.saturating_sub(1).max(1);
    let count = text.lines().count();
    let shown = if count > most { most - 1 } else { count };
    let mut lines: Vec<String> = text
        .lines()
        .take(shown)
        .map(|line| {
            let mut width = 0;
            let fits = |c: &char| {
                width += c.width().unwrap_or(0);
                width < columns
            };
            line.chars().take_while(fits).collect()
        })
        .collect();
    if count > most {
        lines.push(format!("… {} more lines", count - shown));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_cut_to_the_terminal() {
        assert_eq!(fit("abc\n工作流\n", 5, 24), ["abc", "工作"]);
        assert_eq!(fit("1\n2\n3\n4", 80, 4), ["1", "2", "… 2 more lines"]);
        assert_eq!(fit("1\n2\n3", 80, 4), ["1", "2", "3"]);
        assert_eq!(fit("1\n2", 80, 0), ["… 2 more lines"]);
    }
}
