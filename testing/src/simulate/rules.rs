//! Counts the rules whose condition an event meets, so that one sees what histories try.

use resourcecache::{
    Coverage as Covers, Error, Event, Kind, Resource, Retry, Snapshot, State, WatchEvent,
};

use super::memory::{Memory, Taken};
use crate::coverage::Coverage;

/// Counts the rules that an accepted event is about, beside those that the laws count.
pub(crate) fn count<R: Resource>(
    memory: &Memory<R>,
    taken: &Taken<'_, R>,
    coverage: &mut Coverage,
) {
    let mut met = |rules: &[&'static str]| {
        for rule in rules {
            coverage.met(rule);
        }
    };
    let open = |id: &str| taken.before.operations(id);
    match taken.event {
        Event::Begin { id, kind, .. } => {
            let running = open(id.as_str());
            let any = |of: Kind| running.iter().any(|o| o.kind == of);
            if any(Kind::Create) {
                met(&["L1"]);
            }
            match kind {
                Kind::Delete if any(Kind::Delete) => met(&["L5"]),
                Kind::Delete if any(Kind::Update) => met(&["L2"]),
                Kind::Update if any(Kind::Update) => met(&["L3"]),
                _ => {}
            }
            if taken.before.get_one(id.as_str()).is_none() {
                met(if *kind == Kind::Delete {
                    &["D5", "L10"]
                } else {
                    &["L10"]
                });
            }
        }
        Event::Create { resource, .. } if taken.before.get_one(resource.id()).is_some() => {
            met(&["L6"]);
        }
        Event::Acknowledge { operation, .. } => {
            let known = memory.operations.iter().find(|o| o.operation == *operation);
            if let Some(known) = known {
                if known.has_outcome() {
                    met(&["L7"]);
                }
                let newer = memory.operations.iter().any(|o| {
                    o.operation > known.operation && o.id == known.id && o.acked.is_some()
                });
                if newer {
                    met(&["U5"]);
                }
            }
            met(&["L12"]);
        }
        Event::Revert { id } => met(if open(id.as_str()).is_empty() {
            &["L7"]
        } else {
            &["L8", "L12"]
        }),
        Event::Cancel { .. } => met(&["L12"]),
        Event::Fail {
            operation, retry, ..
        } => {
            let known = memory.operations.iter().find(|o| o.operation == *operation);
            let deletes = known.is_some_and(|o| o.kind == Kind::Delete);
            match (retry, deletes) {
                (Retry::No, true) => met(&["L14", "V2"]),
                (Retry::No, false) => met(&["L14", "V5"]),
                _ => met(&["T4"]),
            }
        }
        Event::Attempt { .. } => met(&["L14"]),
        Event::UpdateInPlace { .. } => met(&["U6"]),
        Event::UpdateMetadata { .. } => met(&["M3"]),
        Event::Remove { id } => {
            let state = taken.before.state(id.as_str());
            let deleting = state.and_then(State::kind) == Some(Kind::Delete);
            met(if deleting { &["D6"] } else { &[] });
        }
        Event::CleanupStaleOperations { .. } => met(&["K1"]),
        Event::Merge(snapshot) => count_merge(memory, taken, snapshot, &mut met),
        Event::Observe(event) => met(match event {
            WatchEvent::Bookmark { .. } => &["W1", "W3"],
            WatchEvent::Deleted(_) | WatchEvent::DeletedId { .. } => &["L11", "W1"],
            _ => &["W1"],
        }),
        _ => {}
    }
}

/// Counts the rules by which an event was refused.
pub(crate) fn count_refusal<R: Resource>(event: &Event<R>, error: &Error, coverage: &mut Coverage) {
    match (event, error) {
        (Event::Begin { .. }, Error::Transition { .. }) => coverage.met("L4"),
        (Event::Create { .. }, Error::AlreadyExists { .. }) => coverage.met("L6"),
        (Event::UpdateMetadata { .. }, Error::BadInput { .. }) => coverage.met("M2"),
        (Event::UpdateMetadata { .. }, Error::NoOperation { .. }) => coverage.met("M5"),
        _ => {}
    }
}

fn count_merge<R: Resource>(
    memory: &Memory<R>,
    taken: &Taken<'_, R>,
    snapshot: &Snapshot<R>,
    met: &mut impl FnMut(&[&'static str]),
) {
    if snapshot
        .token
        .is_some_and(|token| memory.newest_list > Some(token))
    {
        met(&["S6"]);
    }
    if snapshot.items.is_empty() {
        met(&["S4"]);
    }
    if snapshot.coverage != Covers::Complete {
        met(&["S3"]);
    }
    for item in &snapshot.items {
        let of_it = memory.operations.iter().filter(|o| o.id == item.id());
        for one in of_it {
            let late = taken.own >= one.guard_end();
            match one.kind {
                Kind::Delete if late && !one.has_outcome() => met(&["D2"]),
                Kind::Update if late && !one.has_outcome() => met(&["U3"]),
                _ => {}
            }
            let known = one.body.as_ref().and_then(R::uid);
            if known.is_some() && item.uid().is_some() && known != item.uid() {
                met(&["G4"]);
            }
        }
    }
    for outcome in &taken.applied.changes.outcomes {
        use resourcecache::Settlement::{Confirmed, NotConfirmed, Superseded};
        match (outcome.kind, outcome.settlement) {
            (Kind::Create, NotConfirmed) => met(&["C3"]),
            (Kind::Update, Superseded) => met(&["U4"]),
            (Kind::Update, Confirmed) => met(&["U2"]),
            _ => {}
        }
    }
}
