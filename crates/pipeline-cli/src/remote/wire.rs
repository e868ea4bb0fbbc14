//! What goes over the wire: shown, recorded, and played back.

mod record;
mod replay;
mod show;

use http::{
    HeaderMap,
    header::{AUTHORIZATION, HeaderName, PROXY_AUTHORIZATION, SET_COOKIE},
};

pub(crate) use record::Recorder;
pub(crate) use replay::Replay;
pub(crate) use show::show;

/// Headers that are credentials, or stand for one.
const SECRET: [HeaderName; 3] = [AUTHORIZATION, PROXY_AUTHORIZATION, SET_COOKIE];

/// Names and values, with credentials hidden.
fn shown(headers: &HeaderMap) -> impl Iterator<Item = (&str, String)> {
    headers.iter().map(|(name, value)| {
        let text = String::from_utf8_lossy(value.as_bytes());
        if !SECRET.contains(name) && !value.is_sensitive() {
            return (name.as_str(), text.into_owned());
        }
        // The scheme helps to see what kind of credential it was.
        let scheme = text.split_once(' ').map(|(scheme, _)| scheme);
        let scheme = scheme.map_or_else(String::new, |scheme| format!("{scheme} "));
        (name.as_str(), format!("{scheme}[hidden]"))
    })
}
