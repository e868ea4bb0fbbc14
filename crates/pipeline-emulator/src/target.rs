//! The path of a request, decoded, and what it asks for.

use std::borrow::Cow;

use http::{Method, Uri};

use crate::operation::OperationKind;

/// Undoes percent escapes; `None` when one of them is malformed.
pub(crate) fn unescaped(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    if !text.contains(&b'%') {
        return Some(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        decoded.push(if byte == b'%' {
            let mut digit = || char::from(*bytes.next()?).to_digit(16);
            let (high, low) = (digit()?, digit()?);
            u8::try_from(high * 16 + low).ok()?
        } else {
            byte
        });
    }
    Some(Cow::Owned(decoded))
}

/// Where a request goes.
pub(crate) struct Target<'a> {
    /// The path, decoded.
    pub(crate) path: Cow<'a, [u8]>,
    pub(crate) route: Route,
}

impl<'a> Target<'a> {
    pub(crate) fn of(method: &Method, uri: &'a Uri) -> Self {
        let raw = uri.path().as_bytes();
        match unescaped(raw) {
            Some(path) => Self {
                route: Route::of(method, &path),
                path,
            },
            None => Self {
                route: Route::Malformed,
                path: Cow::Borrowed(raw),
            },
        }
    }
}

/// What a method and a path ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// One of the nine operations, with the name from the path as it was written, legal or not.
    Operation(OperationKind, Option<String>),
    /// A known path with a method that it does not have.
    WrongMethod { allow: &'static str },
    /// A path that the service does not have.
    Unknown,
    /// A path with a percent escape that is none.
    Malformed,
}

impl Route {
    fn of(method: &Method, path: &[u8]) -> Self {
        // A name that is no UTF-8 is no legal name either; the lossy text says so well enough.
        let path = String::from_utf8_lossy(path);
        let Some(rest) = path.strip_prefix("/v2/workflows") else {
            return Self::Unknown;
        };
        let mut segments = rest.split('/');
        // What stands between `workflows` and the first slash.
        if segments.next() != Some("") {
            return Self::Unknown;
        }
        let (name, action) = (segments.next(), segments.next());
        let (operation, allow) = match (name, action, segments.next()) {
            (None, ..) => match *method {
                Method::GET => (Some(OperationKind::List), ""),
                _ => (None, "GET"),
            },
            (Some(_), None, _) => match *method {
                Method::POST => (Some(OperationKind::Create), ""),
                Method::PUT => (Some(OperationKind::Update), ""),
                Method::GET => (Some(OperationKind::Get), ""),
                Method::DELETE => (Some(OperationKind::Delete), ""),
                _ => (None, "GET, POST, PUT, DELETE"),
            },
            (Some(_), Some("status"), None) => match *method {
                Method::GET => (Some(OperationKind::Status), ""),
                _ => (None, "GET"),
            },
            (Some(_), Some(action @ ("start" | "stop" | "search")), None) => match *method {
                Method::POST => (
                    Some(match action {
                        "start" => OperationKind::Start,
                        "stop" => OperationKind::Stop,
                        _ => OperationKind::Search,
                    }),
                    "",
                ),
                _ => (None, "POST"),
            },
            _ => return Self::Unknown,
        };
        match operation {
            Some(operation) => Self::Operation(operation, name.map(str::to_owned)),
            None => Self::WrongMethod { allow },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, target: &'static str) -> Route {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        Target::of(&method, &Uri::from_static(target)).route
    }

    fn named(operation: OperationKind, name: &str) -> Route {
        Route::Operation(operation, Some(name.to_owned()))
    }

    #[test]
    fn the_nine_operations_have_their_paths() {
        use OperationKind as Kind;
        for (method, target, expected) in [
            ("GET", "/v2/workflows", Route::Operation(Kind::List, None)),
            (
                "GET",
                "/v2/workflows?x=y",
                Route::Operation(Kind::List, None),
            ),
            ("POST", "/v2/workflows/w", named(Kind::Create, "w")),
            ("PUT", "/v2/workflows/w", named(Kind::Update, "w")),
            ("GET", "/v2/workflows/w", named(Kind::Get, "w")),
            ("DELETE", "/v2/workflows/w?a", named(Kind::Delete, "w")),
            ("GET", "/v2/workflows/w/status", named(Kind::Status, "w")),
            ("POST", "/v2/workflows/w/start", named(Kind::Start, "w")),
            ("POST", "/v2/workflows/w/stop", named(Kind::Stop, "w")),
            ("POST", "/v2/workflows/w/search", named(Kind::Search, "w")),
            ("GET", "http://host/v2/workflows/w", named(Kind::Get, "w")),
            // Names are judged later, so that an illegal one gets the code for that.
            ("GET", "/v2/workflows/a%2Db", named(Kind::Get, "a-b")),
            ("GET", "/v2/workflows/", named(Kind::Get, "")),
            ("POST", "/v2/workflows//start", named(Kind::Start, "")),
            ("GET", "/v2/workflows/%FF", named(Kind::Get, "\u{fffd}")),
        ] {
            assert_eq!(route(method, target), expected, "{method} {target}");
        }
    }

    #[test]
    fn a_wrong_method_is_told_the_right_ones() {
        for (method, target, allow) in [
            ("POST", "/v2/workflows", "GET"),
            ("PATCH", "/v2/workflows/w", "GET, POST, PUT, DELETE"),
            ("HEAD", "/v2/workflows/w", "GET, POST, PUT, DELETE"),
            ("POST", "/v2/workflows/w/status", "GET"),
            ("GET", "/v2/workflows/w/start", "POST"),
            ("get", "/v2/workflows", "GET"),
        ] {
            assert_eq!(
                route(method, target),
                Route::WrongMethod { allow },
                "{method} {target}"
            );
        }
    }

    #[test]
    fn other_paths_are_unknown() {
        for target in [
            "/",
            "*",
            "/v2",
            "/v1/workflows",
            "/v2/workflowsx",
            "/v2/Workflows",
            "/v2/workflows/w/",
            "/v2/workflows/w/exists",
            "/v2/workflows/w/start/now",
            "/v2/repos/r",
        ] {
            assert_eq!(route("GET", target), Route::Unknown, "{target}");
        }
    }

    #[test]
    fn malformed_escapes_are_noticed() {
        for target in ["/v2/%", "/v2/%4", "/v2/%zz", "/v2/%+1"] {
            assert_eq!(route("GET", target), Route::Malformed, "{target}");
        }
        assert_eq!(unescaped(b"/a%20b%e4%BB%93").unwrap(), "/a b仓".as_bytes());
    }
}
