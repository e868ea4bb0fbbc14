//! URLs as people and other programs write them, of which not all characters are legal in HTTP.

use http::Uri;

/// A URL in parts. What is not legal in a request target is percent-encoded, so that decoding gives
/// the bytes that were written.
#[derive(Debug)]
pub(super) struct Url {
    /// Scheme and authority as they were written; empty if the URL is a path only.
    pub(super) origin: String,
    /// Path and query.
    pub(super) target: Uri,
}

impl Url {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.chars().any(|c| c.is_ascii_control()) {
            return Err("the URL has control characters".to_owned());
        }
        let (text, _fragment) = text.split_once('#').unwrap_or((text, ""));
        let origin = match text.split_once("://") {
            Some((scheme, rest)) if is_scheme(scheme) => {
                let authority = rest.find(['/', '?']).unwrap_or(rest.len());
                if authority == 0 {
                    return Err("the URL has no host".to_owned());
                }
                &text[..scheme.len() + 3 + authority]
            }
            _ if text.starts_with('/') => "",
            _ => return Err("the URL must start with https://, http:// or /".to_owned()),
        };
        let rest = &text[origin.len()..];
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        let mut target = String::with_capacity(rest.len() + 1);
        if path.is_empty() {
            // What HTTP sends for it.
            target.push('/');
        }
        encode(&mut target, path, b"-._~!$&'()*+,;=:@/%");
        if let Some(query) = query {
            target.push('?');
            encode(&mut target, query, b"-._~!$&'()*+,;=:@/%?");
        }
        let target = http::uri::PathAndQuery::try_from(target)
            .map(Uri::from)
            .map_err(|_| "the URL is too long to be sent".to_owned())?;
        Ok(Self {
            origin: origin.to_owned(),
            target,
        })
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

/// Percent-encodes whatever is neither a letter, a digit, nor one of these.
fn encode(out: &mut String, text: &str, legal: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || legal.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipeline_proto::sign::canonical_resource;

    fn signed(url: &str) -> String {
        let url = Url::parse(url).unwrap();
        let path = canonical_resource(url.target.path()).unwrap().into_owned();
        String::from_utf8(path).unwrap()
    }

    #[test]
    fn the_decoded_path_is_what_was_written() {
        for (url, path) in [
            ("https://host/v2/workflows", "/v2/workflows"),
            ("https://host/a b{c}\"<>\\^`|", "/a b{c}\"<>\\^`|"),
            ("https://host/工作流", "/工作流"),
            ("https://host/a%2Fb%20c", "/a/b c"),
            ("https://host/a+b", "/a+b"),
            ("https://host//a/../b/", "//a/../b/"),
            ("https://host/a?b=/c#d", "/a"),
            ("https://host/a#b?c", "/a"),
            ("https://host", "/"),
            ("https://host?a=b", "/"),
            ("http://[::1]:8080/a:b@c;d", "/a:b@c;d"),
            ("/v2/x?u=http://y", "/v2/x"),
            ("//a", "//a"),
        ] {
            assert_eq!(signed(url), path, "{url}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for url in [
            "",
            "v2/workflows",
            "host/v2",
            "https://",
            "https:///a",
            "a b://c/",
            "/a\nb",
        ] {
            assert!(Url::parse(url).is_err(), "{url:?}");
        }
        assert!(Url::parse(&format!("/{}", "a".repeat(70_000))).is_err());
    }
}
