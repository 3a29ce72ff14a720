//! The form of a client's state without numbers that grow for ever, so that a world has an end.
//!
//! The core gives out numbers that are greater than all before. Of rows and places only the order
//! matters; of events, which are newer than the list that is on its way. The next numbers to be
//! given out do not matter at all.

use std::collections::BTreeSet;

use resourcecache::{FetchToken, ResourceCache};
use resourcecache_testing::Toy;
use serde_json::{Value, json};

pub(crate) fn form(cache: &ResourceCache<Toy>, fetch: Option<&(FetchToken, Vec<Toy>)>) -> String {
    let record = serde_json::to_value(cache.record()).expect("a record");
    let mut state = json!({ "record": record, "fetch": fetch });
    let record = &mut state["record"];
    for counter in ["next_key", "next_place", "revision", "seq"] {
        record.as_object_mut().and_then(|r| r.remove(counter));
    }
    record["outcomes"] = outcomes(&record["outcomes"]);
    for row in items(&mut record["rows"]) {
        for operation in items(&mut row["operations"]) {
            operation.pointer_mut("/payload/Update/seen").map(sort);
            // What is told of it decides nothing.
            operation.as_object_mut().and_then(|o| o.remove("meta"));
        }
    }
    since_the_fetch(&mut state);
    by_order(&mut state, keys);
    by_order(&mut state, places);
    state.to_string()
}

/// Which operations settled how and when, whatever the order.
fn outcomes(outcomes: &Value) -> Value {
    let all = outcomes.as_array().into_iter().flatten();
    let all = all.map(|o| {
        // When it was confirmed, nobody asks.
        let asked = ["not_confirmed", "stale"]
            .iter()
            .any(|s| o[1]["settlement"] == *s);
        let at = asked.then(|| o[1]["at"].clone());
        json!([o[1]["operation"], o[1]["settlement"], at])
    });
    let mut all = Value::Array(all.collect());
    sort(&mut all);
    all
}

fn items(value: &mut Value) -> impl Iterator<Item = &mut Value> {
    value.as_array_mut().into_iter().flatten()
}

fn sort(value: &mut Value) {
    if let Some(values) = value.as_array_mut() {
        values.sort_by_cached_key(Value::to_string);
    }
}

type Visit<'a> = &'a mut dyn FnMut(&mut Value);

/// Puts in the place of each number how many smaller ones there are.
fn by_order(state: &mut Value, visit: fn(&mut Value, Visit<'_>)) {
    let mut all = BTreeSet::new();
    visit(state, &mut |number| {
        all.extend(number.as_i64());
    });
    visit(state, &mut |number| {
        if let Some(old) = number.as_i64() {
            *number = all.range(..old).count().into();
        }
    });
}

/// Counters of events (when something was observed, acknowledged, dropped) are compared with when
/// a list was asked for: the one that is on its way, or a later one, which is newer than all.
fn since_the_fetch(state: &mut Value) {
    let token = state.pointer("/fetch/0/seq").and_then(Value::as_u64);
    let newer = |number: &Value| number.as_u64() > token && token.is_some();
    let tell = |number: &mut Value| *number = newer(number).into();
    let record = &mut state["record"];
    tell(&mut record["last_complete"]);
    for row in items(&mut record["rows"]) {
        tell(&mut row["taken"]);
        for operation in items(&mut row["operations"]) {
            operation.pointer_mut("/acked/seq").map(tell);
        }
    }
    if let Some(dropped) = record["dropped"].as_array_mut() {
        dropped.retain(|dropped| newer(&dropped[1]));
        dropped.iter_mut().for_each(|dropped| tell(&mut dropped[1]));
    }
    state.pointer_mut("/fetch/0/seq").map(Value::take);
}

fn keys(state: &mut Value, visit: Visit<'_>) {
    for row in items(&mut state["record"]["rows"]) {
        visit(&mut row["key"]);
    }
}

fn places(state: &mut Value, visit: Visit<'_>) {
    for row in items(&mut state["record"]["rows"]) {
        row.pointer_mut("/place/1").map(&mut *visit);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use resourcecache::Timestamp;

    use crate::client::{Client, Happening};
    use crate::world::{TIMES, World};

    /// Everything that may happen to the second of two users, whatever the others do.
    fn happenings() -> Vec<Happening> {
        let mut all = vec![
            Happening::Begin(1),
            Happening::Begin(2),
            Happening::Accepted(1, vec![1]),
            Happening::Accepted(2, vec![1, 2]),
            Happening::Refused(1),
            Happening::Receive,
        ];
        for done in [vec![], vec![1], vec![1, 2], vec![0]] {
            all.push(Happening::List(done.clone()));
            all.push(Happening::Fetch(done));
        }
        all
    }

    /// Clients of one form that came to it in different ways: whatever happens next, they are of
    /// one form again.
    #[test]
    fn clients_of_one_form_go_on_the_same() {
        let world = &World::small()[2];
        let mut known: HashMap<(u64, usize), Client> = HashMap::new();
        let mut edge = vec![(Client::new(world), 0)];
        let (mut compared, mut steps) = (0, happenings().into_iter().cycle());
        for _ in 0..6 {
            let mut next = Vec::new();
            for (client, time) in std::mem::take(&mut edge) {
                let now = Timestamp(TIMES[time]);
                if let Some(other) = known.get(&(client.form(), time)) {
                    let step = steps.next().expect("it goes round");
                    let one = client.after(world, &step, now).map(|c| c.form());
                    let two = other.after(world, &step, now).map(|c| c.form());
                    assert_eq!(
                        one, two,
                        "{client:?} and {other:?} at {time} after {step:?}"
                    );
                    compared += 1;
                    continue;
                }
                let after = |step: Happening| client.after(world, &step, now).map(|c| (c, time));
                next.extend(happenings().into_iter().filter_map(after));
                if let Some(later) = TIMES.get(time + 1) {
                    let tick = client.after(world, &Happening::Tick, Timestamp(*later));
                    next.extend(tick.map(|c| (c, time + 1)));
                }
                known.insert((client.form(), time), client);
            }
            edge = next;
        }
        println!(
            "model check: {compared} pairs of {} forms go on the same",
            known.len()
        );
        assert!(compared > 1_000, "{compared}");
    }
}
