use std::time::Duration;

/// What a client may ask of the server.
///
/// The size of a body is limited by the emulator itself,
/// [`max_body`](crate::EmulatorBuilder::max_body).
///
/// ```
/// use pipeline_emulator::server::Limits;
/// use std::time::Duration;
///
/// let mut limits = Limits::default();
/// limits.body_time = Duration::from_secs(2);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Open connections; further clients wait until one is closed.
    pub connections: usize,
    /// Size of the request line and the headers together, in bytes. A request above it gets 431.
    /// Below 8 KiB, a request that never ends its headers may still send 8 KiB.
    pub header_bytes: usize,
    /// Number of headers. A request with more gets 431.
    pub headers: usize,
    /// How long a connection may be idle before a request, or take to send its headers. It is closed
    /// then, without a response.
    pub header_time: Duration,
    /// How long the body may take to arrive. The request gets 408 then.
    pub body_time: Duration,
    /// How long a client may take no byte of a response. The connection is closed then.
    pub write_time: Duration,
    /// How long a response that a [fault](crate::InjectedFault::stall_at) holds up keeps its connection.
    pub stall_time: Duration,
    /// Size of the longest request body that the admin interface takes, in bytes: a snapshot may be
    /// larger than any request of a client.
    pub admin_body: usize,
    /// How long a shutdown waits for requests under way.
    pub shutdown_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 2_048,
            header_bytes: 32 * 1024,
            headers: 100,
            header_time: Duration::from_secs(30),
            body_time: Duration::from_secs(30),
            write_time: Duration::from_secs(30),
            stall_time: Duration::from_secs(300),
            admin_body: 256 * 1024 * 1024,
            shutdown_time: Duration::from_secs(5),
        }
    }
}
