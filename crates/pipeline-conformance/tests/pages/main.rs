//! What the pages in `docs` say of the code is true: their tables are made from what it does, and
//! their Rust is compiled or taken from an example.

mod code;
mod operations;
mod retries;

use std::path::PathBuf;

/// The root of the checkout.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The text of a file of the checkout.
fn read(path: &str) -> String {
    let text = std::fs::read_to_string(root().join(path));
    text.unwrap_or_else(|error| panic!("{path}: {error}"))
        .replace("\r\n", "\n")
}
