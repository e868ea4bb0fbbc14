//! The fields that records without a schema need.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Kind,
    error::{PointError, Reason},
    json::{no_object, to_json},
    scan::{self, Raw},
    time::is_rfc3339,
};
use crate::resource::schema::{ElemType, FieldName, SchemaEntry, ValType};

/// Finds the fields that records need, by what their values are.
///
/// All records that are added are looked at, and each of them fits the [schema](Self::schema) that results: an
/// [`Encoder`](super::Encoder) that checks takes it. What differs is widened, and no value loses anything.
///
/// Whole numbers become `long`, others `float`, objects `jsonstring`, arrays an `array` of `long`, `float` or
/// `string`. What was in quotes stays a text. Values of several kinds become `string`, and so do numbers that would be
/// rounded. The page `docs/schema-free.md` in the repository has each rule.
///
/// ```
/// use pipeline_proto::{points::{Encoder, Inference}, resource::schema::Schema};
///
/// let records = [
///     r#"{"id":"007","bytes":12,"ratio":1,"tags":["a"]}"#,
///     r#"{"id":"008","bytes":15,"ratio":0.5,"geo":{"lat":1},"referrer":null}"#,
/// ];
/// let mut inference = Inference::new();
/// for record in records {
///     inference.add_json(record)?;
/// }
/// let schema = inference.schema();
/// let short = "id string, bytes long, ratio float, tags a(s), geo jsonstring".parse::<Schema>()?;
/// assert_eq!(schema, short.0);
///
/// let mut encoder = Encoder::checked(&schema);
/// let mut points = Vec::new();
/// encoder.write_json(&mut points, records[1])?;
/// assert_eq!(points, b"id=008\tbytes=15\tratio=0.5\tgeo={\"lat\":1}\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Inference {
    dates: bool,
    floats: bool,
    /// What is there already: of these fields, only maps can need more.
    known: BTreeMap<String, Option<Inference>>,
    /// In the order in which they came.
    fields: Vec<(String, Guess)>,
    by_key: BTreeMap<String, usize>,
}

impl Inference {
    /// Of no records so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a field whose texts are all dates of RFC 3339, with a zone, is a date. Not unless asked for: one text
    /// that is none would be refused from then on.
    #[must_use]
    pub fn dates(mut self, dates: bool) -> Self {
        self.dates = dates;
        self
    }

    /// Whether fields of whole numbers become `float` as well.
    #[must_use]
    pub fn floats(mut self, floats: bool) -> Self {
        self.floats = floats;
        self
    }

    /// Looks only for what this schema lacks, which [`union`] then puts behind it: fields, and fields of its maps.
    ///
    /// ```
    /// use pipeline_proto::{points::{Inference, union}, resource::schema::Schema};
    ///
    /// let old: Schema = "id long, geo { lat float }".parse()?;
    /// let mut inference = Inference::new().beside(&old.0);
    /// inference.add_json(r#"{"id":"7","geo":{"lat":1.5,"lon":2.5},"ok":true}"#)?;
    /// let all: Schema = "id long, geo { lat float, lon float }, ok boolean".parse()?;
    /// assert_eq!(union(&old.0, &inference.schema()), all.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn beside(mut self, schema: &[SchemaEntry]) -> Self {
        let (dates, floats) = (self.dates, self.floats);
        let known = schema.iter().map(|entry| {
            // A map without inner fields takes any.
            let inner = entry.schema.as_deref();
            let inner = inner.filter(|_| entry.valtype == ValType::Map);
            let inner = inner.map(|it| Self::new().dates(dates).floats(floats).beside(it));
            (entry.key.clone(), inner)
        });
        self.known = known.collect();
        self
    }

    /// Adds a record: a JSON object.
    ///
    /// # Errors
    ///
    /// If it is no JSON object, or a key cannot be the name of a field; then nothing of it counts.
    pub fn add_json(&mut self, line: &str) -> Result<(), PointError> {
        let (mut guesses, mut wrong) = (Vec::new(), Ok(()));
        let mut maps = Vec::new();
        let read = scan::members(line, |key, value| {
            let guess = Guess::of(value, self.dates)?;
            key.with_text(|key| match FieldName::new(key) {
                Ok(_) if let Some(inner) = self.known.get(key) => {
                    if inner.is_some() && guess == Guess::Json {
                        maps.push((key.to_owned(), value.text));
                    }
                    Some(())
                }
                Ok(_) if guess == Guess::Nothing => Some(()),
                Ok(_) => {
                    guesses.push((key.to_owned(), guess));
                    Some(())
                }
                Err(error) => {
                    wrong = Err(PointError::of(Reason::Custom(error.to_string())).inside(key));
                    None
                }
            })
        });
        wrong?;
        read.ok_or_else(|| no_object(line))?;
        let mut grown = Vec::new();
        for (key, text) in maps {
            let mut inner = self.known[&key].clone().unwrap_or_default();
            inner.add_json(text).map_err(|error| error.inside(&key))?;
            grown.push((key, Some(inner)));
        }
        self.known.extend(grown);
        for (key, guess) in guesses {
            if let Some(index) = self.by_key.get(&key) {
                let known = &mut self.fields[*index].1;
                *known = known.or(guess);
            } else {
                self.by_key.insert(key.clone(), self.fields.len());
                self.fields.push((key, guess));
            }
        }
        Ok(())
    }

    /// Adds a record: any struct or map.
    ///
    /// # Errors
    ///
    /// If it cannot be JSON, and as [`add_json`](Self::add_json).
    pub fn add<T: Serialize + ?Sized>(&mut self, record: &T) -> Result<(), PointError> {
        self.add_json(&to_json(record)?)
    }

    /// The fields so far, in the order in which they came, none of them required.
    pub fn schema(&self) -> Vec<SchemaEntry> {
        let of_maps = self.known.iter().filter_map(|(key, inner)| {
            let schema = Some(inner.as_ref()?.schema()).filter(|schema| !schema.is_empty());
            schema.is_some().then(|| SchemaEntry {
                schema,
                ..SchemaEntry::new(key.clone(), ValType::Map)
            })
        });
        let entries = self.fields.iter().map(|(key, guess)| {
            let (valtype, elemtype) = guess.types(self.floats);
            SchemaEntry {
                elemtype,
                ..SchemaEntry::new(key.clone(), valtype)
            }
        });
        of_maps.chain(entries).collect()
    }
}

/// The schema of a queue with more fields: the old ones first, in their order and as they are, since the service
/// does not let a field change its type; then those that it lacks. Fields of maps likewise.
///
/// A value of a record that does not fit the type that its field has already is converted or refused by
/// [`Encoder::checked`](super::Encoder::checked).
///
/// ```
/// use pipeline_proto::{points::union, resource::schema::Schema};
///
/// let old: Schema = "b long, a string, geo { lat float }".parse()?;
/// let new: Schema = "a long, c date, geo { lon float }".parse()?;
/// let both: Schema = "b long, a string, geo { lat float, lon float }, c date".parse()?;
/// assert_eq!(union(&old.0, &new.0), both.0);
/// # Ok::<(), pipeline_proto::resource::schema::ParseSchemaError>(())
/// ```
#[must_use]
pub fn union(old: &[SchemaEntry], new: &[SchemaEntry]) -> Vec<SchemaEntry> {
    let mut all = old.to_vec();
    let places = old.iter().enumerate();
    let mut places: BTreeMap<_, _> = places.map(|(at, entry)| (&*entry.key, at)).collect();
    for entry in new {
        let Some(known) = places.get(&*entry.key) else {
            places.insert(&entry.key, all.len());
            all.push(entry.clone());
            continue;
        };
        let known = &mut all[*known];
        if let (ValType::Map, Some(inner), Some(more)) =
            (&known.valtype, &mut known.schema, &entry.schema)
        {
            *inner = union(inner, more);
        }
    }
    all
}

/// What the values of a field have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guess {
    Nothing,
    Boolean,
    /// Whole numbers that a float can hold as well.
    Integer,
    /// Whole numbers of 64 bits.
    Long,
    Float,
    Date,
    Json,
    /// Arrays, by their elements.
    Array(Element),
    Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Nothing,
    Integer,
    Long,
    Float,
    Text,
}

impl Guess {
    /// From one value; nothing if it is not JSON.
    fn of(value: Raw<'_>, dates: bool) -> Option<Self> {
        // From here on, neighbours are the same number in a float.
        const EXACT: u64 = 1 << 53;
        Some(match value.kind {
            Kind::Nothing => Self::Nothing,
            Kind::Boolean => Self::Boolean,
            // JSON has numbers that no float reaches.
            Kind::Float if value.text.parse().is_ok_and(f64::is_finite) => Self::Float,
            Kind::Integer => match value.text.parse::<i64>() {
                Ok(number) if number.unsigned_abs() <= EXACT => Self::Integer,
                Ok(_) => Self::Long,
                Err(_) => Self::Text,
            },
            Kind::Text if dates && value.with_text(is_rfc3339) => Self::Date,
            Kind::Float | Kind::Text => Self::Text,
            Kind::Object => Self::Json,
            Kind::Array => {
                let (mut all, mut has_null) = (Element::Nothing, false);
                scan::elements(value.text, |element| {
                    has_null |= element.kind == Kind::Nothing;
                    all = all.or(Element::of(Self::of_flat(element)));
                })?;
                if has_null {
                    Self::Json
                } else {
                    Self::Array(all)
                }
            }
        })
    }

    /// From an element, whose own elements do not matter.
    fn of_flat(value: Raw<'_>) -> Self {
        match value.kind {
            Kind::Array => Self::Json,
            _ => Self::of(value, false).unwrap_or(Self::Text),
        }
    }

    /// What holds the values of both.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::Nothing, other) | (other, Self::Nothing) => other,
            (Self::Integer, Self::Long) | (Self::Long, Self::Integer) => Self::Long,
            (Self::Integer, Self::Float) | (Self::Float, Self::Integer) => Self::Float,
            (Self::Array(one), Self::Array(other)) => Self::Array(one.or(other)),
            (Self::Json, Self::Array(_)) | (Self::Array(_), Self::Json) => Self::Json,
            _ => Self::Text,
        }
    }

    fn types(self, floats: bool) -> (ValType, Option<ElemType>) {
        let this = match self {
            Self::Integer | Self::Long if floats => self.or(Self::Float),
            Self::Array(of @ (Element::Integer | Element::Long)) if floats => {
                Self::Array(of.or(Element::Float))
            }
            _ => self,
        };
        match this {
            Self::Boolean => (ValType::Boolean, None),
            Self::Integer | Self::Long => (ValType::Long, None),
            Self::Float => (ValType::Float, None),
            Self::Date => (ValType::Date, None),
            Self::Json => (ValType::Jsonstring, None),
            Self::Array(of) => {
                let of = match of {
                    Element::Integer | Element::Long => ElemType::Long,
                    Element::Float => ElemType::Float,
                    Element::Nothing | Element::Text => ElemType::String,
                };
                (ValType::Array, Some(of))
            }
            Self::Text | Self::Nothing => (ValType::String, None),
        }
    }
}

impl Element {
    fn of(guess: Guess) -> Self {
        match guess {
            Guess::Nothing => Self::Nothing,
            Guess::Integer => Self::Integer,
            Guess::Long => Self::Long,
            Guess::Float => Self::Float,
            _ => Self::Text,
        }
    }

    fn or(self, other: Self) -> Self {
        let guess = |element| match element {
            Self::Nothing => Guess::Nothing,
            Self::Integer => Guess::Integer,
            Self::Long => Guess::Long,
            Self::Float => Guess::Float,
            Self::Text => Guess::Text,
        };
        Self::of(guess(self).or(guess(other)))
    }
}
