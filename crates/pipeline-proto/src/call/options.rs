use std::{fmt, str::FromStr, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{auth::Auth, policy::RetryPolicy};
use crate::{
    error::{BuildError, BuildReason},
    operation::{Idempotency, check_header},
};

/// The account whose resources a call is about, where it is not the caller's own.
///
/// Sent as `X-Resource-Owner` and not signed. The vendor's SDK sends it on get, list, status, start,
/// stop, delete, search and update, and drops it on create; here it goes with any call. What it
/// looks like is not documented, so anything that can be a header will do.
///
/// ```
/// use pipeline_proto::{CallOptions, ResourceOwner};
///
/// let owner: ResourceOwner = "1380000000".parse()?;
/// let options = CallOptions::new().resource_owner(owner);
/// # Ok::<(), pipeline_proto::BuildError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceOwner(HeaderValue);

impl FromStr for ResourceOwner {
    type Err = BuildError;

    fn from_str(text: &str) -> Result<Self, BuildError> {
        let visible = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        let value = HeaderValue::from_str(text).ok().filter(|_| visible);
        value.map(Self).ok_or_else(|| BuildReason::Owner.into())
    }
}

impl fmt::Display for ResourceOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().unwrap_or_default())
    }
}

/// What one call does differently from its [`Context`](crate::Context).
///
/// ```
/// use pipeline_proto::{CallOptions, RetryPolicy};
/// use std::time::Duration;
///
/// let options = CallOptions::new().total_timeout(Duration::from_secs(5)).retry(RetryPolicy::none());
/// ```
#[derive(Debug, Clone, Default)]
pub struct CallOptions {
    pub(super) seed: Option<u64>,
    /// In a box, because few calls need any of it and each step of a call hands its options on.
    special: Option<Box<Special>>,
}

/// What is different.
#[derive(Debug, Clone, Default)]
pub(super) struct Special {
    pub(super) auth: Option<Auth>,
    pub(super) retry: Option<RetryPolicy>,
    pub(super) attempt_timeout: Option<Duration>,
    pub(super) total_timeout: Option<Duration>,
    pub(super) owner: Option<HeaderValue>,
    pub(super) idempotency: Option<Idempotency>,
    pub(super) headers: HeaderMap,
}

impl CallOptions {
    /// Nothing different.
    pub fn new() -> Self {
        Self::default()
    }

    /// What is different, if anything is.
    pub(super) fn special(&self) -> Option<&Special> {
        self.special.as_deref()
    }

    fn special_mut(&mut self) -> &mut Special {
        self.special.get_or_insert_default()
    }

    /// Other credentials, or a token for this one call.
    #[must_use]
    pub fn auth(mut self, auth: impl Into<Auth>) -> Self {
        self.special_mut().auth = Some(auth.into());
        self
    }

    /// Another retry policy.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.special_mut().retry = Some(policy);
        self
    }

    /// Another limit for one attempt, from connecting to the end of the response; zero and no limit as in
    /// [`ContextBuilder::attempt_timeout`](crate::ContextBuilder::attempt_timeout).
    #[must_use]
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.special_mut().attempt_timeout = Some(timeout);
        self
    }

    /// Another limit for the whole call, attempts and waits together; likewise.
    #[must_use]
    pub fn total_timeout(mut self, timeout: Duration) -> Self {
        self.special_mut().total_timeout = Some(timeout);
        self
    }

    /// Acts on another account's resources.
    #[must_use]
    pub fn resource_owner(mut self, owner: ResourceOwner) -> Self {
        self.special_mut().owner = Some(owner.0);
        self
    }

    /// What a second sending could do, for a caller who knows or wants it otherwise than
    /// [`Operation::IDEMPOTENCY`](crate::Operation::IDEMPOTENCY) has it: with [`Idempotency::Never`], nothing is
    /// pushed twice, and after a lost response it stays unknown whether it was pushed at all.
    #[must_use]
    pub fn idempotency(mut self, idempotency: Idempotency) -> Self {
        self.special_mut().idempotency = Some(idempotency);
        self
    }

    /// Adds a header. Headers whose names start with `X-Qiniu-` are signed.
    ///
    /// # Errors
    ///
    /// If the call sets this header itself, or it is there already.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Result<Self, BuildError> {
        let headers = &mut self.special_mut().headers;
        check_header(headers, &name)?;
        headers.insert(name, value);
        Ok(self)
    }

    /// The seed of the waits between attempts. Clients give each call its own; a test gives the same.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Sets the seed unless it is set.
    #[must_use]
    pub fn or_seed(mut self, seed: impl FnOnce() -> u64) -> Self {
        self.seed.get_or_insert_with(seed);
        self
    }
}
