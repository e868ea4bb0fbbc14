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

mod shown;
#[cfg(test)]
mod tests;

pub use shown::ShownName;

use std::{borrow::Borrow, fmt, marker::PhantomData, ops::RangeInclusive, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A legal name of one kind. The kinds, their rules and their short names ([`WorkflowName`],
/// [`PluginName`], …) are rows of one table.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name<K> {
    text: Box<str>,
    kind: PhantomData<K>,
}

/// What a name is the name of.
pub trait Kind: Copy + Ord + std::hash::Hash + fmt::Debug + Send + Sync + 'static {
    /// The rule of its names.
    const RULE: Rule;
}

/// A kind whose names may stand in a path: the same encoded and decoded.
pub trait InPath: Kind {}

/// What the names of a kind are called, how long they may be, and of which characters.
///
/// ```
/// use pipeline_proto::name::{Kind, kind};
///
/// assert_eq!(kind::Workflow::RULE.lengths(), 1..=128);
/// assert_eq!(kind::Plugin::RULE.lengths(), 2..=129);
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// With its article, as messages begin.
    what: &'static str,
    lengths: (usize, usize),
    first: Chars,
    inner: Chars,
    last: Chars,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chars {
    Lower,
    LowerWord,
    Letter,
    LetterOrUnderscore,
    Word,
    WordOrDot,
    Visible,
}

/// `^[a-zA-Z_][a-zA-Z0-9_]{0,127}$`, anchored at the very end, as the API page has it for nearly
/// everything. Its prose speaks of lower-case letters, but its own example has capitals.
const WORD: Rule = Rule {
    what: "",
    lengths: (1, 128),
    first: Chars::LetterOrUnderscore,
    inner: Chars::Word,
    last: Chars::Word,
};

/// `^[a-zA-Z][a-zA-Z0-9_.]{0,127}[a-zA-Z0-9_]$`: the full name of a Java class, and what holds them.
const DOTTED: Rule = Rule {
    lengths: (2, 129),
    first: Chars::Letter,
    inner: Chars::WordOrDot,
    ..WORD
};

macro_rules! kinds {
    ($($(#[$about:meta])+ $name:ident = $kind:ident, $what:literal, $rule:expr;)+) => {
        /// What a name can be the name of.
        pub mod kind {
            $(
                #[doc = concat!("Kind of a [`", stringify!($name), "`](super::", stringify!($name), ").")]
                #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
                pub enum $kind {}
            )+
        }

        $(
            $(#[$about])+
            pub type $name = Name<kind::$kind>;

            impl Kind for kind::$kind {
                const RULE: Rule = Rule { what: concat!("the ", $what), ..$rule };
            }
        )+

        /// The rule of every kind.
        #[cfg(test)]
        const RULES: &[Rule] = &[$(kind::$kind::RULE),+];
    };
}

kinds! {
    /// The name of a workflow: `^[a-zA-Z_][a-zA-Z0-9_]{0,127}$` over the whole text.
    ///
    /// ```
    /// use pipeline_proto::WorkflowName;
    ///
    /// let name = WorkflowName::new("nginx_logs")?;
    /// assert_eq!(format!("/v2/workflows/{name}"), "/v2/workflows/nginx_logs");
    /// assert!(WorkflowName::new("../accounts").is_err());
    /// # Ok::<(), pipeline_proto::NameError>(())
    /// ```
    WorkflowName = Workflow, "workflow name", WORD;
    /// The name of a node of a workflow; the rule is that of [`WorkflowName`].
    NodeName = Node, "node name", WORD;
    /// The name of a message queue; the rule is that of [`WorkflowName`].
    RepoName = Repo, "repo name", WORD;
    /// The name of a transform; the rule is that of [`WorkflowName`].
    TransformName = Transform, "transform name", WORD;
    /// The name of an export; the rule is that of [`WorkflowName`].
    ExportName = Export, "export name", WORD;
    /// The name of a datasource; the rule is that of [`WorkflowName`].
    DatasourceName = Datasource, "datasource name", WORD;
    /// The name of a job; the rule is that of [`WorkflowName`].
    JobName = Job, "job name", WORD;
    /// The name of a job's export; the rule is that of [`WorkflowName`].
    JobExportName = JobExport, "job export name", WORD;
    /// The name of a group; the rule is that of [`WorkflowName`].
    GroupName = Group, "group name", WORD;
    /// The name of a variable; the rule is that of [`WorkflowName`].
    VariableName = Variable, "variable name", WORD;
    /// The name of a table of a job's source: as [`WorkflowName`], but a letter comes first.
    TableName = Table, "table name", Rule { first: Chars::Letter, ..WORD };
    /// The name of a job's parameter: as [`WorkflowName`], but of at most 64 characters.
    ParamName = Param, "parameter name", Rule { lengths: (1, 64), ..WORD };
    /// The name of a field of a record; the rule is that of [`WorkflowName`].
    FieldName = Field, "field name", WORD;
    /// The name of a plugin, which is that of its Java class:
    /// `^[a-zA-Z][a-zA-Z0-9_.]{0,127}[a-zA-Z0-9_]$`.
    ///
    /// ```
    /// use pipeline_proto::name::PluginName;
    ///
    /// assert!(PluginName::new("com.qiniu.NginxLogParser").is_ok());
    /// let error = PluginName::new("p").unwrap_err();
    /// assert_eq!(error.to_string(), "the plugin name has 1 character; at least 2 are needed");
    /// ```
    PluginName = Plugin, "plugin name", DOTTED;
    /// The name of a jar of user-defined functions; the rule is that of [`PluginName`].
    JarName = Jar, "jar name", DOTTED;
    /// The name of a user-defined function; the rule is that of [`WorkflowName`]. The service keeps it in
    /// lower case.
    FunctionName = Function, "function name", WORD;
    /// The name of a repo of LogDB: `^[a-z][a-z0-9_]{0,127}$`.
    LogdbRepoName = LogdbRepo, "LogDB repo name", Rule { first: Chars::Lower, inner: Chars::LowerWord, last: Chars::LowerWord, ..WORD };
    /// The name of a series of TSDB; the rule is that of [`WorkflowName`].
    SeriesName = Series, "series name", WORD;
    /// Where a workflow computes and stores: anything visible, as it goes into JSON only. The API
    /// page knows only `nb` (East China), the default; others are left to the service to judge.
    ///
    /// ```
    /// use pipeline_proto::Region;
    ///
    /// assert_eq!(Region::default().as_str(), "nb");
    /// let elsewhere: Region = "jjh".parse()?;
    /// # Ok::<(), pipeline_proto::NameError>(())
    /// ```
    Region = Region, "region", Rule {
        lengths: (1, usize::MAX),
        first: Chars::Visible,
        inner: Chars::Visible,
        last: Chars::Visible,
        ..WORD
    };
}

macro_rules! in_path {
    ($($kind:ident)+) => { $(impl InPath for kind::$kind {})+ };
}

in_path! { Workflow Repo Transform Export Datasource Job JobExport Group Variable Plugin Jar Function LogdbRepo Series }

impl Default for Region {
    fn default() -> Self {
        Self::from_static("nb")
    }
}

impl Chars {
    fn has(self, c: char) -> bool {
        match self {
            Self::Lower => c.is_ascii_lowercase(),
            Self::LowerWord => Self::Lower.has(c) || c.is_ascii_digit() || c == '_',
            Self::Letter => c.is_ascii_alphabetic(),
            Self::LetterOrUnderscore => c.is_ascii_alphabetic() || c == '_',
            Self::Word => c.is_ascii_alphanumeric() || c == '_',
            Self::WordOrDot => Self::Word.has(c) || c == '.',
            Self::Visible => !c.is_control() && !c.is_whitespace(),
        }
    }

    /// One of them.
    const fn one(self) -> &'static str {
        match self {
            Self::Lower => "a lower-case letter",
            Self::LowerWord => "a lower-case letter, a digit or '_'",
            Self::Letter => "a letter",
            Self::LetterOrUnderscore => "a letter or '_'",
            Self::Word => "a letter, a digit or '_'",
            Self::WordOrDot => "a letter, a digit, '_' or '.'",
            Self::Visible => "a visible character",
        }
    }

    const fn many(self) -> &'static str {
        match self {
            Self::Lower => "lower-case ASCII letters",
            Self::LowerWord => "lower-case ASCII letters, digits and '_'",
            Self::Letter => "ASCII letters",
            Self::LetterOrUnderscore => "ASCII letters and '_'",
            Self::Word => "ASCII letters, digits and '_'",
            Self::WordOrDot => "ASCII letters, digits, '_' and '.'",
            Self::Visible => "visible characters",
        }
    }

    /// As the inside of a class of a regular expression; of what is visible, what regions are made of.
    #[cfg(any(test, feature = "proptest"))]
    const fn class(self) -> &'static str {
        match self {
            Self::Lower => "a-z",
            Self::LowerWord => "a-z0-9_",
            Self::Letter => "a-zA-Z",
            Self::LetterOrUnderscore => "a-zA-Z_",
            Self::Word => "a-zA-Z0-9_",
            Self::WordOrDot => "a-zA-Z0-9_.",
            Self::Visible => "a-z0-9-",
        }
    }
}

impl Rule {
    /// How many characters a name may have. Most are ASCII, of one byte each.
    pub const fn lengths(&self) -> RangeInclusive<usize> {
        self.lengths.0..=self.lengths.1
    }

    /// Whether a text is a name by this rule.
    pub(crate) fn allows(&self, text: &str) -> bool {
        self.check(text).is_ok()
    }

    fn check(&self, text: &str) -> Result<(), Reason> {
        let Some(first) = text.chars().next() else {
            return Err(Reason::Empty);
        };
        if self.first != self.inner && !self.first.has(first) {
            return Err(Reason::Starts(first));
        }
        // One pass that also finds the last character and the length.
        let (mut length, mut last) = (0, first);
        for c in text.chars() {
            if !self.inner.has(c) {
                return Err(Reason::Contains(c, length));
            }
            (length, last) = (length + 1, c);
        }
        if !self.last.has(last) {
            return Err(Reason::Ends(last));
        }
        if !self.lengths().contains(&length) {
            return Err(Reason::Length(length));
        }
        Ok(())
    }

    /// A regular expression for names that are short or as long as can be.
    #[cfg(any(test, feature = "proptest"))]
    pub(crate) fn regex(&self, longest: bool) -> String {
        let [first, inner, last] = [self.first, self.inner, self.last].map(Chars::class);
        let rest = match self.lengths {
            (_, most) if longest => format!("[{inner}]{{{}}}[{last}]", most.min(200) - 2),
            (0 | 1, _) => format!("([{inner}]{{0,10}}[{last}])?"),
            (shortest, _) => format!("[{inner}]{{{},10}}[{last}]", shortest - 2),
        };
        format!("[{first}]{rest}")
    }

    /// A regular expression for texts that are too long.
    #[cfg(any(test, feature = "proptest"))]
    pub(crate) fn too_long(&self) -> String {
        let [first, last] = [self.first, self.last].map(Chars::class);
        format!("[{first}][{last}]{{{0},{0}}}", self.lengths.1)
    }

    #[cfg(feature = "proptest")]
    pub(crate) fn may_contain(&self, c: char) -> bool {
        self.inner.has(c)
    }
}

impl<K: Kind> Name<K> {
    /// Takes a legal name.
    pub fn new(text: impl Into<Box<str>>) -> Result<Self, NameError> {
        let text = text.into();
        match K::RULE.check(&text) {
            Ok(()) => Ok(Self {
                text,
                kind: PhantomData,
            }),
            Err(reason) => Err(NameError {
                rule: &K::RULE,
                reason,
            }),
        }
    }

    /// A name written in the source code.
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
}

impl<K> Name<K> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl<K> fmt::Display for Name<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl<K> fmt::Debug for Name<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl<K> AsRef<str> for Name<K> {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl<K> Borrow<str> for Name<K> {
    fn borrow(&self) -> &str {
        &self.text
    }
}

impl<K> From<Name<K>> for String {
    fn from(name: Name<K>) -> Self {
        name.text.into()
    }
}

impl<K: Kind> From<&Self> for Name<K> {
    fn from(name: &Self) -> Self {
        name.clone()
    }
}

impl<K: Kind> FromStr for Name<K> {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl<K: Kind> TryFrom<&str> for Name<K> {
    type Error = NameError;
    fn try_from(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl<K: Kind> TryFrom<&String> for Name<K> {
    type Error = NameError;
    fn try_from(text: &String) -> Result<Self, NameError> {
        Self::new(text.as_str())
    }
}

impl<K: Kind> TryFrom<String> for Name<K> {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl<K> Serialize for Name<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Name<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

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
    rule: &'static Rule,
    reason: Reason,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Reason {
    Empty,
    Length(usize),
    Starts(char),
    Contains(char, usize),
    Ends(char),
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = self.rule;
        f.write_str(rule.what)?;
        match self.reason {
            Reason::Empty => f.write_str(" is empty"),
            Reason::Length(length) => {
                let plural = if length == 1 { "" } else { "s" };
                write!(f, " has {length} character{plural}; ")?;
                match rule.lengths {
                    (least, _) if length < least => write!(f, "at least {least} are needed"),
                    (_, most) => write!(f, "at most {most} are allowed"),
                }
            }
            Reason::Starts(c) => {
                let first = rule.first.one();
                write!(f, " starts with {c:?}; it must start with {first}")
            }
            Reason::Ends(c) => {
                let last = rule.last.one();
                write!(f, " ends with {c:?}; it must end with {last}")
            }
            Reason::Contains(c, at) => {
                let (at, inner) = (at + 1, rule.inner.many());
                write!(
                    f,
                    " contains {c:?} at position {at}; only {inner} are allowed"
                )
            }
        }
    }
}

impl std::error::Error for NameError {}

impl From<std::convert::Infallible> for NameError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}
