//! A node's data against the description of what such nodes are made of.

use pipeline_proto::{
    describe::{Fact, Form, Member as Described, Object, Shape},
    model::NodeType,
    resource::{
        group::GroupSpec,
        schema::{MAX_MAPS, SchemaEntry},
        udf::UdfSpec,
        variable::VariableSpec,
    },
};

use super::{Linter, Rule, Subject, cron, mapping::Source};
use crate::{
    path::Path,
    references,
    secrets::Scope,
    suggest,
    tree::{Member, Tree, Value, find},
};

/// A node's data with what it should be made of.
#[derive(Clone, Copy)]
pub(super) struct Spec<'a> {
    description: &'static Object,
    /// The data.
    outside: &'a Tree,
    /// Its member `spec`, if the spec stands in there.
    inside: Option<&'a Tree>,
}

impl<'a> Spec<'a> {
    /// The data of a node of a known type.
    pub(super) fn new(node_type: &NodeType, data: &'a Tree) -> Option<Self> {
        let description = description(node_type)?;
        let names = |members: &'a [Member]| members.iter().map(|member| &*member.name);
        let inside = data.get("spec").filter(|inside| {
            let (outside, inside) = (data.as_map(), inside.as_map());
            let (outside, inside) = (outside.unwrap_or_default(), inside.unwrap_or_default());
            description.is_wrapped(names(outside), names(inside))
        });
        data.as_map()?;
        Some(Self {
            description,
            outside: data,
            inside,
        })
    }

    /// The object that is the spec.
    pub(super) fn tree(&self) -> &'a Tree {
        self.inside.unwrap_or(self.outside)
    }

    /// A member that is there and says something, wherever it stands.
    pub(super) fn get(&self, name: &str) -> Option<&'a Tree> {
        let inside = self.tree().get(name);
        let envelope = || self.outside.get(name).filter(|_| name != "spec");
        inside.or_else(envelope).filter(|tree| !is_absent(tree))
    }

    /// The text of a member that the environment has no part in.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        let text = self.get(name)?.as_text()?;
        (!references::has_variable(text)).then_some(text)
    }

    /// Where the spec is below the node's data.
    pub(super) fn in_path<T>(&self, path: &mut Path, work: impl FnOnce(&mut Path) -> T) -> T {
        match self.inside {
            Some(_) => path.in_member("spec", work),
            None => work(path),
        }
    }
}

/// What the data of a node is made of, and what resources are made of that are no nodes.
fn description(node_type: &NodeType) -> Option<&'static Object> {
    node_type.description().or_else(|| {
        Some(match node_type.as_str() {
            "group" => GroupSpec::description(),
            "variable" => VariableSpec::description(),
            "udf_function" => UdfSpec::description(),
            _ => return None,
        })
    })
}

/// The vendor's SDKs write members that they do not set as `null` or `""`.
pub(super) fn is_absent(tree: &Tree) -> bool {
    tree.is_null() || tree.as_text().is_some_and(str::is_empty)
}

/// An empty list is as good as none; an empty object may be meant.
pub(super) fn is_empty(tree: &Tree) -> bool {
    is_absent(tree) || tree.as_list().is_some_and(<[_]>::is_empty)
}

impl Linter<'_> {
    pub(super) fn check_data(&mut self, subject: &Subject<'_>, source: Option<&Source<'_>>) {
        let mut path = subject.path("data");
        let Some(data) = subject.data.as_deref() else {
            let known = subject.node.node_type.description().is_some();
            if known && subject.node.data.is_none() && !self.unread.contains(subject.id) {
                let message = format!("node {:?} has no data", subject.id);
                self.report(subject, Rule::MissingData, message, path.as_str(), None);
            }
            return;
        };
        if data.as_map().is_none() {
            let message = format!("data must be an object, not {}", data.kind());
            let at = Some(data.at);
            return self.report(subject, Rule::WrongType, message, path.as_str(), at);
        }
        if subject.place.is_none() {
            // In a file this was found when the file was read.
            data.repetitions(&mut path, &mut |member, path| {
                let message = format!("{:?} is there twice", member.name);
                self.report(subject, Rule::DuplicateKey, message, path.as_str(), None);
            });
        }
        if let Some(spec) = subject.spec() {
            let mut walk = Walk {
                linter: self,
                subject,
                source,
                maps: 0,
            };
            if spec.inside.is_some() {
                let envelope = data.as_map().unwrap_or_default().iter();
                let envelope = envelope.filter(|member| &*member.name != "spec");
                envelope.for_each(|member| walk.member(spec.description, member, data, &mut path));
            }
            spec.in_path(&mut path, |path| {
                walk.object(spec.description, spec.tree(), path);
            });
        }
        data.walk(&mut path, Scope::default(), &mut |part, path, scope| {
            // In a file, a reference to the environment is what should be there.
            let refers = || part.as_text().is_some_and(references::has_variable);
            if scope.holds_secret(&part.value) && !(subject.place.is_some() && refers()) {
                let message = "a secret in clear; write ${NAME} and set NAME in the environment";
                let at = Some(part.at);
                self.report(subject, Rule::SecretInClear, message, path.as_str(), at);
            }
        });
    }

    fn has_form(&mut self, form: Form, text: &str) -> bool {
        let forms = self.forms.entry(form.pattern);
        let form = forms.or_insert_with(|| {
            regex_lite::Regex::new(form.pattern).expect("each form is tried by a test")
        });
        form.is_match(text)
    }
}

/// A walk through the data of one node.
struct Walk<'l, 'a, 's> {
    linter: &'l mut Linter<'a>,
    subject: &'l Subject<'s>,
    /// What the node reads from, if the fields of that are known.
    source: Option<&'l Source<'l>>,
    /// How many fields of type map enclose what is being looked at.
    maps: usize,
}

impl Walk<'_, '_, '_> {
    fn report(&mut self, rule: Rule, message: impl Into<String>, path: &Path, tree: &Tree) {
        let (subject, at) = (self.subject, Some(tree.at));
        self.linter
            .report(subject, rule, message, path.as_str(), at);
    }

    fn object(&mut self, object: &'static Object, tree: &Tree, path: &mut Path) {
        let Some(members) = tree.as_map() else {
            return self.wrong_type("an object", tree, path);
        };
        if self.maps == MAX_MAPS && is_map(object, tree) {
            let message = format!("maps can be nested {MAX_MAPS} levels deep, no deeper");
            self.report(Rule::SchemaDepth, message, path, tree);
        }
        for member in members {
            self.member(object, member, tree, path);
        }
        for described in object.members {
            self.presence(described, tree, path);
        }
    }

    /// Whether a member is there that must be, and what it says if it is not.
    fn presence(&mut self, described: &'static Described, tree: &Tree, path: &mut Path) {
        let value = tree.get(described.name);
        if value.is_some_and(|value| !is_empty(value)) {
            return;
        }
        let name = described.name;
        let beside = described.facts.iter().find_map(|fact| match fact {
            Fact::RequiredWith(other, word)
                if tree.get(other).and_then(Tree::as_text) == Some(word) =>
            {
                Some(format!(" when {other} is {word}"))
            }
            _ => None,
        });
        let when = match (described.required, beside) {
            (true, _) => String::new(),
            (false, Some(when)) => when,
            (false, None) => return,
        };
        let message = match described.words() {
            Some(known) => format!(
                "{name:?} is missing{when}; known are {}",
                suggest::list(known)
            ),
            None => format!("{name:?} is missing{when}: {}", described.about()),
        };
        match (name, value) {
            ("schema", Some(list)) if !is_absent(list) => path.in_member(name, |path| {
                let message = "a schema needs at least one field";
                self.report(Rule::SchemaEmpty, message, path, list);
            }),
            ("schema", _) => self.report(Rule::MissingSchema, message, path, tree),
            _ => self.report(own_rule(name, Rule::MissingMember), message, path, tree),
        }
        if let Some(finding) = self.linter.findings.last_mut() {
            finding.missing = Some(name);
        }
    }

    fn member(&mut self, object: &'static Object, member: &Member, tree: &Tree, path: &mut Path) {
        let Some(described) = object.member(&member.name) else {
            return self.unknown(object, member, path);
        };
        if member.tree.is_null() {
            return;
        }
        let deeper = described.name == "schema" && is_map(object, tree);
        if deeper && self.maps == MAX_MAPS {
            return;
        }
        self.maps += usize::from(deeper);
        path.in_member(&member.name, |path| {
            self.value(described.shape, described, &member.tree, path);
            for fact in described.facts {
                match *fact {
                    Fact::ByType(specs) => {
                        let known = tree.get("type").and_then(Tree::as_text);
                        let known = specs.iter().find(|(name, _)| known == Some(name));
                        if let Some((_, description)) = known {
                            self.object(description(), &member.tree, path);
                        } else if member.tree.as_map().is_none() {
                            self.wrong_type("an object", &member.tree, path);
                        }
                    }
                    Fact::FieldNames(beside) => {
                        let beside = beside.and_then(|name| tree.get(name));
                        let (linter, source) = (&mut *self.linter, self.source);
                        linter.check_names_of_fields(
                            self.subject,
                            source,
                            beside,
                            &member.tree,
                            path,
                        );
                    }
                    Fact::Fields => {
                        if let Some(source) = self.source {
                            let linter = &mut *self.linter;
                            linter.check_mapping(self.subject, source, &member.tree, path);
                        }
                    }
                    fact => {
                        if let Some((rule, message)) = beside(fact, described, &member.tree, tree) {
                            self.report(rule, message, path, &member.tree);
                        }
                    }
                }
            }
        });
        self.maps -= usize::from(deeper);
    }

    fn unknown(&mut self, object: &'static Object, member: &Member, path: &mut Path) {
        let known: Vec<&str> = object.members.iter().map(|known| known.name).collect();
        let name = &*member.name;
        let (rule, message) = match suggest::nearest(name, known.iter().copied()) {
            Some(near) => (
                Rule::MisspelledMember,
                format!("{name:?} means nothing here; did you mean {near:?}?"),
            ),
            None => (
                Rule::UnknownMember,
                format!(
                    "{name:?} means nothing here; known are {}",
                    suggest::list(&known)
                ),
            ),
        };
        let at = Some(member.at);
        path.in_member(name, |path| {
            self.linter
                .report(self.subject, rule, message, path.as_str(), at);
        });
    }

    fn wrong_type(&mut self, wanted: &str, tree: &Tree, path: &Path) {
        let message = match &tree.value {
            Value::Number(_) if wanted == "an integer" => {
                "this must be an integer of at most 64 bits".to_owned()
            }
            _ => format!("this must be {wanted}, not {}", tree.kind()),
        };
        self.report(Rule::WrongType, message, path, tree);
    }

    /// A value that is there, or a part of one.
    fn value(&mut self, shape: Shape, described: &'static Described, tree: &Tree, path: &mut Path) {
        match (shape, &tree.value) {
            (Shape::Text | Shape::Word(_), Value::Text(text)) => {
                self.text(described, text, tree, path);
            }
            (Shape::Integer, Value::Number(digits)) => match digits.parse() {
                Ok(number) => self.number(described, number, tree, path),
                Err(_) => self.wrong_type("an integer", tree, path),
            },
            (Shape::List(part), Value::List(list)) => {
                self.elements(described, list, tree, path);
                for (index, element) in list.iter().enumerate() {
                    path.in_element(index, |path| self.value(*part, described, element, path));
                }
            }
            (Shape::Map(part), Value::Map(members)) => {
                for member in members {
                    let tree = &member.tree;
                    path.in_member(&member.name, |path| {
                        self.value(*part, described, tree, path);
                    });
                }
            }
            (Shape::Object(description), _) => self.object(description(), tree, path),
            (Shape::Bool, Value::Bool(_)) | (Shape::Any, _) => {}
            (Shape::Text | Shape::Word(_), _) => self.wrong_type("a string", tree, path),
            (Shape::Integer, _) => self.wrong_type("an integer", tree, path),
            (Shape::Bool, _) => self.wrong_type("true or false", tree, path),
            (Shape::List(_), _) => self.wrong_type("an array", tree, path),
            (Shape::Map(_), _) => self.wrong_type("an object", tree, path),
            // A shape that was added and is not checked yet.
            _ => {}
        }
    }

    fn text(&mut self, described: &'static Described, text: &str, tree: &Tree, path: &Path) {
        // What the environment says is not known.
        if text.is_empty() || references::has_variable(text) {
            return;
        }
        let name = described.name;
        if let Some(known) = described.words().filter(|known| !known.contains(&text)) {
            let near = suggest::nearest(text, known.iter().copied());
            let what = if name.ends_with("type") { "type" } else { name };
            let known = suggest::list(known);
            let hint = match near {
                Some(near) => format!("did you mean {near:?}? Known are {known}"),
                None => format!("known are {known}"),
            };
            let message = format!("the service knows no {what} {text:?}; {hint}");
            return self.report(own_rule(name, Rule::UnknownValue), message, path, tree);
        }
        for fact in described.facts {
            let (rule, message) = match *fact {
                Fact::Form(form) if !self.linter.has_form(form, text) => (
                    own_rule(name, Rule::MalformedValue),
                    format!("{text:?} is no {name}; write {}", form.means),
                ),
                Fact::UsuallyForm(form) if !self.linter.has_form(form, text) => (
                    Rule::DoubtfulValue,
                    format!("{text:?} may be no {name}; it should be {}", form.means),
                ),
                Fact::CronTable => match cron::fault(text) {
                    Some((true, what)) => (Rule::OutOfRange, what),
                    Some((false, what)) => (Rule::DoubtfulValue, what),
                    None => continue,
                },
                Fact::OfWorkflow(head) => match self.linter.head(head) {
                    Some(whole) if whole != text => (
                        Rule::DoubtfulValue,
                        format!("the workflow has {name} {whole:?}; leave it out here"),
                    ),
                    _ => continue,
                },
                Fact::AtMostChars(most) if text.chars().count() > most => (
                    Rule::OutOfRange,
                    format!("{name} has at most {most} characters"),
                ),
                _ => continue,
            };
            self.report(rule, message, path, tree);
        }
    }

    fn number(&mut self, described: &'static Described, number: i64, tree: &Tree, path: &Path) {
        let name = described.name;
        for fact in described.facts {
            let (rule, message) = match *fact {
                Fact::AtLeast(least) if number < least => {
                    (Rule::OutOfRange, format!("{name} is {least} or more"))
                }
                Fact::AtMost(most) if number > most => {
                    (Rule::OutOfRange, format!("{name} is {most} or less"))
                }
                Fact::UsuallyAtMost(most) if number > most => (
                    Rule::DoubtfulValue,
                    format!("{name} should be {most} or less"),
                ),
                _ => continue,
            };
            self.report(rule, message, path, tree);
        }
    }

    /// What concerns a list as a whole.
    fn elements(
        &mut self,
        described: &'static Described,
        list: &[Tree],
        tree: &Tree,
        path: &mut Path,
    ) {
        for fact in described.facts {
            if let Fact::AtMostElements(most) = *fact
                && list.len() > most
            {
                let name = described.name;
                let message = format!("{name} has at most {most}, not {}", list.len());
                self.report(Rule::OutOfRange, message, path, tree);
            }
        }
        let Shape::List(Shape::Object(part)) = described.shape else {
            return;
        };
        for member in part().members {
            if member.facts.iter().any(|fact| matches!(fact, Fact::Unique)) {
                self.uniqueness(member.name, list, path);
            }
        }
    }

    fn uniqueness(&mut self, name: &str, list: &[Tree], path: &mut Path) {
        let mut seen = std::collections::HashSet::with_capacity(list.len());
        for (index, element) in list.iter().enumerate() {
            let value = element.as_map().and_then(|members| find(members, name));
            let text = value
                .and_then(Tree::as_text)
                .filter(|text| !text.is_empty());
            let (Some(value), Some(text)) = (value, text) else {
                continue;
            };
            if !seen.insert(text) {
                let message = format!("{name} {text:?} is there twice");
                path.in_element(index, |path| {
                    path.in_member(name, |path| {
                        self.report(own_rule(name, Rule::DuplicateName), message, path, value);
                    });
                });
            }
        }
    }
}

/// What is wrong with a value because of what stands beside it.
fn beside(
    fact: Fact,
    described: &Described,
    value: &Tree,
    object: &Tree,
) -> Option<(Rule, String)> {
    let name = described.name;
    let says = |other: &str| {
        object
            .get(other)
            .and_then(Tree::as_text)
            .unwrap_or_default()
    };
    match fact {
        Fact::OnlyWith(other, word) => {
            let apart = says(other) != word && !references::has_variable(says(other));
            let message = format!("{name} means nothing unless {other} is {word}");
            (apart && !is_empty(value)).then_some((Rule::MisplacedMember, message))
        }
        Fact::OneOfWith(other, word, known) => {
            let text = value.as_text().unwrap_or_default();
            let elsewhere = described.words().unwrap_or_default().contains(&text);
            let wrong = says(other) == word && elsewhere && !known.contains(&text);
            let known = suggest::list(known);
            let message = format!("{other} {word} has no {name} {text:?}; known are {known}");
            wrong.then_some((Rule::UnknownValue, message))
        }
        Fact::NotEmptyWith(other, word) => {
            let empty = value.as_list().is_some_and(<[_]>::is_empty);
            let message = format!("with {other} {word}, {name} should not be empty");
            (empty && says(other) == word).then_some((Rule::DoubtfulValue, message))
        }
        _ => None,
    }
}

/// Whether this is a field with fields inside.
fn is_map(object: &Object, tree: &Tree) -> bool {
    object.name == SchemaEntry::description().name
        && tree.get("valtype").and_then(Tree::as_text) == Some("map")
}

/// The fields of a schema have rules of their own.
fn own_rule(member: &str, otherwise: Rule) -> Rule {
    match (member, otherwise) {
        ("key", Rule::DuplicateName) => Rule::SchemaDuplicateKey,
        ("key", _) => Rule::SchemaKey,
        ("valtype", _) => Rule::SchemaValtype,
        ("elemtype", _) => Rule::SchemaElemtype,
        _ => otherwise,
    }
}
