//! Sends what exports have to deliver, without anybody having to wait for it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch},
    time,
};

use super::{Ports, stop_asked};
use crate::delivery::{Delivery, Fate};

/// How many bytes may wait.
const ROOM: usize = 8 * 1024 * 1024;

/// How long the other side may take, from the connection to the head of its response.
const PATIENCE: Duration = Duration::from_secs(5);

/// A delivery, with the room that it takes until it is done.
type Parcel = (Delivery, OwnedSemaphorePermit);

#[derive(Debug)]
pub(super) struct Courier {
    room: Arc<Semaphore>,
    parcels: mpsc::UnboundedSender<Parcel>,
}

impl Courier {
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<Parcel>) {
        let (parcels, received) = mpsc::unbounded_channel();
        let room = Arc::new(Semaphore::new(ROOM));
        (Self { room, parcels }, received)
    }

    /// Gives it back if there is no room.
    pub(super) fn send(&self, delivery: Delivery) -> Option<Delivery> {
        let size = u32::try_from(delivery.size()).unwrap_or(u32::MAX);
        match self.room.clone().try_acquire_many_owned(size) {
            Ok(room) => self.parcels.send((delivery, room)).err().map(|it| it.0.0),
            Err(_) => Some(delivery),
        }
    }
}

/// Sends one after another, until the server stops.
pub(super) async fn deliver_all(
    mut parcels: mpsc::UnboundedReceiver<Parcel>,
    own: Ports,
    mut stopped: watch::Receiver<bool>,
    report: impl Fn(&Delivery, Fate),
) {
    loop {
        let next = tokio::select! {
            next = parcels.recv() => next,
            () = stop_asked(&mut stopped) => None,
        };
        let Some((delivery, _room)) = next else {
            return;
        };
        let fate = tokio::select! {
            fate = deliver(&delivery, own) => fate,
            () = stop_asked(&mut stopped) => return,
        };
        report(&delivery, fate);
    }
}

async fn deliver(delivery: &Delivery, own: Ports) -> Fate {
    let (addr, _) = delivery.to;
    // A push that brings about the next one would never end.
    if [Some(own.service), own.admin].contains(&Some(addr)) {
        return Fate::Failed(format!("{addr} is the emulator itself"));
    }
    for body in &delivery.bodies {
        let posted = time::timeout(PATIENCE, post(addr, delivery, body.clone()));
        let seconds = PATIENCE.as_secs();
        if let Err(why) = posted
            .await
            .unwrap_or_else(|_| Err(format!("no response within {seconds} s")))
        {
            return Fate::Failed(format!("{addr}: {why}"));
        }
    }
    Fate::Delivered
}

async fn post(addr: SocketAddr, delivery: &Delivery, body: Bytes) -> Result<(), String> {
    let (_, url) = &delivery.to;
    let said = |error: &dyn std::error::Error| error.to_string();
    let target = url.path_and_query().map_or("/", |it| it.as_str());
    let request = Request::post(target)
        .header(header::HOST, url.authority().map_or("", |it| it.as_str()))
        .header(header::CONTENT_TYPE, delivery.content_type)
        .body(Full::new(body))
        .map_err(|error| said(&error))?;
    let stream = TcpStream::connect(addr)
        .await
        .map_err(|error| said(&error))?;
    let handshake = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| said(&error))?;
    let response = async {
        let response = sender.send_request(request).await;
        response.map_err(|error| said(&error))
    };
    // The connection moves on only while somebody asks it to. It may end with the response in hand.
    let mut response = std::pin::pin!(response);
    let status = tokio::select! {
        response = &mut response => response?.status(),
        _ = connection => response.await?.status(),
    };
    if status.is_success() {
        Ok(())
    } else {
        Err(format!("it answered {status}"))
    }
}
