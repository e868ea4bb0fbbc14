//! Errors in Chinese. What the service and the library below say of themselves stays as it came.

use std::fmt::Write as _;

use pipeline_proto::{
    ApiError, Cause, Effect, Error, ErrorCode, Fault, FaultKind, Phase, RefusalCause, StopReason,
    Uncorrected,
    wait::{Goal, WaitError, WaitFailure},
};

/// An error of a call, without the operation.
pub(crate) fn call(error: &Error) -> String {
    let mut line = String::new();
    match error.cause() {
        Cause::Deadline { total, last } => {
            let _ = write!(line, "未能在 {total:?} 内完成");
            if let Some(last) = last {
                let _ = write!(line, "；最后一次尝试的结果：{}", cause(last));
            }
        }
        other => line.push_str(&cause(other)),
    }
    let attempts = error.attempts();
    // Writing to a string cannot fail.
    let _ = match error.stop_reason() {
        _ if attempts < 2 => Ok(()),
        StopReason::BudgetExhausted => write!(line, " [尝试 {attempts} 次，等待时间已用完]"),
        StopReason::DeadlineNear => write!(line, " [尝试 {attempts} 次，已到时限]"),
        _ => write!(line, " [尝试 {attempts} 次]"),
    };
    if error.effect() == Effect::Possible {
        line.push_str("；操作可能已经生效");
    }
    line
}

fn cause(cause: &Cause) -> String {
    match cause {
        Cause::Build(error) => format!("请求无效：{error}"),
        Cause::Api(error) => api(error),
        Cause::Decode(error) => format!("无法读懂应答：{error}"),
        Cause::Fault(error) => fault(error),
        _ => "未能按时完成".to_owned(),
    }
}

fn api(error: &ApiError) -> String {
    let mut parts = Vec::new();
    if let Some(code) = error.code() {
        let meaning = code.info().map(|info| format!("，{}", info.meaning_zh));
        parts.push(format!("{code}{}", meaning.unwrap_or_default()));
    } else if error.status().is_redirection() {
        let target = error.redirect().unwrap_or("别处");
        parts.push(format!(
            "服务要求重定向到 {target}；为避免泄露签名，不会跟随"
        ));
    } else if let Some(meaning) = status(error.status().as_u16()) {
        parts.push(meaning.to_owned());
    }
    // A message may begin with the meaning that was just written.
    let meaning = error.code().and_then(ErrorCode::info);
    let message = error.message();
    let message = meaning
        .and_then(|info| message.strip_prefix(info.meaning))
        .map_or(message, |rest| rest.trim_start_matches([':', ' ']));
    if !message.is_empty() {
        parts.push(message.chars().take(200).collect());
    }
    if parts.is_empty() {
        parts.push("没有说明".to_owned());
    }
    let mut line = parts.join("：");
    let _ = write!(line, "（HTTP {}", error.status().as_u16());
    if let Some(id) = error.request_id() {
        let _ = write!(line, "，请求 {id}");
    }
    line.push('）');
    if let Some(cause) = error.refusal() {
        let _ = write!(line, "；{}", refusal(cause));
    }
    let signed: Vec<&str> = error
        .signed_headers()
        .iter()
        .take(5)
        .map(http::HeaderName::as_str)
        .collect();
    if !signed.is_empty() {
        let _ = write!(
            line,
            "，并确认途中没有丢弃或改动参与签名的头部：{}",
            signed.join("、")
        );
    }
    match error.uncorrected() {
        Some(Uncorrected::TooFar(limit)) => {
            let _ = write!(line, "；自动修正的上限是 {} 秒", limit.as_secs());
        }
        Some(_) => line.push_str("；明文 http 途中任何人都能伪造这个时间，因此没有自动修正"),
        None => {}
    }
    line
}

/// What a status means that comes without a code.
fn status(status: u16) -> Option<&'static str> {
    Some(match status {
        401 => "鉴权失败",
        403 => "拒绝访问",
        429 => "请求过多",
        500 => "服务内部错误",
        502..=504 => "服务暂时不可用",
        200..=299 => "该服务不会给出这样的应答",
        _ => return None,
    })
}

fn refusal(cause: &RefusalCause) -> String {
    match cause {
        RefusalCause::Clock(offset) => {
            let seconds = offset.magnitude().as_secs();
            let direction = if offset.is_ahead() { "快" } else { "慢" };
            format!(
                "服务的时钟比本机{direction} {seconds} 秒，而允许的偏差是 15 分钟：请校准本机时钟"
            )
        }
        RefusalCause::TokenExpired(ago) => {
            format!("令牌已过期 {} 秒：请重新申请", ago.as_secs())
        }
        RefusalCause::TokenMismatch(member) => format!("令牌是为另一个请求签发的：{member} 不同"),
        RefusalCause::TokenUnreadable => "令牌无法解读：请重新申请".to_owned(),
        RefusalCause::NoCredentials => "请求既没有密钥签名也没有令牌".to_owned(),
        RefusalCause::TokenKeys => "签发令牌的密钥不被接受".to_owned(),
        RefusalCause::Keys => "时钟一致，请检查 access key 和 secret key".to_owned(),
        _ => "请检查 access key、secret key 和本机时钟".to_owned(),
    }
}

fn fault(fault: &Fault) -> String {
    let what = match fault.kind() {
        FaultKind::NotSent => "未能建立连接",
        FaultKind::Interrupted => "连接在收到完整应答之前中断",
        FaultKind::TimedOut => "没有按时收到应答",
        FaultKind::BodyTooLarge => "应答超过允许的大小",
        _ => "没有收到完整的应答",
    };
    let phase = fault.phase().map(|phase| match phase {
        Phase::Resolve => "查询主机地址",
        Phase::Connect => "建立连接",
        Phase::Proxy => "等待代理",
        Phase::Tls => "协商 TLS",
        Phase::Send => "发送请求",
        Phase::Body => "读取应答",
        _ => "等待应答",
    });
    phase.map_or_else(|| what.to_owned(), |phase| format!("{what}：{phase}时超时"))
}

/// An error of a wait, without the workflow's name.
pub(crate) fn wait(error: &WaitError) -> String {
    let goal = match error.goal() {
        Goal::Started => "启动",
        Goal::Stopped => "停止",
        Goal::Deleted => "删除",
        _ => "达到目标状态",
    };
    match error.failure() {
        WaitFailure::TimedOut(last) => {
            let mut line = format!(
                "在 {} 秒内（查看 {} 次）仍未{goal}",
                error.elapsed().as_secs(),
                error.polls()
            );
            // Writing to a string cannot fail.
            let _ = match (last, error.status()) {
                (Some(last), _) => write!(line, "；最后一次查看失败：{}", call(last)),
                (None, Some(status)) => write!(line, "；当前状态是 {status}"),
                (None, None) => Ok(()),
            };
            line
        }
        WaitFailure::Settled(status) => {
            format!("不会自行{goal}：当前状态是 {status}")
        }
        WaitFailure::NotFound(error) | WaitFailure::Failed(error) => call(error),
        _ => error.to_string(),
    }
}
