//! Writes the laws and what was reached into docs/simulator.md.

use std::fmt::Write as _;

use resourcecache_testing::simulate::LAWS;

use super::Total;
use crate::run::{Outcome, root};

const PAGE: &str = "docs/simulator.md";

/// Writes the marked parts of the page anew.
pub(crate) fn write(total: &Total) -> Outcome {
    let path = root().join(PAGE);
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{PAGE}: {e}"))?;
    let text = replaced(&text, "laws", &laws())?;
    let text = replaced(&text, "figures", &figures(total))?;
    std::fs::write(&path, text).map_err(|e| format!("{PAGE}: {e}"))
}

fn replaced(text: &str, name: &str, new: &str) -> Result<String, String> {
    let (begin, end) = (
        format!("<!-- {name}:begin -->\n"),
        format!("<!-- {name}:end -->"),
    );
    let missing = || format!("{PAGE} has no {}", begin.trim());
    let (before, rest) = text.split_once(&begin).ok_or_else(missing)?;
    let (_, after) = rest.split_once(&end).ok_or_else(missing)?;
    Ok(format!("{before}{begin}{new}{end}{after}"))
}

fn laws() -> String {
    let mut text = String::from("| law | says | rules |\n| --- | --- | --- |\n");
    for law in LAWS {
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            law.name,
            law.says,
            law.rules.join(", ")
        );
    }
    text
}

fn figures(total: &Total) -> String {
    let coverage = &total.coverage;
    let expected = resourcecache_testing::Coverage::expected().count();
    let reached = coverage.transitions.len();
    let mut text = format!(
        "{} histories of {} steps, 0 violations. Reached: {reached} of {expected} pairs of state and trigger, {} of 6 \
         outcomes.\n\n",
        total.histories,
        total.steps,
        coverage.outcomes.len()
    );
    let unreached = coverage.unreached();
    if !unreached.is_empty() {
        let _ = writeln!(text, "Not reached: {}.\n", unreached.join(", "));
    }
    text.push_str("| rule | met |\n| --- | ---: |\n");
    for (rule, count) in &coverage.rules {
        let _ = writeln!(text, "| {rule} | {count} |");
    }
    text
}
