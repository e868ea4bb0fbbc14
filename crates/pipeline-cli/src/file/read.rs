//! What is read from files and from standard input.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read as _},
    path::Path,
};

use zeroize::Zeroizing;

use super::used;
use crate::failure::Failure;

/// Reads a file, or standard input if its name is `-`. This run cannot write to it any more.
pub(crate) fn text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(bytes(path)?)
        .map_err(|_| Failure::usage(format!("{} is not valid UTF-8", path.display())))
}

/// Reads a file, or standard input if its name is `-`, which need not be text.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = open(path)?.read_to_end(&mut bytes);
    read.map_err(|error| Failure::io(&shown(path), &error))?;
    Ok(bytes)
}

/// Opens a file, or standard input if its name is `-`, to be read in parts.
pub(crate) fn open(path: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if path.as_os_str() == "-" {
        #[cfg(unix)]
        {
            use std::os::fd::AsFd as _;
            let stdin = io::stdin().as_fd().try_clone_to_owned().map(File::from);
            used::reads(&stdin.and_then(|stdin| stdin.metadata()), path)?;
        }
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(path).map_err(|error| Failure::io(&shown(path), &error))?;
    used::reads(&file.metadata(), path)?;
    Ok(Box::new(BufReader::new(file)))
}

/// A file as messages call it.
pub(crate) fn shown(path: &Path) -> String {
    match path.to_str() {
        Some("-") => "standard input".to_owned(),
        _ => path.display().to_string(),
    }
}

/// Reads a secret: the whole text but for what stands around it.
pub(crate) fn secret(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = Zeroizing::new(text(path)?);
    let secret = trimmed(&text);
    if secret.is_empty() {
        return Err(Failure::usage(format!("{} is empty", shown(path))));
    }
    Ok(Zeroizing::new(secret.to_owned()))
}

/// Without what editors, shells and pasting put around a text: blanks, line ends, a byte order mark.
pub(crate) fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
}
