//! What others call the commands and options.

/// Words of kubectl, docker, systemctl and the like below a group of commands, and what does it here.
pub(super) const WORDS: &[(&str, &[&str], &str)] = &[
    (
        "workflow",
        &["logs", "log", "tail", "journal"],
        "pipeline workflow search NAME",
    ),
    (
        "workflow",
        &["describe", "show", "info", "cat", "view", "inspect"],
        "pipeline workflow get NAME",
    ),
    (
        "workflow",
        &["rm", "remove", "del", "destroy", "drop"],
        "pipeline workflow delete NAME",
    ),
    (
        "workflow",
        &["ls", "ps", "ll", "workflows"],
        "pipeline workflow list",
    ),
    (
        "workflow",
        &["edit", "patch", "set", "replace"],
        "pipeline workflow export NAME --out FILE && pipeline workflow apply FILE",
    ),
    (
        "workflow",
        &["run", "up", "begin", "launch"],
        "pipeline workflow start NAME",
    ),
    (
        "workflow",
        &["down", "halt", "cancel", "kill"],
        "pipeline workflow stop NAME",
    ),
    (
        "workflow",
        &["new", "add", "init", "make"],
        "pipeline workflow create NAME",
    ),
    (
        "workflow",
        &["top", "follow"],
        "pipeline workflow watch NAME",
    ),
    (
        "workflow",
        &["check", "validate", "verify"],
        "pipeline workflow lint FILE",
    ),
    (
        "workflow",
        &["plan"],
        "pipeline workflow apply FILE --dry-run",
    ),
    (
        "workflow",
        &["draw", "plot", "dot"],
        "pipeline workflow graph FILE",
    ),
    (
        "config",
        &["login", "auth", "configure", "edit", "add", "new", "create"],
        "pipeline config set KEY",
    ),
    (
        "config",
        &["whoami", "current", "current-context", "path", "where"],
        "pipeline config explain",
    ),
    (
        "config",
        &["view", "show", "ls", "cat", "profiles", "get-contexts"],
        "pipeline config list",
    ),
    (
        "config",
        &["rm", "remove", "del", "delete", "drop"],
        "pipeline config unset KEY",
    ),
    (
        "config",
        &["use-context", "switch", "select"],
        "pipeline config use PROFILE",
    ),
    (
        "token",
        &["create", "new", "make", "issue", "sign"],
        "pipeline token mint",
    ),
    (
        "token",
        &["show", "view", "inspect", "describe", "get", "cat"],
        "pipeline token decode FILE",
    ),
    (
        "token",
        &["check", "validate"],
        "pipeline token verify FILE",
    ),
];

/// What is known of tokens and looked for all the same.
pub(super) const NO_LIST_OF_TOKENS: &[&str] =
    &["ls", "list", "ps", "rm", "delete", "revoke", "remove"];

/// Options by the names that they have elsewhere: those, the option here, and how it is written.
pub(super) const OPTIONS: &[(&[&str], &str, &str)] = &[
    (
        &["--jobs", "-j", "--concurrency", "--workers", "-P"],
        "parallel",
        "--parallel N",
    ),
    (
        &["--force", "--assume-yes", "--confirm", "-f"],
        "yes",
        "--yes",
    ),
    (
        &["--label", "--filter", "--where"],
        "selector",
        "--selector 'name=PATTERN,status=…'",
    ),
    (&["--tail", "--lines", "--limit", "-n"], "size", "--size N"),
    (
        &["--since", "--after", "--start-time"],
        "from",
        "--from TIME",
    ),
    (&["--to", "--before", "--end-time"], "until", "--until TIME"),
];
