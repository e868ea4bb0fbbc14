//! Who is calling: whose keys, or which token.

use pipeline_proto::Token;
use zeroize::Zeroizing;

use super::{
    ACCESS_KEY, RawKeys, SECRET_KEY, Setting, Settings, Source, TOKEN, key, process, profile,
    variable,
};
use crate::{exit::Exit, failure::Failure};

/// Who is calling, before anything is read that may be slow or secret.
#[derive(Debug)]
pub(crate) enum Identity {
    Token(Source),
    /// Sources of the access key and of the secret key; either may be missing.
    Keys(Option<Source>, Option<Source>),
    Nobody,
}

impl Settings<'_> {
    /// Whether the profile has anything to say about who is calling.
    fn profile_identifies(&self) -> bool {
        let profile = self.profile.as_ref();
        profile.is_some_and(|it| it.given(Setting::IDENTITY).next().is_some())
    }

    /// Who is calling, without reading a file, running a program or looking at a secret.
    pub(crate) fn identity(&self) -> Result<Identity, Failure> {
        let global = self.global;
        if global.token_file.is_some() {
            return Ok(Identity::Token(Source::Option("--token-file")));
        }
        if !global.gives_keys() {
            if self.by_option && self.profile_identifies() {
                return Ok(self.identity_of_profile());
            }
            if variable(TOKEN)?.is_some() {
                return Ok(Identity::Token(Source::Variable(TOKEN)));
            }
        }
        self.identity_of_keys()
    }

    /// Whose keys there are, whatever token there is as well.
    fn identity_of_keys(&self) -> Result<Identity, Failure> {
        let global = self.global;
        if self.by_option && !global.gives_keys() && self.profile_identifies() {
            return Ok(self.identity_of_profile());
        }
        let access_key = match global.access_key {
            Some(_) => Some(Source::Option("--access-key")),
            None => variable(ACCESS_KEY)?.map(|_| Source::Variable(ACCESS_KEY)),
        };
        let secret_key = match global.secret_key_file {
            Some(_) => Some(Source::Option("--secret-key-file")),
            None => variable(SECRET_KEY)?.map(|_| Source::Variable(SECRET_KEY)),
        };
        if access_key.is_some() || secret_key.is_some() {
            return Ok(Identity::Keys(access_key, secret_key));
        }
        if self.profile_identifies() {
            return Ok(self.identity_of_profile());
        }
        Ok(Identity::Nobody)
    }

    fn identity_of_profile(&self) -> Identity {
        let source = |key| self.of_profile(key).map(|found| found.source);
        let process = source(Setting::CredentialProcess);
        let secret_key = source(Setting::SecretKey).or_else(|| source(Setting::SecretKeyFile));
        Identity::Keys(
            source(Setting::AccessKey).or_else(|| process.clone()),
            secret_key.or(process),
        )
    }

    /// The access key, unless a program would have to be asked for it. It is no secret.
    pub(crate) fn access_key_text(&self) -> Result<Option<String>, Failure> {
        let Identity::Keys(Some(source), _) = self.identity()? else {
            return Ok(None);
        };
        let key = match source {
            Source::Option(_) => self.global.access_key.clone(),
            Source::Variable(name) => variable(name)?.map(|text| text.to_string()),
            Source::Profile { .. } => self
                .of_profile(Setting::AccessKey)
                .map(|found| found.value.to_string()),
            Source::Default => None,
        };
        Ok(key)
    }

    /// The keys as they were given, if there are any.
    pub(crate) fn raw_keys(&self) -> Result<Option<RawKeys>, Failure> {
        match self.given(self.identity_of_keys()?)? {
            Some(Given::Keys(keys)) => Ok(Some(keys)),
            _ => Ok(None),
        }
    }

    /// The ready-made token, if there is one.
    pub(crate) fn token(&self) -> Result<Option<Token>, Failure> {
        let source = if self.global.token_file.is_some() {
            Source::Option("--token-file")
        } else {
            Source::Variable(TOKEN)
        };
        match self.given(Identity::Token(source))? {
            Some(Given::Token(token)) => Ok(Some(token)),
            _ => Ok(None),
        }
    }

    /// Who is calling.
    pub(crate) fn keys_or_token(&self) -> Result<Option<Given>, Failure> {
        self.given(self.identity()?)
    }

    /// Reads what an identity stands for.
    fn given(&self, identity: Identity) -> Result<Option<Given>, Failure> {
        let parse = |text: Zeroizing<String>| {
            let token = text.parse().map_err(Failure::usage)?;
            Ok(Some(Given::Token(token)))
        };
        match identity {
            Identity::Nobody => Ok(None),
            Identity::Token(Source::Variable(name)) => match variable(name)? {
                Some(text) => parse(text),
                None => Ok(None),
            },
            Identity::Token(_) => match &self.global.token_file {
                Some(path) => parse(key::read_file(path)?),
                None => Ok(None),
            },
            Identity::Keys(access_key, secret_key) => self.keys(access_key, secret_key).map(Some),
        }
    }

    fn keys(
        &self,
        access_key: Option<Source>,
        secret_key: Option<Source>,
    ) -> Result<Given, Failure> {
        let ways = |in_profile: &[Option<&Source>], option: &str, name: &str, key: Setting| {
            let profile = in_profile.iter().flatten().find_map(|source| match source {
                Source::Profile { name, .. } => Some(name),
                _ => None,
            });
            profile.map_or_else(
                || format!("set {name} or give {option}"),
                |profile| format!("give it with: pipeline config set {key} --profile {profile}"),
            )
        };
        let half = |there: &str, missing: &str, ways: String| {
            let line = format!("there is {there} but no {missing}: {ways}");
            Err(Failure::new(Exit::Refused, line))
        };
        let (access_key, secret_key) = match (access_key, secret_key) {
            (Some(access_key), Some(secret_key)) => (access_key, secret_key),
            (there, None) => {
                let ways = ways(
                    &[there.as_ref()],
                    "--secret-key-file",
                    SECRET_KEY,
                    Setting::SecretKey,
                );
                return half("an access key", "secret key", ways);
            }
            (None, there) => {
                let ways = ways(
                    &[there.as_ref()],
                    "--access-key",
                    ACCESS_KEY,
                    Setting::AccessKey,
                );
                return half("a secret key", "access key", ways);
            }
        };
        if let Source::Profile {
            key: Setting::CredentialProcess,
            ..
        } = secret_key
        {
            let command = self.required(Setting::CredentialProcess)?;
            let known = self.of_profile(Setting::AccessKey).map(|found| found.value);
            return process::run(&command, known).map_err(|failure| {
                Failure::new(failure.exit(), format!("{}: {failure}", secret_key.shown()))
            });
        }
        let from = [access_key.shown(), secret_key.shown()];
        let access_key = match access_key {
            Source::Option(_) => self.global.access_key.clone().map(Zeroizing::new),
            Source::Variable(name) => variable(name)?,
            Source::Profile { key, .. } => Some(self.required(key)?),
            Source::Default => None,
        };
        let secret_key = match secret_key {
            Source::Option(_) => match &self.global.secret_key_file {
                Some(path) => Some(key::read_file(path)?),
                None => None,
            },
            Source::Variable(name) => variable(name)?,
            Source::Profile {
                key: Setting::SecretKeyFile,
                ..
            } => {
                let path =
                    profile::absolute(self.required(Setting::SecretKeyFile)?.as_str().as_ref())?;
                Some(key::read_file(&path)?)
            }
            Source::Profile { key, .. } => Some(self.required(key)?),
            Source::Default => None,
        };
        match (access_key, secret_key) {
            (Some(access_key), Some(secret_key)) => {
                RawKeys::new((&access_key, &from[0]), (&secret_key, &from[1])).map(Given::Keys)
            }
            // The environment has changed since it was looked at.
            _ => Err(no_credentials()),
        }
    }

    fn required(&self, key: Setting) -> Result<Zeroizing<String>, Failure> {
        self.of_profile(key)
            .map(|found| found.value)
            .ok_or_else(no_credentials)
    }
}

/// What a caller shows.
pub(crate) enum Given {
    Keys(RawKeys),
    Token(Token),
}

/// There is nothing to call the service with.
pub(crate) fn no_credentials() -> Failure {
    let line = crate::lang::pick(
        format!(
            "no credentials: set {ACCESS_KEY} and {SECRET_KEY} or make a profile with `pipeline config set` \
             to use the service, or run `pipeline demo` to see everything without an account"
        ),
        format!(
            "没有凭证：请设置 {ACCESS_KEY} 和 {SECRET_KEY}，或用 `pipeline config set` 建立配置；\
             没有账号也可以运行 `pipeline demo` 体验全部功能"
        ),
    );
    Failure::new(Exit::Refused, line)
}
