//! Every scenario file passes, and the runner fails what it must.

use resourcecache_tests::{run_file, run_scenario};

#[test]
fn every_scenario_file_passes() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
    let mut ran = 0;
    let mut failed = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder of scenarios") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|e| e != "json") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a text");
        for report in run_file(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display())) {
            ran += 1;
            if let Err(problem) = report.result {
                failed.push(format!("{}\n    {problem}", report.name));
            }
        }
    }
    println!("{ran} scenarios");
    assert!(ran >= 200, "only {ran} scenarios found");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// What a scenario with these steps fails with.
fn problem(steps: &str) -> String {
    let scenario = format!(r#"{{"name":"n","steps":[{steps}]}}"#);
    run_scenario(&scenario).result.expect_err("it must fail")
}

#[test]
fn a_wrong_expectation_names_step_expected_and_got() {
    let merge = r#"{"at":0,"do":"merge","items":[{"id":"a"}]}"#;
    let wrong = [
        r#"{"visible":[]}"#,
        r#"{"all":["b"]}"#,
        r#"{"items":{"a":{"x":1}}}"#,
        r#"{"items":{"b":{}}}"#,
        r#"{"status":{"a":"deleting"}}"#,
        r#"{"status":{"a":"absent"}}"#,
        r#"{"state":{"a":"gone"}}"#,
        r#"{"meta":{"a":{"progress":1}}}"#,
        r#"{"by_status":{"deleting":["a"]}}"#,
        r#"{"outcomes":[{"id":"a","outcome":"confirmed"}]}"#,
        r#"{"next_timeout":1}"#,
        r#"{"unchanged":true}"#,
        r#"{"warnings":1}"#,
        r#"{"should_poll":true}"#,
        r#"{"changed":{"upserted":[],"removed":["a"]}}"#,
        r#"{"same_row":[["b","a"]]}"#,
    ];
    for expectation in wrong {
        let text = problem(&format!(r#"{merge},{{"at":0,"expect":{expectation}}}"#));
        assert!(text.starts_with("step 2: "), "{text}");
    }
    let text = problem(&format!(
        r#"{merge},{{"at":0,"expect":{{"visible":["b"]}}}}"#
    ));
    assert!(text.contains(r#"expected: visible ["b"]"#), "{text}");
    assert!(text.contains(r#"got: ["a"]"#), "{text}");
}

#[test]
fn refusals_are_checked_both_ways() {
    let tick = r#"{"at":0,"do":"tick","refused":"bad_input"}"#;
    assert!(problem(tick).contains("got: accepted"));
    let empty = r#"{"at":0,"do":"mark_as_deleting","id":""}"#;
    assert!(problem(empty).contains("refused as bad_input"));
    let other = r#"{"at":0,"do":"mark_as_deleting","id":"","refused":"transition"}"#;
    assert!(problem(other).contains("expected: refused as transition"));
}

/// Found by fuzzing: what had become due by the time of a reload counted as a contradiction.
#[test]
fn a_reload_may_find_something_due() {
    let scenario = r#"{"name":"n","steps":[
        {"at":0,"do":"add_as_creating","item":{"id":"a"},"as":"x"},
        {"at":1,"do":"fail","op":"x","error":"no"},
        {"at":900000,"do":"reload"},
        {"at":900000,"expect":{"visible":[]}}]}"#;
    assert_eq!(run_scenario(scenario).result, Ok(()));
}

#[test]
fn unknown_words_fail() {
    let unknown = [
        r#"{"at":0,"do":"dance"}"#,
        r#"{"at":0,"do":"tick","twice":true}"#,
        r#"{"at":0,"expect":{"colour":1}}"#,
        r#"{"at":0,"expect":{"status":{"a":"dancing"}}}"#,
        r#"{"at":0,"expect":{"state":{"a":"dancing"}}}"#,
        r#"{"at":0,"do":"mark_as_deleting","id":"","refused":"because"}"#,
        r#"{"at":0,"do":"merge","items":[],"coverage":"half"}"#,
        r#"{"at":0,"do":"merge","items":[],"fetch":"never"}"#,
        r#"{"at":0,"do":"tick","expect":{}}"#,
        r#"{"at":0}"#,
        r#"{"do":"tick"}"#,
    ];
    for step in unknown {
        assert!(!problem(step).is_empty());
    }
    let config = r#"{"name":"n","config":{"colour":1},"steps":[{"at":0,"do":"tick"}]}"#;
    assert!(run_scenario(config).result.is_err());
    let field = r#"{"name":"n","colour":1,"steps":[{"at":0,"do":"tick"}]}"#;
    assert!(run_scenario(field).result.is_err());
}

#[test]
fn a_file_without_scenarios_fails() {
    for text in ["[]", "{}", "", r#"[{"name":"n","steps":[]}]"#] {
        let failed = run_file(text).map_or(true, |reports| reports[0].result.is_err());
        assert!(failed, "{text:?} passed");
    }
}
