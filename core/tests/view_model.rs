//! Badges, progress bars, cache keys and explanations.

use resourcecache::json::Schema;
use resourcecache::{
    Badge, Config, DNS_RECORDS, DNS_ZONES, DOMAINS, Icon, JsonCache, Kind, Labels, MetadataPatch,
    Next, PROJECTS, Progress, Retry, Timestamp, Variant,
};

const T0: Timestamp = Timestamp(0);

fn cache() -> JsonCache {
    let mut cache = JsonCache::new(Config::default());
    let list = Schema::default().snapshot(br#"[{"id":"a"}]"#).unwrap();
    cache.merge(list, T0).unwrap();
    cache
}

fn badge(cache: &JsonCache) -> Option<Badge> {
    Badge::of(&cache.get_one("a").unwrap(), &Labels::default())
}

fn patch(json: &str) -> MetadataPatch {
    serde_json::from_str(json).unwrap()
}

#[test]
fn badges_have_the_documents_labels_and_variants() {
    let expected = [
        (Kind::Delete, "Deleting...", Variant::Destructive),
        (Kind::Create, "Creating...", Variant::Default),
        (Kind::Update, "Saving...", Variant::Secondary),
        (Kind::Process, "Processing...", Variant::Default),
    ];
    assert_eq!(badge(&cache()), None);
    for (kind, label, variant) in expected {
        let mut cache = cache();
        cache.mark_as_processing("a", kind, T0).unwrap();
        let badge = badge(&cache).unwrap();
        assert_eq!((badge.label.as_str(), badge.variant), (label, variant));
        assert_eq!((badge.icon, badge.animate), (Icon::Spinner, true));
        assert_eq!((badge.progress, badge.retry), (None, None));
    }
}

#[test]
fn a_message_replaces_processing_and_retrying_only() {
    let mut cache = cache();
    cache.mark_as_processing("a", Kind::Process, T0).unwrap();
    let message = patch(r#"{"message":"Verifying...","progress":0}"#);
    cache.update_metadata("a", message, T0).unwrap();
    let shown = badge(&cache).unwrap();
    assert_eq!(
        (shown.label.as_str(), shown.progress),
        ("Verifying...", Some(0.0))
    );
    let bar = Progress::of(&cache.get_one("a").unwrap()).unwrap();
    assert_eq!((bar.label.as_str(), bar.percent), ("Verifying...", 0.0));

    let retrying = patch(r#"{"status":"retrying","retryCount":1,"maxRetries":3,"message":null}"#);
    cache.update_metadata("a", retrying, T0).unwrap();
    let shown = badge(&cache).unwrap();
    assert_eq!(
        (shown.label.as_str(), shown.retry),
        ("Retrying...", Some((1, 3)))
    );
    assert_eq!(shown.variant, Variant::Secondary);
}

#[test]
fn failures_have_a_cross_and_completions_a_check() {
    let mut cache = cache();
    let begun = cache.mark_as_processing("a", Kind::Process, T0).unwrap();
    let operation = begun.operation().unwrap();
    cache.fail(operation, "no quota", Retry::No, T0).unwrap();
    let failed = badge(&cache).unwrap();
    assert_eq!(failed.label, "no quota");
    assert_eq!(
        (failed.variant, failed.icon, failed.animate),
        (Variant::Destructive, Icon::Cross, false)
    );

    cache.attempt(operation, T0).unwrap();
    cache.complete("a", T0).unwrap();
    let done = badge(&cache).unwrap();
    assert_eq!(
        (done.label.as_str(), done.icon, done.animate),
        ("Done", Icon::Check, false)
    );
}

#[test]
fn an_in_place_creation_ends_with_a_check() {
    let mut cache = cache();
    cache.mark_as_processing("a", Kind::Create, T0).unwrap();
    cache
        .update_metadata(
            "a",
            patch(r#"{"message":"Registration complete!","progress":100}"#),
            T0,
        )
        .unwrap();
    cache.complete("a", T0).unwrap();
    let done = badge(&cache).unwrap();
    assert_eq!(
        (done.label.as_str(), done.icon),
        ("Registration complete!", Icon::Check)
    );
}

#[test]
fn cache_keys_are_the_documents_and_never_collide() {
    assert_eq!(PROJECTS.cache_key(&["org-1"]), "projects:org-1");
    assert_eq!(DNS_ZONES.cache_key(&["project-1"]), "dns-zones:project-1");
    assert_eq!(DOMAINS.cache_key(&["project-1"]), "domains:project-1");
    assert_eq!(DNS_RECORDS.cache_key(&["p", "z"]), "dns-records:p:z");
    assert_eq!(
        PROJECTS
            .schema()
            .unwrap()
            .resource(br#"{"name":"n"}"#)
            .map(|_| ()),
        Ok(())
    );
    let lists: [&[&str]; 8] = [
        &[],
        &[""],
        &["", ""],
        &["a", "b:c"],
        &["a:b", "c"],
        &["a", "b", "c"],
        &["a%3Ab", "c"],
        &["a%", "3Ab:c"],
    ];
    let keys: std::collections::BTreeSet<String> =
        lists.iter().map(|l| DNS_ZONES.cache_key(l)).collect();
    assert_eq!(keys.len(), lists.len(), "{keys:?}");
}

#[test]
fn explain_names_rule_and_what_would_change_it() {
    let mut cache = cache();
    let why = cache.explain("a");
    assert_eq!(
        (why.visible, why.rule, why.next),
        (true, None, vec![Next::List])
    );
    let unknown = cache.explain("nobody");
    assert_eq!((unknown.state, unknown.visible), (None, false));

    let begun = cache.mark_as_updating(
        "a",
        Schema::default().merge_patch(br#"{"x":1}"#).unwrap(),
        T0,
    );
    let operation = begun.unwrap().operation().unwrap();
    assert_eq!(cache.explain("a").rule, Some("V4"));
    cache.fail(operation, "503", Retry::After(700), T0).unwrap();
    assert!(
        cache
            .explain("a")
            .next
            .contains(&Next::Attempt(Timestamp(700)))
    );
    cache.attempt(operation, T0).unwrap();
    cache.acknowledge(operation, None, Timestamp(5)).unwrap();
    let why = cache.explain("a");
    assert_eq!(why.rule, Some("U2"));
    assert!(
        why.next.contains(&Next::ListAfter(Timestamp(60_005))),
        "{why}"
    );
}
