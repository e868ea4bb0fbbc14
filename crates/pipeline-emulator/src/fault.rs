//! Faults on demand: answers that a test wants instead of the true one, or true ones that arrive
//! in a bad way.

mod operation_name;
mod queue;

pub use operation_name::UnknownOperation;
pub use queue::FaultReport;
pub(crate) use queue::Faults;

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use pipeline_proto::ErrorCode;

use operation_name::known_operation;

use crate::{
    clock_skew::ClockSkew,
    date::imf_fixdate,
    id::Kind,
    network::{Interruption, NetworkFault},
    refusal::{message_of, status_of},
};

/// Something that goes wrong with chosen requests, a number of times.
///
/// A fault made by [`status`](Self::status) or [`code`](Self::code) answers in place of the service,
/// which does not get to see the request. One made by [`pass`](Self::pass) lets the service answer
/// and spoils only what it is told to. By default a fault meets the next request, whatever that is,
/// once.
///
/// ```
/// use pipeline_emulator::{ClockSkew, Emulator, InjectedFault};
/// use pipeline_proto::ErrorCode;
/// use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
/// use std::time::Duration;
///
/// let mut emulator = Emulator::builder().build();
/// // Two gets fail as if the service were overloaded.
/// emulator.inject(
///     InjectedFault::status(StatusCode::SERVICE_UNAVAILABLE)
///         .retry_after(Duration::from_secs(2))
///         .on("get_workflow")
///         .times(2),
/// );
/// // A create that takes effect, but its response gets lost behind a proxy.
/// emulator.inject(
///     InjectedFault::status(StatusCode::BAD_GATEWAY)
///         .body(HeaderValue::from_static("text/html"), "<h1>Bad Gateway</h1>")
///         .on("create_workflow")
///         .after_effect(),
/// );
/// // An error with a status that looks like success.
/// emulator.inject(InjectedFault::code(ErrorCode::REPO_BEING_CREATED).on_workflow("logs"));
/// // A start that takes effect while its connection breaks.
/// emulator.inject(InjectedFault::pass().reset().on("start_workflow"));
/// // True answers with the wrong type and a date that is off.
/// emulator.inject(
///     InjectedFault::pass()
///         .header(CONTENT_TYPE, HeaderValue::from_static("text/plain"))
///         .skew_date(ClockSkew::Ahead(Duration::from_secs(20 * 60)))
///         .on("list_workflows")
///         .always(),
/// );
///
/// let left: Vec<_> = emulator.faults().map(|fault| fault.left()).collect();
/// assert_eq!(left, [Some(2), Some(1), Some(1), Some(1), None]);
/// ```
#[derive(Debug, Clone)]
pub struct InjectedFault {
    pub(crate) operation: Option<&'static str>,
    pub(crate) resource: Option<(Kind, String)>,
    times: Option<u32>,
    pub(crate) after_effect: bool,
    /// Whether the service's response is what the rest is applied to.
    passes: bool,
    pub(crate) status: Option<StatusCode>,
    pub(crate) headers: HeaderMap,
    body: Option<Body>,
    pub(crate) date_skew: Option<ClockSkew>,
    pub(crate) network: NetworkFault,
}

/// Node data may stand in a body, so `Debug` tells the length only.
#[derive(Clone)]
struct Body(Bytes);

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl InjectedFault {
    /// Answers with this status. The body is the service's error object with the status in words.
    pub fn status(status: StatusCode) -> Self {
        Self::error(
            status,
            status.canonical_reason().unwrap_or("a fault was injected"),
        )
    }

    /// Answers with this code, its message, and the status that goes with it.
    pub fn code(code: ErrorCode) -> Self {
        let detail = "a fault was injected";
        Self::error(status_of(code), &format!("{}: {detail}", message_of(code)))
    }

    fn error(status: StatusCode, message: &str) -> Self {
        let body = serde_json::json!({ "error": message }).to_string();
        let fault = Self {
            after_effect: false,
            passes: false,
            status: Some(status),
            ..Self::pass()
        };
        fault.body(HeaderValue::from_static("application/json"), body)
    }

    /// Lets the service act and answer. What is set on the fault is changed in that response, and in
    /// the way it arrives.
    pub fn pass() -> Self {
        Self {
            operation: None,
            resource: None,
            times: Some(1),
            after_effect: true,
            passes: true,
            status: None,
            headers: HeaderMap::new(),
            body: None,
            date_skew: None,
            network: NetworkFault::default(),
        }
    }

    /// Changes the status, and nothing else.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = Some(status);
        self
    }

    /// Meets requests of this operation only: of its name as the client calls it, which is also the
    /// [`NAME`](pipeline_proto::Operation::NAME) of its type.
    ///
    /// # Panics
    ///
    /// With a name that no operation has: such a fault would never meet anything, and the test that
    /// injects it would try nothing. [`try_on`](Self::try_on) is for names that are not written down
    /// in the program.
    #[must_use]
    #[track_caller]
    pub fn on(self, operation: &str) -> Self {
        match self.try_on(operation) {
            Ok(fault) => fault,
            Err(error) => panic!("{error}"),
        }
    }

    /// The same for a name that may be wrong.
    ///
    /// ```
    /// use pipeline_emulator::InjectedFault;
    ///
    /// let error = InjectedFault::pass().try_on("get_workflw").unwrap_err();
    /// assert!(error.to_string().contains("did you mean \"get_workflow\"?"));
    /// ```
    ///
    /// # Errors
    ///
    /// If the emulator has no operation of this name.
    pub fn try_on(mut self, operation: &str) -> Result<Self, UnknownOperation> {
        self.operation = Some(known_operation(operation)?);
        Ok(self)
    }

    /// Meets requests about the workflow of this name only.
    #[must_use]
    pub fn on_workflow(mut self, name: impl Into<String>) -> Self {
        self.resource = Some((Kind::Workflow, name.into()));
        self
    }

    /// Meets requests about one resource only: about one of this kind, as
    /// [`RecordedRequest::kind`](crate::RecordedRequest::kind) has it, and of this name, with or without that of
    /// what it hangs on.
    ///
    /// ```
    /// use pipeline_emulator::InjectedFault;
    /// use pipeline_proto::ErrorCode;
    ///
    /// // `save` of any repo, or that of `clicks`.
    /// let fault = InjectedFault::code(ErrorCode::INTERNAL_ERROR);
    /// let any = fault.clone().on_resource("export", "save");
    /// let one = fault.on_resource("export", "clicks/save");
    /// # drop((any, one));
    /// ```
    ///
    /// # Panics
    ///
    /// With a kind that there is not; see [`on`](Self::on).
    #[must_use]
    #[track_caller]
    pub fn on_resource(self, kind: &str, name: impl Into<String>) -> Self {
        match self.try_on_resource(kind, name.into()) {
            Ok(fault) => fault,
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) fn try_on_resource(mut self, kind: &str, name: String) -> Result<Self, String> {
        let known = || Kind::ALL.iter().filter(|kind| **kind != Kind::Data);
        let found = known().find(|known| known.as_str() == kind);
        let found = found.ok_or_else(|| {
            let known: Vec<_> = known().map(|kind| kind.as_str()).collect();
            format!("there is no kind {kind:?}, only {}", known.join(", "))
        })?;
        self.resource = Some((*found, name));
        Ok(self)
    }

    /// Meets so many requests instead of one.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Meets every request, until [`clear_faults`](crate::Emulator::clear_faults).
    #[must_use]
    pub fn always(mut self) -> Self {
        self.times = None;
        self
    }

    /// Lets the service do what the request asks for, and replaces only the answer.
    #[must_use]
    pub fn after_effect(mut self) -> Self {
        self.after_effect = true;
        self
    }

    /// Sets a header of the response; `X-Reqid` and `Date` too, which otherwise are as ever.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sets `Retry-After`, in whole seconds.
    #[must_use]
    pub fn retry_after(self, delay: Duration) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(delay.as_secs()))
    }

    /// Sets the body and its type.
    #[must_use]
    pub fn body(mut self, content_type: HeaderValue, body: impl Into<Bytes>) -> Self {
        self.body = Some(Body(body.into()));
        self.header(header::CONTENT_TYPE, content_type)
    }

    /// Sets `Date` to what a clock shows that is so far from the service's. Signatures are checked by
    /// the service's clock as ever; see [`set_clock_offset`](crate::Emulator::set_clock_offset).
    #[must_use]
    pub fn skew_date(mut self, skew: ClockSkew) -> Self {
        self.date_skew = Some(skew);
        self
    }

    /// Lets the response arrive so much later. What the request asked for has happened by then.
    #[must_use]
    pub fn latency(mut self, latency: Duration) -> Self {
        self.network.latency = latency;
        self
    }

    /// Lets nothing more of the response arrive after so many bytes of its body, on a connection that
    /// stays open. Of this and the three that follow, the last one set counts.
    #[must_use]
    pub fn stall_at(self, at: usize) -> Self {
        self.interrupt(Interruption::Stall { at })
    }

    /// Closes the connection in good order after so many bytes of the body.
    #[must_use]
    pub fn truncate_at(self, at: usize) -> Self {
        self.interrupt(Interruption::Truncate { at })
    }

    /// Resets the connection after so many bytes of the body.
    #[must_use]
    pub fn reset_at(self, at: usize) -> Self {
        self.interrupt(Interruption::ResetAt { at })
    }

    /// Resets the connection in place of a response. The request takes effect with a fault made by
    /// [`pass`](Self::pass), and with any other only [if told to](Self::after_effect).
    #[must_use]
    pub fn reset(self) -> Self {
        self.interrupt(Interruption::Reset)
    }

    fn interrupt(mut self, interruption: Interruption) -> Self {
        self.network.interruption = Some(interruption);
        self
    }

    /// The body that replaces the true one.
    pub(crate) fn replaced_body(&self) -> Option<&Bytes> {
        self.body.as_ref().map(|body| &body.0)
    }

    /// What becomes of a response, at this time on the service's clock.
    pub(crate) fn spoil(&self, answer: Response<Bytes>, time: SystemTime) -> Response<Bytes> {
        let mut spoiled = if self.passes {
            answer
        } else {
            Response::default()
        };
        if let Some(status) = self.status {
            *spoiled.status_mut() = status;
        }
        if let Some(body) = self.replaced_body() {
            *spoiled.body_mut() = body.clone();
        }
        let headers = spoiled.headers_mut();
        if let Some(skew) = self.date_skew {
            let date = imf_fixdate(skew.apply(time));
            let date = HeaderValue::try_from(date).expect("a date is ASCII");
            headers.insert(header::DATE, date);
        }
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        if self.network != NetworkFault::default() {
            spoiled.extensions_mut().insert(self.network);
        }
        spoiled
    }

    fn meets(&self, operation: Option<&'static str>, resource: Option<(Kind, &str)>) -> bool {
        let is_this = |(wanted, name): &(Kind, String)| {
            resource.is_some_and(|(kind, path)| {
                let own = path.rsplit('/').next();
                kind == *wanted && (path == name || own == Some(name))
            })
        };
        (self.operation.is_none() || self.operation == operation)
            && self.resource.as_ref().is_none_or(is_this)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_named_with_or_without_what_it_hangs_on() {
        for (kind, name, met) in [
            ("export", "save", true),
            ("export", "clicks/save", true),
            ("export", "views/save", false),
            ("export", "clicks", false),
            ("exportBatch", "save", false),
            ("repo", "clicks", false),
        ] {
            let fault = InjectedFault::pass().on_resource(kind, name);
            let found = fault.meets(None, Some((Kind::Export, "clicks/save")));
            assert_eq!(found, met, "{kind} {name}");
        }
        let unknown = InjectedFault::pass().try_on_resource("data", String::new());
        assert!(
            unknown
                .unwrap_err()
                .ends_with("tsdbView, reportDatabase, reportTable")
        );
    }

    #[test]
    fn a_code_brings_status_and_message() {
        let mut faults = Faults::default();
        faults.inject(InjectedFault::code(ErrorCode::REPO_BEING_CREATED));
        let fault = faults.serve(None, None).unwrap();
        assert_eq!(fault.status, Some(StatusCode::ACCEPTED));
        assert_eq!(fault.headers[header::CONTENT_TYPE], "application/json");
        let body = fault.replaced_body().unwrap();
        let body: serde_json::Value = serde_json::from_slice(body).unwrap();
        assert!(body["error"].as_str().unwrap().starts_with("E18124: "));
    }

    #[test]
    fn debug_does_not_show_bodies() {
        let fault = InjectedFault::status(StatusCode::OK).body(
            HeaderValue::from_static("application/json"),
            "{\"secret\":\"canary\"}",
        );
        assert!(!format!("{fault:?}").contains("canary"));
    }
}
