//! Requests for a server to be measured with: as little work as possible on this side.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    thread,
    time::{Duration, SystemTime},
};

use pipeline_proto::{
    Call, CallOptions, Context, Now, Operation, WorkflowName,
    resource::workflow::{CreateWorkflow, GetWorkflow},
};

use crate::{
    Failure, clock,
    fixtures::{COMMENT, NAME, credentials},
    race,
};

const CONNECTIONS: usize = 16;

/// Creates a workflow, asks for it again and again, and prints the CPU time of the server for each request, in
/// nanoseconds.
pub(crate) fn run(url: &str, count: usize, server: &str) -> Result<(), Failure> {
    clock::on_one_processor(server)?;
    let name = WorkflowName::from_static(NAME);
    let create = wire(url, CreateWorkflow::new(name.clone()).comment(COMMENT))?;
    let get = wire(url, GetWorkflow::new(name))?;
    let address = url
        .strip_prefix("http://")
        .ok_or("an address with http://")?;
    // Says 200, or that it is there already.
    exchange(address, &create, 1)?;
    exchange(address, &get, 1)?;
    let before = clock::of(server)?;
    thread::scope(|scope| {
        let each = || exchange(address, &get, count / CONNECTIONS).map_err(|e| e.to_string());
        let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(each)).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| "a thread panicked")?)
    })?;
    let time = race::nanos(clock::of(server)? - before);
    println!("{}", time / f64::from(u32::try_from(count)?));
    Ok(())
}

/// A signed request as it goes over the wire. It stays good for fifteen minutes.
fn wire<O: Operation>(url: &str, operation: O) -> Result<Vec<u8>, Failure> {
    let context = Context::builder().endpoint(url.parse()?);
    let context = context.credentials(credentials()).build();
    let now = Now::new(SystemTime::now(), Duration::ZERO);
    let call = Call::new(&context, operation, CallOptions::new())?;
    let (request, _) = call.start(now).send();
    let (parts, body) = request.into_parts();
    let mut wire = format!("{} {} HTTP/1.1\r\n", parts.method, parts.uri.path()).into_bytes();
    let host = parts.uri.authority().map_or("", |host| host.as_str());
    wire.extend_from_slice(format!("host: {host}\r\n").as_bytes());
    for (name, value) in &parts.headers {
        wire.extend_from_slice(name.as_str().as_bytes());
        wire.extend_from_slice(b": ");
        wire.extend_from_slice(value.as_bytes());
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b"\r\n");
    wire.extend_from_slice(&body);
    Ok(wire)
}

/// Sends the same so many times over one connection. The first response shows how long each will be.
fn exchange(address: &str, wire: &[u8], count: usize) -> Result<(), Failure> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut buffer = [0; 4096];
    let mut length = None;
    for _ in 0..count {
        stream.write_all(wire)?;
        let mut filled = 0;
        while filled < length.unwrap_or(1) {
            let read = stream.read(&mut buffer[filled..])?;
            if read == 0 {
                return Err("the server closed the connection".into());
            }
            filled += read;
        }
        // One response of this size comes in one piece over the loopback.
        length = Some(filled);
    }
    Ok(())
}
