//! Headers as they are given on the command line or in a line of JSON.

use http::{HeaderMap, HeaderName, HeaderValue};

/// Adds a header. Of a repeated one the first value counts, so it is kept as well as the others.
pub(crate) fn append(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), String> {
    let parsed: HeaderName = name
        .parse()
        .map_err(|_| format!("{name:?} cannot be the name of a header"))?;
    let value = HeaderValue::from_bytes(value.as_bytes())
        .map_err(|_| format!("the value of header {parsed} has control characters"))?;
    headers
        .try_append(parsed, value)
        .map_err(|_| "there are too many headers".to_owned())?;
    Ok(())
}

/// Splits `Name: value`.
pub(crate) fn split(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("write it as 'Name: value'")?;
    Ok((
        name.trim().to_owned(),
        value.trim_matches([' ', '\t']).to_owned(),
    ))
}

/// All headers of the command line.
pub(crate) fn map(headers: &[(String, String)]) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        append(&mut map, name, value)?;
    }
    Ok(map)
}
