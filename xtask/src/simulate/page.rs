//! Writes the laws and what was reached into docs/simulator.md.

use std::fmt::Write as _;
use std::time::UNIX_EPOCH;

use resourcecache::Timestamp;
use resourcecache_testing::Coverage;
use resourcecache_testing::simulate::LAWS;

use super::Total;
use crate::run::{Outcome, root, with_block};

const PAGE: &str = "docs/simulator.md";

/// Writes the marked parts of the page anew.
pub(crate) fn write(total: &Total) -> Outcome {
    let path = root().join(PAGE);
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{PAGE}: {e}"))?;
    let text = with_block(&text, "laws", &laws())?;
    let text = with_block(&text, "figures", &figures(total))?;
    std::fs::write(&path, text).map_err(|e| format!("{PAGE}: {e}"))
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

/// As `2025-01-19`.
fn today() -> String {
    let since = UNIX_EPOCH.elapsed().unwrap_or_default();
    let now = Timestamp(i64::try_from(since.as_millis()).unwrap_or_default());
    now.to_rfc3339().chars().take(10).collect()
}

fn figures(total: &Total) -> String {
    let coverage = &total.coverage;
    let expected: Vec<_> = Coverage::expected().collect();
    let reached = expected
        .iter()
        .filter(|pair| coverage.transitions.contains_key(pair));
    let (reached, expected) = (reached.count(), expected.len());
    let mut text = format!(
        "{}: {} histories, {} steps, 0 violations. Reached: {reached} of {expected} pairs of state and trigger, {} of 6 \
         outcomes.\n\n",
        today(),
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
