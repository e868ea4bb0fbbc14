//! Closed sets of words: what kinds and labels are called, said once for whoever shows, reads or writes them.

use std::fmt;

/// The text is none of the words of its kind.
///
/// ```
/// use pipeline_proto::{ErrorKind, Phase};
///
/// assert_eq!("not-found".parse(), Ok(ErrorKind::NotFound));
/// let error = "lookup".parse::<Phase>().unwrap_err();
/// assert!(error.to_string().starts_with("not a phase of an attempt; known are resolve, connect"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseWordError {
    pub(crate) what: &'static str,
    pub(crate) known: &'static [&'static str],
}

impl fmt::Display for ParseWordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not {}; known are {}", self.what, self.known.join(", "))
    }
}

impl std::error::Error for ParseWordError {}

/// Declares a closed set of words: `pub enum Goal: "a goal of a wait" { Started = "started", … }`.
macro_rules! words {
    (
        $(#[$meta:meta])*
        pub enum $name:ident: $what:literal {
            $( $(#[$variant_meta:meta])* $variant:ident = $word:literal, )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $( $(#[$variant_meta])* $variant, )+
        }

        impl $name {
            const WORDS: &'static [&'static str] = &[$($word),+];

            /// Every one, in the order of the declaration.
            pub const ALL: [Self; Self::WORDS.len()] = [$(Self::$variant),+];

            /// The word that it is shown, read and written by.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $( Self::$variant => $word, )+
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::ParseWordError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let error = $crate::ParseWordError { what: $what, known: Self::WORDS };
                Self::ALL.into_iter().find(|it| it.as_str() == text).ok_or(error)
            }
        }

        $crate::word::serde_as_text!($name);
    };
}

/// Serializes what has `Display` and `FromStr` as its text.
macro_rules! serde_as_text {
    ($name:ident) => {
        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                let text = ::std::borrow::Cow::<'_, str>::deserialize(deserializer)?;
                text.parse().map_err(::serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use {serde_as_text, words};
