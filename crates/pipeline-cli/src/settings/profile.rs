//! What a profile may hold.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use pipeline_proto::{Endpoint, Region};
use zeroize::Zeroizing;

use super::key;
use crate::failure::Failure;

/// A member of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    Endpoint,
    Region,
    AccessKey,
    SecretKey,
    SecretKeyFile,
    CredentialProcess,
    CaFile,
}

impl Setting {
    pub(crate) const ALL: [Self; 7] = [
        Self::Endpoint,
        Self::Region,
        Self::AccessKey,
        Self::SecretKey,
        Self::SecretKeyFile,
        Self::CredentialProcess,
        Self::CaFile,
    ];

    /// Those that say who is calling.
    pub(crate) const IDENTITY: [Self; 4] = [
        Self::AccessKey,
        Self::SecretKey,
        Self::SecretKeyFile,
        Self::CredentialProcess,
    ];

    /// Those that a secret comes from, of which a profile has one.
    pub(crate) const SECRETS: [Self; 3] = [
        Self::SecretKey,
        Self::SecretKeyFile,
        Self::CredentialProcess,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Endpoint => "endpoint",
            Self::Region => "region",
            Self::AccessKey => "access_key",
            Self::SecretKey => "secret_key",
            Self::SecretKeyFile => "secret_key_file",
            Self::CredentialProcess => "credential_process",
            Self::CaFile => "ca_file",
        }
    }

    /// Refuses what could never work.
    pub(super) fn check(self, text: &str) -> Result<(), Failure> {
        match self {
            Self::Endpoint => text.parse::<Endpoint>().map(|_| ()).map_err(Failure::usage),
            Self::Region => text.parse::<Region>().map(|_| ()).map_err(Failure::usage),
            Self::SecretKeyFile | Self::CaFile => absolute(text.as_ref()).map(|_| ()),
            Self::AccessKey | Self::SecretKey => key::clean(text).map(|_| ()),
            Self::CredentialProcess if text.is_empty() => Err(Failure::usage("it is empty")),
            Self::CredentialProcess => Ok(()),
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|key| key.as_str() == text);
        found.ok_or_else(|| {
            let all = Self::ALL.map(Self::as_str).join(", ");
            format!("there is no setting {text:?}, only {all}")
        })
    }
}

/// A path of a profile: absolute, or in the home folder.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    let path = match path.strip_prefix("~") {
        Err(_) => path.to_owned(),
        Ok(rest) => etcetera::home_dir()
            .map_err(|_| Failure::usage("there is no home folder for a path with ~"))?
            .join(rest),
    };
    if path.is_absolute() {
        Ok(path)
    } else {
        Err(Failure::usage(format!(
            "{:?} depends on the present folder: write an absolute path, or one that begins with ~/",
            path.display()
        )))
    }
}

/// A profile, checked.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(super) name: String,
    pub(super) values: Vec<(Setting, Value)>,
}

/// The text of a setting, which may be a secret.
#[derive(Clone)]
pub(super) struct Value(pub(super) Zeroizing<String>);

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

impl Profile {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn get(&self, key: Setting) -> Option<&str> {
        let (_, value) = self.values.iter().find(|(k, _)| *k == key)?;
        Some(&value.0)
    }

    /// The members of these that it has.
    pub(crate) fn given<const N: usize>(
        &self,
        keys: [Setting; N],
    ) -> impl Iterator<Item = Setting> {
        keys.into_iter().filter(|key| self.get(*key).is_some())
    }
}
