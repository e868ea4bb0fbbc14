use super::*;

#[test]
fn every_rule_takes_its_first_and_last_length_and_no_other() {
    for rule in RULES.iter().filter(|rule| rule.lengths.1 < usize::MAX) {
        for length in 0..=rule.lengths.1 + 2 {
            let legal = rule.lengths().contains(&length);
            assert_eq!(
                rule.check(&"a".repeat(length)).is_ok(),
                legal,
                "{rule:?}, {length}"
            );
        }
    }
}

#[test]
fn a_name_of_each_kind_is_told_apart_from_what_is_nearly_one() {
    // Legal, then illegal; what one rule forbids another may allow.
    let word = (
        ["a", "_", "Z9", "Test_Workflow", "__0"],
        ["", "9a", "a.b", "a/../b", "abc\n"],
    );
    let table = (
        ["a", "a_", "Z9", "T_1", "z"],
        ["", "_a", "9a", "a.b", "工作流"],
    );
    let lower = (["a", "a_", "z9", "t_1", "z"], ["", "A", "_a", "aB", "a.b"]);
    let dotted = (
        ["aa", "a.b", "a..b", "com.qiniu.P_1", "A9"],
        ["", "a", "a.", "_a", ".a"],
    );
    for rule in RULES {
        let (legal, illegal) = match rule.what {
            "the region" => (
                ["nb", "jjh", "工", "-", "9"],
                ["", "n b", " ", "\n", "a\u{7f}"],
            ),
            "the table name" => table,
            "the LogDB repo name" => lower,
            "the plugin name" | "the jar name" => dotted,
            _ => word,
        };
        for text in legal {
            assert_eq!(rule.check(text), Ok(()), "{}, {text:?}", rule.what);
        }
        for text in illegal {
            assert!(rule.check(text).is_err(), "{}, {text:?}", rule.what);
        }
    }
}

#[test]
fn illegal_names_say_where_and_why() {
    let long = "a".repeat(129);
    let workflow = |text: &str| WorkflowName::new(text).unwrap_err().to_string();
    let plugin = |text: &str| PluginName::new(text).unwrap_err().to_string();
    for (message, expected) in [
        (workflow(""), "the workflow name is empty"),
        (
            workflow("9a"),
            "the workflow name starts with '9'; it must start with a letter or '_'",
        ),
        (
            workflow("a/../b"),
            "the workflow name contains '/' at position 2; only ASCII letters, digits and '_' are allowed",
        ),
        // `$` matches before a final newline in some engines; here the whole text counts.
        (
            workflow("abc\n"),
            "the workflow name contains '\\n' at position 4; only ASCII letters, digits and '_' are allowed",
        ),
        (
            workflow("工作流"),
            "the workflow name starts with '工'; it must start with a letter or '_'",
        ),
        (
            workflow("aé"),
            "the workflow name contains 'é' at position 2; only ASCII letters, digits and '_' are allowed",
        ),
        (
            workflow(&long),
            "the workflow name has 129 characters; at most 128 are allowed",
        ),
        (
            ParamName::new(&*long).unwrap_err().to_string(),
            "the parameter name has 129 characters; at most 64 are allowed",
        ),
        (
            TableName::new("_t").unwrap_err().to_string(),
            "the table name starts with '_'; it must start with a letter",
        ),
        (
            plugin("a"),
            "the plugin name has 1 character; at least 2 are needed",
        ),
        (
            plugin("a."),
            "the plugin name ends with '.'; it must end with a letter, a digit or '_'",
        ),
        (
            plugin("a-b"),
            "the plugin name contains '-' at position 2; only ASCII letters, digits, '_' and '.' are allowed",
        ),
        (
            Region::new("n b").unwrap_err().to_string(),
            "the region contains ' ' at position 2; only visible characters are allowed",
        ),
    ] {
        assert_eq!(message, expected);
    }
}
