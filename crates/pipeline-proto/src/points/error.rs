use std::fmt;

use super::Kind;
use crate::resource::schema::ValType;

/// How many characters of a member are shown: what is no record at all may be one name of megabytes.
const SHOWN: usize = 100;

/// Why a record cannot be a point, or a line is none.
///
/// ```
/// use pipeline_proto::points;
/// use std::collections::BTreeMap;
///
/// let error = points::write(&mut Vec::new(), &BTreeMap::from([("a=b", 1)])).unwrap_err();
/// assert_eq!(error.member(), "a=b");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointError(Box<(String, Reason)>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reason {
    Empty,
    NoRecord(&'static str),
    Key,
    KeyType,
    NotFinite,
    Unknown,
    Missing,
    Twice,
    Misfit(Kind, ValType),
    /// It could be converted, but for something that would be lost.
    Lossy(Kind, ValType),
    Json(String),
    NoEquals,
    Custom(String),
}

impl PointError {
    pub(super) fn of(reason: Reason) -> Self {
        Self(Box::new((String::new(), reason)))
    }

    /// Says in which member it is; called from the inside out.
    pub(super) fn inside(mut self, member: &str) -> Self {
        let path = &mut self.0.0;
        let joint = if path.is_empty() || path.starts_with('[') {
            ""
        } else {
            "."
        };
        path.insert_str(0, joint);
        path.insert_str(0, member);
        self
    }

    /// The member that is at fault, as in `geo.lat` or `tags[1]`; empty if it is none of them.
    pub fn member(&self) -> &str {
        &self.0.0
    }

    /// Whether the fault is a field that the schema does not have.
    pub fn is_unknown_field(&self) -> bool {
        self.0.1 == Reason::Unknown
    }

    /// Whether another schema could take the record.
    pub fn is_misfit(&self) -> bool {
        use Reason::{Lossy, Misfit, Missing, Unknown};
        matches!(self.0.1, Unknown | Missing | Misfit(..) | Lossy(..))
    }

    /// Whether the only fault of the record is that nothing is left of it.
    pub fn is_empty_record(&self) -> bool {
        self.0.1 == Reason::Empty
    }
}

impl From<Reason> for PointError {
    fn from(reason: Reason) -> Self {
        Self::of(reason)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "nothing",
            Self::Boolean => "a boolean",
            Self::Integer => "an integer",
            Self::Float => "a float",
            Self::Text => "a text",
            Self::Array => "an array",
            Self::Object => "an object",
        })
    }
}

impl fmt::Display for PointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (member, reason) = &*self.0;
        if !member.is_empty() {
            // A member may come from anywhere, and be any text.
            match member.char_indices().nth(SHOWN) {
                Some((end, _)) => write!(f, "the field {:?}…: ", &member[..end])?,
                None => write!(f, "the field {member:?}: ")?,
            }
        }
        match reason {
            Reason::Empty => f.write_str("the record has no field with a value"),
            Reason::NoRecord(what) => write!(f, "a record is a struct or a map, and not {what}"),
            Reason::Key => {
                f.write_str("a key is not empty, and has no '=', no tab and no line feed")
            }
            Reason::KeyType => f.write_str("a key is a text or a number"),
            Reason::NotFinite => f.write_str("a number that is not finite"),
            Reason::Unknown => f.write_str("the schema does not have it"),
            Reason::Missing => f.write_str("the schema requires it, and it is missing"),
            Reason::Twice => f.write_str("it is there twice"),
            Reason::Misfit(kind, valtype) => {
                write!(f, "{kind} that cannot be made a {}", valtype.as_str())?;
                if *valtype == ValType::Date {
                    f.write_str(" (RFC 3339, as in 2017-06-01T15:00:00Z)")?;
                }
                Ok(())
            }
            Reason::Lossy(kind, valtype) => {
                let valtype = valtype.as_str();
                write!(f, "{kind} that would lose something as a {valtype}")
            }
            Reason::Json(error) => write!(f, "no JSON: {error}"),
            Reason::NoEquals => f.write_str("a field without '='"),
            Reason::Custom(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for PointError {}

impl serde::ser::Error for PointError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::of(Reason::Custom(message.to_string()))
    }
}
