//! Figures, each measured once however many rows are made of it.

use std::{
    cell::{OnceCell, RefCell},
    collections::BTreeMap,
    path::Path,
    process::Command,
    rc::Rc,
};

use crate::{Result, cargo};

use super::{
    programs::{self, Cases, Server},
    tools::{self, Line, Runs},
};

/// Cases that take turns in one process, and how many turns they take.
pub(super) struct Group {
    pub(super) turns: u32,
    pub(super) cases: &'static [&'static str],
}

/// What each of them took in each turn, in nanoseconds, and how many bytes a run was about.
pub(super) struct Race(BTreeMap<String, (f64, Vec<f64>)>);

impl Race {
    fn read(text: &str) -> Result<Self> {
        let read = |line: &str| {
            let (name, numbers) = line.split_once(' ')?;
            let numbers = numbers.split(' ').map(|number| number.parse().ok());
            let mut numbers: Vec<f64> = numbers.collect::<Option<_>>()?;
            let bytes = numbers.remove(0);
            (!numbers.is_empty()).then(|| (name.to_owned(), (bytes, numbers)))
        };
        let lines = text.lines();
        let lines = lines.map(|line| read(line).ok_or_else(|| format!("measured `{line}`")));
        Ok(Self(lines.collect::<Result<_>>()?))
    }

    fn of(&self, case: &str) -> Result<&(f64, Vec<f64>)> {
        let found = self.0.get(case);
        found.ok_or_else(|| format!("{case} did not run"))
    }

    /// Nanoseconds, as they are on a machine with nothing else to do: the lowest tenth of the turns.
    pub(super) fn time(&self, case: &str) -> Result<f64> {
        let (_, times) = self.of(case)?;
        Ok(part(times.clone(), 0.1))
    }

    /// What one needs over what the other needs in the same turn: the middle of the turns.
    pub(super) fn over(&self, case: &str, other: &str) -> Result<f64> {
        let (times, others) = (&self.of(case)?.1, &self.of(other)?.1);
        let ratios = times.iter().zip(others).map(|(time, other)| time / other);
        Ok(part(ratios.collect(), 0.5))
    }

    /// Megabytes in a second.
    pub(super) fn rate(&self, case: &str) -> Result<f64> {
        Ok(self.of(case)?.0 / self.time(case)? * 1e3)
    }

    /// The number at this place, for what is no time of turns.
    pub(super) fn at(&self, case: &str, place: usize) -> Result<f64> {
        let number = self.of(case)?.1.get(place).copied();
        number.ok_or_else(|| format!("{case} has no number {place}"))
    }
}

/// The value below which there is such a part of them.
fn part(mut values: Vec<f64>, part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    // Both are small, and the product is below the length.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let at = (programs::count(values.len()) * part) as usize;
    values[at]
}

/// What is measured with, and what has been.
pub(super) struct Bench {
    cases: Cases,
    constant: OnceCell<Server>,
    short: OnceCell<Server>,
    numbers: RefCell<BTreeMap<String, f64>>,
    races: RefCell<BTreeMap<String, Rc<Race>>>,
}

/// How often the servers that are measured take turns, and how many requests they get in each.
const LOADS: usize = 7;
const LOAD: &str = "40000";

impl Bench {
    pub(super) fn new() -> Result<Self> {
        eprintln!("building");
        // First of all, so that nothing is measured if something cannot be built.
        for package in ["hello-hyper", "hello-blocking", "hello-clap"] {
            programs::build(package, true)?;
        }
        programs::build("pipeline-cli", false)?;
        Ok(Self {
            cases: Cases::build()?,
            constant: OnceCell::new(),
            short: OnceCell::new(),
            numbers: RefCell::default(),
            races: RefCell::default(),
        })
    }

    /// So that everything is measured anew.
    pub(super) fn forget(&self) {
        self.numbers.borrow_mut().clear();
        self.races.borrow_mut().clear();
    }

    fn once(&self, key: String, measure: impl FnOnce() -> Result<f64>) -> Result<f64> {
        if let Some(number) = self.numbers.borrow().get(&key) {
            return Ok(*number);
        }
        let number = measure()?;
        self.numbers.borrow_mut().insert(key, number);
        Ok(number)
    }

    fn raced(&self, key: String, race: impl FnOnce() -> Result<Race>) -> Result<Rc<Race>> {
        if let Some(race) = self.races.borrow().get(&key) {
            return Ok(Rc::clone(race));
        }
        let race = Rc::new(race()?);
        self.races.borrow_mut().insert(key, Rc::clone(&race));
        Ok(race)
    }

    /// Where the server is that says the same to everybody.
    fn url(&self) -> Result<&str> {
        self.server(&self.constant, "constant")
    }

    fn server<'a>(&'a self, cell: &'a OnceCell<Server>, what: &str) -> Result<&'a str> {
        if cell.get().is_none() {
            let _ = cell.set(self.cases.serve(what)?);
        }
        Ok(cell.get().map_or("", |server| &server.url))
    }

    fn each(
        &self,
        what: &str,
        tool: impl Fn(Line<'_>) -> Result<f64>,
        case: &str,
        runs: Runs,
    ) -> Result<f64> {
        self.once(format!("{what} {case}"), || {
            self.cases.each(tool, case, self.url()?, runs)
        })
    }

    /// Instructions of one run, of what takes microseconds.
    pub(super) fn instructions(&self, case: &str) -> Result<f64> {
        self.each("instructions", tools::instructions, case, tools::SMALL)
    }

    /// The same of what takes milliseconds.
    pub(super) fn instructions_large(&self, case: &str) -> Result<f64> {
        self.each("instructions", tools::instructions, case, tools::LARGE)
    }

    /// Allocations of one run. What grows now and then adds a share of one, which is left out.
    pub(super) fn allocations(&self, case: &str) -> Result<f64> {
        let each = self.each("allocations", tools::allocations, case, tools::SMALL)?;
        Ok(each.round())
    }

    /// System calls of one run, of these kinds or of all. `localhost` in place of the address has it looked up.
    pub(super) fn system_calls(&self, case: &str, by_name: bool, kinds: &[&str]) -> Result<f64> {
        let count = |line: Line<'_>| {
            let calls = tools::system_calls(line)?;
            let wanted = |name: &str| kinds.is_empty() || kinds.contains(&name);
            let wanted = calls.iter().filter(|(name, _)| wanted(name));
            Ok(wanted.map(|(_, count)| count).sum())
        };
        let mut url = self.url()?.to_owned();
        if by_name {
            url = url.replace("127.0.0.1", "localhost");
        }
        self.cases.each(count, case, &url, tools::SMALL)
    }

    /// Bytes of heap above what there was before one run: the most during it, and what is there after it.
    pub(super) fn heap(&self, case: &str) -> Result<(f64, f64)> {
        let key = |what| format!("{what} {case}");
        let both = || {
            let numbers = self.numbers.borrow();
            let number = |what| numbers.get(&key(what)).copied();
            Some((number("peak")?, number("left")?))
        };
        if both().is_none() {
            let (peak, left) = self.cases.heap(case, self.url()?)?;
            let mut numbers = self.numbers.borrow_mut();
            numbers.insert(key("peak"), peak);
            numbers.insert(key("left"), left);
        }
        both().ok_or_else(|| format!("{case} was not measured"))
    }

    /// A number that the program prints.
    pub(super) fn number(&self, words: &[&str]) -> Result<f64> {
        self.once(words.join(" "), || self.cases.number(words))
    }

    /// The CPU time of cases that took turns.
    pub(super) fn race(&self, group: &Group) -> Result<Rc<Race>> {
        self.raced(group.cases.join(" "), || {
            let turns = group.turns.to_string();
            let words = ["race", &turns, self.url()?];
            Race::read(&self.cases.output(&[&words, group.cases].concat(), &[])?)
        })
    }

    /// How long calls at fixed moments take through a transport, and through the bare one: three percentiles.
    pub(super) fn latency(&self, transport: &str) -> Result<Rc<Race>> {
        self.raced(format!("latency {transport}"), || {
            let words = ["latency", transport, "20", self.url()?];
            Race::read(&self.cases.output(&words, &[])?)
        })
    }

    /// The CPU time of the emulator and of a bare server for a request.
    pub(super) fn servers(&self) -> Result<Rc<Race>> {
        self.raced("servers".to_owned(), || {
            let mut emulator = Command::new(programs::pipeline()?);
            emulator.arg("emulator").envs(programs::KEYS);
            let servers = [
                ("emulator", Server::start(&mut emulator)?),
                ("hyper", self.cases.serve("hyper")?),
            ];
            let mut times = servers
                .each_ref()
                .map(|(kind, _)| ((*kind).to_owned(), (0.0, Vec::new())));
            for _ in 0..LOADS {
                for ((_, server), (_, (_, times))) in servers.iter().zip(&mut times) {
                    let words = ["load", &server.url, LOAD, &server.id()];
                    times.push(self.cases.number(&words)?);
                }
            }
            Ok(Race(times.into_iter().collect()))
        })
    }

    /// The wall time of listing workflows, by the command and by what one would take in its place.
    pub(super) fn listing(&self) -> Result<Rc<Race>> {
        self.raced("listing".to_owned(), || {
            let url = self.server(&self.short, "short")?;
            let pipeline = programs::pipeline()?;
            // What is called so may be a script that looks for the real one, and takes longer than that.
            let ask = "import sys; print(sys.executable)";
            let python = cargo::output(Command::new("python3").args(["-c", ask]))?;
            let script = cargo::root().join("bench/list.py");
            let lines = [
                format!("pipeline={} workflow list", pipeline.display()),
                format!("curl=curl --silent {url}/v2/workflows"),
                format!("python={} {} {url}", python.trim(), script.display()),
            ];
            let home = programs::folder(true)?;
            let settings = [
                ("HOME", &*home.to_string_lossy()),
                ("PANDORA_CONFIG_FILE", "/dev/null"),
                ("PANDORA_ENDPOINT", url),
                programs::KEYS[0],
                programs::KEYS[1],
            ];
            let words = ["programs", "100", &lines[0], &lines[1], &lines[2]];
            Race::read(&self.cases.output(&words, &settings)?)
        })
    }

    /// Instructions of a program that says how it is used.
    pub(super) fn help(&self, program: &Path) -> Result<f64> {
        self.once(format!("help {}", program.display()), || {
            tools::instructions((program, &["--help"]))
        })
    }

    /// Seconds that a cold build takes: of CPU time, and on the wall.
    pub(super) fn cold_build(&self, package: &str, which: usize) -> Result<f64> {
        let race = self.raced(format!("cold {package}"), || {
            let (cpu, wall) = programs::cold_build(package)?;
            let times = (0.0, vec![cpu, wall]);
            Ok(Race(BTreeMap::from([(package.to_owned(), times)])))
        })?;
        race.at(package, which)
    }

    /// How much more an element costs where there are ten times as many, in three sizes: the worse of the steps.
    pub(super) fn growth(&self, case: &str, smallest: u32) -> Result<f64> {
        let [first, second, third] = [1, 10, 100]
            .map(|times| self.instructions_large(&format!("{case}:{}", smallest * times)));
        let (first, second, third) = (first?, second?, third?);
        Ok((second / first).max(third / second) / 10.0)
    }

    /// The same by CPU time, for what would take too long under valgrind.
    pub(super) fn growth_in_time(&self, group: &Group) -> Result<f64> {
        let race = self.race(group)?;
        let steps = group.cases.windows(2);
        let steps = steps.map(|pair| Ok(race.over(pair[1], pair[0])? / 10.0));
        steps
            .collect::<Result<Vec<f64>>>()
            .map(|steps| steps.into_iter().fold(0.0, f64::max))
    }
}

#[test]
fn figures_are_made_of_what_took_turns() {
    let race = Race::read("a 4000 1.5 2 10 2\nb 0 3 4 5 4\n").unwrap();
    let close = |value: Result<f64>, wanted: f64| (value.unwrap() - wanted).abs() < 1e-9;
    assert!(close(race.time("a"), 1.5));
    assert!(close(race.over("a", "b"), 0.5));
    assert!(close(race.rate("a"), 4000.0 / 1.5 * 1e3));
    assert!(close(race.at("b", 2), 5.0));
    assert!(race.time("c").is_err());
    assert!(Race::read("a 1").is_err() && Race::read("a 1 x").is_err());
}
