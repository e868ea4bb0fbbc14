//! The programs that are measured: how they are built, started and served.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Instant,
};

use crate::{Result, cargo};

use super::tools::{self, Runs};

const BENCH: &str = "bench/Cargo.toml";

/// Of the account that the servers know, and requests are signed for.
pub(super) const KEYS: [(&str, &str); 2] = [
    (
        "PANDORA_ACCESS_KEY",
        "4_odedBxmrAHiu4Y0Qp0HPG0NANCf6VAsAjWL_k9",
    ),
    (
        "PANDORA_SECRET_KEY",
        "SrRuUVfDX6drVRvpyN8mv8Vcm9XnMZzlbDfvVfMe",
    ),
];

fn in_bench(yes: bool) -> String {
    if yes {
        format!("--manifest-path {BENCH}")
    } else {
        String::new()
    }
}

/// A release build of one package: of the workspace in `bench`, or of this one.
pub(super) fn build(package: &str, bench: bool) -> Result<()> {
    let line = format!(
        "build --release --quiet --package {package} {}",
        in_bench(bench)
    );
    cargo::run(&mut cargo::cargo(&line))
}

/// Where cargo puts the programs of a workspace.
pub(super) fn folder(bench: bool) -> Result<PathBuf> {
    let metadata = cargo::metadata(&format!("--no-deps {}", in_bench(bench)))?;
    Ok(metadata.target_directory.join("release").into())
}

/// The command, as it is released.
pub(super) fn pipeline() -> Result<PathBuf> {
    Ok(folder(false)?.join("pipeline"))
}

/// Build scripts in the crates of this workspace.
pub(super) fn build_scripts() -> Result<f64> {
    let packages = cargo::metadata("--no-deps")?.packages;
    let targets = packages.iter().flat_map(|package| &package.targets);
    Ok(count(
        targets.filter(|target| target.is_custom_build()).count(),
    ))
}

/// Crates in the tree of a package, itself left out.
pub(super) fn crates(package: &str, bench: bool) -> Result<f64> {
    let tree = cargo::tree(package, &format!("--edges normal {}", in_bench(bench)))?;
    Ok(count(tree.len() - 1))
}

pub(super) fn size(program: &Path) -> Result<f64> {
    let about = fs::metadata(program).map_err(|error| format!("{}: {error}", program.display()))?;
    // Far below the 2^53 bytes up to which this is exact.
    #[allow(clippy::cast_precision_loss)]
    Ok(about.len() as f64)
}

pub(super) fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::INFINITY, f64::from)
}

/// The program with the cases.
pub(super) struct Cases {
    program: PathBuf,
}

impl Cases {
    pub(super) fn build() -> Result<Self> {
        build("measure", true)?;
        let program = folder(true)?.join("measure");
        Ok(Self { program })
    }

    /// What one run of a case costs.
    pub(super) fn each(
        &self,
        tool: impl Fn(tools::Line<'_>) -> Result<f64>,
        case: &str,
        url: &str,
        runs: Runs,
    ) -> Result<f64> {
        let run = |count: u32| tool((&self.program, &["once", case, &count.to_string(), url]));
        let more = run(runs.before + runs.counted)? - run(runs.before)?;
        Ok(more / f64::from(runs.counted))
    }

    /// Bytes of heap above what there was before one run: the most during it, and what is there after it.
    pub(super) fn heap(&self, case: &str, url: &str) -> Result<(f64, f64)> {
        let run = |count| tools::heap((&self.program, &["once", case, count, url]));
        let ((_, before), (peak, after)) = (run("0")?, run("1")?);
        Ok((peak - before, after - before))
    }

    /// What the program prints.
    pub(super) fn output(&self, words: &[&str], settings: &[(&str, &str)]) -> Result<String> {
        let mut command = Command::new(&self.program);
        cargo::output(command.args(words).envs(settings.iter().copied()))
    }

    /// The number that the program prints.
    pub(super) fn number(&self, words: &[&str]) -> Result<f64> {
        let text = self.output(words, &[])?;
        let number = text.trim().parse();
        number.map_err(|_| format!("{words:?} printed {text:?}"))
    }

    /// The program, for what is started otherwise.
    pub(super) fn command(&self) -> Command {
        Command::new(&self.program)
    }

    pub(super) fn serve(&self, what: &str) -> Result<Server> {
        Server::start(self.command().args(["serve", what]))
    }
}

/// A server in a process of its own, which ends with this value.
pub(super) struct Server {
    process: Child,
    pub(super) url: String,
}

impl Server {
    /// The first line that it writes is its address, or a JSON object with that.
    pub(super) fn start(command: &mut Command) -> Result<Self> {
        let error = |error| format!("a server: {error}");
        let process = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = process.stderr(Stdio::null()).spawn().map_err(error)?;
        let mut line = String::new();
        if let Some(output) = process.stdout.take() {
            let read = BufReader::new(output).read_line(&mut line);
            read.map_err(error)?;
        }
        let url = match serde_json::from_str::<serde_json::Value>(&line) {
            Ok(object) => object["url"].as_str().unwrap_or_default().to_owned(),
            Err(_) => line.trim().to_owned(),
        };
        Ok(Self { process, url })
    }

    pub(super) fn id(&self) -> String {
        self.process.id().to_string()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends when its input does; this is quicker, and it has nothing to lose.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Seconds of CPU time, and of a clock on the wall, that a build takes in an empty folder.
pub(super) fn cold_build(package: &str) -> Result<(f64, f64)> {
    Cold::new()?.build(package)
}

/// What the core adds to a cold build of its dependencies, in CPU time: the whole over the part.
pub(super) fn cold_build_of_core() -> Result<f64> {
    let (cold, package) = (Cold::new()?, "pipeline-proto");
    let (whole, _) = cold.build(package)?;
    cold.cargo(&format!("clean --quiet --package {package}"))?;
    let (own, _) = cold.build(package)?;
    Ok(whole / (whole - own))
}

/// A folder for builds of this workspace that has nothing in it.
struct Cold(PathBuf);

impl Cold {
    fn new() -> Result<Self> {
        let target = folder(true)?.join("cold");
        if target.exists() {
            fs::remove_dir_all(&target).map_err(|error| error.to_string())?;
        }
        Ok(Self(target))
    }

    fn cargo(&self, line: &str) -> Result {
        cargo::run(cargo::cargo(line).arg("--target-dir").arg(&self.0))
    }

    fn build(&self, package: &str) -> Result<(f64, f64)> {
        let (before, start) = (children()?, Instant::now());
        self.cargo(&format!("build --quiet --package {package}"))?;
        Ok((children()? - before, start.elapsed().as_secs_f64()))
    }
}

impl Drop for Cold {
    fn drop(&mut self) {
        // Some hundred megabytes that nobody needs again.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// CPU time of the processes that this one started and that have ended, in seconds; ticks of 10 ms are fine enough for builds.
fn children() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let read = || {
        let (_, fields) = stat.rsplit_once(')')?;
        let mut fields = fields.split_whitespace().skip(13);
        let mut ticks = || fields.next()?.parse::<f64>().ok();
        Some((ticks()? + ticks()?) / 100.0)
    };
    read().ok_or_else(|| "/proc/self/stat cannot be read".to_owned())
}
