use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, Uri,
    header::{ACCEPT_ENCODING, CONTENT_TYPE, USER_AGENT},
};

use crate::{
    call::{auth::Auth, context::Context, options::CallOptions, policy::RetryPolicy, stamp::stamp},
    error::{BuildError, Cause, Effect, Error, StopReason},
    header::RESOURCE_OWNER,
    observe::{Subject, Watch},
    operation::{Idempotency, RequestTemplate, check_header},
    time::{ClockOffset, Now},
};

/// All of a call but the operation itself: what is done with it is compiled once, not for each type of operation.
pub(in crate::call) struct State {
    pub(super) name: &'static str,
    /// What the operation says of itself.
    pub(super) idempotency: Idempotency,
    pub(super) context: Context,
    pub(super) options: CallOptions,
    pub(in crate::call) method: Method,
    pub(in crate::call) uri: Uri,
    pub(in crate::call) content_type: Option<HeaderValue>,
    /// Those of the operation and of the options: all that can be signed beside the content type.
    pub(in crate::call) headers: HeaderMap,
    pub(in crate::call) body: Bytes,
    /// Who is told; nobody before the call starts.
    pub(super) watch: Watch,
    pub(in crate::call) progress: Progress,
}

/// What is known of a call after it started.
#[derive(Debug, Clone, Copy)]
pub(in crate::call) struct Progress {
    pub(super) attempts: u32,
    /// On the monotonic clock; computed once, when the call starts.
    pub(super) deadline: Duration,
    /// Sum of the waits so far.
    pub(super) waited: Duration,
    /// The one further attempt that a wrong clock is worth was made.
    pub(super) clock_corrected: bool,
    /// The one further attempt with another request was made, for a service that did not know the
    /// first.
    pub(super) fell_back: bool,
    /// An attempt may have taken effect.
    pub(super) effect: Effect,
    /// When the last attempt was made.
    pub(super) sent: Now,
    /// The offset that its signature was made with.
    pub(super) offset: ClockOffset,
    pub(super) timeout: Duration,
}

impl State {
    /// Without name and idempotency, which the caller sets from its operation.
    pub(super) fn new(
        context: &Context,
        template: RequestTemplate,
        options: CallOptions,
    ) -> Result<Box<Self>, BuildError> {
        let mut headers = template.headers;
        if let Some(special) = options.special() {
            for (name, value) in &special.headers {
                check_header(&headers, name)?;
                headers.insert(name, value.clone());
            }
        }
        for (name, value) in &context.settings().headers {
            if !headers.contains_key(name) {
                headers.insert(name, value.clone());
            }
        }
        let uri = context.endpoint().uri(template.target)?;
        Ok(Box::new(Self {
            name: "",
            idempotency: Idempotency::Never,
            context: context.clone(),
            options,
            method: template.method,
            uri,
            content_type: template.content_type,
            headers,
            body: template.body,
            watch: Watch::default(),
            progress: Progress {
                attempts: 0,
                deadline: Duration::MAX,
                waited: Duration::ZERO,
                clock_corrected: false,
                fell_back: false,
                effect: Effect::None,
                sent: Now::new(SystemTime::UNIX_EPOCH, Duration::ZERO),
                offset: ClockOffset::default(),
                timeout: Duration::ZERO,
            },
        }))
    }

    pub(super) fn start(&mut self, subject: &dyn Fn() -> Subject, now: Now) {
        self.watch = Watch::begin(self.context.observers(), self.name, subject, now);
        self.progress.deadline = now.mono.saturating_add(self.total_timeout());
    }

    /// The request of one more attempt.
    pub(super) fn attempt(&mut self, now: Now) -> Request<Bytes> {
        let remaining = self.progress.deadline.saturating_sub(now.mono);
        self.progress.attempts += 1;
        self.progress.sent = now;
        self.progress.offset = self.context.clock_offset();
        self.progress.timeout = self.attempt_timeout().min(remaining);
        self.request()
    }

    /// The request is about to be sent.
    pub(super) fn send(&mut self, request: &Request<Bytes>) {
        let Progress { attempts, sent, .. } = self.progress;
        self.watch.request(attempts, request, sent);
    }

    /// The request, dated and signed for the moment of the last attempt.
    pub(super) fn request(&self) -> Request<Bytes> {
        let mut request = Request::new(self.body.clone());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        // Four, the host that the transport adds, and one more: as much as fits the smallest table. What has a
        // body has the length as well: a table that grows when the host comes takes longer than a large one at once.
        headers.reserve(6 + usize::from(self.content_type.is_some()) + self.headers.len());
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        if let Some(content_type) = &self.content_type {
            headers.insert(CONTENT_TYPE, content_type.clone());
        }
        if let Some(owner) = self.options.special().and_then(|own| own.owner.as_ref()) {
            headers.insert(&RESOURCE_OWNER, owner.clone());
        }
        headers.insert(USER_AGENT, self.context.settings().user_agent.clone());
        // Without it, a response may be compressed in any way.
        if !self.headers.contains_key(ACCEPT_ENCODING) {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        let Progress { sent, offset, .. } = self.progress;
        stamp(headers, self, offset.apply(sent.wall));
        request
    }

    pub(in crate::call) fn auth(&self) -> &Auth {
        let own = self.options.special().and_then(|own| own.auth.as_ref());
        own.unwrap_or(&self.context.settings().auth)
    }

    pub(super) fn retry(&self) -> &RetryPolicy {
        let own = self.options.special().and_then(|own| own.retry.as_ref());
        own.unwrap_or(&self.context.settings().retry)
    }

    fn total_timeout(&self) -> Duration {
        let own = self.options.special().and_then(|own| own.total_timeout);
        own.unwrap_or(self.context.settings().total_timeout)
    }

    fn attempt_timeout(&self) -> Duration {
        let own = self.options.special().and_then(|own| own.attempt_timeout);
        own.unwrap_or(self.context.settings().attempt_timeout)
    }

    pub(super) fn max_response_size(&self) -> usize {
        self.context.max_response_size()
    }

    /// What a second sending could do, or is to be taken to do.
    pub(super) fn idempotency(&self) -> Idempotency {
        let own = self.options.special().and_then(|own| own.idempotency);
        own.unwrap_or(self.idempotency)
    }

    /// Whether the deadline has passed.
    pub(super) fn is_over(&self, now: Now) -> bool {
        now.mono >= self.progress.deadline
    }

    /// An error that the call ends with.
    pub(super) fn error(&self, cause: Cause, stop: StopReason) -> Error {
        let Progress {
            attempts, effect, ..
        } = self.progress;
        Error::new(self.name, cause, attempts, effect, stop)
    }

    pub(super) fn deadline_error(&self, last: Option<Cause>) -> Error {
        let cause = Cause::Deadline {
            total: self.total_timeout(),
            last: last.map(Box::new),
        };
        self.error(cause, StopReason::DeadlineNear)
    }
}
