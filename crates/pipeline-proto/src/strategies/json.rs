//! JSON texts, and members that no model knows.

use proptest::{collection::vec, prelude::*, sample::select};

use super::{legal, text};
use crate::model::{Extra, RawJson};

/// Any JSON, with white space and numbers that no machine type holds; never a bare `null`, which
/// models take for a member that is missing.
pub fn raw_json() -> impl Strategy<Value = RawJson> {
    json_text().prop_map(|text| legal(text.parse()))
}

fn json_text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        select(vec![
            "true",
            "0",
            "-1",
            "1.50",
            "1e400",
            "9007199254740993",
            "{}",
            "[ ]"
        ])
        .prop_map(String::from),
        text().prop_map(|text| quoted(&text)),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let element = prop_oneof![4 => inner, 1 => Just("null".to_owned())];
        let member = (text(), element.clone())
            .prop_map(|(name, value)| format!("{}: {value}", quoted(&name)));
        prop_oneof![
            vec(element, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            vec(member, 0..4).prop_map(|members| format!("{{\n {}}}", members.join(",\t"))),
        ]
    })
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Members that a newer service may send. No model has a member with such a name.
pub(super) fn extra() -> impl Strategy<Value = Extra> {
    let value = prop_oneof![
        4 => raw_json(),
        1 => Just(legal("null".parse())),
    ];
    let name = "x-[a-z\"\u{e9}]{0,4}".prop_map(String::into_boxed_str);
    let some = vec((name, value), 0..3).prop_map(Extra::from_iter);
    prop_oneof![3 => Just(Extra::default()), 1 => some]
}
