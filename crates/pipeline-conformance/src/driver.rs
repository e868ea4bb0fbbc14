use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use pipeline_proto::{
    Auth, CallOptions, Cause, Context, Credentials, Effect, Endpoint, Error, Operation,
    RetryPolicy,
    observe::{Event, Observed},
    wait::{Goal, Observation, WaitError, WaitOptions, Watch},
};

/// A client, whichever it is. The suite is written once against this.
pub trait Driver: Sized {
    /// A client for this address, with keys `ak` and `sk` unless the settings say otherwise.
    ///
    /// # Panics
    ///
    /// If the client cannot be made; this is for tests.
    fn new(url: &str, settings: impl FnOnce(Settings) -> Settings) -> Self;

    /// Sends an operation with other options.
    ///
    /// # Errors
    ///
    /// As the client.
    fn send_with<O: Operation>(
        &self,
        operation: O,
        options: CallOptions,
    ) -> Result<O::Output, Error>;

    /// Sends an operation.
    ///
    /// # Errors
    ///
    /// As the client.
    fn send<O: Operation>(&self, operation: O) -> Result<O::Output, Error> {
        self.send_with(operation, CallOptions::new())
    }

    /// Waits for whatever can be watched, and starts or stops it first if `acts` says so.
    ///
    /// # Errors
    ///
    /// As the client.
    fn wait_for<W: Watch>(
        &self,
        watched: W,
        goal: Goal,
        acts: bool,
        options: WaitOptions,
    ) -> Result<Observation<W>, WaitError>;

    /// Waits for whatever can be watched.
    ///
    /// # Errors
    ///
    /// As the client.
    fn wait<W: Watch>(
        &self,
        watched: W,
        goal: Goal,
        options: WaitOptions,
    ) -> Result<Observation<W>, WaitError> {
        self.wait_for(watched, goal, false, options)
    }

    /// Starts or stops, and waits.
    ///
    /// # Errors
    ///
    /// As the client.
    fn ensure<W: Watch>(
        &self,
        watched: &W,
        goal: Goal,
        options: WaitOptions,
    ) -> Result<Observation<W>, WaitError> {
        self.wait_for(watched.clone(), goal, true, options)
    }

    /// What the calls of the client have in common.
    fn context(&self) -> &Context;
}

/// Makes a test for each client of functions that take one.
#[macro_export]
macro_rules! suite {
    ($($test:ident)*) => {
        mod blocking {
            $(#[test] fn $test() { super::$test::<$crate::BlockingDriver>(); })*
        }
        mod hyper {
            $(#[test] fn $test() { super::$test::<$crate::HyperDriver>(); })*
        }
    };
}

/// An error in words that tables of tests compare: what happened and why, what may have changed, and after
/// how many attempts.
pub fn words(error: &Error) -> String {
    let what = match error.cause() {
        Cause::Api(error) => format!("HTTP {}", error.status().as_u16()),
        Cause::Fault(fault) => {
            let why = std::error::Error::source(fault).map(ToString::to_string);
            format!("{fault} ({})", why.unwrap_or_default())
        }
        other => format!("{other:?}"),
    };
    let effect = match error.effect() {
        Effect::None => "nothing changed",
        Effect::Possible => "may have changed",
    };
    format!("{what}; {effect} after {}", error.attempts())
}

/// Whether a text is as expected, where `*` stands for anything.
pub fn is_like(text: &str, expected: &str) -> bool {
    let mut rest = Some(text);
    for part in expected.split('*') {
        rest = rest.and_then(|rest| Some(rest.split_once(part)?.1));
    }
    rest.is_some()
}

/// What the suite sets on a client. The defaults retry fast, so that tests do not wait.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// Keys, token or nothing.
    pub auth: Auth,
    /// When to try again.
    pub retry: RetryPolicy,
    /// Time for an attempt.
    pub attempt_timeout: Duration,
    /// Time for a connection.
    pub connect_timeout: Duration,
    /// Largest answer, in bytes.
    pub max_response_size: usize,
    /// Certificates to trust, in PEM form.
    pub extra_roots: Option<String>,
    /// Proxy to go through.
    pub proxy: Option<String>,
    /// Addresses of the endpoint's host, in place of those that it has.
    pub addresses: Vec<SocketAddr>,
    /// What an observer was told, a line for each event.
    pub events: Option<Events>,
}

/// Lines that a client's observer writes.
#[derive(Debug, Clone, Default)]
pub struct Events(Arc<Mutex<Vec<String>>>);

impl Events {
    /// The lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn write(&self, call: &Observed, event: &Event<'_>) {
        let what = match event {
            Event::Request {
                attempt, request, ..
            } => format!("{attempt} {} {}", request.method(), request.uri().path()),
            Event::Response {
                attempt, response, ..
            } => match response {
                Ok(response) => format!("{attempt} answered {}", response.status().as_u16()),
                Err(fault) => format!("{attempt} {fault}"),
            },
            Event::Retry {
                attempts, reason, ..
            } => format!("again after {attempts}: {reason}"),
            Event::End {
                attempts, outcome, ..
            } => match outcome {
                Ok(()) => format!("done after {attempts}"),
                Err(error) => format!("failed after {attempts}: {}", error.kind()),
            },
            Event::Dropped { attempts, .. } => format!("dropped after {attempts}"),
            other => format!("{other:?}"),
        };
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(format!("{} {}: {what}", call.operation(), call.number()));
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            auth: Credentials::new("ak", "sk").map_or(Auth::Anonymous, Auth::from),
            retry: RetryPolicy::default().base_delay(Duration::from_millis(1)),
            attempt_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(5),
            max_response_size: 1 << 20,
            extra_roots: None,
            proxy: None,
            addresses: Vec::new(),
            events: None,
        }
    }
}

macro_rules! configured {
    ($builder:expr, $url:expr, $settings:expr, $resolver:expr) => {{
        let endpoint: Endpoint = $url
            .parse()
            .expect("the address of a test server is an endpoint");
        let settings = $settings(Settings::default());
        let mut builder = $builder
            .endpoint(endpoint)
            .auth(settings.auth)
            .retry(settings.retry)
            .attempt_timeout(settings.attempt_timeout)
            .connect_timeout(settings.connect_timeout)
            .max_response_size(settings.max_response_size);
        if !settings.addresses.is_empty() {
            builder = builder.resolver($resolver(settings.addresses));
        }
        if let Some(pem) = settings.extra_roots {
            builder = builder.extra_root_certificates(pem);
        }
        builder = match settings.proxy {
            Some(url) => builder.proxy(url),
            None => builder.no_proxy(),
        };
        if let Some(events) = settings.events {
            builder = builder.observer(move |call, event| events.write(call, event));
        }
        builder.build().expect("a test's settings are valid")
    }};
}

/// The blocking client.
#[derive(Debug)]
pub struct BlockingDriver(pub pipeline_blocking::Client);

impl Driver for BlockingDriver {
    fn new(url: &str, settings: impl FnOnce(Settings) -> Settings) -> Self {
        Self(configured!(
            pipeline_blocking::Client::builder(),
            url,
            settings,
            |found: Vec<SocketAddr>| move |_: &str, _, _| Ok(found.clone())
        ))
    }

    fn send_with<O: Operation>(
        &self,
        operation: O,
        options: CallOptions,
    ) -> Result<O::Output, Error> {
        self.0.send_with(operation, options)
    }

    fn wait_for<W: Watch>(
        &self,
        watched: W,
        goal: Goal,
        acts: bool,
        options: WaitOptions,
    ) -> Result<Observation<W>, WaitError> {
        let wait = if acts {
            self.0.ensure(watched, goal)
        } else {
            self.0.wait(watched, goal)
        };
        wait.options(options).wait()
    }

    fn context(&self) -> &Context {
        self.0.context()
    }
}

/// The async client, with a runtime of its own.
#[derive(Debug)]
pub struct HyperDriver {
    /// The client.
    pub client: pipeline_hyper::Client,
    /// Its runtime.
    pub runtime: tokio::runtime::Runtime,
}

impl Driver for HyperDriver {
    fn new(url: &str, settings: impl FnOnce(Settings) -> Settings) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a test can have a runtime");
        Self {
            client: configured!(
                pipeline_hyper::Client::builder(),
                url,
                settings,
                |found: Vec<SocketAddr>| move |_, _| std::future::ready(Ok(found.clone()))
            ),
            runtime,
        }
    }

    fn send_with<O: Operation>(
        &self,
        operation: O,
        options: CallOptions,
    ) -> Result<O::Output, Error> {
        self.runtime
            .block_on(self.client.send_with(operation, options))
    }

    fn wait_for<W: Watch>(
        &self,
        watched: W,
        goal: Goal,
        acts: bool,
        options: WaitOptions,
    ) -> Result<Observation<W>, WaitError> {
        let wait = if acts {
            self.client.ensure(watched, goal)
        } else {
            self.client.wait(watched, goal)
        };
        self.runtime.block_on(wait.options(options).into_future())
    }

    fn context(&self) -> &Context {
        self.client.context()
    }
}
