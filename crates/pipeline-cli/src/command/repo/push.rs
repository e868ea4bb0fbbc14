use std::{io::BufRead as _, path::PathBuf};

use clap::Args;
use pipeline_proto::{
    RepoName,
    resource::push::{Payload, PushLines, PushPoints, Tags},
};

use crate::{
    command::{
        Run,
        records::{self, Bad, Form, MOST, Records, Taken},
        resource::{Mention, Names},
    },
    exit::Exit,
    failure::Failure,
    file::read,
    options::Global,
    remote::Remote,
};

/// Push records into a message queue
///
/// Records are looked at before they are sent: each has to fit the schema of the queue, unless that may not be
/// read. One that does not is named by file and line, and nothing more is sent. Records are sent in pushes of 2 MiB,
/// and again if it is unknown whether they have arrived, so that they may be there twice.
///
/// The first line of CSV names the fields, unless --columns does. An empty cell is a field that is not there; arrays
/// and maps are JSON.
///
/// With --parse, lines are sent as they are, and the service makes records of them by the parse rules of the queue.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline repo push clicks clicks.ndjson
  pipeline repo push clicks clicks.csv
  pipeline repo push clicks rows.txt --delimiter ';' --columns ip,at
  tail -n 100 clicks.points | pipeline repo push clicks
  pipeline repo push clicks --tag host=web1 < clicks.ndjson
  pipeline repo push access access.log --rule nginx")]
pub(super) struct Push {
    /// Name of the message queue
    repo: RepoName,

    /// Records: JSON objects or points, one a line, or CSV; `-` for stdin
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,

    #[command(flatten)]
    form: Form,

    /// Without compression
    #[arg(long)]
    no_gzip: bool,

    /// Send lines as they are, for the parse rules of the queue
    #[arg(long, conflicts_with_all = ["format", "delimiter", "columns", "raw_field", "map", "no_gzip"])]
    parse: bool,

    /// A parse rule in place of those of the queue, as with --parse; several times for several rules
    #[arg(long = "rule", value_name = "NAME", conflicts_with_all = ["format", "delimiter", "columns", "raw_field", "map", "no_gzip"])]
    rules: Vec<String>,
}

impl Push {
    fn is_for_rules(&self) -> bool {
        self.parse || !self.rules.is_empty()
    }
}

impl Run for Push {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        let remote = global.remote()?;
        let tags = self.form.tags()?;
        let schema = if self.is_for_rules() {
            None
        } else {
            self.form.schema(&remote, &self.repo, false)?
        };
        let mut pushes = Pushes {
            push: &self,
            tags,
            remote: &remote,
            batch: Vec::new(),
            first: 0,
            last: 0,
            waiting: 0,
            records: 0,
            bytes: 0,
        };
        let mut records = Records::new(self.form.of(&self.file)?, schema.as_deref())?;
        let mut lines = records::open(&self.file)?;
        let (mut line, mut point, mut number) = (Vec::new(), Vec::new(), 0);
        loop {
            line.clear();
            let read = lines.read_until(b'\n', &mut line);
            let read =
                read.map_err(|error| pushes.so_far(Failure::io(&read::shown(&self.file), &error)))?;
            if self.is_for_rules() {
                if read == 0 {
                    break;
                }
                number += 1;
                pushes.add_line(&line, number)?;
                continue;
            }
            point.clear();
            let taken = match read {
                0 => records.end(&mut point),
                _ => records.take(line.strip_suffix(b"\n").unwrap_or(&line), &mut point),
            };
            if taken.map_err(|bad| pushes.bad(bad))? == Taken::Point {
                pushes.add(&point, records.line())?;
            }
            if read == 0 {
                break;
            }
        }
        pushes.send()?;
        let Pushes { records, bytes, .. } = pushes;
        let what = if self.is_for_rules() {
            "line"
        } else {
            "record"
        };
        let one = format!("{what}{}", if records == 1 { "" } else { "s" });
        let line = format!("pushed {records} {one} into {} ({bytes} bytes)", self.repo);
        Mention::done(&super::RESOURCE, &Names::of(&self.repo), "pushed")
            .with("records", records)
            .with("bytes", bytes)
            .line(line)
            .report(global)
    }
}

/// Points that wait to be sent, and what was sent of them.
struct Pushes<'a> {
    push: &'a Push,
    tags: Option<Tags>,
    remote: &'a Remote,
    batch: Vec<u8>,
    /// The lines that the batch comes from.
    first: u64,
    last: u64,
    waiting: u64,
    records: u64,
    bytes: usize,
}

impl Pushes<'_> {
    fn add(&mut self, point: &[u8], line: u64) -> Result<(), Failure> {
        if self.batch.len() + point.len() > MOST {
            self.send()?;
        }
        if self.batch.is_empty() {
            self.first = line;
        }
        self.last = line;
        self.waiting += 1;
        self.batch.extend_from_slice(point);
        Ok(())
    }

    /// Adds a line for the parse rules.
    fn add_line(&mut self, line: &[u8], number: u64) -> Result<(), Failure> {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        if text.len() >= MOST {
            let what = format!("a line of {} bytes, and {MOST} are allowed", text.len());
            let (line, column) = (number, None);
            return Err(self.bad(Bad {
                what,
                line,
                column,
                is_heading: false,
                is_of_schema: false,
            }));
        }
        if text.trim_ascii().is_empty() {
            return Ok(());
        }
        self.add(&[text, b"\n"].concat(), number)
    }

    fn send(&mut self) -> Result<(), Failure> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let sent = if self.push.is_for_rules() {
            let mut push = PushLines::new(self.push.repo.clone(), self.batch.clone().into());
            push.tags.clone_from(&self.tags);
            push.rules = (!self.push.rules.is_empty()).then(|| self.push.rules.clone());
            self.remote.try_send(push)
        } else {
            self.remote.try_send(self.points())
        };
        sent.map_err(|error| {
            let mut place = format!("{}:{}", read::shown(&self.push.file), self.first);
            if self.last > self.first {
                place = format!("{place}-{}", self.last);
            }
            self.so_far(self.remote.failure(&error, None).about(place))
        })?;
        self.records += self.waiting;
        self.bytes += self.batch.len();
        self.waiting = 0;
        self.batch.clear();
        Ok(())
    }

    fn points(&self) -> PushPoints {
        let payload = if self.push.no_gzip {
            Payload::from(self.batch.clone())
        } else {
            Payload::gzip(&self.batch)
        };
        let mut push = PushPoints::new(self.push.repo.clone(), payload);
        push.tags.clone_from(&self.tags);
        push
    }

    /// The failure that a line is.
    fn bad(&self, bad: Bad) -> Failure {
        let Bad {
            what, line, column, ..
        } = bad;
        let exit = if self.records == 0 {
            Exit::Usage
        } else {
            Exit::Service
        };
        let column = column.map(|column| format!(":{column}"));
        let column = column.unwrap_or_default();
        let place = format!("{}:{line}{column}", read::shown(&self.push.file));
        self.so_far(Failure::new(exit, what).about(place))
    }

    fn so_far(&self, failure: Failure) -> Failure {
        match self.records {
            0 => failure.and("nothing was pushed"),
            records => failure.and(format!("{records} records before it were pushed")),
        }
    }
}
