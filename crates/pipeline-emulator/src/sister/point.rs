//! A point of TSDB as a line: `cpu,host=a,region=b load=0.5,cores=8i,state="up" 1529653974002000000`.

use serde_json::Value;

use super::Members;

pub(super) struct Point {
    pub(super) series: String,
    /// Tags and fields.
    pub(super) values: Members,
    /// In nanoseconds since 1970.
    time: Option<i64>,
}

impl Point {
    pub(super) fn parse(line: &str) -> Option<Self> {
        let parts = split(line.trim_end_matches('\r'), ' ');
        let (key, fields, time) = match parts[..] {
            [key, fields] => (key, fields, None),
            [key, fields, time] => (key, fields, Some(time.parse().ok()?)),
            _ => return None,
        };
        let mut key = split(key, ',').into_iter();
        let series = unescaped(key.next()?);
        let mut values = Members::new();
        for tag in key {
            let (name, value) = pair(tag)?;
            values.insert(name, unescaped(value).into());
        }
        for field in split(fields, ',') {
            let (name, text) = pair(field)?;
            values.insert(name, value(text)?);
        }
        (!series.is_empty()).then_some(Self {
            series,
            values,
            time,
        })
    }

    /// Its time, or that at which it came, in milliseconds.
    pub(super) fn time_or(&self, came: u64) -> i128 {
        self.time.map_or(i128::from(came) * 1_000_000, i128::from)
    }
}

/// The parts between characters that are neither escaped nor inside of quotes.
fn split(text: &str, at: char) -> Vec<&str> {
    let (mut is_escaped, mut is_quoted) = (false, false);
    text.split(|next: char| {
        let counts = !is_escaped;
        is_escaped = next == '\\' && counts;
        is_quoted ^= next == '"' && counts;
        next == at && counts && !is_quoted
    })
    .collect()
}

fn pair(text: &str) -> Option<(String, &str)> {
    match split(text, '=')[..] {
        [name, value] if !name.is_empty() && !value.is_empty() => Some((unescaped(name), value)),
        _ => None,
    }
}

fn unescaped(text: &str) -> String {
    [",", " ", "=", "\""]
        .iter()
        .fold(text.to_owned(), |text, next| {
            text.replace(&format!("\\{next}"), next)
        })
}

fn value(text: &str) -> Option<Value> {
    if let Some(text) = text.strip_prefix('"') {
        let text = text.strip_suffix('"')?;
        return Some(text.replace("\\\"", "\"").replace("\\\\", "\\").into());
    }
    match text {
        "t" | "T" | "true" | "True" | "TRUE" => return Some(true.into()),
        "f" | "F" | "false" | "False" | "FALSE" => return Some(false.into()),
        _ => {}
    }
    if let Some(whole) = text.strip_suffix('i') {
        return whole.parse::<i64>().ok().map(Value::from);
    }
    let number: f64 = text.parse().ok()?;
    number.is_finite().then(|| number.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_is_read_as_the_vendors_client_writes_it_or_not_at_all() {
        for (line, expected) in [
            (
                "cpu,host=h1,region=r value=123i",
                json!({ "host": "h1", "region": "r", "value": 123 }),
            ),
            ("cpu value=1.5 123", json!({ "value": 1.5 })),
            (
                r#"cpu,a\ b=c\,d\=e s="x, y=\"z\" \\",t=true"#,
                json!({ "a b": "c,d=e", "s": r#"x, y="z" \"#, "t": true }),
            ),
            ("cpu a=1\r", json!({ "a": 1.0 })),
            ("", json!(null)),
            ("cpu", json!(null)),
            ("cpu value", json!(null)),
            ("cpu value=", json!(null)),
            ("cpu =1", json!(null)),
            (",host=a value=1", json!(null)),
            ("cpu value=1x", json!(null)),
            ("cpu value=nan", json!(null)),
            ("cpu value=99999999999999999999i", json!(null)),
            ("cpu value=\"", json!(null)),
            ("cpu value=\"a", json!(null)),
            ("cpu value=1 now", json!(null)),
            ("cpu value=1 1 1", json!(null)),
        ] {
            let found = Point::parse(line).map_or(Value::Null, |point| point.values.into());
            assert_eq!(found, expected, "{line}");
        }
    }
}
