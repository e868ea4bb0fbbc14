//! A command for curl that sends what was signed, and nothing that would change it.

use std::fmt::Write as _;

use http::{
    Method,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
    request::Parts,
};
use shell_words::quote;

use super::url::Url;

pub(super) fn command(parts: &Parts, url: &Url, authorization: &str, data: Option<&str>) -> String {
    let mut line = String::from("curl -sS -i --path-as-is --globoff");
    // Writing to a string cannot fail.
    let _ = match parts.method {
        Method::HEAD => write!(line, " --head"),
        _ => write!(line, " -X {}", quote(parts.method.as_str())),
    };
    let mut header = |text: &str| {
        let _ = write!(line, " \\\n  -H {}", quote(text));
    };
    for (name, value) in &parts.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        // curl drops a header without a value unless a semicolon says that it is meant.
        if value.trim().is_empty() {
            header(&format!("{name};"));
        } else {
            header(&format!("{name}: {value}"));
        }
    }
    let needs_length = matches!(parts.method, Method::POST | Method::PUT);
    if data.is_some() && !parts.headers.contains_key(CONTENT_TYPE) {
        // Of its own, curl would add the type of a form.
        header("Content-Type:");
    } else if data.is_none() && needs_length && !parts.headers.contains_key(CONTENT_LENGTH) {
        header("Content-Length: 0");
    }
    header(&format!("Authorization: {authorization}"));
    if let Some(data) = data {
        let _ = write!(line, " \\\n  --data-raw {}", quote(data));
    }
    let _ = write!(
        line,
        " \\\n  {}\n",
        quote(&format!("{}{}", url.origin, url.target))
    );
    line
}
