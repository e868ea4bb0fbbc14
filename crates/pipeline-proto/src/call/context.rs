use std::{
    fmt,
    panic::{RefUnwindSafe, UnwindSafe},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{auth::Auth, clock::SharedOffset, policy::RetryPolicy};
use crate::{
    credentials::Credentials,
    endpoint::Endpoint,
    error::BuildError,
    observe::{Event, Observed, Observers},
    operation::check_header,
    time::{ClockOffset, Uncorrected},
};

/// What the calls of a client have in common. Cheap to clone.
///
/// The only state in it that changes is what calls learned of the service: its clock, from a refused
/// signature, and which requests it does not know, see [`Operation::fallback`](crate::Operation::fallback).
///
/// ```
/// use pipeline_proto::{Context, Credentials};
///
/// let context = Context::builder().credentials(Credentials::new("ak", "sk")?).build();
/// assert_eq!(context.endpoint().to_string(), "https://pipeline.qiniu.com");
/// # Ok::<(), pipeline_proto::CredentialsError>(())
/// ```
#[derive(Clone)]
pub struct Context(Arc<Inner>);

struct Inner {
    settings: ContextBuilder,
    offset: SharedOffset,
    /// Names of operations.
    unknown: Mutex<Vec<&'static str>>,
}

impl Context {
    /// Starts with the defaults of [`ContextBuilder`].
    pub fn builder() -> ContextBuilder {
        ContextBuilder::default()
    }

    /// Where requests go.
    pub fn endpoint(&self) -> &Endpoint {
        &self.0.settings.endpoint
    }

    /// How requests show who sends them.
    pub fn auth(&self) -> &Auth {
        &self.0.settings.auth
    }

    /// The largest response that is taken in, in bytes.
    pub fn max_response_size(&self) -> usize {
        self.0.settings.max_response_size
    }

    /// How far the service's clock is from this machine's, as far as it was learned.
    pub fn clock_offset(&self) -> ClockOffset {
        self.0.offset.get()
    }

    pub(super) fn learn_offset(&self, offset: ClockOffset) {
        self.0.offset.set(offset);
    }

    /// Whether the service is known to lack this operation's first choice of request.
    pub(super) fn is_unknown(&self, operation: &'static str) -> bool {
        self.unknown().contains(&operation)
    }

    pub(super) fn learn_unknown(&self, operation: &'static str) {
        let mut unknown = self.unknown();
        if !unknown.contains(&operation) {
            unknown.push(operation);
        }
    }

    fn unknown(&self) -> MutexGuard<'_, Vec<&'static str>> {
        // Whoever panicked in between cannot have left a list of names half done.
        self.0
            .unknown
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn observers(&self) -> &Observers {
        &self.0.settings.observers
    }

    pub(super) fn settings(&self) -> &ContextBuilder {
        &self.0.settings
    }
}

// What a context learns is never half done, and an observer that panicked is its own concern.
impl UnwindSafe for Context {}
impl RefUnwindSafe for Context {}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("settings", self.settings())
            .field("clock_offset", &self.clock_offset())
            .finish()
    }
}

/// Makes a [`Context`].
///
/// Defaults: the endpoint of the API page, no credentials, [`RetryPolicy::default`], 30 s for an
/// attempt, 2 min for a call, a wrong clock corrected within bounds.
///
/// ```
/// use pipeline_proto::{Context, RetryPolicy};
/// use std::time::Duration;
///
/// let context = Context::builder()
///     .endpoint("http://127.0.0.1:8080/base".parse()?)
///     .retry(RetryPolicy::none())
///     .total_timeout(Duration::from_secs(10))
///     .build();
/// assert_eq!(context.endpoint().to_string(), "http://127.0.0.1:8080/base");
/// # Ok::<(), pipeline_proto::EndpointError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ContextBuilder {
    pub(super) endpoint: Endpoint,
    pub(super) auth: Auth,
    pub(super) retry: RetryPolicy,
    pub(super) attempt_timeout: Duration,
    pub(super) total_timeout: Duration,
    pub(super) user_agent: HeaderValue,
    max_response_size: usize,
    /// What was asked for, if anything was.
    pub(super) correct_clock: Option<bool>,
    pub(super) max_clock_correction: Duration,
    observers: Observers,
    pub(super) headers: HeaderMap,
}

impl Default for ContextBuilder {
    fn default() -> Self {
        Self {
            endpoint: Endpoint::default(),
            auth: Auth::Anonymous,
            retry: RetryPolicy::default(),
            attempt_timeout: Duration::from_secs(30),
            total_timeout: Duration::from_secs(120),
            user_agent: HeaderValue::from_static(concat!(
                "pipeline-proto/",
                env!("CARGO_PKG_VERSION")
            )),
            max_response_size: 8 << 20,
            correct_clock: None,
            max_clock_correction: Duration::from_secs(24 * 3600),
            observers: Observers::default(),
            headers: HeaderMap::new(),
        }
    }
}

impl ContextBuilder {
    /// Where requests go.
    #[must_use]
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = endpoint;
        self
    }

    /// Signs each request with these keys.
    #[must_use]
    pub fn credentials(self, credentials: Credentials) -> Self {
        self.auth(credentials)
    }

    /// How requests show who sends them.
    #[must_use]
    pub fn auth(mut self, auth: impl Into<Auth>) -> Self {
        self.auth = auth.into();
        self
    }

    /// When a call is tried again.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// How long one attempt may take, from connecting to the end of the response. With zero nothing is
    /// sent, and the call ends with a time-out that says so; [`Duration::MAX`] is no limit.
    #[must_use]
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// How long a call may take, attempts and waits together; zero and no limit as in
    /// [`attempt_timeout`](Self::attempt_timeout).
    #[must_use]
    pub fn total_timeout(mut self, timeout: Duration) -> Self {
        self.total_timeout = timeout;
        self
    }

    /// The `User-Agent` header.
    #[must_use]
    pub fn user_agent(mut self, value: HeaderValue) -> Self {
        self.user_agent = value;
        self
    }

    /// The largest response that is taken in, in bytes, also after it was decompressed; transports keep
    /// to it as well. Default: 8 MiB, far above any real list.
    #[must_use]
    pub fn max_response_size(mut self, bytes: usize) -> Self {
        self.max_response_size = bytes;
        self
    }

    /// Whether a refused signature is made again with the service's time, when the response shows that
    /// the clocks differ by more than four minutes. When it is not, the error says how far they differ.
    ///
    /// By default it is, but not over plain http to another machine: whoever is on the way could write
    /// a `Date` of the future, and get signatures that he can use then. `true` allows it there too.
    #[must_use]
    pub fn correct_clock(mut self, correct: bool) -> Self {
        self.correct_clock = Some(correct);
        self
    }

    /// How far apart the clocks may be for a correction. Default: 24 hours. A clock that is off by more
    /// is broken, or somebody wants signatures for another day.
    #[must_use]
    pub fn max_clock_correction(mut self, limit: Duration) -> Self {
        self.max_clock_correction = limit;
        self
    }

    /// Why an offset must not be corrected for, if that is so.
    pub(super) fn forbids(&self, offset: ClockOffset) -> Option<Uncorrected> {
        let limit = self.max_clock_correction;
        if self.correct_clock.is_none() && self.endpoint.is_exposed() {
            Some(Uncorrected::PlainHttp)
        } else {
            (offset.magnitude() > limit).then_some(Uncorrected::TooFar(limit))
        }
    }

    /// Adds a function that is told what happens to each call, by whoever drives it; see
    /// [`observe`](crate::observe).
    #[must_use]
    pub fn observer(
        mut self,
        observe: impl Fn(&Observed, &Event<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.observers.add(observe);
        self
    }

    /// Adds a header to each request, signed if its name starts with `X-Qiniu-`. A header of the same name that
    /// an operation or a call sets goes in its place.
    ///
    /// # Errors
    ///
    /// If every call sets this header itself.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Result<Self, BuildError> {
        check_header(&HeaderMap::new(), &name)?;
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Makes the context.
    pub fn build(self) -> Context {
        Context(Arc::new(Inner {
            settings: self,
            offset: SharedOffset::default(),
            unknown: Mutex::default(),
        }))
    }
}
