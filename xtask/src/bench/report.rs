//! What was measured: as objects, as a table, and beside a baseline.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// From here on more instructions count as worse. The same program repeats within a few per mille;
/// another build of the same sources places code differently.
const INSTRUCTIONS: f64 = 1.03;

pub(super) const TABLE_BEGIN: &str = "<!-- table: begin -->\n";
pub(super) const TABLE_END: &str = "<!-- table: end -->\n";

/// What a value should be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Goal {
    AtMost(f64),
    AtLeast(f64),
    /// It stands there to compare others with.
    None,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Measure {
    pub(super) name: String,
    pub(super) unit: &'static str,
    pub(super) value: f64,
    pub(super) goal: Goal,
}

impl Measure {
    /// Whether it is as it should be; `None` if there is no goal.
    pub(super) fn ok(&self) -> Option<bool> {
        match self.goal {
            Goal::AtMost(most) => Some(self.value <= most),
            Goal::AtLeast(least) => Some(self.value >= least),
            Goal::None => None,
        }
    }

    /// One object on one line. `better` says on which side of the goal the value should be.
    pub(super) fn json(&self) -> Value {
        let (goal, better) = match self.goal {
            Goal::AtMost(most) => (json!(most), json!("less")),
            Goal::AtLeast(least) => (json!(least), json!("more")),
            Goal::None => (Value::Null, Value::Null),
        };
        json!({
            "name": self.name,
            "unit": self.unit,
            "value": round(self.value),
            "goal": goal,
            "better": better,
            "ok": self.ok(),
        })
    }
}

/// Whole numbers from a thousand on, three digits after the point below.
fn round(value: f64) -> f64 {
    let scale = if value.abs() >= 1000.0 { 1.0 } else { 1000.0 };
    (value * scale).round() / scale
}

/// `12345678.0` as `12,345,678`, `1.2346` as `1.235`.
fn number(value: f64) -> String {
    let text = round(value).to_string();
    let (whole, fraction) = text.split_once('.').map_or((&*text, ""), |parts| parts);
    let digits = whole.trim_start_matches('-').len();
    let mut grouped = String::new();
    let mut left = digits;
    for c in whole.chars() {
        grouped.push(c);
        if c.is_ascii_digit() {
            left -= 1;
            if left > 0 && left.is_multiple_of(3) {
                grouped.push(',');
            }
        }
    }
    if fraction.is_empty() {
        grouped
    } else {
        format!("{grouped}.{fraction}")
    }
}

/// A table in Markdown, for people.
pub(super) fn table(measures: &[Measure]) -> String {
    let mut text = String::from("| measure | unit | value | goal | |\n|---|---|---:|---:|---|\n");
    for measure in measures {
        let goal = match measure.goal {
            Goal::AtMost(most) => format!("≤ {}", number(most)),
            Goal::AtLeast(least) => format!("≥ {}", number(least)),
            Goal::None => String::new(),
        };
        let verdict = match measure.ok() {
            Some(true) => "ok",
            Some(false) => "**missed**",
            None => "",
        };
        let (name, unit, value) = (&measure.name, measure.unit, number(measure.value));
        let _ = writeln!(text, "| {name} | {unit} | {value} | {goal} | {verdict} |");
    }
    text
}

/// The document with another table between its marks.
pub(super) fn put_table(document: &str, table: &str) -> Option<String> {
    let (before, rest) = document.split_once(TABLE_BEGIN)?;
    let (_, after) = rest.split_once(TABLE_END)?;
    Some(format!(
        "{before}{TABLE_BEGIN}\n{table}\n{TABLE_END}{after}"
    ))
}

/// What costs more than it did: instructions beyond the tolerance, allocations at all. `None` if the
/// baseline cannot be read.
pub(super) fn regressions(baseline: &str, measures: &[Measure]) -> Option<Vec<String>> {
    let known: Vec<Value> = baseline
        .lines()
        .map(|line| serde_json::from_str(line).ok())
        .collect::<Option<_>>()?;
    let mut worse = Vec::new();
    for measure in measures {
        let tolerated = match measure.unit {
            "instructions" => INSTRUCTIONS,
            "allocations" => 1.0,
            _ => continue,
        };
        let before = known
            .iter()
            .find(|known| known["name"] == measure.name && known["unit"] == measure.unit);
        let Some(before) = before.and_then(|before| before["value"].as_f64()) else {
            worse.push(format!("{}: not in the baseline", measure.name));
            continue;
        };
        if round(measure.value) > before * tolerated {
            worse.push(format!(
                "{}: {} {}, {} in the baseline",
                measure.name,
                number(measure.value),
                measure.unit,
                number(before)
            ));
        }
    }
    Some(worse)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(unit: &'static str, value: f64, goal: Goal) -> Measure {
        Measure {
            name: "a".into(),
            unit,
            value,
            goal,
        }
    }

    #[test]
    fn an_object_has_its_goal_and_says_whether_it_is_met() {
        let most = measure("×", 1.23456, Goal::AtMost(1.2));
        assert_eq!(
            most.json(),
            json!({"name": "a", "unit": "×", "value": 1.235, "goal": 1.2, "better": "less", "ok": false})
        );
        assert_eq!(measure("×", 0.7, Goal::AtLeast(0.6)).ok(), Some(true));
        assert_eq!(measure("×", 0.7, Goal::None).json()["ok"], Value::Null);
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(number(12_345_678.4), "12,345,678");
        assert_eq!(number(999.0), "999");
        assert_eq!(number(1000.0), "1,000");
        assert_eq!(number(0.0125), "0.013");
        assert_eq!(number(-1234.0), "-1,234");
    }

    #[test]
    fn the_table_is_put_between_the_marks_and_nowhere_else() {
        let document = format!("a\n{TABLE_BEGIN}old\n{TABLE_END}b\n");
        let new = put_table(&document, "new\n").unwrap();
        assert_eq!(new, format!("a\n{TABLE_BEGIN}\nnew\n\n{TABLE_END}b\n"));
        assert_eq!(put_table(&new, "new\n").unwrap(), new);
        assert_eq!(put_table("a", "new\n"), None);
    }

    #[test]
    fn more_instructions_beyond_the_tolerance_and_any_more_allocations_are_worse() {
        let line = |unit| format!("{{\"name\":\"a\",\"unit\":\"{unit}\",\"value\":100}}\n");
        let worse = |unit, value| {
            let measures = [measure(unit, value, Goal::None)];
            regressions(&line(unit), &measures).unwrap().len()
        };
        assert_eq!(worse("instructions", 102.9), 0);
        assert_eq!(worse("instructions", 103.1), 1);
        assert_eq!(worse("allocations", 100.0), 0);
        assert_eq!(worse("allocations", 101.0), 1);
        assert_eq!(worse("×", 1000.0), 0);
        assert_eq!(regressions("x", &[]), None);
        let new = [measure("allocations", 1.0, Goal::None)];
        assert!(regressions("", &new).unwrap()[0].contains("not in the baseline"));
    }
}
