//! The document's three unit tests, by name.

use resourcecache::json::Schema;
use resourcecache::{Config, JsonCache, Kind, MetadataPatch, Status, Timestamp};

const T0: Timestamp = Timestamp(0);

fn cache() -> JsonCache {
    let mut cache = JsonCache::new(Config::default());
    let list = br#"[{"id":"a","name":"x","spec":{"p":1}},{"id":"b"},{"id":"c"}]"#;
    cache
        .merge(Schema::default().snapshot(list).unwrap(), T0)
        .unwrap();
    cache
}

fn patch(json: &str) -> MetadataPatch {
    serde_json::from_str(json).unwrap()
}

mod update_in_place {
    use super::*;

    #[test]
    fn should_update_resource_data_while_preserving_meta() {
        let mut cache = cache();
        cache.mark_as_processing("a", Kind::Update, T0).unwrap();
        cache
            .update_metadata("a", patch(r#"{"message":"Saving","progress":10}"#), T0)
            .unwrap();
        let before = cache.get_one("a").unwrap().meta();
        let fields = Schema::default().partial(br#"{"name":"y"}"#).unwrap();
        cache.update_in_place("a", fields, T0).unwrap();
        let item = cache.get_one("a").unwrap();
        assert_eq!(
            item.body().body(),
            r#"{"id":"a","name":"y","spec":{"p":1}}"#
        );
        assert_eq!(item.meta(), before);
    }
}

mod batch_mark_as_processing {
    use super::*;

    #[test]
    fn should_mark_multiple_resources_as_deleting() {
        let mut cache = cache();
        cache
            .batch_mark_as_processing(&["a", "c"], Kind::Delete, None, T0)
            .unwrap();
        let deleting: Vec<_> = cache
            .get_by_status(Status::Deleting)
            .map(|i| i.id().to_string())
            .collect();
        assert_eq!(deleting, ["a", "c"]);
        assert_eq!(
            cache
                .visible()
                .map(|i| i.id().to_string())
                .collect::<Vec<_>>(),
            ["b"]
        );
    }
}

mod update_metadata {
    use super::*;

    #[test]
    fn should_update_metadata_without_changing_resource_data() {
        let mut cache = cache();
        let before = cache.get_one("a").unwrap().body().clone();
        cache.mark_as_processing("a", Kind::Process, T0).unwrap();
        cache
            .update_metadata("a", patch(r#"{"stage":"verifying","progress":33}"#), T0)
            .unwrap();
        let item = cache.get_one("a").unwrap();
        assert_eq!(item.body(), &before);
        let meta = item.meta().unwrap();
        assert_eq!(
            (meta.stage.as_deref(), meta.progress),
            (Some("verifying"), Some(33.0))
        );
    }
}
