//! A real folder, in which files are rotated as `logrotate` does it, step by step.

use std::{fs, path::PathBuf, process::Child};

use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::Value;

use super::bed::{Bed, balanced, gzip, numbered};
use crate::support::{Ran, is_ignored, signal};

/// The settings of the same names.
#[derive(Clone, Copy)]
struct Rotation {
    /// Otherwise a new file takes the place of the old one.
    copytruncate: bool,
    /// What compressed files are called.
    compress: Option<&'static str>,
    /// A file is compressed at the rotation after its own.
    delaycompress: bool,
    /// Whether a compressed file has the time of the one that it was.
    keeps_time: bool,
}

const PLAIN: Rotation = Rotation {
    copytruncate: false,
    compress: None,
    delaycompress: false,
    keeps_time: true,
};

impl Rotation {
    fn rotate(self, bed: &Bed) {
        let name = |number: u32, ending: &str| bed.path(&format!("log.{number}{ending}"));
        let endings = ["", ".gz", ".zst"];
        for number in (1..6).rev() {
            for ending in endings {
                // Most of them are not there.
                let _ = fs::rename(name(number, ending), name(number + 1, ending));
            }
        }
        let (log, first) = (bed.path("log"), name(1, ""));
        if self.delaycompress {
            self.compress(name(2, ""));
        }
        if self.copytruncate {
            fs::copy(&log, &first).unwrap();
            fs::File::options()
                .write(true)
                .open(&log)
                .unwrap()
                .set_len(0)
                .unwrap();
        } else {
            fs::rename(&log, &first).unwrap();
            bed.write("log", "");
        }
        if !self.delaycompress {
            self.compress(first);
        }
    }

    fn compress(self, path: PathBuf) {
        let (Some(ending), Ok(text)) = (self.compress, fs::read_to_string(&path)) else {
            return;
        };
        let packed = match ending {
            ".gz" => gzip(&text),
            _ => compress_to_vec(text.as_bytes(), CompressionLevel::Fastest),
        };
        let to = format!("{}{ending}", path.display());
        fs::write(&to, packed).unwrap();
        if self.keeps_time {
            let written = fs::metadata(&path).unwrap().modified().unwrap();
            fs::File::options()
                .write(true)
                .open(to)
                .unwrap()
                .set_modified(written)
                .unwrap();
        }
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn every_rotation_of_logrotate_ships_each_line_once() {
    if is_ignored("TERM") {
        return;
    }
    let gzip = Rotation {
        compress: Some(".gz"),
        ..PLAIN
    };
    let delayed = Rotation {
        delaycompress: true,
        ..gzip
    };
    let zstd = Some(".zst");
    let rotations = [
        PLAIN,
        Rotation {
            copytruncate: true,
            ..PLAIN
        },
        gzip,
        Rotation {
            keeps_time: false,
            ..gzip
        },
        delayed,
        Rotation {
            compress: zstd,
            copytruncate: true,
            ..delayed
        },
        Rotation {
            compress: zstd,
            ..gzip
        },
    ];
    // It takes a while until a file that was replaced is at rest.
    std::thread::scope(|scope| {
        for (number, rotation) in rotations.into_iter().enumerate() {
            scope.spawn(move || follows(number, rotation));
        }
    });
}

fn follows(number: usize, rotation: Rotation) {
    let bed = Bed::new();
    let mut lines = 0;
    let mut write = |count: u64| {
        // No two files begin alike.
        let text = numbered(lines..lines + count, "n=");
        lines += count;
        bed.append("log", &text);
        lines
    };
    let follow = || bed.spawn("--follow log --positions pos --linger 10ms -o json --format points");
    let end = |child: Child| {
        signal(&child, "TERM");
        let ran = Ran::of(child.wait_with_output().unwrap());
        let document: Value = serde_json::from_str(&ran.stdout).unwrap();
        balanced(&document["total"])
    };
    let child = follow();
    bed.wait_for(write(5));
    for _ in 0..2 {
        rotation.rotate(&bed);
        bed.wait_for(write(5));
    }
    assert_eq!(end(child), [15, 15, 0, 0], "{number}");
    // While nobody looks.
    for _ in 0..2 {
        write(5);
        rotation.rotate(&bed);
    }
    let all = write(5);
    let child = follow();
    bed.wait_for(all);
    assert_eq!(end(child), [15, 15, 0, 0], "{number}");
    assert_eq!(bed.arrived(), all, "{number}");
}
