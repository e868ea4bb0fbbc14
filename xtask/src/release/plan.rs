//! Versions, and the order in which crates are published.

use crate::cargo::Member;

/// The crates, each behind those it needs. Development dependencies count where they name a version,
/// because the registry then wants to find them, too.
pub(super) fn order(members: &[Member]) -> Result<Vec<&Member>, String> {
    let mut waiting: Vec<&Member> = members.iter().collect();
    let mut order: Vec<&Member> = Vec::new();
    while !waiting.is_empty() {
        let is_ready = |member: &&Member| {
            let needs = |other: &&Member| member.requirements.iter().any(|it| it.0 == other.name);
            !waiting.iter().any(needs)
        };
        let (ready, rest): (Vec<_>, Vec<_>) = waiting.iter().copied().partition(is_ready);
        if ready.is_empty() {
            return Err(format!(
                "these need one another: {}",
                names(&rest).join(", ")
            ));
        }
        order.extend(ready);
        waiting = rest;
    }
    Ok(order)
}

pub(super) fn names<'a>(members: &[&'a Member]) -> Vec<&'a str> {
    members.iter().map(|member| member.name.as_str()).collect()
}

/// The version of the release: that of the first crate. Whether it is that of all is a check.
pub(super) fn version(members: &[Member]) -> Result<String, String> {
    let first = members.first().ok_or("there is nothing to publish")?;
    Ok(first.version.clone())
}

/// Whether all crates have this version, and ask one another for it.
pub(super) fn versions(members: &[&Member], version: &str) -> Result<String, String> {
    let mut others = Vec::new();
    for member in members {
        if member.version != version {
            others.push(format!("{} has {}", member.name, member.version));
        }
        for (name, wanted) in &member.requirements {
            let is_ours = members.iter().any(|other| other.name == *name);
            // A requirement without an operator is written by cargo with a caret.
            if is_ours && wanted.trim_start_matches('^') != version {
                others.push(format!("{} wants {name} {wanted}", member.name));
            }
        }
    }
    if others.is_empty() {
        Ok(format!("{version} everywhere"))
    } else {
        Err(format!("not {version} everywhere: {}", others.join(", ")))
    }
}

/// What is typed to publish.
pub(super) fn commands(order: &[&Member], version: &str) -> String {
    let publish = names(order)
        .into_iter()
        .map(|name| format!("cargo publish --package {name}\n"));
    format!(
        "git tag --annotate v{version} --message v{version}\n{}git push origin v{version}\n",
        publish.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, version: &str, requirements: &[(&str, &str)]) -> Member {
        let owned = |it: &(&str, &str)| (it.0.to_owned(), it.1.to_owned());
        Member {
            name: name.to_owned(),
            version: version.to_owned(),
            requirements: requirements.iter().map(owned).collect(),
            ..Member::default()
        }
    }

    #[test]
    fn a_crate_is_published_behind_those_it_needs() {
        let members = [
            member(
                "blocking",
                "1.0.0",
                &[("proto", "^1.0.0"), ("ureq", "~3.5")],
            ),
            member(
                "cli",
                "1.0.0",
                &[("blocking", "^1.0.0"), ("emulator", "^1.0.0")],
            ),
            member(
                "emulator",
                "1.0.0",
                &[("blocking", "^1.0.0"), ("proto", "^1.0.0")],
            ),
            member("proto", "1.0.0", &[("http", "^1")]),
        ];
        let order = order(&members).unwrap();
        assert_eq!(names(&order), ["proto", "blocking", "emulator", "cli"]);
        let commands = commands(&order, "1.0.0");
        let lines: Vec<&str> = commands.lines().collect();
        assert_eq!(lines[0], "git tag --annotate v1.0.0 --message v1.0.0");
        assert_eq!(lines[1], "cargo publish --package proto");
        assert_eq!(lines[4], "cargo publish --package cli");
    }

    #[test]
    fn crates_in_a_circle_are_named() {
        let members = [
            member("a", "1.0.0", &[("b", "^1.0.0")]),
            member("b", "1.0.0", &[("a", "^1.0.0")]),
            member("c", "1.0.0", &[]),
        ];
        let error = order(&members).err().unwrap();
        assert_eq!(error, "these need one another: a, b");
    }

    #[test]
    fn a_version_that_differs_is_named() {
        let checked = |members: &[Member]| {
            let members: Vec<&Member> = members.iter().collect();
            versions(&members, "0.2.0")
        };
        let proto = || member("proto", "0.2.0", &[("http", "^1.5")]);
        let fits = [proto(), member("cli", "0.2.0", &[("proto", "^0.2.0")])];
        assert_eq!(checked(&fits).unwrap(), "0.2.0 everywhere");
        let old = [proto(), member("cli", "0.2.0", &[("proto", "^0.1.0")])];
        assert!(
            checked(&old)
                .unwrap_err()
                .contains("cli wants proto ^0.1.0")
        );
        let left = [proto(), member("cli", "0.1.0", &[])];
        assert!(checked(&left).unwrap_err().contains("cli has 0.1.0"));
    }
}
