//! The test server of libwebsockets, a WebSocket library in C. Its protocol `lws-mirror-protocol`
//! hands what one client sends to all of them.

use std::net::TcpStream;
use std::path::Path;

use crate::process::Process;

/// A running `libwebsockets-test-server`.
#[derive(Debug)]
pub struct MirrorServer {
    process: Process,
}

fn arguments(_: &Path, port: u16) -> Vec<String> {
    vec![format!("--port={port}")]
}

fn is_ready(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

impl MirrorServer {
    /// The subprotocol by which what one sends all get.
    pub const MIRROR: &str = "lws-mirror-protocol";

    /// Starts one; the error says that there is none here.
    ///
    /// # Errors
    ///
    /// The program is missing.
    pub fn start() -> Result<Self, String> {
        let process = Process::start("libwebsockets-test-server", arguments, is_ready)?;
        Ok(Self { process })
    }

    /// Its URL for WebSockets.
    pub fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.process.port)
    }

    /// Kills it (SIGKILL).
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again.
    pub fn restart(&mut self) {
        self.process.restart(is_ready);
    }
}
