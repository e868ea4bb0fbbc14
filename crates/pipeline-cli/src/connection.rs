//! From options and environment to a client: who is calling, where to, and how patiently.

use std::{env, path::PathBuf, time::Duration};

use pipeline_blocking::Client;
use pipeline_proto::{Auth, CallOptions, Credentials, Endpoint, RetryPolicy, Token};
use zeroize::Zeroizing;

use crate::{app::Global, exit::Exit, failure::Failure, input, interrupt, remote::Remote};

const ACCESS_KEY: &str = "PANDORA_ACCESS_KEY";
const SECRET_KEY: &str = "PANDORA_SECRET_KEY";
const TOKEN: &str = "PANDORA_TOKEN";
const ENDPOINT: &str = "PANDORA_ENDPOINT";
const CA_FILE: &str = "PANDORA_CA_FILE";

/// Longest time for a call unless the options say otherwise.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// A variable of the environment; an empty one counts as not set.
fn variable(name: &str) -> Result<Option<Zeroizing<String>>, Failure> {
    match env::var(name) {
        Ok(value) => Ok(Some(Zeroizing::new(value)).filter(|value| !value.is_empty())),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => {
            Err(Failure::usage(format!("{name} is not valid Unicode")))
        }
    }
}

/// A pair of keys as it was given. Wiped when dropped.
pub(crate) struct RawKeys {
    pub(crate) access_key: Zeroizing<String>,
    pub(crate) secret_key: Zeroizing<String>,
}

impl Global {
    /// Where the service is.
    pub(crate) fn endpoint(&self) -> Result<Endpoint, Failure> {
        if let Some(endpoint) = &self.endpoint {
            return Ok(endpoint.clone());
        }
        match variable(ENDPOINT)? {
            None => Ok(Endpoint::default()),
            Some(text) => text
                .parse()
                .map_err(|error| Failure::usage(format!("{ENDPOINT}: {error}"))),
        }
    }

    /// The keys as they were given, if there are any.
    pub(crate) fn raw_keys(&self) -> Result<Option<RawKeys>, Failure> {
        let access_key = match &self.access_key {
            Some(key) => Some(Zeroizing::new(key.clone())),
            None => variable(ACCESS_KEY)?,
        };
        let secret_key = match &self.secret_key_file {
            Some(path) => Some(input::read_secret(path)?),
            None => variable(SECRET_KEY)?,
        };
        let half = |there: &str, missing: &str, ways: String| {
            let line = format!("there is {there} but no {missing}: set {ways}");
            Err(Failure::new(Exit::Refused, line))
        };
        match (access_key, secret_key) {
            (Some(access_key), Some(secret_key)) => Ok(Some(RawKeys {
                access_key,
                secret_key,
            })),
            (Some(_), None) => half(
                "an access key",
                "secret key",
                format!("{SECRET_KEY} or give --secret-key-file"),
            ),
            (None, Some(_)) => half(
                "a secret key",
                "access key",
                format!("{ACCESS_KEY} or give --access-key"),
            ),
            (None, None) => Ok(None),
        }
    }

    /// The keys to sign with, if there are any.
    pub(crate) fn keys(&self) -> Result<Option<Credentials>, Failure> {
        let keys = self
            .raw_keys()?
            .map(|keys| Credentials::new(keys.access_key.as_str(), keys.secret_key.as_bytes()));
        keys.transpose().map_err(Failure::usage)
    }

    /// The keys to sign with.
    pub(crate) fn required_keys(&self) -> Result<Credentials, Failure> {
        self.keys()?.ok_or_else(|| {
            Failure::new(
                Exit::Refused,
                format!("no keys: set {ACCESS_KEY} and {SECRET_KEY}"),
            )
        })
    }

    /// The ready-made token, if there is one.
    pub(crate) fn token(&self) -> Result<Option<Token>, Failure> {
        let text = match &self.token_file {
            Some(path) => Some(input::read_secret(path)?),
            None => variable(TOKEN)?,
        };
        let token = text.map(|text| text.parse());
        token.transpose().map_err(Failure::usage)
    }

    /// Who is calling. Keys that were given as options come before a token of the environment.
    fn auth(&self) -> Result<Auth, Failure> {
        let keys_given = self.access_key.is_some() || self.secret_key_file.is_some();
        if !keys_given && let Some(token) = self.token()? {
            return Ok(token.into());
        }
        self.keys()?.map(Auth::from).ok_or_else(|| {
            Failure::new(
                Exit::Refused,
                format!(
                    "no credentials: set {ACCESS_KEY} and {SECRET_KEY} to use the service, \
                     or run `pipeline demo` to see everything without an account"
                ),
            )
        })
    }

    /// The service, ready to be called.
    pub(crate) fn remote(&self) -> Result<Remote, Failure> {
        interrupt::watch()?;
        let endpoint = self.endpoint()?;
        let timeout = self.timeout.unwrap_or(CALL_TIMEOUT);
        let retry = RetryPolicy::default().max_attempts(self.retries.saturating_add(1));
        let mut builder = Client::builder()
            .endpoint(endpoint.clone())
            .auth(self.auth()?)
            .retry(retry)
            .attempt_timeout(timeout)
            .total_timeout(timeout)
            .connect_timeout(self.connect_timeout)
            .user_agent(http::HeaderValue::from_static(concat!(
                "pipeline/",
                env!("CARGO_PKG_VERSION")
            )));
        if self.no_proxy || is_this_machine(&endpoint) {
            builder = builder.no_proxy();
        }
        if let Some(path) = self.ca_file() {
            let pem = input::read(&path)?;
            builder = builder.extra_root_certificates(pem);
        }
        let client = builder.build().map_err(Failure::usage)?;
        let mut options = CallOptions::new();
        if let Some(owner) = &self.resource_owner {
            options = options.resource_owner(owner.clone());
        }
        Ok(Remote::new(client, options, endpoint, self.timeout))
    }

    fn ca_file(&self) -> Option<PathBuf> {
        let variable = || env::var_os(CA_FILE).filter(|path| !path.is_empty());
        self.ca_file
            .clone()
            .or_else(|| variable().map(PathBuf::from))
    }
}

/// A proxy cannot reach the loopback of this machine, whatever the environment says.
fn is_this_machine(endpoint: &Endpoint) -> bool {
    let host = endpoint.host();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}
