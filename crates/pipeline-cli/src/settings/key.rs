//! Keys as they come: from variables, files and programs, with what such places add to them.

use std::{fs::Metadata, path::Path};

use zeroize::Zeroizing;

use super::{ALLOW_OPEN_FILES, path_variable};
use crate::{
    failure::Failure,
    file::read::{self, trimmed},
    interrupt,
    output::note,
};

/// A pair of keys that can be keys. Wiped when dropped.
pub(crate) struct RawKeys {
    pub(crate) access_key: Zeroizing<String>,
    pub(crate) secret_key: Zeroizing<String>,
}

impl RawKeys {
    /// Each with the place that it comes from.
    pub(crate) fn new(
        (access_key, of_access_key): (&str, &str),
        (secret_key, of_secret_key): (&str, &str),
    ) -> Result<Self, Failure> {
        let clean = |what: &str, text: &str, from: &str| {
            clean(text).map_err(|failure| {
                Failure::new(
                    failure.exit(),
                    format!("{from}: the {what} key cannot be right: {failure}"),
                )
            })
        };
        Ok(Self {
            access_key: clean("access", access_key, of_access_key)?,
            secret_key: clean("secret", secret_key, of_secret_key)?,
        })
    }
}

/// A key without what surely does not belong to it. What could never be a key is named, by its place
/// and not by its text: the service would only say that the signature is wrong.
pub(super) fn clean(text: &str) -> Result<Zeroizing<String>, Failure> {
    let text = trimmed(text);
    if text.is_empty() {
        return Err(Failure::usage("it is empty"));
    }
    if text.starts_with(['"', '\'']) || text.ends_with(['"', '\'']) {
        return Err(Failure::usage(
            "it stands in quotes, which do not belong to it",
        ));
    }
    let wrong = text.chars().zip(1..).find(|(c, _)| !c.is_ascii_graphic());
    if let Some((c, position)) = wrong {
        let what = match c {
            '\n' | '\r' => "the end of a line",
            c if c.is_whitespace() => "a blank",
            c if c.is_control() => "a control character",
            _ => "a character that is not ASCII",
        };
        return Err(Failure::usage(format!(
            "character {position} of it is {what}"
        )));
    }
    Ok(Zeroizing::new(text.to_owned()))
}

/// Whether files with secrets may be open to others, as on a mount whose modes nobody can change.
pub(crate) fn allows_open_files() -> bool {
    let value = path_variable(ALLOW_OPEN_FILES).unwrap_or_default();
    let no = ["", "0", "false", "no", "off"];
    !no.iter()
        .any(|no| value.as_os_str().eq_ignore_ascii_case(no))
}

/// What is to be said about a file with secrets that others can read.
#[cfg(unix)]
pub(crate) fn open_to_others(found: &Metadata, path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = found.permissions().mode() & 0o777;
    let path = path.display();
    let is_open = found.is_file() && mode & 0o077 != 0 && !allows_open_files();
    is_open.then(|| {
        format!(
            "{path} is open to others (mode {mode:o}): run `chmod 600 {path}`, or set {ALLOW_OPEN_FILES}=1 \
             where that cannot be done"
        )
    })
}

#[cfg(not(unix))]
pub(crate) fn open_to_others(_: &Metadata, _: &Path) -> Option<String> {
    None
}

/// Reads a file with a secret. Mounted secrets are often open to others, so that is only said.
pub(super) fn read_file(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let secret = read::secret(path)?;
    if !interrupt::is_quiet()
        && let Ok(found) = path.metadata()
        && let Some(line) = open_to_others(&found, path)
    {
        note(format_args!("warning: {}", crate::failure::one_line(&line)));
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_around_a_key_goes_and_anything_else_is_named_by_its_place() {
        for text in [
            "AK",
            "AK\n",
            " AK\r\n",
            "\u{feff}AK",
            "\t\u{feff} AK \u{a0}\n\n",
        ] {
            assert_eq!(clean(text).unwrap().as_str(), "AK", "{text:?}");
        }
        for (text, says) in [
            ("", "empty"),
            (" \r\n", "empty"),
            ("\"AK\"", "quotes"),
            ("'AK", "quotes"),
            ("A K", "character 2 of it is a blank"),
            ("A\nK", "character 2 of it is the end of a line"),
            ("AK\u{1b}K", "character 3 of it is a control character"),
            ("钥AK", "character 1 of it is a character that is not ASCII"),
            ("A\u{200b}K", "not ASCII"),
        ] {
            let failure = clean(text).unwrap_err().to_string();
            assert!(failure.contains(says), "{text:?}: {failure}");
            assert!(text.is_empty() || !failure.contains(text), "{failure}");
        }
    }
}
