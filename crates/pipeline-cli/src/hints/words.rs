//! The words of other tools, and what does the same here.

/// Words of kubectl, docker, systemctl and the like below a group of commands, and what does it here.
pub(super) const WORDS: &str = "
workflow: logs log tail journal => pipeline workflow search NAME
workflow: describe show info cat view inspect => pipeline workflow get NAME
workflow: rm remove del destroy drop => pipeline workflow delete NAME
workflow: ls ps ll workflows => pipeline workflow list
workflow: edit patch set replace => pipeline workflow export NAME --out FILE && pipeline workflow apply FILE
workflow: run up begin launch => pipeline workflow start NAME
workflow: down halt cancel kill => pipeline workflow stop NAME
workflow: new add init make => pipeline workflow create NAME
workflow: top follow => pipeline workflow watch NAME
workflow: check validate verify => pipeline workflow lint FILE
workflow: plan => pipeline workflow apply FILE --dry-run
workflow: draw plot dot => pipeline workflow graph FILE
config: login auth configure edit add new create => pipeline config set KEY
config: whoami current current-context path where => pipeline config explain
config: view show ls cat profiles get-contexts => pipeline config list
config: rm remove del delete drop => pipeline config unset KEY
config: use-context switch select => pipeline config use PROFILE
token: create new make issue sign => pipeline token mint
token: show view inspect describe get cat => pipeline token decode FILE
token: check validate => pipeline token verify FILE";

/// What is known of tokens and looked for all the same.
pub(super) const NO_LIST_OF_TOKENS: [&str; 7] =
    ["ls", "list", "ps", "rm", "delete", "revoke", "remove"];

/// Options by the names that they have elsewhere, and here.
pub(super) const OPTIONS: &str = "
--jobs -j --concurrency --workers -P => --parallel N
--force --assume-yes --confirm -f => --yes
--label --filter --where => --selector 'name=PATTERN,status=…'
--tail --lines --limit -n => --size N
--since --after --start-time => --from TIME
--to --before --end-time => --until TIME";

/// What such a table has for a word.
pub(super) fn meant(table: &'static str, word: &str) -> impl Iterator<Item = &'static str> {
    let rows = table.lines().filter_map(|row| row.split_once(" => "));
    rows.filter(move |(words, _)| words.split(' ').any(|it| it == word))
        .map(|(_, here)| here)
}
