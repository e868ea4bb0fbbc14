//! What a JSON object may hold, as data: made from the types of [`resource`](crate::resource) by the macro
//! that declares them, so that each member is described where it is declared and nowhere else.

/// A kind of JSON object and its members.
///
/// ```
/// use pipeline_proto::{describe::Shape, resource::repo::RepoSpec};
///
/// let schema = RepoSpec::description().member("schema").unwrap();
/// assert!(schema.required);
/// assert!(matches!(schema.shape, Shape::List(Shape::Object(_))));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Object {
    /// Path of the Rust type.
    pub name: &'static str,
    about: &'static str,
    /// In the order in which they are written.
    pub members: &'static [Member],
}

/// A member of an [`Object`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Member {
    /// Its name in JSON.
    pub name: &'static str,
    about: &'static str,
    /// Whether it must be there, whatever else is.
    pub required: bool,
    /// What type of JSON it is.
    pub shape: Shape,
    /// What else is known of it. Facts about texts hold for each text of a list.
    pub facts: &'static [Fact],
}

/// A type of JSON.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Shape {
    /// A string.
    Text,
    /// One of these strings.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Bool,
    /// An integer of 64 bits.
    Integer,
    /// An array.
    List(&'static Shape),
    /// An object with members of any name.
    Map(&'static Shape),
    /// An object with the described members.
    Object(fn() -> &'static Object),
    /// Any JSON.
    Any,
}

/// What is known of a member beside its type.
///
/// What begins with `Usually` rests on one source that others do not confirm.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Fact {
    /// It must be there, though the Rust type has a way to leave it out.
    Required,
    /// It must be there when the member beside it has this value.
    RequiredWith(&'static str, &'static str),
    /// It means something only when the member beside it has this value.
    OnlyWith(&'static str, &'static str),
    /// The service adds it when it is read.
    OnReading,
    /// It is one of these.
    OneOf(&'static [&'static str]),
    /// It is one of these when the member beside it has this value.
    OneOfWith(&'static str, &'static str, &'static [&'static str]),
    /// No two objects of a list have the same.
    Unique,
    /// The text has this form.
    Form(Form),
    /// The text has this form, says one source.
    UsuallyForm(Form),
    /// The text has so many characters.
    AtMostChars(usize),
    /// The array has so many elements.
    AtMostElements(usize),
    /// The number is not lower.
    AtLeast(i64),
    /// The number is not higher.
    AtMost(i64),
    /// The number is not higher, says one source.
    UsuallyAtMost(i64),
    /// What the service takes when it is not there.
    Default(&'static str),
    /// An object whose members depend on the type that stands beside it.
    ByType(Specs),
    /// Its texts that begin with `#` name fields of what is read.
    Fields,
    /// Its texts are names of fields of what is read, without `#`, or of members of the object that stands
    /// beside it under this name.
    FieldNames(Option<&'static str>),
    /// The array has elements, if it is there and the member beside it has this value.
    NotEmptyWith(&'static str, &'static str),
    /// The numbers and names in the cron table stand where they can.
    CronTable,
    /// It is the same as in the workflow.
    OfWorkflow(Head),
}

/// What a workflow and its nodes may both say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Head {
    /// What the workflow is called.
    Name,
    /// Where it is.
    Region,
}

/// Descriptions by type.
pub type Specs = &'static [(&'static str, fn() -> &'static Object)];

/// The form of a text.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Form {
    /// A regular expression, in the part of the syntax that JSON Schema and Rust share.
    pub pattern: &'static str,
    /// The same in words, to go after "must be" or "must have".
    pub means: &'static str,
}

impl Form {
    pub(crate) const fn new(pattern: &'static str, means: &'static str) -> Self {
        Self { pattern, means }
    }

    /// The rule for names: [`NodeName`](crate::NodeName) checks the same.
    pub const NAME: Self = Self::new(
        "^[a-zA-Z_][a-zA-Z0-9_]{0,127}$",
        "letters, digits and '_' only, no digit first, at most 128 characters",
    );
}

impl Object {
    pub(crate) const fn new(
        name: &'static str,
        about: &'static str,
        members: &'static [Member],
    ) -> Self {
        Self {
            name,
            about,
            members,
        }
    }

    /// What it is, in a sentence or two.
    pub fn about(&self) -> String {
        first_paragraph(self.about)
    }

    /// The member of this name.
    pub fn member(&self, name: &str) -> Option<&'static Member> {
        self.members.iter().find(|member| member.name == name)
    }

    /// Whether a spec stands inside the member `spec` of an envelope, as `{"name": …, "to": …, "spec": {…}}`
    /// does in responses, and not by itself: nothing of it is outside, something is inside.
    pub fn is_wrapped<'a>(
        &self,
        outside: impl IntoIterator<Item = &'a str>,
        inside: impl IntoIterator<Item = &'a str>,
    ) -> bool {
        let own = |name: &str| {
            let member = self.member(name).filter(|member| member.name != "spec");
            member.is_some_and(|member| !member.is_added_on_reading())
        };
        !outside.into_iter().any(own) && inside.into_iter().any(own)
    }
}

impl Member {
    pub(crate) const fn new<T: Described>(
        name: &'static str,
        about: &'static str,
        facts: &'static [Fact],
    ) -> Self {
        let mut required = T::REQUIRED;
        let mut at = 0;
        while at < facts.len() {
            required |= matches!(facts[at], Fact::Required);
            at += 1;
        }
        Self {
            name,
            about,
            required,
            shape: T::SHAPE,
            facts,
        }
    }

    /// What it is, in a sentence or two.
    pub fn about(&self) -> String {
        first_paragraph(self.about)
    }

    /// Whether the service adds it when it is read.
    pub fn is_added_on_reading(&self) -> bool {
        self.facts
            .iter()
            .any(|fact| matches!(fact, Fact::OnReading))
    }

    /// The only texts that it may have.
    pub fn words(&self) -> Option<&'static [&'static str]> {
        if let Shape::Word(words) = self.shape {
            return Some(words);
        }
        self.facts.iter().find_map(|fact| match fact {
            Fact::OneOf(words) => Some(*words),
            _ => None,
        })
    }
}

fn first_paragraph(text: &str) -> String {
    let lines = text.lines().map(str::trim);
    let lines: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
    lines.join(" ")
}

/// A Rust type that stands for a type of JSON.
pub(crate) trait Described {
    const SHAPE: Shape;
    /// An optional member is an `Option`.
    const REQUIRED: bool = true;
}

impl Described for String {
    const SHAPE: Shape = Shape::Text;
}

impl<K> Described for crate::name::ShownName<K> {
    const SHAPE: Shape = Shape::Text;
}

impl Described for bool {
    const SHAPE: Shape = Shape::Bool;
}

impl Described for i64 {
    const SHAPE: Shape = Shape::Integer;
}

impl Described for u64 {
    const SHAPE: Shape = Shape::Integer;
}

impl Described for () {
    const SHAPE: Shape = Shape::Any;
}

impl Described for serde_json::Value {
    const SHAPE: Shape = Shape::Any;
}

impl<T: Described> Described for Option<T> {
    const SHAPE: Shape = T::SHAPE;
    const REQUIRED: bool = false;
}

impl<T: Described> Described for Vec<T> {
    const SHAPE: Shape = Shape::List(&T::SHAPE);
}

impl<T: Described> Described for std::collections::BTreeMap<String, T> {
    const SHAPE: Shape = Shape::Map(&T::SHAPE);
}

impl Described for serde_json::Map<String, serde_json::Value> {
    const SHAPE: Shape = Shape::Map(&Shape::Any);
}
