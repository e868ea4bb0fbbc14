//! `pipeline doctor`.

mod check;
mod look;

use std::{
    net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs as _},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, SystemTime},
};

use clap::Args;
use http::header::DATE;
use pipeline_proto::{
    Endpoint, Error, RefusalCause, RepoName,
    observe::{Event, Observed},
    proxy::{Proxy, VARIABLES},
    resource::workflow::ListWorkflows,
};

use crate::{
    duration::Short,
    exit::Exit,
    failure::{Failure, Obstacle, describe},
    lang::pick,
    options::Global,
    remote::{EXPOSED, EXPOSED_ZH, Remote, Special},
    settings::{Given, Identity, Settings},
};
use check::{Check, Report};
use look::Named;

/// Find out what keeps the service from being used
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline doctor
  pipeline doctor --profile work -o json
  pipeline doctor repo clicks --push clicks
  pipeline doctor export clicks save
  pipeline doctor job daily --lang zh

Checks the configuration, the way to the service, the clock and the credentials, one line each, with \
what to do about what is wrong. Sends one request, which lists the workflows and changes nothing. With the \
name of a resource it looks whether that is there and at work; with --push it pushes nothing into a queue, \
which shows whether records would be taken. Ends with the exit code of the first check that failed.")]
pub(crate) struct Doctor {
    /// A resource to look at as well, as in `repo clicks` or `export clicks save`
    #[arg(value_name = "RESOURCE")]
    resource: Vec<String>,

    /// A message queue that has to take pushes; none is changed
    #[arg(long, value_name = "NAME")]
    push: Option<RepoName>,
}

impl Doctor {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let named = Named::parse(&self.resource)?;
        let mut report = Report::default();
        let remote = examine(global, &mut report);
        if let Some((remote, endpoint)) = remote {
            if let Some(named) = named {
                report.add(named.check(&remote));
            }
            if let Some(repo) = &self.push {
                report.add(look::push(repo, &remote, &endpoint));
            }
        }
        let exit = report.exit();
        global.format().write(&report)?;
        Ok(exit)
    }
}

/// Makes the checks in an order in which each rests on those before it, and stops where the next one
/// would have nothing to rest on. What rests on all of them gets the service.
fn examine(global: &Global, report: &mut Report) -> Option<(Remote, Endpoint)> {
    let settings = match Settings::read(global) {
        Ok(settings) => settings,
        Err(failure) => {
            report.add(Check::configuration().failed_with(&failure));
            return None;
        }
    };
    report.add(configuration(&settings));
    let endpoint = match settings.endpoint() {
        Ok(endpoint) => endpoint.value,
        Err(failure) => {
            report.add(Check::endpoint().failed_with(&failure));
            return None;
        }
    };
    report.add(if endpoint.is_exposed() {
        let message = pick(
            format!("{endpoint}: {EXPOSED}"),
            format!("{endpoint}：{EXPOSED_ZH}"),
        );
        Check::endpoint().warning(message, pick("use https://", "请使用 https://"))
    } else {
        Check::endpoint().ok(endpoint.to_string())
    });
    // Read once: a program or a person may be asked for them.
    let given = settings.keys_or_token();
    let who = keys(&settings, &given);
    let known = who.is_ok();
    report.add(who);
    let proxy = match global.proxy(&endpoint) {
        Ok(proxy) => proxy,
        Err(error) => {
            let advice = pick(
                "correct the variable, or use --no-proxy",
                "请改正该环境变量，或使用 --no-proxy",
            );
            let check = Check::proxy().failed(Exit::Usage, error.to_string(), advice);
            report.add(check);
            return None;
        }
    };
    if let Some(check) = by_proxy(&proxy) {
        report.add(check);
    }
    if proxy.is_err() {
        let (check, addresses) = resolve(&endpoint, global.connect_timeout);
        let resolved = check.is_ok();
        report.add(check);
        if !resolved {
            return None;
        }
        let check = connect(&addresses, global.connect_timeout);
        let connected = check.is_ok();
        report.add(check);
        if !connected {
            return None;
        }
    }
    let given = given.ok().flatten().filter(|_| known)?;
    let remote = call(global, &settings, given, &endpoint, report)?;
    Some((remote, endpoint))
}

fn configuration(settings: &Settings<'_>) -> Check {
    let path = settings.file().place();
    let message = match settings.profile() {
        Some(profile) => pick(
            format!("profile {} of {path}", profile.name()),
            format!("{path} 中的配置 {}", profile.name()),
        ),
        None => pick(
            format!("no profile in use ({path}); options and variables count"),
            format!("没有使用配置（{path}）；以选项和环境变量为准"),
        ),
    };
    Check::configuration().ok(message)
}

/// Whether there is anything to sign with, and whether it can be read.
fn keys(settings: &Settings<'_>, given: &Result<Option<Given>, Failure>) -> Check {
    let check = Check::keys();
    let from = match settings.identity() {
        Ok(Identity::Token(source)) => source.shown(),
        Ok(Identity::Keys(Some(access_key), Some(secret_key))) if access_key == secret_key => {
            access_key.shown()
        }
        Ok(Identity::Keys(Some(access_key), Some(secret_key))) => {
            format!("{}, {}", access_key.shown(), secret_key.shown())
        }
        Ok(_) => String::new(),
        Err(failure) => return check.failed_with(&failure),
    };
    match given {
        Err(failure) => check.failed_with(failure),
        Ok(None) => check.failed_with(&crate::settings::no_credentials()),
        Ok(Some(Given::Keys(_))) => check.ok(pick(
            format!("a pair of keys from {from}"),
            format!("密钥来自 {from}"),
        )),
        Ok(Some(Given::Token(token))) => {
            let Ok(descriptor) = token.decode() else {
                return check.failed(
                    Exit::Refused,
                    pick(
                        format!("the token from {from} cannot be read"),
                        format!("来自 {from} 的令牌无法解读"),
                    ),
                    pick("ask for a new one", "请重新申请"),
                );
            };
            check.ok(pick(
                format!(
                    "a token for {} {} from {from}",
                    descriptor.method, descriptor.resource
                ),
                format!(
                    "来自 {from} 的令牌，用于 {} {}",
                    descriptor.method, descriptor.resource
                ),
            ))
        }
    }
}

/// The proxy and who names it, or why there is none; nothing to say where nothing could name one.
fn by_proxy(proxy: &Result<Proxy, String>) -> Option<Check> {
    let check = Check::proxy();
    match proxy {
        Ok(proxy) => {
            let variable = proxy.variable().unwrap_or_default();
            Some(check.ok(pick(
                format!("{proxy}, which {variable} names; names and connections are its matter"),
                format!("{proxy}，由 {variable} 指定；域名解析和连接由代理负责"),
            )))
        }
        Err(why) => {
            let set = |name: &&str| {
                crate::variables::own_variable(name).is_some_and(|value| !value.is_empty())
            };
            VARIABLES
                .iter()
                .any(set)
                .then(|| check.ok(pick(format!("none: {why}"), format!("无：{why}"))))
        }
    }
}

/// Looks the host up, on a thread of its own since the system's resolver cannot be told to stop.
fn resolve(endpoint: &Endpoint, timeout: Duration) -> (Check, Vec<SocketAddr>) {
    let check = Check::resolution();
    let host = endpoint.host().to_owned();
    let port = endpoint.port();
    if let Ok(address) = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>()
    {
        let message = pick("an address, which needs no look-up", "是地址，无需解析");
        return (check.ok(message.to_owned()), vec![(address, port).into()]);
    }
    let (tell, told) = mpsc::channel();
    let name = host.clone();
    thread::spawn(move || {
        let found = (name.as_str(), port)
            .to_socket_addrs()
            .map(Iterator::collect);
        // Nobody listens any more if it took too long.
        let _ = tell.send(found);
    });
    let advice = pick(
        "check the host in the endpoint, and this machine's DNS",
        "请检查服务地址中的主机名和本机 DNS",
    );
    let addresses: Vec<SocketAddr> = match told.recv_timeout(timeout) {
        Ok(Ok(addresses)) => addresses,
        Ok(Err(error)) => {
            let check = check.failed(Exit::Network, format!("{host}: {error}"), advice);
            return (check, Vec::new());
        }
        Err(_) => {
            let message = pick(
                format!("{host}: no response within {}", Short(timeout)),
                format!("{host}：{} 内没有结果", Short(timeout)),
            );
            return (check.failed(Exit::Network, message, advice), Vec::new());
        }
    };
    let Some(first) = addresses.first() else {
        let message = pick(format!("{host} has no address"), format!("{host} 没有地址"));
        return (check.failed(Exit::Network, message, advice), Vec::new());
    };
    let more = match addresses.len() - 1 {
        0 => String::new(),
        more => pick(
            format!(" and {more} more"),
            format!(" 等 {} 个地址", more + 1),
        ),
    };
    let check = check.ok(pick(
        format!("{host} is {}{more}", first.ip()),
        format!("{host} 的地址是 {}{more}", first.ip()),
    ));
    (check, addresses)
}

fn connect(addresses: &[SocketAddr], timeout: Duration) -> Check {
    let mut last = String::new();
    for address in addresses {
        match TcpStream::connect_timeout(address, timeout) {
            Ok(_) => {
                return Check::connection().ok(pick(
                    format!("{address} takes connections"),
                    format!("{address} 可以连接"),
                ));
            }
            Err(error) => last = format!("{address}: {error}"),
        }
    }
    let advice = pick(
        "check the port in the endpoint, firewalls, and whether a proxy is needed (HTTPS_PROXY)",
        "请检查服务地址中的端口、防火墙，以及是否需要代理（HTTPS_PROXY）",
    );
    Check::connection().failed(Exit::Network, last, advice)
}

/// What the response to the first request shows.
#[derive(Debug, Clone, Copy)]
struct Seen {
    status: u16,
    /// The service's time less this machine's, in seconds. None without a `Date`.
    offset: Option<i64>,
    elapsed: Duration,
}

/// Lists the workflows, and draws from that what is to be known of TLS, clock and credentials.
fn call(
    global: &Global,
    settings: &Settings<'_>,
    given: Given,
    endpoint: &Endpoint,
    report: &mut Report,
) -> Option<Remote> {
    let seen: Arc<Mutex<Option<Seen>>> = Arc::default();
    let special = Special {
        endpoint: None,
        once: true,
        observer: Some(Box::new({
            let seen = Arc::clone(&seen);
            move |_: &Observed, event: &Event<'_>| note(&seen, event)
        })),
    };
    let remote = match global.remote_with(settings, Some(given), special) {
        Ok(remote) => remote,
        Err(failure) => {
            report.add(Check::tls().failed_with(&failure));
            return None;
        }
    };
    let result = remote.try_send(ListWorkflows::new());
    let seen = *seen.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(seen) = seen else {
        if let Err(error) = result {
            report.add(no_response(&error, endpoint));
        }
        return None;
    };
    if endpoint.is_https() {
        report.add(Check::tls().ok(pick("the certificate is trusted", "证书可信").to_owned()));
    }
    report.add(Check::service().ok(pick(
        format!(
            "answered with HTTP {} after {}",
            seen.status,
            Short(seen.elapsed)
        ),
        format!("{} 后应答 HTTP {}", Short(seen.elapsed), seen.status),
    )));
    report.add(clock(seen.offset, global, endpoint));
    let check = match result {
        Ok(workflows) => Check::credentials().ok(pick(
            match workflows.len() {
                1 => "accepted; the account has one workflow".to_owned(),
                count => format!("accepted; the account has {count} workflows"),
            },
            format!("已接受；账号下有 {} 个工作流", workflows.len()),
        )),
        Err(error) => refused(&error, endpoint),
    };
    let failed = check.is_failed();
    report.add(check);
    (!failed).then_some(remote)
}

fn note(seen: &Mutex<Option<Seen>>, event: &Event<'_>) {
    let Event::Response {
        response: Ok(response),
        elapsed,
        ..
    } = event
    else {
        return;
    };
    let date = response.headers().get(DATE);
    let date = date.and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
    // The service wrote its date about half way between sending and now.
    let middle = SystemTime::now().checked_sub(*elapsed / 2);
    let offset = date.zip(middle).map(|(theirs, ours)| {
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        match theirs.duration_since(ours) {
            Ok(ahead) => seconds(ahead),
            Err(behind) => -seconds(behind.duration()),
        }
    });
    let first = Seen {
        status: response.status().as_u16(),
        offset,
        elapsed: *elapsed,
    };
    seen.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get_or_insert(first);
}

/// The connection was made, or left to a proxy, and yet no response came.
fn no_response(error: &Error, endpoint: &Endpoint) -> Check {
    let message = describe(error, endpoint, None);
    let exit = Exit::of(error.kind());
    match Obstacle::of(error) {
        Some(obstacle @ Obstacle::Proxy) => {
            Check::connection().failed(exit, message, obstacle.advice())
        }
        Some(obstacle @ Obstacle::Tls(_)) => Check::tls().failed(exit, message, obstacle.advice()),
        None => {
            let advice = pick(
                "check that the endpoint is that of the service, and try a longer --timeout",
                "请确认服务地址正确，并尝试更长的 --timeout",
            );
            Check::service().failed(exit, message, advice)
        }
    }
}

/// The service allows 15 minutes; half of it is reason enough to say something.
fn clock(offset: Option<i64>, global: &Global, endpoint: &Endpoint) -> Check {
    let check = Check::clock();
    let Some(offset) = offset else {
        return check.skipped(pick(
            "the response does not show the service's time",
            "应答中没有服务的时间",
        ));
    };
    let seconds = offset.unsigned_abs();
    let message = match offset {
        -2..=2 => pick("agrees with the service's", "与服务一致").to_owned(),
        3.. => pick(
            format!("{seconds} s behind the service's"),
            format!("比服务慢 {seconds} 秒"),
        ),
        _ => pick(
            format!("{seconds} s ahead of the service's"),
            format!("比服务快 {seconds} 秒"),
        ),
    };
    if seconds > 15 * 60 / 2 {
        let limit = global
            .correct_clock
            .unwrap_or(Duration::from_secs(24 * 3600));
        let trusted = global.correct_clock.is_some() || !endpoint.is_exposed();
        let advice = if trusted && seconds <= limit.as_secs() {
            pick(
                "set this machine's clock; 15 minutes are allowed, and the client makes up for it meanwhile",
                "请校准本机时钟；允许的偏差是 15 分钟，此前客户端会自动修正",
            )
        } else {
            pick(
                "set this machine's clock; 15 minutes are allowed, and without --correct-clock the client does \
                 not make up for this much, or for anything over plain http to another machine",
                "请校准本机时钟；允许的偏差是 15 分钟。偏差过大，或以明文 http 访问另一台机器时，除非指定 \
                 --correct-clock，客户端不会自动修正",
            )
        };
        return check.warning(message, advice);
    }
    check.ok(message)
}

fn refused(error: &Error, endpoint: &Endpoint) -> Check {
    let check = Check::credentials();
    let message = describe(error, endpoint, None);
    match error.api().and_then(pipeline_proto::ApiError::refusal) {
        Some(RefusalCause::TokenMismatch(_)) => check.skipped(pick(
            "the token is not for listing workflows, so this cannot be tried",
            "令牌不能用于列出工作流，无法在此验证",
        )),
        Some(_) => check.failed(
            Exit::Refused,
            message,
            pick(
                "`pipeline config explain` shows where the credentials come from",
                "`pipeline config explain` 会显示凭证的来源",
            ),
        ),
        None => check.failed(
            Exit::of(error.kind()),
            message,
            pick(
                "`pipeline explain CODE` says more about a code of the service",
                "`pipeline explain CODE` 会说明服务的错误码",
            ),
        ),
    }
}
