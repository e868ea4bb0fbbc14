use std::time::Duration;

use pipeline_shipper::follow::Settings;
use proptest::prelude::*;

use crate::disk::{Disk, Driver};

#[derive(Debug, Clone, Copy)]
enum Act {
    Line,
    Half,
    Rotate,
    CopyAndTruncate,
    Compress,
    Steps(usize),
    Settle,
    Restart,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => Just(Act::Line),
        2 => Just(Act::Half),
        1 => Just(Act::Rotate),
        1 => Just(Act::CopyAndTruncate),
        1 => Just(Act::Compress),
        4 => (1_usize..6).prop_map(Act::Steps),
        1 => Just(Act::Settle),
        1 => Just(Act::Restart),
    ]
}

proptest! {
    /// Whatever happens to the files: a line that was written comes out, in its order, and only a restart repeats one.
    #[test]
    fn every_line_comes_out_once(acts in prop::collection::vec(act(), 1..60)) {
        let settings = Settings::new().rest(Duration::from_secs(1)).read(16);
        let mut disk = Disk::default();
        let mut driver = Driver::new(settings, None);
        // Without a mark nothing says which of the rotated files were read.
        disk.append("line 0\n");
        driver.settle(&disk);
        let mut written = 1;
        let mut out: Vec<String> = Vec::new();
        let mut is_half = false;
        let mut is_unread = false;
        // Whoever truncates a file in which half a line stands tears the line; no reader can mend that.
        for act in acts {
            match act {
                Act::Line | Act::Half => {
                    let head = if is_half { String::new() } else { format!("line {written}") };
                    is_half = matches!(act, Act::Half);
                    written += usize::from(!is_half);
                    disk.append(&(head + if is_half { "" } else { "\n" }));
                    // By what was never read no copy is known again.
                    if is_unread && !is_half {
                        driver.settle(&disk);
                        is_unread = false;
                    }
                }
                Act::Rotate | Act::CopyAndTruncate if is_half => {}
                Act::Rotate => {
                    disk.rotate();
                    is_unread = true;
                }
                Act::CopyAndTruncate => {
                    disk.copy_and_truncate();
                    is_unread = true;
                }
                Act::Compress => disk.compress_rotated(),
                Act::Steps(steps) => driver.steps(&disk, steps),
                Act::Settle => driver.settle(&disk),
                Act::Restart => {
                    let mark = driver.mark;
                    out.append(&mut driver.lines);
                    driver = Driver::new(settings, Some(mark));
                }
            }
        }
        if is_half {
            disk.append("\n");
            written += 1;
        }
        driver.settle(&disk);
        out.append(&mut driver.lines);
        let expected: Vec<String> = (0..written).map(|line| format!("line {line}")).collect();
        prop_assert_eq!(out, expected);
    }
}
