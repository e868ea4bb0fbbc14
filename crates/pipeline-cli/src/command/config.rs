//! `pipeline config …`.

use std::{io::IsTerminal as _, path::Path};

use clap::{Args, Subcommand};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{
    exit::Exit,
    failure::Failure,
    file::read,
    options::Global,
    output::{self, Cell, Show, Table, note},
    settings::{ConfigFile, Identity, PRECEDENCE, Place, Profile, Setting, Settings, Source},
};

/// Keep endpoints and keys in profiles, and see which settings count
#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, after_help = PRECEDENCE)]
pub(crate) enum Config {
    Set(Set),
    Unset(Unset),
    Get(Get),
    List(List),
    Use(Use),
    Explain(Explain),
}

impl Config {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        match self {
            Self::Set(command) => command.run(global),
            Self::Unset(command) => command.run(global),
            Self::Get(command) => command.run(global),
            Self::List(command) => command.run(global),
            Self::Use(command) => command.run(global),
            Self::Explain(command) => command.run(global),
        }
    }
}

/// The profile that is called so unless there is another.
const FIRST_PROFILE: &str = "default";

fn read() -> Result<ConfigFile, Failure> {
    ConfigFile::read(Place::find())
}

/// The profile that a change is for.
fn profile_name(global: &Global, file: &ConfigFile) -> Result<String, Failure> {
    let name = Settings::profile_name(global, file)?;
    Ok(name.map_or_else(|| FIRST_PROFILE.to_owned(), |name| name.value))
}

/// Set a member of a profile, which is made if need be
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline config set access_key AK
  pipeline config set secret_key                      # asks, or reads stdin
  pipeline config set secret_key_file '~/.secrets/pandora' --profile work
  pipeline config set credential_process 'pass show pandora-as-json' --profile work
  pipeline config set endpoint http://127.0.0.1:8080 --profile local

Without --profile it is the chosen profile, or `default`. A secret key is not taken as an argument, \
where others could see it. A credential_process is run by the shell and writes a JSON object with \
access_key and secret_key, or with token, to stdout.")]
pub(crate) struct Set {
    /// One of endpoint, region, access_key, secret_key, secret_key_file, credential_process, ca_file
    key: Setting,

    /// Its new value
    #[arg(allow_hyphen_values = true)]
    value: Option<String>,
}

impl Set {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        let Self { key, value } = self;
        let value = match (key, value) {
            (Setting::SecretKey, Some(_)) => {
                return Err(Failure::usage(
                    "a secret key is not taken as an argument, where others could see it: leave it out to be \
                     asked, or write it to stdin",
                ));
            }
            (Setting::SecretKey, None) => secret()?,
            (_, Some(value)) => Zeroizing::new(value),
            (key, None) => return Err(Failure::usage(format!("the value of {key} is missing"))),
        };
        let (file, profile) = ConfigFile::edit(|file| {
            let profile = profile_name(global, file)?;
            file.set(&profile, key, &value)?;
            Ok(profile)
        })?;
        note(format_args!(
            "{key} of profile {profile} is set in {}",
            file.place()
        ));
        Ok(Exit::Done)
    }
}

/// Asks for a secret without showing it, or reads stdin if that is no terminal.
fn secret() -> Result<Zeroizing<String>, Failure> {
    if std::io::stdin().is_terminal() {
        let secret = rpassword::prompt_password("Secret key (is not shown): ")
            .map_err(|error| Failure::io("the terminal", &error))?;
        return Ok(Zeroizing::new(secret));
    }
    read::secret(Path::new("-"))
}

/// Take a member out of a profile
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline config unset endpoint
  pipeline config unset ca_file --profile work")]
pub(crate) struct Unset {
    /// One of endpoint, region, access_key, secret_key, secret_key_file, credential_process, ca_file
    key: Setting,
}

impl Unset {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        let key = self.key;
        let (_, profile) = ConfigFile::edit(|file| {
            let profile = profile_name(global, file)?;
            if file.unset(&profile, key)? {
                Ok(profile)
            } else {
                Err(not_set(&profile, key))
            }
        })?;
        note(format_args!("{key} of profile {profile} is gone"));
        Ok(Exit::Done)
    }
}

fn not_set(profile: &str, key: Setting) -> Failure {
    let line = format!("profile {profile} has no {key}");
    Failure::new(Exit::NotFound, line)
}

/// Print a member of a profile
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline config get endpoint
  pipeline config get access_key --profile work

A secret key is not printed.")]
pub(crate) struct Get {
    /// One of endpoint, region, access_key, secret_key_file, credential_process, ca_file
    key: Setting,
}

impl Get {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        let key = self.key;
        let file = read()?;
        let profile = file.profile(&profile_name(global, &file)?)?;
        let value = profile
            .get(key)
            .ok_or_else(|| not_set(profile.name(), key))?;
        if key == Setting::SecretKey {
            return Err(Failure::usage(format!(
                "secret_key is set and is not printed; it stands in {}",
                file.place()
            )));
        }
        global.format().write(&Member {
            profile: profile.name(),
            key: key.as_str(),
            value,
        })?;
        Ok(Exit::Done)
    }
}

#[derive(Serialize)]
struct Member<'a> {
    profile: &'a str,
    key: &'a str,
    value: &'a str,
}

impl Show for Member<'_> {
    fn names(&self) -> Vec<&str> {
        vec![self.value]
    }

    fn table(&self) -> String {
        format!("{}\n", output::plain(self.value))
    }
}

/// List the profiles
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline config list
  pipeline config list -o json")]
pub(crate) struct List {}

impl List {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        let Self {} = self;
        let file = read()?;
        let chosen = Settings::profile_name(global, &file)?.map(|name| name.value);
        let profiles = file.profile_names();
        let profiles: Vec<Profile> = profiles
            .iter()
            .map(|name| file.profile(name))
            .collect::<Result<_, _>>()?;
        if profiles.is_empty() {
            note(format_args!(
                "there are no profiles in {}; make one with: pipeline config set access_key AK",
                file.place()
            ));
        }
        let lines = profiles.iter().map(|profile| ProfileLine {
            name: profile.name(),
            chosen: chosen.as_deref() == Some(profile.name()),
            endpoint: profile.get(Setting::Endpoint),
            region: profile.get(Setting::Region),
            access_key: profile.get(Setting::AccessKey),
            secret: profile.given(Setting::SECRETS).next().map(Setting::as_str),
        });
        global.format().write(&Profiles(lines.collect()))?;
        Ok(Exit::Done)
    }
}

#[derive(Serialize)]
struct ProfileLine<'a> {
    name: &'a str,
    chosen: bool,
    endpoint: Option<&'a str>,
    region: Option<&'a str>,
    access_key: Option<&'a str>,
    /// The member that the secret comes from.
    secret: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(transparent)]
struct Profiles<'a>(Vec<ProfileLine<'a>>);

impl Show for Profiles<'_> {
    fn names(&self) -> Vec<&str> {
        self.0.iter().map(|profile| profile.name).collect()
    }

    fn table(&self) -> String {
        let headings = [
            "",
            "NAME",
            "ENDPOINT",
            "REGION",
            "ACCESS KEY",
            "SECRET FROM",
        ];
        let mut table = Table::new(&headings);
        for profile in &self.0 {
            let or_dash = |text: Option<&str>| Cell::or_dash(text.unwrap_or_default());
            table.row([
                Cell::new(if profile.chosen { "*" } else { "" }),
                Cell::from(profile.name),
                or_dash(profile.endpoint),
                or_dash(profile.region),
                or_dash(profile.access_key),
                or_dash(profile.secret),
            ]);
        }
        if table.is_empty() {
            String::new()
        } else {
            table.render()
        }
    }
}

/// Choose the profile that counts when none is named
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline config use work")]
pub(crate) struct Use {
    /// Name of the profile
    #[arg(value_name = "PROFILE")]
    name: String,
}

impl Use {
    fn run(self, _: &Global) -> Result<Exit, Failure> {
        ConfigFile::edit(|file| file.choose(&self.name))?;
        note(format_args!("profile {} counts from now on", self.name));
        Ok(Exit::Done)
    }
}

/// Show which settings count, and where each comes from
#[derive(Debug, Args)]
#[command(after_help = format!("\
Examples:
  pipeline config explain
  pipeline config explain --profile work

Nothing is sent, no program is run, and no secret is printed.

{PRECEDENCE}"))]
pub(crate) struct Explain {}

impl Explain {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        let Self {} = self;
        let settings = Settings::read(global)?;
        global.format().write(&explanation(&settings)?)?;
        Ok(Exit::Done)
    }
}

/// What counts, and why. Also for `pipeline doctor`.
pub(super) fn explanation(settings: &Settings<'_>) -> Result<Explanation, Failure> {
    let mut lines = Vec::new();
    let mut add = |setting: &'static str, value: Option<String>, source: Option<&Source>| {
        lines.push(Line {
            setting,
            value,
            source: source.map(ToString::to_string),
        });
    };
    let endpoint = settings.endpoint()?;
    add(
        "endpoint",
        Some(endpoint.value.to_string()),
        Some(&endpoint.source),
    );
    let region = settings.region()?;
    add(
        "region",
        Some(region.value.to_string()),
        Some(&region.source),
    );
    match settings.identity()? {
        Identity::Token(source) => add("token", Some("(hidden)".to_owned()), Some(&source)),
        Identity::Keys(access_key, secret_key) => {
            let shown = settings.access_key_text()?;
            add("access_key", shown, access_key.as_ref());
            let hidden = secret_key.as_ref().map(|_| "(hidden)".to_owned());
            add("secret_key", hidden, secret_key.as_ref());
        }
        Identity::Nobody => {
            add("access_key", None, None);
            add("secret_key", None, None);
        }
    }
    let ca_file = settings.ca_file()?;
    if let Some(ca_file) = &ca_file {
        let path = ca_file.value.display().to_string();
        add("ca_file", Some(path), Some(&ca_file.source));
    }
    let (value, source) = match settings.global().proxy(&endpoint.value) {
        Ok(Ok(proxy)) => {
            let variable = proxy.variable().unwrap_or_default();
            (Some(proxy.to_string()), format!("variable {variable}"))
        }
        Ok(Err(why)) => (None, why),
        Err(error) => (Some("(cannot be used)".to_owned()), error.to_string()),
    };
    lines.push(Line {
        setting: "proxy",
        value,
        source: Some(source),
    });
    let place = settings.file().place();
    Ok(Explanation {
        file: place.path().map(|path| path.display().to_string()),
        file_exists: place.path().is_some_and(Path::exists),
        profile: settings.profile().map(|profile| profile.name().to_owned()),
        settings: lines,
    })
}

#[derive(Serialize)]
pub(super) struct Explanation {
    file: Option<String>,
    file_exists: bool,
    profile: Option<String>,
    settings: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    setting: &'static str,
    value: Option<String>,
    source: Option<String>,
}

impl Show for Explanation {
    fn names(&self) -> Vec<&str> {
        self.settings.iter().map(|line| line.setting).collect()
    }

    fn table(&self) -> String {
        let mut facts = Table::of_pairs();
        let missing = if self.file_exists {
            ""
        } else {
            " (does not exist)"
        };
        let file = self.file.as_deref().unwrap_or("no home folder");
        facts.pair("File", Cell::from(format!("{file}{missing}")));
        facts.pair(
            "Profile",
            Cell::or_dash(self.profile.as_deref().unwrap_or_default()),
        );
        let mut table = Table::new(&["SETTING", "VALUE", "FROM"]);
        for line in &self.settings {
            table.row([
                Cell::from(line.setting),
                Cell::or_dash(line.value.as_deref().unwrap_or_default()),
                Cell::or_dash(line.source.as_deref().unwrap_or("not set")),
            ]);
        }
        format!("{}\n{}", facts.render(), table.render())
    }
}
