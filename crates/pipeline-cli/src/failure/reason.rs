//! Why something failed and what to type next, in words that a person can act on.

use std::sync::OnceLock;

use pipeline_proto::{
    Effect, Error, ErrorCode, ErrorKind, Operation, WorkflowName,
    model::{LogSearch, LogStatus, NodeId, Nodes, Status, Workflow, WorkflowState},
    resource::OPERATIONS,
    wait::Goal,
};

use crate::lang::pick;

/// The words of the commands that have an operation: `repo`, `udf jar`.
type Words = fn(operation: &str) -> Option<&'static str>;

static WORDS: OnceLock<Words> = OnceLock::new();

/// Lets errors name the commands, which are made of more than errors may know.
pub(crate) fn commands(words: Words) {
    WORDS.get_or_init(|| words);
}

fn words(operation: &str) -> Option<&'static str> {
    WORDS.get()?(operation)
}

/// So many nodes are named at most.
const MOST_NODES: usize = 5;

/// What an operation does, as a noun in both languages; none of one that shows a workflow.
pub(crate) fn noun(operation: &str) -> Option<(&'static str, &'static str)> {
    Some(match operation.split('_').next()? {
        "create" => ("creation", "创建"),
        "update" => ("update", "更新"),
        "delete" => ("deletion", "删除"),
        "start" => ("start", "启动"),
        "stop" => ("stop", "停止"),
        "list" if operation == "list_workflows" => ("list of workflows", "列出工作流"),
        "list" => ("list", "列出"),
        "search" => ("search of the logs", "搜索日志"),
        _ => return None,
    })
}

/// What a call is about: its noun, and the names that say which one.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    noun: &'static str,
    names: Vec<String>,
}

impl Subject {
    /// What an operation of the table names in its path.
    pub(crate) fn of<O: Operation>(operation: &O) -> Option<Self> {
        let info = OPERATIONS
            .iter()
            .find(|info| info.name == operation.name())?;
        let template = operation.template().ok()?;
        let pieces = info
            .path
            .split('/')
            .zip(template.target().split(['/', '?']));
        // A destination may be there already, and is not what is made.
        let names = pieces.filter(|(piece, _)| piece.starts_with('{') && *piece != "{destination}");
        let names: Vec<String> = names.map(|(_, name)| name.to_owned()).collect();
        let noun = match words(info.name) {
            Some(words) => words,
            None if info.resource == "workflow" => "workflow",
            None => return None,
        };
        (!names.is_empty()).then_some(Self { noun, names })
    }

    /// The workflow, if it is one.
    pub(crate) fn workflow(&self) -> Option<WorkflowName> {
        let name = self.names.first().filter(|_| self.noun == "workflow")?;
        WorkflowName::new(name.as_str()).ok()
    }
}

impl From<&WorkflowName> for Subject {
    fn from(name: &WorkflowName) -> Self {
        Self {
            noun: "workflow",
            names: vec![name.to_string()],
        }
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.names.join("/"))
    }
}

/// Whether a wait may start or stop the workflow itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// It only looks.
    Looking,
    /// It starts or stops as needed.
    Acting,
}

/// What is done to reach a goal, as a noun in both languages.
pub(crate) fn act(goal: Goal) -> (&'static str, &'static str) {
    match goal {
        Goal::Started => ("start", "启动"),
        _ => ("stop", "停止"),
    }
}

/// "The start failed: ", for the line of an error.
pub(crate) fn failed(operation: &str) -> String {
    let noun = noun(operation);
    noun.map_or_else(String::new, |(en, zh)| {
        pick(format!("the {en} failed: "), format!("{zh}失败："))
    })
}

/// Whether the service's code leaves open which of several reasons applies.
pub(crate) fn is_vague(error: &Error) -> bool {
    matches!(
        error.code(),
        Some(
            ErrorCode::WORKFLOW_UPDATE_FORBIDDEN
                | ErrorCode::WORKFLOW_START_FORBIDDEN
                | ErrorCode::WORKFLOW_STOP_FORBIDDEN
        )
    )
}

/// The reason for a vague code that the workflow itself shows.
pub(crate) fn of_state(error: &Error, workflow: &Workflow) -> Option<String> {
    let status = &workflow.status;
    let nothing_in_it = workflow.nodes.as_ref().is_some_and(Nodes::is_empty);
    let text = match (error.code()?, status) {
        (ErrorCode::WORKFLOW_START_FORBIDDEN, Status::Started) => {
            pick("it is started already", "它已经启动")
        }
        (ErrorCode::WORKFLOW_START_FORBIDDEN, Status::Starting) => {
            pick("it is starting already", "它正在启动")
        }
        (ErrorCode::WORKFLOW_START_FORBIDDEN, Status::Stopping) => {
            pick("it is still stopping", "它仍在停止")
        }
        (ErrorCode::WORKFLOW_START_FORBIDDEN, status) if status.is_idle() && nothing_in_it => {
            pick("it has no nodes", "它没有节点")
        }
        (ErrorCode::WORKFLOW_START_FORBIDDEN, status) if status.is_idle() => {
            pick("nothing in it can run", "其中没有可运行的节点")
        }
        (ErrorCode::WORKFLOW_STOP_FORBIDDEN, Status::Stopping) => {
            pick("it is stopping already", "它正在停止")
        }
        (ErrorCode::WORKFLOW_STOP_FORBIDDEN, Status::Starting) => {
            pick("it is still starting", "它仍在启动")
        }
        (ErrorCode::WORKFLOW_STOP_FORBIDDEN, status) if status.is_idle() => {
            pick("it is stopped already", "它已经停止")
        }
        (ErrorCode::WORKFLOW_UPDATE_FORBIDDEN, status) if !status.is_idle() => {
            return Some(pick(
                format!("it is {status}, and can be changed only while it is stopped"),
                format!("它的状态是 {status}，只有停止后才能修改"),
            ));
        }
        _ => return None,
    };
    Some(text.to_owned())
}

/// What to type next after an error, if there is a command that helps.
pub(crate) fn next(error: &Error, subject: Option<&Subject>) -> Option<String> {
    let of = |command: &str| {
        let Subject { noun, names } = subject?;
        Some(format!("pipeline {noun} {command} {}", names.join(" ")))
    };
    let is_workflow = subject.is_some_and(|subject| subject.noun == "workflow");
    if error.effect() == Effect::Possible {
        return of(if is_workflow { "status" } else { "get" });
    }
    let missing = OPERATIONS
        .iter()
        .find(|info| info.done_on.is_some() && info.done_on == error.code());
    let missing = missing.and_then(|info| words(info.name));
    match (error.code(), error.kind()) {
        _ if missing.is_some() => missing.map(|noun| format!("pipeline {noun} list")),
        (Some(_), ErrorKind::Conflict)
            if !is_workflow && error.operation().starts_with("create") =>
        {
            of("get")
        }
        // It shows what still hangs on it.
        (Some(_), ErrorKind::Conflict)
            if !is_workflow && error.operation().starts_with("delete") =>
        {
            of("describe")
        }
        (Some(ErrorCode::NOT_IMPLEMENTED), _) => Some("pipeline doctor".to_owned()),
        (Some(ErrorCode::WORKFLOW_NOT_FOUND), _) => Some("pipeline workflow list".to_owned()),
        (Some(ErrorCode::WORKFLOW_EXISTS | ErrorCode::NOTHING_TO_RUN), _) => of("get"),
        (Some(ErrorCode::WORKFLOW_UPDATE_FORBIDDEN), _) => Some(format!("{} --wait", of("stop")?)),
        (Some(ErrorCode::WORKFLOW_START_FORBIDDEN | ErrorCode::WORKFLOW_STOP_FORBIDDEN), _) => {
            of("status")
        }
        (Some(_), _) if error.kind() != ErrorKind::Unauthorized => None,
        (
            _,
            ErrorKind::Unauthorized
            | ErrorKind::Network
            | ErrorKind::Timeout
            | ErrorKind::NotFound
            | ErrorKind::UnexpectedResponse,
        ) => Some("pipeline doctor".to_owned()),
        _ => None,
    }
}

/// The nodes that are not started, if the workflow's state shows any.
pub(crate) fn nodes_not_started(state: &WorkflowState) -> Option<String> {
    let open = state
        .nodes
        .iter()
        .filter(|node| node.status != Status::Started);
    let names: Vec<String> = open
        .map(|node| {
            let id = NodeId::of(&node.name, &node.node_type);
            format!("{} ({})", id.as_str(), node.status)
        })
        .collect();
    let more = names.len().saturating_sub(MOST_NODES);
    let more = match more {
        0 => String::new(),
        more => pick(format!(" and {more} more"), format!(" 等 {more} 个")),
    };
    let shown = names.get(..MOST_NODES).unwrap_or(&names).join(", ");
    (!names.is_empty()).then(|| {
        pick(
            format!("not started: {shown}{more}"),
            format!("未启动的节点：{shown}{more}"),
        )
    })
}

/// The last reason that the logs give, preferably for a node that came to no good.
pub(crate) fn last_in_logs(found: &LogSearch) -> Option<String> {
    let latest = |is: &dyn Fn(&&LogStatus) -> bool| {
        let entries = found.status.iter().filter(|entry| !entry.reason.is_empty());
        // Of several at the same time the service names the last one first.
        entries.filter(is).reduce(|latest, entry| {
            let later = entry.timestamp.to_system_time() > latest.timestamp.to_system_time();
            if later { entry } else { latest }
        })
    };
    let up = |entry: &&LogStatus| {
        let status = Status::from(entry.status.as_str());
        !matches!(status, Status::Started | Status::Starting)
    };
    let entry = latest(&up).or_else(|| latest(&|_| true))?;
    let id = NodeId::of(&entry.name, &entry.node_type);
    let (id, reason) = (id.as_str(), &entry.reason);
    Some(pick(
        format!("the logs say of {id}: {reason}"),
        format!("日志中 {id} 的原因：{reason}"),
    ))
}
