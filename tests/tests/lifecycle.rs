//! The lifecycle three times: as the model's table says it, as the function decides it, and as the
//! README draws it.

use std::collections::BTreeMap;

use resourcecache::{Kind, State, Trigger, lifecycle_mermaid};

/// The table in the model's words: from, trigger, to. `X` stands for every kind; where `idle | gone`
/// depends on the kind, the right side says which.
fn table() -> BTreeMap<(State, Trigger), State> {
    use State::{Acknowledged as Done, Failed, Forgotten, Gone, Idle, Retrying, Running};
    let mut edges = BTreeMap::new();
    let mut edge = |from, trigger, to| {
        assert!(
            edges.insert((from, trigger), to).is_none(),
            "{from} {trigger} twice"
        );
    };
    for kind in Kind::ALL {
        edge(Idle, Trigger::Begin(kind), Running(kind));
        // X-ing, its retries and failures.
        edge(Running(kind), Trigger::BackOff, Retrying(kind));
        edge(Retrying(kind), Trigger::Attempt, Running(kind));
        edge(Failed(kind), Trigger::Attempt, Running(kind));
        edge(Running(kind), Trigger::Fail, Failed(kind));
        edge(Done(kind), Trigger::Fail, Failed(kind));
        for from in [Running(kind), Retrying(kind), Failed(kind)] {
            edge(from, Trigger::Acknowledge, Done(kind));
        }
        let create = kind == Kind::Create;
        edge(
            Failed(kind),
            Trigger::Expire,
            if create { Gone } else { Idle },
        );
        for from in [Running(kind), Retrying(kind), Failed(kind), Done(kind)] {
            let unanswered = create && from != Done(kind);
            let left = if unanswered { Gone } else { Idle };
            edge(from, Trigger::Cancel, left);
            edge(from, Trigger::Stale, left);
            edge(from, Trigger::Supersede, if create { Gone } else { Idle });
            edge(from, Trigger::Remove, Gone);
        }
    }
    edge(Gone, Trigger::Begin(Kind::Create), Running(Kind::Create));
    edge(Gone, Trigger::Expire, Forgotten);
    edge(Gone, Trigger::Remove, Gone);
    edge(Idle, Trigger::Remove, Gone);
    // Confirmed, also before the answer; expired by a late observation.
    for from in [Running, Retrying, Failed, Done] {
        edge(from(Kind::Create), Trigger::Confirm, Idle);
        edge(from(Kind::Delete), Trigger::Confirm, Gone);
    }
    edge(Done(Kind::Update), Trigger::Confirm, Idle);
    edge(Done(Kind::Create), Trigger::Expire, Gone);
    edge(Done(Kind::Update), Trigger::Expire, Idle);
    edge(Done(Kind::Process), Trigger::Expire, Idle);
    edge(Done(Kind::Delete), Trigger::Expire, Idle);
    edge(Running(Kind::Delete), Trigger::Expire, Idle);
    edges
}

#[test]
fn every_pair_of_state_and_trigger_is_as_the_table_says() {
    let table = table();
    let mut pairs = 0;
    for state in State::all() {
        for trigger in Trigger::all() {
            pairs += 1;
            let next = state.next(trigger);
            assert_eq!(
                next.ok(),
                table.get(&(state, trigger)).copied(),
                "{state} {trigger}"
            );
            if let Err(error) = next {
                assert_eq!((error.state, error.trigger), (state, trigger));
            }
        }
    }
    assert_eq!(pairs, 19 * 14);
    assert_eq!(State::edges().count(), table.len());
}

#[test]
fn the_diagram_has_every_edge_and_no_other() {
    let name = |state: State| match state {
        State::Retrying(kind) => format!("retrying_{kind}"),
        State::Failed(kind) => format!("failed_{kind}"),
        other => other.name().to_string(),
    };
    let mut drawn: Vec<(String, String, String)> = Vec::new();
    for line in lifecycle_mermaid()
        .lines()
        .filter(|l| l.contains(" --> ") && !l.contains("[*]"))
    {
        let (ends, triggers) = line.trim().split_once(": ").expect("an arrow has a text");
        let (from, to) = ends.split_once(" --> ").expect("an arrow has two ends");
        for trigger in triggers.split(" / ") {
            drawn.push((from.into(), trigger.into(), to.into()));
        }
    }
    let mut expected: Vec<_> = table()
        .into_iter()
        .filter(|((_, trigger), _)| *trigger != Trigger::Remove)
        .map(|((from, trigger), to)| (name(from), trigger.to_string(), name(to)))
        .collect();
    drawn.sort();
    expected.sort();
    assert_eq!(drawn, expected);
}

#[test]
fn the_readme_has_the_diagram() {
    let readme = include_str!("../../README.md");
    assert!(
        readme.contains(&lifecycle_mermaid()),
        "run `cargo xtask diagram`"
    );
}
