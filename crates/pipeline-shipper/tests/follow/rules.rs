use std::time::Duration;

use pipeline_shipper::follow::{Mark, Settings};

use crate::disk::{Disk, Driver};

fn at_rest() -> Settings {
    Settings::new()
        .rest(Duration::from_secs(2))
        .longest_line(100)
}

/// A disk after some writing, and what a follower made of it that looked after each step.
fn followed(steps: &[&dyn Fn(&mut Disk)]) -> Driver {
    let mut disk = Disk::default();
    let mut driver = Driver::new(at_rest(), None);
    for step in steps {
        step(&mut disk);
        driver.settle(&disk);
    }
    driver
}

/// The mark at which a run ended that saw this text.
fn mark_behind(text: &str) -> Mark {
    followed(&[&|disk| disk.append(text)]).mark
}

fn resumed(disk: &Disk, mark: Mark) -> Driver {
    let mut driver = Driver::new(at_rest(), Some(mark));
    driver.settle(disk);
    driver
}

#[test]
fn a_line_comes_when_its_line_feed_does() {
    let mut disk = Disk::default();
    let mut driver = Driver::new(at_rest(), None);
    for (text, lines) in [("a", 0), ("b", 0), ("\nc", 1), ("\n\n", 3)] {
        disk.append(text);
        driver.settle(&disk);
        assert_eq!(driver.lines.len(), lines, "{text:?}");
    }
    assert_eq!(driver.lines, ["ab", "c", ""]);
}

#[test]
fn a_renamed_file_is_read_to_its_end_before_the_new_one() {
    let mut disk = Disk::default();
    let mut driver = Driver::new(at_rest(), None);
    disk.append("a\nb\n");
    driver.steps(&disk, 4);
    disk.append("c\nrest");
    disk.rotate();
    disk.append("d\n");
    driver.settle(&disk);
    assert_eq!(driver.lines, ["a", "b", "c", "rest", "d"]);
}

#[test]
fn files_that_were_rotated_in_the_meantime_are_read_in_their_order() {
    let mut disk = Disk::default();
    disk.append("a\nb\n");
    let mark = mark_behind("a\n");
    disk.rotate();
    disk.append("c\n");
    disk.rotate();
    disk.append("d\n");
    for compressed in [false, true] {
        if compressed {
            disk.compress_rotated();
        }
        assert_eq!(resumed(&disk, mark).lines, ["b", "c", "d"], "{compressed}");
    }
}

#[test]
fn what_was_appended_before_a_truncation_is_read_from_the_copy() {
    let mut disk = Disk::default();
    let mut driver = Driver::new(at_rest(), None);
    disk.append("a\n");
    driver.settle(&disk);
    disk.append("b\n");
    disk.copy_and_truncate();
    disk.append("c, which is longer than everything before\n");
    driver.settle(&disk);
    assert_eq!(driver.lines[..2], ["a", "b"]);
    assert_eq!(driver.lines.len(), 3);
}

#[test]
fn a_file_that_was_cut_and_has_grown_again_is_another_one() {
    for longer in ["", "and something more\n"] {
        let mut disk = Disk::default();
        disk.append(&format!("same\nsame\nnew\n{longer}"));
        let driver = resumed(&disk, mark_behind("same\nsame\nold\n"));
        assert_eq!(driver.lines[..3], ["same", "same", "new"]);
        assert_eq!(driver.searches, 1, "it is looked for once");
    }
    let driver = followed(&[&|disk| disk.append("same\nold\n"), &|disk| {
        disk.truncate();
        disk.append("same\nnew\nmore\n");
    }]);
    assert_eq!(driver.lines, ["same", "old", "same", "new", "more"]);
    let driver = followed(&[&|disk| disk.append("old\n"), &|disk| {
        disk.truncate();
        disk.append("new\n");
    }]);
    assert_eq!(driver.lines, ["old", "new"], "of the same length");
}

#[test]
fn a_mark_fits_where_the_file_has_only_grown() {
    let mut disk = Disk::default();
    let text = "0123456789\n".repeat(500);
    disk.append(&text);
    disk.append("more\n");
    assert_eq!(resumed(&disk, mark_behind(&text)).lines, ["more"]);
    assert_eq!(resumed(&disk, Mark::default()).lines.len(), 501);
}

#[test]
fn a_deleted_file_is_read_to_its_end_and_a_new_one_is_waited_for() {
    let driver = followed(&[
        &|disk| disk.append("a\n"),
        &|disk| {
            disk.append("b\n");
            disk.delete();
        },
        &|disk| disk.append("c\n"),
    ]);
    assert_eq!(driver.lines, ["a", "b", "c"]);
}

#[test]
fn a_deleted_file_that_cannot_be_read_fast_enough_is_given_up_and_counted() {
    let mut disk = Disk::default();
    disk.append("a\n");
    let mut driver = Driver::new(at_rest().deleted(Duration::ZERO), None);
    driver.steps(&disk, 4);
    disk.append("lost\n");
    disk.delete();
    driver.settle(&disk);
    assert_eq!(driver.lines, ["a"]);
    assert_eq!(driver.other, ["given up: 5"]);
}

#[test]
fn a_line_that_is_too_long_is_skipped_and_counted() {
    for (length, lines, other) in [(100, 3, 0), (101, 2, 1), (5_000, 2, 1)] {
        let long = "x".repeat(length);
        let driver = followed(&[
            &|disk| disk.append("before\n"),
            &|disk| disk.append(&long[..length / 2]),
            &|disk| disk.append(&long[length / 2..]),
            &|disk| disk.append("\nafter\n"),
        ]);
        assert_eq!(
            (driver.lines.len(), driver.other.len()),
            (lines, other),
            "{length}"
        );
        assert_eq!(
            driver.mark.offset(),
            14 + length as u64,
            "it is done as well"
        );
    }
}

#[test]
fn a_run_to_the_end_takes_what_has_come_of_the_last_line() {
    let mut disk = Disk::default();
    disk.append("a\nb");
    let once = at_rest().once(true);
    let mut driver = Driver::new(once, None);
    driver.settle(&disk);
    assert_eq!(driver.lines, ["a", "b"]);
    let mut none = Driver::new(once, None);
    none.settle(&Disk::default());
    assert!(none.lines.is_empty());
}
