//! Where each setting comes from: options, variables of the environment, a profile, or a default.

mod file;
mod identity;
mod key;
mod place;
mod process;
mod profile;

use std::{ffi::OsString, fmt, path::PathBuf};

use pipeline_blocking::shipping::exports::Service;
use pipeline_proto::{
    Endpoint, Region,
    resource::{logdb, tsdb},
};
use zeroize::Zeroizing;

use crate::{failure::Failure, file::read::trimmed, options::Global, variables::own_variable};

pub(crate) use file::ConfigFile;
pub(crate) use identity::{Given, Identity, no_credentials};
pub(crate) use key::RawKeys;
use key::{allows_open_files, open_to_others};
pub(crate) use place::Place;
pub(crate) use profile::{Profile, Setting};

pub(crate) const ACCESS_KEY: &str = "PANDORA_ACCESS_KEY";
pub(crate) const SECRET_KEY: &str = "PANDORA_SECRET_KEY";
const TOKEN: &str = "PANDORA_TOKEN";
const ENDPOINT: &str = "PANDORA_ENDPOINT";
const CA_FILE: &str = "PANDORA_CA_FILE";
/// The secret key of another account that an export writes to.
pub(crate) const EXPORT_SECRET_KEY: &str = "PANDORA_EXPORT_SECRET_KEY";
const LOGDB_ENDPOINT: &str = "PANDORA_LOGDB_ENDPOINT";
const TSDB_ENDPOINT: &str = "PANDORA_TSDB_ENDPOINT";
const PROFILE: &str = "PANDORA_PROFILE";
const CONFIG_FILE: &str = "PANDORA_CONFIG_FILE";
const ALLOW_OPEN_FILES: &str = "PANDORA_ALLOW_OPEN_FILES";

/// The region of a new workflow unless something else is said: the only one that the service's
/// documents show.
const REGION: &str = "nb";

/// The order, for help texts.
pub(crate) const PRECEDENCE: &str = "\
What counts, the first that is there:
  1. options, such as --endpoint
  2. the profile that --profile names
  3. variables of the environment, such as PANDORA_ENDPOINT
  4. the profile that PANDORA_PROFILE names, else the one chosen by `pipeline config use`
  5. the default
Access key and secret key are taken together: from options and variables, or from one profile.";

/// Where a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Option(&'static str),
    Variable(&'static str),
    Profile { name: String, key: Setting },
    Default,
}

impl Source {
    /// For people, in their language; `Display` is for data.
    pub(crate) fn shown(&self) -> String {
        let chinese = match self {
            Self::Option(name) => format!("选项 {name}"),
            Self::Variable(name) => format!("环境变量 {name}"),
            Self::Profile { name, key } => format!("配置 {name} 的 {key}"),
            Self::Default => "默认值".to_owned(),
        };
        crate::lang::pick(self.to_string(), chinese)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(name) => write!(f, "option {name}"),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::Profile { name, key } => write!(f, "{key} of profile {name}"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A setting and where it comes from.
#[derive(Debug, Clone)]
pub(crate) struct Sourced<T> {
    pub(crate) value: T,
    pub(crate) source: Source,
}

impl<T> Sourced<T> {
    fn parse<U>(self, parse: impl FnOnce(T) -> Result<U, Failure>) -> Result<Sourced<U>, Failure> {
        let value = parse(self.value).map_err(|failure| {
            Failure::new(
                failure.exit(),
                format!("{}: {failure}", self.source.shown()),
            )
        })?;
        Ok(Sourced {
            value,
            source: self.source,
        })
    }
}

/// A variable of the environment, without the line end or blanks that a file of variables may have
/// left around it; an empty one counts as not set.
fn variable(name: &'static str) -> Result<Option<Zeroizing<String>>, Failure> {
    match own_variable(name).map(OsString::into_string) {
        Some(Ok(value)) => {
            let value = Zeroizing::new(value);
            let value = Zeroizing::new(trimmed(&value).to_owned());
            Ok(Some(value).filter(|value| !value.is_empty()))
        }
        None => Ok(None),
        Some(Err(_)) => Err(Failure::usage(format!("{name} is not valid Unicode"))),
    }
}

/// The secret key of the account that an export writes to, if it is another one.
pub(crate) fn export_secret_key() -> Result<Option<Zeroizing<String>>, Failure> {
    variable(EXPORT_SECRET_KEY)
}

/// Where a service that exports write to is: as its variable says, or beside the vendor's own service. Beside another
/// one it is not known, and no keys are sent to where nobody asked for.
pub(crate) fn sister(service: Service, beside: &Endpoint) -> Result<Option<Endpoint>, Failure> {
    let (name, vendors) = match service {
        Service::Logdb => (LOGDB_ENDPOINT, logdb::ENDPOINT),
        Service::Tsdb => (TSDB_ENDPOINT, tsdb::ENDPOINT),
        _ => return Ok(None),
    };
    let is_vendors = [".qiniu.com", ".qiniuapi.com"]
        .iter()
        .any(|domain| beside.host().ends_with(domain));
    let text = match variable(name)? {
        Some(text) => text.to_string(),
        None if is_vendors => vendors.to_owned(),
        None => return Ok(None),
    };
    let wrong = |error| Failure::usage(format!("{name}: {error}"));
    text.parse().map(Some).map_err(wrong)
}

/// A variable with the name of a file, which need not be Unicode.
fn path_variable(name: &str) -> Option<PathBuf> {
    let path = match own_variable(name)?.into_string() {
        Ok(text) => trimmed(&text).into(),
        Err(name) => name,
    };
    Some(path.into()).filter(|path: &PathBuf| !path.as_os_str().is_empty())
}

/// All places that settings come from.
pub(crate) struct Settings<'a> {
    global: &'a Global,
    file: ConfigFile,
    profile: Option<Profile>,
    /// The profile was named by an option, and so comes before the environment.
    by_option: bool,
}

impl<'a> Settings<'a> {
    /// Reads the configuration file, if there is one.
    pub(crate) fn read(global: &'a Global) -> Result<Self, Failure> {
        let file = ConfigFile::read(Place::find())?;
        let name = Self::profile_name(global, &file)?;
        let profile = match name {
            None => None,
            Some(name) => Some(file.profile(&name.value).map_err(|failure| {
                Failure::new(
                    failure.exit(),
                    format!("{failure} ({})", name.source.shown()),
                )
            })?),
        };
        Ok(Self {
            global,
            file,
            profile,
            by_option: global.profile.is_some(),
        })
    }

    /// The profile that counts, if any.
    pub(crate) fn profile_name(
        global: &Global,
        file: &ConfigFile,
    ) -> Result<Option<Sourced<String>>, Failure> {
        if let Some(name) = &global.profile {
            return Ok(Some(Sourced {
                value: name.clone(),
                source: Source::Option("--profile"),
            }));
        }
        if let Some(name) = variable(PROFILE)? {
            return Ok(Some(Sourced {
                value: name.to_string(),
                source: Source::Variable(PROFILE),
            }));
        }
        Ok(file.default_profile()?.map(|name| Sourced {
            value: name,
            source: Source::Default,
        }))
    }

    pub(crate) fn global(&self) -> &'a Global {
        self.global
    }

    /// The configuration file, which need not exist.
    pub(crate) fn file(&self) -> &ConfigFile {
        &self.file
    }

    /// The profile that counts.
    pub(crate) fn profile(&self) -> Option<&Profile> {
        self.profile.as_ref()
    }

    fn of_profile(&self, key: Setting) -> Option<Sourced<Zeroizing<String>>> {
        let profile = self.profile.as_ref()?;
        let value = profile.get(key)?;
        Some(Sourced {
            value: Zeroizing::new(value.to_owned()),
            source: Source::Profile {
                name: profile.name().to_owned(),
                key,
            },
        })
    }

    /// The text of a setting that has a variable and a key in profiles.
    fn text(
        &self,
        name: &'static str,
        key: Setting,
    ) -> Result<Option<Sourced<Zeroizing<String>>>, Failure> {
        let of_profile = || self.of_profile(key);
        if self.by_option
            && let Some(found) = of_profile()
        {
            return Ok(Some(found));
        }
        let of_environment = variable(name)?.map(|value| Sourced {
            value,
            source: Source::Variable(name),
        });
        Ok(of_environment.or_else(of_profile))
    }

    /// Where the service is.
    pub(crate) fn endpoint(&self) -> Result<Sourced<Endpoint>, Failure> {
        if let Some(endpoint) = &self.global.endpoint {
            return Ok(Sourced {
                value: endpoint.clone(),
                source: Source::Option("--endpoint"),
            });
        }
        match self.text(ENDPOINT, Setting::Endpoint)? {
            Some(text) => text.parse(|text| text.parse().map_err(Failure::usage)),
            None => Ok(Sourced {
                value: Endpoint::default(),
                source: Source::Default,
            }),
        }
    }

    /// The region of a new workflow, unless its command says otherwise.
    pub(crate) fn region(&self) -> Result<Sourced<Region>, Failure> {
        let text = self.of_profile(Setting::Region).unwrap_or_else(|| Sourced {
            value: Zeroizing::new(REGION.to_owned()),
            source: Source::Default,
        });
        text.parse(|text| text.parse().map_err(Failure::usage))
    }

    /// File with further certificates to trust.
    pub(crate) fn ca_file(&self) -> Result<Option<Sourced<PathBuf>>, Failure> {
        if let Some(path) = &self.global.ca_file {
            return Ok(Some(Sourced {
                value: path.clone(),
                source: Source::Option("--ca-file"),
            }));
        }
        let of_profile = || {
            let text = self.of_profile(Setting::CaFile);
            text.map(|text| text.parse(|text| profile::absolute(text.as_str().as_ref())))
                .transpose()
        };
        if self.by_option
            && let Some(found) = of_profile()?
        {
            return Ok(Some(found));
        }
        match path_variable(CA_FILE) {
            Some(value) => {
                let source = Source::Variable(CA_FILE);
                Sourced { value, source }
                    .parse(|path| profile::absolute(&path))
                    .map(Some)
            }
            None => of_profile(),
        }
    }
}
