//! A hold on a server's database, as a backup or a slow reader of it has one.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Stdio};

use crate::programs::Programs;

/// While this lives, the database can be read and not written. A transaction that has read it and
/// then writes fails at once ("database is locked"); one that starts by writing waits.
#[derive(Debug)]
pub(crate) struct Held {
    sqlite3: Child,
}

impl Held {
    pub(crate) fn take(programs: &Programs, database: &Path) -> Self {
        let mut sqlite3 = programs
            .sqlite3()
            .arg(database)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sqlite3 starts");
        let input = sqlite3.stdin.as_mut().expect("its input");
        let asked = "BEGIN IMMEDIATE;\nSELECT 'held';\n";
        input.write_all(asked.as_bytes()).expect("it reads");
        let mut line = String::new();
        let mut output = BufReader::new(sqlite3.stdout.as_mut().expect("its output"));
        output.read_line(&mut line).expect("it answers");
        assert_eq!(line.trim(), "held");
        Self { sqlite3 }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.sqlite3.kill();
        let _ = self.sqlite3.wait();
    }
}
