//! Fields that a point has under other names than its record.

/// Pairs of old and new names, and which of the new ones a record has had.
#[derive(Debug, Clone, Default)]
pub(super) struct Renames {
    names: Vec<(String, String)>,
    seen: Vec<bool>,
    /// The first pair whose new name the current field has.
    current: Option<usize>,
}

impl Renames {
    pub(super) fn add(&mut self, old: String, new: String) {
        self.names.push((old, new));
        self.seen.push(false);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub(super) fn begin(&mut self) {
        self.seen.fill(false);
    }

    /// What the field is called.
    pub(super) fn find<'a>(&'a mut self, key: &'a str) -> &'a str {
        let old = self.names.iter().find(|(old, _)| old == key);
        let key = old.map_or(key, |(_, new)| new);
        // A field may have the name already.
        self.current = self.names.iter().position(|(_, new)| new == key);
        key
    }

    /// Notes that the current field has a value; false if another one under this name has one.
    pub(super) fn note(&mut self) -> bool {
        let seen = self.current.map(|index| &mut self.seen[index]);
        seen.is_none_or(|seen| !std::mem::replace(seen, true))
    }
}
