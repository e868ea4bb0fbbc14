//! What is found out about one resource, and about pushing.

use pipeline_proto::{
    Endpoint, ErrorCode, ErrorKind, RepoName, WorkflowName,
    model::Status,
    resource::push::{Payload, PushPoints},
};

use super::check::Check;
use crate::{
    command::resource::Resource,
    exit::Exit,
    failure::{Failure, describe},
    lang::pick,
    output::plain,
    remote::Remote,
};

/// A resource as it is named to other commands: `export clicks save`, or `export clicks/save`.
pub(super) enum Named {
    Workflow(WorkflowName),
    Resource(&'static Resource, Vec<String>),
}

impl Named {
    pub(super) fn parse(words: &[String]) -> Result<Option<Self>, Failure> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let known = (1..=words.len().min(2)).rev().find_map(|count| {
            let (noun, names) = words.split_at(count);
            Some((Resource::typed(noun)?, names))
        });
        match (words.as_slice(), known) {
            ([], _) => Ok(None),
            (["workflow", name], _) => {
                let name = WorkflowName::new(*name).map_err(Failure::usage)?;
                Ok(Some(Self::Workflow(name)))
            }
            (_, Some((resource, names))) => {
                let names = names.iter().flat_map(|name| name.split('/'));
                let names: Vec<String> = names.map(ToOwned::to_owned).collect();
                resource.check(&names)?;
                Ok(Some(Self::Resource(resource, names)))
            }
            _ => {
                let nouns: Vec<&str> = Resource::words().collect();
                let line = format!(
                    "say what it is and its name, as in `pipeline doctor repo clicks`: {}",
                    nouns.join(", ")
                );
                Err(Failure::usage(line))
            }
        }
    }

    /// Whether it is there, and what keeps it from doing its work.
    pub(super) fn check(&self, remote: &Remote) -> Check {
        let check = Check::resource();
        let looked = match self {
            Self::Workflow(name) => remote.find(name).and_then(|workflow| {
                let name = name.to_string();
                let gone =
                    || Failure::new(Exit::NotFound, "there is no such workflow").about(&name);
                let status = workflow.ok_or_else(gone)?.status;
                Ok((format!("workflow {name}"), Some((name, Some(status))), None))
            }),
            Self::Resource(resource, names) => resource.state(names, remote),
        };
        let (name, workflow, failed) = match looked {
            Ok(looked) => looked,
            Err(failure) => return check.failed_with(&failure),
        };
        if let Some(run) = failed {
            let message = pick(
                format!(
                    "{name} is there, and its last run has failed: {}",
                    plain(&run)
                ),
                format!("{name} 存在，但最近一次运行失败：{}", plain(&run)),
            );
            let advice = pick(
                "`pipeline job history` shows its runs",
                "`pipeline job history` 会显示运行历史",
            );
            return check.warning(message, advice);
        }
        match workflow {
            None => check.ok(pick(format!("{name} is there"), format!("{name} 存在"))),
            Some((workflow, status)) => {
                let shown = status.as_ref().map_or("gone", Status::as_str).to_owned();
                let message = pick(
                    format!("{name} is there; workflow {workflow} is {shown}"),
                    format!("{name} 存在；工作流 {workflow} 的状态是 {shown}"),
                );
                match status {
                    Some(Status::Started | Status::Starting) => check.ok(message),
                    _ => check.warning(
                        message,
                        pick(
                            "nothing is computed or exported until it runs: `pipeline workflow start`",
                            "启动之前不会计算或导出数据：`pipeline workflow start`",
                        ),
                    ),
                }
            }
        }
    }
}

/// Pushes nothing, which shows as well as a record whether records would be taken: one that is refused for being
/// empty has passed the keys, or the token, and found its queue.
pub(super) fn push(repo: &RepoName, remote: &Remote, endpoint: &Endpoint) -> Check {
    let check = Check::push();
    let empty = Payload::from(Vec::new());
    let error = match remote.try_send(PushPoints::new(repo.clone(), empty)) {
        Err(error) if error.code() != Some(ErrorCode::ENTITY_EMPTY) => error,
        _ => {
            return check.ok(pick(
                format!("{repo} takes pushes; an empty one was tried"),
                format!("{repo} 可以写入（已用空请求验证）"),
            ));
        }
    };
    let advice = match error.kind() {
        ErrorKind::NotFound => pick(
            "`pipeline repo list` shows the message queues",
            "`pipeline repo list` 会列出消息队列",
        ),
        ErrorKind::Unauthorized | ErrorKind::Permission => pick(
            "`pipeline token mint push_points` makes a token for it",
            "`pipeline token mint push_points` 可签发写入令牌",
        ),
        _ => pick(
            "`pipeline explain CODE` says more about a code of the service",
            "`pipeline explain CODE` 会说明服务的错误码",
        ),
    };
    check.failed(
        Exit::of(error.kind()),
        describe(&error, endpoint, None),
        advice,
    )
}
