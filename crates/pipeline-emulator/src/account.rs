//! Who may call the service: accounts and their keys.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
};

use hmac::{Hmac, KeyInit as _};
use sha1::Sha1;

/// Access key of the account that an emulator has when none is declared.
pub const DEVELOPMENT_ACCESS_KEY: &str = "development-access-key";

/// Secret key of the account that an emulator has when none is declared. It protects nothing: it
/// is printed here and in the command's first line.
pub const DEVELOPMENT_SECRET_KEY: &str = "development-secret-key";

/// Id of the account that an emulator has when none is declared.
pub const DEVELOPMENT_ACCOUNT: &str = "development";

/// A keyed HMAC-SHA1. It is kept instead of the secret key, which is not needed again.
pub(crate) type KeyedMac = Hmac<Sha1>;

fn keyed(secret_key: &[u8]) -> KeyedMac {
    KeyedMac::new_from_slice(secret_key).expect("HMAC takes a key of any length")
}

/// An account: an id, keys, and workflows of its own.
///
/// `Debug` shows access keys, never secret keys.
///
/// ```
/// use pipeline_emulator::{Account, Emulator};
///
/// let emulator = Emulator::builder()
///     .account(Account::new("1380000000").key("alice-access-key", "alice-secret-key"))
///     .account(Account::new("1390000000").key("bob-access-key", "bob-secret-key"))
///     .build();
/// assert!(!format!("{emulator:?}").contains("alice-secret-key"));
/// ```
#[derive(Clone)]
pub struct Account {
    id: String,
    keys: Vec<(String, KeyedMac)>,
}

impl Account {
    /// An account without keys. The id is what `X-Resource-Owner` names.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            keys: Vec::new(),
        }
    }

    /// Gives the account a pair of keys; it may have several. The `Authorization` header is split at
    /// colons, so an access key with a colon in it can never be used.
    #[must_use]
    pub fn key(mut self, access_key: impl Into<String>, secret_key: impl AsRef<[u8]>) -> Self {
        self.keys
            .push((access_key.into(), keyed(secret_key.as_ref())));
        self
    }

    /// The id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The access keys.
    pub fn access_keys(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|(access_key, _)| access_key.as_str())
    }

    /// The account whose keys are printed in the documentation.
    pub fn development() -> Self {
        Self::new(DEVELOPMENT_ACCOUNT).key(DEVELOPMENT_ACCESS_KEY, DEVELOPMENT_SECRET_KEY)
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("id", &self.id)
            .field("access_keys", &self.access_keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// All accounts, by id and by access key.
#[derive(Clone)]
pub(crate) struct Accounts {
    /// Who acts when nobody says who is calling.
    default: String,
    ids: BTreeSet<String>,
    keys: HashMap<String, (String, KeyedMac)>,
}

impl Accounts {
    pub(crate) fn new(accounts: Vec<Account>) -> Self {
        let mut accounts = accounts.into_iter();
        let first = accounts.next().unwrap_or_else(Account::development);
        let mut all = Self {
            default: first.id.clone(),
            ids: BTreeSet::new(),
            keys: HashMap::new(),
        };
        for account in std::iter::once(first).chain(accounts) {
            for (access_key, mac) in account.keys {
                all.keys.insert(access_key, (account.id.clone(), mac));
            }
            all.ids.insert(account.id);
        }
        all
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.ids.iter().map(String::as_str)
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// The account declared first.
    pub(crate) fn default_id(&self) -> &str {
        &self.default
    }

    /// The account of an access key, and what verifies its signatures.
    pub(crate) fn by_access_key(&self, access_key: &str) -> Option<(&str, &KeyedMac)> {
        let (id, mac) = self.keys.get(access_key)?;
        Some((id, mac))
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut access_keys: Vec<_> = self.keys.keys().collect();
        access_keys.sort_unstable();
        f.debug_struct("Accounts")
            .field("ids", &self.ids)
            .field("access_keys", &access_keys)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_declared_twice_has_the_keys_of_both() {
        let accounts = Accounts::new(vec![
            Account::new("a").key("k1", "s1"),
            Account::new("b").key("k3", "s3"),
            Account::new("a").key("k2", "s2"),
        ]);
        assert!(accounts.ids.iter().eq(["a", "b"]));
        assert_eq!(accounts.default_id(), "a");
        for (key, id) in [("k1", "a"), ("k2", "a"), ("k3", "b")] {
            assert_eq!(accounts.by_access_key(key).unwrap().0, id);
        }
        assert!(accounts.by_access_key("k4").is_none());
    }

    #[test]
    fn without_a_declared_account_there_is_the_development_one() {
        let accounts = Accounts::new(Vec::new());
        assert!(accounts.contains(DEVELOPMENT_ACCOUNT));
        assert!(accounts.by_access_key(DEVELOPMENT_ACCESS_KEY).is_some());
    }

    #[test]
    fn debug_shows_no_secret() {
        let account = Account::new("a").key("the-access-key", "canary-secret");
        let shown = format!("{account:?} {:?}", Accounts::new(vec![account.clone()]));
        assert!(shown.contains("the-access-key"));
        assert!(!shown.contains("canary"));
    }
}
