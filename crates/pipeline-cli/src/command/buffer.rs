//! `pipeline buffer …`: what `pipeline ship --buffer` keeps on the disk.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use pipeline_shipper::{
    Count,
    buffer::{self, BufferErrorKind},
};
use serde::Serialize;

use super::ship::letters::Letter;
use crate::{
    exit::Exit,
    failure::Failure,
    lang::pick,
    options::Global,
    output::{Cell, Show, Table, note, plain},
    size::Short,
    terminal,
};

/// So many dead letters are shown of each queue.
const SHOWN: usize = 100;

/// Look into, check and repair the buffer of `pipeline ship --buffer`
#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true)]
pub(crate) enum BufferCommand {
    /// List the queues of a buffer: records, bytes, the oldest one, dead letters
    #[command(
        visible_alias = "list",
        after_help = "\
Examples:
  pipeline buffer ls /var/spool/clicks
  pipeline buffer ls /var/spool/clicks -o json"
    )]
    Ls(Folder),
    /// Look at every page of a buffer and every record in it, and change nothing
    #[command(after_help = "Examples:\n  pipeline buffer check /var/spool/clicks")]
    Check(Folder),
    /// Save what is whole of a damaged buffer, and keep the old file beside the new one
    ///
    /// Asks on a terminal; anywhere else, --yes is needed. What was sent shortly before may be sent once more.
    #[command(after_help = "Examples:\n  pipeline buffer repair /var/spool/clicks --yes")]
    Repair(Folder),
}

#[derive(Debug, Args)]
pub(crate) struct Folder {
    /// Folder of the buffer
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

impl BufferCommand {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        match self {
            Self::Ls(Folder { folder }) => {
                let queues = buffer::look(&folder, SHOWN)?;
                let items = queues.into_iter().map(Queue::from).collect();
                global.format().write(&Queues { items })?;
            }
            Self::Check(Folder { folder }) => {
                buffer::check(&folder)?;
                note(pick("every record is whole", "所有记录都完整"));
            }
            Self::Repair(Folder { folder }) => {
                match buffer::check(&folder) {
                    Ok(()) => {
                        note(pick("nothing is damaged", "没有损坏"));
                        return Ok(Exit::Done);
                    }
                    Err(error) if error.kind() == BufferErrorKind::Damaged => {}
                    Err(error) => return Err(error.into()),
                }
                let shown = plain(&folder.display().to_string());
                let question = pick(
                    format!("write the buffer {shown} anew?"),
                    format!("要重写缓冲 {shown} 吗？"),
                );
                terminal::confirm(&question, global.yes)?;
                let saved = buffer::repair(&folder)?;
                let kept = plain(&saved.copy.display().to_string());
                let (records, letters, lost) = (saved.records.records, saved.letters, saved.lost);
                note(pick(
                    format!(
                        "{records} records and {letters} dead letters were saved, {lost} are known to be lost; the old file is {kept}"
                    ),
                    format!(
                        "已保存 {records} 条记录和 {letters} 条死信，已知丢失 {lost} 条；旧文件是 {kept}"
                    ),
                ));
            }
        }
        Ok(Exit::Done)
    }
}

#[derive(Debug, Serialize)]
struct Queues {
    items: Vec<Queue>,
}

#[derive(Debug, Serialize)]
struct Queue {
    name: String,
    pending: Counted,
    dead: Counted,
    dropped: Counted,
    /// What counts against the limit.
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest: Option<String>,
    letters: Vec<Letter>,
}

#[derive(Debug, Serialize)]
struct Counted {
    bytes: u64,
    records: u64,
}

impl From<Count> for Counted {
    fn from(Count { records, bytes }: Count) -> Self {
        Self { bytes, records }
    }
}

impl From<buffer::QueueLook> for Queue {
    fn from(look: buffer::QueueLook) -> Self {
        let oldest = look.oldest.and_then(|at| i64::try_from(at).ok());
        let oldest = oldest.and_then(|at| Timestamp::from_second(at).ok());
        Self {
            name: look.name,
            pending: look.stats.pending.into(),
            dead: look.stats.dead.into(),
            dropped: look.stats.dropped.into(),
            bytes: look.stats.held,
            oldest: oldest.map(|at| at.to_string()),
            letters: look.letters.iter().map(Letter::kept).collect(),
        }
    }
}

impl Show for Queues {
    fn names(&self) -> Vec<&str> {
        self.items.iter().map(|queue| &*queue.name).collect()
    }

    fn table(&self) -> String {
        let headings = ["QUEUE", "PENDING", "OLDEST", "DEAD", "DROPPED", "ON DISK"];
        let mut table = Table::new(&headings);
        for queue in &self.items {
            let counted = |it: &Counted| match it.records {
                0 => "0".to_owned(),
                records => format!("{records} ({})", Short(it.bytes)),
            };
            table.row([
                Cell::new(&queue.name),
                Cell::new(counted(&queue.pending)),
                Cell::or_dash(queue.oldest.as_deref().unwrap_or_default()),
                Cell::new(counted(&queue.dead)),
                Cell::new(counted(&queue.dropped)),
                Cell::new(Short(queue.bytes).to_string()),
            ]);
        }
        let letters = self.items.iter().flat_map(|queue| &queue.letters);
        let lines = letters.map(|letter| {
            let (file, line) = (plain(&letter.file), letter.line);
            format!("{file}:{line}: {}\n", plain(&letter.reason))
        });
        std::iter::once(table.render()).chain(lines).collect()
    }
}
