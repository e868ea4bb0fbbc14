use std::collections::BTreeSet;

use clap::Args;
use pipeline_proto::{
    RepoName, points,
    resource::repo::{Record, SampleRepo},
};
use serde::Serialize;

use crate::{
    command::Run,
    exit::Exit,
    failure::Failure,
    lang::pick,
    options::Global,
    output::{self, Cell, Show, Table, note},
};

/// Show some records of a message queue
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline repo sample clicks
  pipeline repo sample clicks -n 3 -o json
  pipeline repo sample clicks --points")]
pub(super) struct Sample {
    /// Name of the message queue
    repo: RepoName,

    /// How many records, at most 10
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(1..=10))]
    count: u32,

    /// As points, which `repo push` takes
    #[arg(long)]
    points: bool,
}

impl Run for Sample {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        let sample = SampleRepo::new(self.repo.clone()).count(self.count);
        let records = global.remote()?.send(sample)?;
        if records.is_empty() {
            note(pick(
                format!("{} has no records to show", self.repo),
                format!("{} 中没有可显示的记录", self.repo),
            ));
        }
        if self.points {
            let mut text = Vec::new();
            for record in &records {
                match points::write(&mut text, record) {
                    Err(error) if !error.is_empty_record() => {
                        return Err(Failure::new(Exit::Service, error).about(self.repo));
                    }
                    _ => {}
                }
            }
            output::raw(&text)?;
        } else {
            global.format().write(&Records(records))?;
        }
        Ok(Exit::Done)
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Records(Vec<Record>);

impl Show for Records {
    fn names(&self) -> Vec<&str> {
        Vec::new()
    }

    /// A column for each field that any of them has.
    fn table(&self) -> String {
        let fields: BTreeSet<&String> = self.0.iter().flat_map(Record::keys).collect();
        let fields: Vec<&String> = fields.into_iter().collect();
        if fields.is_empty() {
            return String::new();
        }
        let mut table = Table::new(&fields);
        for record in &self.0 {
            table.row(fields.iter().map(|field| {
                match record.get(*field) {
                    None => Cell::from(""),
                    Some(value) => Cell::from(
                        value
                            .as_str()
                            .map_or_else(|| value.to_string(), str::to_owned),
                    ),
                }
            }));
        }
        table.render()
    }
}
