//! The lifecycle's diagram in the README, made from the table.

use crate::run::{Outcome, root, with_block};

/// Writes it, or checks that it is there.
pub(crate) fn run(check: bool) -> Outcome {
    let path = root().join("README.md");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("README.md: {e}"))?;
    let diagram = resourcecache::lifecycle_mermaid();
    let inside = format!("```mermaid\n{diagram}```\n");
    let wanted = with_block(&text, "lifecycle", &inside).map_err(|e| format!("README.md: {e}"))?;
    if text == wanted {
        return Ok(());
    }
    if check {
        return Err("README.md differs from the table; run `cargo xtask diagram`".into());
    }
    std::fs::write(&path, wanted).map_err(|e| format!("README.md: {e}"))
}
