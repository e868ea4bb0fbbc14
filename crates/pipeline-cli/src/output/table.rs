//! Columns and styles for people.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use pipeline_proto::model::Status;
use unicode_width::UnicodeWidthStr as _;

use crate::failure::one_line;

/// Text of a stranger, fit for a terminal.
pub(crate) fn plain(text: &str) -> String {
    one_line(text)
}

/// The style that goes with a status.
pub(crate) fn status(status: &Status) -> Style {
    match status {
        Status::Started => AnsiColor::Green.on_default(),
        Status::Starting | Status::Stopping => AnsiColor::Yellow.on_default(),
        Status::Ready => AnsiColor::Cyan.on_default(),
        Status::Stopped => Style::new().dimmed(),
        _ => AnsiColor::Magenta.on_default(),
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub(crate) fn new(text: impl AsRef<str>) -> Self {
        Self {
            text: plain(text.as_ref()),
            style: Style::new(),
        }
    }

    /// A dash stands for what is not known.
    pub(crate) fn or_dash(text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        Self::new(if text.is_empty() { "-" } else { text })
    }

    pub(crate) fn status(value: &Status) -> Self {
        Self::or_dash(value.as_str()).style(status(value))
    }

    pub(crate) fn style(mut self, style: Style) -> Self {
        self.style = style;
        self
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::or_dash(text)
    }
}

/// Rows of columns, aligned by display width, so that Chinese text does not break the columns.
#[derive(Debug, Default)]
pub(crate) struct Table {
    headings: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub(crate) fn new(headings: &[impl AsRef<str>]) -> Self {
        Self {
            headings: headings.iter().map(|it| it.as_ref().to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// Rows of a name and a value.
    pub(crate) fn of_pairs() -> Self {
        Self::default()
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// A name in bold and its value.
    pub(crate) fn pair(&mut self, name: impl AsRef<str>, value: Cell) {
        self.row([Cell::new(name).style(Style::new().bold()), value]);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text. The last column is as wide as it is.
    pub(crate) fn render(&self) -> String {
        let heading: Vec<Cell> = self
            .headings
            .iter()
            .map(|heading| Cell::new(heading).style(Style::new().bold()))
            .collect();
        let lines = || std::iter::once(&heading).chain(&self.rows);
        let columns = lines().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                let width = |row: &Vec<Cell>| row.get(column).map_or(0, |cell| cell.text.width());
                lines().map(width).max().unwrap_or(0)
            })
            .collect();
        let mut out = String::new();
        for row in lines().filter(|row| !row.is_empty()) {
            for (column, cell) in row.iter().enumerate() {
                let Cell { text, style } = cell;
                // Writing to a string cannot fail.
                let _ = write!(out, "{style}{text}{style:#}");
                if column + 1 < row.len() {
                    let gap = widths[column].saturating_sub(text.width()) + 2;
                    out.extend(std::iter::repeat_n(' ', gap));
                }
            }
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_display_width() {
        let mut table = Table::new(&["NAME", "COMMENT"]);
        table.row([Cell::from("工作流"), Cell::from("x")]);
        table.row([Cell::from("a"), Cell::from("")]);
        let text = anstream::adapter::strip_str(&table.render()).to_string();
        assert_eq!(text, "NAME    COMMENT\n工作流  x\na       -\n");
    }

    #[test]
    fn a_cell_cannot_speak_to_the_terminal() {
        let mut table = Table::of_pairs();
        table.pair("Comment", Cell::from("a\x1b]0;title\x07\nb"));
        let text = anstream::adapter::strip_str(&table.render()).to_string();
        assert_eq!(text, "Comment  a\\u{1b}]0;title\\u{7} b\n");
    }
}
