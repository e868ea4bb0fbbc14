//! The configuration file: profiles in TOML, for the eyes of its owner only.

use std::{
    fmt,
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use toml_edit::{DocumentMut, Item, Table, value};
use zeroize::Zeroizing;

use super::{
    Place, allows_open_files, open_to_others,
    profile::{Profile, Setting, Value},
};
use crate::{
    failure::Failure,
    file::{Readers, Target},
    output::plain,
};

const PROFILES: &str = "profiles";
const DEFAULT_PROFILE: &str = "default_profile";

/// The file, as it stands.
pub(crate) struct ConfigFile {
    place: Place,
    document: DocumentMut,
}

impl ConfigFile {
    /// Reads it. A file that is not there is an empty one. This run cannot write to it any more.
    pub(crate) fn read(place: Place) -> Result<Self, Failure> {
        if let Some(path) = place.path() {
            crate::file::reads(&path.metadata(), path)?;
        }
        Self::load(place)
    }

    fn load(place: Place) -> Result<Self, Failure> {
        let Some(path) = place.path() else {
            return Self::parse(place, "");
        };
        let failed = |error: io::Error| Failure::io(&plain(&path.display().to_string()), &error);
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if is_absent(error.kind(), &place) => return Self::parse(place, ""),
            Err(error) => return Err(failed(error)),
        };
        let mut text = Zeroizing::new(String::new());
        file.read_to_string(&mut text).map_err(failed)?;
        if !text.is_empty() && !allows_open_files() {
            refuse_if_others_can_read(&file, path)?;
        }
        Self::parse(place, &text)
    }

    fn parse(place: Place, text: &str) -> Result<Self, Failure> {
        let document = text.parse::<DocumentMut>().map_err(|error| {
            // Only the place: the parser's message quotes the line, which may hold a secret.
            let at = error.span().map_or_else(String::new, |span| {
                let before = text.get(..span.start).unwrap_or(text);
                let line = before.matches('\n').count() + 1;
                let column = before
                    .rsplit('\n')
                    .next()
                    .map_or(0, |it| it.chars().count())
                    + 1;
                format!(":{line}:{column}")
            });
            Failure::usage(format!("{place}{at}: {}", error.message()))
        })?;
        let file = Self { place, document };
        file.check()?;
        Ok(file)
    }

    /// Reads the file, changes it and writes it back, while no other process does so.
    pub(crate) fn edit<T>(
        change: impl Fn(&mut Self) -> Result<T, Failure>,
    ) -> Result<(Self, T), Failure> {
        let place = Place::find();
        let path = place.required()?;
        let find = || Target::find(path);
        if !path.exists() {
            // What cannot be done leaves no empty file behind.
            change(&mut Self::parse(place.clone(), "")?)?;
            if let Some(folder) = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty())
            {
                crate::file::create_folder(folder)?;
            }
        }
        let lock = find()?.lock()?;
        // What is no file, a pipe for one, has nothing to be read back.
        let mut file = match lock {
            Some(_) => Self::load(place.clone())?,
            None => Self::parse(place.clone(), "")?,
        };
        let result = change(&mut file)?;
        file.write(&find()?)?;
        drop(lock);
        Ok((file, result))
    }

    fn wrong(&self, what: impl fmt::Display) -> Failure {
        Failure::usage(format!("{}: {what}", self.place))
    }

    /// Refuses what would be overlooked silently.
    fn check(&self) -> Result<(), Failure> {
        for (name, item) in self.document.iter() {
            match name {
                DEFAULT_PROFILE if item.is_str() => {}
                PROFILES if item.is_table_like() => {}
                DEFAULT_PROFILE => return Err(self.wrong("default_profile is not a text")),
                PROFILES => return Err(self.wrong("profiles is not a table")),
                other => {
                    return Err(self.wrong(format_args!(
                        "{other:?} is neither default_profile nor a table [profiles.NAME]"
                    )));
                }
            }
        }
        for name in self.profile_names() {
            self.profile(&name)?;
        }
        Ok(())
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// The profile that was chosen to be the one.
    pub(crate) fn default_profile(&self) -> Result<Option<String>, Failure> {
        let Some(name) = self.document.get(DEFAULT_PROFILE).and_then(Item::as_str) else {
            return Ok(None);
        };
        if self
            .profiles()
            .is_none_or(|profiles| !profiles.contains_key(name))
        {
            return Err(self.wrong(format_args!(
                "default_profile is {name:?}, which there is not: choose another with \
                 `pipeline config use`"
            )));
        }
        Ok(Some(name.to_owned()))
    }

    fn profiles(&self) -> Option<&dyn toml_edit::TableLike> {
        self.document.get(PROFILES)?.as_table_like()
    }

    /// The names of all profiles, in the order of the file.
    pub(crate) fn profile_names(&self) -> Vec<String> {
        let names = self.profiles().into_iter().flat_map(|table| table.iter());
        names.map(|(name, _)| name.to_owned()).collect()
    }

    /// A profile by its name.
    pub(crate) fn profile(&self, name: &str) -> Result<Profile, Failure> {
        let Some(item) = self.profiles().and_then(|profiles| profiles.get(name)) else {
            let names = self.profile_names();
            let known = if names.is_empty() {
                "there is none yet".to_owned()
            } else {
                format!("there is {}", names.join(", "))
            };
            return Err(self.wrong(format_args!("there is no profile {name:?}; {known}")));
        };
        let table = item
            .as_table_like()
            .ok_or_else(|| self.wrong(format_args!("profile {name:?} is not a table")))?;
        let mut values = Vec::new();
        for (key, item) in table.iter() {
            let key: Setting = key
                .parse()
                .map_err(|error| self.wrong(format_args!("profile {name:?}: {error}")))?;
            let text = item
                .as_str()
                .ok_or_else(|| self.wrong(format_args!("profile {name:?}: {key} is not a text")))?;
            key.check(text).map_err(|failure| {
                self.wrong(format_args!("profile {name:?}: {key}: {failure}"))
            })?;
            values.push((key, Value(Zeroizing::new(text.to_owned()))));
        }
        let profile = Profile {
            name: name.to_owned(),
            values,
        };
        let given: Vec<&str> = profile
            .given(Setting::SECRETS)
            .map(Setting::as_str)
            .collect();
        if given.len() > 1 {
            return Err(self.wrong(format_args!(
                "profile {name:?} has {}: keep one of them",
                given.join(" and ")
            )));
        }
        Ok(profile)
    }

    /// Sets a member of a profile, which is made if need be. The first profile is chosen to be the
    /// one. A secret takes the place of one that comes from elsewhere.
    pub(crate) fn set(&mut self, profile: &str, key: Setting, text: &str) -> Result<(), Failure> {
        check_name(profile)?;
        key.check(text)
            .map_err(|failure| Failure::usage(format!("{key}: {failure}")))?;
        if self.profile_names().is_empty() && !self.document.contains_key(DEFAULT_PROFILE) {
            self.document.insert(DEFAULT_PROFILE, value(profile));
        }
        let profiles = self.document.entry(PROFILES).or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        });
        let table = profiles
            .as_table_like_mut()
            .and_then(|profiles| {
                profiles
                    .entry(profile)
                    .or_insert_with(|| Item::Table(Table::new()))
                    .as_table_like_mut()
            })
            .ok_or_else(|| Failure::usage("the file's profiles are not tables"))?;
        if Setting::SECRETS.contains(&key) {
            for other in Setting::SECRETS.into_iter().filter(|other| *other != key) {
                table.remove(other.as_str());
            }
        }
        table.insert(key.as_str(), value(text));
        Ok(())
    }

    /// Takes a member out of a profile. False if it was not there.
    pub(crate) fn unset(&mut self, profile: &str, key: Setting) -> Result<bool, Failure> {
        self.profile(profile)?;
        let table = self
            .document
            .get_mut(PROFILES)
            .and_then(Item::as_table_like_mut)
            .and_then(|profiles| profiles.get_mut(profile))
            .and_then(Item::as_table_like_mut);
        Ok(table.is_some_and(|table| table.remove(key.as_str()).is_some()))
    }

    /// Chooses the profile that counts when none is named.
    pub(crate) fn choose(&mut self, profile: &str) -> Result<(), Failure> {
        self.profile(profile)?;
        self.document.insert(DEFAULT_PROFILE, value(profile));
        Ok(())
    }

    /// With comments and order as they were.
    fn write(&self, target: &Target) -> Result<(), Failure> {
        let text = Zeroizing::new(self.document.to_string());
        let readers = if allows_open_files() {
            Readers::OwnerIfNew
        } else {
            Readers::Owner
        };
        target.write(text.as_bytes(), readers)
    }
}

/// Whether an error says that there is no file. A folder that may not be looked into is that of
/// somebody else, such as root's home in a container with another user: nothing in it was meant for us.
fn is_absent(kind: io::ErrorKind, place: &Place) -> bool {
    match kind {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => true,
        io::ErrorKind::PermissionDenied => matches!(place, Place::Usual(_)),
        _ => false,
    }
}

/// Names that need no quotes, in the file or on the command line.
fn check_name(name: &str) -> Result<(), Failure> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name.chars().all(legal) {
        Ok(())
    } else {
        Err(Failure::usage(format!(
            "{name:?} cannot be the name of a profile: use letters, digits, _ and -"
        )))
    }
}

fn refuse_if_others_can_read(file: &File, path: &Path) -> Result<(), Failure> {
    let found = file.metadata();
    let found = found.map_err(|error| Failure::io(&path.display().to_string(), &error))?;
    match open_to_others(&found, path) {
        Some(line) => Err(Failure::usage(line)),
        None => Ok(()),
    }
}
