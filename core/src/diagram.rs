//! The lifecycle as a Mermaid diagram, made from its edges.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::state::{Kind, State, Trigger};

/// The lifecycle as a Mermaid state diagram. The README's is this text; states of all kinds of
/// operation that move alike are drawn once.
///
/// ```
/// assert!(resourcecache::lifecycle_mermaid().contains("idle --> deleting: begin delete"));
/// ```
pub fn lifecycle_mermaid() -> String {
    let mut arrows: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for edge in State::edges() {
        // `remove` leads from everywhere to gone: one note says it.
        if edge.trigger == Trigger::Remove {
            continue;
        }
        let ends = (node(edge.from), node(edge.to));
        arrows
            .entry(ends)
            .or_default()
            .insert(edge.trigger.to_string());
    }
    let mut text = String::from("stateDiagram-v2\n    [*] --> idle\n");
    for kind in Kind::ALL {
        for (state, label) in [
            (State::Retrying(kind), "retrying"),
            (State::Failed(kind), "failed"),
        ] {
            let _ = writeln!(text, "    state \"{label} ({kind})\" as {}", node(state));
        }
    }
    for ((from, to), triggers) in arrows {
        let words: Vec<String> = triggers.into_iter().collect();
        let _ = writeln!(text, "    {from} --> {to}: {}", words.join(" / "));
    }
    text.push_str("    forgotten --> [*]\n");
    text.push_str("    note right of gone: remove leads here from every state but forgotten\n");
    text
}

/// A state's name in the diagram.
fn node(state: State) -> String {
    match state {
        State::Retrying(kind) => format!("retrying_{kind}"),
        State::Failed(kind) => format!("failed_{kind}"),
        other => other.name().to_string(),
    }
}
