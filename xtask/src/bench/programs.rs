//! The programs that are measured: how they are built, started and served.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::{Result, cargo};

use super::tools::{self, Runs};

const BENCH: &str = "bench/Cargo.toml";

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
        url: Option<&str>,
        runs: Runs,
    ) -> Result<f64> {
        let run = |count: u32| {
            let count = count.to_string();
            let words: Vec<&str> = ["once", case, &count].into_iter().chain(url).collect();
            tool((&self.program, &words))
        };
        let more = run(runs.before + runs.counted)? - run(runs.before)?;
        Ok(more / f64::from(runs.counted))
    }

    /// Allocations of one run. What grows now and then adds a share of one, which is left out.
    pub(super) fn allocations(&self, case: &str, url: Option<&str>) -> Result<f64> {
        Ok(self
            .each(tools::allocations, case, url, tools::SMALL)?
            .round())
    }

    /// The most heap during one run, above what was there before it.
    pub(super) fn peak(&self, case: &str, url: Option<&str>) -> Result<f64> {
        let run = |count: &str| {
            let words: Vec<&str> = ["once", case, count].into_iter().chain(url).collect();
            tools::heap((&self.program, &words))
        };
        let ((_, before), (peak, _)) = (run("0")?, run("1")?);
        Ok(peak - before)
    }

    /// The number that the program prints.
    pub(super) fn number(&self, words: &[&str]) -> Result<f64> {
        let text = cargo::output(Command::new(&self.program).args(words))?;
        text.trim()
            .parse()
            .map_err(|_| format!("{words:?} printed {text:?}"))
    }

    pub(super) fn serve(&self, what: &str) -> Result<Server> {
        Server::start(&self.program, what)
    }
}

/// A server in a process of its own, which ends with this value.
pub(super) struct Server {
    process: Child,
    pub(super) url: String,
}

impl Server {
    fn start(program: &Path, what: &str) -> Result<Self> {
        let error = |error| format!("{} serve {what}: {error}", program.display());
        let mut process = Command::new(program)
            .args(["serve", what])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(error)?;
        let mut url = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut url).map_err(error)?;
        }
        let url = url.trim().to_owned();
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

/// What the core adds to a cold build of its dependencies, in CPU time: the whole over the part.
pub(super) fn cold_build() -> Result<f64> {
    let target = folder(true)?.join("cold");
    if target.exists() {
        fs::remove_dir_all(&target).map_err(|error| error.to_string())?;
    }
    let timed = |line: &str| -> Result<f64> {
        let mut command = cargo::cargo(line);
        command.arg("--target-dir").arg(&target);
        let before = children()?;
        cargo::run(&mut command)?;
        Ok(children()? - before)
    };
    let build = "build --quiet --package pipeline-proto";
    let whole: f64 = timed(build)?;
    timed("clean --quiet --package pipeline-proto")?;
    let own: f64 = timed(build)?;
    Ok(whole / (whole - own))
}

/// CPU time of the processes that this one started and that have ended, in ticks.
fn children() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let read = || {
        let (_, fields) = stat.rsplit_once(')')?;
        let mut fields = fields.split_whitespace().skip(13);
        let mut ticks = || fields.next()?.parse::<f64>().ok();
        Some(ticks()? + ticks()?)
    };
    read().ok_or_else(|| "/proc/self/stat cannot be read".to_owned())
}
