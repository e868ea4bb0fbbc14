//! Names that are parsed, not checked: a value of one of these types is legal by construction.
//!
//! ```
//! use pipeline_proto::WorkflowName;
//!
//! let name: WorkflowName = "nginx_logs".parse()?;
//! assert_eq!(name.as_str(), "nginx_logs");
//!
//! let error = "nginx-logs".parse::<WorkflowName>().unwrap_err();
//! assert!(error.to_string().contains("'-' at position 6"));
//! # Ok::<(), pipeline_proto::NameError>(())
//! ```

use std::{borrow::Borrow, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Longest name of a workflow or a node, in characters (all of which are ASCII).
pub const MAX_NAME_LENGTH: usize = 128;

/// Why a text is not a legal name or region.
///
/// ```
/// use pipeline_proto::WorkflowName;
///
/// let error = WorkflowName::new("1st").unwrap_err();
/// assert_eq!(error.to_string(), "the workflow name starts with '1'; it must start with a letter or '_'");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameError {
    what: &'static str,
    reason: Reason,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Reason {
    Empty,
    TooLong(usize),
    Starts(char),
    Contains(char, usize),
    Invisible(char, usize),
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.what;
        match &self.reason {
            Reason::Empty => write!(f, "{what} is empty"),
            Reason::TooLong(length) => {
                write!(
                    f,
                    "{what} has {length} characters; at most {MAX_NAME_LENGTH} are allowed"
                )
            }
            Reason::Starts(c) => write!(
                f,
                "{what} starts with {c:?}; it must start with a letter or '_'"
            ),
            Reason::Invisible(c, at) => write!(
                f,
                "{what} contains {c:?} at position {}; only visible characters are allowed",
                at + 1
            ),
            Reason::Contains(c, at) => write!(
                f,
                "{what} contains {c:?} at position {}; only ASCII letters, digits and '_' are allowed",
                at + 1
            ),
        }
    }
}

impl std::error::Error for NameError {}

impl From<std::convert::Infallible> for NameError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

/// `^[a-zA-Z_][a-zA-Z0-9_]{0,127}$`, anchored at the very end, as the API page has it. Its prose
/// speaks of lower-case letters, but its own example has capitals.
fn check_name(what: &'static str, text: &str) -> Result<(), NameError> {
    let error = |reason| Err(NameError { what, reason });
    match text.chars().next() {
        None => return error(Reason::Empty),
        Some(c) if !c.is_ascii_alphabetic() && c != '_' => return error(Reason::Starts(c)),
        Some(_) => {}
    }
    let odd = |c: &char| !c.is_ascii_alphanumeric() && *c != '_';
    if let Some((at, c)) = text.chars().enumerate().find(|(_, c)| odd(c)) {
        return error(Reason::Contains(c, at));
    }
    if text.len() > MAX_NAME_LENGTH {
        return error(Reason::TooLong(text.len()));
    }
    Ok(())
}

/// A region goes into JSON only, never into a path: anything visible will do.
fn check_region(what: &'static str, text: &str) -> Result<(), NameError> {
    let error = |reason| Err(NameError { what, reason });
    if text.is_empty() {
        return error(Reason::Empty);
    }
    match text
        .chars()
        .enumerate()
        .find(|(_, c)| c.is_control() || c.is_whitespace())
    {
        Some((at, c)) => error(Reason::Invisible(c, at)),
        None => Ok(()),
    }
}

macro_rules! name_type {
    ($(#[$meta:meta])* $name:ident, $what:literal, $check:ident) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            #[doc = concat!("Parses a ", $what, ".")]
            pub fn new(text: impl Into<Box<str>>) -> Result<Self, NameError> {
                let text = text.into();
                $check(concat!("the ", $what), &text)?;
                Ok(Self(text))
            }

            #[doc = concat!("A ", $what, " written in the source code.")]
            ///
            /// # Panics
            ///
            /// If the text is not legal. Use [`new`](Self::new) for anything that comes from outside.
            pub fn from_static(text: &'static str) -> Self {
                match Self::new(text) {
                    Ok(name) => name,
                    Err(error) => panic!("{error}"),
                }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.into()
            }
        }

        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = NameError;
            fn try_from(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl TryFrom<&String> for $name {
            type Error = NameError;
            fn try_from(text: &String) -> Result<Self, NameError> {
                Self::new(text.as_str())
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl From<&$name> for $name {
            fn from(name: &$name) -> Self {
                name.clone()
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(deserializer)?).map_err(D::Error::custom)
            }
        }
    };
}

name_type! {
    /// The name of a workflow: `^[a-zA-Z_][a-zA-Z0-9_]{0,127}$` over the whole text.
    ///
    /// The only way of a name into the path of a request.
    ///
    /// ```
    /// use pipeline_proto::WorkflowName;
    ///
    /// let name = WorkflowName::new("nginx_logs")?;
    /// assert_eq!(format!("/v2/workflows/{name}"), "/v2/workflows/nginx_logs");
    /// assert!(WorkflowName::new("../accounts").is_err());
    /// # Ok::<(), pipeline_proto::NameError>(())
    /// ```
    WorkflowName, "workflow name", check_name
}

name_type! {
    /// The name of a node of a workflow; the rule is that of [`WorkflowName`].
    NodeName, "node name", check_name
}

name_type! {
    /// The name of a message queue; the rule is that of [`WorkflowName`].
    RepoName, "repo name", check_name
}

name_type! {
    /// The name of a transform; the rule is that of [`WorkflowName`].
    TransformName, "transform name", check_name
}

name_type! {
    /// Where a workflow computes and stores. The API page knows only `nb` (East China), the default;
    /// others are left to the service to judge.
    ///
    /// ```
    /// use pipeline_proto::Region;
    ///
    /// assert_eq!(Region::default().as_str(), "nb");
    /// let elsewhere: Region = "jjh".parse()?;
    /// # Ok::<(), pipeline_proto::NameError>(())
    /// ```
    Region, "region", check_region
}

impl Default for Region {
    fn default() -> Self {
        Self("nb".into())
    }
}

/// A name that may stand in a path: legal by construction, and the same encoded and decoded.
pub(crate) trait Segment {
    fn segment(&self) -> &str;
}

macro_rules! segments {
    ($($name:ident)*) => { $(
        impl Segment for $name {
            fn segment(&self) -> &str {
                &self.0
            }
        }
    )* };
}

// Not `Region`, which takes whatever is visible.
segments! { WorkflowName RepoName TransformName }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legal_names() {
        let longest = "a".repeat(MAX_NAME_LENGTH);
        for text in ["a", "_", "Z9", "Test_Workflow", "__0", longest.as_str()] {
            assert_eq!(WorkflowName::new(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn illegal_names_say_where_and_why() {
        let message = |text: &str| WorkflowName::new(text).unwrap_err().to_string();
        assert_eq!(message(""), "the workflow name is empty");
        assert!(message("9a").contains("starts with '9'"));
        assert!(message("a/../b").contains("'/' at position 2"));
        // `$` matches before a final newline in some engines; here the whole text counts.
        assert!(message("abc\n").contains("'\\n' at position 4"));
        assert!(message("工作流").contains("starts with '工'"));
        assert!(message("aé").contains("'é' at position 2"));
        assert!(message(&"a".repeat(129)).contains("129 characters"));
    }

    #[test]
    fn regions_are_open_but_visible() {
        assert_eq!(Region::default().as_str(), "nb");
        assert!(Region::new("jjh").is_ok());
        assert!(Region::new("").is_err());
        let error = Region::new("n b").unwrap_err().to_string();
        assert_eq!(
            error,
            "the region contains ' ' at position 2; only visible characters are allowed"
        );
    }
}
