//! The seeds of the fuzz targets, and every input that a fuzzer once broke a promise with, run
//! through the same functions.

use std::{
    fs,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

// The package of the targets needs a nightly compiler, its functions do not.
#[path = "../../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "public in a package of its own")]
mod fuzz;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// The files of a folder, by name. One that is missing is empty.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn no_input_breaks_a_promise() {
    let mut broken = Vec::new();
    for (name, run) in fuzz::TARGETS {
        let seeds = files(&folder().join("seeds").join(name));
        assert!(!seeds.is_empty(), "{name} has no seeds");
        let regressions = files(&folder().join("regressions").join(name));
        for path in seeds.into_iter().chain(regressions) {
            let data = fs::read(&path).unwrap();
            if catch_unwind(|| run(&data)).is_err() {
                broken.push(path);
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_target_is_built_and_every_folder_belongs_to_one() {
    let names: Vec<&str> = fuzz::TARGETS.iter().map(|(name, _)| *name).collect();
    let stems = |folder: PathBuf| -> Vec<String> {
        let paths = files(&folder).into_iter();
        paths
            .filter(|path| path.file_name().is_none_or(|name| name != "README.md"))
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
            .collect()
    };
    assert_eq!(stems(folder().join("fuzz_targets")), names);
    assert_eq!(stems(folder().join("seeds")), names);
    for name in stems(folder().join("regressions")) {
        assert!(names.contains(&name.as_str()), "{name}");
    }
    let manifest = fs::read_to_string(folder().join("Cargo.toml")).unwrap();
    for name in names {
        assert!(
            manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")),
            "{name}"
        );
    }
}
