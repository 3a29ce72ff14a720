//! How many scenarios hold each rule of the model: none may have none.

use std::collections::BTreeMap;

use serde_json::Value;

/// What a watch session asks for is seen by its driver only, and no scenario has one: these are held
/// by the tests that docs/model.md names.
const OF_SESSIONS: [&str; 6] = ["W4", "W5", "W6", "W7", "W8", "W10"];

/// The rules that docs/model.md has an entry for.
fn rules() -> Vec<String> {
    let model = include_str!("../../docs/model.md");
    let entries = model.lines().filter_map(|line| line.strip_prefix("- **"));
    entries
        .filter_map(|entry| entry.split_once("**").map(|(rule, _)| rule.to_string()))
        .collect()
}

#[test]
fn every_rule_has_scenarios() {
    let mut counts: BTreeMap<String, usize> = rules().into_iter().map(|rule| (rule, 0)).collect();
    assert!(counts.len() > 60, "{counts:?}");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
    for entry in std::fs::read_dir(folder).expect("the folder of scenarios") {
        let text = std::fs::read_to_string(entry.expect("an entry").path()).expect("a text");
        let scenarios: Vec<Value> = serde_json::from_str(&text).expect("scenarios");
        for rule in scenarios
            .iter()
            .filter_map(|s| s["rules"].as_array())
            .flatten()
        {
            let rule = rule.as_str().expect("a rule's name");
            *counts
                .get_mut(rule)
                .unwrap_or_else(|| panic!("{rule} is no rule")) += 1;
        }
    }
    for (rule, count) in &counts {
        println!("{rule:6}{count:>5}");
    }
    let mut never: Vec<_> = counts.iter().filter(|(_, count)| **count == 0).collect();
    never.retain(|(rule, _)| !OF_SESSIONS.contains(&rule.as_str()));
    assert!(never.is_empty(), "no scenario holds {never:?}");
}
