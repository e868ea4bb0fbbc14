//! Schemas as people write them, after the language of the vendor's Go SDK, which takes the star beside the type
//! only, cleans names in silence and has no places in its errors.

use std::{
    error::Error,
    fmt::{self, Display, Formatter},
    str::FromStr,
};

use super::{ElemType, FieldName, MAX_MAPS, SchemaEntry, ValType};

/// The fields of a record, which can be read and printed as `ip string, *at date, tags array(string)`.
///
/// Fields are separated by commas or line breaks. A star marks those that every record must have; it may stand
/// before or after the type as well. A type may be shortened to its first letter, and is `string` when it is left out.
///
/// ```
/// use pipeline_proto::resource::schema::Schema;
///
/// let schema: Schema = "ip, *at d, tags a(s), geo { lat float, lon float }".parse()?;
/// assert_eq!(schema.0[1].required, Some(true));
/// assert_eq!(
///     schema.to_string(),
///     "ip string, *at date, tags array(string), geo map{lat float, lon float}"
/// );
///
/// let error = "ip string, at dat".parse::<Schema>().unwrap_err();
/// assert_eq!(error.column(), 15);
/// assert!(error.to_string().starts_with("column 15: 'dat' is not a type"));
/// # Ok::<(), pipeline_proto::resource::schema::ParseSchemaError>(())
/// ```
///
/// Descriptions of fields and types that this version does not know have no short form.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Schema(pub Vec<SchemaEntry>);

/// Why a text is not a schema, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseSchemaError {
    line: usize,
    column: usize,
    problem: String,
}

impl ParseSchemaError {
    /// The line, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// How many characters into the line, from 1.
    pub fn column(&self) -> usize {
        self.column
    }
}

impl Display for ParseSchemaError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.line > 1 {
            write!(f, "line {}, ", self.line)?;
        }
        write!(f, "column {}: {}", self.column, self.problem)
    }
}

impl Error for ParseSchemaError {}

impl Schema {
    /// What writes each field of a source as it is, as exports want it: `"ip": "#ip"` and so on.
    ///
    /// ```
    /// use pipeline_proto::resource::{export::KodoTarget, schema::Schema};
    ///
    /// let schema: Schema = "ip string, *at date".parse()?;
    /// let kodo = KodoTarget::new("archive", schema.mapping());
    /// assert_eq!(kodo.fields["at"], "#at");
    /// # Ok::<(), pipeline_proto::resource::schema::ParseSchemaError>(())
    /// ```
    pub fn mapping<M: FromIterator<(String, V)>, V: From<String>>(&self) -> M {
        let fields = self.0.iter();
        fields
            .map(|field| (field.key.clone(), V::from(format!("#{}", field.key))))
            .collect()
    }
}

impl From<Schema> for Vec<SchemaEntry> {
    fn from(schema: Schema) -> Self {
        schema.0
    }
}

impl From<Vec<SchemaEntry>> for Schema {
    fn from(fields: Vec<SchemaEntry>) -> Self {
        Self(fields)
    }
}

impl Display for Schema {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        print(&self.0, f)
    }
}

impl Display for SchemaEntry {
    /// In the short form of a [`Schema`].
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let star = if self.required == Some(true) { "*" } else { "" };
        write!(f, "{star}{} {}", self.key, self.valtype)?;
        if let Some(elemtype) = &self.elemtype {
            write!(f, "({elemtype})")?;
        }
        let Some(fields) = self.schema.as_deref().filter(|fields| !fields.is_empty()) else {
            return Ok(());
        };
        f.write_str("{")?;
        print(fields, f)?;
        f.write_str("}")
    }
}

fn print(fields: &[SchemaEntry], f: &mut Formatter<'_>) -> fmt::Result {
    for (at, field) in fields.iter().enumerate() {
        let separator = if at == 0 { "" } else { ", " };
        write!(f, "{separator}{field}")?;
    }
    Ok(())
}

impl FromStr for Schema {
    type Err = ParseSchemaError;

    fn from_str(text: &str) -> Result<Self, ParseSchemaError> {
        let mut reader = Reader { text, at: 0 };
        let fields = reader.fields(0)?;
        if reader.peek() == Some('}') {
            return Err(reader.error(reader.at, "there is no '{' before this '}'"));
        }
        if fields.is_empty() {
            return Err(reader.error(0, "there is no field"));
        }
        Ok(Self(fields))
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// Fields up to the end or to the `}` of the map that they are in.
    fn fields(&mut self, maps: usize) -> Result<Vec<SchemaEntry>, ParseSchemaError> {
        let mut fields: Vec<SchemaEntry> = Vec::new();
        loop {
            self.take_while(|c| c.is_whitespace() || c == ',');
            if matches!(self.peek(), None | Some('}')) {
                return Ok(fields);
            }
            let start = self.at;
            let field = self.field(maps)?;
            if fields.iter().any(|other| other.key == field.key) {
                return Err(self.error(start, format!("there is a field '{}' already", field.key)));
            }
            fields.push(field);
            self.blanks();
            if !matches!(self.peek(), None | Some(',' | '\n' | '}')) {
                return Err(self.error(self.at, "a ',' is missing before the next field"));
            }
        }
    }

    fn field(&mut self, maps: usize) -> Result<SchemaEntry, ParseSchemaError> {
        let before_key = self.star();
        let start = self.at;
        let key =
            FieldName::new(self.word()).map_err(|error| self.error(start, error.to_string()))?;
        let before_type = self.star();
        let valtype = self.valtype()?;
        let mut field = SchemaEntry::new(key, valtype);
        match field.valtype {
            ValType::Array => field.elemtype = Some(self.elemtype()?),
            ValType::Map => field.schema = self.inner_fields(maps)?,
            _ => {}
        }
        let after_type = self.eat('*');
        field.required = (before_key || before_type || after_type).then_some(true);
        Ok(field)
    }

    fn valtype(&mut self) -> Result<ValType, ParseSchemaError> {
        let start = self.at;
        match (self.word(), self.peek()) {
            ("", Some('{')) => Ok(ValType::Map),
            ("", Some('(')) => Ok(ValType::Array),
            ("", _) => Ok(ValType::String),
            (word, _) => known(ValType::KNOWN, ValType::as_str, word).ok_or_else(|| {
                self.error(
                    start,
                    format!(
                        "'{word}' is not a type; known are {}",
                        listed(ValType::KNOWN)
                    ),
                )
            }),
        }
    }

    /// What stands after `array`.
    fn elemtype(&mut self) -> Result<ElemType, ParseSchemaError> {
        if !self.eat('(') {
            let problem = "the type of the elements is missing, as in array(string)";
            return Err(self.error(self.at, problem));
        }
        self.blanks();
        let start = self.at;
        let elemtype = known(ElemType::KNOWN, ElemType::as_str, self.word());
        let known = listed(ElemType::KNOWN);
        let elemtype = elemtype.ok_or_else(|| {
            self.error(
                start,
                format!("the elements of an array are one of {known}"),
            )
        })?;
        self.blanks();
        if !self.eat(')') {
            return Err(self.error(self.at, "the ')' of the array is missing"));
        }
        Ok(elemtype)
    }

    /// What stands after `map`, if anything.
    fn inner_fields(&mut self, maps: usize) -> Result<Option<Vec<SchemaEntry>>, ParseSchemaError> {
        let end = self.at;
        self.blanks();
        let start = self.at;
        if !self.eat('{') {
            self.at = end;
            return Ok(None);
        }
        if maps == MAX_MAPS {
            let problem = format!("at most {MAX_MAPS} maps may stand inside one another");
            return Err(self.error(start, problem));
        }
        let fields = self.fields(maps + 1)?;
        if !self.eat('}') {
            return Err(self.error(start, "there is no '}' for this '{'"));
        }
        Ok((!fields.is_empty()).then_some(fields))
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn eat(&mut self, c: char) -> bool {
        let eaten = self.peek() == Some(c);
        if eaten {
            self.at += c.len_utf8();
        }
        eaten
    }

    /// Whether a star comes next, with blanks around it.
    fn star(&mut self) -> bool {
        self.blanks();
        let star = self.eat('*');
        self.blanks();
        star
    }

    fn blanks(&mut self) {
        self.take_while(|c| c.is_whitespace() && c != '\n');
    }

    fn word(&mut self) -> &'a str {
        self.take_while(|c| !c.is_whitespace() && !",*(){}".contains(c))
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = &self.text[self.at..];
        let taken = &rest[..rest.find(|c| !wanted(c)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    fn error(&self, at: usize, problem: impl Into<String>) -> ParseSchemaError {
        let before = &self.text[..at];
        let line = before.rsplit('\n').next().unwrap_or_default();
        ParseSchemaError {
            line: before.matches('\n').count() + 1,
            column: line.chars().count() + 1,
            problem: problem.into(),
        }
    }
}

/// The type of this name or first letter, in capitals or not.
fn known<T: Clone>(all: &[T], name: fn(&T) -> &str, word: &str) -> Option<T> {
    let word = word.to_ascii_lowercase();
    let full = match word.as_str() {
        "" => return None,
        "bool" => "boolean",
        "json" => "jsonstring",
        other => other,
    };
    let is_meant = |one: &&T| name(one) == full || (full.len() == 1 && name(one).starts_with(full));
    all.iter().find(is_meant).cloned()
}

fn listed(types: &[impl Display]) -> String {
    let names: Vec<String> = types.iter().map(ToString::to_string).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::Schema;

    #[test]
    #[rustfmt::skip]
    fn what_people_write_is_read_and_printed_in_one_form() {
        for (text, printed) in [
            ("ip", "ip string"),
            ("a l,b F\nc Boolean, d bool", "a long, b float, c boolean, d boolean"),
            ("a json, b j, c i, d jsonstring", "a jsonstring, b jsonstring, c ip, d jsonstring"),
            ("*a, b *, c *d, d d*, e string* , * f", "*a string, *b string, *c date, *d date, *e string, *f string"),
            ("a (l), b a(f), c *(s), d array( string )*", "a array(long), b array(float), *c array(string), *d array(string)"),
            ("a{b l}, c m, d map {e{f}}", "a map{b long}, c map, d map{e map{f string}}"),
            ("a *{b}, c{*d}*, e map{}", "*a map{b string}, *c map{*d string}, e map"),
            (" ,\r\n a\tlong ,,\r\n\r\nb ,", "a long, b string"),
            ("a{b{c{d{e{f}}}}}", "a map{b map{c map{d map{e map{f string}}}}}"),
        ] {
            let schema: Schema = text
                .parse()
                .unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(schema.to_string(), printed, "{text}");
            assert_eq!(printed.parse(), Ok(schema), "{text}");
        }
    }

    #[test]
    #[rustfmt::skip]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, problem) in [
            ("", "column 1: there is no field"),
            (" ,\n", "column 1: there is no field"),
            ("a strng", "column 3: 'strng' is not a type; known are …"),
            ("a\nb x", "line 2, column 3: 'x' is not a type; known are …"),
            ("a string long", "column 10: a ',' is missing before the next field"),
            ("a map{b} c", "column 10: a ',' is missing before the next field"),
            ("a **b", "column 5: a ',' is missing before the next field"),
            ("é, a", "column 1: the field name starts with 'é'; it must start with a letter or '_'"),
            ("ab long, a-b", "column 10: the field name contains '-' at position 2; only ASCII letters, digits and '_' are allowed"),
            ("a; b", "column 1: the field name contains ';' at position 2; only ASCII letters, digits and '_' are allowed"),
            ("{b}", "column 1: the field name is empty"),
            ("a, *", "column 5: the field name is empty"),
            ("a long, b{a, b, *a d}", "column 17: there is a field 'a' already"),
            ("a array", "column 8: the type of the elements is missing, as in array(string)"),
            ("a array(bool)", "column 9: the elements of an array are one of long, float, string"),
            ("a array()", "column 9: the elements of an array are one of long, float, string"),
            ("a array(long", "column 13: the ')' of the array is missing"),
            ("a map{b, c", "column 6: there is no '}' for this '{'"),
            ("a long}, b", "column 7: there is no '{' before this '}'"),
            ("a string{b}", "column 9: a ',' is missing before the next field"),
            ("a{b{c{d{e{f{g}}}}}}", "column 12: at most 5 maps may stand inside one another"),
        ] {
            let told = text.parse::<Schema>().unwrap_err().to_string();
            let told = told.replace("string, long, float, date, boolean, array, map, jsonstring, ip", "…");
            assert_eq!(told, problem, "{text}");
        }
    }
}
