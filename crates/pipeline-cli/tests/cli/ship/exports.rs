//! Exports that `pipeline ship` makes with a queue.

use serde_json::{Value, json};

use super::bed::Bed;
use crate::support::{Ran, Run as _};

/// The spec of an export, by `export get`.
fn spec(bed: &Bed, export: &str) -> Value {
    let ran = bed
        .service
        .run(&format!("export get clicks {export} -o json"))
        .ok();
    let export: Value = serde_json::from_str(&ran).unwrap();
    export["spec"].clone()
}

#[test]
fn exports_are_made_with_the_queue_and_grow_with_its_schema() {
    let bed = Bed::empty();
    bed.write("a.ndjson", "{\"ip\":\"a\"}\n");
    bed.write("b.ndjson", "{\"ip\":\"b\",\"n\":1}\n");
    let exports = "--schema-free --export kodo:bucket=b,format=json,interval=5m --export http:host=h.example,uri=/u,name=out";
    let (books, ran, _) = bed.books(&format!("a.ndjson {exports}"));
    assert_eq!((books, ran.code), ([1, 1, 0, 0], Some(0)), "{ran:?}");
    assert!(
        ran.stderr.contains("made the export clicks_export2_kodo"),
        "{ran:?}"
    );
    assert_eq!(spec(&bed, "out"), json!({"host": "h.example", "uri": "/u"}));
    let kodo = spec(&bed, "clicks_export2_kodo");
    assert_eq!(kodo["fields"], json!({"ip": "#ip"}));
    assert_eq!(
        (&kodo["rotateInterval"], &kodo["format"]),
        (&json!(300), &json!("json"))
    );

    let (_, ran, _) = bed.books(&format!("b.ndjson {exports}"));
    assert!(
        ran.stderr
            .contains("the export clicks_export2_kodo writes the new fields as well"),
        "{ran:?}"
    );
    assert_eq!(
        spec(&bed, "clicks_export2_kodo")["fields"],
        json!({"ip": "#ip", "n": "#n"})
    );

    // Another bucket is another export. Records go on.
    let (books, ran, _) = bed.books("a.ndjson --schema-free --export kodo:bucket=c");
    assert_eq!((books, ran.code), ([1, 1, 0, 0], Some(0)), "{ran:?}");
    assert!(
        ran.stderr
            .contains("give this one another name; records go on"),
        "{ran:?}"
    );
    assert_eq!(spec(&bed, "clicks_export2_kodo")["bucket"], "b");
}

/// From an empty account, with exports that are there, and with one that writes elsewhere.
#[test]
fn a_rehearsal_shows_exports_and_makes_none() {
    let bed = Bed::empty();
    bed.write("a.ndjson", "{\"ip\":\"a\"}\n");
    bed.write("b.ndjson", "{\"ip\":\"b\",\"n\":1}\n");
    let exports =
        "--export kodo:bucket=b,exportAccessKey=AK --export http:host=h.example,uri=/u,name=out";
    let rehearse = |line: &str, options: &str| {
        let mut command = bed.command(&format!("{line} --schema-free --dry-run {options}"));
        command.env("PANDORA_EXPORT_SECRET_KEY", "not-to-be-seen");
        let ran = command.ran();
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(!format!("{ran:?}").contains("not-to-be-seen"), "{ran:?}");
        ran
    };
    let planned = |ran: &Ran| {
        let document: Value = serde_json::from_str(&ran.stdout).unwrap();
        let planned = document["exports"].as_array().cloned().unwrap_or_default();
        let said = planned.iter().map(|it| {
            let (name, fields) = (&it["name"], &it["spec"]["fields"]);
            format!(
                "{} {} {fields}",
                name.as_str().unwrap(),
                it["action"].as_str().unwrap()
            )
        });
        said.collect::<Vec<_>>()
    };
    let ran = rehearse("a.ndjson b.ndjson -o json", exports);
    assert_eq!(
        planned(&ran),
        [
            r##"clicks_export2_kodo created {"ip":"#ip","n":"#n"}"##,
            "out created null"
        ]
    );
    let ran = rehearse("a.ndjson", "--export kodo:bucket=b");
    assert!(
        ran.stdout
            .contains("would make the export clicks_export2_kodo to kodo: {"),
        "{ran:?}"
    );
    bed.service.run("repo get clicks").failed(3);
    bed.ship("a.ndjson --schema-free --export kodo:bucket=b")
        .ok();
    let before = spec(&bed, "clicks_export2_kodo");
    let ran = rehearse("b.ndjson -o json", "--export kodo:bucket=b");
    assert_eq!(
        planned(&ran),
        [r##"clicks_export2_kodo updated {"ip":"#ip","n":"#n"}"##]
    );
    let ran = rehearse("a.ndjson -o json", "--export kodo:bucket=b");
    assert!(planned(&ran).is_empty(), "{ran:?}");
    let ran = rehearse("b.ndjson -o json", "--export kodo:bucket=c");
    assert!(
        planned(&ran).is_empty() && ran.stderr.contains("give this one another name"),
        "{ran:?}"
    );
    assert_eq!(spec(&bed, "clicks_export2_kodo"), before);
}

#[test]
fn what_is_wrong_with_an_export_is_said_before_anything_is_sent() {
    let bed = Bed::empty();
    bed.write("a.ndjson", "{\"ip\":\"a\"}\n");
    for (exports, says) in [
        (
            "--export kodo:bukket=b",
            "kodo has no such key; known are prefix",
        ),
        ("--export mongo:host=h", "dbName is missing"),
        (
            "--export kodo:bucket=a --export kodo:bucket=b",
            "two exports would be called clicks_export2_kodo",
        ),
        (
            "--export kodo:exportAccessKey=AK",
            "PANDORA_EXPORT_SECRET_KEY",
        ),
    ] {
        let ran = bed.service.run(&format!(
            "ship clicks {} --schema-free {exports}",
            bed.path("a.ndjson").display()
        ));
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(says), "{exports}: {ran:?}");
    }
    bed.service.run("repo get clicks").failed(3);
}

#[test]
fn repos_of_logdb_and_tsdb_are_made_where_these_services_are_and_nowhere_else() {
    let bed = Bed::empty();
    bed.write("a.ndjson", "{\"ip\":\"a\",\"n\":1}\n");
    bed.write("b.ndjson", "{\"ip\":\"b\",\"n\":1,\"m\":2}\n");
    let line = "--schema-free --export logdb --export tsdb:series=s,tag=ip";
    let ship = |file: &str, knows: bool| {
        let mut command = bed.command(&format!("{file} {line}"));
        if knows {
            for name in ["PANDORA_LOGDB_ENDPOINT", "PANDORA_TSDB_ENDPOINT"] {
                command.env(name, bed.service.server.url());
            }
        }
        let ran = command.ran();
        assert_eq!(ran.code, Some(0), "{ran:?}");
        bed.service.asked()
    };
    let of_sisters = |asked: &[&str]| {
        let of = asked
            .iter()
            .filter(|it| it.contains("logdb") || it.contains("tsdb"));
        of.map(|it| (*it).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        of_sisters(&ship("a.ndjson", true)),
        [
            "get_logdb_repo",
            "create_logdb_repo",
            "create_tsdb_repo",
            "create_tsdb_series",
        ]
    );
    let asked = ship("b.ndjson", true);
    assert!(
        of_sisters(&asked).contains(&"update_logdb_repo".to_owned()),
        "{asked:?}"
    );
    let all = json!({"ip": "#ip", "n": "#n", "m": "#m"});
    assert_eq!(spec(&bed, "clicks_export2_logdb")["doc"], all);
    assert_eq!(
        spec(&bed, "clicksexport2tsdb_s")["fields"],
        json!({"n": "#n", "m": "#m"})
    );
    let before = of_sisters(&bed.service.asked()).len();
    ship("a.ndjson", false);
    assert_eq!(of_sisters(&bed.service.asked()).len(), before);
}
