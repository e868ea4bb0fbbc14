//! What the tour builds: clicks come in, are cleaned, and go to an object store.

use pipeline_proto::model::Nodes;

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

pub(super) fn nodes() -> Result<Nodes, Failure> {
    serde_json::from_str(NODES).map_err(Failure::usage)
}
