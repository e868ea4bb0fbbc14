//! Looking hosts up, on threads, as the system's resolver cannot be told how long it may take.

use std::{
    io,
    net::{IpAddr, SocketAddr, ToSocketAddrs as _},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use crate::deadline::Deadline;

/// The look-ups under way in this process. Whoever wants to know the same waits for the one that was
/// begun: so there is no more than one thread for each host, also if none of them ever ends.
static UNDER_WAY: Mutex<Vec<Arc<LookUp>>> = Mutex::new(Vec::new());

#[derive(Debug)]
struct LookUp {
    host: String,
    found: Mutex<Option<Found>>,
    ended: Condvar,
}

/// Of an error, its kind and its text, as each who waits wants one.
type Found = Result<Vec<IpAddr>, (io::ErrorKind, String)>;

/// The addresses of a host, in the order in which they are to be tried.
pub(crate) fn look_up(host: &str, port: u16, deadline: Deadline) -> io::Result<Vec<SocketAddr>> {
    look_up_by(host, port, deadline, |host| {
        (host, 0)
            .to_socket_addrs()
            .map(|found| found.map(|address| address.ip()).collect())
    })
}

fn look_up_by(
    host: &str,
    port: u16,
    deadline: Deadline,
    resolver: impl FnOnce(&str) -> io::Result<Vec<IpAddr>> + Send + 'static,
) -> io::Result<Vec<SocketAddr>> {
    let with_port = |address: &IpAddr| SocketAddr::new(*address, port);
    if let Ok(address) = host.parse() {
        return Ok(vec![with_port(&address)]);
    }
    let look_up = begin(host, resolver)?;
    let mut found = lock(&look_up.found);
    loop {
        match &*found {
            Some(Ok(addresses)) => {
                let addresses: Vec<_> = addresses.iter().map(with_port).collect();
                return Ok(by_turns(&addresses));
            }
            Some(Err((kind, text))) => return Err(io::Error::new(*kind, text.clone())),
            None => {}
        }
        let left = deadline.left().ok_or(io::ErrorKind::TimedOut)?;
        let waited = look_up.ended.wait_timeout(found, left);
        found = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
}

/// Begins a look-up, or joins the one that is under way.
fn begin(
    host: &str,
    resolver: impl FnOnce(&str) -> io::Result<Vec<IpAddr>> + Send + 'static,
) -> io::Result<Arc<LookUp>> {
    let mut under_way = lock(&UNDER_WAY);
    if let Some(look_up) = under_way.iter().find(|look_up| look_up.host == host) {
        return Ok(Arc::clone(look_up));
    }
    let look_up = Arc::new(LookUp {
        host: host.to_owned(),
        found: Mutex::new(None),
        ended: Condvar::new(),
    });
    let worker = Arc::clone(&look_up);
    thread::Builder::new()
        .name("pipeline-resolve".to_owned())
        .spawn(move || {
            let found = resolver(&worker.host).and_then(|addresses| {
                if addresses.is_empty() {
                    Err(io::Error::other("the host has no address"))
                } else {
                    Ok(addresses)
                }
            });
            lock(&UNDER_WAY).retain(|other| !Arc::ptr_eq(other, &worker));
            let found = found.map_err(|error| (error.kind(), error.to_string()));
            *lock(&worker.found) = Some(found);
            worker.ended.notify_all();
        })?;
    under_way.push(Arc::clone(&look_up));
    Ok(look_up)
}

/// The families by turns, beginning with the one that the system puts first: RFC 8305, section 4.
pub(crate) fn by_turns(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let (mut turn, mut other): (Vec<_>, Vec<_>) = addresses
        .iter()
        .rev()
        .partition(|address| address.is_ipv4() == addresses[0].is_ipv4());
    std::iter::from_fn(move || {
        let next = turn.pop().or_else(|| other.pop());
        std::mem::swap(&mut turn, &mut other);
        next
    })
    .collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use super::*;

    #[test]
    fn families_take_turns() {
        let parse = |texts: &[&str]| -> Vec<SocketAddr> {
            let address = |text: &&str| SocketAddr::new(text.parse().unwrap(), 80);
            texts.iter().map(address).collect()
        };
        for (system, tried) in [
            (
                &["::1", "::2", "::3", "127.0.0.1"][..],
                &["::1", "127.0.0.1", "::2", "::3"][..],
            ),
            (&["127.0.0.1", "::1", "::2"], &["127.0.0.1", "::1", "::2"]),
            (&["::1"], &["::1"]),
        ] {
            assert_eq!(by_turns(&parse(system)), parse(tried));
        }
    }

    #[test]
    fn look_ups_that_hang_share_one_thread_and_end_in_time() {
        let (end, wait) = mpsc::channel::<()>();
        let mut wait = Some(wait);
        for _ in 0..20 {
            // Only the first resolver is asked; the others would end the look-up.
            let wait = wait.take();
            let looked_up = look_up_by(
                "hangs.test",
                80,
                Deadline::after(Duration::from_millis(1)),
                move |_| {
                    let _ = wait.expect("there is one look-up for each host").recv();
                    Ok(vec!["192.0.2.1".parse().unwrap()])
                },
            );
            assert_eq!(looked_up.unwrap_err().kind(), io::ErrorKind::TimedOut);
        }
        assert_eq!(
            lock(&UNDER_WAY)
                .iter()
                .filter(|look_up| look_up.host == "hangs.test")
                .count(),
            1
        );
        // Whoever still waits gets what it found.
        let patient = begin("hangs.test", |_| unreachable!("it is under way")).unwrap();
        drop(end);
        let mut found = lock(&patient.found);
        while found.is_none() {
            found = patient.ended.wait(found).unwrap();
        }
        assert_eq!(found.as_ref().unwrap().as_ref().unwrap().len(), 1);
    }

    #[test]
    fn addresses_are_not_looked_up() {
        for (host, address) in [("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80")] {
            let deadline = Deadline::after(Duration::MAX);
            let found = look_up_by(host, 80, deadline, |_| unreachable!()).unwrap();
            assert_eq!(found, [address.parse().unwrap()]);
        }
    }
}
