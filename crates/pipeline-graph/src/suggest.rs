//! Known words in messages: all of them, and the one that was most likely meant.

/// The known word that is nearest, if it is near enough to be meant.
///
/// ```
/// assert_eq!(pipeline_graph::nearest("parent", ["nodes", "parents"]), Some("parents"));
/// assert_eq!(pipeline_graph::nearest("size", ["nodes", "type"]), None);
/// ```
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // So that "date" is taken for "data", and "size" not for "type".
    let word = word.to_lowercase();
    let likeness = |known: &str| strsim::jaro(&word, &known.to_lowercase());
    let near = known.into_iter().map(|known| (likeness(known), known));
    let near = near.filter(|(likeness, _)| *likeness > 0.8);
    near.max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

/// `a, b and c`.
pub(crate) fn list(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [word] => (*word).to_owned(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_told_from_another_word() {
        let known = ["name", "type", "data", "parents", "children", "nodes"];
        for (word, meant) in [
            ("node", Some("nodes")),
            ("Nodes", Some("nodes")),
            ("parent", Some("parents")),
            ("child", Some("children")),
            ("dta", Some("data")),
            ("position", None),
            ("size", None),
            ("status", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
    }
}
