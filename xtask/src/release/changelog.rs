//! What `CHANGELOG.md` says of a version.

/// Finds the section of the version, or what would become it.
pub(super) fn check(text: &str, version: &str) -> Result<String, String> {
    if let Some(body) = section(text, version) {
        return if is_empty(&body) {
            Err(format!("the section of {version} is empty"))
        } else {
            Ok(format!("has a section for {version}"))
        };
    }
    match section(text, "Unreleased") {
        Some(body) if !is_empty(&body) => Ok(format!(
            "`Unreleased` has something to tell; it becomes `[{version}] - DATE` with the release"
        )),
        Some(_) => Err(format!(
            "there is nothing in `Unreleased`, nor about {version}"
        )),
        None => Err(format!(
            "there is no section for {version}, nor one called `Unreleased`"
        )),
    }
}

/// The lines between the heading of this name, `## [name]` with anything behind it, and the next one.
fn section<'a>(text: &'a str, name: &str) -> Option<Vec<&'a str>> {
    let heading = format!("[{name}]");
    let mut lines = text.lines().skip_while(|line| {
        let title = line.strip_prefix("## ").unwrap_or_default();
        !title.starts_with(&heading)
    });
    lines.next()?;
    let body = lines.take_while(|line| !line.starts_with("## "));
    Some(body.collect())
}

/// Whether there is nothing but headings and the targets of links.
fn is_empty(body: &[&str]) -> bool {
    let is_link = |line: &str| line.starts_with('[') && line.contains("]: ");
    body.iter()
        .all(|line| line.trim().is_empty() || line.starts_with('#') || is_link(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "# Changelog\n\nAll changes.\n\n";

    fn checked(body: &str, version: &str) -> Result<String, String> {
        check(&format!("{HEAD}{body}"), version)
    }

    #[test]
    fn the_section_of_the_version_counts() {
        let text =
            "## [Unreleased]\n\n## [0.2.0] - 2027-01-01\n\n- One.\n\n## [0.1.0]\n\n- Zero.\n";
        assert_eq!(checked(text, "0.2.0").unwrap(), "has a section for 0.2.0");
        assert!(checked(text, "0.1.0").is_ok());
        assert!(
            checked(text, "0.3.0")
                .unwrap_err()
                .contains("nothing in `Unreleased`")
        );
        // Neither the beginning nor the end of another version.
        assert!(checked("## [0.1.0-rc.1]\n\n- One.\n", "0.1.0").is_err());
        assert!(checked("## [10.1.0]\n\n- One.\n", "0.1.0").is_err());
    }

    #[test]
    fn what_is_not_released_yet_counts_if_it_says_something() {
        let told = checked("## [Unreleased]\n\n### Added\n\n- One.\n", "0.1.0").unwrap();
        assert!(told.contains("[0.1.0] - DATE"), "{told}");
        for text in [
            "## [Unreleased]\n",
            "## [Unreleased]\n\n### Added\n\n## [0.0.1]\n\n- One.\n",
            "## [Unreleased]\n\n[Unreleased]: https://example.com\n",
        ] {
            assert!(checked(text, "0.1.0").is_err(), "{text}");
        }
        assert!(checked("", "0.1.0").unwrap_err().contains("no section"));
        // Something in `Unreleased` does not make up for an empty section.
        let empty = checked("## [Unreleased]\n\n- Two.\n\n## [0.1.0]\n", "0.1.0");
        assert!(empty.unwrap_err().contains("empty"));
    }
}
