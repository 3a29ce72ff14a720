//! Scenario files: arbitrary bytes, and steps of the real ones in any order, edited.

use resourcecache_tests::run_file;
use serde_json::{Map, Value, json};

use crate::edits::edited;
use crate::input::Input;

macro_rules! files {
    ($($name:literal),*) => { [$(include_str!(concat!("../../tests/scenarios/", $name, ".json"))),*] };
}

const FILES: [&str; 11] = files!(
    "creating",
    "deleting",
    "document",
    "lifecycle",
    "metadata",
    "snapshots",
    "time",
    "updating",
    "verbs",
    "view",
    "watch"
);

/// What the runner says when the cache, and not the scenario, is wrong.
const BUGS: [&str; 4] = [
    "the changes lead to the new list",
    "the refused action changed the state",
    "the saved state",
    "which is not there",
];

/// The steps and the settings of every scenario.
#[derive(Default)]
struct Pool {
    steps: Vec<Map<String, Value>>,
    configs: Vec<Value>,
}

impl Pool {
    fn read() -> Self {
        let mut pool = Self::default();
        for file in FILES {
            let scenarios: Vec<Value> = serde_json::from_str(file).unwrap_or_default();
            for mut scenario in scenarios {
                let config = scenario["config"].take();
                pool.configs
                    .push(if config.is_null() { json!({}) } else { config });
                let steps: Vec<Map<String, Value>> =
                    serde_json::from_value(scenario["steps"].take()).unwrap_or_default();
                // Expectations end a scenario that is not theirs.
                pool.steps
                    .extend(steps.into_iter().filter(|step| step.contains_key("do")));
            }
        }
        pool
    }

    /// A scenario of steps from anywhere: two bytes for the step, one for the time, one for a name.
    fn scenario(&self, input: &mut Input<'_>) -> Value {
        let config = &self.configs[usize::from(input.byte()) % self.configs.len()];
        let mut now = 0_i64;
        let steps = (0..input.below(32)).map(|_| {
            let [low, high, wait, name] = input.four();
            let mut step =
                self.steps[usize::from(u16::from_le_bytes([low, high])) % self.steps.len()].clone();
            now += i64::from(wait) * 500;
            step.insert("at".into(), now.into());
            // Few names, so that the steps of one scenario meet those of another.
            if let Some(id) = step.get_mut("id") {
                *id = ["a", "b", "t1"][usize::from(name) % 3].into();
            }
            for field in ["as", "op"] {
                if let Some(operation) = step.get_mut(field) {
                    *operation = ["x", "y"][usize::from(name >> 4) % 2].into();
                }
            }
            if name & 8 == 0 {
                step.remove("refused");
            }
            Value::Object(step)
        });
        let steps: Vec<Value> = steps.collect();
        json!({"name": "n", "config": config, "steps": steps})
    }
}

/// Holds that a scenario file never breaks the runner, and that it always comes to an error or a
/// verdict; one that finds the cache to contradict itself is a bug.
///
/// # Panics
///
/// When that does not hold.
pub fn scenario(bytes: &[u8]) {
    thread_local! {
        static POOL: Pool = Pool::read();
    }
    let mut input = Input(bytes);
    let text = if input.byte() != 0 {
        bytes.to_vec()
    } else {
        let scenario = POOL.with(|pool| pool.scenario(&mut input));
        let text = json!([scenario]).to_string().into_bytes();
        edited(&text, &mut input, 4)
    };
    let Ok(text) = std::str::from_utf8(&text) else {
        return;
    };
    let Ok(reports) = run_file(text) else { return };
    assert!(!reports.is_empty(), "a file without a verdict");
    for report in reports {
        let Err(problem) = report.result else {
            continue;
        };
        assert!(!problem.is_empty(), "a failure that says nothing");
        let bug = BUGS.iter().find(|bug| problem.contains(**bug));
        assert!(bug.is_none(), "{problem}");
    }
}
