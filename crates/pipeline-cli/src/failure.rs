//! Why the command ends without having done what was asked: one line and an exit code.

pub(crate) mod reason;

use std::{error::Error as StdError, fmt, io};

use pipeline_graph::is_visible;
use pipeline_proto::{
    Cause, Endpoint, Error, ErrorCode, ErrorKind, FaultKind, WorkflowName,
    proxy::ProxyFailure,
    wait::{Goal, WaitError, WaitFailure},
};
use pipeline_transport::{TlsFailure, TlsProblem};

use self::reason::{By, Subject};
use crate::{
    exit::Exit,
    lang::{self, Lang},
};

/// A failure. `Display` is one line without the word "error".
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    /// What the error of a call is called, and the service's code for it.
    call: Option<(ErrorKind, Option<ErrorCode>)>,
    /// The workflow or file that it is about, with which the line begins.
    about: Option<String>,
    message: String,
    /// The command to type next, with which the line ends.
    next: Option<String>,
    /// What other workflows may have failed with as well, in the same words.
    alike: Option<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl fmt::Display) -> Self {
        Self {
            exit,
            call: None,
            about: None,
            message: one_line(&message.to_string()),
            next: None,
            alike: None,
        }
    }

    /// The caller asked for something that cannot be asked for. Nothing was sent.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// A 404 is "not found" only if the service says what is not there. One without a code comes from
    /// something else, and a script must not create a workflow because of it.
    fn unless_elsewhere(self, error: &Error, endpoint: &Endpoint) -> Self {
        match error.code() {
            _ if error.kind() != ErrorKind::NotFound => self,
            Some(ErrorCode::RESOURCE_OWNER_NOT_FOUND) => {
                self.and(lang::pick("check --resource-owner", "请检查 --resource-owner"))
            }
            Some(_) => self,
            None => self.with_exit(Exit::Service).and(lang::pick(
                format!(
                    "it has no code of the service, so this says nothing of the workflow: check the \
                     address and the path of the endpoint {endpoint}"
                ),
                format!(
                    "响应中没有服务的错误码，无法判断工作流是否存在：请检查服务地址 {endpoint} 及其路径"
                ),
            )),
        }
    }

    /// The reason is one that is better than the service's code for it.
    pub(crate) fn of_call(
        error: &Error,
        endpoint: &Endpoint,
        about: Option<Subject>,
        reason: Option<&str>,
    ) -> Self {
        let line = describe(error, endpoint, reason);
        let failure = Self::new(Exit::of(error.kind()), line)
            .because_of(error)
            .unless_elsewhere(error, endpoint);
        let alike = reason.map(|reason| {
            let code = error.code().map(|code| format!(" ({code})"));
            let failed = reason::failed(error.operation());
            format!("{failed}{reason}{}", code.unwrap_or_default())
        });
        let failure = match Obstacle::of(error) {
            Some(obstacle) => failure.and(obstacle.advice()),
            None => failure,
        };
        Self {
            next: reason::next(error, about.as_ref()),
            alike,
            about: about.map(|name| name.to_string()),
            ..failure
        }
    }

    /// Says which workflow or file it is about, unless that is said already.
    #[must_use]
    pub(crate) fn about(mut self, name: impl fmt::Display) -> Self {
        self.about
            .get_or_insert_with(|| one_line(&name.to_string()));
        self
    }

    /// What it can be put together by with the failures of other workflows.
    pub(crate) fn alike(&self) -> Option<&str> {
        self.alike.as_deref()
    }

    /// The line without the workflow or file that it is about.
    pub(crate) fn message(&self) -> String {
        let next = self
            .next
            .as_ref()
            .map(|next| lang::pick(format!("; see: {next}"), format!("；请运行：{next}")));
        format!("{}{}", self.message, next.unwrap_or_default())
    }

    /// Names the command to type next.
    #[must_use]
    pub(crate) fn see(mut self, command: impl Into<String>) -> Self {
        self.next = Some(command.into());
        self
    }

    fn because_of(mut self, error: &Error) -> Self {
        self.call = Some((error.kind(), error.code()));
        self
    }

    pub(crate) fn of_wait(
        error: &WaitError,
        name: &WorkflowName,
        by: By,
        endpoint: &Endpoint,
    ) -> Self {
        let (exit, next) = match error.failure() {
            WaitFailure::NotFound(cause) | WaitFailure::Failed(cause) => {
                return Self::of_call(cause, endpoint, Some(name.into()), None);
            }
            WaitFailure::Settled(status) if by == By::Acting => {
                let line = lang::pick(
                    format!(
                        "the {} failed: it is {status} again",
                        reason::act(error.goal()).0
                    ),
                    format!("{}失败：它又回到了 {status}", reason::act(error.goal()).1),
                );
                return Self::new(Exit::WaitFailed, line).about(name);
            }
            WaitFailure::Settled(_) if error.goal() == Goal::Started => (Exit::WaitFailed, "start"),
            WaitFailure::Settled(_) => (Exit::WaitFailed, "stop"),
            _ => (Exit::WaitTimedOut, "status"),
        };
        let line = match lang::chosen() {
            Lang::En => {
                let line = error.to_string();
                // The name begins the line already.
                let rest = line
                    .strip_prefix(name.as_str())
                    .unwrap_or(&line)
                    .trim_start();
                rest.strip_prefix("is ").unwrap_or(rest).to_owned()
            }
            Lang::Zh => lang::zh::wait(error),
        };
        let failure = Self::new(exit, line).about(name);
        failure.see(format!("pipeline workflow {next} {name}"))
    }

    pub(crate) fn io(what: &str, error: &io::Error) -> Self {
        Self::new(Exit::Usage, error).about(what)
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// The service's code, if it gave one.
    pub(crate) fn code(&self) -> Option<ErrorCode> {
        self.call.and_then(|(_, code)| code)
    }

    /// What kind of failure it is: that of the call, or one of ours.
    pub(crate) fn kind(&self) -> &'static str {
        match (self.call, self.exit) {
            (Some((kind, _)), _) => kind.as_str(),
            (None, Exit::Usage) => "usage",
            (None, Exit::NotFound) => "not-found",
            (None, Exit::Refused) => "unauthorized",
            (None, Exit::Conflict) => "conflict",
            (None, Exit::WaitTimedOut) => "wait-timed-out",
            (None, Exit::WaitFailed) => "wait-failed",
            (None, Exit::Network) => "network",
            (None, Exit::Declined) => "declined",
            (None, Exit::Interrupted | Exit::HungUp | Exit::Terminated) => "interrupted",
            (None, Exit::Done | Exit::Service | Exit::Changes | Exit::Output) => "other",
        }
    }

    #[must_use]
    pub(crate) fn with_exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// Adds what the user should know beyond the error itself.
    #[must_use]
    pub(crate) fn and(mut self, addition: impl fmt::Display) -> Self {
        self.message.push_str("; ");
        self.message.push_str(&one_line(&addition.to_string()));
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.about {
            write!(f, "{name}{}", lang::pick(": ", "："))?;
        }
        f.write_str(&self.message())
    }
}

/// The line of the error, what lies below it, and where it was sent when the way there is the trouble.
pub(crate) fn describe(error: &Error, endpoint: &Endpoint, reason: Option<&str>) -> String {
    let mut line = reason::failed(error.operation());
    match (reason, lang::chosen()) {
        (Some(reason), _) => line.push_str(&with_code(error, reason)),
        (None, Lang::En) => {
            let said = error.to_string();
            let operation = format!("{}: ", error.operation());
            line.push_str(said.strip_prefix(&operation).unwrap_or(&said));
        }
        (None, Lang::Zh) => line.push_str(&lang::zh::call(error)),
    }
    let mut source = StdError::source(error);
    while let Some(below) = source {
        let text = below.to_string();
        // Transports wrap an error in one that says the same.
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        source = below.source();
    }
    if error.api().is_some_and(|api| api.uncorrected().is_some()) {
        line.push_str(lang::pick(
            "; --correct-clock DURATION makes up for it all the same",
            "；--correct-clock 时长 可以强制修正",
        ));
    }
    if let Cause::Fault(fault) = error.cause()
        && fault.kind() == FaultKind::BodyTooLarge
    {
        line.push_str(lang::pick(
            "; --max-response-size SIZE allows more",
            "；--max-response-size 大小 可以放宽限制",
        ));
    }
    let way = matches!(error.kind(), ErrorKind::Network | ErrorKind::Timeout);
    // A proxy names itself, and the endpoint is not to blame.
    if way && !matches!(Obstacle::of(error), Some(Obstacle::Proxy)) {
        let named = lang::pick(
            format!(" (endpoint {endpoint})"),
            format!("（服务地址 {endpoint}）"),
        );
        line.push_str(&named);
    }
    line
}

/// What stands in the way of a request, and is no fault of the service.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Obstacle<'a> {
    Proxy,
    Tls(&'a TlsFailure),
}

impl<'a> Obstacle<'a> {
    pub(crate) fn of(error: &'a Error) -> Option<Self> {
        let source = StdError::source(error)?;
        if source.is::<ProxyFailure>() {
            return Some(Self::Proxy);
        }
        source.downcast_ref().map(Self::Tls)
    }

    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::Proxy => lang::pick(
                "check the variable that names the proxy, or reach the service directly with --no-proxy or \
                 NO_PROXY",
                "请检查指定代理的环境变量，或用 --no-proxy 或 NO_PROXY 直接连接",
            ),
            Self::Tls(failure) => match failure.problem() {
                TlsProblem::Time => lang::pick(
                    "set this machine's clock if it is wrong; if it is right, the server needs a new certificate",
                    "若本机时钟有误请校准；若无误，则服务端需要更换证书",
                ),
                TlsProblem::Authority => lang::pick(
                    "if you trust it, give the certificate of its authority, or its own, with --ca-file",
                    "若信任该服务，请用 --ca-file 指定其 CA 证书或它自己的证书",
                ),
                _ => lang::pick(
                    "check the endpoint; for a private authority give its certificate with --ca-file",
                    "请检查服务地址；若使用私有 CA，请用 --ca-file 指定其证书",
                ),
            },
        }
    }
}

/// A reason of our own, with what the service said of the request.
fn with_code(error: &Error, reason: &str) -> String {
    let code = error.code().map(|code| code.to_string());
    let status = error
        .status()
        .map(|status| format!("HTTP {}", status.as_u16()));
    let request = error.request_id().map(|id| format!("request {id}"));
    let details: Vec<String> = [code, status, request].into_iter().flatten().collect();
    format!("{reason} ({})", details.join(", "))
}

/// Text on one line, with nothing in it that a terminal would act upon.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.trim_end().chars() {
        match c {
            '\n' | '\r' | '\t' => line.push(' '),
            c if is_visible(c) => line.push(c),
            c => line.extend(c.escape_default()),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line_without_control_characters() {
        let failure = Failure::usage("a\nb\x1b[31mc\u{202e}\u{2028}d\n").and("e\r\nf");
        assert_eq!(
            failure.to_string(),
            "a b\\u{1b}[31mc\\u{202e}\\u{2028}d; e  f"
        );
    }

    #[test]
    fn trouble_on_the_way_names_the_endpoint() {
        let endpoint: Endpoint = "http://127.0.0.1:1".parse().unwrap();
        let build = Error::build(
            "get_workflow",
            pipeline_proto::WorkflowName::new("a-b").unwrap_err(),
        );
        assert!(!describe(&build, &endpoint, None).contains("127.0.0.1"));
        assert_eq!(
            Failure::of_call(&build, &endpoint, None, None).exit(),
            Exit::Usage
        );
    }
}
