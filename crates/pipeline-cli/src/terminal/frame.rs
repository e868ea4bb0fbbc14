//! What is painted, as a function of what there is to say and of the size of the terminal.

use std::iter;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Fewer columns than these do not tell a name.
const LEAST_NAME: usize = 4;

/// In fewer columns than these, a name is worth more than its place in the tree.
const LEAST_INDENTED: usize = 12;

/// One thing and its status.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    /// Whether others belong to it: it is shown rather than those if there is no room for all.
    pub(crate) leads: bool,
    pub(crate) indent: String,
    pub(crate) name: String,
    /// Left out if there is no room.
    pub(crate) about: String,
    /// Never cut.
    pub(crate) status: String,
}

/// The lines that show these rows. None wraps, and none makes the terminal scroll.
pub(super) fn frame(rows: &[Row], columns: usize, height: usize) -> Vec<String> {
    let layout = Layout::new(rows, columns.saturating_sub(1).max(2));
    let lines: Vec<Vec<String>> = rows.iter().map(|row| layout.lines(row)).collect();
    let most = height.saturating_sub(1).max(1);
    if lines.iter().map(Vec::len).sum::<usize>() <= most {
        return lines.concat();
    }
    let mut left = most - 1;
    let mut shown = vec![false; rows.len()];
    for leads in [true, false] {
        for (at, _) in rows
            .iter()
            .enumerate()
            .filter(|(_, row)| row.leads == leads)
        {
            shown[at] = lines[at].len() <= left;
            left = if shown[at] { left - lines[at].len() } else { 0 };
        }
    }
    let more = shown.iter().filter(|shown| !**shown).count();
    let lines = iter::zip(lines, shown).filter(|(_, shown)| *shown);
    let more = shorten(&format!("… {more} more"), layout.width);
    lines.flat_map(|(lines, _)| lines).chain([more]).collect()
}

/// What takes lines away that were painted above the cursor, perhaps when the terminal was wider: what
/// is too long by now takes several.
pub(super) fn erase(lines: &[String], columns: usize) -> String {
    let rows = |line: &String| line.width().div_ceil(columns.max(1)).max(1);
    match lines.iter().map(rows).sum::<usize>() {
        0 => String::new(),
        rows => format!("\x1b[{rows}A\r\x1b[J"),
    }
}

/// Cuts a text to a width, and shows that it was cut.
pub(super) fn shorten(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let (head, _) = split(text, width.saturating_sub(1));
    let dots = if width == 0 { "" } else { "…" };
    format!("{head}{dots}")
}

/// As much of a text as fits, and the rest.
fn split(text: &str, width: usize) -> (&str, &str) {
    let mut taken = 0;
    let end = text.char_indices().find(|(_, c)| {
        taken += c.width().unwrap_or(0);
        taken > width
    });
    text.split_at(end.map_or(text.len(), |(at, _)| at))
}

/// How wide the columns are.
struct Layout {
    width: usize,
    label: usize,
    gap: usize,
    /// 0 if there is no room.
    about: usize,
}

impl Layout {
    fn new(rows: &[Row], width: usize) -> Self {
        let widest = |of: fn(&Row) -> usize| {
            let in_columns = |row: &&Row| match row.status.as_str() {
                "" => !row.about.is_empty(),
                _ => fits_beside(row, width),
            };
            rows.iter().filter(in_columns).map(of).max().unwrap_or(0)
        };
        let status = widest(|row| row.status.width());
        let label = widest(|row| row.indent.width() + row.name.width());
        let about = widest(|row| row.about.width());
        let fits = about > 0 && label + 2 + about + 2 + status <= width;
        Self {
            width,
            label: label.min(width.saturating_sub(status + 1)),
            gap: if label + 2 + status <= width { 2 } else { 1 },
            about: if fits { about + 2 } else { 0 },
        }
    }

    fn lines(&self, row: &Row) -> Vec<String> {
        if row.status.is_empty() {
            let label = label(row, self.width);
            if self.about == 0 || row.about.is_empty() {
                return vec![label];
            }
            return vec![format!("{}{}", pad(&label, self.label + 2), row.about)];
        }
        if !fits_beside(row, self.width) {
            let mut lines = vec![label(row, self.width)];
            let mut rest = row.status.as_str();
            while !rest.is_empty() {
                let (line, below) = split(rest, self.width);
                lines.push(line.to_owned());
                rest = below;
            }
            return lines;
        }
        let label = pad(&label(row, self.label), self.label + self.gap);
        let about = if self.about == 0 { "" } else { &row.about };
        vec![format!("{label}{}{}", pad(about, self.about), row.status)]
    }
}

/// Whether the status stands behind the name, and not in lines of its own.
fn fits_beside(row: &Row, width: usize) -> bool {
    !row.status.is_empty() && LEAST_NAME + 1 + row.status.width() <= width
}

/// The name at its place in the tree, as much of both as fits.
fn label(row: &Row, width: usize) -> String {
    let Row { indent, name, .. } = row;
    let room = width / 2;
    let indent = if indent.width() + name.width() <= width {
        indent.clone()
    } else if width < LEAST_INDENTED {
        String::new()
    } else {
        // The end of it is what leads to the name.
        match indent.chars().count().saturating_sub(room) {
            0 => indent.clone(),
            over => iter::once('…')
                .chain(indent.chars().skip(over + 1))
                .collect(),
        }
    };
    let left = width.saturating_sub(indent.width());
    format!("{indent}{}", shorten(name, left))
}

fn pad(text: &str, width: usize) -> String {
    let blanks = width.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(blanks))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(indent: &str, name: &str, about: &str, status: &str) -> Row {
        Row {
            leads: indent.is_empty(),
            indent: indent.to_owned(),
            name: name.to_owned(),
            about: about.to_owned(),
            status: status.to_owned(),
        }
    }

    fn rows() -> Vec<Row> {
        vec![
            row("", "nginx_logs", "", "◐ Starting"),
            row("  ", "raw", "repo", "● Started"),
            row("  ├─ ", "parse_the_lines", "transform", "◐ Starting"),
            row("  │  └─ ", "存储点击流的仓库", "repo", "○ Stopped"),
            row("  └─ ", "raw", "↑ see above", ""),
            row("", "clicks", "", "gone"),
        ]
    }

    #[test]
    fn names_are_shortened_and_statuses_never() {
        for (columns, height, expected) in [
            (
                80,
                24,
                &[
                    "nginx_logs                             ◐ Starting",
                    "  raw                     repo         ● Started",
                    "  ├─ parse_the_lines      transform    ◐ Starting",
                    "  │  └─ 存储点击流的仓库  repo         ○ Stopped",
                    "  └─ raw                  ↑ see above",
                    "clicks                                 gone",
                ][..],
            ),
            (
                30,
                24,
                &[
                    "nginx_logs         ◐ Starting",
                    "  raw              ● Started",
                    "  ├─ parse_the_li… ◐ Starting",
                    "  │  └─ 存储点击…  ○ Stopped",
                    "  └─ raw",
                    "clicks             gone",
                ],
            ),
            (
                20,
                24,
                &[
                    "nginx_l… ◐ Starting",
                    "  raw    ● Started",
                    "parse_t… ◐ Starting",
                    "存储点…  ○ Stopped",
                    "  └─ raw",
                    "clicks   gone",
                ],
            ),
            (
                5,
                24,
                &[
                    "ngi…", "◐ St", "arti", "ng", "raw", "● St", "arte", "d", "par…", "◐ St",
                    "arti", "ng", "存…", "○ St", "oppe", "d", "raw", "cli…", "gone",
                ],
            ),
            (
                30,
                5,
                &[
                    "nginx_logs         ◐ Starting",
                    "  raw              ● Started",
                    "clicks             gone",
                    "… 3 more",
                ],
            ),
            (20, 2, &["… 6 more"]),
            (5, 0, &["… 6…"]),
        ] {
            assert_eq!(
                frame(&rows(), columns, height),
                expected,
                "{columns}×{height}"
            );
        }
    }

    #[test]
    fn no_line_wraps_and_no_status_is_lost_at_any_size() {
        let mut rows = rows();
        rows.push(row(&"│  ".repeat(24), "deep", "repo", "● Started"));
        rows.push(row("", "odd", "", "? AStatusThatNobodyHasHeardOf工作流"));
        for columns in 0..100 {
            let lines = frame(&rows, columns, 1000);
            let widest = lines.iter().map(|line| line.width()).max();
            assert!(
                widest <= Some(columns.saturating_sub(1).max(2)),
                "{columns}: {lines:?}"
            );
            let text = lines.concat();
            for row in &rows {
                assert!(text.contains(&row.status), "{columns}: {lines:?}");
            }
            for height in 0..12 {
                let count = frame(&rows, columns, height).len();
                assert!(
                    count <= height.saturating_sub(1).max(1),
                    "{columns}×{height}"
                );
            }
        }
    }

    #[test]
    fn what_was_painted_is_taken_away_at_the_width_that_there_is_now() {
        let lines = ["a".repeat(79), String::new(), "工作流".to_owned()];
        for (columns, expected) in [
            (80, "\x1b[3A\r\x1b[J"),
            (20, "\x1b[6A\r\x1b[J"),
            (5, "\x1b[19A\r\x1b[J"),
        ] {
            assert_eq!(erase(&lines, columns), expected, "{columns}");
        }
        assert_eq!(erase(&[], 80), "");
    }
}
