use std::time::SystemTime;

use clap::Args;
use pipeline_proto::{
    Region, WorkflowName,
    model::{LogSearch, NodeType, Timestamp},
    operation::SearchLogs,
};

use crate::{
    app::Global,
    duration,
    exit::Exit,
    failure::Failure,
    output::{Cell, Show, Table, note},
};

/// Search the logs of a workflow's nodes
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pipeline workflow search nginx_logs
  pipeline workflow search nginx_logs --type export --node to_kodo --query error --size 50
  pipeline workflow search nginx_logs --from 2h --until '2025-06-01T15:00:00+08:00'

Not on the service's API page; an installation may lack it.")]
pub(crate) struct Search {
    /// Name of the workflow
    name: WorkflowName,

    /// Type of the node: repo, transform, export, datasource, job, exportBatch
    #[arg(long = "type", value_name = "TYPE")]
    node_type: Option<String>,

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

    /// Not before: a time such as 2025-06-01T15:00:00+08:00, or how long ago, such as 2h
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<SystemTime>,

    /// Not after: as --from
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<SystemTime>,
}

/// Reads a time, or a duration as that long ago.
fn moment(text: &str) -> Result<SystemTime, String> {
    if let Ok(ago) = duration::parse(text) {
        return SystemTime::now()
            .checked_sub(ago)
            .ok_or_else(|| "that is too long ago".to_owned());
    }
    Timestamp::from(text)
        .to_system_time()
        .ok_or_else(|| "write 2025-06-01T15:00:00+08:00, or 2h for two hours ago".to_owned())
}

impl Search {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let mut search = SearchLogs::new(self.name)
            .query(self.query)
            .size(self.size)
            .region(self.region);
        search.node_type = self.node_type.map(NodeType::from);
        (search.node, search.repo) = (self.node, self.repo);
        (search.from, search.until) = (self.from, self.until);
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
                Cell::from(entry.timestamp.as_str()),
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
                Cell::from(entry.timestamp.as_str()),
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
                Cell::from(entry.timestamp.as_str()),
                Cell::from(&entry.name),
                Cell::from(entry.node_type.as_str()),
                Cell::from(&entry.log),
            ]);
        }
        let mut advice = Table::new(&["TIME", "ADVICE"]);
        for entry in &self.recommend {
            advice.row([
                Cell::from(entry.timestamp.as_str()),
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
