//! Holds docs/model.md against the tests: each rule has a section, and each test it names exists.
//! That scenarios cite no other rules is held by `tests/tests/rules.rs`.

use std::collections::BTreeSet;

use crate::run::{Outcome, root};

/// Every rule of the model.
const RULES: &str = "L1 L2 L3 L4 L5 L6 L7 L8 L9 L10 L11 L12 L13 L14 L15 V1 V2 V3 V4 V5 V6 V7 \
G1 G2 G3 G4 S1 S2 S3 S4 S6 S7 D1 D2 D3 D5 D6 C1 C2 C3 U1 U2 U3 U4 U5 U6 W1 W2 W3 \
W4 W5 W6 W7 W8 W9 W10 \
T1 T2 T3 T4 T5 K1 K2 O1 O2 O3 O4 O5 O6 O7 O8 P1 P2 P3 P4 P5 P6 H1 H2 H3 H4 H5 M1 M2 M3 M4 \
M5 M6 M7 R1";

/// Checks it. A test is named as `file.rs::function`, or as `file.json` with scenarios that cite
/// the rule.
pub(crate) fn check() -> Outcome {
    let read =
        |path: &str| std::fs::read_to_string(root().join(path)).map_err(|e| format!("{path}: {e}"));
    let text = read("docs/model.md")?;
    let mut problems = Vec::new();
    let mut links = 0;
    for rule in RULES.split_whitespace() {
        let Some(section) = text.split(&format!("\n- **{rule}** ")).nth(1) else {
            problems.push(format!("{rule} has no entry"));
            continue;
        };
        let section = section.split("\n- **").next().unwrap_or_default();
        let section = section.split("\n#").next().unwrap_or_default();
        let cited: BTreeSet<&str> = section.split('`').skip(1).step_by(2).collect();
        let mut tests = 0;
        for word in cited {
            if let Some((file, function)) =
                word.split_once("::").filter(|(f, _)| f.ends_with(".rs"))
            {
                tests += 1;
                if !read(file)?.contains(&format!("fn {function}")) {
                    problems.push(format!("{rule}: {file} has no {function}"));
                }
            } else if word.ends_with(".json") {
                tests += 1;
                if !read(&format!("tests/scenarios/{word}"))?.contains(&format!("\"{rule}\"")) {
                    problems.push(format!("{rule}: no scenario of {word} cites it"));
                }
            }
        }
        links += tests;
        if tests == 0 && !section.contains("not tested here") {
            problems.push(format!("{rule} names no test"));
        }
    }
    if problems.is_empty() {
        println!("every rule has an entry; {links} links to tests hold");
        return Ok(());
    }
    Err(problems.join("\n"))
}
