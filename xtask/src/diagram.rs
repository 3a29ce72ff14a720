//! The lifecycle's diagram in the README, made from the table.

use crate::run::{Outcome, root};

const BEGIN: &str = "<!-- lifecycle:begin -->";
const END: &str = "<!-- lifecycle:end -->";

/// Writes it, or checks that it is there.
pub(crate) fn run(check: bool) -> Outcome {
    let path = root().join("README.md");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("README.md: {e}"))?;
    let (before, rest) = text
        .split_once(BEGIN)
        .ok_or(format!("README.md has no {BEGIN}"))?;
    let (_, after) = rest
        .split_once(END)
        .ok_or(format!("README.md has no {END}"))?;
    let diagram = resourcecache::lifecycle_mermaid();
    let wanted = format!("{before}{BEGIN}\n```mermaid\n{diagram}```\n{END}{after}");
    if text == wanted {
        return Ok(());
    }
    if check {
        return Err("README.md differs from the table; run `cargo xtask diagram`".into());
    }
    std::fs::write(&path, wanted).map_err(|e| format!("README.md: {e}"))
}
