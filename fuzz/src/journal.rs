//! Journals: events as JSON, a line each. Arbitrary bytes, and small edits of what a history did.

use proptest::strategy::{BoxedStrategy, Strategy};
use resourcecache::json::JsonResource;
use resourcecache::{Config, Event, Resource, ResourceCache, Timestamp, VersionOrder};
use resourcecache_testing::strategies::{Happening, Stage, happening};
use resourcecache_testing::{Player, Toy};
use resourcecache_tests::responses;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::edits::edited;
use crate::input::Input;
use crate::state::{look, saved};

/// A line of a journal.
#[derive(Serialize, Deserialize)]
#[serde(bound(
    serialize = "R: Serialize, R::Patch: Serialize",
    deserialize = "R: DeserializeOwned, R::Patch: DeserializeOwned"
))]
struct Entry<R: Resource> {
    now: Timestamp,
    event: Event<R>,
}

/// Holds that no journal breaks a cache, that a refused event changes nothing, and that a replay
/// leads to the same bytes (R1).
///
/// # Panics
///
/// When that does not hold.
pub fn journal(bytes: &[u8]) {
    let mut input = Input(bytes);
    let flags = input.byte();
    let mut config = Player::config();
    config.version_order = match flags >> 4 & 3 {
        0 => VersionOrder::Opaque,
        1 => VersionOrder::Timestamp,
        _ => VersionOrder::Integer,
    };
    match flags & 3 {
        0 => replays::<JsonResource>(input.rest(), &config),
        1 => replays::<Toy>(input.rest(), &config),
        2 => {
            let mut player = Player::new(config.clone(), flags & 4 == 0);
            let steps = input.steps(32);
            let played = steps.iter().filter_map(|step| player.play(step));
            let journal = written(played.map(|p| Entry {
                now: p.now,
                event: p.event,
            }));
            replays::<Toy>(&edited(&journal, &mut input, 8), &config);
        }
        _ => {
            let mut stage = Stage::new(config.clone());
            let happenings = happenings(&mut input);
            let played = happenings
                .iter()
                .filter_map(|happening| stage.play(happening));
            let journal = written(played.map(|(event, now, _)| Entry { now, event }));
            replays::<JsonResource>(&edited(&journal, &mut input, 8), &config);
        }
    }
}

/// What happens to a list of JSON resources.
fn happenings(input: &mut Input<'_>) -> Vec<Happening<JsonResource>> {
    thread_local! {
        static HAPPENING: BoxedStrategy<Happening<JsonResource>> =
            happening(responses::body(), responses::patch()).boxed();
    }
    let count = input.below(32);
    HAPPENING.with(|happening| (0..count).map(|_| input.draw(happening)).collect())
}

fn written<R>(entries: impl Iterator<Item = Entry<R>>) -> Vec<u8>
where
    R: Resource + Serialize,
    R::Patch: Serialize,
{
    let line = |entry| serde_json::to_vec(&entry).unwrap_or_default();
    entries.map(line).collect::<Vec<_>>().join(&b'\n')
}

fn replays<R>(journal: &[u8], config: &Config)
where
    R: Resource + Serialize + DeserializeOwned,
    R::Patch: Serialize + DeserializeOwned,
{
    let cache = || ResourceCache::new(config.clone());
    let (mut first, mut second) = (cache(), cache());
    let mut before = first.record();
    for line in journal.split(|byte| *byte == b'\n') {
        let Ok(entry) = serde_json::from_slice::<Entry<R>>(line) else {
            continue;
        };
        let Ok(again) = serde_json::to_string(&entry) else {
            continue;
        };
        let answer = first.apply(entry.event, entry.now);
        let after = first.record();
        if let Err(error) = &answer {
            assert_eq!(after, before, "refused, and changed: {error}: {again}");
        }
        let entry: Entry<R> = serde_json::from_str(&again)
            .unwrap_or_else(|problem| panic!("what is written does not read: {problem}: {again}"));
        assert_eq!(second.apply(entry.event, entry.now), answer, "{again}");
        before = after;
    }
    assert_eq!(saved(&second), saved(&first));
    look(&first);
}
