use std::time::SystemTime;

use clap::Args;
use pipeline_proto::{
    Region, WorkflowName,
    model::{LogSearch, NodeType},
    resource::workflow::SearchLogs,
};

use crate::{
    command::Run,
    exit::Exit,
    failure::Failure,
    options::Global,
    output::{Cell, Show, Table, note},
    time::{self, Moment},
};

/// Search the logs of a workflow's nodes
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline workflow search nginx_logs
  pipeline workflow search nginx_logs --type export --node to_kodo --query error --size 50
  pipeline workflow search nginx_logs --from -2h --until '2025-06-01 15:00:00 +08:00'

Times are shown in the local zone (TZ), and can be given as they are shown. A time without a zone is local.

Not on the service's API page; an installation may lack it.")]
pub(crate) struct Search {
    /// Name of the workflow
    name: WorkflowName,

    /// Type of the node: repo, transform, export, datasource, job, exportBatch
    #[arg(long = "type", value_name = "TYPE", value_parser = node_type)]
    node_type: Option<NodeType>,

    /// Name of the node
    #[arg(long)]
    node: Option<String>,

    /// Message queue that the node hangs on
    #[arg(long)]
    repo: Option<String>,

    /// Text to look for
    #[arg(long, default_value = "*")]
    query: String,

    /// At most this many entries
    #[arg(long, value_name = "N", default_value_t = 10)]
    size: u32,

    /// Region of the workflow
    #[arg(long, default_value = "nb")]
    region: Region,

    /// Not before: a time as it is shown, in RFC 3339, or how long ago, such as -15m
    #[arg(long, value_name = "TIME", value_parser = time::parse, allow_hyphen_values = true)]
    from: Option<Moment>,

    /// Not after: as --from
    #[arg(long, value_name = "TIME", value_parser = time::parse, allow_hyphen_values = true)]
    until: Option<Moment>,
}

/// Reads one of the six types, in any case.
fn node_type(text: &str) -> Result<NodeType, String> {
    let known = NodeType::KNOWN.iter();
    let found = known
        .clone()
        .find(|it| it.as_str().eq_ignore_ascii_case(text));
    found.cloned().ok_or_else(|| {
        let names: Vec<&str> = known.map(NodeType::as_str).collect();
        format!("the types are {}", names.join(", "))
    })
}

impl Run for Search {
    fn run(self, global: &Global) -> Result<Exit, Failure> {
        let mut search = SearchLogs::new(self.name)
            .query(self.query)
            .size(self.size)
            .region(self.region);
        search.node_type = self.node_type;
        (search.node, search.repo) = (self.node, self.repo);
        let bounds = [("--from", self.from), ("--until", self.until)];
        if let [(_, Some(from)), (_, Some(until))] = bounds
            && from.at > until.at
        {
            let (from, until) = (time::local(from.at), time::local(until.at));
            let line = format!("--from ({from}) is after --until ({until}): nothing lies between");
            return Err(Failure::usage(line));
        }
        for (option, bound) in bounds {
            if let Some(Moment { at, is_local: true }) = bound {
                note(format_args!(
                    "{option} has no zone: taken as {}",
                    time::local(at)
                ));
            }
        }
        // What the platform cannot count is beyond everything that was logged.
        let wall = |bound: Option<Moment>| SystemTime::try_from(bound?.at).ok();
        (search.from, search.until) = (wall(self.from), wall(self.until));
        let found = global.remote()?.send(search)?;
        if found.status.is_empty()
            && found.log.is_empty()
            && found.metric.is_empty()
            && found.recommend.is_empty()
        {
            note("nothing was found");
        }
        global.format().write(&found)?;
        Ok(Exit::Done)
    }
}

impl Show for LogSearch {
    /// The nodes that the entries are about.
    fn names(&self) -> Vec<&str> {
        let status = self.status.iter().map(|entry| entry.name.as_str());
        let log = self.log.iter().map(|entry| entry.name.as_str());
        let metric = self.metric.iter().map(|entry| entry.name.as_str());
        let mut names: Vec<&str> = status.chain(log).chain(metric).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn table(&self) -> String {
        let mut status = Table::new(&["TIME", "NODE", "TYPE", "STATUS", "REASON"]);
        for entry in &self.status {
            status.row([
                Cell::from(time::shown(&entry.timestamp)),
                Cell::from(&entry.name),
                Cell::from(entry.node_type.as_str()),
                Cell::status(&entry.status.as_str().into()),
                Cell::from(&entry.reason),
            ]);
        }
        let mut metric = Table::new(&[
            "TIME", "NODE", "TYPE", "EXPORT", "TOTAL", "SUCCESS", "FAILED", "LAG",
        ]);
        for entry in &self.metric {
            metric.row([
                Cell::from(time::shown(&entry.timestamp)),
                Cell::from(&entry.name),
                Cell::from(entry.node_type.as_str()),
                Cell::from(&entry.export_type),
                Cell::from(entry.total.to_string()),
                Cell::from(entry.success.to_string()),
                Cell::from(entry.failed.to_string()),
                Cell::from(entry.lag.to_string()),
            ]);
        }
        let mut log = Table::new(&["TIME", "NODE", "TYPE", "LOG"]);
        for entry in &self.log {
            log.row([
                Cell::from(time::shown(&entry.timestamp)),
                Cell::from(&entry.name),
                Cell::from(entry.node_type.as_str()),
                Cell::from(&entry.log),
            ]);
        }
        let mut advice = Table::new(&["TIME", "ADVICE"]);
        for entry in &self.recommend {
            advice.row([
                Cell::from(time::shown(&entry.timestamp)),
                Cell::from(&entry.detail),
            ]);
        }
        let parts: Vec<String> = [status, metric, log, advice]
            .iter()
            .filter(|table| !table.is_empty())
            .map(Table::render)
            .collect();
        parts.join("\n")
    }
}
