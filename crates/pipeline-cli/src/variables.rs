//! The variables of the environment that this program reads for itself.

use std::{env, ffi::OsString};

/// What this program, or a library for it, reads beside what begins with `PANDORA_` and ends with `_PROXY`.
const OTHERS: [&str; 15] = [
    // Where the configuration is.
    "HOME",
    "XDG_CONFIG_HOME",
    "USERPROFILE",
    "APPDATA",
    // How it writes.
    "TERM",
    "NO_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "LC_ALL",
    "LC_MESSAGES",
    "LANG",
    "TZ",
    // Whether it is a CGI program, where HTTP_PROXY does not count.
    "REQUEST_METHOD",
    // How a shell asks for completions.
    "COMPLETE",
    "_CLAP_COMPLETE_INDEX",
];

/// Whether this program reads the variable for itself. Those that begin with `PANDORA_` are kept for it,
/// and so are all proxies, which may have a password. Where names have no case, another spelling is the
/// same variable.
pub(crate) fn is_own_variable(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    name.starts_with("PANDORA_") || name.ends_with("_PROXY") || OTHERS.contains(&&*name)
}

/// A variable that this program reads for itself. Nothing else reads one, but what fills in a workflow
/// file: so no variable can be read by both.
pub(crate) fn own_variable(name: &str) -> Option<OsString> {
    debug_assert!(
        is_own_variable(name),
        "{name} can be used in workflow files"
    );
    env::var_os(name)
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::{Path, PathBuf},
    };

    use super::*;

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else {
                found.push(path);
            }
        }
    }

    /// [`own_variable`] looks at the name of each, in every test that runs the command.
    #[test]
    fn every_variable_is_read_at_one_place_and_every_one_that_a_help_text_names_is_kept_from_files()
    {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut all = Vec::new();
        sources(&root, &mut all);
        let mut readers = Vec::new();
        for path in &all {
            let text = fs::read_to_string(path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
            if code.contains("env::var") {
                readers.push(path.strip_prefix(&root).unwrap());
            }
            for name in code.split("[env: ").skip(1) {
                let name = name.split(']').next().unwrap();
                assert!(is_own_variable(name), "{name} in {path:?}");
            }
        }
        readers.sort();
        let one_each = ["command/workflow/source.rs", "variables.rs"].map(Path::new);
        assert_eq!(readers, one_each);
    }
}
