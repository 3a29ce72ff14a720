//! Prints its URL on the first line and serves until its standard input ends: with the process
//! that started it.

use std::io::{self, Read, Write};

use resourcecache_lagging_server::Server;

fn main() -> io::Result<()> {
    let server = Server::start()?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}", server.url())?;
    out.flush()?;
    // A pipe from the parent ends when the parent does, however it ends.
    io::stdin().lock().read_to_end(&mut Vec::new())?;
    Ok(())
}
