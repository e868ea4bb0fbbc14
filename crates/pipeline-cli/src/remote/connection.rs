//! From settings to a client: who is calling, where to, and how patiently.

use std::time::Duration;

use pipeline_blocking::Client;
use pipeline_proto::{
    Auth, CallOptions, Context, Credentials, Endpoint, RetryPolicy, Token,
    observe::{Event, Observed},
    proxy::{Direct, Proxy, ProxyError, ProxySetting, Route},
};

use super::{
    Link, Remote,
    wire::{self, Recorder, Replay},
};
use crate::{
    exit::Exit,
    failure::Failure,
    file::read,
    lang::{self, pick},
    options::Global,
    settings::{ACCESS_KEY, Given, RawKeys, SECRET_KEY, Settings, no_credentials},
    signals,
};

/// Longest time for a call unless the options say otherwise.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// What it means to send what keys have signed, or a token, over plain http to another machine.
pub(crate) const EXPOSED: &str =
    "requests go unencrypted to another machine; whoever is on the way can read and repeat them";
pub(crate) const EXPOSED_ZH: &str = "请求以明文发往另一台机器，途中任何人都能读取和重放";

/// The settings that a client and a bare context have in common.
macro_rules! common {
    ($builder:expr, $plan:expr) => {{
        let builder = $builder
            .endpoint($plan.endpoint.clone())
            .auth($plan.auth.clone())
            .retry($plan.retry.clone())
            .attempt_timeout($plan.timeout)
            .total_timeout($plan.timeout)
            .max_response_size($plan.max_response_size);
        match $plan.correct_clock {
            Some(limit) => builder.correct_clock(true).max_clock_correction(limit),
            None => builder,
        }
    }};
}

/// How calls are made.
struct Plan {
    endpoint: Endpoint,
    auth: Auth,
    retry: RetryPolicy,
    timeout: Duration,
    correct_clock: Option<Duration>,
    max_response_size: usize,
}

/// What is special about a connection.
#[derive(Default)]
pub(crate) struct Special {
    /// To another service, with the keys of this one.
    pub(crate) endpoint: Option<Endpoint>,
    /// One attempt only.
    pub(crate) once: bool,
    /// Is told of each call.
    pub(crate) observer: Option<Box<Observe>>,
}

type Observe = dyn Fn(&Observed, &Event<'_>) + Send + Sync;

impl Global {
    pub(crate) fn endpoint(&self) -> Result<Endpoint, Failure> {
        Ok(Settings::read(self)?.endpoint()?.value)
    }

    /// The keys as they were given, if there are any.
    pub(crate) fn raw_keys(&self) -> Result<Option<RawKeys>, Failure> {
        Settings::read(self)?.raw_keys()
    }

    /// The keys to sign with, if there are any.
    pub(crate) fn keys(&self) -> Result<Option<Credentials>, Failure> {
        self.raw_keys()?.map(|keys| credentials(&keys)).transpose()
    }

    /// The keys to sign with.
    pub(crate) fn required_keys(&self) -> Result<Credentials, Failure> {
        self.keys()?.ok_or_else(|| {
            Failure::new(
                Exit::Refused,
                format!(
                    "no keys: set {ACCESS_KEY} and {SECRET_KEY}, or make a profile with `pipeline config set`"
                ),
            )
        })
    }

    /// The ready-made token, if there is one.
    pub(crate) fn token(&self) -> Result<Option<Token>, Failure> {
        Settings::read(self)?.token()
    }

    /// The service, ready to be called.
    pub(crate) fn remote(&self) -> Result<Remote, Failure> {
        self.remote_at(None)
    }

    /// The service, or another one.
    pub(crate) fn remote_at(&self, endpoint: Option<Endpoint>) -> Result<Remote, Failure> {
        let settings = Settings::read(self)?;
        let given = settings.keys_or_token()?;
        let special = Special {
            endpoint,
            ..Special::default()
        };
        let remote = self.remote_with(&settings, given, special)?;
        if self.replay.is_none() && remote.endpoint().is_exposed() {
            let warning = lang::pick(
                format!("warning: {}: {EXPOSED}", remote.endpoint()),
                format!("警告：{}：{EXPOSED_ZH}", remote.endpoint()),
            );
            anstream::eprintln!("{warning}");
        }
        Ok(remote)
    }

    /// The service, ready to be called by this caller in a special way.
    pub(crate) fn remote_with(
        &self,
        settings: &Settings<'_>,
        given: Option<Given>,
        special: Special,
    ) -> Result<Remote, Failure> {
        signals::watch()?;
        let attempts = if special.once {
            1
        } else {
            self.retries.saturating_add(1)
        };
        let auth = match given {
            Some(Given::Keys(keys)) => credentials(&keys)?.into(),
            Some(Given::Token(token)) => token.into(),
            // Nothing of it leaves this machine.
            None if self.replay.is_some() => Credentials::new("replay", "replay")
                .map_err(Failure::usage)?
                .into(),
            None => return Err(no_credentials()),
        };
        let plan = Plan {
            endpoint: match &special.endpoint {
                Some(endpoint) => endpoint.clone(),
                None => settings.endpoint()?.value,
            },
            auth,
            retry: RetryPolicy::default().max_attempts(attempts),
            timeout: self.timeout.unwrap_or(CALL_TIMEOUT),
            correct_clock: self.correct_clock,
            max_response_size: self.max_response_size,
        };
        let link = match &self.replay {
            Some(path) => Link::Replay(self.replay(path, &plan, special)?),
            None => Link::Service(self.client(settings, &plan, special)?),
        };
        let mut options = CallOptions::new();
        if let Some(owner) = &self.resource_owner {
            options = options.resource_owner(owner.clone());
        }
        Ok(Remote::new(link, options, plan.endpoint, self.timeout))
    }

    /// A proxy cannot reach the loopback of this machine, whatever the environment says.
    fn uses_no_proxy(&self, endpoint: &Endpoint) -> bool {
        self.no_proxy || endpoint.is_loopback()
    }

    /// The proxy that the endpoint is reached by, as the client finds it, or why there is none.
    pub(crate) fn proxy(&self, endpoint: &Endpoint) -> Result<Result<Proxy, String>, ProxyError> {
        if self.uses_no_proxy(endpoint) {
            let why = if self.no_proxy {
                pick("option --no-proxy", "选项 --no-proxy")
            } else {
                pick("the endpoint is this machine", "服务地址就是本机")
            };
            return Ok(Err(why.to_owned()));
        }
        let route = ProxySetting::Environment.route(endpoint, crate::variables::own_variable)?;
        Ok(match route {
            Route::Proxy(proxy) => Ok(proxy),
            Route::Direct(why) => Err(match &why {
                Direct::NotSet => pick(why.to_string(), "没有环境变量为它指定代理".to_owned()),
                Direct::OnlyUpperCase => pick(
                    why.to_string(),
                    "HTTP_PROXY 不起作用（与 curl 相同）：请设置 http_proxy".to_owned(),
                ),
                Direct::Exempt { variable, entry } => {
                    pick(why.to_string(), format!("{variable} 中有 {entry}"))
                }
                other => other.to_string(),
            }),
        })
    }

    fn client(
        &self,
        settings: &Settings<'_>,
        plan: &Plan,
        special: Special,
    ) -> Result<Client, Failure> {
        let user_agent = concat!("pipeline/", env!("CARGO_PKG_VERSION"));
        let mut builder = common!(Client::builder(), plan)
            .connect_timeout(self.connect_timeout)
            .user_agent(http::HeaderValue::from_static(user_agent));
        if self.uses_no_proxy(&plan.endpoint) {
            builder = builder.no_proxy();
        }
        if let Some(path) = settings.ca_file()? {
            let certificates = read::bytes(&path.value)?;
            pipeline_transport::check(&certificates).map_err(|error| {
                let (path, source) = (path.value.display(), path.source.shown());
                Failure::usage(format!("{path} ({source}): {error}"))
            })?;
            builder = builder.extra_root_certificates(certificates);
        }
        if self.debug_http {
            builder = builder.observer(wire::show);
        }
        if let Some(path) = &self.record {
            let recorder = Recorder::create(path, self.yes)?;
            builder = builder.observer(move |call, event| recorder.observe(call, event));
        }
        if let Some(observe) = special.observer {
            builder = builder.observer(observe);
        }
        builder.build().map_err(Failure::usage)
    }

    fn replay(
        &self,
        path: &std::path::Path,
        plan: &Plan,
        special: Special,
    ) -> Result<Replay, Failure> {
        let mut builder = common!(Context::builder(), plan);
        if self.debug_http {
            builder = builder.observer(wire::show);
        }
        if let Some(observe) = special.observer {
            builder = builder.observer(observe);
        }
        Replay::read(path, builder.build())
    }
}

fn credentials(keys: &RawKeys) -> Result<Credentials, Failure> {
    Credentials::new(keys.access_key.as_str(), keys.secret_key.as_bytes()).map_err(Failure::usage)
}
