//! Responses: arbitrary bytes, texts of the property tests, and small edits of either, merged one
//! after the other against what is held.

use std::collections::BTreeMap;

use proptest::strategy::{BoxedStrategy, Strategy};
use resourcecache::json::Schema;
use resourcecache::{BadItems, Config, JsonCache, Kind, Resource, Timestamp, VersionOrder};
use resourcecache_tests::Twins;
use resourcecache_tests::responses::{self, ListStep, Text};

use crate::edits::edited;
use crate::input::Input;
use crate::judge::{self, Unreadable};

/// So many bytes say what is done; what follows says to what.
const HEADER: usize = 20;

/// The places where lists and their ids are looked for.
fn schema(which: usize) -> Schema {
    let at = |pointer: &str| pointer.parse().unwrap_or_default();
    match which {
        0 => Schema::default(),
        1 => responses::schema(),
        2 => Schema {
            id: at("/m/id"),
            version: Some(at("/v/1/n")),
            items: at("/data/items"),
            ..Schema::default()
        },
        _ => Schema {
            items: at("/0"),
            token: Some(at("/id")),
            list_version: Some(at("/1/id")),
            ..Schema::default()
        },
    }
}

/// A whole response, or a list that is written item by item.
fn generated(input: &mut Input<'_>) -> Vec<u8> {
    thread_local! {
        static RESPONSE: BoxedStrategy<Text> = responses::response().boxed();
        static ITEM: BoxedStrategy<String> = responses::item().boxed();
    }
    let count = input.below(24);
    if count == 0 {
        return RESPONSE.with(|response| input.draw(response)).0;
    }
    let items: Vec<String> = (0..count)
        .map(|_| ITEM.with(|item| input.draw(item)))
        .collect();
    format!("{{\"rv\":{count},\"items\":[{}]}}", items.join(",")).into_bytes()
}

/// Holds that merging as it is read is merging the snapshot, that a text is taken exactly when it
/// is JSON (nested at most 128 deep) with a list in it, and that bodies are given out as they came.
///
/// # Panics
///
/// When that does not hold.
pub fn response(bytes: &[u8]) {
    let (header, rest) = bytes.split_at(bytes.len().min(HEADER));
    let (mut header, mut rest) = (Input(header), Input(rest));
    let flags = header.byte();
    let schema = schema(usize::from(flags & 3));
    let mut config = Config::default();
    config.bad_items = if flags & 4 == 0 {
        BadItems::Reject
    } else {
        BadItems::Skip
    };
    config.version_order = if flags & 8 == 0 {
        VersionOrder::Opaque
    } else {
        VersionOrder::Integer
    };
    let first = if flags & 16 == 0 {
        rest.rest().to_vec()
    } else {
        generated(&mut rest)
    };
    let second = edited(&first, &mut header, 3);
    let third = edited(&second, &mut header, 3);
    for text in [&first, &second, &third] {
        agrees_with_serde_json(text, &schema, &config);
    }
    let mut twins = Twins::new(&config, schema);
    let list = |text: &Vec<u8>| ListStep::List(Text(text.clone()));
    let steps = [
        list(&first),
        list(&second),
        ListStep::Mark(header.byte().into(), Kind::Delete),
        list(&first),
        ListStep::Reload,
        list(&third),
        ListStep::Again,
        list(&second),
    ];
    for (at, step) in (0..).zip(&steps) {
        if let Err(difference) = twins.step(step, Timestamp(at * 20_000)) {
            panic!("they differ after {step:?}:\n{difference}");
        }
    }
}

fn agrees_with_serde_json(bytes: &[u8], schema: &Schema, config: &Config) {
    let snapshot = schema.snapshot(bytes);
    if !judge::is_json(bytes) {
        assert!(
            snapshot.is_err(),
            "taken, and no JSON: {:?}",
            String::from_utf8_lossy(bytes)
        );
        return;
    }
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let list = match judge::list(text, schema) {
        Ok(list) => list,
        Err(Unreadable) => return,
    };
    let Some(list) = list else {
        assert!(snapshot.is_err(), "taken, and no list: {text:?}");
        return;
    };
    let snapshot = snapshot.unwrap_or_else(|error| panic!("refused: {error}: {text:?}"));
    assert_eq!(snapshot.list_version, list.version, "{text:?}");
    let bad = list
        .items
        .iter()
        .enumerate()
        .filter(|(_, item)| item.is_none())
        .map(|(at, _)| at);
    let said: Vec<usize> = snapshot.bad.iter().map(|bad| bad.position).collect();
    assert_eq!(said, bad.collect::<Vec<_>>(), "{text:?}");
    let good: Vec<_> = list.items.into_iter().flatten().collect();
    let read = |r: &resourcecache::json::JsonResource| {
        let scalars = [Some(r.id()), r.version(), r.token()];
        (r.body().to_string(), scalars.map(|s| s.map(String::from)))
    };
    let items: Vec<_> = snapshot.items.iter().map(read).collect();
    let expected: Vec<_> = good
        .into_iter()
        .map(|(body, scalars)| (body.to_string(), scalars))
        .collect();
    assert_eq!(items, expected, "{text:?}");

    // On a cold cache: of an id that is there twice, the last body at the first place (S2).
    let mut cache = JsonCache::new(config.clone());
    if cache
        .merge_response(schema.response(bytes), Timestamp(0))
        .is_err()
    {
        assert!(!said.is_empty(), "not merged: {text:?}");
        return;
    }
    let mut order: Vec<&String> = Vec::new();
    let mut bodies: BTreeMap<&String, &String> = BTreeMap::new();
    for (body, scalars) in &expected {
        let Some(id) = &scalars[0] else { continue };
        if bodies.insert(id, body).is_none() {
            order.push(id);
        }
    }
    let shown: Vec<(&str, &str)> = cache.visible().map(|i| (i.id(), i.body().body())).collect();
    let wanted: Vec<(&str, &str)> = order
        .iter()
        .map(|id| (id.as_str(), bodies[*id].as_str()))
        .collect();
    assert_eq!(shown, wanted, "{text:?}");
}
