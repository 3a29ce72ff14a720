//! Journals: events as JSON, a line each. Arbitrary bytes, and small edits of what a history did.

use resourcecache::json::JsonResource;
use resourcecache::{Config, Event, Resource, ResourceCache, Timestamp, VersionOrder};
use resourcecache_testing::{Player, Toy};
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
        _ => {
            let mut player = Player::new(config.clone(), flags & 4 == 0);
            let mut journal = Vec::new();
            for step in input.steps(32) {
                let Some(played) = player.play(&step) else {
                    continue;
                };
                let entry = Entry {
                    now: played.now,
                    event: played.event,
                };
                journal.extend(serde_json::to_vec(&entry).unwrap_or_default());
                journal.push(b'\n');
            }
            let journal = edited(&journal, &mut input, 8);
            replays::<Toy>(&journal, &config);
        }
    }
}

fn replays<R>(journal: &[u8], config: &Config)
where
    R: Resource + Serialize + DeserializeOwned,
    R::Patch: Serialize + DeserializeOwned,
{
    let (mut first, mut second) = (
        ResourceCache::new(config.clone()),
        ResourceCache::new(config.clone()),
    );
    let mut before = saved(&first);
    for line in journal.split(|byte| *byte == b'\n') {
        let Ok(entry) = serde_json::from_slice::<Entry<R>>(line) else {
            continue;
        };
        let Ok(again) = serde_json::to_string(&entry) else {
            continue;
        };
        let answer = first.apply(entry.event, entry.now);
        let after = saved(&first);
        if let Err(error) = &answer {
            assert_eq!(after, before, "refused, and changed: {error}: {again}");
        }
        let entry: Entry<R> = serde_json::from_str(&again)
            .unwrap_or_else(|problem| panic!("what is written does not read: {problem}: {again}"));
        assert_eq!(second.apply(entry.event, entry.now), answer, "{again}");
        assert_eq!(saved(&second), after, "{again}");
        before = after;
    }
    look(&first);
}
