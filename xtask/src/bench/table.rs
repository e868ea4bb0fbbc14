//! The tables in the document: written, and read again.

use std::{fmt, fs};

use crate::{Result, cargo};

use super::rows::{Goal, Row};

const DOCUMENT: &str = "docs/benchmarks.md";
/// Around the table of costs, and around that of what was shipped.
const COSTS: [&str; 2] = ["<!-- table: begin -->\n", "<!-- table: end -->\n"];
const SHIPPED: [&str; 2] = ["<!-- shipped: begin -->\n", "<!-- shipped: end -->\n"];

pub(super) struct Measured<'a> {
    pub(super) row: &'a Row,
    pub(super) value: Result<f64>,
}

impl Measured<'_> {
    /// Whether it is as it should be; `None` if there is no goal, or no value.
    pub(super) fn ok(&self) -> Option<bool> {
        let value = *self.value.as_ref().ok()?;
        match self.row.goal {
            Goal::AtMost(most) => Some(value <= most),
            Goal::AtLeast(least) => Some(value >= least),
            Goal::None => None,
        }
    }

    fn line(&self) -> String {
        let goal = match self.row.goal {
            Goal::AtMost(most) => format!("≤ {}", number(most)),
            Goal::AtLeast(least) => format!("≥ {}", number(least)),
            Goal::None => String::new(),
        };
        let verdict = match self.ok() {
            Some(true) => "ok",
            Some(false) => "**missed**",
            None => "",
        };
        let (name, unit) = (self.row.name, self.row.unit);
        let value = match &self.value {
            Ok(value) => number(*value),
            Err(_) => "not measured".to_owned(),
        };
        format!("| {name} | {unit} | {value} | {goal} | {verdict} |\n")
    }
}

/// As it stands in the document.
pub(super) struct Table(String);

impl Table {
    pub(super) fn new(measured: &[Measured<'_>]) -> Self {
        Self::of_lines(measured.iter().map(Measured::line))
    }

    fn of_lines(lines: impl Iterator<Item = String>) -> Self {
        let mut table = "| measure | unit | value | goal | |\n|---|---|---:|---:|---|\n".to_owned();
        table.extend(lines);
        Self(table)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How far [`number`] may be off below a thousand.
pub(super) const ROUNDED: f64 = 0.0005;

/// `12345678.0` as `12,345,678`, and three digits after the point below a thousand: `1.235`.
pub(super) fn number(value: f64) -> String {
    if value.abs() < 1000.0 {
        return ((value * 1000.0).round() / 1000.0).to_string();
    }
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// The document, and the figures that its table of costs has.
pub(super) struct Document {
    text: String,
    costs: Vec<(String, String, f64)>,
}

impl Document {
    pub(super) fn read() -> Result<Self> {
        let text = fs::read_to_string(cargo::root().join(DOCUMENT));
        Self::of(text.map_err(|error| format!("{DOCUMENT}: {error}"))?)
    }

    fn of(text: String) -> Result<Self> {
        let costs = between(&text, COSTS)?.lines().filter_map(cells);
        let costs = costs.map(|(name, unit, value, _)| (name, unit, value));
        let costs = costs.collect();
        Ok(Self { text, costs })
    }

    /// Each with its name and its unit.
    pub(super) fn costs(&self) -> &[(String, String, f64)] {
        &self.costs
    }

    /// Writes what was measured. A row that was not keeps the figure it had.
    pub(super) fn with_costs(&self, rows: &[Row], measured: &[Measured<'_>]) -> Result {
        write(&self.put_costs(rows, measured)?)
    }

    fn put_costs(&self, rows: &[Row], measured: &[Measured<'_>]) -> Result<String> {
        let old = between(&self.text, COSTS)?;
        let line = |row: &Row| {
            let is_it = |it: &&Measured<'_>| {
                it.value.is_ok() && it.row.name == row.name && it.row.unit == row.unit
            };
            let start = format!("| {} | {} |", row.name, row.unit);
            let kept = || {
                Some(format!(
                    "{}\n",
                    old.lines().find(|line| line.starts_with(&start))?
                ))
            };
            measured
                .iter()
                .find(is_it)
                .map(Measured::line)
                .or_else(kept)
        };
        let table = Table::of_lines(rows.iter().filter_map(line));
        put(&self.text, COSTS, &table.0)
    }

    /// Writes lines into the table of what was shipped, each in place of the one that begins alike.
    pub(super) fn with_shipped(&self, head: &str, lines: &[String]) -> Result {
        let start = |line: &str| line.split('|').nth(1).unwrap_or_default().to_owned();
        let mut all: Vec<String> = between(&self.text, SHIPPED)?
            .lines()
            .skip_while(|line| !line.starts_with("|---"))
            .skip(1)
            .filter(|line| line.starts_with('|'))
            .filter(|old| lines.iter().all(|new| start(new) != start(old)))
            .map(|line| format!("{line}\n"))
            .collect();
        all.extend_from_slice(lines);
        write(&put(
            &self.text,
            SHIPPED,
            &format!("{head}{}", all.concat()),
        )?)
    }
}

fn write(text: &str) -> Result {
    fs::write(cargo::root().join(DOCUMENT), text).map_err(|error| format!("{DOCUMENT}: {error}"))
}

fn between<'a>(text: &'a str, [begin, end]: [&str; 2]) -> Result<&'a str> {
    let found = text
        .split_once(begin)
        .and_then(|(_, rest)| Some(rest.split_once(end)?.0));
    found.ok_or_else(|| format!("{DOCUMENT} lacks the mark {}", begin.trim()))
}

fn put(text: &str, marks: [&str; 2], table: &str) -> Result<String> {
    let old = between(text, marks)?;
    let [begin, end] = marks;
    Ok(text.replacen(
        &format!("{begin}{old}{end}"),
        &format!("{begin}\n{table}\n{end}"),
        1,
    ))
}

/// Name, unit and value of a row, and what is behind them.
fn cells(line: &str) -> Option<(String, String, f64, String)> {
    let line = line.strip_prefix("| ")?;
    let mut cells = line.splitn(4, " | ").map(str::to_owned);
    let (name, unit, value) = (cells.next()?, cells.next()?, cells.next()?);
    Some((
        name,
        unit,
        value.replace(',', "").parse().ok()?,
        cells.next()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::{
        super::rows::{Kind, Row},
        *,
    };

    fn row(name: &'static str, goal: Goal) -> Row {
        Row {
            name,
            unit: "×",
            kind: Kind::Ratio,
            goal,
            measure: |_| Ok(0.0),
        }
    }

    #[test]
    fn figures_are_written_for_people() {
        let values = [12_345_678.4, 999.0, 1000.0, 0.0125, -123_456.0].map(number);
        assert_eq!(values, ["12,345,678", "999", "1,000", "0.013", "-123,456"]);
        for (value, goal, line) in [
            (
                1.2346,
                Goal::AtMost(1.2),
                "| a | × | 1.235 | ≤ 1.2 | **missed** |\n",
            ),
            (0.7, Goal::AtLeast(0.6), "| a | × | 0.7 | ≥ 0.6 | ok |\n"),
            (0.7, Goal::None, "| a | × | 0.7 |  |  |\n"),
        ] {
            let row = row("a", goal);
            let value = Ok(value);
            assert_eq!(Measured { row: &row, value }.line(), line);
        }
    }

    #[test]
    fn a_document_gets_what_was_measured_and_keeps_the_rest() {
        let rows = [
            row("a", Goal::None),
            row("b", Goal::None),
            row("c", Goal::None),
        ];
        let old = "| b | × | 2,000 |  |  |\n| c | × | 3 |  |  |\n| gone | × | 4 |  |  |\n";
        let text = format!("x\n{}{old}{}y\n", COSTS[0], COSTS[1]);
        let document = Document::of(text).unwrap();
        let read: Vec<_> = document.costs().iter().map(|(.., value)| *value).collect();
        assert!(read.iter().eq([2000.0, 3.0, 4.0].iter()), "{read:?}");
        let measured = [(0, Ok(1.0)), (1, Err("no".to_owned())), (2, Ok(5.0))];
        let measured = measured.map(|(at, value)| Measured {
            row: &rows[at],
            value,
        });
        let new = document.put_costs(&rows, &measured).unwrap();
        let lines: Vec<_> = new
            .lines()
            .filter(|line| line.ends_with("|  |  |"))
            .collect();
        assert_eq!(
            lines,
            [
                "| a | × | 1 |  |  |",
                "| b | × | 2,000 |  |  |",
                "| c | × | 5 |  |  |"
            ]
        );
        let document = Document::of(new.clone()).unwrap();
        assert_eq!(document.put_costs(&rows, &measured).unwrap(), new);
        assert!(Document::of("x".to_owned()).is_err());
    }
}
