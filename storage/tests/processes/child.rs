//! Starts a child, and reads what it says line by line.

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

/// A child that is killed when it is dropped.
pub(crate) struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    pub(crate) fn start(command: &mut Command, task: &str) -> Self {
        let mut child = command
            .env("RESOURCECACHE_CHILD", task)
            .env("RUST_BACKTRACE", "0")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// What it says next, to us; `None` when it has ended.
    pub(crate) fn next(&mut self) -> Option<String> {
        loop {
            let line = self.lines.next()?.unwrap();
            if let Some((_, said)) = line.split_once('@') {
                return Some(said.to_string());
            }
        }
    }

    /// Kills it by SIGKILL; answers what it had said until then.
    pub(crate) fn kill(&mut self) -> Vec<String> {
        self.child.kill().unwrap();
        let left = std::iter::from_fn(|| self.next()).collect();
        self.child.wait().unwrap();
        left
    }

    /// Waits until it has ended.
    pub(crate) fn end(mut self) -> (bool, Vec<String>) {
        let said = std::iter::from_fn(|| self.next()).collect();
        (self.child.wait().unwrap().success(), said)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The arguments by which this test's binary runs as a child.
pub(crate) const ARGUMENTS: [&str; 3] = ["child", "--exact", "--nocapture"];

/// This test, as a child.
pub(crate) fn this() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(ARGUMENTS);
    command
}

/// Says something to the parent, at once.
pub(crate) fn say(what: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    writeln!(out, "@{what}").unwrap();
    out.flush().unwrap();
}

/// What SQLite finds of the file.
pub(crate) fn integrity(path: &Path) -> String {
    let database = rusqlite::Connection::open(path).unwrap();
    database
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap()
}
