//! Merging a response as it is read leads to what merging its snapshot leads to, byte for byte:
//! the items that were passed over unread included (DESIGN 10, S1, S2).

mod common;

use proptest::prelude::*;
use resourcecache::json::Schema;
use resourcecache::{BadItems, Config, Coverage, JsonCache, Kind, Timestamp, VersionOrder};

/// One item of a list as text: good, written in some way, or bad.
fn item() -> impl Strategy<Value = String> {
    let id = prop_oneof![
        20 => (0..12_u32).prop_map(|i| format!("\"id\":\"z{i}\"")),
        3 => (0..12_u32).prop_map(|i| format!("\"id\" : {i}")),
        2 => (0..12_u32).prop_map(|i| format!("\"id\":\"\\u007a{i}\"")),
        1 => Just("\"id\":\"é\"".to_string()),
        1 => Just("\"id\":\"a\",\"id\":\"z3\"".to_string()),
    ];
    let rest = prop_oneof![
        (0..3_u32).prop_map(|v| format!("\"m\":{{\"v\":{v},\"t\":\"t{v}\"}}")),
        (0..3_u32).prop_map(|v| format!("\"m\":{{\"v\":\"{v}\"}},\"n\":[1,{{\"v\":2}}]")),
        Just("\"text\":\"\\n \\\"quoted\\\" ünïcode \"".to_string()),
    ];
    let good = (id, rest, any::<bool>());
    let good = good.prop_map(|(id, rest, first)| {
        if first {
            format!("{{{id},{rest}}}")
        } else {
            format!("{{ {rest} , {id} }}")
        }
    });
    let bad = [
        "7",
        "{}",
        "null",
        "{\"id\":\"\"}",
        "{\"id\":1.5}",
        "{\"id\":[1]}",
        "{\"id\":\"\\ud800\"}",
    ];
    prop_oneof![60 => good, 1 => prop::sample::select(bad.to_vec()).prop_map(str::to_string)]
}

/// A response: a list, by itself or in an object, as a server writes it; at times broken.
fn response() -> impl Strategy<Value = Text> {
    let between = prop::sample::select(&[",", ", ", ",\n  ", " ,"][..]);
    let around = prop::sample::select(
        &[
            "{\"items\":@,\"rv\":\"5\"}",
            "{\"rv\":7,\"items\":@}",
            "{\"rv\":\"5\",\"x\":{\"items\":[1]}, \"items\" : @ }",
            "{\"items\":[],\"items\":@}",
            "{\"it\\u0065ms\":@}",
            "{\"items\":null}",
            "{\"other\":@}",
        ][..],
    );
    let broken = prop::option::weighted(0.15, (any::<prop::sample::Index>(), any::<u8>()));
    let items = prop::collection::vec(item(), 0..14);
    (items, between, around, broken).prop_map(|(items, between, around, broken)| {
        let list = format!("[{}]", items.join(between));
        let mut bytes = around.replace('@', &list).into_bytes();
        if let Some((at, byte)) = broken {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        Text(bytes)
    })
}

fn schema() -> Schema {
    Schema {
        items: "/items".parse().unwrap(),
        version: "/m/v".parse().ok(),
        token: "/m/t".parse().ok(),
        list_version: "/rv".parse().ok(),
        ..Schema::default()
    }
}

/// Bytes that are shown as text.
#[derive(Clone)]
struct Text(Vec<u8>);

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

#[derive(Clone, Debug)]
enum Step {
    List(Text),
    Again,
    Page(u32, u32, Text),
    Mark(u32, Kind),
    Create(u32),
    Reload,
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop::sample::select(&[Kind::Delete, Kind::Update, Kind::Process][..]);
    prop_oneof![
        6 => response().prop_map(Step::List),
        2 => Just(Step::Again),
        1 => (0..12_u32, 0..12_u32, response()).prop_map(|(a, b, r)| Step::Page(a, b, r)),
        2 => (0..12_u32, kind).prop_map(|(id, kind)| Step::Mark(id, kind)),
        1 => (0..12_u32).prop_map(Step::Create),
        1 => Just(Step::Reload),
    ]
}

fn bytes(cache: &JsonCache) -> String {
    serde_json::to_string(&cache.record()).unwrap()
}

proptest! {
    #![proptest_config(common::cases(4_000))]
    #[test]
    fn a_response_merges_as_its_snapshot(steps in prop::collection::vec(step(), 1..12), skip: bool, ordered: bool) {
        let mut config = Config::default();
        config.bad_items = if skip { BadItems::Skip } else { BadItems::Reject };
        config.version_order = if ordered { VersionOrder::Integer } else { VersionOrder::Opaque };
        let schema = schema();
        let (mut read, mut taken) = (JsonCache::new(config.clone()), JsonCache::new(config));
        let mut last = Text(b"{\"items\":[]}".to_vec());
        for (now, step) in steps.into_iter().enumerate() {
            let now = Timestamp(i64::try_from(now).unwrap() * 20_000);
            let mut merge = |response: &Text, coverage: Coverage| {
                let one = read.merge_response(schema.response(&response.0).covering(coverage.clone()), now);
                let two = schema.snapshot(&response.0).and_then(|s| taken.merge(s.covering(coverage), now));
                (one.map(|applied| applied.changes), two.map(|applied| applied.changes))
            };
            let (one, two) = match &step {
                Step::List(response) => {
                    last.clone_from(response);
                    merge(response, Coverage::Complete)
                }
                Step::Again => merge(&last, Coverage::Complete),
                Step::Page(a, b, response) => {
                    let bound = |i: &u32| Some(format!("z{i}").as_str().into());
                    merge(response, Coverage::Page { after: bound(a), before: bound(b) })
                }
                Step::Mark(id, kind) => {
                    let id = format!("z{id}");
                    let marks = [&mut read, &mut taken].map(|c| c.mark_as_processing(id.as_str(), *kind, now));
                    let [one, two] = marks.map(|m| m.map(|applied| applied.changes));
                    (one, two)
                }
                Step::Create(id) => {
                    let new = schema.resource(format!("{{\"id\":\"new{id}\",\"m\":{{\"t\":\"t{}\"}}}}", id % 3).as_bytes()).unwrap();
                    let [one, two] = [&mut read, &mut taken].map(|c| c.add_as_creating(new.clone(), now).map(|applied| applied.changes));
                    (one, two)
                }
                Step::Reload => {
                    let record = serde_json::from_str(&bytes(&read)).unwrap();
                    read = JsonCache::restore(read.config().clone(), record, now).unwrap();
                    let record = serde_json::from_str(&bytes(&taken)).unwrap();
                    taken = JsonCache::restore(taken.config().clone(), record, now).unwrap();
                    continue;
                }
            };
            prop_assert_eq!(&one, &two, "{:?}", step);
            prop_assert_eq!(bytes(&read), bytes(&taken), "{:?}", step);
        }
    }
}
