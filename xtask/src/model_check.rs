//! Explores small worlds whole, and writes down how many states they have.

use crate::run::{Outcome, cargo_counts, cargo_text, root, with_block};

const PACKAGE: &str = "resourcecache-model-checking";

/// Explores the small worlds or the large ones, and writes the table into docs/model-checking.md.
pub(crate) fn run(large: bool) -> Outcome {
    let mut arguments = vec!["run", "--quiet", "--locked", "-p", PACKAGE, "--"];
    let block = if large {
        println!("model-check: takes minutes, and some GiB of memory");
        arguments.push("--large");
        "large"
    } else {
        "small"
    };
    let table = cargo_text(&arguments)?;
    print!("{table}");
    let path = root().join("docs/model-checking.md");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let text = with_block(&text, block, &format!("\n{table}\n"))?;
    std::fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))
}

/// Runs the tests, and prints what they counted.
pub(crate) fn test() -> Outcome {
    let test = [
        "test",
        "--quiet",
        "--locked",
        "-p",
        PACKAGE,
        "--",
        "--nocapture",
    ];
    cargo_counts(&test, "model check: ")
}
