//! Records as points, and back. `serde_json` is the second statement of what a value is.

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;

use pipeline_proto::{
    points::{self, Encoder, Escapes, Inference, PointError, read, union},
    resource::schema::{Schema, SchemaEntry, ValType},
};
use proptest::{collection, prelude::*};
use serde::Serialize;
use serde_json::{Map, Value, json, value::RawValue};

use support::rows;

fn text_of(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn written(record: impl Serialize) -> Result<String, PointError> {
    let mut out = Vec::new();
    points::write(&mut out, &record)?;
    Ok(text_of(out))
}

fn checked(schema: &str, line: &Value) -> Result<String, String> {
    let Schema(schema) = schema.parse().unwrap();
    let mut encoder = Encoder::checked(&schema);
    let (mut out, mut from_json) = (b"before\n".to_vec(), Vec::new());
    let written = encoder.write(&mut out, line);
    let same = encoder.write_json(&mut from_json, &line.to_string());
    assert_eq!(written, same, "{line}");
    if let Err(error) = written {
        assert_eq!(out, b"before\n", "a point that is refused leaves nothing");
        return Err(error.to_string());
    }
    assert_eq!(out["before\n".len()..], from_json, "{line}");
    Ok(text_of(from_json))
}

#[test]
fn a_line_keeps_what_it_says_and_escapes_are_undone() {
    let deep = format!("{}1{}", "[".repeat(126), "]".repeat(126));
    for (value, expected) in [
        (r#""\u0041\ud83d\ude00\/\"\\\b\f""#, "A😀/\"\\\u{8}\u{c}"),
        (r#""a\tb\nc\rd""#, "a\\tb\\nc\rd"),
        (r#""12345678\n""#, "12345678\\n"),
        (r#""仓库12345仓""#, "仓库12345仓"),
        (r#""""#, ""),
        ("-0", "-0"),
        ("1e999", "1e999"),
        (
            "123456789012345678901234567890.10E-07",
            "123456789012345678901234567890.10E-07",
        ),
        ("[ 1,\t{\n\"a\" : \"\\n\" } ]", r#"[ 1, { "a" : "\n" } ]"#),
        ("[]", "[]"),
        ("{ }", "{ }"),
        (&*deep, &*deep),
    ] {
        let mut out = Vec::new();
        let line = format!("\t{{ \"\\u006b\" :{value} , \"none\":null}}\r\n");
        Encoder::new().write_json(&mut out, &line).unwrap();
        assert_eq!(text_of(out), format!("k={expected}\n"));
    }
}

#[derive(Serialize)]
enum Level {
    Warn,
}

#[derive(Serialize)]
struct Wrapped(&'static str);

/// As the record of the vendor's Go client has it, but for the characters that its JSON escapes without need.
#[test]
fn a_record_is_written_as_by_the_vendors_client() {
    #[derive(Serialize)]
    struct Row<'a> {
        host: &'a str,
        bytes: i64,
        big: u64,
        f1: f64,
        f2: f64,
        f3: f64,
        f4: f64,
        f5: f32,
        ok: bool,
        at: &'a str,
        tags: [&'a str; 2],
        geo: Value,
        num: &'a RawValue,
    }
    let row = Row {
        host: "a\tb\nc\rd\\e=f \"q\"",
        bytes: 7,
        big: u64::MAX,
        f1: 1.0,
        f2: 0.1,
        f3: 1e21,
        f4: 1e-7,
        f5: 0.1,
        ok: true,
        at: "2020-09-22T21:03:42.005+08:00",
        tags: ["p", "q<&>"],
        geo: json!({"city": "x\ty", "n": 1}),
        num: serde_json::from_str("1.50").unwrap(),
    };
    assert_eq!(
        written(row).unwrap(),
        "host=a\\tb\\nc\rd\\e=f \"q\"\tbytes=7\tbig=18446744073709551615\tf1=1\tf2=0.1\tf3=1e+21\tf4=1e-07\
         \tf5=0.1\tok=true\tat=2020-09-22T21:03:42.005+08:00\ttags=[\"p\",\"q<&>\"]\tgeo={\"city\":\"x\\ty\",\"n\":1}\
         \tnum=1.50\n"
    );
    assert_eq!(written(json!({"host": ""})).unwrap(), "host=\n");
}

#[test]
fn values_of_every_kind_of_serde_have_a_text() {
    #[derive(Serialize)]
    struct Kinds {
        unit: (),
        none: Option<u8>,
        some: Option<u8>,
        char: char,
        variant: Level,
        wrapped: Wrapped,
        tuple: (u8, &'static str),
        set: BTreeMap<u8, bool>,
        big: i128,
        raw: Vec<&'static RawValue>,
        text: &'static RawValue,
    }
    let raw = |text| serde_json::from_str::<&RawValue>(text).unwrap();
    let kinds = Kinds {
        unit: (),
        none: None,
        some: Some(1),
        char: '\t',
        variant: Level::Warn,
        wrapped: Wrapped("w"),
        tuple: (1, "a"),
        set: BTreeMap::from([(1, true)]),
        big: i128::MIN,
        raw: vec![raw("[1,\n\t2]")],
        text: raw(r#""a\tb\u4ed3""#),
    };
    assert_eq!(
        written(kinds).unwrap(),
        "some=1\tchar=\\t\tvariant=Warn\twrapped=w\ttuple=[1,\"a\"]\tset={\"1\":true}\
         \tbig=-170141183460469231731687303715884105728\traw=[[1,  2]]\ttext=a\\tb仓\n"
    );
    assert_eq!(written(BTreeMap::from([(7_u8, 1)])).unwrap(), "7=1\n");
    assert_eq!(written(Some(json!({"a": null, "b": 0}))).unwrap(), "b=0\n");
}

#[test]
fn errors_name_the_member_and_leave_nothing() {
    for (record, member, says) in [
        (json!({"a=b": 1}), "a=b", "no '='"),
        (json!({"": 1}), "", "not empty"),
        (json!({"a\tb": 1}), "a\tb", "no tab"),
        (json!({}), "", "no field with a value"),
        (json!({"a": null}), "", "no field with a value"),
        (json!([1]), "", "not an array"),
        (json!("a"), "", "not a text"),
        (json!(null), "", "not nothing"),
    ] {
        let mut out = b"x=1\n".to_vec();
        let error = points::write(&mut out, &record).unwrap_err();
        assert_eq!((out, error.member()), (b"x=1\n".to_vec(), member));
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(error.is_empty_record(), says.contains("no field with"));
    }
    let nan = written(BTreeMap::from([("a", 1.0), ("b", f64::NAN)])).unwrap_err();
    assert_eq!(
        nan.to_string(),
        "the field \"b\": a number that is not finite"
    );
    let key = written(BTreeMap::from([((1, 2), 1)])).unwrap_err();
    assert!(key.to_string().contains("a text or a number"), "{key}");
    let broken = r#"
        {
        []
        1
        {"a":1}x
        {"a":}
        {"a":"\ud800"}
        {"a":"\ud800\u0041"}
        {"a":["\udc00"]}
        {"a":"\u+123"}
        {"a":["\x"]}
        {"\x":1}
        {"a":1,}
        {"a":[1,]}
        {"a" 1}
        {"a":01}
        {"a":-}
        {"a":1.}
        {"a":.5}
        {"a":1e}
        {"a":truE}
        {"a":nul
        {"a":"x
        {"a":"12345678\"#;
    let odd = [
        "",
        "{\"a\":\"1234567\u{1f}\"}",
        &format!("{{\"a\":{}1{}}}", "[".repeat(127), "]".repeat(127)),
        "{\"a\":\"\n\"}",
    ];
    for line in broken.trim().lines().map(str::trim).chain(odd) {
        let mut out = Vec::new();
        let error = Encoder::new().write_json(&mut out, line).unwrap_err();
        assert!(error.to_string().contains("no JSON"), "{line}: {error}");
        assert!(out.is_empty());
    }
}

/// By `schema-free` rules of the vendor's clients, but for those that lose something.
const FITTED: &str = r#"
    long       | 7                           | 7
    long       | 1.9                         | 1
    long       | -1.9                        | -1
    long       | "12"                        | 12
    long       | "1e3"                       | 1000
    long       | 1.5e9                       | 1500000000
    float      | 7                           | 7
    float      | "1.50"                      | 1.50
    string     | 7                           | 7
    string     | true                        | true
    string     | {"a": [1]}                  | {"a":[1]}
    boolean    | true                        | true
    boolean    | "false"                     | false
    date       | "2026-11-28T00:20:47+08:00" | 2026-11-28T00:20:47+08:00
    ip         | "::1"                       | ::1
    jsonstring | {"a": 1}                    | {"a":1}
    jsonstring | "[\n1]"                     | [ 1]
    a(l)       | [1, "2", 1.5]               | [1,2,1]
    a(l)       | "[1,\"2\"]"                 | [1,2]
    a(s)       | [1, "a\tb", {"x": 1}]       | ["1","a\tb","{\"x\":1}"]
    a(s)       | "x"                         | ["x"]
    a(f)       | []                          | []
    map        | {"name": 7, "lat": "1.0"}   | {"lat":1.0,"name":"7"}
    map        | "{\"lat\":1}"               | {"lat":1}
    map        | {"lat": 1, "name": null, "deep": {"x": [null]}} | {"deep":{"x":[null]},"lat":1}
"#;

const UNFIT: &str = r#"
    long       | 18446744073709551615 | an integer that cannot be made a long
    long       | 1e19                 | a float that cannot
    long       | "1_000"              | a text that cannot
    long       | "inf"                | a text that cannot
    long       | ""                   | a text that cannot
    long       | " 7"                 | a text that cannot
    long       | true                 | a boolean that cannot
    long       | [1]                  | an array that cannot
    float      | "nan"                | a text that cannot be made a float
    boolean    | 1                    | an integer that cannot be made a boolean
    date       | "2026-11-28"         | a text that cannot be made a date (RFC 3339, as in 2017-06-01T15:00:00Z)
    date       | 1795825247           | an integer that cannot
    ip         | "1.2.3"              | a text that cannot be made a ip
    jsonstring | "{"                  | cannot be made a jsonstring
    a(l)       | [1, "x"]             | "f[1]": a text that cannot be made a long
    a(l)       | [null]               | "f[0]": nothing that
    a(l)       | "x"                  | "f[0]": a text that cannot be made a long
    a(l)       | {"a": 1}             | an object that cannot be made a array
    map        | {"lat": 1, "x": 1}   | "f.x": the schema does not have it
    map        | {"lat": "x"}         | "f.lat": a text that cannot
    map        | {}                   | "f.lat": the schema requires it
    map        | [1]                  | an array that cannot be made a map
"#;

#[test]
fn records_are_made_to_fit_a_schema_or_refused() {
    let made = |of: &str, value: &str| {
        let of = of.replace("map", "map{*lat float, name string, deep map}");
        let value: Value = serde_json::from_str(value).unwrap();
        checked(&format!("f {of}"), &json!({"f": value}))
    };
    for [of, value, expected] in rows(FITTED) {
        assert_eq!(
            made(of, value),
            Ok(format!("f={expected}\n")),
            "{of} {value}"
        );
    }
    for [of, value, says] in rows(UNFIT) {
        let error = made(of, value).unwrap_err();
        assert!(error.contains(says), "{of} {value}: {error}");
    }
}

#[test]
fn a_schema_knows_what_is_missing_what_is_too_much_and_what_is_there_twice() {
    let schema = "*a long, b long";
    let in_order = checked(schema, &json!({"b": 2, "a": 1}));
    assert_eq!(in_order, Ok("a=1\tb=2\n".into()));
    let wrong = r#"
        {"b": 1}                     | the field "a": the schema requires it
        {"a": null}                  | the field "a": the schema requires it
        {"a": 1, "no": null, "c": 1} | the field "c": the schema does not have it"#;
    for [line, says] in rows(wrong) {
        let line = serde_json::from_str(line).unwrap();
        assert!(checked(schema, &line).unwrap_err().contains(says));
    }
    let Schema(entries) = schema.parse().unwrap();
    let mut encoder = Encoder::checked(&entries);
    let twice = encoder.write_json(&mut Vec::new(), r#"{"a":1,"a":2}"#);
    assert_eq!(
        twice.unwrap_err().to_string(),
        "the field \"a\": it is there twice"
    );
    // What one record had, the next has to have, too.
    let mut out = Vec::new();
    encoder.write_json(&mut out, r#"{"a":1}"#).unwrap();
    encoder.write_json(&mut out, "{}").unwrap_err();
    // Points are records of texts.
    encoder
        .write(&mut out, &read("a=7\tb=1.5").next().unwrap())
        .unwrap();
    assert_eq!(text_of(out), "a=1\na=7\tb=1\n");
}

#[test]
fn fields_get_other_names_and_a_name_that_two_of_them_have_is_refused() {
    let Schema(schema) = "a long, b long".parse().unwrap();
    for (line, expected) in [
        (json!({"a": 1, "b": 2}), Ok("b=1\ta=2\n")),
        (json!({"c": 1, "b": null}), Ok("a=1\n")),
        (
            json!({"b": 1, "c": 2}),
            Err("the field \"a\": it is there twice"),
        ),
        (
            json!({"c": 1, "b": 2}),
            Err("the field \"a\": it is there twice"),
        ),
    ] {
        for encoder in [Encoder::new(), Encoder::checked(&schema)] {
            let names = [("a", "b"), ("b", "a"), ("c", "a")].into_iter();
            let mut encoder = names.fold(encoder, |it, (old, new)| it.rename(old, new));
            for _ in 0..2 {
                let mut out = Vec::new();
                let written = encoder.write(&mut out, &line);
                let written = written.map_err(|error| error.to_string());
                let text = text_of(out);
                let expected = expected.map_err(str::to_owned);
                assert_eq!(written.map(|()| &*text), expected, "{line}");
            }
        }
    }
}

#[test]
fn points_are_read_with_their_places_and_as_they_stand() {
    let lines: Vec<_> = read("a=1\tb=x=y\n\nc=\\t\r\n")
        .map(|point| {
            (
                point.line(),
                point.fields().collect::<Result<Vec<_>, _>>().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            (1, vec![("a", "1"), ("b", "x=y")]),
            (3, vec![("c", "\\t\r")])
        ]
    );
    for (text, says) in [
        ("a=1\t\tb=2", "without '='"),
        ("x", "\"x\": a field"),
        ("=1", "not empty"),
    ] {
        let point = read(text).next().unwrap();
        let error = point.fields().find_map(Result::err).unwrap();
        assert!(error.to_string().contains(says), "{text}: {error}");
    }
    assert_eq!(read("").count() + read("\n\n").count(), 0);
}

#[test]
fn a_point_becomes_json_by_the_types_of_a_schema() {
    let schema: Vec<SchemaEntry> = serde_json::from_value(json!([
        {"key": "n", "valtype": "long"}, {"key": "f", "valtype": "float"}, {"key": "b", "valtype": "boolean"},
        {"key": "a", "valtype": "array", "elemtype": "long"}, {"key": "m", "valtype": "map"},
        {"key": "s", "valtype": "string"}, {"key": "odd", "valtype": "long"},
    ]))
    .unwrap();
    let text = "n=7\tf=1e+06\tb=true\ta=[1]\tm={\"x\":1}\ts=7\\t\\\\\todd=1x\tmore=1";
    let json = |escapes| {
        let mut out = Vec::new();
        let point = read(text).next().unwrap();
        point.write_json(&mut out, &schema, escapes).unwrap();
        serde_json::from_slice::<Value>(&out).unwrap()
    };
    let expected = |s: &str| {
        json!({
            "n": 7, "f": 1e6, "b": true, "a": [1], "m": {"x": 1}, "s": s, "odd": "1x", "more": "1",
        })
    };
    assert_eq!(json(None), expected("7\\t\\\\"));
    assert_eq!(json(Some(Escapes::Clients)), expected("7\t\\\\"));
    assert_eq!(json(Some(Escapes::Documented)), expected("7\t\\"));
}

fn inferred(lines: &[String], dates: bool) -> Vec<SchemaEntry> {
    let mut inference = Inference::new().dates(dates);
    for line in lines {
        inference.add_json(line).unwrap();
    }
    inference.schema()
}

#[test]
fn a_field_is_what_holds_all_of_its_values() {
    const DATE: &str = r#""2026-11-28T00:20:47Z""#;
    for (values, expected) in [
        (&["1", "-0", "9007199254740993"][..], "long"),
        (&["1", "1.0", "1e3"], "float"),
        (&["9007199254740993", "0.5"], "string"),
        (&["0.5", "1", "9007199254740993"], "string"),
        (&["18446744073709551615"], "string"),
        (&["true", "false"], "boolean"),
        (&[r#""007""#], "string"),
        (&[r#""true""#, "true"], "string"),
        (&["1", r#""x""#], "string"),
        (&[DATE], "date"),
        (&[DATE, r#""""#], "string"),
        (&[DATE, "1"], "string"),
        (&[r#"{"a":1}"#, "{}", "null"], "jsonstring"),
        (&["{}", "[1]"], "jsonstring"),
        (&["{}", "1"], "string"),
        (&["[1,2]", "[]"], "a(l)"),
        (&["[1]", "[0.5]"], "a(f)"),
        (&["[1,0.5]"], "a(f)"),
        (&["[9007199254740993]", "[0.5]"], "a(s)"),
        (&["[]"], "a(s)"),
        (&["[true]"], "a(s)"),
        (&[r#"[1,"x"]"#], "a(s)"),
        (&["[[1],{}]"], "a(s)"),
        (&["[1,null]"], "jsonstring"),
        (&["[1]", "1"], "string"),
        (&[r#""2026-11-28""#], "string"),
    ] {
        for reversed in [false, true] {
            let lines = values.iter().map(|value| format!("{{\"f\":{value}}}"));
            let mut lines: Vec<_> = lines.collect();
            if reversed {
                lines.reverse();
            }
            let expected: Schema = format!("f {expected}").parse().unwrap();
            assert_eq!(inferred(&lines, true), expected.0, "{values:?}");
        }
    }
    assert_eq!(inferred(&[r#"{"f":null}"#.into()], true), []);
    let date = inferred(&[format!("{{\"f\":{DATE}}}")], false);
    assert_eq!(date[0].valtype, ValType::String);
}

#[test]
fn a_record_that_cannot_be_one_adds_nothing() {
    let mut inference = Inference::new();
    inference.add(&json!({"a": 1})).unwrap();
    for (line, member, says) in [
        (r#"{"a":"x","user-agent":1}"#, "user-agent", "user-agent"),
        (r#"{"a":"x","":1}"#, "", ""),
        (r#"{"a":"x""#, "", "no JSON"),
        ("[1]", "", "no JSON"),
    ] {
        let error = inference.add_json(line).unwrap_err();
        assert_eq!(error.member(), member, "{line}");
        assert!(error.to_string().contains(says), "{line}: {error}");
    }
    assert_eq!(inference.schema(), "a long".parse::<Schema>().unwrap().0);
}

#[test]
fn writing_a_record_allocates_nothing_once_there_is_room() {
    #[derive(Serialize)]
    struct Row<'a> {
        host: &'a str,
        bytes: u64,
        ratio: f64,
        level: Level,
        referrer: Option<&'a str>,
    }
    let row = Row {
        host: "a\tb",
        bytes: u64::MAX,
        ratio: 1.5e-9,
        level: Level::Warn,
        referrer: None,
    };
    let value = serde_json::to_value(&row).unwrap();
    let schema: Vec<SchemaEntry> = serde_json::from_value(json!([
        {"key": "host", "valtype": "string"}, {"key": "bytes", "valtype": "float"},
        {"key": "ratio", "valtype": "long"}, {"key": "level", "valtype": "string"},
    ]))
    .unwrap();
    let line = r#"{"host":"a\tb\u0041","bytes":7,"ratio":"1.5","level":"Warn","referrer":null}"#;
    for mut encoder in [Encoder::new(), Encoder::checked(&schema)] {
        let mut out = Vec::with_capacity(1024);
        let taken = allocation_counter::measure(|| {
            encoder.write(&mut out, &row).unwrap();
            encoder.write(&mut out, &value).unwrap();
            encoder.write_json(&mut out, line).unwrap();
        });
        assert_eq!(taken.count_total, 0, "{}", String::from_utf8_lossy(&out));
    }
}

/// Any JSON object. Numbers are whole, since `serde_json` has one form for those alone.
fn object() -> impl Strategy<Value = Map<String, Value>> {
    let text = prop_oneof![any::<String>(), "[a\\\\tn\t\n\r]{0,20}", "\\PC{0,40}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 16, 4, move |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            collection::btree_map(text.clone(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    collection::btree_map("[a-z]{1,8}", value, 0..8).prop_map(|map| map.into_iter().collect())
}

/// Records whose few fields have values of all kinds.
fn lines() -> impl Strategy<Value = Vec<String>> {
    let text = prop_oneof![Just("2026-11-28T00:20:47.5+08:00".into()), any::<String>()];
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        any::<u64>().prop_map(|value| value.to_string()),
        (0_u8..9).prop_map(|value| value.to_string()),
        "-?[1-9]{1,20}(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
        text.prop_map(|text: String| Value::String(text).to_string()),
    ];
    let value = leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..4).prop_map(|all| format!("[{}]", all.join(","))),
            inner.prop_map(|value| format!("{{\"k\":{value}}}")),
        ]
    });
    let record = collection::btree_map("[a-c]", value, 0..4).prop_map(|fields| {
        let members = fields
            .iter()
            .map(|(key, value)| format!("\"{key}\":{value}"));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    });
    collection::vec(record, 1..5)
}

/// The text of an object with one character that does not belong there, or lacks.
fn damaged() -> impl Strategy<Value = String> {
    let wrong = "[\"\\\\/u{}\\[\\],:0-9eE+.tfn \t\n\r\x00\u{1f}a-f-]?";
    (object(), any::<prop::sample::Index>(), wrong, any::<bool>()).prop_map(
        |(record, index, wrong, replaced)| {
            let text = serde_json::to_string(&record).unwrap();
            let chars: Vec<char> = text.chars().collect();
            let (before, after) = chars.split_at(index.index(chars.len()));
            let before: String = before.iter().collect();
            before + &wrong + &after.iter().skip(replaced.into()).collect::<String>()
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(record in object()) {
        let mut out = Vec::new();
        let mut encoder = Encoder::new().escapes(Escapes::Documented);
        let wrote = encoder.write(&mut out, &record);
        let kept: Map<_, _> = record.into_iter().filter(|(_, value)| !value.is_null()).collect();
        if kept.is_empty() {
            prop_assert!(wrote.unwrap_err().is_empty_record());
            return Ok(());
        }
        wrote.unwrap();
        let text = text_of(out);
        prop_assert_eq!(text.matches('\n').count(), 1);
        let point = read(&text).next().unwrap();
        let mut json = Vec::new();
        point.write_json(&mut json, &[], Some(Escapes::Documented)).unwrap();
        let texts: Map<String, Value> = serde_json::from_slice(&json).unwrap();
        prop_assert_eq!(texts.len(), kept.len());
        for ((key, value), (found, text)) in kept.iter().zip(&texts) {
            prop_assert_eq!(key, found);
            let text = text.as_str().unwrap();
            match value {
                Value::String(value) => prop_assert_eq!(value, text),
                value => prop_assert_eq!(value, &serde_json::from_str::<Value>(text).unwrap()),
            }
        }
    }

    #[test]
    fn json_lines_and_records_are_the_same_points(record in object(), pretty: bool, escapes: bool) {
        let line = if pretty { serde_json::to_string_pretty(&record) } else { serde_json::to_string(&record) };
        let escapes = if escapes { Escapes::Documented } else { Escapes::Clients };
        let mut encoder = Encoder::new().escapes(escapes);
        let (mut by_value, mut by_line) = (Vec::new(), Vec::new());
        let wrote = encoder.write(&mut by_value, &record);
        prop_assert_eq!(&wrote, &encoder.write_json(&mut by_line, &line.unwrap()));
        if pretty && wrote.is_ok() {
            let fields = |text: Vec<u8>| {
                let text = text_of(text);
                let point = read(&text).next().unwrap();
                let mut json = Vec::new();
                let undone = Some(escapes).filter(|it| *it == Escapes::Documented);
                point.write_json(&mut json, &[], undone).unwrap();
                let texts: BTreeMap<String, String> = serde_json::from_slice(&json).unwrap();
                // Blanks between the parts are all that may differ.
                let value = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
                texts.into_iter().map(|(key, text)| (key, value(text))).collect::<Vec<_>>()
            };
            prop_assert_eq!(fields(by_value), fields(by_line));
        } else {
            prop_assert_eq!(text_of(by_value), text_of(by_line));
        }
    }

    #[test]
    fn no_line_is_too_odd_and_json_is_what_serde_json_takes(line in prop_oneof![damaged(), "\\PC{0,60}|\\{(\"[a-z]{1,3}\":(\"(\\\\[\"u/bn]|[a-f0-9 ]){0,9}\"|-?[0-9.e+]{1,5}|null|\\[1\\]),?){0,4}\\}"]) {
        let mut out = Vec::new();
        let wrote = Encoder::new().write_json(&mut out, &line);
        let value = serde_json::from_str::<Map<String, Value>>(&line);
        let too_large = |error: serde_json::Error| error.to_string().contains("out of range");
        match wrote {
            // Digits are kept, however many there are.
            Ok(()) => prop_assert!(value.is_ok() || too_large(value.unwrap_err()), "{line}"),
            Err(error) if error.is_empty_record() => prop_assert!(value.unwrap().values().all(Value::is_null)),
            Err(error) => prop_assert!(
                value.is_err() || !error.member().is_empty() || value.unwrap().contains_key(""),
                "{error}"
            ),
        }
    }

    #[test]
    fn what_was_inferred_takes_its_records_as_they_are(lines in lines(), dates: bool) {
        let schema = inferred(&lines, dates);
        let mut checked = Encoder::checked(&schema);
        for line in &lines {
            let (mut out, mut as_it_is) = (Vec::new(), Vec::new());
            let wrote = Encoder::new().write_json(&mut as_it_is, line);
            prop_assert_eq!(&wrote, &checked.write_json(&mut out, line), "{} in {:?}", line, schema);
            if wrote.is_ok() {
                let (out, as_it_is) = (text_of(out), text_of(as_it_is));
                let [fields, kept] = [&out, &as_it_is].map(|it| read(it).next().unwrap());
                for (field, kept) in fields.fields().zip(kept.fields()) {
                    let (field, kept) = (field.unwrap(), kept.unwrap());
                    let entry = schema.iter().find(|entry| entry.key == field.0).unwrap();
                    // The elements of an array may get quotes.
                    prop_assert!(field == kept || entry.valtype == ValType::Array, "{field:?} {kept:?}");
                }
            }
        }
    }

    #[test]
    fn a_union_keeps_what_was_there_and_has_all_that_is_new(old in lines(), new in lines()) {
        let (old, new) = (inferred(&old, false), inferred(&new, true));
        let all = union(&old, &new);
        prop_assert_eq!(&all[..old.len()], &old[..]);
        for entry in &new {
            prop_assert_eq!(all.iter().filter(|it| it.key == entry.key).count(), 1);
        }
        prop_assert_eq!(union(&all, &new), all);
    }

    #[test]
    fn no_text_is_too_odd_to_be_read(text: String) {
        for point in read(&text) {
            prop_assert!(!point.text().is_empty() && !point.text().contains('\n'));
            let fields: Result<Vec<_>, _> = point.fields().collect();
            if let Ok(fields) = fields {
                let joined: Vec<_> = fields.iter().map(|(key, value)| format!("{key}={value}")).collect();
                prop_assert_eq!(joined.join("\t"), point.text());
            }
        }
    }
}
