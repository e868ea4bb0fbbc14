//! The address of a proxy.

use core::net::Ipv6Addr;

use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use super::{Proxy, ProxyCredentials, ProxyError, ProxyScheme, Source};

/// Reads `[scheme://][user:password@]host[:port]`. What stands behind the port is passed over, as curl
/// does it.
pub(super) fn parse(text: &str, source: Source) -> Result<Proxy, ProxyError> {
    let error = |reason: &str| ProxyError::new(source, reason);
    let text = text.trim();
    let (scheme, rest) = match text.split_once("://") {
        Some((name, rest)) => (scheme(name).map_err(|reason| error(&reason))?, rest),
        None => (ProxyScheme::Http, text),
    };
    let (authority, path) = match rest.find(['/', '?', '#']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    if path.contains('@') {
        return Err(error(
            "in a user or password / is written %2F, ? is written %3F and # is written %23",
        ));
    }
    let (user, address) = match authority.rsplit_once('@') {
        Some((user, address)) => (Some(user), address),
        None => (None, authority),
    };
    let (host, port) = split_port(address).map_err(error)?;
    let port = match port {
        None => scheme.default_port(),
        Some(digits) => match digits.parse() {
            Ok(port) if port != 0 && digits.bytes().all(|b| b.is_ascii_digit()) => port,
            _ => return Err(error("its port is not a number from 1 to 65535")),
        },
    };
    let credentials = user
        .filter(|user| !user.is_empty())
        .map(|user| credentials(user, scheme).map_err(error))
        .transpose()?;
    Ok(Proxy {
        scheme,
        host: host.into(),
        port,
        credentials,
        source,
    })
}

fn scheme(name: &str) -> Result<ProxyScheme, String> {
    if let Some(scheme) = ProxyScheme::ALL
        .into_iter()
        .find(|scheme| name.eq_ignore_ascii_case(scheme.as_str()))
    {
        return Ok(scheme);
    }
    let name = name.to_ascii_lowercase();
    Err(match &name[..] {
        "socks" | "socks4" | "socks4a" => {
            "SOCKS 4 is not supported: a proxy that speaks SOCKS 5 is written socks5h://".to_owned()
        }
        // Anything else that stands before :// could be a part of a password.
        _ if name.bytes().all(|b| b.is_ascii_alphanumeric()) && name.len() <= 8 => {
            format!("its scheme is {name}, and must be http, https, socks5 or socks5h")
        }
        _ => "its scheme must be http, https, socks5 or socks5h".to_owned(),
    })
}

/// The host without brackets, and the digits of the port if there is one.
fn split_port(address: &str) -> Result<(&str, Option<&str>), &'static str> {
    if let Some(rest) = address.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').unwrap_or(("", rest));
        let port = rest.strip_prefix(':');
        return if host.parse::<Ipv6Addr>().is_ok() && (rest.is_empty() || port.is_some()) {
            Ok((host, port))
        } else {
            Err("what stands in brackets must be an IPv6 address")
        };
    }
    let (host, port) = match address.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (address, None),
    };
    if port.is_some_and(|port| port.contains(':')) {
        return Err("an IPv6 address is written in brackets, as in http://[::1]:3128");
    }
    if host.is_empty() {
        return Err("it has no host");
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if !host.bytes().all(plain) {
        return Err("its host may hold ASCII letters, digits, '-', '_' and '.' only");
    }
    Ok((host, port))
}

fn credentials(text: &str, scheme: ProxyScheme) -> Result<ProxyCredentials, &'static str> {
    let decoded = |text| Zeroizing::new(percent_decode_str(text).collect::<Vec<u8>>());
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    let (user, password) = (decoded(user), decoded(password));
    let socks = matches!(scheme, ProxyScheme::Socks5 | ProxyScheme::Socks5h);
    // RFC 1929 has one byte for the length of each.
    if socks && (user.len() > 255 || password.len() > 255) {
        return Err("SOCKS 5 takes user and password of 255 bytes at most");
    }
    Ok(ProxyCredentials { user, password })
}
