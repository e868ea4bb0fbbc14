//! `Pandora <ak>:<sig>:<desc>`: a token, which allows one kind of request until it expires.

use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use http::header;
use serde::Deserialize;

use super::{BadToken, CONTENT_MD5, Presented, is_mac_of};
use crate::{account::KeyedMac, escape::unescaped};

/// What a token was made for. A missing or `null` member counts as empty, as it does in Go; with
/// `expires` that means a token that expired long ago.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    resource: Option<String>,
    expires: Option<i64>,
    #[serde(rename = "contentMD5")]
    content_md5: Option<String>,
    content_type: Option<String>,
    headers: Option<String>,
    method: Option<String>,
}

pub(super) fn verify(
    mac: &KeyedMac,
    signature: &str,
    descriptor: &str,
    request: Presented<'_>,
    server_time: u64,
) -> Result<(), BadToken> {
    // What was signed is the encoded text. So the order of its members, and how their strings were
    // escaped, is the maker's business.
    if !is_mac_of(mac, descriptor.as_bytes(), signature) {
        return Err("the token's signature does not match its descriptor".into());
    }
    let descriptor: Descriptor = URL_SAFE
        .decode(descriptor)
        .ok()
        // Serde would read an array as well, its elements in the order of the members.
        .filter(|json| json.trim_ascii_start().starts_with(b"{"))
        .and_then(|json| serde_json::from_slice(&json).ok())
        .ok_or("the token's descriptor is not a JSON object in URL-safe base64")?;
    let expires = u64::try_from(descriptor.expires.unwrap_or(0)).unwrap_or(0);
    if expires < server_time {
        let ago = server_time - expires;
        return Err(format!("the token expired {ago} s ago").into());
    }
    let agrees = |member: &Option<String>, actual: &[u8]| {
        member.as_deref().unwrap_or_default().as_bytes() == actual
    };
    for (member, holds) in [
        (
            "method",
            agrees(&descriptor.method, request.method.as_bytes()),
        ),
        (
            "resource",
            is_resource(descriptor.resource.as_deref().unwrap_or_default(), request),
        ),
        (
            "contentType",
            agrees(
                &descriptor.content_type,
                request.header(&header::CONTENT_TYPE),
            ),
        ),
        (
            "contentMD5",
            agrees(&descriptor.content_md5, request.header(&CONTENT_MD5)),
        ),
        (
            "headers",
            agrees(&descriptor.headers, &request.canonical_headers()),
        ),
    ] {
        if !holds {
            return Err(format!("the token was made for a request with another {member}").into());
        }
    }
    Ok(())
}

/// The path alone or the path with the query, each as it was sent or decoded: the sources show
/// tokens of both kinds, and names that need no escape make the other difference vanish.
fn is_resource(resource: &str, request: Presented<'_>) -> bool {
    let resource = resource.as_bytes();
    let target = request
        .uri
        .path_and_query()
        .map_or("", |target| target.as_str())
        .as_bytes();
    resource == request.path
        || resource == request.uri.path().as_bytes()
        || resource == target
        || unescaped(target).is_some_and(|target| resource == &*target)
}
