use std::{
    net::{IpAddr, SocketAddr, ToSocketAddrs as _},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use ureq::{
    Error,
    config::Config,
    http::Uri,
    unversioned::{
        resolver::{ResolvedSocketAddrs, Resolver},
        transport::NextTimeout,
    },
};

use crate::exchange::NotConnected;

/// How long a looked-up address is used without asking again.
const FRESH: Duration = Duration::from_secs(60);

/// Looks a host up once and remembers its addresses for a minute.
///
/// ureq asks for the addresses before each request, also when a connection is waiting in the pool,
/// and its own resolver starts a thread each time when a time-out is set. Here an address written in
/// numbers needs no look-up, a remembered one no thread, and only a real look-up runs on a thread of
/// its own, because the system's resolver cannot be told how long it may take.
#[derive(Debug, Clone, Default)]
pub(crate) struct CachingResolver {
    known: Arc<Mutex<Option<Known>>>,
}

#[derive(Debug)]
struct Known {
    host: String,
    port: u16,
    addresses: Vec<SocketAddr>,
    at: Instant,
}

impl CachingResolver {
    /// Forgets what it knows, after a connection could not be made.
    pub(crate) fn forget(&self) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn remembered(&self, host: &str, port: u16) -> Option<Vec<SocketAddr>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.as_ref()?;
        let fits = known.host == host && known.port == port && known.at.elapsed() < FRESH;
        fits.then(|| known.addresses.clone())
    }

    fn look_up(
        &self,
        host: &str,
        port: u16,
        timeout: NextTimeout,
    ) -> Result<Vec<SocketAddr>, Error> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let target = (host.to_owned(), port);
        thread::Builder::new()
            .name("pipeline-resolve".to_owned())
            .spawn(move || {
                let found = target.to_socket_addrs().map(Vec::from_iter);
                // Nobody listens any more if it took too long.
                let _ = sender.send(found);
            })?;
        let addresses = receiver
            .recv_timeout(*timeout.after)
            .map_err(|_| Error::Timeout(ureq::Timeout::Resolve))?
            .map_err(|error| Error::Other(Box::new(NotConnected(error.into()))))?;
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(Known {
            host: host.to_owned(),
            port,
            addresses: addresses.clone(),
            at: Instant::now(),
        });
        Ok(addresses)
    }
}

impl Resolver for CachingResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let host = uri.host().ok_or(Error::HostNotFound)?;
        let default_port = if uri.scheme_str() == Some("https") {
            443
        } else {
            80
        };
        let port = uri.port_u16().unwrap_or(default_port);
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let mut result = self.empty();
        if let Ok(address) = bare.parse::<IpAddr>() {
            result.push(SocketAddr::new(address, port));
            return Ok(result);
        }
        let addresses = match self.remembered(bare, port) {
            Some(addresses) => addresses,
            None => self.look_up(bare, port, timeout)?,
        };
        // As many as ureq has room for.
        for address in config
            .ip_family()
            .keep_wanted(addresses.into_iter())
            .take(16)
        {
            result.push(address);
        }
        if result.is_empty() {
            Err(Error::HostNotFound)
        } else {
            Ok(result)
        }
    }
}
