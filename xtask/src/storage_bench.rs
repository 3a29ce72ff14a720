//! Times the stores beside the engines themselves, and writes what it found into docs/storage.md.

use std::process::Command;

use crate::redis;
use crate::run::{Outcome, cargo_text, output, root, with_block};

/// Runs it as users build it. Without Redis, its rows are missing, which is said.
pub(crate) fn run() -> Outcome {
    println!("bench: builds with cargo; about five minutes");
    if let Err(problem) = redis::fetch() {
        println!("without Redis: {problem}");
    }
    let arguments = ["run", "--quiet", "--release", "--locked", "-p"];
    let table = cargo_text(&[&arguments[..], &["resourcecache-storage-benches"]].concat())?;
    print!("{table}");
    let compiler = output(Command::new("rustc").arg("--version"))?;
    let date = output(Command::new("date").args(["-u", "+%Y-%m-%d"]))?;
    let block = format!("{}, {}\n\n{table}", date.trim(), compiler.trim());
    let page = root().join("docs/storage.md");
    let text = std::fs::read_to_string(&page).map_err(|e| format!("{}: {e}", page.display()))?;
    let text = with_block(&text, "storage-bench", &block)?;
    std::fs::write(&page, text).map_err(|e| format!("{}: {e}", page.display()))
}
