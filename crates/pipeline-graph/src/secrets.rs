//! What in a node's data is a secret, so that check, file, comparison agree on it.

use std::{collections::HashSet, sync::LazyLock};

use pipeline_proto::{
    describe::{Fact, Object, Shape},
    model::{NodeType, RawJson},
};

use crate::{
    path::Path,
    tree::{Tree, Value},
};

/// The name of the variable that stands for a secret in data that is shown. Whoever reads such data back
/// takes it for one that is not set, so that nothing is sent for a secret.
pub const HIDDEN_SECRET: &str = "HIDDEN";

/// The data of a node with `${HIDDEN}` in the place of each secret.
///
/// ```
/// use pipeline_graph::hide_secrets;
///
/// let data = r#"{"bucket":"b","secretKey":"s3cret"}"#.parse()?;
/// assert_eq!(hide_secrets(&data).get(), r#"{"bucket":"b","secretKey":"${HIDDEN}"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn hide_secrets(data: &RawJson) -> RawJson {
    // What cannot be read here may hold anything.
    let instead = format!("${{{HIDDEN_SECRET}}}");
    let mut tree = Tree::of(data).unwrap_or_else(|_| Tree::text(instead.as_str()));
    hide(&mut tree, Scope::default(), &instead);
    tree.to_raw()
}

/// Puts a text in the place of each secret.
pub(crate) fn hide(tree: &mut Tree, scope: Scope<'_>, instead: &str) {
    tree.change_leaves(&mut Path::default(), scope, &mut |leaf, _, scope| {
        if scope.holds_secret(&leaf.value) {
            leaf.value = Value::Text(instead.into());
        }
    });
}

/// What is known of a place in a node's data from the names of the members that lead there.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Scope<'n> {
    /// The last of them.
    pub(crate) name: &'n str,
    secret: bool,
    /// Inside a mapping of fields, where `#token` names a field and is no token.
    mapping: bool,
}

impl Scope<'_> {
    /// The scope of a member. Whatever stands inside of a secret is one.
    pub(crate) fn member(self, name: &str) -> Scope<'_> {
        Scope {
            name,
            secret: self.secret || is_secret_name(name),
            mapping: self.mapping || is_mapping(name),
        }
    }

    /// Whether the value itself is a secret. Lists and objects are not, their parts may be.
    pub(crate) fn holds_secret(self, value: &Value) -> bool {
        match value {
            Value::Number(_) => self.secret,
            Value::Text(text) if self.mapping && text.starts_with('#') => false,
            Value::Text(text) => (self.secret && !text.is_empty()) || holds_password(text),
            _ => false,
        }
    }
}

/// Whether the specs have an object of this name that says which field goes where.
fn is_mapping(name: &str) -> bool {
    static MAPPINGS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
        let (mut found, mut seen) = (HashSet::new(), HashSet::new());
        let mut waiting: Vec<&Object> = NodeType::KNOWN
            .iter()
            .filter_map(NodeType::description)
            .collect();
        while let Some(object) = waiting.pop() {
            if !seen.insert(object.name) {
                continue;
            }
            for member in object.members {
                for fact in member.facts {
                    match fact {
                        Fact::Fields if matches!(member.shape, Shape::Map(_)) => {
                            found.insert(member.name);
                        }
                        Fact::ByType(specs) => waiting.extend(specs.iter().map(|(_, spec)| spec())),
                        _ => {}
                    }
                }
                let mut shape = &member.shape;
                while let Shape::List(part) | Shape::Map(part) = shape {
                    shape = part;
                }
                if let Shape::Object(description) = shape {
                    waiting.push(description());
                }
            }
        }
        found
    });
    MAPPINGS.contains(name)
}

/// Last words of names that tell something of a secret and are none, as `password_changed_at` and `tokenType`.
const ABOUT: &str = "at date time changed expires expiry expiration ttl count length size policy type field column \
    enabled required hint";

const ALONE: &str = "secret secrets password passwords passwd pwd pass passphrase passcode token tokens accesstoken \
    authtoken apitoken jwt bearer cookie credential credentials authorization accesskey accesskeys secretkey apikey \
    privatekey ak sk";

/// Words before `key`.
const BEFORE_KEY: &str = "access api private auth account shared signing encryption";

/// Whether a member of this name holds a secret, such as `secretKey` or `accessToken`.
pub fn is_secret_name(name: &str) -> bool {
    let is_in = |list: &str, word: &String| list.split(' ').any(|one| one == word);
    let words = words(name);
    let together = |pair: &[String]| is_in(BEFORE_KEY, &pair[0]) && is_in("key keys", &pair[1]);
    !words.last().is_some_and(|last| is_in(ABOUT, last))
        && (words.iter().any(|word| is_in(ALONE, word)) || words.windows(2).any(together))
}

/// The words of a name like `exportSecretKey`, `secret_key` or `SECRET-KEY`, in lower case.
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut lower = false;
    for c in name.chars() {
        let starts = !c.is_ascii_alphanumeric() || (lower && c.is_ascii_uppercase());
        if starts && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if c.is_ascii_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(c.to_ascii_lowercase());
        }
        lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a text has a secret in it, by its form: of whatever name the member is.
fn holds_password(text: &str) -> bool {
    text.match_indices("://")
        .any(|(at, separator)| url_has_secret(&text[at + separator.len()..]))
        || jdbc_has_secret(text)
        || is_go_dsn(text)
        || pairs_have_secret(text, |c| c == ';')
        || pairs_have_secret(text, char::is_whitespace)
        || has_private_key(text)
        || is_header(text)
}

/// `user:password@host`, or `?token=` and the like; what comes after the scheme.
fn url_has_secret(rest: &str) -> bool {
    let url = rest
        .split(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '`'))
        .next()
        .unwrap_or_default();
    let authority = url.split(['/', '?', '#']).next().unwrap_or_default();
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    let password = user.and_then(|user| user.split_once(':'));
    password.is_some_and(|(_, password)| !password.is_empty()) || parameters_have_secret(url)
}

/// `?name=value&name=value`, and `;name=value` as in addresses of JDBC.
fn parameters_have_secret(url: &str) -> bool {
    url.split(['?', '&', ';', '#'])
        .skip(1)
        .filter_map(|pair| pair.split_once('='))
        .any(is_secret_pair)
}

/// Addresses of JDBC may have no `//`: `jdbc:oracle:thin:scott/tiger@host:1521:db`.
fn jdbc_has_secret(text: &str) -> bool {
    let Some(address) = text.trim_start().strip_prefix("jdbc:") else {
        return false;
    };
    let user = address.rsplit_once('@').map(|(user, _)| user);
    let password = user
        .and_then(|user| user.rsplit_once(':'))
        .and_then(|(_, user)| user.split_once('/'));
    let oracle = address.starts_with("oracle:");
    oracle && password.is_some_and(|(user, password)| !user.is_empty() && !password.is_empty())
        || parameters_have_secret(address)
}

/// `user:password@tcp(host:3306)/db`, as the driver of Go for MySQL has it.
fn is_go_dsn(text: &str) -> bool {
    let Some((user, address)) = text.rsplit_once('@') else {
        return false;
    };
    let protocol = address.split_once('(').map(|(protocol, _)| protocol);
    let password = user.split_once(':').map(|(_, password)| password);
    protocol.is_some_and(|it| it.bytes().all(|b| b.is_ascii_alphanumeric()))
        && password.is_some_and(|password| !password.is_empty())
        && !text.contains(char::is_whitespace)
}

/// `host=h password=p` or `Server=h;Password=p`: nothing but pairs. SQL that compares a column of such
/// a name is something else.
fn pairs_have_secret(text: &str, separates: impl Fn(char) -> bool) -> bool {
    let (mut found, mut pairs, mut blanks) = (false, 0, false);
    for pair in text
        .split(separates)
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
    {
        let Some((name, value)) = pair.split_once('=') else {
            return false;
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.');
        // `Persist Security Info` is the longest.
        if !name.chars().all(plain) || name.split_whitespace().count() > 3 {
            return false;
        }
        blanks |= name.trim().contains(' ');
        pairs += 1;
        found |= is_secret_pair((name, value));
    }
    found && (pairs > 1 || !blanks)
}

fn is_secret_pair((name, value): (&str, &str)) -> bool {
    let signature = name.eq_ignore_ascii_case("sig") || name.eq_ignore_ascii_case("signature");
    !value.is_empty() && (signature || is_secret_name(name))
}

fn has_private_key(text: &str) -> bool {
    let begins = |rest: &str| {
        let label = rest.split("-----").next().unwrap_or_default();
        label.trim_end().ends_with("PRIVATE KEY") || label.contains("PRIVATE KEY BLOCK")
    };
    text.match_indices("-----BEGIN ")
        .any(|(at, begin)| begins(&text[at + begin.len()..]))
}

/// `Bearer …`, `Basic …`, or a whole line `X-Api-Key: …`.
fn is_header(text: &str) -> bool {
    let text = text.trim();
    let (name, value) = text.split_once(':').unwrap_or(("", text));
    let value = value.trim_start();
    let by_scheme = value.split_once(' ').is_some_and(|(scheme, secret)| {
        let known = ["bearer", "basic", "pandora", "qiniu", "qbox"];
        let secret = secret.trim();
        known.iter().any(|it| scheme.eq_ignore_ascii_case(it))
            && secret.len() >= 6
            && !secret.contains(char::is_whitespace)
    });
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let by_name = name.contains('-') || name.eq_ignore_ascii_case("authorization");
    by_scheme || by_name && name.bytes().all(plain) && !value.is_empty() && is_secret_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_the_names_of_their_members() {
        for name in "secretKey exportSecretKey SECRET_KEY password db-password accessKey access_key token authToken \
            apiKey apikey privateKey credentials pass dbPass sasl.jaas.password Authorization accountKey AK sk"
            .split_whitespace()
        {
            assert!(is_secret_name(name), "{name}");
        }
        for name in "key keyPrefix tokenizer updateKey bucket secretary password_changed_at tokenType passport \
            compass skip 访问"
            .split_whitespace()
            .chain([""])
        {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn a_field_named_token_is_no_secret() {
        let text = |text: &str| Value::Text(text.into());
        let doc = Scope::default().member("doc").member("token");
        assert!(!doc.holds_secret(&text("#token")));
        assert!(doc.holds_secret(&text("t0p")));
        let mappings = ["doc", "fields", "tags", "columns", "timestamp", "spec"];
        let known = mappings.map(is_mapping);
        assert_eq!(known, [true, true, true, true, false, false]);
        assert!(
            Scope::default()
                .member("token")
                .holds_secret(&text("#token"))
        );
        assert!(!Scope::default().member("token").holds_secret(&text("")));
        assert!(
            Scope::default()
                .member("pwd")
                .holds_secret(&Value::Number("1".into()))
        );
    }

    #[test]
    fn what_is_inside_of_a_secret_is_one() {
        let inside = Scope::default().member("credentials").member("value");
        assert!(inside.holds_secret(&Value::Text("t0p".into())));
    }

    #[test]
    fn a_secret_in_a_text_is_known_by_its_form() {
        for text in [
            "http://u:p@h/x",
            "mongodb://u:p@h:1/db?x=1",
            "redis://:p@h",
            "see http://h/ and https://u:p@h/",
            "https://h/x?a=b&access_token=t0p",
            "https://h/x?sig=abc",
            "https://h/hook?apikey=1#x",
            "jdbc:mysql://h:3306/db?user=u&password=p",
            "jdbc:sqlserver://h:1433;user=u;password=p;",
            "jdbc:oracle:thin:scott/tiger@h:1521:db",
            "u:p@tcp(h:3306)/db?charset=utf8",
            "host=h port=5432 user=u password=p",
            "Server=h;User Id=u;Password=p;",
            "-----BEGIN RSA PRIVATE KEY-----\nMII",
            "-----BEGIN PRIVATE KEY-----",
            "Bearer abcdef.ghi",
            "basic dXNlcjpwYXNz",
            "Authorization: Pandora ak:c2ln",
            "X-Api-Key: 12345",
        ] {
            assert!(holds_password(text), "{text}");
        }
        for text in [
            "http://h:80/a@b:c",
            "http://u@h",
            "http://u:@h",
            "u:p@h",
            "select '://'",
            "select password_changed_at from t where token=t.id",
            "select * from users where password = 'x'",
            "set token=1",
            "password",
            "password_changed_at",
            "a=b",
            "https://h/?password=&x=1",
            "https://h/?tokenType=x&key=1",
            "jdbc:mysql://h/db?user=u",
            "-----BEGIN CERTIFICATE-----",
            "Bearer of news",
            "basic access control",
            "note: token bucket",
            "",
        ] {
            assert!(!holds_password(text), "{text}");
        }
    }
}
