//! What `http` exports send, if they are told to: the one thing that is carried out.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::{collections::BTreeMap, fmt};

use bytes::Bytes;
use http::Uri;
use serde::Serialize;
use serde_json::Value;

use crate::{
    data::as_record,
    id::{Id, Kind},
    item::Members,
    resource::url,
    state::Space,
};

/// How much may wait until it is [taken](crate::Emulator::take_deliveries), in bytes.
const MAX_WAITING: usize = 8 * 1024 * 1024;

/// What a push costs beside the bytes of its bodies.
const OVERHEAD: usize = 256;

/// What one export has to send of one push.
///
/// `Debug` tells the length of the bodies only.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// The account.
    pub owner: String,
    /// The export, behind its repo: `clicks/save`.
    pub export: String,
    /// Where it goes: a loopback address, and what is asked for there.
    pub to: (SocketAddr, Uri),
    /// `text/plain` or `application/json`.
    pub content_type: &'static str,
    /// One request each, in their order: all points, or one object for each record.
    pub bodies: Vec<Bytes>,
}

impl Delivery {
    pub(crate) fn size(&self) -> usize {
        let bodies = self.bodies.iter().map(|body| body.len() + OVERHEAD);
        bodies.sum::<usize>() + OVERHEAD
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes: usize = self.bodies.iter().map(Bytes::len).sum();
        f.debug_struct("Delivery")
            .field("export", &self.export)
            .field("to", &self.to)
            .field("bytes", &bytes)
            .finish_non_exhaustive()
    }
}

/// What has become of the pushes that an export had to send.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DeliveryReport {
    /// The account.
    pub owner: String,
    /// The export, behind its repo: `clicks/save`.
    pub export: String,
    /// Pushes that the other side took, with a status from 200 to 299.
    pub delivered: u64,
    /// Pushes that it did not take, or that cannot be sent where the export says.
    pub failed: u64,
    /// Pushes for which there was no room.
    pub dropped: u64,
    /// Why the last one failed.
    pub last_error: Option<String>,
}

/// What has become of one push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    Delivered,
    Failed(String),
    Dropped,
}

/// What waits to be sent, and what has become of the rest.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deliveries {
    waiting: Vec<Delivery>,
    size: usize,
    reports: BTreeMap<(String, String), DeliveryReport>,
}

impl Deliveries {
    /// Records that a queue has taken, for all its exports of type `http`.
    pub(crate) fn add(&mut self, owner: &str, space: &Space<'_>, repo: &str, records: &[Value]) {
        let inside = format!("{repo}/");
        let Some(definition) = space.get(&Id::new(Kind::Repo, repo)) else {
            return;
        };
        let exports = space.others(Kind::Export, &inside);
        for (name, export) in
            exports.filter(|(_, export)| export.get("type") == Some(&"http".into()))
        {
            let path = inside.clone() + name;
            match delivery(owner, &path, export, definition, records) {
                Ok(delivery) if self.size + delivery.size() <= MAX_WAITING => {
                    self.size += delivery.size();
                    self.waiting.push(delivery);
                }
                Ok(_) => self.report(owner, &path, Fate::Dropped),
                Err(why) => self.report(owner, &path, Fate::Failed(why)),
            }
        }
        // Those of exports that are gone are of no use any more.
        self.reports.retain(|(of, path), _| {
            of != owner || space.get(&Id::new(Kind::Export, path)).is_some()
        });
    }

    pub(crate) fn take(&mut self) -> Vec<Delivery> {
        self.size = 0;
        std::mem::take(&mut self.waiting)
    }

    pub(crate) fn report(&mut self, owner: &str, export: &str, fate: Fate) {
        let key = (owner.to_owned(), export.to_owned());
        let report = self.reports.entry(key).or_default();
        (report.owner, report.export) = (owner.to_owned(), export.to_owned());
        match fate {
            Fate::Delivered => report.delivered += 1,
            Fate::Dropped => report.dropped += 1,
            Fate::Failed(why) => {
                report.failed += 1;
                report.last_error = Some(why);
            }
        }
    }

    pub(crate) fn reports(&self) -> impl Iterator<Item = &DeliveryReport> {
        self.reports.values()
    }
}

fn delivery(
    owner: &str,
    path: &str,
    export: &Members,
    repo: &Members,
    records: &[Value],
) -> Result<Delivery, String> {
    let spec = |name: &str| export.get("spec").and_then(|spec| spec[name].as_str());
    let (host, uri) = (
        spec("host").unwrap_or_default(),
        spec("uri").unwrap_or_default(),
    );
    let to = url(host, uri).ok_or_else(|| format!("{host:?} and {uri:?} are no URL"))?;
    let addr = loopback(&to)?;
    let (content_type, bodies) = if spec("format") == Some("json") {
        let bodies = records
            .iter()
            .map(|record| as_record(repo, record).to_string().into());
        ("application/json", bodies.collect())
    } else {
        let lines = records.iter().map(|record| {
            let raw = || record["raw"].as_str().unwrap_or_default();
            record.as_str().unwrap_or_else(raw).to_owned() + "\n"
        });
        ("text/plain", vec![lines.collect::<String>().into()])
    };
    Ok(Delivery {
        owner: owner.to_owned(),
        export: path.to_owned(),
        to: (addr, to),
        content_type,
        bodies,
    })
}

/// Nothing leaves this machine. No name is looked up, so that none can lead elsewhere.
fn loopback(url: &Uri) -> Result<SocketAddr, String> {
    if url.scheme_str() != Some("http") {
        return Err(format!("{url} is not delivered to, only http:// is"));
    }
    let host = url.host().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    let ip = match literal.parse::<IpAddr>() {
        Err(_) if host.eq_ignore_ascii_case("localhost") => Some(Ipv4Addr::LOCALHOST.into()),
        parsed => parsed.ok().filter(IpAddr::is_loopback),
    };
    let ip = ip
        .ok_or_else(|| format!("{host} is no loopback address, and only those are delivered to"))?;
    Ok(SocketAddr::new(ip, url.port_u16().unwrap_or(80)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Emulator, testing::Fixture};

    const REPO: &str =
        r#"{"region":"nb","schema":[{"key":"a","valtype":"long"},{"key":"t","valtype":"string"}]}"#;

    fn with_export(builder: crate::EmulatorBuilder, host: &str, format: &str) -> Fixture {
        let mut service = Fixture::with(builder);
        service.ok("POST", "/v2/repos/r", REPO);
        let export = format!(
            r#"{{"type":"http","spec":{{"host":"{host}","uri":"/u?x=y","format":"{format}"}}}}"#
        );
        service.ok("POST", "/v2/repos/r/exports/e", &export);
        service
    }

    #[test]
    fn pushes_are_delivered_as_points_or_as_objects() {
        for (host, format, target, pushed, content_type, bodies) in [
            (
                "127.0.0.1:9",
                "text",
                "/v2/repos/r/data",
                "a=1\tt=x\na=2",
                "text/plain",
                &["a=1\tt=x\na=2\n"][..],
            ),
            (
                "http://localhost:9",
                "json",
                "/v2/repos/r/data?tags=dD16",
                "a=1\na=2\tt=y",
                "application/json",
                &[r#"{"a":1,"t":"z"}"#, r#"{"a":2,"t":"y"}"#],
            ),
            (
                "http://[::1]:9/",
                "",
                "/v2/streams/r/data",
                "some text\n\nmore",
                "text/plain",
                &["some text\nmore\n"],
            ),
            (
                "127.9.9.9:9",
                "json",
                "/v2/stream/r/data",
                "a=1",
                "application/json",
                &[r#"{"a":1}"#],
            ),
        ] {
            let mut service = with_export(Emulator::builder().deliver(), host, format);
            service.ok("POST", target, pushed);
            let taken = service.emulator.take_deliveries();
            let [delivery] = &taken[..] else {
                panic!("{host}: {taken:?}")
            };
            assert_eq!(
                (delivery.export.as_str(), delivery.content_type),
                ("r/e", content_type)
            );
            assert_eq!(delivery.to.1.path_and_query().unwrap(), "/u?x=y");
            assert!(delivery.to.0.ip().is_loopback() && delivery.to.0.port() == 9);
            assert_eq!(delivery.bodies, bodies, "{host}");
            assert!(service.emulator.take_deliveries().is_empty());
        }
    }

    #[test]
    fn what_is_not_asked_for_or_not_taken_is_not_delivered() {
        let mut off = with_export(Emulator::builder(), "127.0.0.1:9", "text");
        off.ok("POST", "/v2/repos/r/data", "a=1");
        assert!(off.emulator.take_deliveries().is_empty());
        let mut service = with_export(Emulator::builder().deliver(), "127.0.0.1:9", "text");
        service.refused("POST", "/v2/repos/r/data", "a=x");
        service.ok("POST", "/v2/stream/r/data", "a=x");
        service.ok("GET", "/v2/repos/r/data", "");
        assert!(service.emulator.take_deliveries().is_empty());
    }

    #[test]
    fn nothing_is_delivered_elsewhere_and_that_is_told() {
        for host in [
            "h.example",
            "10.0.0.1:80",
            "https://127.0.0.1",
            "localhost.h.example",
            "[::2]:80",
            "127.0.0.1.h.example",
            "user@h.example",
            "0.0.0.0:9",
            "[::ffff:127.0.0.1]:9",
            "2130706433",
        ] {
            let mut service = with_export(Emulator::builder().deliver(), host, "text");
            service.ok("POST", "/v2/repos/r/data", "a=1");
            assert!(service.emulator.take_deliveries().is_empty(), "{host}");
            let report = service.emulator.deliveries().next().unwrap();
            assert_eq!((report.delivered, report.failed), (0, 1), "{host}");
            assert!(
                report.last_error.as_ref().unwrap().contains("delivered to"),
                "{report:?}"
            );
        }
    }

    #[test]
    fn what_nobody_takes_is_dropped_and_counted() {
        let builder = Emulator::builder().deliver().max_body(16 * 1024 * 1024);
        let mut service = with_export(builder, "127.0.0.1:9", "json");
        let line = format!("t={}\n", "x".repeat(1_000_000));
        for _ in 0..20 {
            service.ok("POST", "/v2/repos/r/data", &line);
        }
        let taken = service.emulator.take_deliveries();
        assert!(taken.iter().map(Delivery::size).sum::<usize>() <= MAX_WAITING);
        let report = service.emulator.deliveries().next().unwrap();
        assert_eq!(report.dropped, 20 - taken.len() as u64);
        // An export that is gone leaves nothing behind.
        service.ok("DELETE", "/v2/repos/r/exports/e", "");
        service.ok("POST", "/v2/repos/r/data", "a=1");
        assert_eq!(service.emulator.deliveries().count(), 0);
    }
}
