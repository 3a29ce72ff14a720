//! How long anything may take, and how much memory.

use std::time::Duration;

/// The limits of every connection of an adapter.
///
/// ```
/// use std::time::Duration;
/// use resourcecache_watch::Limits;
/// let limits = Limits { idle: Duration::from_secs(15), ..Limits::default() };
/// assert_eq!(limits.ping_every(), Duration::from_secs(5)); // thrice before the silence is too long
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Until there is a connection and its first answer: the HTTP status, the WebSocket's handshake.
    /// Default 10 s.
    pub connect: Duration,
    /// Until a list has come whole. Default 60 s.
    pub list: Duration,
    /// A stream on which nothing is heard for so long is taken as broken: a half-open connection
    /// says nothing of itself. Any byte counts, such as an SSE comment or a pong. Default 60 s;
    /// Kubernetes ends its watches by itself and may be silent until then, so that its adapter
    /// waits at least as long as it asked the server to watch.
    pub idle: Duration,
    /// A WebSocket is pinged at least as often, and at least thrice in `idle`, so that a server that
    /// has nothing to tell is heard. Default 20 s.
    pub ping: Duration,
    /// The longest message of a stream, in bytes. Default 8 MiB.
    pub max_message: usize,
    /// The longest answer to a list call, in bytes. Default 256 MiB.
    pub max_list: usize,
    /// How many messages wait between the connection and the collection. When so many wait, nothing
    /// more is read, and the server is held up by TCP. Default 1,024.
    pub buffer: usize,
    /// How many bytes wait there at most, the message that goes beyond included. Default 16 MiB.
    pub buffer_bytes: usize,
    /// When the buffer has been full for so long, the connection is closed and a list is asked for
    /// instead of what waits. Default 10 s.
    pub stall: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            list: Duration::from_secs(60),
            idle: Duration::from_secs(60),
            ping: Duration::from_secs(20),
            max_message: 8 << 20,
            max_list: 256 << 20,
            buffer: 1_024,
            buffer_bytes: 16 << 20,
            stall: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// How often a WebSocket is pinged: as [`ping`](Self::ping) says, or thrice in
    /// [`idle`](Self::idle).
    pub fn ping_every(&self) -> Duration {
        self.ping.min(self.idle / 3)
    }
}
