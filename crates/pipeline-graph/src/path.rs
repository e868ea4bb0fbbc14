//! Paths into JSON, as RFC 9535 writes them without the leading `$.`.

use std::fmt::Write as _;

/// A path that grows and shrinks while a value is walked.
#[derive(Default)]
pub(crate) struct Path(String);

impl Path {
    pub(crate) fn to_member(name: &str) -> Self {
        let mut path = Self::default();
        path.push_member(name);
        path
    }

    pub(crate) fn inside(base: &str, name: &str) -> Self {
        let mut path = Self(base.to_owned());
        path.push_member(name);
        path
    }

    /// Does something with the path of a member.
    pub(crate) fn in_member<T>(&mut self, name: &str, work: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.0.len();
        self.push_member(name);
        let result = work(self);
        self.0.truncate(length);
        result
    }

    /// Does something with the path of an element.
    pub(crate) fn in_element<T>(&mut self, index: usize, work: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.0.len();
        // Writing to a string cannot fail.
        let _ = write!(self.0, "[{index}]");
        let result = work(self);
        self.0.truncate(length);
        result
    }

    /// Does something with the path of the element whose member has this text.
    pub(crate) fn in_selected<T>(
        &mut self,
        member: &str,
        text: &str,
        work: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let length = self.0.len();
        self.0.push_str("[?@");
        self.push_member(member);
        self.0.push_str("==");
        quote(&mut self.0, text);
        self.0.push(']');
        let result = work(self);
        self.0.truncate(length);
        result
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    fn push_member(&mut self, name: &str) {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let digit = name.starts_with(|c: char| c.is_ascii_digit());
        if name.chars().all(plain) && !digit && !name.is_empty() {
            if !self.0.is_empty() {
                self.0.push('.');
            }
            self.0.push_str(name);
        } else {
            self.0.push('[');
            quote(&mut self.0, name);
            self.0.push(']');
        }
    }
}

fn quote(out: &mut String, text: &str) {
    out.push('\'');
    for c in text.chars() {
        match c {
            '\'' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('\'');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_json_path() {
        let mut path = Path::to_member("nodes");
        let text = path.in_member("clicks-repo", |path| {
            path.in_member("schema", |path| {
                path.in_element(2, |path| {
                    path.in_selected("key", "it's", |path| {
                        path.in_member("9\n", |path| path.as_str().to_owned())
                    })
                })
            })
        });
        assert_eq!(
            text,
            r"nodes['clicks-repo'].schema[2][?@.key=='it\'s']['9\u000a']"
        );
        assert_eq!(path.as_str(), "nodes");
    }
}
