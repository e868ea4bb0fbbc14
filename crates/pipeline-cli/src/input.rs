//! What is read from files and from standard input.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use zeroize::Zeroizing;

use crate::{failure::Failure, file};

/// Reads a file, or standard input if its name is `-`. This run cannot write to it any more.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    String::from_utf8(read_bytes(path)?)
        .map_err(|_| Failure::usage(format!("{} is not valid UTF-8", path.display())))
}

/// Reads a file, or standard input if its name is `-`, which need not be text.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        #[cfg(unix)]
        {
            use std::os::fd::AsFd as _;
            let stdin = io::stdin().as_fd().try_clone_to_owned().map(File::from);
            file::reads(&stdin.and_then(|stdin| stdin.metadata()), path)?;
        }
        io::stdin()
            .read_to_end(&mut bytes)
            .map_err(|error| Failure::io("standard input", &error))?;
        return Ok(bytes);
    }
    let failed = |error: io::Error| Failure::io(&path.display().to_string(), &error);
    let mut file = File::open(path).map_err(failed)?;
    file::reads(&file.metadata(), path)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// Reads a secret: the whole text but for what stands around it.
pub(crate) fn read_secret(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = Zeroizing::new(read(path)?);
    let secret = trimmed(&text);
    if secret.is_empty() {
        let what = match path.to_str() {
            Some("-") => "standard input".into(),
            _ => path.display().to_string(),
        };
        return Err(Failure::usage(format!("{what} is empty")));
    }
    Ok(Zeroizing::new(secret.to_owned()))
}

/// Without what editors, shells and pasting put around a text: blanks, line ends, a byte order mark.
pub(crate) fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
}
