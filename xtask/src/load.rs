//! Plays the load of a minute, and writes what it cost into docs/watch-adapters.md.

use crate::run::{Outcome, cargo_text, root, with_block};

/// Runs it as users build it; fails when an event's cost or memory is not flat.
pub(crate) fn run() -> Outcome {
    println!("load: builds with cargo, installs nothing else; plays for about a minute");
    let table = cargo_text(&[
        "run",
        "--quiet",
        "--release",
        "--locked",
        "-p",
        "resourcecache-streams",
        "--bin",
        "load",
    ])?;
    print!("{table}");
    let page = root().join("docs/watch-adapters.md");
    let text = std::fs::read_to_string(&page).map_err(|e| format!("{}: {e}", page.display()))?;
    let text = with_block(&text, "load", &table)?;
    std::fs::write(&page, text).map_err(|e| format!("{}: {e}", page.display()))
}
