use std::{borrow::Borrow, fmt, marker::PhantomData, ops::Deref};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Kind, Name, NameError};

/// A name or region as a response shows it: of one kind, and kept as it came, so that one that is not legal
/// makes nothing unreadable. Empty where the response has none.
///
/// It reads as text, and goes wherever a [`Name`] of its kind is wanted, where it is judged.
///
/// ```
/// use pipeline_proto::{WorkflowName, model::Workflow};
///
/// let read: Workflow = serde_json::from_str(r#"{"name":"logs","region":"nb"}"#)?;
/// assert_eq!(read.name, "logs");
/// let name = WorkflowName::try_from(&read.name)?;
///
/// let odd: Workflow = serde_json::from_str(r#"{"name":"my logs"}"#)?;
/// assert!(WorkflowName::try_from(&odd.name).is_err());
/// assert_eq!(serde_json::to_string(&odd)?, r#"{"name":"my logs"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShownName<K> {
    text: Box<str>,
    kind: PhantomData<K>,
}

impl<K> ShownName<K> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl<K> Default for ShownName<K> {
    fn default() -> Self {
        Self::from("")
    }
}

impl<K> Deref for ShownName<K> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl<K> AsRef<str> for ShownName<K> {
    fn as_ref(&self) -> &str {
        self
    }
}

impl<K> Borrow<str> for ShownName<K> {
    fn borrow(&self) -> &str {
        self
    }
}

impl<K> PartialEq<str> for ShownName<K> {
    fn eq(&self, other: &str) -> bool {
        &**self == other
    }
}

impl<K> PartialEq<&str> for ShownName<K> {
    fn eq(&self, other: &&str) -> bool {
        &**self == *other
    }
}

impl<K> fmt::Display for ShownName<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl<K> fmt::Debug for ShownName<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<K> From<&str> for ShownName<K> {
    fn from(text: &str) -> Self {
        Box::<str>::from(text).into()
    }
}

impl<K> From<String> for ShownName<K> {
    fn from(text: String) -> Self {
        text.into_boxed_str().into()
    }
}

impl<K> From<Box<str>> for ShownName<K> {
    fn from(text: Box<str>) -> Self {
        let kind = PhantomData;
        Self { text, kind }
    }
}

impl<K> From<Name<K>> for ShownName<K> {
    fn from(name: Name<K>) -> Self {
        name.text.into()
    }
}

impl<K> From<&Name<K>> for ShownName<K> {
    fn from(name: &Name<K>) -> Self {
        name.as_str().into()
    }
}

impl<K> From<ShownName<K>> for String {
    fn from(shown: ShownName<K>) -> Self {
        shown.text.into()
    }
}

impl<K: Kind> TryFrom<&ShownName<K>> for Name<K> {
    type Error = NameError;

    fn try_from(shown: &ShownName<K>) -> Result<Self, NameError> {
        Self::new(&**shown)
    }
}

impl<K: Kind> TryFrom<ShownName<K>> for Name<K> {
    type Error = NameError;

    fn try_from(shown: ShownName<K>) -> Result<Self, NameError> {
        Self::new(shown.text)
    }
}

impl<K> Serialize for ShownName<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de, K> Deserialize<'de> for ShownName<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<str>::deserialize(deserializer).map(Self::from)
    }
}
