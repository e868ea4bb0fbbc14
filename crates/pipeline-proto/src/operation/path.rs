//! Paths with placeholders, checked while they are compiled.

use http::Method;

use super::RequestTemplate;
use crate::name::{InPath, Name};

/// What a placeholder stands for. A name of a kind that has no place in a path does not compile.
pub(crate) fn segment<K: InPath>(name: &Name<K>) -> &str {
    name.as_str()
}

/// A path such as `/v2/repos/{name}`, with `N` placeholders.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Path<const N: usize> {
    text: &'static str,
    /// Where each placeholder starts and ends, so that nothing is parsed when a request is built.
    cuts: [(usize, usize); N],
}

impl<const N: usize> Path<N> {
    /// Takes a path whose segments are plain or one of these placeholders, all in their order.
    ///
    /// # Panics
    ///
    /// If it is not so. In a constant, which is where a table of operations has its paths, that is an
    /// error of compilation.
    #[track_caller]
    pub(crate) const fn new(text: &'static str, keys: [&str; N]) -> Self {
        let bytes = text.as_bytes();
        let (mut at, mut key, mut cuts) = (0, 0, [(0, 0); N]);
        while at < bytes.len() {
            assert!(bytes[at] == b'/', "a path starts with '/'");
            let start = at + 1;
            at = start;
            while at < bytes.len() && bytes[at] != b'/' {
                at += 1;
            }
            assert!(at > start, "a segment of the path is empty");
            if bytes[start] == b'{' {
                assert!(key < N, "the path has a placeholder without a key");
                assert!(
                    is_braced(bytes, start, at, keys[key].as_bytes()),
                    "a placeholder of the path is not the key of its place in braces"
                );
                cuts[key] = (start, at);
                key += 1;
            } else {
                assert!(
                    is_word(bytes, start, at),
                    "a segment of the path has other characters than letters, digits, '_' and '-'"
                );
            }
        }
        assert!(key == N, "a key is not in the path");
        Self { text, cuts }
    }

    /// A request for this path. The values are names, legal by construction.
    pub(crate) fn template(&self, method: Method, values: [&str; N]) -> RequestTemplate {
        let mut template = RequestTemplate::empty(method);
        let (text, mut from) = (self.text.as_bytes(), 0);
        for ((start, end), value) in self.cuts.into_iter().zip(values) {
            template.target.extend_from_slice(&text[from..start]);
            template.target.extend_from_slice(value.as_bytes());
            from = end;
        }
        template.target.extend_from_slice(&text[from..]);
        template
    }
}

const fn is_braced(text: &[u8], start: usize, end: usize, key: &[u8]) -> bool {
    if end - start != key.len() + 2 || text[end - 1] != b'}' {
        return false;
    }
    let mut i = 0;
    while i < key.len() {
        if text[start + 1 + i] != key[i] {
            return false;
        }
        i += 1;
    }
    true
}

const fn is_word(text: &[u8], mut at: usize, end: usize) -> bool {
    while at < end {
        if !text[at].is_ascii_alphanumeric() && text[at] != b'_' && text[at] != b'-' {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    fn placeholders_are_filled_in_their_order() {
        let path = Path::new("/v2/repos/{source}/to/{name}", ["source", "name"]);
        let template = path.template(Method::POST, ["a", "b_2"]);
        assert_eq!(template.target(), "/v2/repos/a/to/b_2");
        assert_eq!(
            Path::new("/v2/repos", [])
                .template(Method::GET, [])
                .target(),
            "/v2/repos"
        );
    }

    #[test]
    fn a_path_that_does_not_fit_its_keys_is_refused() {
        for text in [
            "v2/{name}",
            "/v2//{name}",
            "/v2/{name",
            "/v2/{nam}",
            "/v2",
            "/v2/{name}/{name}",
            "/v2/{name}x",
            "/v2/a b/{name}",
            "/v2/{name}/",
        ] {
            assert!(
                catch_unwind(|| Path::new(text, ["name"])).is_err(),
                "{text}"
            );
        }
    }
}
