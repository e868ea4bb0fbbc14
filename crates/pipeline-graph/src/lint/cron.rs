//! The numbers and names in a cron table, which its form leaves open.

/// A field of a table, with the least and the most that stands in it.
struct Field(&'static str, u32, u32, &'static [&'static str]);

const SECOND: Field = Field("second", 0, 59, &[]);
const MINUTE: Field = Field("minute", 0, 59, &[]);
const HOUR: Field = Field("hour", 0, 23, &[]);
const DAY: Field = Field("day", 1, 31, &[]);
const MONTH: Field = Field(
    "month",
    1,
    12,
    &[
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ],
);
const WEEKDAY: Field = Field(
    "weekday",
    0,
    7,
    &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
);
const YEAR: Field = Field("year", 1970, 2099, &[]);

/// The fields by their count. The vendor's example `0 0 0/1 * *` makes sense with seconds in front only,
/// so that five fields may be either.
fn readings(count: usize) -> &'static [&'static [Field]] {
    match count {
        5 => &[
            &[MINUTE, HOUR, DAY, MONTH, WEEKDAY],
            &[SECOND, MINUTE, HOUR, DAY, MONTH],
        ],
        6 => &[&[SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY]],
        7 => &[&[SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY, YEAR]],
        _ => &[],
    }
}

/// What is wrong with a table of the right form, and whether it is however it is read.
pub(super) fn fault(table: &str) -> Option<(bool, String)> {
    let texts: Vec<&str> = table.split_whitespace().collect();
    let faults = readings(texts.len()).iter().map(|fields| {
        let mut pairs = fields.iter().zip(&texts);
        pairs.find_map(|(field, text)| text.split(',').find_map(|item| field.fault(item)))
    });
    let faults: Vec<Option<String>> = faults.collect();
    let certain = faults.iter().all(Option::is_some);
    Some((certain, faults.into_iter().next()??))
}

impl Field {
    /// What is wrong with one item of a list: `*`, `5`, `MON-FRI`, `0/5` and what Quartz has beyond them.
    fn fault(&self, item: &str) -> Option<String> {
        let Self(name, least, most, words) = self;
        let (base, step) = match item.split_once('/') {
            Some((base, step)) => (base, Some(step)),
            None => (item, None),
        };
        if let Some(step) = step
            && step.parse().is_ok_and(|step: u32| step == 0)
        {
            return Some(format!("in {item:?} the step is 0; write 1 or more"));
        }
        if matches!(base, "*" | "?") || self.is_of_quartz(base) {
            return None;
        }
        let mut ends = base.split('-');
        let unknown = |end: &&str| match end.parse::<u32>() {
            // Steps may start at 0 wherever they are counted from.
            Ok(0) if step.is_some() => false,
            Ok(number) => !(*least..=*most).contains(&number),
            Err(_) => !words.contains(end),
        };
        if let Some(wrong) = ends.clone().find(unknown) {
            let names = match words {
                [first, .., end] => format!(" or {first} to {end}"),
                _ => String::new(),
            };
            return Some(format!(
                "{wrong:?} is no {name}; write {least} to {most}{names}"
            ));
        }
        let from = ends.next()?.parse::<u32>().ok()?;
        let to = ends.next()?.parse::<u32>().ok()?;
        (from > to).then(|| format!("the range {base:?} ends before it begins"))
    }

    /// The last day, the weekday nearest to a day, the third Friday.
    fn is_of_quartz(&self, base: &str) -> bool {
        let in_range = |text: &str| {
            let number = text.parse().ok();
            number.is_some_and(|number: u32| (self.1..=self.2).contains(&number))
        };
        let known = |text: &str| in_range(text) || self.3.contains(&text);
        match self.0 {
            "day" => {
                matches!(base, "L" | "LW")
                    || base.strip_prefix("L-").is_some_and(in_range)
                    || base.strip_suffix('W').is_some_and(in_range)
            }
            "weekday" => {
                base == "L"
                    || base.strip_suffix('L').is_some_and(known)
                    || base.split_once('#').is_some_and(|(day, week)| {
                        known(day) && week.parse().is_ok_and(|week: u32| (1..=5).contains(&week))
                    })
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_checked_by_the_field_they_stand_in() {
        for (table, says) in [
            ("60 0 * * *", "\"60\" is no minute; write 0 to 59"),
            ("0 24 * * *", "maybe \"24\" is no hour"),
            ("0 0 32 * *", "\"32\" is no day"),
            ("0 0 0 * *", "maybe \"0\" is no day"),
            ("0 0 1 13 *", "maybe \"13\" is no month"),
            ("0 0 * 32 8", "\"32\" is no month"),
            (
                "0 0 * * 8",
                "maybe \"8\" is no weekday; write 0 to 7 or SUN to SAT",
            ),
            ("*/0 * * * *", "the step is 0"),
            ("30-10 0 * * *", "the range \"30-10\" ends before it begins"),
            ("0 0 * JNA *", "\"JNA\" is no month"),
            ("0 0 0 1 13 ?", "\"13\" is no month"),
            ("0 60 0 * * *", "\"60\" is no minute"),
            ("0 0 25 * * *", "\"25\" is no hour"),
            ("0 0 0 0 * *", "\"0\" is no day"),
            ("0 0 0 ? * MON-FRY", "\"FRY\" is no weekday"),
            ("0 0 0 ? * 6#6", "\"6#6\" is no weekday"),
            ("0 0 0 1 1 ? 1", "\"1\" is no year"),
            ("0 0 0/1 * *", ""),
            ("0 5 * * *", ""),
            ("*/5 0-6,8 1,15 JAN-MAR 0", ""),
            ("0 0/5 14,18 ? * MON-FRI", ""),
            ("0 0 0 L * ?", ""),
            ("0 0 0 15W * ?", ""),
            ("0 0 0 ? * 6L", ""),
            ("0 0 0 ? * FRI#3 2030", ""),
            ("0 0 0 ? * FRI-MON", ""),
            ("every hour", ""),
            ("99999999999 0 * * *", "is no minute"),
        ] {
            let found = fault(table).map(|(certain, what)| {
                let maybe = if certain { "" } else { "maybe " };
                format!("{maybe}{what}")
            });
            let found = found.unwrap_or_default();
            let fits = if says.is_empty() {
                found.is_empty()
            } else {
                found.contains(says)
            };
            assert!(fits, "{table}: {found:?}");
            assert!(
                says.starts_with("maybe") == found.starts_with("maybe"),
                "{table}: {found:?}"
            );
        }
    }
}
