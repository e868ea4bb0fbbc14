//! What the tour builds: clicks come in, are cleaned, and go to an object store.

use pipeline_graph::Graph;
use pipeline_proto::{
    model::Nodes,
    points,
    resource::{
        Whence,
        export::{ExportSpec, KodoTarget},
        schema::Schema,
        transform::{Container, TransformSpec},
    },
};
use serde::Serialize;

use crate::failure::Failure;

/// A record of the queue `clicks`.
#[derive(Serialize)]
struct Click {
    time: &'static str,
    ip: &'static str,
    url: &'static str,
    status: u16,
}

#[rustfmt::skip]
const CLICKS: [Click; 3] = [
    Click { time: "2026-11-28T08:00:00+08:00", ip: "192.0.2.7", url: "/", status: 200 },
    Click { time: "2026-11-28T08:00:04+08:00", ip: "192.0.2.7", url: "/basket", status: 200 },
    Click { time: "2026-11-28T08:00:09+08:00", ip: "198.51.100.3", url: "/admin", status: 404 },
];

/// Some clicks as points, and how many they are.
pub(super) fn clicks() -> Result<(usize, Vec<u8>), Failure> {
    let mut text = Vec::new();
    for click in &CLICKS {
        points::write(&mut text, click).map_err(Failure::usage)?;
    }
    Ok((CLICKS.len(), text))
}

pub(super) fn nodes() -> Result<Nodes, Failure> {
    let cleaned: Schema = "*time date, *ip string, *url string"
        .parse()
        .map_err(Failure::usage)?;
    let mut without_bots =
        TransformSpec::sql("SELECT time, ip, url FROM stream WHERE status < 400");
    without_bots.interval = Some("1m".to_owned());
    without_bots.container = Some(Container::new("1U2G", 1));
    let mut kodo = KodoTarget::new("visits", cleaned.mapping());
    kodo.key_prefix = Some("visits/date=$(year)-$(mon)-$(day)/".to_owned());
    kodo.email = Some("ops@example.com".to_owned());
    kodo.access_key = Some("example-access-key".to_owned());
    kodo.rotate_interval = Some(600);
    kodo.format = Some("parquet".to_owned());
    let mut to_kodo = ExportSpec::from(kodo);
    to_kodo.whence = Some(Whence::Oldest);
    Graph::builder()
        .repo("clicks", "*time date, *ip string, *url string, status long")
        .transform("without_bots", without_bots)
        .from("clicks")
        .to("visits")
        .repo("visits", cleaned)
        .export("to_kodo", to_kodo)
        .from("visits")
        .build()
        .map_err(Failure::usage)
}
