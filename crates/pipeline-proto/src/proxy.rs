//! Which proxy requests go through, with the feature `proxy`.
//!
//! The variables of the environment are read as curl reads them, by a function of their values, so that
//! both clients agree and nothing here asks the environment:
//!
//! - `http_proxy` counts for endpoints with `http`, `https_proxy` or `HTTPS_PROXY` for those with
//!   `https`, and `all_proxy` or `ALL_PROXY` where the specific one is not set. The first of two
//!   spellings wins, and an empty variable counts as not set.
//! - `HTTP_PROXY` does not count: whoever calls a CGI program can set it, by a header `Proxy`.
//! - `no_proxy` or `NO_PROXY` lists what is reached directly, separated by commas or blanks: `*`, hosts
//!   (`x.org`, which is also each host below it, as is `.x.org`; `*.x.org` is only those below),
//!   addresses, networks as in `10.0.0.0/8`, each host and address also with a port.
//! - A proxy is `[scheme://][user:password@]host[:port]`. The scheme is `http` unless another is
//!   written: `https` (TLS to the proxy itself), `socks5` (hosts are looked up here) or `socks5h` (the
//!   proxy looks them up). The port is 443 for `https` and 1080 for all others. User and password are
//!   percent-decoded.
//!
//! `*.x.org`, ports and bracketed addresses in `no_proxy` go beyond curl. A proxy that is named and
//! cannot be used is an error; requests never go directly instead.
//!
//! Every proxy is asked for a tunnel, also for endpoints with `http`, where curl would send it the
//! request itself: so a refusal of the proxy cannot be taken for one of the service, and nothing on the
//! way can change what was signed.
//!
//! ```
//! use pipeline_proto::proxy::{ProxySetting, Route};
//!
//! let variables = |name: &str| match name {
//!     "https_proxy" => Some("http://user:secret@proxy.test:3128".into()),
//!     "NO_PROXY" => Some("localhost, 10.0.0.0/8".into()),
//!     _ => None,
//! };
//! let endpoint = "https://pipeline.qiniu.com".parse()?;
//! let Route::Proxy(proxy) = ProxySetting::Environment.route(&endpoint, variables)? else {
//!     panic!("a variable names a proxy");
//! };
//! assert_eq!(proxy.to_string(), "http://proxy.test:3128");
//! assert_eq!(proxy.variable(), Some("https_proxy"));
//!
//! let endpoint = "https://10.1.2.3".parse()?;
//! let Route::Direct(why) = ProxySetting::Environment.route(&endpoint, variables)? else {
//!     panic!("the network is exempt");
//! };
//! assert_eq!(why.to_string(), "NO_PROXY has the entry 10.0.0.0/8");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod exempt;
mod handshake;
mod url;

pub use handshake::{Handshake, ProxyFailure};

use std::{ffi::OsString, fmt};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::{endpoint::Endpoint, word::words};

/// The variables that name a proxy.
pub const VARIABLES: [&str; 6] = [
    "http_proxy",
    "HTTP_PROXY",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
];

/// Where a client is told of its proxy.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum ProxySetting {
    /// The variables of the environment decide.
    #[default]
    Environment,
    /// No proxy, whatever the environment says.
    Off,
    /// This one for everything; may hold a password.
    Url(String),
}

impl ProxySetting {
    /// How an endpoint is reached. `variable` gives the value of a variable of the environment, as
    /// [`std::env::var_os`] does; it is asked only if the environment is to decide.
    ///
    /// # Errors
    ///
    /// If a proxy is named that cannot be used.
    pub fn route(
        &self,
        endpoint: &Endpoint,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Route, ProxyError> {
        match self {
            Self::Off => Ok(Route::Direct(Direct::Off)),
            Self::Url(url) => url::parse(url, Source::Setting).map(Route::Proxy),
            Self::Environment => from_environment(endpoint, variable),
        }
    }
}

impl fmt::Debug for ProxySetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment => "Environment",
            Self::Off => "Off",
            Self::Url(_) => "Url([hidden])",
        })
    }
}

/// How an endpoint is reached. Exhaustive: there is no third way but an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// Without a proxy.
    Direct(Direct),
    /// Through a tunnel of this proxy.
    Proxy(Proxy),
}

impl Route {
    /// The proxy, if there is one.
    pub fn proxy(&self) -> Option<&Proxy> {
        match self {
            Self::Proxy(proxy) => Some(proxy),
            Self::Direct(_) => None,
        }
    }
}

/// Why there is no proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Direct {
    /// No variable names one for this endpoint.
    NotSet,
    /// Only `HTTP_PROXY` does, which does not count.
    OnlyUpperCase,
    /// The endpoint is exempt.
    Exempt {
        /// `no_proxy` or `NO_PROXY`.
        variable: &'static str,
        /// The entry that fits, as it is written.
        entry: String,
    },
    /// It was switched off.
    Off,
}

impl fmt::Display for Direct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSet => f.write_str("no variable names a proxy for it"),
            Self::OnlyUpperCase => {
                f.write_str("HTTP_PROXY does not count, as it does not for curl: set http_proxy")
            }
            Self::Exempt { variable, entry } => write!(f, "{variable} has the entry {entry}"),
            Self::Off => f.write_str("it is switched off"),
        }
    }
}

/// A proxy that can be used. Shown without user and password.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    scheme: ProxyScheme,
    /// Without brackets.
    host: Box<str>,
    port: u16,
    credentials: Option<ProxyCredentials>,
    source: Source,
}

words! {
    /// What a proxy speaks, as in its address.
    #[non_exhaustive]
    pub enum ProxyScheme: "a scheme of a proxy" {
        /// HTTP with `CONNECT`.
        Http = "http",
        /// The same over TLS.
        Https = "https",
        /// SOCKS 5, told addresses.
        Socks5 = "socks5",
        /// SOCKS 5, told hosts.
        Socks5h = "socks5h",
    }
}

impl ProxyScheme {
    /// Those of curl.
    const fn default_port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http | Self::Socks5 | Self::Socks5h => 1080,
        }
    }
}

/// Where a proxy is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Variable(&'static str),
    Setting,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => f.write_str(name),
            Self::Setting => f.write_str("the proxy that was set"),
        }
    }
}

impl Proxy {
    /// What it speaks.
    pub fn scheme(&self) -> ProxyScheme {
        self.scheme
    }

    /// Its host, or its address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Who is to use it, if that is said.
    pub fn credentials(&self) -> Option<&ProxyCredentials> {
        self.credentials.as_ref()
    }

    /// The variable that names it, if one does.
    pub fn variable(&self) -> Option<&'static str> {
        match self.source {
            Source::Variable(name) => Some(name),
            Source::Setting => None,
        }
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            scheme, host, port, ..
        } = self;
        if host.contains(':') {
            write!(f, "{scheme}://[{host}]:{port}")
        } else {
            write!(f, "{scheme}://{host}:{port}")
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self} from {})", self.source)
    }
}

/// User and password for a proxy. Wiped when dropped, and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyCredentials {
    user: Zeroizing<Vec<u8>>,
    password: Zeroizing<Vec<u8>>,
}

impl ProxyCredentials {
    /// The user, percent-decoded.
    pub fn user(&self) -> &[u8] {
        &self.user
    }

    /// The password, percent-decoded; empty if none is written.
    pub fn password(&self) -> &[u8] {
        &self.password
    }

    /// In the form of RFC 7617, without the word `Basic`.
    fn basic(&self) -> Zeroizing<String> {
        let both = Zeroizing::new([self.user(), b":", self.password()].concat());
        Zeroizing::new(STANDARD.encode(&both[..]))
    }
}

impl fmt::Debug for ProxyCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProxyCredentials([hidden])")
    }
}

/// Why a proxy that is named cannot be used. Says where it is named, and never repeats its value, which
/// may hold a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyError {
    source: Source,
    reason: String,
}

impl ProxyError {
    fn new(source: Source, reason: impl Into<String>) -> Self {
        Self {
            source,
            reason: reason.into(),
        }
    }
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} cannot be used: {} (example: http://user:password@proxy.example.com:3128)",
            self.source, self.reason
        )
    }
}

impl std::error::Error for ProxyError {}

fn from_environment(
    endpoint: &Endpoint,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Route, ProxyError> {
    // curl takes an empty variable for one that is not set.
    let set = |name: &&str| variable(name).is_some_and(|value| !value.is_empty());
    let first = |names: &[&'static str]| -> Result<Option<(&'static str, String)>, ProxyError> {
        let Some(name) = names.iter().copied().find(set) else {
            return Ok(None);
        };
        let value = variable(name).unwrap_or_default().into_string();
        let value = value.map_err(|_| {
            ProxyError::new(Source::Variable(name), "its value is not valid Unicode")
        })?;
        Ok(Some((name, value)))
    };
    let names: &[_] = if endpoint.is_https() {
        &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
    } else if set(&"REQUEST_METHOD") && variable("HTTP_PROXY") == variable("http_proxy") {
        // A CGI program where names of variables have no case: this may be a header of its caller.
        &["all_proxy", "ALL_PROXY"]
    } else {
        &["http_proxy", "all_proxy", "ALL_PROXY"]
    };
    let Some((name, value)) = first(names)? else {
        let only_upper_case = !endpoint.is_https() && set(&"HTTP_PROXY");
        return Ok(Route::Direct(if only_upper_case {
            Direct::OnlyUpperCase
        } else {
            Direct::NotSet
        }));
    };
    if let Some((variable, list)) = first(&["no_proxy", "NO_PROXY"])?
        && let Some(entry) = exempt::find(&list, endpoint.host(), endpoint.port())
    {
        let entry = entry.to_owned();
        return Ok(Route::Direct(Direct::Exempt { variable, entry }));
    }
    let value = Zeroizing::new(value);
    url::parse(&value, Source::Variable(name)).map(Route::Proxy)
}
