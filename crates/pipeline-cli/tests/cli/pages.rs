//! The command lines in the pages: a shell reads them, and the command understands them.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
};

/// Stands in for `pipeline` and `cargo`. `--help` behind the words keeps the command from acting; it is
/// read after what stands before it.
const STAND_IN: &str = r#"#!/bin/sh
PATH=/bin:/usr/bin
case "${0##*/} $*" in
pipeline*) ;;
"cargo run -- "*) shift 2 ;;
"cargo run -q -- "*) shift 3 ;;
*) exit 0 ;;
esac
echo "$*" >> ran
"$PIPELINE" "$@" --help > help 2> complaint || { echo "$*:"; cat complaint; } >> wrong
"#;

/// Those that the pages pass to the shell, in blocks behind `$ `, each with where it stands.
fn lines(path: &Path) -> Vec<(String, String)> {
    let text = fs::read_to_string(path).unwrap().replace("\\\n", " ");
    let lines = text.lines().enumerate();
    let found = lines.filter_map(|(at, line)| Some((at, line.strip_prefix("$ ")?)));
    found
        .map(|(at, line)| (format!("{}:{}", path.display(), at + 1), line.to_owned()))
        .collect()
}

#[test]
fn the_command_understands_the_command_lines_in_the_pages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let docs = fs::read_dir(root.join("docs")).unwrap();
    let mut pages: Vec<_> = docs.map(|page| page.unwrap().path()).collect();
    pages.extend(["README.md", "README.zh-CN.md", "CONTRIBUTING.md"].map(|page| root.join(page)));
    pages.retain(|page| page.extension().is_some_and(|it| it == "md"));
    let folder = tempfile::tempdir().unwrap();
    for name in ["pipeline", "cargo"] {
        let program = folder.path().join(name);
        fs::write(&program, STAND_IN).unwrap();
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let read = |name| fs::read_to_string(folder.path().join(name)).unwrap_or_default();
    for (place, line) in pages.iter().flat_map(|page| lines(page)) {
        // Other programs are not there, so that nothing but these two runs.
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", &line])
            .env_clear()
            .env("PATH", folder.path());
        shell.env("PIPELINE", env!("CARGO_BIN_EXE_pipeline"));
        shell.current_dir(folder.path()).stdin(Stdio::null());
        let before = read("ran").len();
        shell.output().unwrap();
        let shown = line.contains("pipeline ") || line.contains("cargo run -- ");
        // What only some shells know is none of ours.
        let run = !shown || line.contains("<(") || read("ran").len() > before;
        assert!(run, "{place}: a shell cannot run `{line}`");
        assert_eq!(read("wrong"), "", "{place}: `{line}`");
    }
    assert!(read("ran").lines().count() > 30);
}
