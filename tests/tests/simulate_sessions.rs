//! The simulator's worlds in which clients keep their lists by watch sessions: the laws hold, and
//! planted mistakes of sessions, their drivers and their streams are found (W2, W4 to W10).

use resourcecache::{
    Backoff, BadMessages, CallId, Event, StreamEvent, WatchAction, WatchConfig, WatchEvent,
    WatchMessage,
};
use resourcecache_testing::simulate::{Run, Simulation, Tamper, World};
use resourcecache_testing::{Coverage, Server, Toy};

/// In a few seconds, on two cores.
const SEEDS: u64 = 2_000;

#[test]
fn the_laws_of_sessions_hold() {
    let part = |first: u64| {
        let simulation = Simulation::ours();
        let mut coverage = Coverage::default();
        for seed in (first..SEEDS).step_by(2) {
            let run = simulation.run(seed | World::WATCHED);
            assert_eq!(run.violation, None);
            coverage.add(&run.coverage);
        }
        coverage
    };
    let coverage = std::thread::scope(|scope| {
        let other = scope.spawn(|| part(1));
        let mut coverage = part(0);
        coverage.add(&other.join().expect("no violation"));
        coverage
    });
    for rule in ["W1", "W2", "W3", "W4", "W5", "W6", "W7", "W8", "W9", "W10"] {
        let met = coverage.rules.get(rule).copied().unwrap_or_default();
        println!("{rule}: {met}");
        assert!(met >= 50, "{rule} was met {met} times");
    }
}

/// The law that a planted mistake breaks, in the end: the first history that breaks it, shrunk.
fn finds(tamper: Tamper<Toy>, law: &str) {
    let simulation = Simulation::ours().tamper(tamper);
    let breaks = |run: &Run<Server>| run.violation.as_ref().is_some_and(|v| v.law.name == law);
    let mut runs = (0..3_000).map(|seed| simulation.run(seed | World::WATCHED));
    let run = runs.find(breaks);
    let run = run.unwrap_or_else(|| panic!("nothing breaks {law}"));
    let shrunk = simulation.shrink(&run.history).expect("it breaks it again");
    println!("{}", shrunk.violation);
    assert_eq!(shrunk.violation.law.name, law);
    assert!(shrunk.history.steps.len() <= 25, "{:#?}", shrunk.history);
}

/// Streams that tell less than they should.
#[test]
fn mistakes_of_streams_are_found() {
    let message = |message: fn(WatchMessage<Toy>) -> WatchMessage<Toy>| Tamper {
        message,
        ..Tamper::default()
    };
    let no_deletions = message(|mut message: WatchMessage<Toy>| {
        let deletes =
            |e: &StreamEvent<Toy>| matches!(e, StreamEvent::Observe(WatchEvent::Deleted(_)));
        message.events.retain(|event| !deletes(event));
        message
    });
    finds(no_deletions, "a stream ends as a list");
    let no_numbers = message(|message: WatchMessage<Toy>| WatchMessage {
        sequence: None,
        ..message
    });
    finds(no_numbers, "what was missed is listed");
    let no_versions = message(|message: WatchMessage<Toy>| WatchMessage {
        version: None,
        ..message
    });
    finds(no_versions, "nothing holds up the stream");
    let no_end = message(|mut message: WatchMessage<Toy>| {
        for event in &mut message.events {
            if let StreamEvent::Snapshot(all) = event {
                all.items.clear();
            }
        }
        message
    });
    finds(no_end, "a stream ends as a list");
}

/// Sessions with other settings than they should have.
#[test]
fn mistakes_of_sessions_are_found() {
    let watch = |watch: fn(&mut WatchConfig)| Tamper {
        watch,
        ..Tamper::default()
    };
    finds(
        watch(|config| config.bad_messages = BadMessages::Skip),
        "what was missed is listed",
    );
    finds(
        watch(|config| config.backoff = Backoff::Linear { step_ms: 0 }),
        "a session keeps its pace",
    );
    // It never tries again within the minute.
    let never = |config: &mut WatchConfig| {
        config.backoff = Backoff::Linear {
            step_ms: 100_000_000,
        };
    };
    let never = watch(never);
    finds(never, "a session keeps its pace");
}

/// Drivers that do something else than they were asked for.
#[test]
fn mistakes_of_drivers_are_found() {
    let action = |action: fn(WatchAction<Toy>) -> WatchAction<Toy>| Tamper {
        action,
        ..Tamper::default()
    };
    let never_lists = action(|action| match action {
        WatchAction::List(_) => WatchAction::Close(CallId(0)),
        other => other,
    });
    finds(never_lists, "synced in the end");
    let never_applies = action(|action| match action {
        WatchAction::Apply(event) => match *event {
            Event::Observe(_) => WatchAction::Apply(Box::new(Event::HandleTimeout)),
            other => WatchAction::Apply(Box::new(other)),
        },
        other => other,
    });
    finds(never_applies, "a stream ends as a list");
    let goes_on_with_what_expired = action(|action| match action {
        WatchAction::List(mut call) => {
            call.continue_token = call.continue_token.map(|_| "0:0".into());
            WatchAction::List(call)
        }
        other => other,
    });
    finds(goes_on_with_what_expired, "synced in the end");
}

/// A history with a session is played again from its steps alone, to the same end.
#[test]
fn a_history_with_sessions_is_played_again() {
    let simulation = Simulation::ours();
    for seed in 0..40 {
        let seed = seed | World::WATCHED;
        let (one, two) = (simulation.run(seed), simulation.run(seed));
        assert_eq!(one.history, two.history);
        assert_eq!(one.coverage, two.coverage);
        assert_eq!(simulation.replay(&one.history), None);
    }
}
