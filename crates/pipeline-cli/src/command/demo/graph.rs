//! What the tour builds: clicks come in, are cleaned, and go to an object store.

use pipeline_proto::{model::Nodes, points};
use serde::Serialize;

use crate::failure::Failure;

const NODES: &str = r##"{
  "clicks-repo": {
    "name": "clicks",
    "type": "repo",
    "data": {
      "region": "nb",
      "schema": [
        {"key": "time", "valtype": "date", "required": true},
        {"key": "ip", "valtype": "string", "required": true},
        {"key": "url", "valtype": "string", "required": true},
        {"key": "status", "valtype": "long", "required": false}
      ]
    },
    "children": [{"name": "without_bots", "type": "transform"}]
  },
  "without_bots-transform": {
    "name": "without_bots",
    "type": "transform",
    "data": {
      "mode": "sql",
      "code": "SELECT time, ip, url FROM stream WHERE status < 400",
      "interval": "1m",
      "container": {"type": "1U2G", "count": 1}
    },
    "parents": [{"name": "clicks", "type": "repo"}],
    "children": [{"name": "visits", "type": "repo"}]
  },
  "visits-repo": {
    "name": "visits",
    "type": "repo",
    "data": {
      "region": "nb",
      "schema": [
        {"key": "time", "valtype": "date", "required": true},
        {"key": "ip", "valtype": "string", "required": true},
        {"key": "url", "valtype": "string", "required": true}
      ]
    },
    "parents": [{"name": "without_bots", "type": "transform"}],
    "children": [{"name": "to_kodo", "type": "export"}]
  },
  "to_kodo-export": {
    "name": "to_kodo",
    "type": "export",
    "data": {
      "type": "kodo",
      "whence": "oldest",
      "spec": {
        "bucket": "visits",
        "keyPrefix": "visits/date=$(year)-$(mon)-$(day)/",
        "email": "ops@example.com",
        "accessKey": "example-access-key",
        "fields": {"time": "#time", "ip": "#ip", "url": "#url"},
        "rotateInterval": 600,
        "format": "parquet"
      }
    },
    "parents": [{"name": "visits", "type": "repo"}]
  }
}"##;

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
    serde_json::from_str(NODES).map_err(Failure::usage)
}
