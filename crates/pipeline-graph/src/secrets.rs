//! What in a node's data is a secret, so that check, file, comparison agree on it.

use crate::tree::Value;

/// What is known of a place in a node's data from the names of the members that lead there.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Scope {
    secret: bool,
    /// Inside a mapping of fields, where `#token` names a field and is no token.
    mapping: bool,
}

impl Scope {
    /// The scope of a member. Whatever stands inside of a secret is one.
    pub(crate) fn member(self, name: &str) -> Self {
        Self {
            secret: self.secret || is_secret_name(name),
            mapping: self.mapping || is_mapping(name),
        }
    }

    /// Whether the value itself is a secret. Lists and objects are not, their parts may be.
    pub(crate) fn holds_secret(self, value: &Value) -> bool {
        match value {
            Value::Number(_) => self.secret,
            Value::Text(text) if self.mapping && text.starts_with('#') => false,
            Value::Text(text) => (self.secret && !text.is_empty()) || has_password(text),
            _ => false,
        }
    }
}

/// Members of an export's `spec` that say which field goes where.
pub(crate) fn is_mapping(name: &str) -> bool {
    matches!(name, "doc" | "fields" | "tags" | "columns")
}

fn is_secret_name(name: &str) -> bool {
    let words = words(name);
    let alone = |word: &String| {
        matches!(
            word.as_str(),
            "secret"
                | "secrets"
                | "password"
                | "passwords"
                | "passwd"
                | "pwd"
                | "passphrase"
                | "token"
                | "tokens"
                | "credential"
                | "credentials"
                | "authorization"
                | "accesskey"
                | "accesskeys"
                | "secretkey"
                | "apikey"
                | "privatekey"
                | "ak"
                | "sk"
        )
    };
    let together = |pair: &[String]| {
        matches!(pair[0].as_str(), "access" | "api" | "private" | "auth")
            && matches!(pair[1].as_str(), "key" | "keys")
    };
    words.iter().any(alone) || words.windows(2).any(together)
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

/// Whether the text is a URL with `user:password@` in it.
fn has_password(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    let password = user.and_then(|user| user.split_once(':'));
    password.is_some_and(|(_, password)| !password.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_the_names_of_their_members() {
        let secret = [
            "secretKey",
            "exportSecretKey",
            "SECRET_KEY",
            "password",
            "db-password",
            "accessKey",
            "access_key",
            "token",
            "authToken",
            "apiKey",
            "apikey",
            "privateKey",
            "credentials",
            "AK",
            "sk",
        ];
        for name in secret {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "key",
            "keyPrefix",
            "tokenizer",
            "updateKey",
            "bucket",
            "secretary",
            "skip",
            "",
            "访问",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn a_field_named_token_is_no_secret() {
        let text = |text: &str| Value::Text(text.into());
        let doc = Scope::default().member("doc").member("token");
        assert!(!doc.holds_secret(&text("#token")));
        assert!(doc.holds_secret(&text("t0p")));
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
    fn a_password_in_a_url_is_a_secret() {
        for text in ["http://u:p@h/x", "mongodb://u:p@h:1/db?x=1"] {
            assert!(has_password(text), "{text}");
        }
        for text in [
            "http://h:80/a@b:c",
            "http://u@h",
            "http://u:@h",
            "u:p@h",
            "select '://'",
        ] {
            assert!(!has_password(text), "{text}");
        }
    }
}
