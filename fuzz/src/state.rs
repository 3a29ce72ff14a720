//! Saved states: arbitrary bytes, and small edits of states that a history left.

use proptest::strategy::{BoxedStrategy, Strategy};
use resourcecache::json::JsonResource;
use resourcecache::{Config, Kind, OnFailure, Record, Resource, ResourceCache, Timestamp};
use resourcecache_testing::{Player, Toy};
use resourcecache_tests::Twins;
use resourcecache_tests::responses::{self, ListStep};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::edits::edited;
use crate::input::Input;

/// Holds that a state which is loaded is saved and loads again to the same, and that a history
/// goes on from it.
///
/// # Panics
///
/// When that does not hold.
pub fn state(bytes: &[u8]) {
    let mut input = Input(bytes);
    let flags = input.byte();
    let mut config = Player::config();
    config.on_failure = if flags & 4 == 0 {
        OnFailure::Revert
    } else {
        OnFailure::Keep
    };
    let now = time(&mut input);
    if flags & 1 == 0 {
        goes_on::<JsonResource>(input.rest(), &config, now);
    } else if flags & 2 == 0 {
        let saved = lists(&config, &mut input);
        let saved = edited(&saved, &mut input, 6);
        goes_on::<JsonResource>(&saved, &config, now);
    } else {
        let mut player = Player::new(config.clone(), flags & 8 == 0);
        for step in input.steps(24) {
            player.play(&step);
        }
        let saved = serde_json::to_vec(&player.cache.record()).unwrap_or_default();
        let saved = edited(&saved, &mut input, 6);
        let Some(cache) = goes_on::<Toy>(&saved, &config, now) else {
            return;
        };
        player.cache = cache;
        for step in input.steps(16) {
            player.play(&step);
        }
        look(&player.cache);
    }
}

/// When a state is loaded: about when it was saved, or at the ends of time.
pub(crate) fn time(input: &mut Input<'_>) -> Timestamp {
    let byte = i64::from(input.byte());
    Timestamp(match byte % 8 {
        0 => -62_167_219_200_000,
        1 => 253_402_300_799_999,
        2 => i64::MAX,
        3 => i64::MIN,
        _ => 1_000_000 + (byte - 128) * 100,
    })
}

/// What a history of responses leaves.
fn lists(config: &Config, input: &mut Input<'_>) -> Vec<u8> {
    thread_local! {
        static STEP: BoxedStrategy<ListStep> = responses::list_step().boxed();
    }
    let mut twins = Twins::new(config, responses::schema());
    for at in 0..input.below(8) {
        let step = STEP.with(|step| input.draw(step));
        let now = Timestamp(1_000_000 + i64::try_from(at).unwrap_or_default() * 400);
        if let Err(difference) = twins.step(&step, now) {
            panic!("they differ after {step:?}:\n{difference}");
        }
    }
    resourcecache_tests::bytes(&twins.read)
}

fn goes_on<R>(json: &[u8], config: &Config, now: Timestamp) -> Option<ResourceCache<R>>
where
    R: Resource + Serialize + DeserializeOwned,
    R::Patch: Serialize + DeserializeOwned,
{
    let record: Record<R> = serde_json::from_slice(json).ok()?;
    let mut cache = ResourceCache::restore(config.clone(), record, now).ok()?;
    let saved = saved(&cache);
    let load = || -> Result<ResourceCache<R>, String> {
        let record = serde_json::from_str(&saved).map_err(|e| e.to_string())?;
        ResourceCache::restore(config.clone(), record, now).map_err(|e| e.to_string())
    };
    let again =
        load().unwrap_or_else(|problem| panic!("what it saves does not load: {problem}: {saved}"));
    assert_eq!(without_events(&self::saved(&again)), without_events(&saved));
    look(&cache);
    let ids: Vec<String> = cache.all().map(|item| item.id().to_string()).collect();
    for (at, id) in (1..).zip(&ids) {
        let now = Timestamp(now.0.saturating_add(at * 300));
        // What is refused is refused: nothing may break.
        let _ = cache.mark_as_processing(id.as_str(), Kind::Update, now);
        let _ = cache.mark_as_deleting(id.as_str(), None, now);
        let _ = cache.handle_timeout(now);
        let _ = cache.revert(id.as_str(), now);
    }
    look(&cache);
    Some(cache)
}

pub(crate) fn saved<R: Resource + Serialize>(cache: &ResourceCache<R>) -> String
where
    R::Patch: Serialize,
{
    serde_json::to_string(&cache.record())
        .unwrap_or_else(|e| panic!("a state cannot be saved: {e}"))
}

/// A state without the number of events seen: loading is one.
fn without_events(saved: &str) -> serde_json::Value {
    let mut value: serde_json::Value = serde_json::from_str(saved).unwrap_or_default();
    value["seq"] = serde_json::Value::Null;
    value
}

/// Reads all that can be read.
pub(crate) fn look<R: Resource>(cache: &ResourceCache<R>) {
    for item in cache.all() {
        assert!(
            cache.get_one(item.id()).is_some(),
            "{} is not found",
            item.id()
        );
        let _ = (
            cache.explain(item.id()).to_string(),
            item.meta(),
            item.state(),
        );
    }
    let (shown, all) = (cache.visible().count(), cache.all().count());
    assert!(shown <= all, "{shown} of {all} are shown");
    let _ = (
        cache.poll_timeout(),
        cache.should_poll(),
        cache.changes_since(cache.revision()),
    );
}
