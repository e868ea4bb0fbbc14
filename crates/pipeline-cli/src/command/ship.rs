//! `pipeline ship`: files and streams into a message queue, with an account of every record.

mod books;
mod disk;
mod exports;
mod feed;
mod free;
pub(in crate::command) mod letters;
mod passed;
mod positions;
mod pump;
mod report;
pub(in crate::command) mod road;
mod schemas;
mod watch;

use std::{
    collections::{BTreeMap, HashSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use clap::Args;
use pipeline_blocking::shipping::{Event, SchemaFree, Verdict};
use pipeline_proto::RepoName;
use pipeline_shipper::buffer::{Buffer, StartError};

use self::{
    books::{Desk, Id},
    free::{Free, Rehearsal},
    letters::Letters,
    positions::{Positions, key},
    pump::{Input, Pump},
    road::{Place, Road},
    schemas::{ReadAgain, Schemas},
    watch::{News, StatusFile, View, Watch},
};
use super::records::{Form, Layout};
use crate::{
    duration::{self, parse_timeout},
    exit::Exit,
    failure::Failure,
    file::{self, read},
    lang::pick,
    options::Global,
    output::note,
    remote::Remote,
    signals, size,
};

/// How long records that are left are tried at an interruption, and in a back-off.
const LAST: Duration = Duration::from_secs(5);
const LAST_IN_BACK_OFF: Duration = Duration::from_secs(2);

/// What records may take that wait, and those in flight: two batches for each request, so that none waits for the
/// next one to gather.
const HELD: usize = 8 << 20;
const HELD_FOR_EACH: usize = 4 << 20;

/// Ship files or standard input into a message queue, with an account of every record
///
/// Records go in batches, several requests at a time, and again for as long as it takes while the service is away. A
/// record that cannot be read, does not fit the schema or is refused is a dead letter: it is put into a file or named
/// on stderr, and the others go on. In the end each record that was read is accepted, dead or given up. A record may
/// arrive twice, if it is unknown whether it has arrived.
///
/// Compressed input (gzip, zstd) is unpacked. The first line of CSV names the fields, unless --columns does.
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own"
)]
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline ship clicks clicks.ndjson old.csv.gz --dead-letters dead.ndjson
  pipeline ship clicks --again dead.ndjson --dead-letters still-dead.ndjson
  pipeline ship clicks --follow /var/log/clicks.ndjson --positions clicks.positions
  produce | pipeline ship clicks --rate 5MB/s
  pipeline ship clicks clicks.csv --map addr=ip --dry-run
  pipeline ship lines app.log.zst --raw-field line
  pipeline ship clicks clicks.ndjson --schema-free --dry-run
  pipeline ship clicks clicks.ndjson --schema-free --workflow site
  pipeline ship clicks clicks.ndjson --schema-free --export kodo:bucket=archive,format=json")]
pub(crate) struct Ship {
    /// Name of the message queue
    repo: RepoName,

    /// Records: JSON objects or points, one a line, CSV, or any text; `-` for stdin [default: -]
    #[arg(value_name = "FILE", conflicts_with = "again")]
    files: Vec<PathBuf>,

    #[command(flatten)]
    form: Form,

    #[command(flatten)]
    free: Free,

    /// File that dead letters are appended to, as JSON lines: the record, its file and line, and the reason
    #[arg(long, value_name = "FILE")]
    dead_letters: Option<PathBuf>,

    /// File with dead letters to send once more
    #[arg(long, value_name = "FILE", conflicts_with_all = ["follow", "positions", "format", "delimiter", "columns", "raw_field", "map"])]
    again: Option<PathBuf>,

    /// Go on with what is appended to the files, also when they are rotated, until interrupted
    #[arg(long, conflicts_with = "dry_run")]
    follow: bool,

    /// File that keeps how far each file was accepted: the next run goes on from there
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    positions: Option<PathBuf>,

    #[command(flatten)]
    place: Place,

    /// File that has the books of each file at any moment, as JSON: written anew every second, and at the end
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    status: Option<PathBuf>,

    /// Check all records and show the first points, and send nothing
    #[arg(long)]
    dry_run: bool,

    /// Most that is sent in a second, before compression: 500KiB/s, 5MB/s
    #[arg(long, value_name = "RATE", value_parser = rate)]
    rate: Option<u64>,

    /// How many requests are in flight at most
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    in_flight: u16,

    /// Keep the order of the records: one request at a time
    #[arg(long)]
    ordered: bool,

    /// How long records gather before they are sent, if they do not fill a request before
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, default_value = "1s")]
    linger: Duration,

    /// How long a record is tried before it is given up [default: for ever]
    #[arg(long, value_name = "DURATION", value_parser = parse_timeout)]
    give_up_after: Option<Duration>,

    /// Without compression
    #[arg(long)]
    no_gzip: bool,
}

fn rate(text: &str) -> Result<u64, String> {
    let size = text.trim().strip_suffix("/s");
    let size = size.ok_or("write a size a second: 500KiB/s, 5MB/s")?;
    Ok(size::parse(size)? as u64)
}

/// What holds requests up, as the last one has shown.
type Trouble = Arc<Mutex<Option<String>>>;

impl Ship {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        self.check()?;
        let remote = global.remote()?;
        let free = self.free.options(&self.repo, global)?;
        // Whoever follows or keeps a buffer outlives a service that is away: at its start as well.
        let patient = (self.follow || self.place.buffer.is_some()) && !self.dry_run;
        let schema = match &free {
            Some(_) if patient || self.dry_run => None,
            Some(_) => free::reach(&self.repo, &remote).map(|()| None)?,
            None => self.form.schema(&remote, &self.repo, patient)?,
        };
        let positions = self.positions.as_deref();
        let positions = positions
            .map(|path| Positions::open(path, &self.repo))
            .transpose()?;
        let status = self.status.as_deref().map(StatusFile::open).transpose()?;
        let letters = self.dead_letters.as_deref().filter(|_| !self.dry_run);
        let letters = letters.map(Letters::open).transpose()?;
        let desk = Arc::new(Desk::new(letters, positions.is_some()));
        let trouble = Trouble::default();
        let shipper = (!self.dry_run)
            .then(|| self.start(global, &remote, free.as_ref(), &desk, &trouble))
            .transpose()?;
        let inputs = self.inputs(&desk, positions.as_ref(), shipper.as_ref())?;
        let mut watch = Watch {
            view: View {
                repo: &self.repo,
                desk: &desk,
                shipper: shipper.as_ref(),
                trouble: &trouble,
            },
            positions,
            status,
        };
        // Whether it can be written is told before anything is sent.
        watch.look_on(true)?;
        let (tell, news) = mpsc::channel();
        let signal = tell.clone();
        signals::stop_by(move |exit| {
            // Nobody listens any more at the end.
            let _ = signal.send(News::Signal(exit));
        })?;
        let rehearsed = free.as_ref().filter(|_| self.dry_run);
        let rehearsal = rehearsed
            .map(|free| Rehearsal::new(&self.repo, free.clone(), self.form.tags()?, &remote))
            .transpose()?
            .map(Arc::new);
        let (form, repo) = (self.form.clone(), self.repo.clone());
        let read_again: ReadAgain = Box::new(move || form.schema_again(&remote, &repo));
        let read_again = (!self.dry_run).then_some(read_again);
        let pump = Pump {
            inputs,
            schemas: Schemas::new(schema, read_again),
            begun: Instant::now(),
            is_free: free.is_some(),
            rehearsal: rehearsal.clone(),
            follow: self.follow,
            shipper: shipper.clone(),
            desk: Arc::clone(&desk),
            gate: Arc::default(),
            points: Arc::default(),
        };
        let (gate, points) = (Arc::clone(&pump.gate), Arc::clone(&pump.points));
        // A read of standard input may last for ever, whatever is to happen meanwhile.
        let reading = thread::Builder::new().name("reading".to_owned());
        let reading = reading.spawn(move || {
            pump.run();
            let _ = tell.send(News::End);
        });
        reading.map_err(|error| Failure::io("no thread to read with", &error))?;

        let kept = watch.until_end(&news);
        let moved = desk.take_letters(shipper.as_ref());
        let closed = shipper.as_ref().map_or(Ok(()), |shipper| {
            let in_back_off = locked(&trouble).is_some();
            shipper.close(if in_back_off { LAST_IN_BACK_OFF } else { LAST })
        });
        desk.end();
        // From now on no record is on its way from the one to the other.
        let _gate = gate.lock().unwrap_or_else(PoisonError::into_inner);
        let marks = desk.marks();
        let not_kept = shipper.as_ref().map(Road::not_kept).unwrap_or_default();
        let not_kept = desk.put_back_stored(&not_kept);
        let (mut report, exit, left, written) = desk.close();
        let stored = match &mut watch.positions {
            Some(positions) => positions.keep(marks),
            None => Ok(()),
        };
        let seen = watch.look_on(false);
        report.repo = self.repo.to_string();
        if let Some(shipper) = &shipper {
            report.count(&shipper.books());
        } else if let Some(rehearsal) = &rehearsal {
            rehearsal.report(&mut report);
        } else {
            report.points = Some(std::mem::take(&mut *locked(&points)));
        }
        let (total, unread) = (report.total(), report.unread());
        let shown = global.format().write(&report);
        let signal = kept?;
        written.and(moved).and(closed).map_err(|failure| {
            let failure = failure.and(total.said());
            let failure = match not_kept {
                0 => failure,
                count => failure.and(pick(
                    format!("the {count} records before it are not in the buffer and not counted"),
                    format!("在此之前的 {count} 条记录没有写入缓冲，也没有计入账目"),
                )),
            };
            self.with_way(failure, total.lost())
        })?;
        stored?;
        if let Some(exit) = signal {
            let what = signals::said(exit);
            let line = format!("{what}{}{}", pick(": ", "："), total.said());
            let failure = Failure::new(exit, line);
            return Err(self.with_way(failure, total.lost()));
        }
        shown?;
        seen?;
        if report.dropped_fields > 0 {
            let dropped = report.dropped_fields;
            note(pick(
                format!("{dropped} values were left out whose fields the queue does not have"),
                format!("已略去 {dropped} 个值：队列没有对应的字段"),
            ));
        }
        if self.dry_run {
            note(pick("nothing was sent", "什么都没有发送"));
        }
        match exit {
            None => Ok(Exit::Done),
            Some(exit) => {
                let mut failure = Failure::new(exit, total.said()).about(&self.repo);
                if let (all, unread @ 1..) = unread {
                    let of_files = pick(
                        format!("{unread} of {all} files not read to the end"),
                        format!("{all} 个文件中有 {unread} 个没有读完"),
                    );
                    failure = failure.and(of_files);
                }
                let failure = left.into_iter().fold(failure, Failure::and);
                Err(self.with_way(failure, total.lost()))
            }
        }
    }

    /// What is refused before anything is looked at.
    fn check(&self) -> Result<(), Failure> {
        let is_stdin = |file: &Path| file.as_os_str() == "-";
        let is_drained = self.files.is_empty() && self.place.buffer.is_some();
        let stdin =
            self.files.is_empty() && !is_drained || self.files.iter().any(|file| is_stdin(file));
        if self.follow && is_drained {
            return Err(Failure::usage("name the files that are to be followed"));
        }
        if self.follow && stdin {
            return Err(Failure::usage(
                "standard input is read to its end anyway: --follow is for files",
            ));
        }
        // There may be as many as a folder has.
        let (mut names, mut ids) = (HashSet::new(), HashSet::new());
        for file in &self.files {
            if self.follow && file.metadata().is_ok_and(|found| !found.is_file()) {
                let line = "it is no file that could be followed";
                return Err(Failure::usage(line).about(read::shown(file)));
            }
            let is_other = file::id_of(file).is_none_or(|id| ids.insert(id));
            if !names.insert(file) || !is_other {
                let line = "this file is named twice";
                return Err(Failure::usage(line).about(read::shown(file)));
            }
        }
        ids.extend(self.again.as_deref().and_then(file::id_of));
        let written = [&self.dead_letters, &self.positions, &self.status];
        let mut others: Vec<&PathBuf> = Vec::new();
        for written in written.into_iter().flatten() {
            let id = file::id_of(written);
            let is_same =
                |other: &&PathBuf| *other == written || id.is_some() && file::id_of(other) == id;
            if others.iter().any(is_same) {
                let line = "this file is written already: write to another one";
                return Err(Failure::usage(line).about(written.display()));
            }
            others.push(written);
            if id.is_some_and(|id| ids.contains(&id)) {
                let line = "this file is read already: write to another one";
                return Err(Failure::usage(line).about(written.display()));
            }
        }
        Ok(())
    }

    fn inputs(
        &self,
        desk: &Desk,
        positions: Option<&Positions>,
        road: Option<&Road>,
    ) -> Result<Vec<Input>, Failure> {
        let places = match road {
            Some(Road::Disk(shipper)) => shipper.buffer().places()?,
            _ => BTreeMap::new(),
        };
        let place = |path: &Path| serde_json::from_slice(places.get(&key(path))?).ok();
        let stdin = [PathBuf::from("-")];
        let (files, is_letters) = match &self.again {
            Some(again) => (std::slice::from_ref(again), true),
            None if self.files.is_empty() && self.place.buffer.is_none() => (&stdin[..], false),
            None => (&self.files[..], false),
        };
        let inputs = files.iter().map(|path| {
            let shown = read::shown(path);
            let is_regular = path.as_os_str() != "-";
            let mark = positions.map_or_else(|| place(path), |it| it.mark(path));
            let layout = if is_letters {
                Layout::default()
            } else {
                self.form.of(path)?
            };
            Ok(Input {
                path: path.clone(),
                key: is_regular.then(|| key(path)),
                layout,
                book: desk.open(shown.clone(), is_regular.then(|| path.clone()), mark),
                name: desk.name(&shown),
                shown,
                mark: mark.filter(|_| is_regular),
                is_letters,
            })
        });
        inputs.collect()
    }

    fn start(
        &self,
        global: &Global,
        remote: &Remote,
        free: Option<&SchemaFree>,
        desk: &Arc<Desk>,
        trouble: &Trouble,
    ) -> Result<Road, Failure> {
        let (client, calls) = remote.to_ship()?;
        let (seen, repo) = (Arc::clone(trouble), self.repo.clone());
        let mut builder = client
            .shipper(self.repo.clone())
            .in_flight(self.in_flight.into())
            .ordered(self.ordered)
            .linger(self.linger)
            .memory(HELD + usize::from(self.in_flight) * HELD_FOR_EACH)
            .bytes_per_second(self.rate.unwrap_or(0))
            .calls(calls)
            // Whoever follows outlives a key that is changed, and a queue that is made anew.
            .hold_refused(self.follow)
            .observer(move |event| match event {
                Event::BackOff { error, .. } => *locked(&seen) = Some(error.to_string()),
                Event::Accepted { .. } => *locked(&seen) = None,
                Event::SchemaChanged { fields, is_ours: true, .. } => {
                    note(format_args!("{repo} has {fields} fields now"));
                }
                Event::ExportMade { export, .. } => note(format_args!("made the export {export}")),
                Event::ExportGrown { export, .. } => {
                    note(format_args!("the export {export} writes the new fields as well"));
                }
                Event::ExportFailed { error, .. } => {
                    exports::tell_failure(error);
                }
                Event::LeftStopped { workflow, error, .. } => {
                    let why = error.map_or("there was no time left".to_owned(), ToString::to_string);
                    note(format_args!(
                        "the workflow {workflow} was stopped, and is not started again: {why}; see: pipeline workflow start {workflow}"
                    ));
                }
                _ => {}
            });
        if let Some(free) = free {
            builder = builder.schema_free(free.clone());
        }
        for (service, client) in self.free.sisters(remote, global)? {
            builder = builder.service(service, client);
        }
        if !self.no_gzip {
            builder = builder.gzip(3);
        }
        if let Some(time) = self.give_up_after {
            builder = builder.deadline(time);
        }
        if let Some(tags) = self.form.tags()? {
            builder = builder.tags(tags);
        }
        let teller = Arc::clone(desk);
        let Some(settings) = self.place.settings() else {
            let started = builder.start(move |verdict: Verdict<Id>| teller.tell(&verdict));
            return started.map(Road::Memory).map_err(Failure::usage);
        };
        let buffer = Buffer::open(settings.clone(), &self.repo)?;
        // A point does not begin with a brace.
        let is_json = buffer.oldest()?.map(|record| record.starts_with(b"{"));
        if is_json.is_some_and(|is_json| is_json != free.is_some()) {
            let line = if free.is_some() {
                pick(
                    "the buffer has records of a run without --schema-free; send them first, without it",
                    "缓冲里有不带 --schema-free 的运行留下的记录；请先不带它发送这些记录",
                )
            } else {
                pick(
                    "the buffer has records of a run with --schema-free; send them first, with it",
                    "缓冲里有带 --schema-free 的运行留下的记录；请先带上它发送这些记录",
                )
            };
            return Err(Failure::usage(line).about(read::shown(buffer.path())));
        }
        desk.open_store(read::shown(buffer.path()), buffer.stats());
        buffer.close()?;
        let started = builder.buffer(settings);
        let started = started.start(move |verdict| teller.tell_stored(&verdict));
        started.map(Road::Disk).map_err(|error| match error {
            StartError::Buffer(error) => error.into(),
            error => Failure::usage(error),
        })
    }

    /// Says where the records are that did not arrive.
    fn with_way(&self, failure: Failure, lost: u64) -> Failure {
        match (&self.dead_letters, &self.place.buffer) {
            (None, Some(path)) => failure.see(format!("pipeline buffer ls {}", read::shown(path))),
            (Some(path), _) if lost > 0 && !self.dry_run => failure.see(format!(
                "pipeline ship {} --again {}",
                self.repo,
                path.display()
            )),
            _ => failure,
        }
    }
}

fn locked<T>(value: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
