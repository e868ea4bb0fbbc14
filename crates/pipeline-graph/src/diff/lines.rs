//! Texts that differ, line by line.

use std::{fmt::Write as _, ops::Range};

use similar::{Algorithm, DiffOp, capture_diff_slices, group_diff_ops};
use unicode_normalization::UnicodeNormalization as _;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::{Change, show::Line};
use crate::visible::{is_visible, visible};

/// Lines that are the same, shown around those that are not.
const CONTEXT: usize = 3;

/// A line that fills more lines than this is shown by its beginning and its end.
const MOST_WRAPPED: usize = 12;

/// Texts with more lines that differ are not compared line by line: that may take for ever.
const MOST_COMPARED: usize = 20_000;

/// Shows the lines of two texts that differ, and what differs in their line ends.
pub(super) fn show_texts(out: &mut Vec<Line>, old: &str, new: &str, indent: &str, width: usize) {
    let before = out.len();
    show_lines(out, &split(old), &split(new), indent, width);
    if old.is_empty() || new.is_empty() {
        return;
    }
    let say = |out: &mut Vec<Line>, what, old: String, new: String| {
        let text = format!("{indent}  {what}: {old} -> {new}");
        out.push(Line::new(Change::Changed, text));
    };
    let ends = [old, new].map(LineEnds::of);
    let moved = ends[0].carriage_returns != ends[1].carriage_returns;
    let styles = [ends[0].style(), ends[1].style()];
    let other_style = styles[0] != styles[1] && !styles.contains(&(false, false));
    if other_style || (out.len() == before && moved) {
        let [old, new] = ends.map(|ends| ends.to_string());
        say(out, "line ends", old, new);
    }
    match (old.ends_with('\n'), new.ends_with('\n')) {
        (true, false) => say(out, "last line", "with a line end".into(), "without".into()),
        (false, true) => say(out, "last line", "without a line end".into(), "with".into()),
        _ => {}
    }
    debug_assert!(old == new || out.len() > before, "{old:?} {new:?}");
}

/// The lines without their ends.
fn split(text: &str) -> Vec<&str> {
    text.lines().collect()
}

/// Which lines end with CR LF; the others that end do so with LF.
struct LineEnds {
    carriage_returns: Vec<usize>,
    all: usize,
}

impl LineEnds {
    fn of(text: &str) -> Self {
        let ended = text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        let returns = ended.clone().enumerate();
        let returns = returns.filter(|(_, line)| line.ends_with("\r\n"));
        Self {
            carriage_returns: returns.map(|(at, _)| at + 1).collect(),
            all: ended.count(),
        }
    }

    /// Whether there are any of the one, and of the other kind.
    fn style(&self) -> (bool, bool) {
        let returns = self.carriage_returns.len();
        (returns > 0, returns < self.all)
    }
}

impl std::fmt::Display for LineEnds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.style() {
            (false, _) => f.write_str("LF"),
            (true, false) => f.write_str("CR LF"),
            (true, true) => {
                let shown = self.carriage_returns.iter().take(5);
                let shown: Vec<String> = shown.map(usize::to_string).collect();
                let more = self.carriage_returns.len() - shown.len();
                let more = if more > 0 { " and others" } else { "" };
                write!(f, "LF, but CR LF in line {}{more}", shown.join(", "))
            }
        }
    }
}

/// Shows the lines that differ, with some of the others around them.
pub(super) fn show_lines<S: AsRef<str>>(
    out: &mut Vec<Line>,
    old: &[S],
    new: &[S],
    indent: &str,
    width: usize,
) {
    let [old, new] = [old, new].map(|side| side.iter().map(AsRef::as_ref).collect::<Vec<&str>>());
    let printer = Printer {
        room: width.saturating_sub(indent.len() + 2),
        indent,
    };
    let mut next = 0;
    for group in group_diff_ops(compare(&old, &new), CONTEXT) {
        let Some(first) = group.first() else { continue };
        printer.omit(out, first.old_range().start - next);
        for op in group {
            next = op.old_range().end;
            match op {
                DiffOp::Equal { .. } => {
                    for line in &old[op.old_range()] {
                        printer.same(out, line);
                    }
                }
                _ => printer.replace(out, &old[op.old_range()], &new[op.new_range()]),
            }
        }
    }
    // Where nothing differs, there is nothing to find one's way to.
    if next > 0 {
        printer.omit(out, old.len() - next);
    }
}

fn compare(old: &[&str], new: &[&str]) -> Vec<DiffOp> {
    let (start, end) = common(old, new);
    if old.len() + new.len() - 2 * (start + end) <= MOST_COMPARED {
        return capture_diff_slices(Algorithm::Myers, old, new);
    }
    let equal = |old_index, new_index, len| DiffOp::Equal {
        old_index,
        new_index,
        len,
    };
    let middle = DiffOp::Replace {
        old_index: start,
        old_len: old.len() - start - end,
        new_index: start,
        new_len: new.len() - start - end,
    };
    let ops = [
        equal(0, 0, start),
        middle,
        equal(old.len() - end, new.len() - end, end),
    ];
    ops.into_iter()
        .filter(|op| !op.old_range().is_empty() || !op.new_range().is_empty())
        .collect()
}

/// How many parts are the same at the beginning, and how many of the others at the end.
fn common<T: PartialEq>(old: &[T], new: &[T]) -> (usize, usize) {
    let same = |pair: &(&T, &T)| pair.0 == pair.1;
    let start = old.iter().zip(new).take_while(same).count();
    let rest = old.len().min(new.len()) - start;
    let pairs = old.iter().rev().zip(new.iter().rev());
    (start, pairs.take(rest).take_while(same).count())
}

struct Printer<'a> {
    indent: &'a str,
    /// Columns beside indentation and sign.
    room: usize,
}

impl Printer<'_> {
    fn omit(&self, out: &mut Vec<Line>, count: usize) {
        let text = match count {
            0 => return,
            1 => format!("{}  (1 line the same)", self.indent),
            count => format!("{}  ({count} lines the same)", self.indent),
        };
        out.push(Line::new(None, text));
    }

    /// A line that is there to find one's way: its beginning will do.
    fn same(&self, out: &mut Vec<Line>, line: &str) {
        let line = line.trim_end().replace('\t', "    ");
        let line = visible(&line);
        let mut shown = take_columns(&line, self.room);
        if shown.len() < line.len() {
            shown.truncate(shown.char_indices().next_back().map_or(0, |(at, _)| at));
            shown.push('…');
        }
        out.push(Line::new(None, format!("{}  {shown}", self.indent)));
    }

    fn replace(&self, out: &mut Vec<Line>, old: &[&str], new: &[&str]) {
        // As many as there were: most likely the same ones, edited.
        let other =
            |lines: &[&str], at: usize| (old.len() == new.len()).then(|| lines[at].to_owned());
        for (at, line) in old.iter().enumerate() {
            self.changed(out, Change::Removed, line, other(new, at).as_deref());
        }
        for (at, line) in new.iter().enumerate() {
            self.changed(out, Change::Added, line, other(old, at).as_deref());
        }
    }

    fn changed(&self, out: &mut Vec<Line>, change: Change, line: &str, other: Option<&str>) {
        let shown = changed_part(line, other, self.room);
        let mut chunks = Vec::new();
        let mut rest = shown.as_str();
        while !rest.is_empty() || chunks.is_empty() {
            let chunk = take_columns(rest, self.room);
            rest = &rest[chunk.len()..];
            chunks.push(chunk);
        }
        if chunks.len() > MOST_WRAPPED {
            let left_out = chunks.drain(MOST_WRAPPED - 4..chunks.len() - 3);
            let count: usize = left_out.map(|chunk| chunk.chars().count()).sum();
            chunks.insert(MOST_WRAPPED - 4, format!("… {count} characters …"));
        }
        for (at, chunk) in chunks.iter().enumerate() {
            let sign = if at == 0 { change.sign() } else { ' ' };
            let text = format!("{}{sign} {chunk}", self.indent);
            out.push(Line::new(change, text));
        }
    }
}

/// So much of a text as fits, one character at least.
fn take_columns(text: &str, columns: usize) -> String {
    let mut width = 0;
    let fits = |(at, c): &(usize, char)| {
        width += c.width().unwrap_or(0);
        *at == 0 || width <= columns
    };
    text.char_indices()
        .take_while(fits)
        .map(|(_, c)| c)
        .collect()
}

/// The line as it is shown: of a long one the part in which it differs from the other one, and in that
/// part everything visible.
fn changed_part(line: &str, other: Option<&str>, room: usize) -> String {
    let chars: Vec<char> = line.chars().collect();
    let others: Vec<char> = other.unwrap_or_default().chars().collect();
    let (start, end) = common(&chars, &others);
    let differs = start..chars.len() - end;
    let marks = Marks::between(line, other);
    let cut = other.is_some() && line.width() > room;
    let shown: Range<usize> = if cut {
        // So that a small change stays on one line, even if characters are two columns wide.
        let around = room / 5;
        differs.start.saturating_sub(around)..(differs.end + around).min(chars.len())
    } else {
        0..chars.len()
    };
    let blanks_at_the_end = line.trim_end_matches([' ', '\t']).chars().count()..chars.len();
    let mut text = String::new();
    if shown.start > 0 {
        text.push('…');
    }
    for at in shown.clone() {
        let marked = differs.contains(&at);
        let c = chars[at];
        match c {
            ' ' if (marked && marks.blanks) || blanks_at_the_end.contains(&at) => text.push('·'),
            '\t' if (marked && marks.blanks) || blanks_at_the_end.contains(&at) => text.push('→'),
            '\t' => text.push_str("    "),
            c if (marked && marks.all && !c.is_ascii()) || is_odd(c) => {
                // Writing to a string cannot fail.
                let _ = write!(text, "\\u{{{:x}}}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    if shown.end < chars.len() {
        text.push('…');
    }
    text
}

/// Not to be seen, or a blank that looks like another one.
fn is_odd(c: char) -> bool {
    !is_visible(c) || (c.is_whitespace() && !matches!(c, ' ' | '\u{3000}'))
}

/// Whether nothing of the difference can be seen when both are shown as they are.
pub(super) fn look_alike(old: &str, new: &str) -> bool {
    let marks = Marks::between(old, Some(new));
    marks.all
        || old
            .chars()
            .chain(new.chars())
            .any(|c| c != ' ' && is_odd(c))
}

/// What has to be made visible.
#[derive(Default)]
struct Marks {
    blanks: bool,
    /// All but ASCII.
    all: bool,
}

impl Marks {
    fn between(line: &str, other: Option<&str>) -> Self {
        let Some(other) = other.filter(|other| *other != line) else {
            return Self::default();
        };
        let bare = |text: &str| text.split_whitespace().collect::<String>();
        let (line, other) = (bare(line), bare(other));
        if line == other {
            return Self {
                blanks: true,
                all: false,
            };
        }
        let same = line.nfc().eq(other.nfc());
        Self {
            blanks: same,
            all: same,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(old: &str, new: &str, width: usize) -> Vec<String> {
        let mut out = Vec::new();
        show_texts(&mut out, old, new, "", width);
        out.into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn what_cannot_be_seen_is_shown_where_it_differs() {
        for (old, new, expected) in [
            (
                "a\nb\n",
                "a\nb",
                &["  last line: with a line end -> without"][..],
            ),
            ("a\r\nb\r\n", "a\nb\n", &["  line ends: CR LF -> LF"]),
            (
                "a\r\nb\nc\n",
                "a\nb\r\nc\n",
                &["  line ends: LF, but CR LF in line 1 -> LF, but CR LF in line 2"],
            ),
            ("a\nb  \n", "a\nb\n", &["  a", "- b··", "+ b"]),
            ("a\n\tb\n", "a\n    b\n", &["  a", "- →b", "+ ····b"]),
            ("a\tb\nc\n", "a\tbb\nc\n", &["- a    b", "+ a    bb", "  c"]),
            (
                "a\nx\u{a0}y\n",
                "a\nx y\n",
                &["  a", "- x\\u{a0}y", "+ x·y"],
            ),
            (
                "a\nx\u{200b}y\n",
                "a\nxy\n",
                &["  a", "- x\\u{200b}y", "+ xy"],
            ),
            (
                "a\n点击 caf\u{e9}\n",
                "a\n点击 cafe\u{301}\n",
                &["  a", "- 点击 caf\\u{e9}", "+ 点击 cafe\\u{301}"],
            ),
            ("a\n点击\n", "a\n访问\n", &["  a", "- 点击", "+ 访问"]),
        ] {
            assert_eq!(shown(old, new, 80), expected, "{old:?} {new:?}");
        }
    }

    #[test]
    fn far_edits_are_shown_with_what_is_around_them() {
        let line = |at: usize| format!("line {at}\n");
        let old: String = (1..=100).map(line).collect();
        let new = old
            .replace("line 10\n", "line X\n")
            .replace("line 90\n", "");
        assert_eq!(
            shown(&old, &new, 80),
            [
                "  (6 lines the same)",
                "  line 7",
                "  line 8",
                "  line 9",
                "- line 10",
                "+ line X",
                "  line 11",
                "  line 12",
                "  line 13",
                "  (73 lines the same)",
                "  line 87",
                "  line 88",
                "  line 89",
                "- line 90",
                "  line 91",
                "  line 92",
                "  line 93",
                "  (7 lines the same)",
            ]
        );
    }

    #[test]
    fn no_line_is_longer_than_the_terminal() {
        let long = "select 工作流 ".repeat(2000);
        let edited = format!("{}x{}", &long[..9 * 17], &long[9 * 17..]);
        let lines = shown(&long, &edited, 60);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(
            lines[1].contains('x') && lines[1].starts_with("+ …"),
            "{lines:?}"
        );
        for (old, new) in [
            (long.as_str(), ""),
            ("short\n", &long),
            (&long, &"y".repeat(9000)),
        ] {
            for width in [40, 60, 200] {
                let lines = shown(old, new, width);
                let widest = lines.iter().map(|line| line.width()).max();
                assert!(widest <= Some(width), "{widest:?} {width} {lines:#?}");
                assert!(lines.len() <= 2 * MOST_WRAPPED, "{}", lines.len());
            }
        }
    }

    #[test]
    fn texts_that_have_nothing_in_common_are_not_compared_for_ever() {
        let text = |what: &str| {
            let lines: Vec<String> = (0..20_000).map(|at| format!("{what} {at}\n")).collect();
            lines.concat()
        };
        let lines = shown(
            &format!("a\n{}z\n", text("old")),
            &format!("a\n{}z\n", text("new")),
            80,
        );
        assert_eq!(lines.len(), 40_002);
    }
}
