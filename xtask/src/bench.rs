//! `cargo xtask bench`: what the client costs, measured from outside and held against its goals.
//!
//! The programs stand in `bench`, a workspace of its own. What is counted (instructions,
//! allocations, bytes, system calls) repeats on a noisy machine; what is timed is CPU time, and only
//! as a ratio of two programs that ran in turns.

mod programs;
mod rows;
mod tools;

use std::fs;

use crate::{Result, cargo};

const DOCUMENT: &str = "docs/benchmarks.md";
/// Around the table of the document.
const MARKS: [&str; 2] = ["<!-- table: begin -->\n", "<!-- table: end -->\n"];

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Write the figures into docs/benchmarks.md
    #[arg(long)]
    update: bool,
}

pub(crate) fn run(options: &Options) -> Result {
    tools::look_for_them()?;
    let measures = rows::measure()?;
    let mut table = "| measure | unit | value | goal | |\n|---|---|---:|---:|---|\n".to_owned();
    table.extend(measures.iter().map(Measure::row));
    print!("{table}");
    if options.update {
        let path = cargo::root().join(DOCUMENT);
        let text = fs::read_to_string(&path).map_err(|error| format!("{DOCUMENT}: {error}"))?;
        let text = put_table(&text, &table)
            .ok_or(format!("{DOCUMENT} lacks the marks around its table"))?;
        fs::write(&path, text).map_err(|error| format!("{DOCUMENT}: {error}"))?;
    }
    match measures
        .iter()
        .filter(|measure| measure.ok() == Some(false))
        .count()
    {
        0 => Ok(()),
        missed => Err(format!("goals missed: {missed}")),
    }
}

/// What a value should be.
#[derive(Clone, Copy)]
enum Goal {
    AtMost(f64),
    AtLeast(f64),
    /// It stands there to compare others with.
    None,
}

struct Measure {
    name: String,
    unit: &'static str,
    value: f64,
    goal: Goal,
}

impl Measure {
    /// Whether it is as it should be; `None` if there is no goal.
    fn ok(&self) -> Option<bool> {
        match self.goal {
            Goal::AtMost(most) => Some(self.value <= most),
            Goal::AtLeast(least) => Some(self.value >= least),
            Goal::None => None,
        }
    }

    fn row(&self) -> String {
        let goal = match self.goal {
            Goal::AtMost(most) => format!("≤ {}", number(most)),
            Goal::AtLeast(least) => format!("≥ {}", number(least)),
            Goal::None => String::new(),
        };
        let verdict = match self.ok() {
            Some(true) => "ok",
            Some(false) => "**missed**",
            None => "",
        };
        let (name, unit, value) = (&self.name, self.unit, number(self.value));
        format!("| {name} | {unit} | {value} | {goal} | {verdict} |\n")
    }
}

/// `12345678.0` as `12,345,678`, and three digits after the point below a thousand: `1.235`.
fn number(value: f64) -> String {
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

/// The document with another table between its marks.
fn put_table(document: &str, table: &str) -> Option<String> {
    let [begin, end] = MARKS;
    let (before, rest) = document.split_once(begin)?;
    let (_, after) = rest.split_once(end)?;
    Some(format!("{before}{begin}\n{table}\n{end}{after}"))
}

#[test]
fn figures_are_written_for_people_between_the_marks() {
    let values = [12_345_678.4, 999.0, 1000.0, 0.0125, -123_456.0].map(number);
    assert_eq!(values, ["12,345,678", "999", "1,000", "0.013", "-123,456"]);
    let document = format!("a\n{}old\n{}b\n", MARKS[0], MARKS[1]);
    let new = put_table(&document, "new\n").unwrap();
    assert_eq!(new, format!("a\n{}\nnew\n\n{}b\n", MARKS[0], MARKS[1]));
    assert_eq!(put_table(&new, "new\n").unwrap(), new);
    assert_eq!(put_table("a", "new\n"), None);
    let measure = |value, goal| Measure {
        name: "a".into(),
        unit: "×",
        value,
        goal,
    };
    assert_eq!(
        measure(1.2346, Goal::AtMost(1.2)).row(),
        "| a | × | 1.235 | ≤ 1.2 | **missed** |\n"
    );
    assert_eq!(
        measure(0.7, Goal::AtLeast(0.6)).row(),
        "| a | × | 0.7 | ≥ 0.6 | ok |\n"
    );
    assert_eq!(measure(0.7, Goal::None).row(), "| a | × | 0.7 |  |  |\n");
}
