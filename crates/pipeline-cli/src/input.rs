//! What is read from files and from standard input.

use std::{
    fs,
    io::{self, Read as _},
    path::Path,
};

use zeroize::Zeroizing;

use crate::failure::Failure;

/// Reads a file, or standard input if its name is `-`.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    String::from_utf8(read_bytes(path)?)
        .map_err(|_| Failure::usage(format!("{} is not valid UTF-8", path.display())))
}

/// Reads a file, or standard input if its name is `-`, which need not be text.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        io::stdin()
            .read_to_end(&mut bytes)
            .map_err(|error| Failure::io("standard input", &error))?;
        return Ok(bytes);
    }
    fs::read(path).map_err(|error| Failure::io(&path.display().to_string(), &error))
}

/// Reads a secret: the whole text but for the end of its last line.
pub(crate) fn read_secret(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = Zeroizing::new(read(path)?);
    let secret = text.strip_suffix('\n').unwrap_or(&text);
    let secret = secret.strip_suffix('\r').unwrap_or(secret);
    if secret.is_empty() {
        return Err(Failure::usage(format!("{} is empty", path.display())));
    }
    Ok(Zeroizing::new(secret.to_owned()))
}
