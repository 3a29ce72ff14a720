//! The simulator holds its laws over a few thousand fixed seeds; planted mistakes are found, shrunk
//! and printed; what it prints, the runner of scenarios reads. `cargo xtask simulate` runs as many
//! more as one likes.

use resourcecache::{
    Attempt, Backoff, Change, Config, Event, HistoryLimits, MetadataPatch, OperationId,
};
use resourcecache_testing::simulate::{LAWS, Run, Shrunk, Simulation, Tamper};
use resourcecache_testing::{Coverage, Server, Toy};
use resourcecache_tests::run_file;

/// In a few seconds, on two cores.
const SEEDS: u64 = 6_000;

/// Seeds that have found something once.
const FOUND: [u64; 26] = [
    57, 1_367, 5_513, 7_877, 9_073, 14_564, 19_219, 27_074, 32_520, 60_152, 97_176, 111_923,
    112_246, 138_847, 160_798, 201_561, 207_122, 257_523, 318_115, 343_823, 406_101, 432_077,
    496_903, 503_772, 693_285, 811_642,
];

#[test]
fn the_laws_hold() {
    let part = |first: u64| {
        let simulation = Simulation::ours();
        let mut coverage = Coverage::default();
        for seed in (first..SEEDS).step_by(2) {
            let run = simulation.run(seed);
            assert_eq!(run.violation, None);
            coverage.add(&run.coverage);
        }
        coverage
    };
    let mut coverage = std::thread::scope(|scope| {
        let other = scope.spawn(|| part(1));
        let mut coverage = part(0);
        coverage.add(&other.join().expect("no violation"));
        coverage
    });
    for seed in FOUND {
        let run = Simulation::ours().run(seed);
        assert_eq!(run.violation, None);
        coverage.add(&run.coverage);
    }
    println!("{SEEDS} histories; unreached: {:?}", coverage.unreached());
    // What is left out here, `cargo xtask simulate` reaches.
    assert!(
        coverage.unreached().len() <= 5,
        "{:?}",
        coverage.unreached()
    );
    assert!(coverage.rules.len() >= 44, "{:?}", coverage.rules);
}

#[test]
fn a_seed_says_everything() {
    let simulation = Simulation::ours();
    for seed in 0..20 {
        let (one, two) = (simulation.run(seed), simulation.run(seed));
        assert_eq!(one.history, two.history);
        assert_eq!(one.coverage, two.coverage);
        assert_eq!(simulation.replay(&one.history), None);
    }
    let length = |seed| simulation.run(seed).history.steps.len();
    assert!((0..20).any(|seed| length(seed) != length(seed + 1)));
}

/// What each client was given is a scenario that passes: the JSON resource does as the toy does.
#[test]
fn histories_are_scenarios() {
    let simulation = Simulation::ours();
    let mut ran = 0;
    for seed in 0..400 {
        for scenario in simulation.scenarios(&simulation.run(seed).history) {
            for report in run_file(&scenario).expect("a scenario file") {
                assert_eq!(report.result, Ok(()), "{}\n{scenario}", report.name);
                ran += 1;
            }
        }
    }
    println!("{ran} scenarios");
    assert!(ran > 400);
}

fn found(tamper: Tamper<Toy>) -> (Simulation<Server>, Run<Server>) {
    let simulation = Simulation::ours().tamper(tamper);
    let runs = (0..3_000).map(|seed| simulation.run(seed));
    let mut broken = runs.filter(|run| run.violation.is_some());
    let run = broken.next().expect("a planted mistake is found");
    drop(broken);
    (simulation, run)
}

fn shrunk(tamper: Tamper<Toy>, law: &str) -> Shrunk<Server> {
    let simulation = Simulation::ours().tamper(tamper);
    let breaks = |run: &Run<Server>| run.violation.as_ref().is_some_and(|v| v.law.name == law);
    let mut runs = (0..3_000).map(|seed| simulation.run(seed));
    let run = runs.find(breaks).expect("a planted mistake is found");
    let shrunk = simulation
        .shrink(&run.history)
        .expect("it breaks the law again");
    println!("{}\n{}", shrunk.violation, shrunk.scenario);
    assert_eq!(shrunk.violation.law.name, law);
    assert!(shrunk.history.steps.len() <= run.history.steps.len());
    assert_eq!(
        simulation.replay(&shrunk.history),
        Some(shrunk.violation.clone())
    );
    shrunk
}

fn result(scenario: &str) -> Result<(), String> {
    let reports = run_file(scenario).expect("a scenario file");
    reports.into_iter().next().expect("a scenario").result
}

#[test]
fn a_guard_that_is_missing_is_found_and_printed() {
    let tamper = Tamper {
        config: |config| config.ttl_ms = 0,
        ..Tamper::default()
    };
    let shrunk = shrunk(tamper, "deleted stays hidden");
    assert!(shrunk.history.steps.len() <= 12, "{:#?}", shrunk.history);
    // The runner sees it too, and no more when the guard is there.
    let problem = result(&shrunk.scenario).expect_err("the guard is missing");
    assert!(problem.contains("expected: visible"), "{problem}");
    let ttl = shrunk.history.world.config.ttl_ms;
    let mended = shrunk
        .scenario
        .replace("\"ttl_ms\":0", &format!("\"ttl_ms\":{ttl}"));
    assert_ne!(mended, shrunk.scenario);
    assert_eq!(result(&mended), Ok(()));
}

#[test]
fn a_deletion_forgotten_when_its_call_returns_is_found_and_printed() {
    let tamper = Tamper {
        event: |event| match event {
            Event::Acknowledge { operation, .. } => Event::Cancel { operation },
            other => other,
        },
        ..Tamper::default()
    };
    let shrunk = shrunk(tamper, "deleted stays hidden");
    assert!(shrunk.history.steps.len() <= 9, "{:#?}", shrunk.history);
    assert!(result(&shrunk.scenario).is_err());
}

#[test]
fn a_circle_ends_as_a_violation() {
    // What is due is never done.
    let tamper = Tamper {
        event: |event| match event {
            Event::HandleTimeout => Event::Remove { id: "".into() },
            other => other,
        },
        ..Tamper::default()
    };
    let shrunk = shrunk(tamper, "an end");
    assert!(shrunk.history.steps.len() <= 3, "{:#?}", shrunk.history);
}

/// A planted mistake of a client that leaves its operations to the outbox, or of its settings.
fn event(event: fn(Event<Toy>) -> Event<Toy>) -> Tamper<Toy> {
    Tamper {
        event,
        ..Tamper::default()
    }
}

fn config(config: fn(&mut Config)) -> Tamper<Toy> {
    Tamper {
        config,
        ..Tamper::default()
    }
}

/// K2, O1 to O5, O7: each mistake breaks the law that is about it, and the runner of scenarios sees
/// what was handed out too soon.
#[test]
fn mistakes_of_an_outbox_are_found() {
    let never_offline = event(|event| match event {
        Event::SetOnline { .. } => Event::HandleTimeout,
        other => other,
    });
    let found = shrunk(never_offline, "offline holds");
    assert!(result(&found.scenario).is_err());
    let hasty = event(|event| match event {
        Event::Queue { begin, .. } => Event::Queue {
            begin,
            send_after_ms: 0,
        },
        other => other,
    });
    let found = shrunk(hasty, "not before its time");
    assert!(result(&found.scenario).is_err());
    let busy = config(|config| config.max_under_way = 100);
    let found = shrunk(busy, "so many under way");
    assert!(result(&found.scenario).is_err());
    // It says of all calls that they went well.
    let deaf = event(|event| match event {
        Event::Fail { operation, .. } => Event::Acknowledge {
            operation,
            answer: None,
        },
        other => other,
    });
    shrunk(deaf, "said to be done is done");
    let drops = event(|event| match event {
        Event::SetOnline { .. } => Event::Cancel {
            operation: OperationId(1),
        },
        other => other,
    });
    shrunk(drops, "nothing queued is lost");
    let impatient = config(|config| config.retry.backoff = Backoff::Linear { step_ms: 1 });
    shrunk(impatient, "not before its time");
}

/// O2, O3: what is sent is not what was handed out.
#[test]
fn mistakes_in_what_is_sent_are_found() {
    let attempt = |attempt: fn(Attempt<Toy>) -> Attempt<Toy>| Tamper {
        attempt,
        ..Tamper::default()
    };
    let another_key = attempt(|attempt| Attempt {
        key: format!("{}-{}", attempt.key, attempt.number),
        ..attempt
    });
    shrunk(another_key, "one key each");
    let one_key = attempt(|attempt| Attempt {
        key: "key".into(),
        ..attempt
    });
    shrunk(one_key, "one key each");
    let miscounts = attempt(|attempt| Attempt {
        number: attempt.number + 1,
        ..attempt
    });
    shrunk(miscounts, "so many attempts");
    let overtakes = attempt(|attempt| Attempt {
        operation: OperationId(attempt.operation.0 + 1),
        ..attempt
    });
    shrunk(overtakes, "in order");
    let empty = attempt(|attempt| Attempt {
        patches: Vec::new(),
        body: None,
        ..attempt
    });
    shrunk(empty, "carries what was asked");
    let anew = Tamper {
        header: |key, number| format!("{key}-{number}"),
        ..Tamper::default()
    };
    shrunk(anew, "done once");
}

/// P1, P4.
#[test]
fn mistakes_of_progress_are_found() {
    // At each tick it begins anew.
    let restarts = event(|event| match event {
        Event::HandleTimeout => Event::UpdateMetadata {
            id: "r1".into(),
            patch: MetadataPatch {
                progress: Change::Set(0.0),
                ..MetadataPatch::default()
            },
        },
        other => other,
    });
    let found = shrunk(restarts, "progress grows");
    assert!(result(&found.scenario).is_err());
    let lingers = config(|config| config.completed_shown_ms = 1_000_000);
    shrunk(lingers, "complete, then cleared");
    let endless = config(|config| {
        let plans = config.progress.values_mut();
        let stages = plans.flat_map(|plan| &mut plan.stages);
        stages.for_each(|stage| stage.end = None);
    });
    shrunk(endless, "a stage ends it");
}

/// H1 to H3, H5.
#[test]
fn mistakes_of_undo_are_found() {
    let does_not_redo = event(|event| match event {
        Event::Redo => Event::HandleTimeout,
        other => other,
    });
    let found = shrunk(does_not_redo, "undone and redone");
    assert!(found.history.steps.len() <= 12, "{:#?}", found.history);
    let takes_another = event(|event| match event {
        Event::Undo => Event::Remove { id: "r1".into() },
        other => other,
    });
    let found = shrunk(takes_another, "its own undone");
    assert!(found.history.steps.len() <= 6, "{:#?}", found.history);
    let forgets_to_perform = event(|event| match event {
        Event::Perform { label, event } if label.ends_with(['1', '3', '5', '7', '9']) => *event,
        other => other,
    });
    shrunk(forgets_to_perform, "a new step");
    let keeps_all = config(|config| config.history = HistoryLimits::default());
    shrunk(keeps_all, "a bounded history");
    let never_clears = event(|event| match event {
        Event::ClearHistory => Event::HandleTimeout,
        other => other,
    });
    shrunk(never_clears, "a bounded history");
}

#[test]
fn every_law_has_a_name_of_its_own() {
    let mut names: Vec<&str> = LAWS.iter().map(|law| law.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), LAWS.len());
    let (simulation, run) = found(Tamper {
        config: |config| config.stale_after_ms = 0,
        ..Tamper::default()
    });
    let violation = run.violation.clone().expect("it was found");
    assert!(violation.to_string().contains(violation.law.name));
    assert!(simulation.shrink(&run.history).is_some());
}
