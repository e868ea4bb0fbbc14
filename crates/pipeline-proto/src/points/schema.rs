//! Records against a schema.

use std::{collections::BTreeMap, fmt, io::Write as _, str};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{
    Kind,
    error::{PointError, Reason},
    json::{self, no_json, push_text},
    text::Writing,
    time::is_rfc3339,
};
use crate::resource::schema::{SchemaEntry, ValType};

/// The fields of a schema, and which of them a record has had.
#[derive(Debug, Clone)]
pub(super) struct Fields<'s> {
    entries: &'s [SchemaEntry],
    by_key: BTreeMap<&'s str, usize>,
    seen: Vec<bool>,
    /// Where the next field is, if a record has them in the order of the schema.
    next: usize,
    pub(super) rules: Rules,
    /// How many fields were left out.
    pub(super) dropped: u64,
}

/// How records are made to fit.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rules {
    /// Nothing that is converted may lose anything.
    pub(super) is_lossless: bool,
    /// Fields that the schema does not have are left out.
    pub(super) drops_unknown: bool,
}

impl<'s> Fields<'s> {
    pub(super) fn new(entries: &'s [SchemaEntry]) -> Self {
        let keys = entries.iter().enumerate();
        Self {
            entries,
            by_key: keys.map(|(index, entry)| (&*entry.key, index)).collect(),
            seen: vec![false; entries.len()],
            next: 0,
            rules: Rules::default(),
            dropped: 0,
        }
    }

    pub(super) fn begin(&mut self) {
        self.seen.fill(false);
        self.next = 0;
    }

    pub(super) fn find(&mut self, key: &str) -> Option<&'s SchemaEntry> {
        let here = self.entries.get(self.next);
        let index = if here.is_some_and(|entry| entry.key == key) {
            self.next
        } else {
            *self.by_key.get(key)?
        };
        self.next = index + 1;
        self.entries.get(index)
    }

    /// Notes that the field that was found last has a value.
    pub(super) fn note(&mut self) -> Result<(), PointError> {
        let seen = &mut self.seen[self.next - 1];
        if std::mem::replace(seen, true) {
            return Err(Reason::Twice.into());
        }
        Ok(())
    }

    pub(super) fn end(&self) -> Result<(), PointError> {
        let fields = self.entries.iter().zip(&self.seen);
        check_required(fields.map(|(entry, seen)| (entry, *seen)))
    }
}

fn check_required<'s>(
    mut fields: impl Iterator<Item = (&'s SchemaEntry, bool)>,
) -> Result<(), PointError> {
    match fields.find(|(entry, seen)| !seen && entry.required == Some(true)) {
        Some((entry, _)) => Err(PointError::of(Reason::Missing).inside(&entry.key)),
        None => Ok(()),
    }
}

/// Whether a field holds JSON, so that blanks may stand for what cannot stand in a point.
pub(super) fn holds_json(entry: &SchemaEntry) -> bool {
    matches!(
        entry.valtype,
        ValType::Jsonstring | ValType::Array | ValType::Map
    )
}

/// Makes the value that begins here fit its field.
pub(super) fn fit(
    entry: &SchemaEntry,
    kind: Kind,
    out: &mut Vec<u8>,
    start: usize,
    rules: Rules,
) -> Result<(), PointError> {
    let misfit = || PointError::of(Reason::Misfit(kind, entry.valtype.clone()));
    let text = str::from_utf8(&out[start..]).map_err(|_| misfit())?;
    if rules.is_lossless && loses(&entry.valtype, kind, text) {
        return Err(Reason::Lossy(kind, entry.valtype.clone()).into());
    }
    let fits = match (&entry.valtype, kind) {
        (ValType::Long, Kind::Integer) => text.parse::<i64>().is_ok(),
        (ValType::Long, Kind::Float | Kind::Text) => {
            let number = whole(text).ok_or_else(misfit)?;
            out.truncate(start);
            write!(out, "{number}").expect("a vector takes everything");
            true
        }
        (ValType::Boolean, Kind::Boolean) => true,
        (ValType::Float, Kind::Integer | Kind::Float | Kind::Text) => {
            text.parse().is_ok_and(f64::is_finite)
        }
        (ValType::Boolean, Kind::Text) => matches!(text, "true" | "false"),
        (ValType::Date, Kind::Text) => is_rfc3339(text),
        (ValType::Ip, Kind::Text) => text.parse::<core::net::IpAddr>().is_ok(),
        (ValType::Jsonstring, Kind::Text) => json::is_json(text),
        (ValType::Array, Kind::Array | Kind::Text) | (ValType::Map, Kind::Object | Kind::Text) => {
            let made = if entry.valtype == ValType::Array && !text.starts_with('[') {
                // As the vendor's clients do it; it only fits an array of texts.
                let mut list = b"[".to_vec();
                push_text(&mut list, text);
                list.push(b']');
                nested(entry, &String::from_utf8_lossy(&list), rules)?
            } else {
                nested(entry, text, rules)?
            };
            out.truncate(start);
            out.extend_from_slice(&made);
            true
        }
        (
            ValType::Long
            | ValType::Float
            | ValType::Boolean
            | ValType::Date
            | ValType::Ip
            | ValType::Array
            | ValType::Map,
            _,
        ) => false,
        // Anything can be text, and what later versions of the service have is for them to judge.
        _ => true,
    };
    if fits { Ok(()) } else { Err(misfit()) }
}

/// Whether something is lost when a value that can be converted is.
fn loses(valtype: &ValType, kind: Kind, text: &str) -> bool {
    // From here on, neighbours are the same number in a float.
    const EXACT: u64 = 1 << 53;
    match (valtype, kind) {
        // Such as "007", whose zeros mean something.
        (ValType::Long | ValType::Float, Kind::Text) if !json::is_number(text) => {
            text.parse::<f64>().is_ok()
        }
        (ValType::Long, Kind::Float | Kind::Text) => {
            let has_fraction = text.parse().is_ok_and(|number: f64| number.fract() != 0.0);
            let is_exact = |number: i64| number.unsigned_abs() <= EXACT;
            text.parse::<i64>().is_err() && (has_fraction || !whole(text).is_none_or(is_exact))
        }
        (ValType::Float, Kind::Integer | Kind::Text) => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let is_whole = digits.bytes().all(|byte| byte.is_ascii_digit());
            is_whole && digits.parse().map_or(true, |number: u64| number > EXACT)
        }
        _ => false,
    }
}

/// A number as an integer, its fraction cut off.
#[allow(
    clippy::cast_possible_truncation,
    reason = "in range, and meant to lose its fraction"
)]
fn whole(text: &str) -> Option<i64> {
    const END: f64 = 9_223_372_036_854_775_808.0;
    text.parse().ok().or_else(|| {
        let number = text.parse::<f64>().ok()?.trunc();
        (-END..END).contains(&number).then_some(number as i64)
    })
}

/// JSON that fits an array or a map, made of JSON that perhaps does.
fn nested(entry: &SchemaEntry, raw: &str, rules: Rules) -> Result<Vec<u8>, PointError> {
    let mut out = Vec::with_capacity(raw.len());
    if entry.valtype == ValType::Array {
        let elements: Vec<&RawValue> = serde_json::from_str(raw).map_err(no_json)?;
        let elemtype = entry.elemtype.as_ref().map_or("", |it| it.as_str());
        let of = SchemaEntry::new("", ValType::from(elemtype));
        out.push(b'[');
        for (index, element) in elements.into_iter().enumerate() {
            let inside = |error: PointError| error.inside(&format!("[{index}]"));
            if index > 0 {
                out.push(b',');
            }
            if value(&of, element.get(), &mut out, rules).map_err(inside)? == Kind::Nothing {
                return Err(inside(Reason::Misfit(Kind::Nothing, of.valtype).into()));
            }
        }
        out.push(b']');
        return Ok(out);
    }
    let Members(members) = serde_json::from_str(raw).map_err(no_json)?;
    let mut fields = entry.schema.as_deref().map(Fields::new);
    out.push(b'{');
    for (key, raw) in members {
        let start = out.len();
        if start > 1 {
            out.push(b',');
        }
        push_text(&mut out, &key);
        out.push(b':');
        let kind = match &mut fields {
            None => Ok(json::push_nested(&mut out, raw.get())),
            Some(fields) => match fields.find(&key) {
                Some(entry) => value(entry, raw.get(), &mut out, rules).and_then(|kind| {
                    if kind != Kind::Nothing {
                        fields.note()?;
                    }
                    Ok(kind)
                }),
                None if raw.get() == "null" => Ok(Kind::Nothing),
                None => Err(Reason::Unknown.into()),
            },
        };
        if kind.map_err(|error| error.inside(&key))? == Kind::Nothing {
            out.truncate(start);
        }
    }
    fields.map_or(Ok(()), |fields| fields.end())?;
    out.push(b'}');
    Ok(out)
}

/// Writes a value inside of an array or a map so that it fits.
fn value(
    entry: &SchemaEntry,
    raw: &str,
    out: &mut Vec<u8>,
    rules: Rules,
) -> Result<Kind, PointError> {
    let mut text = Vec::new();
    let kind = json::push(&mut text, raw, Writing::Plain)?;
    if kind == Kind::Nothing {
        return Ok(kind);
    }
    fit(entry, kind, &mut text, 0, rules)?;
    match (&entry.valtype, str::from_utf8(&text)) {
        (ValType::String | ValType::Date | ValType::Ip | ValType::Jsonstring, Ok(text)) => {
            push_text(out, text);
        }
        (ValType::Other(_), _) => out.extend_from_slice(raw.as_bytes()),
        _ => out.extend_from_slice(&text),
    }
    Ok(kind)
}

/// The members of a JSON object, in their order.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;

        impl<'de> Visitor<'de> for Each {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Each)
    }
}
