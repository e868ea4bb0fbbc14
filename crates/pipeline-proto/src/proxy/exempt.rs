//! What `no_proxy` exempts.

use core::net::IpAddr;

use ipnet::IpNet;

/// The first entry of the list that fits a host, which may be an address in brackets.
pub(super) fn find<'a>(list: &'a str, host: &str, port: u16) -> Option<&'a str> {
    let host = without_final_dots(without_brackets(host)).to_ascii_lowercase();
    list.split(|c: char| c == ',' || c.is_whitespace())
        .filter(|entry| !entry.is_empty())
        .find(|entry| {
            fits(entry, &host)
                || with_port(entry)
                    .is_some_and(|(entry, wanted)| wanted == port && fits(entry, &host))
        })
}

fn fits(entry: &str, host: &str) -> bool {
    if entry == "*" {
        return true;
    }
    let entry = without_brackets(entry);
    if let Ok(address) = host.parse::<IpAddr>() {
        let address = address.to_canonical();
        let equal = |other: IpAddr| other.to_canonical() == address;
        let network = || {
            entry
                .parse::<IpNet>()
                .is_ok_and(|net| net.contains(&address))
        };
        return entry.parse().map_or_else(|_| network(), equal);
    }
    let entry = without_final_dots(entry).to_ascii_lowercase();
    let (name, only_below) = match entry.strip_prefix("*.") {
        Some(name) => (name, true),
        None => (entry.strip_prefix('.').unwrap_or(&entry), false),
    };
    match host.strip_suffix(name) {
        Some("") => !only_below,
        Some(rest) => rest.ends_with('.') && !name.is_empty(),
        None => false,
    }
}

fn with_port(entry: &str) -> Option<(&str, u16)> {
    let (host, port) = entry.rsplit_once(':')?;
    let whole = host.starts_with('[') == host.ends_with(']')
        && (host.starts_with('[') || !host.contains(':'));
    whole.then_some((host, port.parse().ok()?))
}

pub(super) fn without_brackets(host: &str) -> &str {
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    inner.unwrap_or(host)
}

fn without_final_dots(host: &str) -> &str {
    host.trim_end_matches('.')
}
