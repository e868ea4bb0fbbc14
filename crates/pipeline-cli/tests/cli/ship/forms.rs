//! What records look like: compressed input, raw text, and fields that get other names.

use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::json;

use super::bed::{Bed, gzip};
use crate::support::Run as _;

fn zstd(text: &str) -> Vec<u8> {
    compress_to_vec(text.as_bytes(), CompressionLevel::Fastest)
}

#[test]
fn compressed_input_is_known_by_how_it_begins() {
    let two = [zstd("ip=a\n"), zstd("ip=b\nip=c")].concat();
    let cut = zstd(&"ip=a\n".repeat(100_000));
    let heading = [zstd("ip,n\n"), zstd("a,1\n")].concat();
    for (name, bytes, records) in [
        ("a.points.zst", two.clone(), 3),
        ("no_name", two.clone(), 3),
        ("a.csv.zst", heading, 1),
        ("wrong.gz", two, 3),
        ("wrong.zst", gzip("ip=a\n"), 1),
        ("plain.zst", b"ip=a\n".to_vec(), 1),
        ("empty.zst", zstd(""), 0),
    ] {
        let bed = Bed::new();
        bed.write(name, &bytes);
        let (books, ran, _) = bed.books(name);
        assert_eq!(
            (books, ran.code),
            ([records, records, 0, 0], Some(0)),
            "{name}: {ran:?}"
        );
        let format = if name.contains("csv") {
            "--format csv"
        } else {
            ""
        };
        assert_eq!(bed.pipe(&bytes, format).0, books, "{name}");
        assert_eq!(bed.arrived(), 2 * records, "{name}");
    }
    let bed = Bed::new();
    bed.write("cut.zst", &cut[..cut.len() - 2]);
    let (books, ran, document) = bed.books("cut.zst");
    assert_eq!((books[0], ran.code), (books[1], Some(2)), "{ran:?}");
    assert!(books[0] > 50_000, "{books:?}");
    let says = format!(
        "in the middle of a zstd frame; {} records before it were read",
        books[0]
    );
    assert!(
        document["items"][0]["error"]
            .as_str()
            .unwrap()
            .contains(&says),
        "{document}"
    );
}

/// It is complete, and what it lacks is its line feed.
#[test]
fn a_last_line_counts_when_something_stands_behind_the_compressed_parts_which_is_told_unless_it_is_zeros()
 {
    let lines = "ip=a\nip=b";
    for (packed, packing) in [(gzip(lines), "gzip"), (zstd(lines), "zstd")] {
        for (behind, code) in [
            (&b"garbage"[..], 2),
            (b"\0\0\0\0\0x", 2),
            (&[0; 5], 0),
            (&[0; 10_000], 0),
        ] {
            let bed = Bed::new();
            bed.write("a", [&packed[..], &packed, behind].concat());
            // The second line of the first part and the first one of the second are one.
            let (books, ran, _) = bed.books("a --positions pos");
            assert_eq!(
                (books, ran.code),
                ([3, 3, 0, 0], Some(code)),
                "{packing}, {behind:.9?}: {ran:?}"
            );
            let is_told = ran.stderr.contains("something that is not compressed");
            assert_eq!(is_told, code != 0, "{ran:?}");
            assert_eq!(bed.books("a --positions pos").0, [0; 4], "{packing}");
            assert_eq!(bed.arrived(), 3);
            let mut push = bed.service.command("repo push clicks a");
            let pushed = push.current_dir(bed.path("")).ran();
            assert_eq!(pushed.code, Some(code), "{pushed:?}");
            let says = pushed.stderr.contains("; nothing was pushed");
            assert_eq!(says, code != 0, "{pushed:?}");
        }
    }
}

#[test]
fn each_line_of_raw_text_is_a_record_of_one_field() {
    let bed = Bed::new();
    bed.write("a.log", b"{\"n\":1}\r\n\ta,b=c \"\n\n\xff\nnul\0\n");
    let (_, ran, document) = bed.books("a.log --raw-field ip --dry-run --dead-letters dead");
    assert_eq!(
        document["points"],
        json!(["ip={\"n\":1}", "ip=\\ta,b=c \"", "ip=nul\0"]),
        "{ran:?}"
    );
    let (books, ran, _) = bed.books("a.log --format raw --raw-field ip --dead-letters dead");
    assert_eq!((books, ran.code), ([4, 3, 1, 0], Some(1)), "{ran:?}");
    let letter = &bed.letters("dead")[0];
    let members = ["format", "columns", "bytes", "line"].map(|member| &letter[member]);
    assert_eq!(
        members,
        [&json!("raw"), &json!("ip"), &json!("/w=="), &json!(4)]
    );
    assert_eq!(
        bed.books("--again dead --dead-letters still").0,
        [1, 0, 1, 0]
    );
    for (options, says) in [
        (
            "--format raw",
            "--raw-field: the schema does not have the column \"raw\"",
        ),
        (
            "--format csv --raw-field ip",
            "--raw-field is for --format raw",
        ),
        (
            "--columns ip --raw-field ip",
            "--raw-field is for --format raw",
        ),
    ] {
        let error = bed.ship(&format!("a.log {options}"));
        assert!(
            error.code == Some(2) && error.stderr.contains(says),
            "{options}: {error:?}"
        );
    }
}

#[test]
fn fields_get_other_names_before_the_schema_is_looked_at() {
    for (name, text, options, books) in [
        (
            "a.ndjson",
            "{\"IP\":\"a\",\"n\":1}\n{\"n\":2}\n",
            "--map IP=ip",
            [2, 2, 0, 0],
        ),
        // Both at once, and a value that is not there.
        (
            "a.ndjson",
            "{\"n\":\"a\",\"ip\":1}\n{\"ip\":null,\"n\":\"b\"}\n",
            "--map n=ip --map ip=n",
            [2, 2, 0, 0],
        ),
        (
            "a.ndjson",
            "{\"m\":1,\"n\":2}\n{\"m\":1,\"n\":null}\n",
            "--map m=n",
            [2, 1, 1, 0],
        ),
        ("a.points", "m=1\tip=a\nm=x\n", "--map m=n", [2, 1, 1, 0]),
        (
            "a.csv",
            "m,IP\n1,a\nx,b\n",
            "--map m=n --map IP=ip",
            [2, 1, 1, 0],
        ),
        ("a.csv", "1,a\n", "--columns m,ip --map m=n", [1, 1, 0, 0]),
        (
            "a.log",
            "a\n",
            "--raw-field line --map line=ip",
            [1, 1, 0, 0],
        ),
    ] {
        let bed = Bed::new();
        bed.write(name, text);
        let (found, ran, _) = bed.books(&format!("{name} {options} --dead-letters dead"));
        assert_eq!(found, books, "{name} {options}: {ran:?}");
        // A dead letter is read again as it was.
        let (again, ran, _) = bed.books("--again dead --dead-letters still");
        assert_eq!(again, [books[2], 0, books[2], 0], "{ran:?}");
        let reasons = |name: &str| {
            bed.letters(name)
                .iter()
                .map(|it| it["reason"].clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(reasons("dead"), reasons("still"));
    }
    let bed = Bed::new();
    bed.write("a.csv", "ip,n\na,1\n");
    for (options, says) in [
        ("--map ip", "say OLD=NEW"),
        ("--map ip=", "say OLD=NEW"),
        ("--map ip=ip2", "the schema does not have the field \"ip2\""),
        ("--map a=n --map b=n", "two fields get the name \"n\""),
        ("--map a=n --map a=ip", "\"a\" gets two names"),
        (
            "--map other=n",
            "there is no column \"other\" to be renamed",
        ),
        ("--map ip=n", "the column \"n\" is there twice"),
        (
            "--columns ip --map a=n",
            "--columns: there is no column \"a\"",
        ),
    ] {
        let error = bed.ship(&format!("a.csv {options}"));
        assert!(
            error.code == Some(2) && error.stderr.contains(says),
            "{options}: {error:?}"
        );
    }
    assert_eq!(bed.arrived(), 0);
}
